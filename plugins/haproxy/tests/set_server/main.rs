//! `haproxy.set_server` against the real HAProxy, and against sockets that answer nonsense.

mod call;
mod conformance;
mod fake;
mod odd_answers;
mod real;
mod server;
