//! Where a server listens.

use std::fmt;

use lifeboat_action::ParamProblem;

/// The port a server listens on unless it is told otherwise.
const DEFAULT_PORT: u16 = 5432;

/// A host name or IP address with a port. An IPv6 address is kept without its brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Address {
    /// Reads `db-a`, `db-a:5433`, `[2001:db8::1]:5433`, `[2001:db8::1]` or `2001:db8::1`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (host, port) = parts(text)?;
        Ok(Self { host: host.to_owned(), port: port.unwrap_or(DEFAULT_PORT) })
    }

    /// The address of the parameters `host` and `port`.
    pub(crate) fn of(text: &str, port: Option<u16>) -> Result<Self, ParamProblem> {
        let (host, own_port) = parts(text).map_err(|why| ParamProblem::new(why).about(["host"]))?;
        match (own_port, port) {
            (Some(own), Some(other)) if own != other => {
                let problem = ParamProblem::new(format!("`{text}` has port {own}, and `port` says {other}"));
                Err(problem.about(["host"]).about(["port"]))
            }
            (own, other) => Ok(Self { host: host.to_owned(), port: own.or(other).unwrap_or(DEFAULT_PORT) }),
        }
    }
}

/// The host and the port of a text, both usable.
fn parts(text: &str) -> Result<(&str, Option<u16>), String> {
    let (host, port) = split(text)?;
    if host.is_empty() || host.contains(|c: char| c.is_whitespace() || "/@,[]".contains(c)) {
        return Err(format!("`{text}` is not a host: write it as db-a, db-a:5433 or [2001:db8::1]:5433"));
    }
    Ok((host, port))
}

fn split(text: &str) -> Result<(&str, Option<u16>), String> {
    let (host, port) = if let Some(rest) = text.strip_prefix('[') {
        let (host, after) =
            rest.split_once(']').ok_or_else(|| format!("`{text}` lacks its closing bracket"))?;
        match after.strip_prefix(':') {
            Some(port) => (host, Some(port)),
            None if after.is_empty() => (host, None),
            None => return Err(format!("`{text}` has something other than a port after its bracket")),
        }
    } else {
        match text.split_once(':') {
            Some((_, rest)) if rest.contains(':') => (text, None),
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };
    let port = port.map(|port| match port.parse() {
        Ok(number) if number != 0 => Ok(number),
        _ => Err(format!("`{port}` in `{text}` is not a port")),
    });
    Ok((host, port.transpose()?))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, port: Option<u16>) -> Result<String, String> {
        Address::of(text, port).map(|address| address.to_string()).map_err(|problem| problem.message)
    }

    #[test]
    fn names_and_addresses_with_and_without_ports() {
        assert_eq!(read("db-a", None), Ok("db-a:5432".to_owned()));
        assert_eq!(read("db-a:5433", None), Ok("db-a:5433".to_owned()));
        assert_eq!(read("db-a", Some(6000)), Ok("db-a:6000".to_owned()));
        assert_eq!(read("db-a:6000", Some(6000)), Ok("db-a:6000".to_owned()));
        assert_eq!(read("[::1]:5433", None), Ok("[::1]:5433".to_owned()));
        assert_eq!(read("[::1]", Some(1)), Ok("[::1]:1".to_owned()));
        assert_eq!(read("2001:db8::1", None), Ok("[2001:db8::1]:5432".to_owned()));
    }

    #[test]
    fn what_is_not_an_address_is_refused() {
        for text in [
            "",
            ":5432",
            "db-a:",
            "db-a:0",
            "db-a:65536",
            "db-a:x",
            "[::1",
            "[::1]x",
            "/run/pg",
            "a,b",
            "a b",
        ] {
            assert!(read(text, None).is_err(), "{text}");
        }
        assert_eq!(
            read("db-a:5433", Some(5434)),
            Err("`db-a:5433` has port 5433, and `port` says 5434".to_owned())
        );
    }
}
