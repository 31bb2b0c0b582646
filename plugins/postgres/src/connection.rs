//! The parameters that say how to reach a server, the same in every action.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use lifeboat_action::ParamProblem;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::address::Address;
use crate::tls::SslMode;

/// Declares the parameters of an action: those of the connection, then the action's own.
///
/// A macro, because `serde(flatten)` switches `deny_unknown_fields` off and hides the fields from the schema, and a
/// nested object would make every author write `connection: { host: db-a }`.
macro_rules! params_with_connection {
    ($(#[$meta:meta])* pub(crate) struct $name:ident { $($own:tt)* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, serde::Deserialize, schemars::JsonSchema)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name {
            /// The server: `db-a`, `db-a:5433` or `[2001:db8::1]:5433`.
            host: String,
            /// Its port, when `host` does not say it; 5432 by default.
            #[serde(default)]
            #[schemars(range(min = 1))]
            port: Option<u16>,
            /// The role to log in as.
            #[serde(default = "crate::connection::default_user")]
            user: String,
            /// Its password: a secret.
            #[serde(default)]
            password: Option<crate::connection::Password>,
            /// The database to connect to.
            #[serde(default = "crate::connection::default_database")]
            database: String,
            /// Whether the connection is encrypted, and whether the server's certificate is checked.
            #[serde(default)]
            sslmode: crate::tls::SslMode,
            /// Certificates to trust instead of the public ones, as a PEM file; for `sslmode: verify-full`.
            #[serde(default)]
            ca_file: Option<std::path::PathBuf>,
            /// How long the server may take to accept a connection and log in; 3s by default.
            #[serde(default = "crate::connection::default_connect_timeout", with = "lifeboat_action::duration")]
            #[schemars(schema_with = "lifeboat_action::duration::schema")]
            connect_timeout: std::time::Duration,
            /// How long the server may work on one statement; 10s by default. It takes the place of what the role or
            /// the server has set.
            #[serde(default = "crate::connection::default_statement_timeout", with = "lifeboat_action::duration")]
            #[schemars(schema_with = "lifeboat_action::duration::schema")]
            statement_timeout: std::time::Duration,
            $($own)*
        }

        impl $name {
            /// The server these parameters name.
            fn target(&self) -> Result<crate::connection::Target, lifeboat_action::ParamProblem> {
                crate::connection::Target {
                    address: crate::address::Address::of(&self.host, self.port)?,
                    user: self.user.clone(),
                    password: self.password.clone(),
                    database: self.database.clone(),
                    sslmode: self.sslmode,
                    ca_file: self.ca_file.clone(),
                    connect_timeout: self.connect_timeout,
                    statement_timeout: self.statement_timeout,
                }
                .checked()
            }
        }
    };
}

pub(crate) use params_with_connection;

/// A server, and how to log in to it.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) address: Address,
    pub(crate) user: String,
    pub(crate) password: Option<Password>,
    pub(crate) database: String,
    pub(crate) sslmode: SslMode,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) connect_timeout: Duration,
    pub(crate) statement_timeout: Duration,
}

impl Target {
    /// Refuses settings that would be ignored, or that could not be used.
    pub(crate) fn checked(self) -> Result<Self, ParamProblem> {
        if self.ca_file.is_some() && self.sslmode != SslMode::VerifyFull {
            let problem = ParamProblem::new("`ca_file` is only used with `sslmode: verify-full`");
            return Err(problem.about(["ca_file"]).about(["sslmode"]));
        }
        if self.connect_timeout.is_zero() {
            let problem = ParamProblem::new("`connect_timeout` must be longer than 0s");
            return Err(problem.about(["connect_timeout"]));
        }
        if self.statement_timeout.as_millis() == 0 || self.statement_timeout.as_millis() > i32::MAX as u128 {
            let problem = ParamProblem::new("`statement_timeout` must lie between 1ms and 24 days");
            return Err(problem.about(["statement_timeout"]));
        }
        Ok(self)
    }

    /// The same login at another address.
    pub(crate) fn at(&self, address: Address) -> Self {
        Self { address, ..self.clone() }
    }
}

/// A password. Neither its `Debug` nor an error about it shows it.
#[derive(Clone)]
pub(crate) struct Password(String);

impl Password {
    /// The password itself, for the login.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

impl<'de> Deserialize<'de> for Password {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self(text)),
            // serde's own message would quote the value.
            _ => Err(D::Error::custom("the password is not a text: put it in quotes")),
        }
    }
}

impl JsonSchema for Password {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Password".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "writeOnly": true})
    }
}

pub(crate) fn default_user() -> String {
    "postgres".to_owned()
}

pub(crate) fn default_database() -> String {
    "postgres".to_owned()
}

pub(crate) fn default_connect_timeout() -> Duration {
    Duration::from_secs(3)
}

pub(crate) fn default_statement_timeout() -> Duration {
    Duration::from_secs(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_shown() {
        let password: Password = serde_json::from_str("\"hunter2\"").unwrap();
        assert!(!format!("{password:?}").contains("hunter2"));
        let error = serde_json::from_str::<Password>("271828").unwrap_err();
        assert!(!error.to_string().contains("271828"), "{error}");
    }
}
