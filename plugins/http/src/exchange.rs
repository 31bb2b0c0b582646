//! One request and its answer: bounded in time and size, and clear about whether anything was sent.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use lifeboat_action::{ActionContext, NetworkFault};
use reqwest::header::{HeaderMap, LOCATION, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode, Url};

use crate::client::client;
use crate::params::{Address, Outputs};

/// What is read of an answer's body.
pub(crate) const MOST_READ: usize = 1 << 20;
/// What is kept of it.
const MOST_KEPT: usize = 64 << 10;
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// What to send, and how.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) address: Address,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Option<String>,
    pub(crate) timeout: Duration,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) follow_redirects: bool,
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// The body, or its first [`MOST_READ`] bytes.
    pub(crate) body: Vec<u8>,
    /// Whether there was more.
    pub(crate) more: bool,
    elapsed: Duration,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    /// The call itself cannot be made: nothing was sent.
    #[error("{0}")]
    Unusable(String),
    /// Nothing was sent, and the reason lies on our side: it says nothing about the service.
    #[error("this machine cannot connect: {0}")]
    NotTried(String),
    /// Nothing was sent.
    #[error("cannot connect: {0}")]
    NotSent(String),
    /// Something was sent, and nobody knows what became of it.
    #[error("{0}")]
    Lost(String),
}

impl Call {
    /// The request in words, for messages: method and address up to the query, masked.
    pub(crate) fn words(&self, context: &ActionContext) -> String {
        format!("{} {}", self.method, context.masker().mask(&self.address.shown))
    }

    /// Sends the request and reads the answer.
    pub(crate) async fn send(&self, context: &ActionContext) -> Result<Answer, NoAnswer> {
        if context.is_cancelled() {
            return Err(NoAnswer::NotSent("stopped before".to_owned()));
        }
        // Less than the whole, so that a request which did not even connect is known not to have been sent.
        let connect_within = CONNECT_WITHIN.min(self.timeout / 2);
        let client = client(self.ca_file.as_deref(), self.follow_redirects, connect_within).await;
        let client = client.map_err(NoAnswer::Unusable)?;
        let mut request = client.request(self.method.clone(), self.address.url.clone());
        request = request.headers(self.headers.clone());
        if let Some(body) = &self.body {
            request = request.body(body.clone());
        }
        tokio::select! {
            () = context.cancelled() => Err(NoAnswer::Lost("stopped while waiting for the answer".to_owned())),
            answer = tokio::time::timeout(self.timeout, exchange(request)) => answer.unwrap_or_else(|_| {
                Err(NoAnswer::Lost(format!("no whole answer within {:?}", self.timeout)))
            }),
        }
    }
}

async fn exchange(request: reqwest::RequestBuilder) -> Result<Answer, NoAnswer> {
    let began = Instant::now();
    let response = request.send().await.map_err(|error| no_answer(&error))?;
    let (status, headers) = (response.status(), response.headers().clone());
    let (body, more) = read_body(response)
        .await
        .map_err(|why| NoAnswer::Lost(format!("answered {}, then broke off: {why}", status.as_u16())))?;
    Ok(Answer { status, headers, body, more, elapsed: began.elapsed() })
}

async fn read_body(mut response: Response) -> Result<(Vec<u8>, bool), String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| deepest(&error))? {
        let room = MOST_READ - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room {
            return Ok((body, true));
        }
    }
    Ok((body, false))
}

fn no_answer(error: &reqwest::Error) -> NoAnswer {
    let why = deepest(error);
    if error.is_builder() {
        NoAnswer::Unusable(why)
    } else if error.is_connect() && NetworkFault::of(error) == Some(NetworkFault::Ours) {
        NoAnswer::NotTried(why)
    } else if error.is_connect() {
        let hint = if why.contains("UnknownIssuer") { "; give its authority as `ca_file`" } else { "" };
        NoAnswer::NotSent(format!("{why}{hint}"))
    } else {
        NoAnswer::Lost(format!("the connection broke before the answer: {why}"))
    }
}

/// The innermost cause. The outer ones say no more than "error sending request", with the whole URL.
fn deepest(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = match std::error::Error::source(error) {
        Some(source) => source,
        None => return "the request could not be made".to_owned(),
    };
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

impl Answer {
    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON, if it is JSON and whole.
    pub(crate) fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok().filter(|_| !self.more)
    }

    /// The start of the body, masked, on one line: enough for a message.
    pub(crate) fn start(&self, context: &ActionContext) -> String {
        let text = context.masker().mask(&self.text()).split_whitespace().collect::<Vec<_>>().join(" ");
        match text.char_indices().nth(200) {
            Some((end, _)) => format!("{} …", &text[..end]),
            None => text,
        }
    }

    /// What the answer says about when or where to ask again, as an addition to a message.
    pub(crate) fn pointer(&self) -> String {
        let text = |name| self.headers.get(name).and_then(|value| value.to_str().ok());
        if let Some(after) = text(RETRY_AFTER).filter(|after| after.len() <= 40) {
            return format!(", asks to retry after {after}{}", if is_number(after) { " s" } else { "" });
        }
        let elsewhere = text(LOCATION).filter(|_| self.status.is_redirection());
        match elsewhere.and_then(|location| Url::parse(location).ok()) {
            Some(url) => format!(", redirects to {}", url.origin().ascii_serialization()),
            None => String::new(),
        }
    }

    /// The outputs, with every secret masked.
    pub(crate) fn outputs(&self, context: &ActionContext) -> Outputs {
        let mut body = context.masker().mask(&self.text()).into_owned();
        let body_truncated = self.more || body.len() > MOST_KEPT;
        body.truncate(body.floor_char_boundary(MOST_KEPT));
        let mut json = self.json().filter(|_| !body_truncated);
        json.iter_mut().for_each(|json| context.masker().mask_value(json));
        let elapsed_ms = u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX);
        Outputs { status: self.status.as_u16(), body, body_truncated, json, elapsed_ms }
    }
}

fn is_number(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit())
}
