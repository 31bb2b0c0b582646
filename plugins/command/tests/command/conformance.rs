//! `command.run` keeps what every action promises.

use lifeboat_command::{SupervisorProgram, register};
use lifeboat_testkit::ActionSuite;
use serde_json::json;

use crate::support::HELPER;

lifeboat_testkit::action_suite!(|| {
    let supervisor = SupervisorProgram { program: HELPER.into(), args: vec!["supervise".to_owned()] };
    ActionSuite::new(|registry| register(registry, supervisor))
        .lasting("command.run", json!({"argv": ["sleep", "3600"], "env": {"A": "b"}, "kill_after": "5s"}))
        .lasting("command.run", json!({"script": "sleep 3600; true", "read_only": true}))
        .contradicting("command.run", |_| json!({"argv": ["true"], "script": "true"}))
        .contradicting("command.run", |_| json!({"argv": ["true"], "env": {"LIFEBOAT_STEP": "another"}}))
});
