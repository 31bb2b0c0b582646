//! `postgres.query`: one SQL statement, reading or writing.
//!
//! Reading runs in a read-only transaction, so that the server itself refuses to write. That does not make it harmless:
//! `select pg_promote()` writes to no table. A dry run carries it out where its author vouches for it with `looks`, and in
//! a read-only transaction all the same. Writing runs in a transaction of its own, is checked against `expect` before it
//! is committed, and cannot be observed: give the step a `check`.

use async_trait::async_trait;
use lifeboat_action::{
    ActionContext, Description, Effect, Failure, Observation, Outcome, ParamProblem, TypedAction,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Row, Statement};

use crate::connection::params_with_connection;
use crate::json::{self, Param};
use crate::session::{Session, StatementError};

/// The action.
#[derive(Debug)]
pub(crate) struct Query;

params_with_connection! {
    /// A statement, and what it is expected to answer.
    pub(crate) struct QueryParams {
        /// One SQL statement. Values belong into `params`, as `$1`, `$2` and so on.
        sql: String,
        /// The values of `$1`, `$2` and so on; a list is an array.
        #[serde(default)]
        params: Vec<Value>,
        /// Whether the statement may change something. Without it the server is told to refuse that.
        #[serde(default)]
        write: bool,
        /// Your word that the statement changes nothing, the functions that it calls included: a dry run carries it out
        /// then. A read-only transaction does not keep a function from promoting a server or ending a session.
        #[serde(default)]
        looks: bool,
        /// Whether a writing statement runs in a transaction; true by default. A few statements, such as
        /// `alter system`, cannot; what they did cannot be taken back when `expect` is not met.
        #[serde(default = "default_transaction")]
        transaction: bool,
        /// How many rows are kept in the outputs at most; 100 by default.
        #[serde(default = "default_max_rows")]
        #[schemars(range(min = 1, max = 10_000))]
        max_rows: i32,
        /// What the answer must be. A writing statement that does not meet it is rolled back.
        #[serde(default)]
        expect: Option<Expect>,
    }
}

/// What an answer must be.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Expect {
    /// How many rows are answered, or changed.
    #[serde(default)]
    rows: Option<u64>,
    /// The first column of the first row.
    #[serde(default)]
    value: Option<Value>,
}

/// What the statement answered.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub(crate) struct QueryOutputs {
    /// The rows, each an object of columns; at most `max_rows`.
    rows: Vec<Map<String, Value>>,
    /// How many rows were answered, or changed; when `truncated`, how many were kept.
    row_count: u64,
    /// The first column of the first row; null when there is none.
    value: Value,
    /// Whether there were more rows than were kept.
    truncated: bool,
}

fn default_transaction() -> bool {
    true
}

fn default_max_rows() -> i32 {
    100
}

#[async_trait]
impl TypedAction for Query {
    type Params = QueryParams;
    type Outputs = QueryOutputs;

    fn describe(&self) -> Description {
        Description {
            name: "postgres.query",
            summary: "Runs one SQL statement: read-only, unless `write` is true",
            idempotent: false,
            observable: false,
            recoverable: false,
        }
    }

    fn effect(&self, params: &Value) -> Effect {
        match params.get("write") {
            None | Some(Value::Bool(false)) => Effect::Read,
            // A template may turn out to be true.
            Some(_) => Effect::Write,
        }
    }

    /// No server tells what a function does.
    fn look_is_harmless(&self, _: &Value) -> bool {
        false
    }

    fn vouched_by(&self) -> Option<&'static str> {
        Some("looks")
    }

    fn validate(&self, params: &QueryParams) -> Vec<ParamProblem> {
        let mut problems: Vec<_> = params.target().err().into_iter().collect();
        if params.sql.trim().is_empty() {
            problems.push(ParamProblem::new("`sql` is empty").about(["sql"]));
        }
        if params.looks && params.write {
            let problem = ParamProblem::new("`looks` and `write` exclude each other");
            problems.push(problem.about(["looks"]).about(["write"]));
        }
        if !params.transaction && !params.write {
            let problem =
                ParamProblem::new("only a statement with `write: true` can do without a transaction");
            problems.push(problem.about(["transaction"]).about(["write"]));
        }
        problems
    }

    async fn observe(&self, context: &ActionContext, params: &QueryParams) -> Observation {
        if params.write {
            let why = "a writing statement cannot be observed: give the step a `check`".to_owned();
            return Observation::Unknown { why };
        }
        match read(context, params).await {
            Ok(outputs) => match unmet(params, &outputs) {
                None => Observation::in_place(evidence(&outputs), json::object(&outputs)),
                Some(why) => Observation::Blocked { why },
            },
            // Without an answer nothing was seen, whether the server is out of reach or the statement fails.
            Err(failure) => Observation::Unknown { why: failure.to_string() },
        }
    }

    async fn apply(&self, context: &ActionContext, params: &QueryParams) -> Result<Outcome, Failure> {
        let outputs =
            if params.write { write(context, params).await? } else { read(context, params).await? };
        match unmet(params, &outputs) {
            // A transaction was rolled back already; without one, what is done is done.
            Some(why) if params.write => {
                Err(Failure::unknown(format!("the statement was carried out, and {why}")))
            }
            Some(why) => Err(Failure::transient(why)),
            None => Ok(json::outcome(evidence(&outputs), &outputs, Vec::new())),
        }
    }
}

async fn open(context: &ActionContext, params: &QueryParams) -> Result<Session, Failure> {
    let target = params.target().map_err(|problem| Failure::permanent(problem.message))?;
    Session::open(context, &target).await.map_err(|reach| reach.into_failure(&target.address))
}

async fn read(context: &ActionContext, params: &QueryParams) -> Result<QueryOutputs, Failure> {
    let mut session = open(context, params).await?;
    let exchange = async {
        let transaction = session.client.build_transaction().read_only(true).start().await?;
        let statement = transaction.prepare(&params.sql).await?;
        if let Some(why) = unreadable(&statement) {
            return Ok(Err(Failure::permanent(why)));
        }
        if let Some(why) = miscounted(&statement, params) {
            return Ok(Err(Failure::permanent(why)));
        }
        let values = values(params);
        let portal = transaction.bind(&statement, &borrowed(&values)).await?;
        // One more than is kept shows whether there are more.
        let rows = transaction.query_portal(&portal, params.max_rows.saturating_add(1)).await?;
        transaction.rollback().await?;
        Ok(Ok(rows))
    };
    let rows = session
        .link
        .bounded(context, exchange)
        .await
        .map_err(|error| error.into_failure("the query failed"))??;
    answered(&rows, None, params)
}

async fn write(context: &ActionContext, params: &QueryParams) -> Result<QueryOutputs, Failure> {
    let session = open(context, params).await?;
    if !params.transaction {
        return carry_out(context, &session, params).await.map_err(|error| match error {
            Stop::Before(failure) => failure,
            Stop::Statement(error) if error.is_refusal() => error.into_failure("the statement failed"),
            Stop::Statement(error) => Failure::unknown(format!("the statement was sent, and then: {error}")),
        });
    }
    let not_done =
        |error: StatementError| error.into_failure("the statement failed, and nothing was committed");
    session.execute(context, "begin read write").await.map_err(not_done)?;
    let outputs = carry_out(context, &session, params).await.map_err(|stop| match stop {
        Stop::Before(failure) => failure,
        // The connection ends with the transaction open, and the server rolls it back.
        Stop::Statement(error) => not_done(error),
    })?;
    if let Some(why) = unmet(params, &outputs) {
        session.execute(context, "rollback").await.map_err(not_done)?;
        return Err(Failure::permanent(format!("{why}: it was rolled back")));
    }
    match session.execute(context, "commit").await {
        Ok(()) => Ok(outputs),
        Err(error) if error.is_refusal() => Err(not_done(error)),
        Err(error) => Err(Failure::unknown(format!("the commit was sent, and then: {error}"))),
    }
}

/// Why a statement gave no outputs.
enum Stop {
    /// It was not sent.
    Before(Failure),
    Statement(StatementError),
}

async fn carry_out(
    context: &ActionContext,
    session: &Session,
    params: &QueryParams,
) -> Result<QueryOutputs, Stop> {
    let prepared = session.link.bounded(context, session.client.prepare(&params.sql)).await;
    let statement =
        prepared.map_err(|error| Stop::Before(error.into_failure("the statement cannot be prepared")))?;
    if let Some(why) = unreadable(&statement).or_else(|| miscounted(&statement, params)) {
        return Err(Stop::Before(Failure::permanent(why)));
    }
    let values = values(params);
    let values = borrowed(&values);
    if statement.columns().is_empty() {
        let changed = session.link.bounded(context, session.client.execute(&statement, &values)).await;
        let row_count = changed.map_err(Stop::Statement)?;
        return Ok(QueryOutputs { row_count, ..QueryOutputs::default() });
    }
    let rows = session.link.bounded(context, session.client.query(&statement, &values)).await;
    let rows = rows.map_err(Stop::Statement)?;
    answered(&rows, Some(rows.len() as u64), params).map_err(Stop::Before)
}

fn unreadable(statement: &Statement) -> Option<String> {
    json::unreadable(statement.columns().iter().map(|column| (column.name(), column.type_())))
}

/// The library panics on a wrong number of values.
fn miscounted(statement: &Statement, params: &QueryParams) -> Option<String> {
    let (needed, given) = (statement.params().len(), params.params.len());
    (needed != given).then(|| format!("the statement takes {needed} value(s), and `params` has {given}"))
}

fn values(params: &QueryParams) -> Vec<Param<'_>> {
    params.params.iter().map(Param).collect()
}

fn borrowed<'p>(values: &'p [Param<'p>]) -> Vec<&'p (dyn ToSql + Sync)> {
    values.iter().map(|value| value as &(dyn ToSql + Sync)).collect()
}

/// The outputs of answered rows; `count` is given where it is known to be complete.
fn answered(rows: &[Row], count: Option<u64>, params: &QueryParams) -> Result<QueryOutputs, Failure> {
    let most = usize::try_from(params.max_rows).unwrap_or(usize::MAX);
    let kept = rows.iter().take(most).map(json::row).collect::<Result<Vec<_>, _>>();
    let kept = kept.map_err(|error| Failure::permanent("the answer cannot be read").caused_by(&error))?;
    let value = kept.first().and_then(|row| row.values().next()).cloned().unwrap_or_default();
    let row_count = count.unwrap_or(kept.len() as u64);
    Ok(QueryOutputs { row_count, value, truncated: rows.len() > most, rows: kept })
}

fn unmet(params: &QueryParams, outputs: &QueryOutputs) -> Option<String> {
    let expect = params.expect.as_ref()?;
    let rows = expect.rows.filter(|rows| *rows != outputs.row_count || outputs.truncated);
    if let Some(rows) = rows {
        let more = if outputs.truncated { " or more" } else { "" };
        return Some(format!("expected {rows} row(s), got {}{more}", outputs.row_count));
    }
    let value = expect.value.as_ref().filter(|value| **value != outputs.value)?;
    Some(format!("expected the value {value}, got {}", outputs.value))
}

fn evidence(outputs: &QueryOutputs) -> String {
    let more = if outputs.truncated { " or more" } else { "" };
    let value =
        if outputs.rows.is_empty() { String::new() } else { format!(", first value {}", outputs.value) };
    format!("{} row(s){more}{value}", outputs.row_count)
}

#[cfg(test)]
mod tests {
    use lifeboat_action::{Harmlessness, Observe as _, Typed, harmlessness};
    use serde_json::json;

    use super::*;

    #[test]
    fn only_a_literal_false_is_certainly_reading() {
        assert_eq!(Query.effect(&json!({"sql": "select 1"})), Effect::Read);
        assert_eq!(Query.effect(&json!({"sql": "select 1", "write": false})), Effect::Read);
        assert_eq!(Query.effect(&json!({"sql": "select 1", "write": true})), Effect::Write);
        assert_eq!(Query.effect(&json!({"sql": "select 1", "write": "{{ inputs.write }}"})), Effect::Write);
    }

    #[test]
    fn a_statement_is_harmless_by_its_authors_word_alone() {
        let action = Typed::new(Query);
        let of = |more: Value| {
            let mut params = json!({"host": "db-a", "sql": "select 1"});
            params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let problems: Vec<_> = action.check(&params).into_iter().map(|problem| problem.message).collect();
            (harmlessness(&action, &params), problems)
        };
        assert_eq!(of(json!({})), (Harmlessness::Unvouched, vec![]));
        assert_eq!(of(json!({"looks": true})), (Harmlessness::Vouched, vec![]));
        assert_eq!(of(json!({"looks": "{{ inputs.looks }}"})), (Harmlessness::Unvouched, vec![]));
        let both = "`looks` and `write` exclude each other".to_owned();
        assert_eq!(of(json!({"looks": true, "write": true})).1, [both]);
    }

    #[test]
    fn a_truncated_answer_never_meets_an_expected_count() {
        let params = json!({"host": "db-a", "sql": "select 1", "expect": {"rows": 1}});
        let params: QueryParams = serde_json::from_value(params).unwrap();
        let outputs = QueryOutputs { row_count: 1, truncated: true, ..QueryOutputs::default() };
        assert_eq!(unmet(&params, &outputs).unwrap(), "expected 1 row(s), got 1 or more");
    }
}
