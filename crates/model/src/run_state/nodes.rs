//! The nodes of a run. The plan is the template: its steps are the first nodes, with the same numbers. A loop that
//! expands adds one copy of what stands inside it for each item, as one contiguous range:
//!
//! ```text
//! plan         prepare  each  └ item  └ do  after      node = number of the step
//! each[a]                       5       6              node = start of the copy + distance from the item's step
//! each[b]                       7       8
//! ```

use std::collections::HashMap;
use std::sync::Arc;

use super::graph::{Graph, children};
use crate::ids::{NodeIndex, StepIndex};
use crate::node_path::{ItemKey, NodePath};
use crate::plan::{Plan, StepKind};
use crate::record::{Item, Items, RunCreated};

/// Where nodes stand. States are kept beside it, under the same numbers.
#[derive(Debug, Clone)]
pub(super) struct Nodes {
    created: Arc<RunCreated>,
    graph: Arc<Graph>,
    /// In the order in which they were made, so that their ranges ascend.
    expansions: Vec<Expansion>,
    by_loop: HashMap<NodeIndex, ExpansionIndex>,
    len: u32,
}

/// The place of an expansion among all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ExpansionIndex(u32);

impl ExpansionIndex {
    pub(super) fn get(self) -> usize {
        self.0 as usize
    }
}

/// The copies of a loop's inside, one for each item.
#[derive(Debug, Clone)]
struct Expansion {
    /// The loop that was expanded.
    owner: NodeIndex,
    /// The step that is copied, with all that stands inside it.
    body: StepIndex,
    /// The first node of the first copy.
    base: NodeIndex,
    /// How many nodes a copy has.
    width: u32,
    items: Items,
    by_key: HashMap<ItemKey, u32>,
}

/// A part of the run in which a failure stays: the run itself, or one item of a loop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Scope {
    Run,
    Item { of: ExpansionIndex, number: u32 },
}

impl Nodes {
    pub(super) fn new(created: Arc<RunCreated>, graph: Arc<Graph>) -> Self {
        let len = created.plan.steps().len() as u32;
        Self { created, graph, expansions: Vec::new(), by_loop: HashMap::new(), len }
    }

    pub(super) fn plan(&self) -> &Plan {
        &self.created.plan
    }

    pub(super) fn len(&self) -> usize {
        self.len as usize
    }

    /// Adds the copies of an expanded loop. The caller knows that the keys differ and that the loop is not expanded.
    pub(super) fn expand(&mut self, owner: NodeIndex, items: Items) -> ExpansionIndex {
        let body = StepIndex(self.template(owner).0 + 1);
        let width = self.graph.end(body).0 - body.0;
        let base = NodeIndex(self.len);
        let by_key = items.iter().map(|item| item.key.clone()).zip(0..).collect();
        self.len += width * items.len() as u32;
        let index = ExpansionIndex(self.expansions.len() as u32);
        self.expansions.push(Expansion { owner, body, base, width, items, by_key });
        self.by_loop.insert(owner, index);
        index
    }

    /// Why a loop cannot be expanded to these items.
    pub(super) fn refuse_items(&self, owner: NodeIndex, items: &Items) -> Option<String> {
        let mut keys: Vec<_> = items.iter().map(|item| &item.key).collect();
        keys.sort_unstable();
        let twice = keys.windows(2).find(|pair| pair[0] == pair[1]);
        let body = StepIndex(self.template(owner).0 + 1);
        let width = u64::from(self.graph.end(body).0 - body.0);
        if items.is_empty() {
            Some("a loop is expanded to one item at least".to_owned())
        } else if let Some(twice) = twice {
            Some(format!("two items have the key `{}`", twice[0]))
        } else if u64::from(self.len) + width * items.len() as u64 > u64::from(u32::MAX / 2) {
            Some("the loop has too many items".to_owned())
        } else {
            None
        }
    }

    pub(super) fn expansion_of(&self, owner: NodeIndex) -> Option<ExpansionIndex> {
        self.by_loop.get(&owner).copied()
    }

    pub(super) fn owner(&self, of: ExpansionIndex) -> NodeIndex {
        self.expansion(of).owner
    }

    pub(super) fn items(&self, of: ExpansionIndex) -> &Items {
        &self.expansion(of).items
    }

    /// The node that stands for an item as a whole.
    pub(super) fn item_root(&self, of: ExpansionIndex, number: u32) -> NodeIndex {
        let expansion = self.expansion(of);
        NodeIndex(expansion.base.0 + number * expansion.width)
    }

    /// The nodes of an item: itself and what stands inside, without the items of loops in it.
    pub(super) fn item_range(
        &self,
        of: ExpansionIndex,
        number: u32,
    ) -> impl Iterator<Item = NodeIndex> + use<> {
        let start = self.item_root(of, number).0;
        (start..start + self.expansion(of).width).map(NodeIndex)
    }

    /// The item that a scope is.
    pub(super) fn item(&self, scope: Scope) -> Option<&Item> {
        match scope {
            Scope::Run => None,
            Scope::Item { of, number } => self.expansion(of).items.get(number as usize),
        }
    }

    fn expansion(&self, of: ExpansionIndex) -> &Expansion {
        &self.expansions[of.get()]
    }

    /// The step that a node is made from.
    pub(super) fn template(&self, node: NodeIndex) -> StepIndex {
        match self.expansion_with(node) {
            None => StepIndex(node.0),
            Some(of) => {
                let Expansion { base, body, width, .. } = self.expansion(of);
                StepIndex(body.0 + (node.0 - base.0) % width)
            }
        }
    }

    /// The scope in which a node stands.
    pub(super) fn scope(&self, node: NodeIndex) -> Scope {
        match self.expansion_with(node) {
            None => Scope::Run,
            Some(of) => {
                let Expansion { base, width, .. } = self.expansion(of);
                Scope::Item { of, number: (node.0 - base.0) / width }
            }
        }
    }

    fn expansion_with(&self, node: NodeIndex) -> Option<ExpansionIndex> {
        let before = self.expansions.partition_point(|expansion| expansion.base <= node);
        before.checked_sub(1).map(|at| ExpansionIndex(at as u32))
    }

    /// The node made from `step` in a scope; the step stands directly in such a scope.
    pub(super) fn node_in(&self, scope: Scope, step: StepIndex) -> NodeIndex {
        match scope {
            Scope::Run => NodeIndex(step.0),
            Scope::Item { of, number } => {
                NodeIndex(self.item_root(of, number).0 + (step.0 - self.expansion(of).body.0))
            }
        }
    }

    /// What a node stands in: a block or a call; for an item, its loop.
    pub(super) fn parent(&self, node: NodeIndex) -> Option<NodeIndex> {
        let template = self.template(node);
        let parent = self.plan().step(template).parent?;
        Some(match self.scope(node) {
            Scope::Item { of, .. } if self.expansion(of).body == template => self.owner(of),
            scope => self.node_in(scope, parent),
        })
    }

    /// The nodes directly inside a block or call, and the items of an expanded loop, ascending.
    pub(super) fn children(&self, node: NodeIndex) -> Vec<NodeIndex> {
        let template = self.template(node);
        match self.expansion_of(node) {
            Some(of) => (0..self.items(of).len() as u32).map(|number| self.item_root(of, number)).collect(),
            None => {
                let at = |child: &StepIndex| NodeIndex(node.0 + (child.0 - template.0));
                children(self.plan(), template).iter().map(at).collect()
            }
        }
    }

    /// The nodes that need a node.
    pub(super) fn dependents(&self, node: NodeIndex) -> impl Iterator<Item = NodeIndex> + use<'_> {
        let template = self.template(node);
        let at = move |step: &StepIndex| NodeIndex(node.0.wrapping_add(step.0.wrapping_sub(template.0)));
        self.graph.dependents(template).iter().map(at)
    }

    /// The nodes that a node needs.
    pub(super) fn needs(&self, node: NodeIndex) -> Vec<NodeIndex> {
        let template = self.template(node);
        let at = |step: &StepIndex| NodeIndex(node.0.wrapping_add(step.0.wrapping_sub(template.0)));
        self.plan().step(template).needs.iter().map(at).collect()
    }

    /// Whether a node is only a template: it stands inside a loop and in no item of it.
    pub(super) fn is_template(&self, node: NodeIndex) -> bool {
        let copied = match self.scope(node) {
            Scope::Run => None,
            Scope::Item { of, .. } => Some(self.expansion(of).body),
        };
        self.graph.body(self.template(node)) != copied
    }

    /// All nodes that take part in the run, ascending.
    pub(super) fn all(&self) -> impl Iterator<Item = NodeIndex> + use<'_> {
        (0..self.len).map(NodeIndex).filter(|node| !self.is_template(*node))
    }

    /// All expanded loops.
    pub(super) fn loops(&self) -> impl Iterator<Item = NodeIndex> + use<'_> {
        self.expansions.iter().map(|expansion| expansion.owner)
    }

    /// All nodes that take part in the run, items behind their loops: the order in which people read them.
    pub(super) fn in_order(&self) -> Vec<NodeIndex> {
        let mut nodes = Vec::with_capacity(self.len());
        let plan = self.plan();
        let mut open: Vec<_> = plan
            .indices()
            .rev()
            .filter(|at| plan.step(*at).parent.is_none())
            .map(|at| NodeIndex(at.0))
            .collect();
        while let Some(node) = open.pop() {
            nodes.push(node);
            open.extend(self.children(node).into_iter().rev());
        }
        nodes
    }

    /// A node's path.
    pub(super) fn path(&self, node: NodeIndex) -> NodePath {
        let id = &self.plan().step(self.template(node)).id;
        match (self.parent(node), self.scope(node)) {
            (None, _) => NodePath::top(id),
            (Some(owner), Scope::Item { of, number }) if self.item_root(of, number) == node => {
                self.path(owner).item(&self.expansion(of).items[number as usize].key)
            }
            (Some(parent), _) => self.path(parent).child(id),
        }
    }

    /// The node at a path.
    pub(super) fn find(&self, path: &NodePath) -> Option<NodeIndex> {
        if let Some(top) = path.as_top() {
            return self.graph.find(None, top).map(|step| NodeIndex(step.0));
        }
        let mut around: Option<NodeIndex> = None;
        for segment in path.segments() {
            let template = around.map(|node| self.template(node));
            let step = self.graph.find(template, segment.id.as_str())?;
            let mut node = match around {
                None => NodeIndex(step.0),
                Some(around) => NodeIndex(around.0 + (step.0 - self.template(around).0)),
            };
            if let Some(key) = segment.key {
                let of = self.expansion_of(node)?;
                node = self.item_root(of, *self.expansion(of).by_key.get(&key)?);
            }
            around = Some(node);
        }
        around.filter(|node| !self.is_template(*node))
    }

    /// Whether a node is a loop.
    pub(super) fn is_loop(&self, node: NodeIndex) -> bool {
        matches!(self.plan().step(self.template(node)).kind, StepKind::Loop(_))
    }

    /// The node that an id means where `from` stands: of those in the same item or around it, the one with the most in
    /// common with it.
    pub(super) fn visible(&self, from: Option<NodeIndex>, id: &str) -> Option<NodeIndex> {
        let around = self.around(from.map(|node| self.template(node)));
        let common = |step: StepIndex| {
            let theirs = self.around(Some(step));
            around.iter().rev().zip(theirs.iter().rev()).take_while(|(ours, their)| ours == their).count()
        };
        let named = self.graph.named(id).iter().copied();
        let seen = named.filter_map(|step| Some((step, self.seen_from(from, step)?)));
        // Of several, the first.
        seen.rev().max_by_key(|(step, _)| common(*step)).map(|(_, node)| node)
    }

    /// A step, and the steps around it, from the inside out.
    fn around(&self, step: Option<StepIndex>) -> Vec<StepIndex> {
        std::iter::successors(step, |step| self.plan().step(*step).parent).collect()
    }

    /// The node made from `step` in the item in which `from` stands, or in one around it.
    fn seen_from(&self, from: Option<NodeIndex>, step: StepIndex) -> Option<NodeIndex> {
        let body = self.graph.body(step);
        let mut scope = from.map_or(Scope::Run, |node| self.scope(node));
        loop {
            match scope {
                Scope::Run if body.is_none() => return Some(NodeIndex(step.0)),
                Scope::Run => return None,
                Scope::Item { of, .. } if body == Some(self.expansion(of).body) => {
                    return Some(self.node_in(scope, step));
                }
                Scope::Item { of, .. } => scope = self.scope(self.owner(of)),
            }
        }
    }
}
