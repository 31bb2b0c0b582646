//! The other ways clients get to a database: a load balancer's front, a second address, a name.

use std::fmt;

use lifeboat_action::{ActionContext, ParamProblem};

use crate::address::Address;
use crate::connection::Target;
use crate::look::Server;
use crate::reach::Unreached;

/// Where a path leads.
#[derive(Debug)]
pub(crate) enum Path {
    /// Nowhere: no server answers at its end.
    Nowhere(Address, Unreached),
    /// To a standby: nobody can write through it.
    Standby(Address),
    /// To a server that is not in recovery: the old primary, or something that takes its place.
    Primary(Box<Server>),
    /// Not known.
    Unclear(Address, Unreached),
}

impl Path {
    /// Goes down the path once, with the login of `target`.
    pub(crate) async fn follow(context: &ActionContext, target: &Target, address: Address) -> Self {
        match Server::look_at(context, &target.at(address.clone())).await {
            Ok(server) if server.as_standby().is_some() => Self::Standby(address),
            Ok(server) => Self::Primary(Box::new(server)),
            Err(reach) if reach.looks_down() => Self::Nowhere(address, reach),
            Err(reach) => Self::Unclear(address, reach),
        }
    }

    /// The server at its end, if that is a primary.
    pub(crate) fn primary(&self) -> Option<&Server> {
        match self {
            Self::Primary(server) => Some(server),
            Self::Nowhere(..) | Self::Standby(_) | Self::Unclear(..) => None,
        }
    }

    /// Whether no client can write through it.
    pub(crate) fn is_closed(&self) -> bool {
        matches!(self, Self::Nowhere(..) | Self::Standby(_))
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nowhere(address, reach) | Self::Unclear(address, reach) => {
                write!(f, "path {address} {reach}")
            }
            Self::Standby(address) => write!(f, "path {address} leads to a standby"),
            Self::Primary(server) => write!(f, "path {} leads to a {server}", server.address),
        }
    }
}

/// Reads the addresses of paths, which are the value of that parameter.
pub(crate) fn addresses(parameter: &str, paths: &[String]) -> Result<Vec<Address>, ParamProblem> {
    let address = |(at, path): (usize, &String)| {
        let problem = |why| ParamProblem::new(why).about([parameter.to_owned(), at.to_string()]);
        Address::parse(path).map_err(problem)
    };
    paths.iter().enumerate().map(address).collect()
}
