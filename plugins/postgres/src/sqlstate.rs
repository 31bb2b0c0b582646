//! What the server's error codes mean for us.

use std::error::Error as _;

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

/// Whether the server refused a login because it is not serving now (it starts up, shuts down, is full), rather than
/// because of who asked.
pub(crate) fn says_not_ready(code: &SqlState) -> bool {
    matches!(code.code(), "57P01" | "57P02" | "57P03") || class(code) == "53"
}

/// Whether a statement that was refused with this code may succeed when it is tried again.
pub(crate) fn may_pass(code: &SqlState) -> bool {
    // Connections, rolled back transactions, resources, locks held by others, operators and timeouts, system errors.
    matches!(class(code), "08" | "40" | "53" | "55" | "57" | "58")
}

fn class(code: &SqlState) -> &str {
    code.code().get(..2).unwrap_or_default()
}

/// An error in words: what the server said with its code and detail, or the whole chain of causes.
pub(crate) fn words(error: &Error) -> String {
    if let Some(said) = error.as_db_error() {
        let detail = said.detail().map(|detail| format!(": {detail}")).unwrap_or_default();
        return format!("{}{detail} (SQLSTATE {})", said.message(), said.code().code());
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        // Some errors print their cause, others leave it to the reader of the chain.
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_up_but_not_serving_is_told_from_one_that_refuses_us() {
        for code in [SqlState::CANNOT_CONNECT_NOW, SqlState::ADMIN_SHUTDOWN, SqlState::TOO_MANY_CONNECTIONS] {
            assert!(says_not_ready(&code), "{code:?}");
        }
        for code in [SqlState::INVALID_PASSWORD, SqlState::INVALID_CATALOG_NAME, SqlState::QUERY_CANCELED] {
            assert!(!says_not_ready(&code), "{code:?}");
        }
    }

    #[test]
    fn conflicts_and_timeouts_may_pass_and_mistakes_may_not() {
        for code in
            [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::QUERY_CANCELED, SqlState::LOCK_NOT_AVAILABLE]
        {
            assert!(may_pass(&code), "{code:?}");
        }
        for code in [SqlState::SYNTAX_ERROR, SqlState::INSUFFICIENT_PRIVILEGE, SqlState::UNIQUE_VIOLATION] {
            assert!(!may_pass(&code), "{code:?}");
        }
    }
}
