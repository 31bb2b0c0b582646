//! What an action says where it cannot have seen anything, and what it leaves behind.

use lifeboat_action::{Effect, FailureKind, Observation, Recovery};
use lifeboat_model::Mode;
use serde_json::Value;

use super::call::Call;
use super::peer::{Listener, Manner, Nobody};
use super::{Case, MakeSuite, driven};

/// How a run may treat the world.
pub(super) const MODES: [Mode; 3] = [Mode::Live, Mode::Drill, Mode::DryRun];

/// A look of a call that changes something writes nothing, and one that cannot look does not even call.
pub fn what_only_looks_leaves_nothing_behind(make: MakeSuite<'_>) {
    let suite = make();
    driven(async move || {
        for case in &suite.cases {
            let (nobody, listener) = (Nobody::new(), Listener::new().await);
            for mode in MODES {
                let params = (case.params)(&nobody.address());
                if case.effect(&params) == Effect::Read {
                    continue;
                }
                let call = Call::of(&case.action).in_mode(mode);
                call.observe(&params).await;
                assert!(!call.folder().exists(), "{case:?}: its look made a folder");
                if !case.action.spec().observable {
                    let seen = call.observe(&(case.params)(&listener.address())).await;
                    assert!(matches!(seen, Observation::Unknown { .. }), "{case:?} cannot look: {seen:?}");
                    assert!(!listener.was_called().await, "{case:?}: its look called the server");
                }
            }
        }
    });
}

/// Only who keeps traces finds any, and not of an attempt that never began. Taking back what nothing is known of does not
/// succeed, and there is nothing to take back of a look.
pub fn what_has_no_undo_or_no_trace_says_so(make: MakeSuite<'_>) {
    let suite = make();
    driven(async move || {
        let nobody = Nobody::new();
        for case in &suite.cases {
            let params = (case.params)(&nobody.address());
            let (spec, call) = (case.action.spec(), Call::of(&case.action));
            let found = call.recover(&params).await;
            let honest = match &found {
                Recovery::Nothing { .. } => true,
                Recovery::NotStarted { .. } | Recovery::MayGoOn { .. } => spec.recoverable,
                Recovery::Ended { .. } => false,
            };
            assert!(honest, "{case:?}: nothing was begun: {found:?}");
            let undone = Call::of(&case.action).undo(&params).await;
            let honest = undone.as_ref().is_none_or(|undone| spec.effect == Effect::Write && undone.is_err());
            assert!(honest, "{case:?}: nothing is known of what to take back: {undone:?}");
        }
    });
}

/// Nothing listens there. Who looks has seen nothing, and who was to change something has changed nothing: it is worth
/// another try.
pub fn a_server_that_is_away_is_neither_as_it_should_be_nor_to_blame(make: MakeSuite<'_>) {
    let suite = make();
    driven(async move || {
        let nobody = Nobody::new();
        for case in suite.reaching_cases() {
            let params = (case.params)(&nobody.address());
            for mode in MODES {
                let seen = Call::of(&case.action).in_mode(mode).observe(&params).await;
                saw_nothing(case, &params, &seen);
            }
            for parameter in &case.action.spec().rehearsed_without {
                let known = super::schema::without(&params, parameter);
                let seen = Call::of(&case.action).without(parameter).observe(&known).await;
                saw_nothing(case, &known, &seen);
            }
            let failed = Call::of(&case.action).apply(&params).await;
            let transient = failed.as_ref().is_err_and(|failure| failure.kind == FailureKind::Transient);
            assert!(transient, "{case:?}: nothing was sent: {failed:?}");
        }
    });
}

/// It hangs up, or sends back what it was sent: no answer to anything.
pub fn a_server_that_talks_nonsense_has_said_nothing(make: MakeSuite<'_>) {
    let suite = make();
    driven(async move || {
        for manner in [Manner::HangsUp, Manner::Echoes] {
            let listener = Listener::new().await;
            for case in suite.reaching_cases() {
                let params = (case.params)(&listener.address());
                let call = Call::of(&case.action);
                let seen = listener.answering(manner, call.observe(&params)).await;
                saw_nothing(case, &params, &seen);
                let ended = listener.answering(manner, Call::of(&case.action).apply(&params)).await;
                assert!(ended.is_err(), "{case:?}: the server {manner:?}: {ended:?}");
            }
        }
    });
}

/// Out of reach or cut off, a look that is the action has seen nothing at all. One before a change may say that it cannot
/// be made now.
fn saw_nothing(case: &Case, params: &Value, seen: &Observation) {
    let honest = match seen {
        Observation::Unknown { .. } => true,
        Observation::Blocked { .. } => case.effect(params) == Effect::Write,
        Observation::InPlace { .. } | Observation::Pending { .. } => false,
    };
    assert!(honest, "{case:?}: it cannot have seen that: {seen:?}");
}
