//! The processes of the demo's service: two regions and the front that customers talk to.
//!
//! Each binds a free loopback port, says which on its first line of output, and lives until its stdin closes, so that
//! none outlives the tour, however that ends.

mod audit;
mod front;
mod region;

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub(crate) use region::SHARDS;

use crate::http;

/// The hidden argument with which this program starts as a process of the service.
pub const SERVE: &str = "demo-region";

/// What the arguments of `demo-region` may be.
const USAGE: &str = "usage: demo-region east FOLDER STANDBY | west FOLDER | front FOLDER EAST WEST";

/// Runs as one process of the service, to be called first thing in `main` when the program was started with the hidden
/// argument [`SERVE`]; `args` are those after it.
pub fn serve(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args: Vec<_> = args.into_iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
    match start(&args).and_then(|()| io::stdin().read_to_end(&mut Vec::new())) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(io::stderr(), "lifeboat demo-region: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn start(args: &[String]) -> io::Result<()> {
    let usage = || io::Error::other(USAGE);
    let address = |text: &String| text.parse::<SocketAddr>().map_err(|_| usage());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let here = listener.local_addr()?;
    match args {
        [name, folder, standby] if name == "east" => {
            let east = region::Region::open("east", PathBuf::from(folder), Some(address(standby)?))?;
            http::serve(listener, move |request| east.answer(request));
        }
        [name, folder] if name == "west" => {
            let west = region::Region::open("west", PathBuf::from(folder), None)?;
            http::serve(listener, move |request| west.answer(request));
        }
        [name, folder, east, west] if name == "front" => {
            let front = front::Front::open(Path::new(folder), address(east)?, address(west)?)?;
            http::serve(listener, move |request| front.answer(request));
        }
        _ => return Err(usage()),
    }
    writeln!(io::stdout(), "{here}")
}
