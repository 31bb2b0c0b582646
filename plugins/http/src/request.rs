//! `http.request`: sends a request, which changes something or only looks.

use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use lifeboat_action::{
    ActionContext, Description, Effect, Failure, FailureKind, Observation, Outcome, ParamProblem, TypedAction,
};
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::check::look;
use crate::exchange::{Answer, Call, NoAnswer};
use crate::expect::Expect;
use crate::params::{Address, Headers, Outputs, default_timeout, header_name, may_name_another_method};

/// What to send where, and what the answer should be.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Params {
    /// The method. GET, HEAD and OPTIONS only look, so that they are also sent in a dry run, unless `changes` is true; the
    /// others change something and are sent live only, unless `looks` is true.
    method: Method,
    /// The address, starting with `http://` or `https://`.
    #[schemars(with = "String")]
    url: Address,
    /// Your word that the request changes nothing although its method may, such as a search by POST: it is a look then,
    /// also sent in a dry run.
    #[serde(default)]
    looks: bool,
    /// The request changes something although its method should not: it is sent live only, as others that do.
    #[serde(default)]
    changes: bool,
    /// The body as text. Give its type with `headers: { Content-Type: … }`.
    #[serde(default)]
    body: Option<String>,
    /// The body as JSON, instead of `body`.
    #[serde(default)]
    json: Option<Value>,
    /// Headers to send, such as `{ Authorization: "Bearer {{ secrets.token }}" }`.
    #[serde(default)]
    #[schemars(with = "std::collections::BTreeMap<String, String>")]
    headers: Headers,
    /// The header that carries a key which is the same for every attempt of the step in this run, so that a service
    /// which remembers keys acts once. Not sent with a request that only looks, nor when null.
    #[serde(default = "default_idempotency_header")]
    idempotency_header: Option<String>,
    /// What the answer must be; a status of `2xx` when not given.
    #[serde(default)]
    expect: Expect,
    /// How long the whole exchange may take; connecting, half of that and at most 5 s. `10s` when not given.
    #[serde(default = "default_timeout", with = "lifeboat_action::duration")]
    #[schemars(schema_with = "lifeboat_action::duration::schema")]
    timeout: Duration,
    /// A PEM file of authorities to trust besides the public ones.
    #[serde(default)]
    ca_file: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
enum Method {
    Get,
    Head,
    Options,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// Whether it only looks, by RFC 9110.
    fn is_safe(self) -> bool {
        match self {
            Self::Get | Self::Head | Self::Options => true,
            Self::Post | Self::Put | Self::Patch | Self::Delete => false,
        }
    }

    fn on_the_wire(self) -> reqwest::Method {
        match self {
            Self::Get => reqwest::Method::GET,
            Self::Head => reqwest::Method::HEAD,
            Self::Options => reqwest::Method::OPTIONS,
            Self::Post => reqwest::Method::POST,
            Self::Put => reqwest::Method::PUT,
            Self::Patch => reqwest::Method::PATCH,
            Self::Delete => reqwest::Method::DELETE,
        }
    }
}

fn default_idempotency_header() -> Option<String> {
    Some("Idempotency-Key".to_owned())
}

/// Whether the parameters say that the method is one that only looks, and nothing else than its ways.
fn is_safe(params: &Value) -> bool {
    let method = params.get("method").map(Method::deserialize);
    matches!(method, Some(Ok(method)) if method.is_safe()) && !may_change(params)
}

/// Whether the parameters say, or may turn out to say, that the request changes something whatever its method is.
fn may_change(params: &Value) -> bool {
    params.get("changes").is_some_and(|changes| *changes != Value::Bool(false))
}

impl Params {
    /// Whether the request changes nothing: by its method, or by the author's word.
    fn only_looks(&self) -> bool {
        !self.changes && (self.looks || self.method.is_safe())
    }

    fn contradictions(&self) -> Vec<ParamProblem> {
        let mut wrong = Vec::new();
        if self.body.is_some() && self.json.is_some() {
            let problem = ParamProblem::new("`body` and `json` exclude each other");
            wrong.push(problem.about(["body"]).about(["json"]));
        }
        if self.looks && self.changes {
            let problem = ParamProblem::new("`looks` and `changes` exclude each other");
            wrong.push(problem.about(["looks"]).about(["changes"]));
        }
        let is_bare = matches!(self.method, Method::Get | Method::Head);
        let body = [("body", self.body.is_some()), ("json", self.json.is_some())];
        for (name, _) in body.into_iter().filter(|(_, given)| *given && is_bare).take(1) {
            wrong.push(ParamProblem::new("GET and HEAD have no body").about(["method"]).about([name]));
        }
        let header = self.idempotency_header.as_ref().and_then(|name| header_name(name).err());
        wrong.extend(header.map(|why| ParamProblem::new(why).about(["idempotency_header"])));
        wrong
    }

    fn call(&self, context: &ActionContext) -> Result<Call, String> {
        Ok(Call {
            method: self.method.on_the_wire(),
            address: self.url.clone(),
            headers: self.all_headers(context)?,
            body: self.body.clone().or_else(|| self.json.as_ref().map(Value::to_string)),
            timeout: self.timeout,
            ca_file: self.ca_file.clone(),
            follow_redirects: false,
        })
    }

    /// The author's headers, and those that follow from the rest unless the author gave them.
    fn all_headers(&self, context: &ActionContext) -> Result<HeaderMap, String> {
        let mut headers = self.headers.0.clone();
        if self.json.is_some() {
            headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
        }
        if let Some(name) = self.idempotency_header.as_ref().filter(|_| !self.only_looks()) {
            let key = HeaderValue::from_str(&context.info().key.to_string());
            let key = key.map_err(|error| format!("the attempt's key cannot be a header: {error}"))?;
            headers.entry(header_name(name)?).or_insert(key);
        }
        Ok(headers)
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Request;

#[async_trait]
impl TypedAction for Request {
    type Params = Params;
    type Outputs = Outputs;

    /// Not idempotent: PUT and DELETE should be, by RFC 9110, but whether a service keeps to that is not ours to say.
    fn describe(&self) -> Description {
        Description {
            name: "http.request",
            summary: "Sends an HTTP request",
            idempotent: false,
            observable: false,
            recoverable: false,
        }
    }

    fn effect(&self, params: &Value) -> Effect {
        let looks = params.get("looks") == Some(&Value::Bool(true)) && !may_change(params);
        if looks || is_safe(params) { Effect::Read } else { Effect::Write }
    }

    fn look_is_harmless(&self, params: &Value) -> bool {
        is_safe(params) && !may_name_another_method(params)
    }

    fn vouched_by(&self) -> Option<&'static str> {
        Some("looks")
    }

    fn validate(&self, params: &Params) -> Vec<ParamProblem> {
        params.contradictions()
    }

    async fn observe(&self, context: &ActionContext, params: &Params) -> Observation {
        if !params.only_looks() {
            let why = "a request cannot be looked at before it is sent; give the step a `check`".to_owned();
            return Observation::Unknown { why };
        }
        match params.call(context) {
            Ok(call) => look(context, &call, &params.expect).await,
            Err(why) => Observation::Unknown { why },
        }
    }

    async fn apply(&self, context: &ActionContext, params: &Params) -> Result<Outcome, Failure> {
        let call = params.call(context).map_err(Failure::permanent)?;
        let words = call.words(context);
        let answer = call.send(context).await.map_err(|error| {
            let why = format!("{words}: {error}");
            Failure::new(kind_without_answer(&error), context.masker().mask(&why))
        })?;
        if let Some((kind, wrong)) = wrong(&params.expect, &answer) {
            let why = format!("{words} {wrong}{}", answer.pointer());
            let failure = Failure::new(kind, context.masker().mask(&why));
            return Err(Failure {
                tail: Some(answer.start(context)).filter(|tail| !tail.is_empty()),
                ..failure
            });
        }
        let outputs = answer.outputs(context);
        let evidence = format!("{words} answered {} in {} ms", outputs.status, outputs.elapsed_ms);
        Ok(Outcome { evidence, outputs: outputs.into(), warnings: Vec::new() })
    }
}

fn kind_without_answer(error: &NoAnswer) -> FailureKind {
    match error {
        NoAnswer::Unusable(_) => FailureKind::Permanent,
        NoAnswer::NotTried(_) | NoAnswer::NotSent(_) => FailureKind::Transient,
        NoAnswer::Lost(_) => FailureKind::Unknown,
    }
}

/// What is wrong with the answer, and what it tells about the effect.
fn wrong(expect: &Expect, answer: &Answer) -> Option<(FailureKind, String)> {
    if let Some(wrong) = expect.wrong_status(answer) {
        return Some((kind_of(answer.status), wrong));
    }
    // The service accepted the request, so that its effect may well be there.
    let wrong = expect.wrong_content(answer)?;
    Some((FailureKind::Unknown, format!("answered {}, but {wrong}", answer.status.as_u16())))
}

/// What an unexpected status tells about the effect.
fn kind_of(status: StatusCode) -> FailureKind {
    match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE | StatusCode::REQUEST_TIMEOUT => {
            FailureKind::Transient
        }
        refused if refused.is_client_error() || refused.is_redirection() => FailureKind::Permanent,
        // Another success than the expected one, or a server or proxy that failed half-way.
        _ => FailureKind::Unknown,
    }
}
