//! Serde and schema for a duration among an action's parameters, written as `10s`, `2m` or `1h 30m`. Use it with
//! `#[serde(with = "lifeboat_action::duration")] #[schemars(schema_with = "lifeboat_action::duration::schema")]`.

use std::time::Duration;

use jiff::SignedDuration;
use lifeboat_model::duration::{HOW_TO_WRITE, NotADuration, parse};
use schemars::{Schema, json_schema};
use serde::{Deserialize, Deserializer, Serializer};

/// For `#[serde(with)]`.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let wrong =
        |wrong: NotADuration| serde::de::Error::custom(format!("{}: {HOW_TO_WRITE}", wrong.message(&text)));
    Ok(parse(&text).map_err(wrong)?.unsigned_abs())
}

/// For `#[serde(with)]`.
pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    let signed = SignedDuration::try_from(*duration).unwrap_or(SignedDuration::MAX);
    serializer.collect_str(&format_args!("{signed:#}"))
}

/// For `#[schemars(schema_with)]`.
pub fn schema(_: &mut schemars::SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "format": "duration"})
}

/// The same for a duration that may be left out, with `#[serde(default, with = …)]`.
pub mod option {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    /// For `#[serde(with)]`.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
        #[derive(Deserialize)]
        #[serde(transparent)]
        struct Given(#[serde(with = "super")] Duration);
        Ok(Option::<Given>::deserialize(deserializer)?.map(|given| given.0))
    }

    /// For `#[serde(with)]`.
    pub fn serialize<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => super::serialize(duration, serializer),
            None => serializer.serialize_none(),
        }
    }
}
