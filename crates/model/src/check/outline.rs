//! The steps and blocks of a document in one row, as they will lie in the plan: a block before what it holds, the
//! `finally` steps last.

use std::collections::HashMap;

use crate::document::{Block, Document, Item, Step, shortened};
use crate::ids::{StepId, StepIndex};
use crate::plan::Section;
use crate::problem::{Problem, Problems};
use crate::source::{Span, Spanned};

/// All steps and blocks.
pub(super) struct Outline<'d> {
    rows: Vec<Row<'d>>,
    by_id: HashMap<&'d str, StepIndex>,
    /// Every step has an id, so that a name that is not known is a mistake of its own.
    pub(super) is_complete: bool,
}

/// A step or block in its place.
pub(super) struct Row<'d> {
    pub(super) written: Written<'d>,
    pub(super) section: Section,
    /// The block around it.
    pub(super) parent: Option<StepIndex>,
    /// What stands above it in its section; nothing inside a block, where the order means nothing.
    pub(super) above: Option<StepIndex>,
    /// The steps and blocks directly inside.
    pub(super) children: Vec<StepIndex>,
}

#[derive(Clone, Copy)]
pub(super) enum Written<'d> {
    Step(&'d Step),
    Block(&'d Block),
}

impl<'d> Outline<'d> {
    /// Lays all steps out; ids that are missing, invalid or taken are problems.
    pub(super) fn new(document: &'d Document, problems: &mut Problems) -> Self {
        let mut outline = Self { rows: Vec::new(), by_id: HashMap::new(), is_complete: true };
        for (section, items) in [(Section::Steps, &document.steps), (Section::Finally, &document.finally)] {
            let mut above = None;
            for item in items {
                above = Some(outline.add(item, section, None, above, problems));
            }
        }
        outline
    }

    fn add(
        &mut self,
        item: &'d Item,
        section: Section,
        parent: Option<StepIndex>,
        above: Option<StepIndex>,
        problems: &mut Problems,
    ) -> StepIndex {
        let index =
            StepIndex(u32::try_from(self.rows.len()).expect("bug: a document is limited to fewer steps"));
        let written = match item {
            Item::Step(step) => Written::Step(step),
            Item::Block(block) => Written::Block(block),
        };
        self.rows.push(Row { written, section, parent, above, children: Vec::new() });
        self.name(index, written, problems);
        if let Item::Block(block) = item {
            if section == Section::Finally {
                let message = "the steps of `finally` run one after the other, there is no block";
                problems.push(Problem::new("block_in_finally", block.place, message));
            }
            let children =
                block.steps.iter().map(|child| self.add(child, section, Some(index), None, problems));
            self.rows[index.get()].children = children.collect::<Vec<_>>();
        }
        index
    }

    fn name(&mut self, index: StepIndex, written: Written<'d>, problems: &mut Problems) {
        let Some(id) = written.id() else {
            self.is_complete = false;
            return;
        };
        if let Err(error) = StepId::new(&id.value) {
            let message = format!("`{}` is not a valid step id", shortened(&id.value));
            problems.push(Problem::new("invalid_id", id.span, message).help(error.rule));
        }
        match self.by_id.get(id.value.as_str()).and_then(|first| self.row(*first).written.id()) {
            Some(first) => {
                let message = format!("two steps have the id `{}`", shortened(&id.value));
                let problem = Problem::new("duplicate_id", id.span, message).label("again here");
                problems.push(problem.related(first.span, "first here"));
            }
            None => drop(self.by_id.insert(&id.value, index)),
        }
    }

    pub(super) fn row(&self, index: StepIndex) -> &Row<'d> {
        &self.rows[index.get()]
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = (StepIndex, &Row<'d>)> {
        (0..).map(StepIndex).zip(&self.rows)
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(super) fn find(&self, id: &str) -> Option<StepIndex> {
        self.by_id.get(id).copied()
    }

    /// All ids, in the order of the text.
    pub(super) fn ids(&self) -> impl Iterator<Item = &'d str> + Clone {
        self.rows.iter().filter_map(|row| row.written.id()).map(|id| id.value.as_str())
    }
}

impl<'d> Written<'d> {
    pub(super) fn id(self) -> Option<&'d Spanned<String>> {
        match self {
            Self::Step(step) => step.id.as_ref(),
            Self::Block(block) => block.id.as_ref(),
        }
    }

    pub(super) fn title(self) -> Option<&'d Spanned<String>> {
        match self {
            Self::Step(step) => step.title.as_ref(),
            Self::Block(block) => block.title.as_ref(),
        }
    }

    pub(super) fn when(self) -> Option<&'d Spanned<String>> {
        match self {
            Self::Step(step) => step.when.as_ref(),
            Self::Block(block) => block.when.as_ref(),
        }
    }

    pub(super) fn needs(self) -> Option<&'d [Spanned<String>]> {
        match self {
            Self::Step(step) => step.needs.as_deref(),
            Self::Block(block) => block.needs.as_deref(),
        }
    }

    /// Where it begins.
    pub(super) fn place(self) -> Span {
        match self {
            Self::Step(step) => step.place,
            Self::Block(block) => block.place,
        }
    }

    /// Where its id is, or where it begins.
    pub(super) fn id_place(self) -> Span {
        self.id().map_or(self.place(), |id| id.span)
    }

    /// Its id in a message.
    pub(super) fn name(self) -> &'d str {
        self.id().map_or("?", |id| &id.value)
    }
}
