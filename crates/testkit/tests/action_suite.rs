//! The suite of actions: a good action passes it, and each promise notices the action that breaks it.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use lifeboat_action::{
    Action, ActionContext, ActionSpec, Change, Description, Effect, Failure, Observation, Observe, Outcome,
    ParamProblem, Recovery, Typed, TypedAction,
};
use lifeboat_testkit::action_suite::{self as promises, ActionSuite, MakeSuite};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

lifeboat_testkit::action_suite!(|| suite(None));

/// Sets a number at a server that answers `done` to whatever it is told.
#[derive(Debug)]
struct Set;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Params {
    /// Where the server is.
    at: String,
    /// The author's word that the server only looks.
    #[serde(default)]
    #[expect(dead_code, reason = "the server does as it likes")]
    looks: bool,
    /// Lets one in.
    #[serde(default)]
    token: Option<String>,
    /// Between these.
    least: u32,
    /// Between these.
    #[serde(default)]
    most: Option<u32>,
}

#[derive(Debug, JsonSchema)]
struct NoOutputs {}

#[async_trait]
impl TypedAction for Set {
    type Params = Params;
    type Outputs = NoOutputs;

    fn describe(&self) -> Description {
        let summary = "Sets a number";
        Description { name: "suite.set", summary, idempotent: true, observable: true, recoverable: false }
    }

    fn look_is_harmless(&self, _: &Value) -> bool {
        false
    }

    fn vouched_by(&self) -> Option<&'static str> {
        Some("looks")
    }

    fn validate(&self, params: &Params) -> Vec<ParamProblem> {
        let crossed = params.most.is_some_and(|most| most < params.least);
        let problem = ParamProblem::new("`most` is less than `least`").about(["most"]).about(["least"]);
        crossed.then_some(problem).into_iter().collect()
    }

    async fn observe(&self, context: &ActionContext, params: &Params) -> Observation {
        match ask(context, params, "is it?").await {
            Ok(()) => Observation::in_place("done", Default::default()),
            Err(why) => Observation::Unknown { why },
        }
    }

    async fn apply(&self, context: &ActionContext, params: &Params) -> Result<Outcome, Failure> {
        ask(context, params, "do it!").await.map_err(Failure::transient)?;
        Ok(Outcome::default())
    }
}

async fn ask(context: &ActionContext, params: &Params, what: &str) -> Result<(), String> {
    let line = format!(
        "{what} {} {:?} {}\n",
        params.token.as_deref().unwrap_or_default(),
        params.most,
        params.least
    );
    let exchange = async {
        let mut stream = TcpStream::connect(&params.at).await?;
        stream.write_all(line.as_bytes()).await?;
        BufReader::new(stream).lines().next_line().await
    };
    let answer = tokio::select! {
        biased;
        () = context.cancelled() => return Err("stopped".to_owned()),
        answer = exchange => answer,
    };
    match answer.map_err(|error| format!("{}: {error}", params.at))? {
        Some(done) if done == "done" => Ok(()),
        other => Err(format!("{} answers {other:?}", params.at)),
    }
}

/// What is wrong with an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flaw {
    SaysItsSummaryIsASentence,
    TakesWhatItDoesNotKnow,
    ChecksNothing,
    SaysNotWhatIsWrong,
    PanicsOnTexts,
    PanicsOnLargeNumbers,
    CountsTemplatesAsReading,
    CountsTemplatesAsHarmless,
    AsksForAWordThatIsNone,
    IgnoresWhatIsWrongTogether,
    NotesItsLooks,
    CallsThoughItCannotLook,
    RecoversWhatNeverWas,
    BlamesTheServer,
    BelievesEverything,
    IsInPlaceWhenStopped,
    IsDeaf,
    ShowsHalfASecret,
}

use Flaw::*;

/// [`Set`], with a flaw.
#[derive(Debug)]
struct Flawed {
    good: Typed<Set>,
    spec: ActionSpec,
    flaw: Option<Flaw>,
}

impl Flawed {
    fn new(flaw: Option<Flaw>) -> Self {
        let good = Typed::new(Set);
        let mut spec = good.spec().clone();
        match flaw {
            Some(SaysItsSummaryIsASentence) => spec.summary.push('.'),
            Some(CallsThoughItCannotLook) => spec.observable = false,
            Some(AsksForAWordThatIsNone) => spec.vouched_by = Some("at".to_owned()),
            Some(TakesWhatItDoesNotKnow) => spec.params["additionalProperties"] = json!(true),
            _ => {}
        }
        Self { good, spec, flaw }
    }

    fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }
}

#[async_trait]
impl Observe for Flawed {
    fn spec(&self) -> &ActionSpec {
        &self.spec
    }

    fn check(&self, params: &Value) -> Vec<ParamProblem> {
        assert!(!(self.has(PanicsOnTexts) && params.is_string()), "a text!");
        let mut problems = if self.has(ChecksNothing) { Vec::new() } else { self.good.check(params) };
        if self.has(SaysNotWhatIsWrong) {
            problems.iter_mut().for_each(|problem| problem.about.clear());
        }
        problems
    }

    fn effect(&self, params: &Value) -> Effect {
        let reads = is_templated(&params["at"]) && self.has(CountsTemplatesAsReading);
        if reads { Effect::Read } else { Effect::Write }
    }

    fn look_is_harmless(&self, params: &Value) -> bool {
        is_templated(&params["at"]) && self.has(CountsTemplatesAsHarmless)
    }

    async fn observe(&self, context: &ActionContext, params: &Value) -> Observation {
        match self.flaw {
            Some(IsInPlaceWhenStopped) if context.is_cancelled() => {
                Observation::in_place("surely", Default::default())
            }
            Some(PanicsOnLargeNumbers) => {
                let most = params["most"].as_u64().unwrap_or_default();
                assert!(most < 1 << 40, "too many!");
                self.good.observe(context, params).await
            }
            Some(NotesItsLooks) => {
                context.create_folder().expect("a folder");
                self.good.observe(context, params).await
            }
            Some(BelievesEverything)
                if TcpStream::connect(params["at"].as_str().unwrap_or("")).await.is_ok() =>
            {
                let change = Change { before: "different".to_owned(), after: "so".to_owned() };
                Observation::Pending { change }
            }
            Some(CallsThoughItCannotLook) => {
                let _called = TcpStream::connect(params["at"].as_str().unwrap_or_default()).await;
                Observation::Unknown { why: "it cannot look".to_owned() }
            }
            Some(IsDeaf) => {
                let _held = TcpStream::connect(params["at"].as_str().unwrap_or_default()).await;
                std::future::pending().await
            }
            Some(ShowsHalfASecret) => {
                let token = params["token"].as_str().unwrap_or_default();
                Observation::Unknown { why: token.chars().take(8).collect() }
            }
            _ => self.good.observe(context, params).await,
        }
    }
}

#[async_trait]
impl Action for Flawed {
    async fn apply(&self, context: &ActionContext, params: &Value) -> Result<Outcome, Failure> {
        let applied = self.good.apply(context, params).await;
        match self.flaw {
            Some(IgnoresWhatIsWrongTogether) => {
                applied.map_err(|failure| Failure::transient(failure.message))
            }
            Some(BlamesTheServer) => applied.map_err(|failure| Failure::permanent(failure.message)),
            _ => applied,
        }
    }

    async fn recover(&self, context: &ActionContext, params: &Value) -> Recovery {
        match self.flaw {
            Some(RecoversWhatNeverWas) => {
                Recovery::Ended { result: Ok(Outcome::default()), evidence: "a guess".to_owned() }
            }
            _ => self.good.recover(context, params).await,
        }
    }
}

fn is_templated(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.contains("{{"))
}

fn untried(flaw: Option<Flaw>) -> ActionSuite {
    ActionSuite::new(|registry| registry.add("suite", "0", Arc::new(Flawed::new(flaw))))
        .grace(Duration::from_millis(if flaw == Some(IsDeaf) { 50 } else { 10_000 }))
}

fn suite(flaw: Option<Flaw>) -> ActionSuite {
    untried(flaw)
        .reaching("suite.set", |at| json!({"at": at, "least": 1, "token": "x"}))
        .contradicting("suite.set", |at| json!({"at": at, "least": 2, "most": 1}))
}

type Promise = fn(MakeSuite<'_>);

/// What the promise says to the suite; nothing, if it is kept.
fn broken(promise: Promise, make: MakeSuite<'_>) -> Option<String> {
    let panic = catch_unwind(AssertUnwindSafe(|| promise(make))).err()?;
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref().cloned())
}

#[test]
fn each_promise_notices_who_breaks_it() {
    let promises: [(Flaw, Promise, &str); _] = [
        (SaysItsSummaryIsASentence, promises::the_description_is_complete, "one line, no stop"),
        (TakesWhatItDoesNotKnow, promises::schemas_are_closed_and_understood, "takes unknown keys"),
        (ChecksNothing, promises::unknown_parameters_are_refused, "`suite-key` is taken"),
        (ChecksNothing, promises::a_missing_parameter_is_named, "without `at`"),
        (ChecksNothing, promises::a_wrong_type_is_refused_where_it_stands, "null at `at`"),
        (SaysNotWhatIsWrong, promises::what_is_wrong_together_says_what_it_is_about, "about nothing"),
        (PanicsOnTexts, promises::no_parameters_are_too_odd_to_check, "a text!"),
        (PanicsOnLargeNumbers, promises::no_value_is_too_extreme_to_call_with, "too many!"),
        (CountsTemplatesAsReading, promises::a_template_may_stand_anywhere, "with a template at `at`"),
        (CountsTemplatesAsHarmless, promises::a_template_is_nobodys_word, "with a template at `at`"),
        (AsksForAWordThatIsNone, promises::the_description_is_complete, "nobody can vouch with `at`"),
        (IgnoresWhatIsWrongTogether, promises::what_is_wrong_together_is_not_carried_out, "Transient"),
        (NotesItsLooks, promises::what_only_looks_leaves_nothing_behind, "made a folder"),
        (CallsThoughItCannotLook, promises::what_only_looks_leaves_nothing_behind, "called the server"),
        (RecoversWhatNeverWas, promises::what_has_no_undo_or_no_trace_says_so, "a guess"),
        (
            BlamesTheServer,
            promises::a_server_that_is_away_is_neither_as_it_should_be_nor_to_blame,
            "nothing was sent",
        ),
        (
            BelievesEverything,
            promises::a_server_that_talks_nonsense_has_said_nothing,
            "cannot have seen that",
        ),
        (IsInPlaceWhenStopped, promises::a_call_that_was_stopped_before_does_nothing, "surely"),
        (IsDeaf, promises::a_call_that_hangs_stops_when_told, "did not answer within 50ms"),
        (ShowsHalfASecret, promises::secrets_are_shown_nowhere, "a secret is shown: quokka"),
    ];
    for (flaw, promise, words) in promises {
        let said =
            broken(promise, &|| suite(Some(flaw))).unwrap_or_else(|| panic!("{flaw:?} is not noticed"));
        assert!(said.contains(words), "{flaw:?}: {said}");
    }
}

#[test]
fn an_action_that_is_not_tried_or_is_tried_badly_is_noticed() {
    assert!(broken(promises::every_action_is_tried, &|| untried(None)).is_some());
    let bad = || untried(None).reaching("suite.set", |at| json!({"at": at}));
    assert!(broken(promises::good_parameters_are_accepted, &bad).is_some());
}
