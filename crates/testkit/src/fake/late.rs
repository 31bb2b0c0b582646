//! Fake actions that a dry run may ask before everything is known.

use async_trait::async_trait;
use lifeboat_action::{ActionContext, Change, Description, Failure, Observation, Outcome, TypedAction};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::fake::{SetOutputs, World};

/// `fake.late`: sets a value that a rehearsal need not know.
#[derive(Debug)]
pub(crate) struct Late {
    pub(crate) world: World,
}

/// Sets `name` to `value` in the world.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LateParams {
    name: String,
    #[schemars(required)]
    value: Option<String>,
}

#[async_trait]
impl TypedAction for Late {
    type Params = LateParams;
    type Outputs = SetOutputs;

    fn describe(&self) -> Description {
        let summary = "Sets a value that a rehearsal need not know";
        Description { name: "fake.late", summary, idempotent: true, observable: true, recoverable: false }
    }

    fn rehearsed_without(&self) -> &'static [&'static str] {
        &["value"]
    }

    fn look_is_harmless(&self, _: &Value) -> bool {
        true
    }

    async fn observe(&self, context: &ActionContext, params: &LateParams) -> Observation {
        self.world.look_at(context.info().step.as_str());
        let before = self.world.values().get(&params.name).cloned().unwrap_or_else(|| "unset".to_owned());
        let after = match (&params.value, context.without("value")) {
            (Some(value), None) if *value == before => {
                return Observation::InPlace {
                    evidence: before,
                    outputs: Default::default(),
                    warnings: Vec::new(),
                };
            }
            (Some(value), None) => value.clone(),
            (None, Some(why)) => format!("set to who knows what: {why}"),
            (value, without) => panic!("{value:?} is given, and {without:?} is said of it"),
        };
        Observation::Pending { change: Change { before, after } }
    }

    async fn apply(&self, context: &ActionContext, params: &LateParams) -> Result<Outcome, Failure> {
        let value = params.value.as_ref().expect("only a rehearsal goes without it");
        self.world.set(context.info().step.as_str(), &params.name, value);
        Ok(Outcome { evidence: format!("{} set to {value}", params.name), ..Outcome::default() })
    }
}
