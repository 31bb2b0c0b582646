//! Finding the programs that tests start: the servers of the system, and what this workspace built.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::geteuid;

/// The account that servers run as when the tests run as root: PostgreSQL refuses root. Debian's package makes it.
const SERVER_ACCOUNT: &str = "postgres";

/// The path of a server program: from `PATH`, from where Debian puts PostgreSQL's, or from the system folders.
///
/// # Panics
/// When it is not installed, with the Debian package to install. A test whose server is missing never passes.
pub fn server(name: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders =
        env::split_paths(&path).chain(postgres_folders()).chain(["/usr/sbin".into(), "/sbin".into()]);
    let found = folders.map(|folder| folder.join(name)).find(|program| program.is_file());
    found.unwrap_or_else(|| {
        panic!(
            "`{name}` is not installed, and this test needs it: run tests/install, or install the Debian package `{}`",
            package_of(name)
        )
    })
}

/// A program that this workspace built, such as `lifeboat`: it lies in the folder of the profile that the running
/// test was built with.
///
/// # Panics
/// When it has not been built.
pub fn built(name: &str) -> PathBuf {
    let program = profile_folder().join(name);
    assert!(
        program.is_file(),
        "{} is missing: `cargo build --workspace --bins` builds it (tests/run does)",
        program.display()
    );
    program
}

/// The folder of the profile that the running test was built with, such as `target/debug`.
///
/// # Panics
/// When the running test cannot tell its own path.
pub fn profile_folder() -> PathBuf {
    let test = env::current_exe().expect("a running test has a path");
    let folder = test.parent().expect("a program lies in a folder");
    // Test binaries lie one folder deeper than programs.
    if folder.file_name() == Some(OsStr::new("deps")) {
        folder.parent().expect("`deps` lies in the profile's folder").to_path_buf()
    } else {
        folder.to_path_buf()
    }
}

/// The folder of the runbooks that are shipped.
pub fn shipped_runbooks() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../runbooks")
}

/// The words that start `program` as a server: as oneself, or from root as PostgreSQL's account. It is killed with
/// the process that started it.
pub fn as_server(program: &Path) -> Vec<String> {
    let mut words = vec!["setpriv".to_owned(), "--pdeathsig=KILL".to_owned()];
    if geteuid().is_root() {
        words.extend([
            format!("--reuid={SERVER_ACCOUNT}"),
            format!("--regid={SERVER_ACCOUNT}"),
            "--init-groups".to_owned(),
        ]);
    }
    words.extend(["--".to_owned(), program.display().to_string()]);
    words
}

/// Runs a server's tool to its end, as the servers run, and returns what it wrote to its standard output.
///
/// # Panics
/// When it cannot be started or fails, with what it said.
pub fn run_tool(name: &str, arguments: &[&str]) -> String {
    let words = as_server(&server(name));
    let output = Command::new(&words[0])
        .args(&words[1..])
        .args(arguments)
        // Not every folder that tests are started from is open to PostgreSQL's account.
        .current_dir("/")
        .env("LC_ALL", "C.UTF-8")
        .output()
        .unwrap_or_else(|error| panic!("{name} did not start: {error}"));
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{name} {}: {}\n{stdout}{stderr}", arguments.join(" "), output.status);
    stdout.into_owned()
}

/// Gives `path` to the account that servers run as; nothing to do where that is oneself.
///
/// # Panics
/// When the account is missing or the owner cannot be changed.
pub fn give_to_server(path: &Path) {
    if !geteuid().is_root() {
        return;
    }
    let status = Command::new("chown")
        .args(["-R", &format!("{SERVER_ACCOUNT}:")])
        .arg(path)
        .status()
        .unwrap_or_else(|error| panic!("chown did not start: {error}"));
    assert!(
        status.success(),
        "{} could not be given to the account `{SERVER_ACCOUNT}`, which the Debian package `postgresql` makes",
        path.display()
    );
}

/// `/usr/lib/postgresql/VERSION/bin`, newest version first.
fn postgres_folders() -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir("/usr/lib/postgresql") else { return Vec::new() };
    let mut versions: Vec<u32> =
        entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    versions.sort_unstable_by(|a, b| b.cmp(a));
    versions.iter().map(|version| format!("/usr/lib/postgresql/{version}/bin").into()).collect()
}

fn package_of(program: &str) -> &'static str {
    match program {
        "haproxy" => "haproxy",
        "strace" => "strace",
        "setpriv" | "unshare" => "util-linux",
        _ => "postgresql",
    }
}
