//! `wait.for` and `wait.until` keep what every action promises.

use lifeboat_testkit::ActionSuite;
use serde_json::json;

lifeboat_testkit::action_suite!(|| {
    ActionSuite::new(lifeboat_wait::register)
        .lasting("wait.for", json!({"duration": "1h"}))
        .lasting("wait.until", json!({"time": "2999-12-31T23:59:59Z"}))
});
