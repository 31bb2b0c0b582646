//! A compiled template means what its text means to handlebars, with every value of the run at hand.

use std::borrow::Cow;

use handlebars::Handlebars;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::helpers::HANDLEBARS;
use super::render::Rendered;
use super::{Found, Reference, Scope, Template};
use crate::source::Span;

/// A run in which everything is known.
struct Everything(Value);

impl Everything {
    fn new(secret: &str) -> Self {
        Self(json!({
            "inputs": {
                "port": 5432, "host": "db-a", "on": true, "ratio": 1.5, "hosts": ["a", "b"],
                "braces": "{{ mode }} \\{{ x }}", "empty": [],
            },
            "secrets": { "token": secret },
            "steps": { "done": { "n": null, "json": { "ok": false, "rows": [{ "n": 7 }, { "n": 8 }] } } },
            "mode": "drill",
            "run": { "id": "run_1" },
        }))
    }

    fn at(&self, path: &[&str]) -> Option<&Value> {
        path.iter().try_fold(&self.0, |value, key| value.get(key))
    }
}

impl Scope for Everything {
    fn find(&self, reference: &Reference) -> Found<'_> {
        let root = match reference {
            Reference::Input { name, .. } => self.at(&["inputs", name]),
            Reference::Secret { name } => {
                return self.at(&["secrets", name]).map_or(Found::Nothing, Found::Secret);
            }
            Reference::Output { step, output, .. } => self.at(&["steps", step, output]),
            Reference::Mode => return Found::Known(Cow::Owned(self.0["mode"].clone())),
            Reference::RunId => self.at(&["run", "id"]),
        };
        Found::known(root.and_then(|value| reference.lead_into(value)))
    }

    fn mask(&self) -> &str {
        "***"
    }
}

/// The value of an expression as handlebars renders it from its text.
fn by_text(text: &str, is_one_expression: bool, run: &Everything) -> Option<Value> {
    let handlebars: &Handlebars<'_> = &HANDLEBARS;
    if !is_one_expression {
        return handlebars.render_template(text, &run.0).ok().map(Value::String);
    }
    let expression = text.trim_start_matches("{{").trim_end_matches("}}").trim_matches('~').trim();
    let is_call = expression.contains(' ') && !expression.starts_with('(');
    let expression = if is_call { format!("({expression})") } else { expression.to_owned() };
    let rendered = handlebars.render_template(&format!("{{{{json {expression}}}}}"), &run.0).ok()?;
    serde_json::from_str(&rendered).ok()
}

/// Names whose values have a place in a text.
const PLAIN: &[&str] = &[
    "inputs.port",
    "inputs.host",
    "inputs.on",
    "inputs.ratio",
    "inputs.braces",
    "inputs.hosts.[1]",
    "secrets.token",
    "steps.done.json.ok",
    "steps.done.json.rows.[0].n",
    "mode",
    "run.id",
];
/// Names whose values need a helper.
const OTHER: &[&str] =
    &["inputs.hosts", "inputs.empty", "steps.done.n", "steps.done.json", "steps.done.json.rows"];

fn name() -> impl Strategy<Value = String> {
    proptest::sample::select(PLAIN).prop_map(str::to_owned)
}

/// A call that has a value.
fn call() -> impl Strategy<Value = String> {
    let any = proptest::sample::select([PLAIN, OTHER].concat()).prop_map(str::to_owned);
    let number = proptest::sample::select(vec!["inputs.port", "inputs.ratio", "7", "-1.5"]);
    prop_oneof![
        any.clone().prop_map(|name| format!("json {name}")),
        name().prop_map(|name| format!("shell {name}")),
        any.clone().prop_map(|name| format!("not {name}")),
        (any.clone(), any).prop_map(|(a, b)| format!("or {a} (and {b} true)")),
        (number.clone(), number).prop_map(|(a, b)| format!("lte {a} {b}")),
        name().prop_map(|name| format!("eq {name} {name}")),
        (0..2_u8).prop_map(|at| format!("lookup inputs.hosts {at}")),
        Just("len steps.done.json.rows".to_owned()),
    ]
}

fn expression() -> impl Strategy<Value = String> {
    let inside = prop_oneof![name(), call(), call().prop_map(|call| format!("({call})"))];
    (inside, any::<bool>()).prop_map(|(inside, trims)| match trims {
        true => format!("{{{{~ {inside} ~}}}}"),
        false => format!("{{{{ {inside} }}}}"),
    })
}

/// Texts around expressions, also inside of blocks.
fn text() -> impl Strategy<Value = String> {
    let plain = "[ a-z:\n\"'$]{0,5}";
    let leaf = prop_oneof![plain, expression(), Just("\\{{ literal }}".to_owned())];
    leaf.prop_recursive(3, 12, 3, move |inner| {
        let inner = || inner.clone();
        prop_oneof![
            (inner(), inner()).prop_map(|(a, b)| a + &b),
            (name(), inner(), inner()).prop_map(|(name, a, b)| {
                format!("{{{{#if {name}}}}}{a}{{{{else}}}}{b}{{{{/if}}}}")
            }),
            plain.prop_map(|text| format!(
                "{{{{#each inputs.hosts}}}}{{{{ @index }}}}{text}{{{{ this }}}}{{{{ @root.inputs.port }}}}{{{{/each}}}}"
            )),
            inner().prop_map(|a| format!("{{{{#unless inputs.empty}}}}{a}{{{{/unless}}}}")),
        ]
    })
}

proptest! {
    #[test]
    fn a_compiled_template_has_the_value_of_its_text(text in prop_oneof![expression(), text()]) {
        let template = Template::new(text.as_str(), Span::default());
        prop_assert_eq!(template.mistakes(), []);
        let (run, masked_run) = (Everything::new("hunter2"), Everything::new("***"));
        for time in ["first", "again"] {
            let Ok(Rendered::Known { value, masked }) = template.render(&run) else {
                panic!("{text} has no value: {:?}", template.render(&run));
            };
            let is_one = template.is_one_expression();
            prop_assert_eq!(Some(value), by_text(&text, is_one, &run), "{} time", time);
            prop_assert_eq!(Some(masked), by_text(&text, is_one, &masked_run), "{} time", time);
        }
    }
}
