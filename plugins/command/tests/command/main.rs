//! `command.run` with real processes. Nothing here sleeps: the commands tell through named pipes where they are.

mod absence;
mod conformance;
mod crash;
mod crowd;
mod printed;
mod run;
mod secrets;
mod stop;
mod support;
mod sweep;
