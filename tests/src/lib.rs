//! Command-line, kill-and-resume and scene tests with real servers.
