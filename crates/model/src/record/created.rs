//! A run's first record: all that is pinned for the run's whole life.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::ids::RunId;
use crate::plan::Plan;

/// How a run treats the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// For real.
    Live,
    /// For real, on drill targets.
    Drill,
    /// Every action looks; nothing is applied.
    DryRun,
}

impl Mode {
    /// The word used in runbooks and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Drill => "drill",
            Self::DryRun => "dry_run",
        }
    }
}

/// A process that drives a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Driver {
    /// Process id.
    pub pid: u32,
    /// Host name.
    pub host: String,
    /// The boot id of that host: a later driver that finds another one knows that the machine was restarted, or that
    /// the run was moved. None where the system does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot: Option<String>,
    /// The version of lifeboat.
    pub version: String,
}

/// The first record of every run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunCreated {
    /// The run.
    pub run: RunId,
    /// How it treats the world.
    pub mode: Mode,
    /// The plan, whole.
    pub plan: Plan,
    /// The inputs, bound and typed.
    pub inputs: Map<String, Value>,
    /// Who started it.
    pub actor: String,
    /// The process that drives it first.
    pub driver: Driver,
    /// The folder in which it was started, where relative paths in its steps begin. None where its name is no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// The versions of the plug-ins that offer the plan's actions.
    pub plugins: BTreeMap<String, String>,
}
