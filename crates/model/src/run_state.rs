//! The state of a run: what follows from its records.
//!
//! [`RunState::apply`] folds one record in, and refuses it when it is not legal in the present state
//! ([`RunState::allows`]); [`RunState::next`] says what may happen now. A driver, a resume and a reader all go through the
//! same `apply`.
//!
//! ```text
//!   nodes      where each node stands: the plan's steps, and the items of expanded loops
//!   states     what is kept of each node
//!   lanes      the nodes by what may happen to them next     ┐ follow from the states;
//!   counts     what goes on, is in doubt or failed, by scope ┘ `derive` works them out anew
//! ```
//!
//! The work per record does not grow with the plan: each node counts what it still waits for, and the nodes that may
//! start are kept in a lane. Nor does the work per question of a driver: a node it took is not offered again until its
//! state changes.

mod allows;
mod checkpoint;
mod fold;
mod graph;
mod lane;
mod lanes;
mod loops;
mod next;
mod node_state;
mod nodes;
mod propagate;
mod status;
mod task;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, Value};

pub use allows::{IllegalRecord, Refused};
pub use checkpoint::{NodeCheckpoint, RunCheckpoint};
pub use next::{Next, Outlook};
pub use node_state::{Accepted, DoneBy, NodeState, StepState};
pub use status::Status;

use self::graph::Graph;
use self::lanes::Lanes;
use self::loops::{Counts, LoopState};
use self::nodes::Nodes;
use self::task::Task;
use crate::attempt_key::AttemptKey;
use crate::ids::{Digest, Effort, Epoch, NodeIndex, RunId, Seq, StepIndex};
use crate::node_path::NodePath;
use crate::outcome::{Footprint, Outputs};
use crate::plan::{OnFailure, Plan, PlanStep, Section};
use crate::record::{Driver, Item, Mode, RunCreated, StopReason, Verdict};
use crate::undriven::Undriven;

/// What is known about a run after some of its records.
#[derive(Debug, Clone)]
pub struct RunState {
    created: Arc<RunCreated>,
    created_at: Timestamp,
    graph: Arc<Graph>,
    seq: Seq,
    epoch: Epoch,
    /// When the newest record was decided; while a record is folded in, when that one was.
    now: Timestamp,
    driver: Driver,
    boot: Option<Arc<str>>,
    phase: Phase,
    course: Course,
    deviations: Vec<Deviation>,
    /// The digests of edited runbooks in spite of which a person went on with the pinned one.
    kept_edits: BTreeSet<String>,
    /// The run was reopened while it was ending: `finally` is set back, as soon as no attempt of it is open.
    ending_again: bool,
    undriven: Option<Undriven>,
    nodes: Nodes,
    states: Vec<NodeState>,
    loops: Vec<LoopState>,
    /// By [`Section`].
    lanes: [Lanes; 2],
    counts: Counts,
    left: Left,
    /// How many steps that call an action have each status.
    tally: [u32; Status::COUNT],
    /// How many of them have an effect of this run out there.
    in_effect: u32,
    /// A record is being folded in: what follows from it is new.
    is_folding: bool,
    /// What is still to be followed up; empty between records.
    tasks: Vec<Task>,
    loop_tasks: BTreeSet<nodes::ExpansionIndex>,
    /// Nodes whose state changed since a checkpoint asked.
    touched: BTreeSet<NodeIndex>,
    /// How many expanded loops a checkpoint asked for.
    loops_taken: usize,
}

/// How many nodes that stand in no other are not over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Left {
    steps: u32,
    finally: u32,
}

/// Where a run is heading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Course {
    /// To the end of its steps.
    Forward,
    /// A person said that it ends here.
    Cancelled,
    /// A person or a guard said that it is undone.
    RollingBack,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// A driver is, or was, at work.
    Running,
    /// Its driver let go of it.
    Stopped(StopReason),
    /// It ended.
    Finished(Verdict),
}

/// Something a person overrode, or a failure that the runbook tolerates.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Deviation {
    /// The node; none for the whole run.
    #[serde(rename = "step", default, skip_serializing_if = "Option::is_none")]
    pub node: Option<NodePath>,
    /// What was done instead, in words.
    pub what: String,
    /// Who; none when it was the runbook's own rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

/// The run as a whole.
impl RunState {
    /// The run.
    pub fn run(&self) -> &RunId {
        &self.created.run
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.created.plan
    }

    /// How the run treats the world.
    pub fn mode(&self) -> Mode {
        self.created.mode
    }

    /// The inputs, bound and typed.
    pub fn inputs(&self) -> &Map<String, Value> {
        &self.created.inputs
    }

    /// The run's first record.
    pub fn created(&self) -> &RunCreated {
        &self.created
    }

    /// When the run was created.
    pub fn created_at(&self) -> Timestamp {
        self.created_at
    }

    /// When the newest record was decided.
    pub fn updated_at(&self) -> Timestamp {
        self.now
    }

    /// The number of the newest record.
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// The epoch of the newest driver.
    pub fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The newest driver.
    pub fn driver(&self) -> &Driver {
        &self.driver
    }

    /// How far the run is.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Where the run is heading.
    pub fn course(&self) -> Course {
        self.course
    }

    /// What was overridden or tolerated so far.
    pub fn deviations(&self) -> &[Deviation] {
        &self.deviations
    }

    /// Whether a person has said that the run goes on as it was pinned although its runbook has this digest now.
    pub fn keeps_pinned(&self, edited: &Digest) -> bool {
        self.kept_edits.contains(edited.as_str())
    }

    /// The first thing in the run, if any, that this version of lifeboat cannot drive: it can be read and nothing more.
    pub fn undriven(&self) -> Option<Undriven> {
        self.undriven
    }
}

/// Where nodes stand.
impl RunState {
    /// All nodes that take part in the run, in the order of the runbook: blocks and loops before what stands inside them.
    pub fn nodes(&self) -> Vec<NodeIndex> {
        self.nodes.in_order()
    }

    /// All nodes that take part in the run, in the order in which they were made.
    pub fn indices(&self) -> impl Iterator<Item = NodeIndex> + use<'_> {
        self.nodes.all()
    }

    /// The step that a node is made from.
    pub fn template(&self, at: NodeIndex) -> &PlanStep {
        self.plan().step(self.nodes.template(at))
    }

    /// The place in the plan of the step that a node is made from.
    pub fn template_index(&self, at: NodeIndex) -> StepIndex {
        self.nodes.template(at)
    }

    /// The part of the runbook that a node stands in.
    pub fn section(&self, at: NodeIndex) -> Section {
        self.graph.section(self.nodes.template(at))
    }

    /// A node's path.
    pub fn path(&self, at: NodeIndex) -> NodePath {
        self.nodes.path(at)
    }

    /// The node at a path.
    pub fn find(&self, path: &NodePath) -> Option<NodeIndex> {
        self.nodes.find(path)
    }

    /// The node that an operator means: its path, or the id of a step that stands only once.
    ///
    /// # Errors
    /// When there is no such node, or several have the id.
    pub fn meant(&self, path: &NodePath) -> Result<NodeIndex, String> {
        if let Some(at) = self.find(path) {
            return Ok(at);
        }
        let named: Vec<_> =
            self.indices().filter(|at| self.template(*at).id.as_str() == path.as_str()).collect();
        match named.as_slice() {
            [] => Err(format!("the plan has no step `{path}`")),
            [one] => Ok(*one),
            several => {
                let paths: Vec<_> =
                    several.iter().take(5).map(|at| format!("`{}`", self.path(*at))).collect();
                let more = if several.len() > paths.len() { ", …" } else { "" };
                Err(format!("several steps are named `{path}`: {}{more}", paths.join(", ")))
            }
        }
    }

    /// What a node stands in: a block, a call, or for an item its loop.
    pub fn parent(&self, at: NodeIndex) -> Option<NodeIndex> {
        self.nodes.parent(at)
    }

    /// The nodes directly inside a block or call, and the items of an expanded loop, ascending.
    pub fn children(&self, at: NodeIndex) -> Vec<NodeIndex> {
        self.nodes.children(at)
    }

    /// The nodes that must be over before a node, besides what it stands in.
    pub fn needs(&self, at: NodeIndex) -> Vec<NodeIndex> {
        self.nodes.needs(at)
    }

    /// The item of a loop, if the node is or stands in one: the innermost.
    pub fn item(&self, at: NodeIndex) -> Option<&Item> {
        self.nodes.item(self.nodes.scope(at))
    }

    /// The node that the id means where `from` stands: the nearest one outward. Blocks hide nothing; what stands inside a
    /// loop is seen by the same item alone.
    pub fn visible(&self, from: Option<NodeIndex>, id: &str) -> Option<NodeIndex> {
        self.nodes.visible(from, id)
    }
}

/// How far nodes are.
impl RunState {
    /// The state of a node. A block's follows from its children.
    pub fn step(&self, at: NodeIndex) -> StepState<'_> {
        self.state(at).seen()
    }

    /// The word for a node's state; for a block that is over, that of its worst child.
    pub fn status(&self, at: NodeIndex) -> Status {
        match self.step(at) {
            StepState::Over => {
                let children = self.children(at).into_iter().map(|child| self.status(child));
                children
                    .max_by_key(|status| status.weight())
                    .filter(|worst| worst.weight() > 0)
                    .unwrap_or(Status::Succeeded)
            }
            StepState::Pending if self.phase == Phase::Finished(Verdict::Cancelled) => Status::Cancelled,
            state => state.status(),
        }
    }

    /// What is out there of a node because of this run.
    pub fn footprint(&self, at: NodeIndex) -> Footprint {
        self.state(at).footprint
    }

    /// What a node's action wanted remembered for undoing it, oldest first.
    pub fn notes(&self, at: NodeIndex) -> &[Value] {
        &self.state(at).notes
    }

    /// The idempotency key of an effort of a node.
    pub fn key(&self, at: NodeIndex, effort: Effort) -> AttemptKey {
        AttemptKey::of(self.run(), &self.path(at), self.state(at).pass, effort)
    }

    /// The name of the folder in which a node's attempts keep their files, the same on every machine.
    pub fn folder_name(&self, at: NodeIndex) -> String {
        self.path(at).file_name().unwrap_or_else(|| format!("node-{}", at.0))
    }

    /// The next batch of a loop that makes a pause.
    pub fn next_batch(&self, at: NodeIndex) -> Option<u32> {
        let of = self.nodes.expansion_of(at)?;
        self.pause_ends(at).map(|_| self.loops[of.get()].progress.batch + 1)
    }

    /// The change of a node's open attempt that was accepted and is not known to be in effect.
    pub fn accepted(&self, at: NodeIndex) -> Option<&Accepted> {
        self.state(at).work.as_ref()?.accepted.as_ref()
    }

    /// How many attempts of a node count against its `retry` since it was last begun afresh.
    pub fn failures(&self, at: NodeIndex) -> u32 {
        self.state(at).failures
    }

    /// How many attempts of a node in a row, up to the newest, were proven never to have begun.
    pub fn unstarted(&self, at: NodeIndex) -> u32 {
        self.state(at).unstarted
    }

    /// How many attempts of a node were started.
    pub fn attempts(&self, at: NodeIndex) -> u32 {
        self.state(at).attempts
    }

    /// The boot id of the machine on which a node's newest attempt began, where it is known.
    pub fn attempt_boot(&self, at: NodeIndex) -> Option<&str> {
        self.state(at).boot.as_deref()
    }

    /// When the newest attempt of a node was started; one that goes on where an attempt in doubt broke off, when that
    /// one was.
    pub fn started_at(&self, at: NodeIndex) -> Option<Timestamp> {
        self.state(at).started_at
    }

    /// When a node ended.
    pub fn ended_at(&self, at: NodeIndex) -> Option<Timestamp> {
        self.state(at).ended_at
    }

    /// The outputs of a node that is done; they stay while it is undone and after that.
    pub fn outputs(&self, at: NodeIndex) -> Option<&Outputs> {
        self.state(at).result.as_ref()?.outputs()
    }

    /// Whether the run goes on when this node fails.
    fn tolerates_failure(&self, at: NodeIndex) -> bool {
        let template = self.nodes.template(at);
        self.mode() == Mode::DryRun
            || self.graph.is_finally(template)
            || self
                .plan()
                .step(template)
                .action()
                .is_some_and(|action| action.on_failure == OnFailure::Continue)
    }

    fn state(&self, at: NodeIndex) -> &NodeState {
        self.states.get(at.get()).expect("bug: the node is of another run")
    }
}
