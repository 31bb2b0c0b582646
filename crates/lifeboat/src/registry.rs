//! The actions of the plug-ins that are linked in.

use lifeboat_action::Registry;
use lifeboat_command::SupervisorProgram;

/// All actions. Nothing is opened or started for it. `supervisor` is started when the first command is about to run.
pub fn registry(supervisor: SupervisorProgram) -> Registry {
    let mut registry = Registry::new();
    lifeboat_command::register(&mut registry, supervisor);
    lifeboat_haproxy::register(&mut registry);
    lifeboat_http::register(&mut registry);
    lifeboat_postgres::register(&mut registry);
    lifeboat_wait::register(&mut registry);
    registry
}
