//! `http.check` and `http.request` against a small server of the test's own, which answers well or oddly.

mod call;
mod check;
mod conformance;
mod request;
mod server;
mod tls;
