//! `lifeboat demo`

use lifeboat_demo::{Trouble, tour};

use crate::error::CliError;
use crate::exit::Exit;

/// Take a one-minute tour: a failover, killed half-way and resumed
///
/// Brings up a small service in two regions on this machine, kills one region, runs a runbook that moves the service
/// to the other, kills lifeboat itself in the middle of it, and resumes the run. Ends with the timeline and with proofs
/// that nothing was repeated; exits with 1 if one of them does not hold.
///
/// Needs nothing but this program and loopback. Touches none of your runs, and leaves nothing behind.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Keep the folder with the journal and the service's logs
    #[arg(long)]
    keep: bool,
}

pub(crate) fn run(args: &Args) -> Result<Exit, CliError> {
    match tour(args.keep) {
        Ok(true) => Ok(Exit::Done),
        Ok(false) => Err(CliError::new(Exit::Internal, "the tour did not end as it should: see the ✗ above")),
        Err(Trouble::Interrupted) => {
            Err(CliError::new(Exit::Stopped, "interrupted; everything that was started has been ended"))
        }
        Err(trouble @ Trouble::Failed(_)) => Err(CliError::new(Exit::Internal, trouble)),
    }
}
