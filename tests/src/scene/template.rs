//! The pair of data folders that every scene starts from, made once and copied ever after.
//!
//! Making a cluster and its standby costs seconds, copying them costs milliseconds. The template lies beside the tests'
//! own build, so `cargo clean` takes it along; its name holds whatever it was made from.

use std::collections::hash_map::DefaultHasher;
use std::fs::{self, DirBuilder, File};
use std::hash::{Hash as _, Hasher as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rustix::process::geteuid;

use super::guardian::Guardian;
use super::node::{ACCESS, COMMON_SETTINGS, Node, settings, slot};
use super::ports::Ports;
use super::sql;
use crate::programs;
use crate::wait::wait_until;

/// What the fresh service holds. Freezing leaves nothing for later readers to tidy up, which would write to the log.
/// Databases that nobody uses would be two thirds of what every scene copies.
const CONTENT: [&str; 6] = [
    "update pg_database set datistemplate = false where datname like 'template%'",
    "drop database template0",
    "drop database template1",
    "create table orders(n bigint primary key, at timestamptz not null default clock_timestamp())",
    "vacuum freeze",
    "checkpoint",
];

/// Copies the template's data folders `a` and `b` into `folder`, making the template first where there is none.
///
/// # Panics
/// When a server program is missing or fails.
pub(crate) fn copy_into(folder: &Path) {
    let template = ready();
    copy(&Node::ALL.map(|node| template.join(node.name())), folder);
}

/// The template's folder, made if need be, by one process only.
fn ready() -> PathBuf {
    let home = programs::profile_folder().join("scene-templates");
    fs::create_dir_all(&home).unwrap_or_else(|error| panic!("{}: {error}", home.display()));
    let template = home.join(key());
    if template.is_dir() {
        return template;
    }
    let lock = File::create(home.join("lock")).expect("the template's folder takes a lock");
    lock.lock().expect("the template's lock can be had");
    if !template.is_dir() {
        make(&template);
    }
    template
}

/// A name for what a template is made from.
fn key() -> String {
    let mut hasher = DefaultHasher::new();
    programs::run_tool("postgres", &["--version"]).hash(&mut hasher);
    (geteuid().as_raw(), COMMON_SETTINGS, ACCESS, CONTENT).hash(&mut hasher);
    // The recipe itself: what `make` does.
    include_str!("template.rs").hash(&mut hasher);
    format!("postgres-{:016x}", hasher.finish())
}

fn make(template: &Path) {
    let guardian = Guardian::start();
    let ports = Ports::reserve();
    let folder = guardian.folder();
    let [a, b] = Node::ALL.map(|node| folder.join(node.name()));
    for data in [&a, &b] {
        // PostgreSQL refuses a data folder that others can enter.
        DirBuilder::new().mode(0o700).create(data).expect("the scene's folder takes a folder");
        programs::give_to_server(data);
    }
    make_primary(&a, &ports);
    let primary = guardian.spawn("a", serve(&a));
    wait_until(
        "the template's primary answers",
        START,
        || guardian.log_tails(),
        || sql::column(ports.a, "select 1"),
    );
    for statement in CONTENT {
        sql::column(ports.a, statement).unwrap_or_else(|why| panic!("{statement}: {why}"));
    }
    make_standby(&b, &ports);
    // A clean end: the copies start without a recovery.
    primary.signal(rustix::process::Signal::INT).expect("one's own server can be stopped");
    wait_until("the template's primary stops", START, || guardian.log_tails(), || !primary.is_alive());
    let unfinished = template.with_extension("unfinished");
    drop(fs::remove_dir_all(&unfinished));
    fs::create_dir(&unfinished).expect("the template's folder takes a folder");
    copy(&[a, b], &unfinished);
    fs::rename(&unfinished, template).expect("the finished template can be named");
}

/// How long a server may take to start or stop.
const START: Duration = Duration::from_secs(30);

fn make_primary(data: &Path, ports: &Ports) {
    let folder = data.display().to_string();
    // Small segments: less to copy.
    let arguments =
        ["-D", &folder, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-k", "-N"];
    programs::run_tool("initdb", &[&arguments[..], &["--wal-segsize=1"]].concat());
    configure(data, Node::A, ports.a, ports.b);
    let include = "include 'scene.conf'\n";
    let file = data.join("postgresql.conf");
    let original = fs::read_to_string(&file).expect("initdb wrote the settings");
    fs::write(&file, original + include).expect("the settings can be written");
}

fn make_standby(data: &Path, ports: &Ports) {
    let (folder, port) = (data.display().to_string(), ports.a.to_string());
    let arguments =
        ["-h", "127.0.0.1", "-p", &port, "-U", "postgres", "-D", &folder, "-c", "fast", "-X", "stream"];
    programs::run_tool("pg_basebackup", &[&arguments[..], &["-N", "-C", "-S", &slot(Node::B)]].concat());
    fs::write(data.join("standby.signal"), "").expect("the standby's folder can be written");
    programs::give_to_server(data);
}

/// Writes a node's own settings into its data folder.
///
/// # Panics
/// When the folder cannot be written.
pub(crate) fn configure(data: &Path, node: Node, own_port: u16, other_port: u16) {
    let write = |name: &str, text: &str| {
        fs::write(data.join(name), text).unwrap_or_else(|error| panic!("{name} of {node}: {error}"));
    };
    write("scene.conf", &settings(node, own_port, other_port));
    write("pg_hba.conf", ACCESS);
    programs::give_to_server(data);
}

/// The words that start the server of a data folder.
pub(crate) fn serve(data: &Path) -> Vec<String> {
    let mut words = programs::as_server(&programs::server("postgres"));
    words.extend(["-D".to_owned(), data.display().to_string()]);
    words
}

/// Copies folders with owners and modes, sharing blocks where the file system can.
fn copy(from: &[PathBuf], to: &Path) {
    let status = Command::new("cp")
        .args(["-a", "--reflink=auto", "--"])
        .args(from)
        .arg(to)
        .status()
        .unwrap_or_else(|error| panic!("cp did not start: {error}"));
    assert!(status.success(), "data folders could not be copied to {}", to.display());
}
