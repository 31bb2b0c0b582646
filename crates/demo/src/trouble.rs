//! Why a tour ends early.

use std::fmt;
use std::io;

/// Why a tour, or a part of its scene, could not go on.
#[derive(Debug)]
pub enum Trouble {
    /// The person at the terminal pressed Ctrl-C.
    Interrupted,
    /// Something else, in words.
    Failed(String),
}

impl Trouble {
    pub(crate) fn failed(why: impl Into<String>) -> Self {
        Self::Failed(why.into())
    }

    /// The same for `what`, such as the name of a file.
    pub(crate) fn about(what: impl fmt::Display) -> impl FnOnce(io::Error) -> Self {
        move |error| Self::Failed(format!("{what}: {error}"))
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interrupted => f.write_str("interrupted"),
            Self::Failed(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Trouble {}
