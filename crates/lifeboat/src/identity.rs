//! Who drives and who decides, as the journal records them.

use std::env;
use std::fs;

use lifeboat_model::record::Driver;

/// Who asks, and the process that does what is asked.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Who is recorded with every decision.
    pub actor: String,
    /// The process that is recorded as a run's driver.
    pub driver: Driver,
}

impl Identity {
    /// This process, asked by `actor`. `version`: that of the program, for people.
    pub fn of_this_process(actor: impl Into<String>, version: impl Into<String>) -> Self {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
        let driver = Driver {
            pid: std::process::id(),
            host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            boot: boot.map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()),
            version: version.into(),
        };
        Self { actor: actor.into(), driver }
    }
}

/// The name of the user who runs this process, or its number.
pub fn login_name() -> String {
    let named =
        ["LOGNAME", "USER"].iter().find_map(|name| env::var(name).ok().filter(|name| !name.is_empty()));
    named.unwrap_or_else(|| {
        let uid = rustix::process::getuid().as_raw();
        let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
        name_in(&users, uid).unwrap_or_else(|| format!("uid {uid}"))
    })
}

/// The name of a user in the text of `/etc/passwd`.
fn name_in(users: &str, uid: u32) -> Option<String> {
    let uid = uid.to_string();
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1) == Some(&uid)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn users_are_found_by_number() {
        let users = "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n";
        assert_eq!(super::name_in(users, 1000).as_deref(), Some("alice"));
        assert_eq!(super::name_in(users, 100), None);
    }
}
