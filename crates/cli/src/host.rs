//! What is known about this process, its machine and its user.

use std::env;
use std::fs;

use lifeboat_model::record::Driver;

/// This process as the driver of a run.
pub(crate) fn driver() -> Driver {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok();
    Driver {
        pid: std::process::id(),
        host: rustix::system::uname().nodename().to_string_lossy().into_owned(),
        boot: boot.map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    }
}

/// The name of the user who runs this process, or its number.
pub(crate) fn login_name() -> String {
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
