//! Lifeboat as a library: what every front door needs, be it a command line, a socket, a web page or a test.
//!
//! ```text
//!  Source ── check ──▶ Plan ── preflight ──▶ Prepared ── start ──▶ Driving ── wait ──▶ how it went
//!                                                                     ▲
//!  run id ── take_over ──▶ TakenOver ── decide, drift, secrets ── drive ┘
//!       └─── view ──▶ RunView ── next_commands ──▶ what an operator can do now
//! ```
//!
//! Nothing here knows a terminal, and nothing changes the process: no working folder, no limits, no handler of panics or
//! signals, no exit. Two runs in one process have their own folders and secrets. Errors say what is wrong and are cut by
//! what a caller may do about it; how that is typed, or which exit code it is, the front door says.

#![warn(missing_docs)]

mod control;
mod drift;
mod drive;
mod identity;
mod inputs;
mod lifeboat;
mod next_commands;
mod output_tails;
mod output_type;
mod preflight;
mod registry;
mod regular_file;
mod required_outputs;
mod resume;
mod runbook;
mod secrets;
mod select_run;
mod take_over;
mod view;
mod working_dir;

pub use control::Control;
pub use drift::{Drift, Edited};
pub use drive::{DriveOptions, Driving};
pub use identity::{Identity, login_name};
pub use inputs::{GivenTwice, Inputs};
pub use lifeboat::Lifeboat;
pub use lifeboat_command::{SupervisorProgram, Tail, supervise};
pub use lifeboat_store::FileStore;
pub use next_commands::{Before, NextCommand, next_commands};
pub use output_tails::OutputTails;
pub use output_type::OutputType;
pub use preflight::{NotReady, Prepared, RefusedInput};
pub use registry::registry;
pub use required_outputs::{
    NoOutput, RequiredOutput, RequiredOutputs, missing_outputs, read_output, required_outputs, uses,
};
pub use resume::{NotResumed, Resume};
pub use runbook::{pinned_path, read};
pub use secrets::{MissingSecrets, Secrets};
pub use select_run::{NotSelected, Selected, Wanted, select_run, select_run_and_step};
pub use take_over::{CommandError, NotDecided, TakenOver, may_go_on};
pub use view::RunView;
pub use working_dir::FolderGone;
