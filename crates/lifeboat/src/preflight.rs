//! Everything that can be checked about a run before it exists: its inputs, its secrets, and what they make of its steps.

use std::collections::BTreeMap;
use std::path::Path;

use lifeboat_action::MASK;
use lifeboat_engine::NewRun;
use lifeboat_model::record::{Mode, RunCreated};
use lifeboat_model::{INPUT_VALUE, InputProblem, Plan, Problems, RunId, Source, bind_inputs, check_filled};
use serde_json::{Map, Value};
use ulid::Ulid;

use crate::inputs::Inputs;
use crate::lifeboat::Lifeboat;
use crate::secrets::{MissingSecrets, Secrets};

/// A run that may begin.
#[derive(Debug)]
#[must_use = "nothing runs before it is started"]
pub struct Prepared {
    pub(crate) new: NewRun,
    pub(crate) secrets: Secrets,
}

/// Why a run must not begin.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// Inputs are missing, wrong, or not those of the runbook.
    #[error("{}", .0.iter().map(|refused| refused.problem.to_string()).collect::<Vec<_>>().join("; "))]
    Inputs(Vec<RefusedInput>),
    /// Secrets cannot be looked up.
    #[error(transparent)]
    Secrets(#[from] MissingSecrets),
    /// What the run is given makes parameters that no step can be run with.
    #[error("what the run is given does not fit its steps")]
    Parameters {
        /// The text that they are problems of.
        runbook: Box<Source>,
        /// What is wrong with it, as it is filled in.
        problems: Problems,
    },
}

/// An input that is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedInput {
    /// Why not.
    pub problem: InputProblem,
    /// Whether the runbook declares an input by that name.
    pub is_declared: bool,
}

impl Prepared {
    /// The run's id.
    pub fn run(&self) -> &RunId {
        &self.new.run
    }

    /// What it does.
    pub fn plan(&self) -> &Plan {
        &self.new.plan
    }

    /// Its inputs, bound and typed.
    pub fn inputs(&self) -> &Map<String, Value> {
        &self.new.inputs
    }

    /// Its secrets.
    pub fn secrets(&self) -> &Secrets {
        &self.secrets
    }
}

impl NotReady {
    /// Whether a value of an input is to blame for parameters that do not fit.
    pub fn is_about_inputs(&self) -> bool {
        match self {
            Self::Inputs(_) => true,
            Self::Secrets(_) => false,
            Self::Parameters { problems, .. } => problems.iter().any(|problem| problem.code == INPUT_VALUE),
        }
    }
}

impl Lifeboat {
    /// Prepares a run of a checked runbook. `working_dir`: the folder in which relative paths of its steps and secrets
    /// begin; an absolute path.
    ///
    /// # Errors
    /// Everything that is wrong with what the run is given.
    pub fn preflight(
        &self,
        plan: Plan,
        inputs: Inputs,
        mode: Mode,
        working_dir: &Path,
    ) -> Result<Prepared, NotReady> {
        let inputs = bind_inputs(&plan, &inputs.all()).map_err(|problems| refused(&plan, problems))?;
        let secrets = Secrets::look_up(&plan, working_dir).complete()?;
        let (actor, driver) = (self.identity.actor.clone(), self.identity.driver.clone());
        // A journal is text: a folder whose name is none is not remembered.
        let folder = working_dir.to_str().filter(|folder| !folder.is_empty()).map(str::to_owned);
        let new = NewRun { run: new_id(), mode, plan, inputs, actor, driver, folder };
        check_filled(created(&new), &*self.registry, &secrets.values, MASK).map_err(|problems| {
            let pinned = new.plan.source();
            let runbook = Box::new(Source::new(pinned.name.as_str(), pinned.text.as_str()));
            NotReady::Parameters { runbook, problems }
        })?;
        Ok(Prepared { new, secrets })
    }
}

fn refused(plan: &Plan, problems: Vec<InputProblem>) -> NotReady {
    let is_declared = |problem: &InputProblem| plan.inputs().iter().any(|spec| spec.name == problem.input);
    let refused = |problem| RefusedInput { is_declared: is_declared(&problem), problem };
    NotReady::Inputs(problems.into_iter().map(refused).collect())
}

fn new_id() -> RunId {
    let id = format!("run_{}", Ulid::generate().to_string().to_ascii_lowercase());
    RunId::new(&id).expect("bug: an id is `run_` and 26 digits and letters")
}

/// The run as it would begin.
fn created(new: &NewRun) -> RunCreated {
    let NewRun { run, mode, plan, inputs, actor, driver, folder } = new;
    RunCreated {
        run: run.clone(),
        mode: *mode,
        plan: plan.clone(),
        inputs: inputs.clone(),
        actor: actor.clone(),
        driver: driver.clone(),
        folder: folder.clone(),
        plugins: BTreeMap::new(),
    }
}
