//! `http.check` and `http.request` keep what every action promises.

use lifeboat_testkit::ActionSuite;
use serde_json::json;

lifeboat_testkit::action_suite!(|| {
    ActionSuite::new(lifeboat_http::register)
        .reaching("http.check", |at| {
            json!({
                "url": format!("http://{at}/health"), "headers": {"x-suite": "1"}, "timeout": "5m",
                "expect": {"status": 200},
            })
        })
        .reaching("http.check", |at| json!({"url": format!("https://{at}/"), "timeout": "5m"}))
        .reaching("http.request", |at| {
            json!({
                "method": "POST", "url": format!("http://{at}/hook"), "body": "x", "headers": {"x-suite": "1"},
                "timeout": "5m",
            })
        })
        .reaching("http.request", |at| {
            json!({"method": "GET", "url": format!("http://{at}/state?of=x"), "timeout": "5m"})
        })
        .reaching("http.request", |at| {
            json!({
                "method": "POST", "url": format!("http://{at}/search"), "json": {"of": "x"}, "looks": true,
                "timeout": "5m",
            })
        })
        .reaching("http.request", |at| {
            json!({"method": "GET", "url": format!("http://{at}/takeover"), "changes": true, "timeout": "5m"})
        })
        .contradicting("http.request", |at| {
            json!({"method": "GET", "url": format!("http://{at}/"), "looks": true, "changes": true})
        })
        .contradicting("http.request", |at| {
            json!({"method": "PUT", "url": format!("http://{at}/"), "body": "x", "json": 1})
        })
});
