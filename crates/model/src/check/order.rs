//! What is over before what: finds steps that wait for each other, and says whether a step's outputs can be there.
//!
//! Each step or block has two moments, its opening and its end. A block's end waits for the ends of what it holds,
//! what it holds waits for the block's opening, and a need is a wait of an opening for an end. With that, blocks need
//! no rules of their own.

use std::collections::{BinaryHeap, HashSet};

use super::outline::Outline;
use crate::ids::StepIndex;
use crate::problem::{Problem, Problems};

/// The order of all moments.
pub(super) struct Order {
    /// For each moment those it waits for.
    waits: Vec<Vec<Moment>>,
    /// The place of each moment in an order in which each stands behind all it waits for; only nearly so where steps wait
    /// for each other.
    rank: Vec<u32>,
    /// Whether any steps wait for each other.
    has_circles: bool,
}

type Moment = usize;

fn opening(step: StepIndex) -> Moment {
    2 * step.get()
}

fn end(step: StepIndex) -> Moment {
    2 * step.get() + 1
}

impl Order {
    /// Orders all steps; those that wait for each other are problems.
    pub(super) fn new(outline: &Outline<'_>, needs: &[Vec<StepIndex>], problems: &mut Problems) -> Self {
        let mut waits = vec![Vec::new(); 2 * outline.len()];
        for (step, row) in outline.rows() {
            waits[opening(step)].extend(needs[step.get()].iter().copied().map(end));
            waits[opening(step)].extend(row.parent.map(opening));
            waits[end(step)].push(opening(step));
            waits[end(step)].extend(row.children.iter().copied().map(end));
        }
        let mut search = Search::new(&waits);
        let cycles = search.run();
        for cycle in &cycles {
            problems.push(circle(outline, cycle));
        }
        let rank = search.rank;
        let has_circles = !cycles.is_empty();
        Self { waits, rank, has_circles }
    }

    /// What is over whenever `step` opens.
    pub(super) fn past(&self, step: StepIndex) -> Past<'_> {
        let start = opening(step);
        Past {
            order: self,
            seen: HashSet::from([start]),
            open: BinaryHeap::from([(self.rank[start], start)]),
        }
    }
}

/// What is over whenever some step opens, found out as far back as was asked for: most steps use what stands just
/// above them.
pub(super) struct Past<'o> {
    order: &'o Order,
    seen: HashSet<Moment>,
    /// Seen, but not yet followed; the last in the order first.
    open: BinaryHeap<(u32, Moment)>,
}

impl Past<'_> {
    /// Whether `earlier` is over by then; of steps that wait for each other, each is taken to be over before the others.
    pub(super) fn holds(&mut self, earlier: StepIndex) -> bool {
        let goal = end(earlier);
        let order = self.order;
        // What stands before the goal in the order cannot wait for it.
        let may_wait = |rank: u32| order.has_circles || rank > order.rank[goal];
        while !self.seen.contains(&goal) && self.open.peek().is_some_and(|(rank, _)| may_wait(*rank)) {
            let Some((_, moment)) = self.open.pop() else { break };
            for &next in &order.waits[moment] {
                if self.seen.insert(next) {
                    self.open.push((order.rank[next], next));
                }
            }
        }
        self.seen.contains(&goal)
    }
}

/// A depth-first search over all moments, without recursion: a chain may be tens of thousands of steps long.
struct Search<'w> {
    waits: &'w [Vec<Moment>],
    state: Vec<State>,
    rank: Vec<u32>,
    next_rank: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    New,
    /// On the way that is being followed.
    OnPath,
    Done,
    /// Part of a circle that was found: one report for each circle is enough.
    Reported,
}

impl<'w> Search<'w> {
    fn new(waits: &'w [Vec<Moment>]) -> Self {
        Self { waits, state: vec![State::New; waits.len()], rank: vec![0; waits.len()], next_rank: 0 }
    }

    /// Visits everything and gives the circles, each as the moments on it in order of waiting.
    fn run(&mut self) -> Vec<Vec<Moment>> {
        let mut circles = Vec::new();
        for start in 0..self.waits.len() {
            if self.state[start] == State::New {
                self.follow(start, &mut circles);
            }
        }
        circles
    }

    fn follow(&mut self, start: Moment, circles: &mut Vec<Vec<Moment>>) {
        let mut path: Vec<(Moment, usize)> = vec![(start, 0)];
        self.state[start] = State::OnPath;
        while let Some((moment, followed)) = path.last_mut() {
            let Some(&next) = self.waits[*moment].get(*followed) else {
                self.leave(*moment);
                path.pop();
                continue;
            };
            *followed += 1;
            match self.state[next] {
                State::New => {
                    self.state[next] = State::OnPath;
                    path.push((next, 0));
                }
                State::OnPath => {
                    let from = path.iter().position(|(on_path, _)| *on_path == next).unwrap_or_default();
                    let circle: Vec<_> = path[from..].iter().map(|(moment, _)| *moment).collect();
                    for moment in &circle {
                        self.state[*moment] = State::Reported;
                    }
                    circles.push(circle);
                }
                State::Done | State::Reported => {}
            }
        }
    }

    fn leave(&mut self, moment: Moment) {
        if self.state[moment] == State::OnPath {
            self.state[moment] = State::Done;
        }
        self.rank[moment] = self.next_rank;
        self.next_rank += 1;
    }
}

/// One problem for a circle, at the step of it that stands first in the text.
fn circle(outline: &Outline<'_>, moments: &[Moment]) -> Problem {
    const MOST: usize = 12;
    let mut steps: Vec<_> = moments.iter().map(|moment| moment / 2).collect();
    steps.dedup();
    if steps.len() > 1 && steps.first() == steps.last() {
        steps.pop();
    }
    let first = steps.iter().enumerate().min_by_key(|(_, step)| **step).map_or(0, |(at, _)| at);
    steps.rotate_left(first);
    let rows: Vec<_> = steps
        .iter()
        .filter_map(|step| u32::try_from(*step).ok())
        .map(|step| outline.row(StepIndex(step)))
        .collect();
    let names = rows.iter().chain(rows.first()).map(|row| format!("`{}`", row.written.name()));
    let path = if rows.len() > MOST {
        let shown: Vec<_> = names.take(MOST).collect();
        format!("{} → … ({} steps in all)", shown.join(" → "), rows.len())
    } else {
        names.collect::<Vec<_>>().join(" → ")
    };
    let place = rows.first().map(|row| row.written.id_place()).unwrap_or_default();
    let message = match rows.as_slice() {
        [one] => format!("`{}` waits for itself", one.written.name()),
        _ => format!("these steps wait for each other: {path}"),
    };
    let problem = Problem::new("cycle", place, message).help("take one of them out of a `needs`");
    let others = rows.iter().skip(1).take(MOST);
    others.fold(problem, |problem, row| problem.related(row.written.id_place(), "part of the circle"))
}
