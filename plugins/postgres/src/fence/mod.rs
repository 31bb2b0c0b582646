//! `postgres.fence`: proves that the old primary cannot take writes, and says how strong the proof is.
//!
//! ```text
//! look at the candidate → look at the old primary, k times → follow the clients' paths → look at the candidate again
//!        │ not fit: stop, nothing touched                                                        │
//!        └──────────── proof strong enough? done ◄── look again ◄── make it read-only ◄── it answers and takes writes
//! ```
//!
//! The candidate comes first: fencing before anybody looked at it turns a dead standby into a full outage. The only
//! thing this action changes is the old primary's own default for new transactions; stopping a server or taking it out
//! of a load balancer are other steps, whose effect is proved here.

mod params;
mod read_only;
mod rehearsal;
mod rights;
mod survey;
mod witness;

use async_trait::async_trait;
use lifeboat_action::{
    ActionContext, Change, Description, Failure, Observation, Outcome, ParamProblem, TypedAction,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::evidence::{FenceEvidence, Proof};
use crate::json;
use crate::look::Server;
use params::{FenceParams, Plan};
use survey::Survey;

/// The action.
#[derive(Debug)]
pub(crate) struct Fence;

/// The parameter that has no value while the primary lives, as between incidents.
const DOWN_SINCE: &str = "down_since";

/// What was proved.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct FenceOutputs {
    /// All of it, for `postgres.promote`.
    evidence: FenceEvidence,
    /// How strong the proof is.
    proof: Proof,
    /// When it held.
    fenced_at: String,
    /// Every look that it rests on, in words.
    observed_by: Vec<String>,
    /// The end of the old primary's log, read after it had stopped taking writes; null when it could not be asked.
    last_lsn: Option<String>,
    /// Bytes of that log which the candidate has not received; null when the end is not known.
    candidate_lag_bytes: Option<u64>,
    /// Seconds of commits that the candidate may lack at most.
    candidate_lag_seconds: Option<f64>,
    /// Whether the old primary answers and is read-only; then the undo makes it writable again.
    read_only: bool,
}

#[async_trait]
impl TypedAction for Fence {
    type Params = FenceParams;
    type Outputs = FenceOutputs;

    fn describe(&self) -> Description {
        Description {
            name: "postgres.fence",
            summary: "Proves that the old primary cannot take writes, making it read-only if it answers",
            idempotent: true,
            observable: true,
            recoverable: false,
        }
    }

    fn validate(&self, params: &FenceParams) -> Vec<ParamProblem> {
        Plan::of(params).err().into_iter().collect()
    }

    /// It sends statements of its own only.
    fn look_is_harmless(&self, _: &Value) -> bool {
        true
    }

    fn rehearsed_without(&self) -> &'static [&'static str] {
        &[DOWN_SINCE]
    }

    async fn observe(&self, context: &ActionContext, params: &FenceParams) -> Observation {
        let survey = match survey(context, params).await {
            Ok((_, survey)) => survey,
            Err(failure) => return Observation::Blocked { why: failure.to_string() },
        };
        if let Some(proof) = survey.proof().filter(|proof| *proof >= params.minimum) {
            return Observation::InPlace {
                evidence: evidence_line(&survey, proof),
                outputs: json::object(&outputs(&survey, proof)),
                warnings: warnings(&survey, proof),
            };
        }
        match survey.answering() {
            Some(primary) if context.without(DOWN_SINCE).is_some() => {
                rehearsal::observation(context, params, &survey, primary).await
            }
            Some(primary) if survey.attainable() >= Some(params.minimum) => {
                Observation::Pending { change: change(primary) }
            }
            _ => Observation::Blocked { why: survey.too_weak(params.minimum) },
        }
    }

    async fn apply(&self, context: &ActionContext, params: &FenceParams) -> Result<Outcome, Failure> {
        let (plan, mut survey) = survey(context, params).await?;
        let strong_enough = |survey: &Survey| survey.proof().filter(|proof| *proof >= params.minimum);
        if strong_enough(&survey).is_none()
            && let Some(primary) = survey.answering()
            && survey.attainable() >= Some(params.minimum)
        {
            context.say(format!("making {} read-only", primary.address));
            read_only::enforce(context, &plan.primary, params.wait).await?;
            survey = Survey::take(context, &plan).await?;
        }
        match strong_enough(&survey) {
            Some(proof) => {
                let outputs = outputs(&survey, proof);
                Ok(json::outcome(evidence_line(&survey, proof), &outputs, warnings(&survey, proof)))
            }
            None => Err(Failure::permanent(survey.too_weak(params.minimum))),
        }
    }

    async fn undo(
        &self,
        context: &ActionContext,
        params: &FenceParams,
        outcome: &Outcome,
    ) -> Option<Result<Outcome, Failure>> {
        let made_read_only = outcome.outputs.get("read_only").and_then(Value::as_bool);
        Some(match made_read_only {
            Some(true) => take_back(context, params).await,
            Some(false) => Ok(nothing_to_undo()),
            None => {
                let why = "whether the old primary was made read-only is not known: look at it by hand";
                Err(Failure::permanent(why))
            }
        })
    }
}

/// Looks at everybody and refuses to go on without a candidate that is fit to take over.
async fn survey(context: &ActionContext, params: &FenceParams) -> Result<(Plan, Survey), Failure> {
    let plan = Plan::of(params).map_err(|problem| Failure::permanent(problem.message))?;
    let survey = Survey::take(context, &plan).await?;
    if let Some(why) = survey.mismatch() {
        return Err(Failure::permanent(format!("{why}: nothing was touched")));
    }
    match survey.too_far_behind(params.max_lag) {
        // A live primary goes on sending.
        Some(why) if survey.answering().is_some() => {
            Err(Failure::transient(format!("{why}: nothing was touched")))
        }
        Some(why) => Err(Failure::permanent(format!("{why}: nothing was touched"))),
        None => Ok((plan, survey)),
    }
}

/// Makes the old primary writable again, unless that could split the cluster.
async fn take_back(context: &ActionContext, params: &FenceParams) -> Result<Outcome, Failure> {
    let plan = Plan::of(params).map_err(|problem| Failure::permanent(problem.message))?;
    let address = &plan.candidate.address;
    let candidate =
        Server::look_at(context, &plan.candidate).await.map_err(|reach| reach.into_failure(address))?;
    if candidate.as_standby().is_none() {
        return Err(Failure::permanent(format!(
            "{address} is a {candidate}: making {} writable again would give two primaries",
            plan.primary.address
        )));
    }
    read_only::lift(context, &plan.primary, params.wait).await?;
    let evidence = format!("{} accepts writes again", plan.primary.address);
    Ok(Outcome { evidence, ..Outcome::default() })
}

fn nothing_to_undo() -> Outcome {
    Outcome { evidence: "the old primary had not been changed".to_owned(), ..Outcome::default() }
}

fn change(primary: &Server) -> Change {
    Change { before: with_sessions(primary), after: "read-only, its client sessions ended".to_owned() }
}

fn with_sessions(primary: &Server) -> String {
    match primary.as_primary().and_then(|primary| primary.sessions) {
        Some(sessions) => format!("{primary}, {} client session(s)", sessions.open),
        None => format!("{primary}, client sessions that may not be seen"),
    }
}

fn outputs(survey: &Survey, proof: Proof) -> FenceOutputs {
    let lag = survey.lag();
    let evidence = survey.evidence(proof);
    FenceOutputs {
        proof,
        fenced_at: evidence.fenced_at.to_string(),
        observed_by: evidence.observed_by.clone(),
        last_lsn: evidence.last_lsn.map(|lsn| lsn.to_string()),
        candidate_lag_bytes: evidence.last_lsn.and(lag.bytes),
        candidate_lag_seconds: lag.seconds(),
        read_only: survey.answering().is_some_and(|primary| primary.read_only),
        evidence,
    }
}

fn evidence_line(survey: &Survey, proof: Proof) -> String {
    let candidate = &survey.candidate.address;
    format!("{} is fenced ({proof}); {candidate}: {}", survey.primary_address(), survey.lag().words())
}

/// What weakens the proof.
fn warnings(survey: &Survey, proof: Proof) -> Vec<String> {
    let about = match proof {
        Proof::ReadOnly => {
            Some("read-only is a default: a client that asks for a read-write transaction gets one")
        }
        Proof::Unreachable => Some("it may still run, and take writes from clients that reach it"),
        Proof::Isolated if survey.answering().is_none() => Some("sessions open on it could not be looked at"),
        Proof::Isolated | Proof::Stopped => None,
    };
    about.map(|about| format!("{}: {about}", survey.primary_address())).into_iter().collect()
}
