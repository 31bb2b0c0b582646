//! Being root where the tests are not: in a namespace of users and mounts of its own.

use std::env;
use std::ffi::OsStr;
use std::process::{Command, Output};

use lifeboat_tests::programs::server;
use rustix::process::geteuid;

/// Does work that has to mount file systems, for the test of that name. Where this is not root, the test is run once more
/// by itself in a namespace where it is. Where there can be none, it fails: it must not look as if it had passed.
#[track_caller]
pub(crate) fn as_root(test: &str, work: impl FnOnce()) {
    if geteuid().is_root() {
        return work();
    }
    let folder = tempfile::tempdir().unwrap();
    let probe = in_namespace(["mount", "-t", "tmpfs", "tmpfs"], folder.path().as_os_str());
    assert!(
        probe.status.success(),
        "this test mounts file systems: it needs root, or a kernel that lets anybody have a namespace for it \
         (sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone, \
         kernel.apparmor_restrict_unprivileged_userns); here, `unshare` answers: {}",
        text(&probe.stderr)
    );
    let program = env::current_exe().unwrap();
    let Output { status, stdout, stderr } =
        in_namespace([program.to_str().unwrap(), "--nocapture", "--exact"], test.as_ref());
    let (stdout, stderr) = (text(&stdout), text(&stderr));
    // A name that no test has would succeed, too.
    assert!(
        status.success() && stdout.contains("1 passed"),
        "in the namespace: {status}\n{stdout}\n{stderr}"
    );
}

fn in_namespace<const N: usize>(words: [&str; N], last: &OsStr) -> Output {
    let mut unshare = Command::new(server("unshare"));
    unshare.args(["--user", "--map-root-user", "--mount", "--"]).args(words).arg(last);
    unshare.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
