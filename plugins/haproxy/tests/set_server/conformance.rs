//! `haproxy.set_server` keeps what every action promises.

use lifeboat_testkit::ActionSuite;
use serde_json::json;

lifeboat_testkit::action_suite!(|| {
    ActionSuite::new(lifeboat_haproxy::register)
        .reaching(
            "haproxy.set_server",
            |at| json!({"socket": at, "backend": "orders", "server": "db-a", "state": "maint"}),
        )
        .contradicting(
            "haproxy.set_server",
            |at| json!({"socket": at, "backend": "orders", "server": "db-a", "state": "maint", "health": "up"}),
        )
});
