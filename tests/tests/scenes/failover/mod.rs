//! The proof: `runbooks/postgres-failover.yaml` on real servers that really fail.
//!
//! What is claimed is asked of the servers and of the clients' ledger, never of Lifeboat's own word; what Lifeboat
//! wrote down is read by the tests' own auditor.

#![expect(clippy::print_stdout, reason = "what was measured is shown by `--nocapture`")]

mod crashes;
mod refusals;
mod rehearsals;
mod undisturbed;

use std::time::Duration;

use lifeboat_tests::cli::{Answer, Sandbox};
use lifeboat_tests::journal::Journal;
use lifeboat_tests::programs::shipped_runbooks;
use lifeboat_tests::scene::{Node, PostgresScene};
use serde_json::Value;

/// Far more than anything here takes.
const SOON: Duration = Duration::from_secs(30);

/// Rows the scene's writer tries a second.
const RATE: f64 = 50.0;

/// A scene, and a home for the runs that rescue it.
struct Failover {
    scene: PostgresScene,
    sandbox: Sandbox,
}

impl Failover {
    /// A healthy service.
    fn healthy() -> Self {
        Self { scene: PostgresScene::start(), sandbox: Sandbox::new() }
    }

    /// A service whose primary was killed while clients wrote.
    fn broken() -> Self {
        let failover = Self::healthy();
        failover.break_primary();
        failover
    }

    /// Kills the primary once clients have written something, and waits until they notice.
    fn break_primary(&self) {
        let scene = &self.scene;
        scene.wait_until("ten rows are acknowledged", SOON, || scene.ledger().acked().len() >= 10);
        scene.kill(Node::A);
        scene.wait_until("clients notice", SOON, || !scene.writes_work());
    }

    /// Waits until HAProxy has found out that the primary is dead.
    fn wait_until_noticed(&self) {
        let is_down = || self.proxied(Node::A).as_deref() == Some("DOWN");
        self.scene.wait_until("HAProxy notices", SOON, is_down);
    }

    /// The words of `run` or `drill`, with this scene as the inputs; later inputs win.
    fn words(&self, command: &str, inputs: &[(&str, &str)]) -> Vec<String> {
        let host = |port: u16| format!("127.0.0.1:{port}");
        let mut all = vec![
            ("primary", host(self.scene.port(Node::A))),
            ("standby", host(self.scene.port(Node::B))),
            ("front", host(self.scene.front_port())),
            ("haproxy", self.scene.haproxy().path().display().to_string()),
        ];
        all.retain(|(name, _)| !inputs.iter().any(|(other, _)| name == other));
        all.extend(inputs.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let runbook = shipped_runbooks().join("postgres-failover.yaml");
        let mut words = vec![command.to_owned(), runbook.display().to_string()];
        for (name, value) in all {
            words.extend(["-i".to_owned(), format!("{name}={value}")]);
        }
        words.push("--json".to_owned());
        if command == "run" {
            words.push("--yes".to_owned());
        }
        words
    }

    fn run(&self, inputs: &[(&str, &str)]) -> Answer {
        self.sandbox.lifeboat(self.words("run", inputs)).run()
    }

    fn resume(&self) -> Answer {
        self.sandbox.run("resume --json")
    }

    /// The newest run's records; none while no run has begun.
    fn journal(&self) -> Journal {
        Journal::of(&self.sandbox.run("journal").stdout)
    }

    /// What `status --json` prints of the newest run.
    fn status(&self) -> Value {
        self.sandbox.run("status --json").json_lines().remove(0)
    }

    /// Insists on the end that every failover must come to, however it got there.
    #[track_caller]
    fn assert_failed_over(&self) {
        let scene = &self.scene;
        let journal = self.journal();
        assert_eq!(journal.verdict(), Some("succeeded"));
        assert_eq!(journal.breaches(), [""; 0], "{journal:#?}");
        assert_eq!((scene.timeline(Node::B), scene.promotions(Node::B)), (2, 1), "one promotion");
        assert_eq!(self.proxied(Node::A).as_deref(), Some("MAINT"));
        assert_eq!(self.proxied(Node::B).as_deref(), Some("UP"));
        scene.wait_until("clients write again", SOON, || scene.writes_work());
        let (lost, may_be) = (scene.lost_rows(Node::B).len(), self.rows_behind());
        assert!(lost as f64 <= may_be, "{lost} acknowledged rows are lost; the lag allows for {may_be}");
        assert_code(&self.sandbox.run("journal --verify"), 0);
    }

    /// How many rows may be missing by the lag that the fencing step wrote down.
    fn rows_behind(&self) -> f64 {
        let journal = self.journal();
        let fence = journal.outcome("fence").expect("the run fenced the primary");
        let lag = fence["outputs"]["candidate_lag_seconds"].as_f64().expect("the lag was measured");
        (lag * RATE).ceil() + 1.0
    }

    /// HAProxy's state of a node, in one word.
    fn proxied(&self, node: Node) -> Option<String> {
        let state = self.scene.haproxy().server_state(node)?;
        state.split(' ').next().map(str::to_owned)
    }

    /// The state that `status --json` gives a step.
    fn state_of(&self, step: &str) -> String {
        let status = self.status();
        let steps = status["steps"].as_array().expect("steps are a list");
        let found = steps.iter().find(|other| other["id"] == step);
        found
            .and_then(|step| step["state"].as_str())
            .unwrap_or_else(|| panic!("{step} in {status}"))
            .to_owned()
    }

    /// Waits until clients have written 20 rows more, and returns the first of their numbers.
    fn more_rows(&self) -> u64 {
        let scene = &self.scene;
        let first = scene.ledger().last().map_or(1, |entry| entry.number + 1);
        let newer = || scene.ledger().acked().range(first..).count() >= 20;
        scene.wait_until("clients write on", SOON, newer);
        first
    }
}

/// Insists on an exit code.
#[track_caller]
fn assert_code(answer: &Answer, code: i32) {
    assert_eq!(answer.code, Some(code), "{answer}");
}
