//! Plans and records to test with, made without a runbook's text.

use std::collections::BTreeMap;

use jiff::Timestamp;
use lifeboat_engine::store::Draft;
use lifeboat_model::record::{Driver, Mode, RunCreated};
use lifeboat_model::{Plan, RecordBody, RunId, RunState};
use serde_json::{Map, Value, json};

/// A driver with that process id.
pub fn driver(pid: u32) -> Driver {
    Driver {
        pid,
        host: "test-host".to_owned(),
        boot: Some(format!("boot-{pid}")),
        version: "0.0.0-test".to_owned(),
    }
}

/// The run with that number; higher numbers are newer.
pub fn run(number: u32) -> RunId {
    RunId::new(&format!("run_{number:026}")).expect("26 digits")
}

/// A moment, so many seconds after a fixed one.
pub fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).expect("a time in range")
}

/// A record to come.
pub fn draft(second: i64, body: RecordBody) -> Draft {
    Draft { at: at(second), body }
}

/// A note: legal anywhere, changes nothing.
pub fn note(second: i64, text: &str) -> Draft {
    draft(second, RecordBody::Note { text: text.to_owned() })
}

/// The first record of a run of `plan`.
pub fn created(run: &RunId, plan: Plan) -> Draft {
    let created = RunCreated {
        run: run.clone(),
        mode: Mode::Live,
        plan,
        inputs: Map::new(),
        actor: "tester".to_owned(),
        driver: driver(1),
        folder: None,
        plugins: BTreeMap::new(),
    };
    draft(0, RecordBody::RunCreated(std::sync::Arc::new(created)))
}

/// A plan of so many steps `s0`, `s1`, …, each waiting for the one before.
pub fn sequence(steps: usize) -> Plan {
    let before = |at: usize| at.checked_sub(1);
    let steps: Vec<_> = (0..steps).map(|at| step(at, before(at).as_slice(), None)).collect();
    plan(&steps)
}

/// A plan with a step, a block of three, a step that waits for the block, and one in `finally`.
pub fn mixed() -> Plan {
    let mut block = step(1, &[0], None);
    block["kind"] = json!({ "block": { "children": [2, 3, 4] } });
    let mut last = step(6, &[], None);
    last["section"] = json!("finally");
    let inside = |at| step(at, &[], Some(1));
    plan(&[step(0, &[], None), block, inside(2), inside(3), inside(4), step(5, &[1], None), last])
}

/// A plan of seven steps `s0` to `s6`, a loop `s7` in two batches with a pause, and a call `s8` of one step.
pub fn nested() -> Plan {
    let mut steps: Vec<_> = (0..7).map(|at| step(at, at.checked_sub(1).as_slice(), None)).collect();
    let mut each = step(7, &[6], None);
    let pacing = json!({ "max_parallel": 1, "batches": [{ "items": 1 }], "pause": "PT1S" });
    each["kind"] = json!({ "loop": { "over": [], "pacing": pacing, "max_failures": { "items": 0 } } });
    let mut call = step(9, &[7], None);
    call["id"] = json!("s8");
    call["kind"] = json!({ "call": { "children": [10], "inputs": {} } });
    steps.extend([each, step(8, &[], Some(7)), call, step(10, &[], Some(9))]);
    plan(&steps)
}

/// Everything a state says, in a form that can be compared.
pub fn description(state: &RunState) -> String {
    let steps: Vec<_> = state.indices().map(|at| state.node_checkpoint(at)).collect();
    let next = format!("{:?}", state.next());
    format!("{} {:?}\n{:#?}\n{next}\n{steps:#?}", state.run(), state.mode(), state.run_checkpoint())
}

fn step(at: usize, needs: &[usize], parent: Option<usize>) -> Value {
    let call = json!({
        "action": "test.act", "with": {}, "effect": "write",
        "idempotent": true, "observable": true, "recoverable": false,
    });
    json!({
        "id": format!("s{at}"), "title": format!("Step {at}"), "line": at + 1, "section": "steps",
        "parent": parent, "needs": needs, "when": [],
        "kind": { "action": {
            "call": call, "check": null, "timeout": null,
            "retry": { "attempts": 3, "delay": "PT1S", "backoff": 1.0, "max_delay": null },
            "on_failure": "stop", "on_unknown": "ask",
        } },
    })
}

fn plan(steps: &[Value]) -> Plan {
    let plan = json!({
        "runbook": "sample", "title": null, "owner": null, "objectives": { "rto": null, "rpo": null },
        "locks": [], "inputs": [], "secrets": [], "steps": steps,
        "source": { "name": "sample.yaml", "text": "runbook: sample\n", "digest": "0".repeat(64) },
    });
    serde_json::from_value(plan).expect("the form of a plan in the journal")
}
