//! `http.check`: looks whether an endpoint answers as it should.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use lifeboat_action::{ActionContext, Observation, TypedObserve};
use reqwest::{Method, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::exchange::Call;
use crate::expect::Expect;
use crate::params::{Address, Headers, Outputs, default_timeout, may_name_another_method};

/// Which endpoint to look at, and what it should answer.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Params {
    /// The address, starting with `http://` or `https://`. It is fetched with GET.
    #[schemars(with = "String")]
    url: Address,
    /// What the answer must be; a status of `2xx` when not given. Other statuses say that it is not so, unless they
    /// only say that one could not look: 5xx, 401, 403, 407, 408, 425, 429 and redirects.
    #[serde(default)]
    expect: Expect,
    /// Headers to send, such as `{ Authorization: "Bearer {{ secrets.token }}" }`.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    headers: Headers,
    /// How long the whole exchange may take; connecting, half of that and at most 5 s. `10s` when not given.
    #[serde(default = "default_timeout", with = "lifeboat_action::duration")]
    #[schemars(schema_with = "lifeboat_action::duration::schema")]
    timeout: Duration,
    /// Whether to follow redirects on the same origin, and from http to https on the same host. When false, which it
    /// is when not given, a redirect is the answer.
    #[serde(default)]
    follow_redirects: bool,
    /// A PEM file of authorities to trust besides the public ones.
    #[serde(default)]
    ca_file: Option<PathBuf>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Check;

#[async_trait]
impl TypedObserve for Check {
    type Params = Params;
    type Outputs = Outputs;

    fn describe(&self) -> (&'static str, &'static str) {
        ("http.check", "Looks whether an HTTP endpoint answers as it should")
    }

    fn look_is_harmless(&self, params: &Value) -> bool {
        !may_name_another_method(params)
    }

    async fn observe(&self, context: &ActionContext, params: &Params) -> Observation {
        let call = Call {
            method: Method::GET,
            address: params.url.clone(),
            headers: params.headers.0.clone(),
            body: None,
            timeout: params.timeout,
            ca_file: params.ca_file.clone(),
            follow_redirects: params.follow_redirects,
        };
        look(context, &call, &params.expect).await
    }
}

/// Sends a request that changes nothing and judges the answer.
pub(crate) async fn look(context: &ActionContext, call: &Call, expect: &Expect) -> Observation {
    let words = call.words(context);
    let answer = match call.send(context).await {
        Ok(answer) => answer,
        // No answer is no answer: it says neither that it is so nor that it is not.
        Err(why) => {
            let why = context.masker().mask(&format!("{words}: {why}")).into_owned();
            return Observation::Unknown { why };
        }
    };
    if let Some(wrong) = expect.wrong_status(&answer) {
        let why = format!("{words} {wrong}{}", answer.pointer());
        return match says_nothing(answer.status) {
            true => Observation::Unknown { why: context.masker().mask(&why).into_owned() },
            false => blocked(context, &why),
        };
    }
    if let Some(wrong) = expect.wrong_content(&answer) {
        let start = answer.start(context);
        return blocked(
            context,
            &format!("{words} answered {}, but {wrong}: `{start}`", answer.status.as_u16()),
        );
    }
    let outputs = answer.outputs(context);
    let evidence = format!("{words} answered {} in {} ms", outputs.status, outputs.elapsed_ms);
    Observation::in_place(evidence, outputs.into())
}

/// Whether a status that nobody expected only says that one could not look: the service is down or busy, does not let
/// us in, or sends us to where we may not go.
fn says_nothing(status: StatusCode) -> bool {
    status.is_server_error()
        || matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308 | 401 | 403 | 407 | 408 | 425 | 429)
}

fn blocked(context: &ActionContext, why: &str) -> Observation {
    Observation::Blocked { why: context.masker().mask(why).into_owned() }
}
