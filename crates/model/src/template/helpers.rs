//! The helpers that templates may call. A value that a helper has no use for is an error, never quietly false or empty.

use std::cmp::Ordering;
use std::sync::LazyLock;

use handlebars::{
    Context, Handlebars, Helper, HelperDef, RenderContext, RenderError, RenderErrorReason, ScopedJson,
};
use serde_json::{Number, Value};

use crate::kind;

/// What templates are rendered with.
pub(super) static HANDLEBARS: LazyLock<Handlebars<'static>> = LazyLock::new(|| {
    let mut handlebars = Handlebars::new();
    handlebars.set_strict_mode(true);
    handlebars.register_escape_fn(handlebars::no_escape);
    for (name, compute) in ALL {
        handlebars.register_helper(name, Box::new(Computes { name, compute: *compute }));
    }
    handlebars
});

/// Checks that a value can be part of a text. No template can write this name.
pub(super) const PART_OF_TEXT: &str = "a part of a text";

/// Checks that a value can be gone through. No template can write this name.
pub(super) const ITEMS: &str = "the items of each";

type Compute = fn(&str, &[Given<'_>]) -> Result<Value, String>;

/// All but those that only ask whether something is true, which are as handlebars has them.
const ALL: &[(&str, Compute)] = &[
    ("eq", |name, given| equal(name, given).map(Value::Bool)),
    ("ne", |name, given| equal(name, given).map(|equal| Value::Bool(!equal))),
    ("gt", |name, given| order(name, given).map(|order| Value::Bool(order.is_gt()))),
    ("gte", |name, given| order(name, given).map(|order| Value::Bool(order.is_ge()))),
    ("lt", |name, given| order(name, given).map(|order| Value::Bool(order.is_lt()))),
    ("lte", |name, given| order(name, given).map(|order| Value::Bool(order.is_le()))),
    ("len", len),
    ("lookup", lookup),
    ("json", |_, given| Ok(Value::String(first(given).value.to_string()))),
    ("shell", |_, given| text(first(given)).map(|text| Value::String(shell_word(&text)))),
    (PART_OF_TEXT, |_, given| text(first(given)).map(Value::String)),
    (ITEMS, items),
];

/// A value that a helper is given.
struct Given<'v> {
    /// Its name as written, or its place among the values: never the value, which may be secret.
    name: String,
    value: &'v Value,
}

/// A helper that makes one value of others, all of which are there.
struct Computes {
    name: &'static str,
    compute: Compute,
}

impl HelperDef for Computes {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let places = match helper.params().len() {
            1 => ["the value", ""],
            _ => ["its first value", "its second value"],
        };
        let mut given = Vec::new();
        for (at, param) in helper.params().iter().enumerate() {
            if param.is_value_missing() {
                return Err(RenderErrorReason::MissingVariable(param.relative_path().cloned()).into());
            }
            let place = places.get(at).copied().unwrap_or_default();
            let name = param.relative_path().map_or_else(|| place.to_owned(), |name| format!("`{name}`"));
            given.push(Given { name, value: param.value() });
        }
        let value = (self.compute)(self.name, &given).map_err(RenderErrorReason::Other)?;
        Ok(ScopedJson::Derived(value))
    }
}

/// How many values each helper takes was checked with the template.
fn first<'g, 'v>(given: &'g [Given<'v>]) -> &'g Given<'v> {
    given.first().expect("bug: a helper without a value")
}

fn both<'g, 'v>(given: &'g [Given<'v>]) -> (&'g Given<'v>, &'g Given<'v>) {
    let [a, b, ..] = given else { panic!("bug: a helper without two values") };
    (a, b)
}

/// Whether two values of one kind are equal; nothing but null is equal to null.
fn equal(name: &str, given: &[Given<'_>]) -> Result<bool, String> {
    let (a, b) = both(given);
    match (a.value, b.value) {
        (Value::Number(a), Value::Number(b)) => Ok(numbers(a, b).is_eq()),
        (Value::Null, _) | (_, Value::Null) => Ok(a.value == b.value),
        (x, y) if kind::of(x) == kind::of(y) => Ok(x == y),
        (x, y) => Err(format!(
            "`{name}` cannot be decided: {} is {}, and {} is {}; compare values of one kind",
            a.name,
            kind::of(x),
            b.name,
            kind::of(y)
        )),
    }
}

/// The order of two numbers: of nothing else is it known what greater means.
fn order(name: &str, given: &[Given<'_>]) -> Result<Ordering, String> {
    let (a, b) = both(given);
    match (a.value, b.value) {
        (Value::Number(a), Value::Number(b)) => Ok(numbers(a, b)),
        (Value::Number(_), _) => Err(no_number(name, b)),
        _ => Err(no_number(name, a)),
    }
}

fn no_number(helper: &str, given: &Given<'_>) -> String {
    format!(
        "`{helper}` cannot be decided: {} is {}; it compares two numbers",
        given.name,
        kind::of(given.value)
    )
}

fn numbers(a: &Number, b: &Number) -> Ordering {
    match (a.as_i128(), b.as_i128()) {
        (Some(a), Some(b)) => a.cmp(&b),
        _ => {
            let float = |number: &Number| number.as_f64().expect("bug: every JSON number has a value");
            float(a).total_cmp(&float(b))
        }
    }
}

fn len(_: &str, given: &[Given<'_>]) -> Result<Value, String> {
    let given = first(given);
    match given.value {
        Value::Array(items) => Ok(items.len().into()),
        Value::Object(map) => Ok(map.len().into()),
        Value::String(text) => Ok(text.len().into()),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_)) => {
            Err(format!("{} is {}, it has no length", given.name, kind::of(other)))
        }
    }
}

fn lookup(_: &str, given: &[Given<'_>]) -> Result<Value, String> {
    let (from, place) = both(given);
    let found = match from.value {
        Value::Array(items) => {
            place.value.as_u64().and_then(|at| usize::try_from(at).ok()).and_then(|at| items.get(at))
        }
        Value::Object(map) => place.value.as_str().and_then(|key| map.get(key)),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
            return Err(format!("{} is {}, there is nothing in it to look up", from.name, kind::of(other)));
        }
    };
    found
        .cloned()
        .ok_or_else(|| format!("in {} there is nothing at the place that {} says", from.name, place.name))
}

fn items(_: &str, given: &[Given<'_>]) -> Result<Value, String> {
    let given = first(given);
    match given.value {
        Value::Array(_) | Value::Object(_) => Ok(given.value.clone()),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
            Err(format!("{} is {}, `each` needs a list", given.name, kind::of(other)))
        }
    }
}

/// A value as part of a text.
fn text(given: &Given<'_>) -> Result<String, String> {
    let refuse = |help| {
        Err(format!("{} is {}, which has no place in a text: {help}", given.name, kind::of(given.value)))
    };
    match given.value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(_) | Value::Number(_) => Ok(given.value.to_string()),
        Value::Null => refuse("use it only where it has a value, or write `json`"),
        Value::Array(_) => refuse("pick an item, go through it with `each`, write `json`, or use it alone"),
        Value::Object(_) => refuse("pick a field, write `json`, or use it alone"),
    }
}

/// One word of a POSIX shell, in single quotes.
fn shell_word(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}
