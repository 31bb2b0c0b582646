//! Addresses and headers: checked when read, and never shown with what may be secret in them.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Url;
use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, TRANSFER_ENCODING};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Where a request goes.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Address {
    pub(crate) url: Url,
    /// As written, up to the query. Kept apart since parsing may encode a secret, which then could not be masked.
    pub(crate) shown: String,
}

impl TryFrom<String> for Address {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let url = Url::parse(&text).map_err(|error| format!("this is not an absolute URL: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("only http:// and https:// are spoken".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("credentials do not belong into a URL: put them into `headers`".to_owned());
        }
        let shown = text.split(['?', '#']).next().unwrap_or_default().to_owned();
        Ok(Self { url, shown })
    }
}

/// A request's headers.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(try_from = "BTreeMap<String, String>")]
pub(crate) struct Headers(pub(crate) HeaderMap);

impl TryFrom<BTreeMap<String, String>> for Headers {
    type Error = String;

    fn try_from(texts: BTreeMap<String, String>) -> Result<Self, String> {
        let mut headers = HeaderMap::new();
        for (name, value) in texts {
            let (name, mut value) = (header_name(&name)?, header_value(&name, &value)?);
            if name == CONTENT_LENGTH || name == TRANSFER_ENCODING {
                return Err(format!("`{name}` follows from the body and cannot be set"));
            }
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Ok(Self(headers))
    }
}

/// Headers by which many services let another method take the place of the one that is sent.
const OTHER_METHODS: [&str; 3] = ["x-http-method", "x-http-method-override", "x-method-override"];

/// Whether the headers of these parameters may name another method, which the service then takes for the one it was sent.
pub(crate) fn may_name_another_method(params: &Value) -> bool {
    let names_one = |name: &String| OTHER_METHODS.iter().any(|other| name.eq_ignore_ascii_case(other));
    match params.get("headers") {
        None => false,
        Some(Value::Object(headers)) => headers.keys().any(names_one),
        // A template, whose names are not known yet.
        Some(_) => true,
    }
}

/// Reads a header's name.
pub(crate) fn header_name(name: &str) -> Result<HeaderName, String> {
    name.parse().map_err(|_| format!("{name:?} is not a header's name"))
}

fn header_value(name: &str, value: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(value)
        .map_err(|_| format!("the value of header `{name}` has characters that a header cannot hold"))
}

/// How long a request may take when nothing is said.
pub(crate) fn default_timeout() -> Duration {
    Duration::from_secs(10)
}

/// What both actions give to later steps.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Outputs {
    /// The answer's status, such as 200.
    pub(crate) status: u16,
    /// The answer's body as text: the first 64 KiB.
    pub(crate) body: String,
    /// Whether the body was longer than that.
    pub(crate) body_truncated: bool,
    /// The body as JSON, if it is JSON and was not truncated; empty otherwise.
    pub(crate) json: Option<Value>,
    /// Milliseconds from the start of the request to the end of the answer.
    pub(crate) elapsed_ms: u64,
}

impl From<Outputs> for lifeboat_model::outcome::Outputs {
    fn from(outputs: Outputs) -> Self {
        match serde_json::to_value(outputs) {
            Ok(Value::Object(map)) => map,
            other => panic!("bug: outputs are a JSON object, not {other:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_as_written_without_its_query() {
        let address = Address::try_from("https://shop.example/s p/x?token=1#y".to_owned()).unwrap();
        assert_eq!(address.shown, "https://shop.example/s p/x");
    }

    #[test]
    fn addresses_and_headers_that_cannot_be_are_refused_without_their_values() {
        for bad in
            ["shop.example/health", "ftp://shop.example", "https://me:hunter2@shop.example", "https://"]
        {
            let why = Address::try_from(bad.to_owned()).unwrap_err();
            assert!(!why.contains("hunter2"), "{why}");
        }
        for (name, value) in [("x y", "1"), ("x", "hunter2\r\ny: 1"), ("content-length", "hunter2")] {
            let why = Headers::try_from(BTreeMap::from([(name.to_owned(), value.to_owned())])).unwrap_err();
            assert!(!why.contains("hunter2"), "{why}");
        }
    }
}
