//! `command.run` with real processes. Nothing here sleeps: the commands tell through named pipes where they are.

mod run;
mod support;
