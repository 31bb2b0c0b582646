//! The plug-ins that are linked in.

use lifeboat_action::Registry;
use lifeboat_command::SupervisorProgram;

use crate::open_files;

/// The hidden first argument that makes this program a supervisor of commands.
pub(crate) const SUPERVISE: &str = "supervise";

/// All actions. Nothing is opened or started for it, but as many files may be open from here on as the system allows.
pub(crate) fn registry() -> Registry {
    let mut registry = Registry::new();
    let files = open_files::raise().map(|files| files.to_string());
    let args = [SUPERVISE.to_owned()].into_iter().chain(files).collect();
    // The program as it was started, even if a newer one was installed meanwhile.
    let supervisor = SupervisorProgram { program: "/proc/self/exe".into(), args };
    lifeboat_command::register(&mut registry, supervisor);
    lifeboat_haproxy::register(&mut registry);
    lifeboat_http::register(&mut registry);
    lifeboat_postgres::register(&mut registry);
    lifeboat_wait::register(&mut registry);
    registry
}
