//! Loops and their items: how many go on, which may start, and what their failures come to.
//!
//! A failure stays in the item in which it happened: nothing new starts there, and when nothing goes on there any more,
//! the item is settled as failed. Failed items and items in doubt count against the loop's budget. While there are more
//! than it allows, no new item starts; a loop that ends so has failed, in the scope around it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::node_state::Block;
use super::nodes::{ExpansionIndex, Scope};
use super::task::Task;
use super::{Deviation, RunState};
use crate::ids::NodeIndex;
use crate::plan::{LoopStep, StepKind};

/// How much goes on in a scope.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Nodes, and loops, in which something goes on or is waited for.
    pub(super) live: u32,
    /// Nodes, and loops, that are in doubt.
    pub(super) doubtful: u32,
    /// Nodes, and loops, whose failure is not tolerated.
    pub(super) failed: u32,
}

/// An item of a loop.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct ItemState {
    pub(super) counts: Counts,
    settled: Settled,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Settled {
    #[default]
    No,
    Over,
    Failed,
}

/// An expanded loop.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct LoopState {
    pub(super) progress: LoopProgress,
    pub(super) items: Vec<ItemState>,
    /// Items that are over or failed.
    settled: u32,
    failed: u32,
    /// Items that count against the budget: failed, failing or in doubt.
    bad: u32,
    live: u32,
    doubtful: u32,
}

/// What does not follow from the items' states.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct LoopProgress {
    /// So many items, from the first on, may start or did.
    admitted: u32,
    /// The batch that is going on.
    pub(super) batch: u32,
    /// When the batch before the pause ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pause_since: Option<Timestamp>,
}

impl LoopProgress {
    /// How many items may start or did.
    pub(super) fn admitted(&self) -> u32 {
        self.admitted
    }
}

impl LoopState {
    pub(super) fn new(items: usize) -> Self {
        Self { items: vec![ItemState::default(); items], ..Self::default() }
    }

    /// The same, with all that follows from the items' states still to be counted.
    pub(super) fn uncounted(&self) -> Self {
        Self { progress: self.progress, ..Self::new(self.items.len()) }
    }

    pub(super) fn admitted(&self) -> u32 {
        self.progress.admitted
    }
}

impl RunState {
    pub(super) fn counts(&self, scope: Scope) -> &Counts {
        match scope {
            Scope::Run => &self.counts,
            Scope::Item { of, number } => &self.loops[of.get()].items[number as usize].counts,
        }
    }

    fn counts_mut(&mut self, scope: Scope) -> &mut Counts {
        match scope {
            Scope::Run => &mut self.counts,
            Scope::Item { of, number } => &mut self.loops[of.get()].items[number as usize].counts,
        }
    }

    /// Counts a node whose failure is not tolerated, or that is none any more.
    pub(super) fn count_failed(&mut self, scope: Scope, change: i32) {
        if change == 0 {
            return;
        }
        self.counting(scope, |counts| add(&mut counts.failed, change));
        if self.counts(scope).failed == u32::from(change > 0) {
            self.tasks.push(Task::Halt(scope));
        }
    }

    /// Counts a node that is in doubt, for all items in which it stands.
    pub(super) fn count_doubtful(&mut self, scope: Scope, change: i32) {
        if change == 0 || !self.counting(scope, |counts| add(&mut counts.doubtful, change)) {
            return;
        }
        if let Scope::Item { of, .. } = scope
            && add(&mut self.loops[of.get()].doubtful, change)
        {
            self.count_doubtful(self.nodes.scope(self.nodes.owner(of)), change);
        }
    }

    /// Counts a node in which something goes on, for all items in which it stands.
    pub(super) fn count_live(&mut self, scope: Scope, change: i32) {
        if change == 0 || !self.counting(scope, |counts| add(&mut counts.live, change)) {
            return;
        }
        if let Scope::Item { of, .. } = scope
            && add(&mut self.loops[of.get()].live, change)
        {
            self.count_live(self.nodes.scope(self.nodes.owner(of)), change);
        }
    }

    /// Changes a scope's counts; whether there are some now where there were none, or the reverse. The loop around is told
    /// whether the item is bad.
    fn counting(&mut self, scope: Scope, change: impl FnOnce(&mut Counts) -> bool) -> bool {
        let is_bad = |counts: &Counts| counts.failed > 0 || counts.doubtful > 0;
        let was_bad = is_bad(self.counts(scope));
        let turned = change(self.counts_mut(scope));
        if let Scope::Item { of, .. } = scope {
            let bad = i32::from(is_bad(self.counts(scope))) - i32::from(was_bad);
            add(&mut self.loops[of.get()].bad, bad);
            self.tasks.push(Task::Item(scope));
            self.loop_tasks.insert(of);
        }
        turned
    }

    /// Notes whether an item is over or failed.
    pub(super) fn review_item(&mut self, scope: Scope) {
        let Scope::Item { of, number } = scope else { return };
        let counts = *self.counts(scope);
        let settled = if self.is_over(self.nodes.item_root(of, number)) {
            Settled::Over
        } else if counts.failed > 0 && counts.live == 0 {
            Settled::Failed
        } else {
            Settled::No
        };
        let looping = &mut self.loops[of.get()];
        let before = std::mem::replace(&mut looping.items[number as usize].settled, settled);
        let change = |was: bool, is: bool| i32::from(is) - i32::from(was);
        add(&mut looping.settled, change(before != Settled::No, settled != Settled::No));
        add(&mut looping.failed, change(before == Settled::Failed, settled == Settled::Failed));
        if before != settled {
            self.loop_tasks.insert(of);
        }
    }

    /// Lets further items start, and notes whether the loop is over.
    pub(super) fn review_loop(&mut self, of: ExpansionIndex) {
        let owner = self.nodes.owner(of);
        if self.states[owner.get()].block == Block::Shut {
            return;
        }
        self.turn_batch(of);
        self.admit(of);
        let looping = &self.loops[of.get()];
        let (all, allowed) =
            (looping.items.len() as u32, self.loop_step(owner).max_failures.of(looping.items.len() as u32));
        let ends = looping.settled == all || (looping.settled == looping.admitted() && looping.live == 0);
        let block = match (ends, looping.failed > allowed) {
            (true, true) => Block::Failed,
            (true, false) if looping.settled == all => Block::Over,
            (true | false, _) => Block::Open,
        };
        self.end_loop(owner, block);
    }

    fn end_loop(&mut self, owner: NodeIndex, block: Block) {
        let before = std::mem::replace(&mut self.states[owner.get()].block, block);
        let failed = i32::from(block == Block::Failed) - i32::from(before == Block::Failed);
        self.count_failed(self.nodes.scope(owner), failed);
        self.relane(owner);
        if block == Block::Over && before != Block::Over {
            self.tolerated(owner);
            self.tasks.push(Task::Over(owner));
        }
    }

    /// Notes the failures that the loop's budget allowed, once.
    fn tolerated(&mut self, owner: NodeIndex) {
        let of = self.nodes.expansion_of(owner).expect("bug: only expanded loops end");
        let failed = self.loops[of.get()].failed;
        if failed > 0 && self.is_folding {
            self.deviations.push(Deviation {
                node: Some(self.path(owner)),
                what: format!(
                    "{failed} of {} items failed, and the run went on",
                    self.loops[of.get()].items.len()
                ),
                actor: None,
                reason: "the runbook allows it".to_owned(),
                at: self.now,
            });
        }
    }

    /// Goes on to the next batch when one is over, or begins the pause before it.
    fn turn_batch(&mut self, of: ExpansionIndex) {
        let owner = self.nodes.owner(of);
        let pacing = &self.loop_step(owner).pacing;
        let looping = &self.loops[of.get()];
        let all = looping.items.len() as u32;
        let mut progress = looping.progress;
        while progress.pause_since.is_none()
            && pacing.through(progress.batch, all) < all
            && looping.settled == pacing.through(progress.batch, all)
        {
            if pacing.pause.is_zero() {
                progress.batch += 1;
            } else {
                progress.pause_since = Some(self.now);
            }
        }
        self.set_progress(of, progress);
    }

    /// The pause behind a batch is over.
    pub(super) fn open_batch(&mut self, of: ExpansionIndex) {
        let LoopProgress { admitted, batch, .. } = self.loops[of.get()].progress;
        self.set_progress(of, LoopProgress { admitted, batch: batch + 1, pause_since: None });
        self.loop_tasks.insert(of);
    }

    fn set_progress(&mut self, of: ExpansionIndex, progress: LoopProgress) {
        if self.loops[of.get()].progress != progress {
            let owner = self.nodes.owner(of);
            self.loops[of.get()].progress = progress;
            self.touched.insert(owner);
            self.relane(owner);
        }
    }

    /// When the pause of a loop ends, if it makes one.
    pub(super) fn pause_ends(&self, owner: NodeIndex) -> Option<Timestamp> {
        let of = self.nodes.expansion_of(owner)?;
        let since = self.loops[of.get()].progress.pause_since?;
        Some(since.checked_add(self.loop_step(owner).pacing.pause).unwrap_or(Timestamp::MAX))
    }

    fn admit(&mut self, of: ExpansionIndex) {
        let owner = self.nodes.owner(of);
        let LoopStep { pacing, max_failures, .. } = self.loop_step(owner);
        let looping = &self.loops[of.get()];
        let all = looping.items.len() as u32;
        if looping.bad > max_failures.of(all) || looping.progress.pause_since.is_some() {
            return;
        }
        let room = pacing.max_parallel.saturating_sub(looping.admitted().saturating_sub(looping.settled));
        let first = looping.admitted();
        let last = first.saturating_add(room).min(pacing.through(looping.progress.batch, all));
        for number in first..last {
            self.loops[of.get()].progress.admitted += 1;
            self.touched.insert(owner);
            self.release(self.nodes.item_root(of, number));
        }
    }

    pub(super) fn loop_step(&self, owner: NodeIndex) -> &LoopStep {
        match &self.template(owner).kind {
            StepKind::Loop(step) => step,
            StepKind::Action(_) | StepKind::Block { .. } | StepKind::Call { .. } => {
                panic!("bug: only loops are expanded")
            }
        }
    }
}

/// Adds to a count; whether it is zero now and was not before, or the reverse.
fn add(count: &mut u32, change: i32) -> bool {
    let before = *count;
    *count = before.checked_add_signed(change).expect("bug: a count fell below zero");
    (before == 0) != (*count == 0)
}
