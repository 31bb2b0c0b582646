//! Reads a file of inputs: a mapping of names to values, with the same limits and refusals as a runbook.

use serde_json::{Map, Value};

use super::compose::compose;
use super::node::NodeKind;
use crate::problem::{Problem, Problems};
use crate::source::Source;

/// Reads a YAML or JSON text as values by name.
///
/// # Errors
/// All problems of the text.
pub fn read_values(source: &Source) -> Result<Map<String, Value>, Problems> {
    let mut problems = Problems::new();
    let values = compose(source, &mut problems).and_then(|root| match &root.kind {
        NodeKind::Mapping(_) | NodeKind::Refused => Ok(root.json(&mut problems)),
        NodeKind::Scalar(_) | NodeKind::Sequence(_) => {
            let message = format!("expected names with values, found {}", root.describe());
            Err(Problem::new("wrong_type", root.span, message).help("write `NAME: VALUE`, one on each line"))
        }
    });
    match values {
        Ok(Some(Value::Object(values))) if problems.is_empty() => Ok(values),
        Ok(_) => {
            problems.sort();
            Err(problems)
        }
        Err(problem) if problem.code == "empty" => {
            let empty = Problem::new("empty", problem.span, "the file is empty");
            Err(empty.help("write `NAME: VALUE`, one on each line").into())
        }
        Err(problem) => {
            problems.push(problem);
            problems.sort();
            Err(problems)
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn codes(text: &str) -> Vec<&'static str> {
        let problems = read_values(&Source::new("inputs.yaml", text)).expect_err("there is a problem");
        problems.iter().map(|problem| problem.code).collect()
    }

    #[test]
    fn values_keep_their_types() {
        let values = read_values(&Source::new("inputs.yaml", "a: 1\nb: [x, 'y']\nc: 10s\n"));
        assert_eq!(values.map(Value::Object), Ok(json!({"a": 1, "b": ["x", "y"], "c": "10s"})));
        let values = read_values(&Source::new("inputs.json", r#"{"a": true}"#));
        assert_eq!(values.map(Value::Object), Ok(json!({"a": true})));
    }

    #[test]
    fn what_is_no_mapping_of_values_is_refused() {
        assert_eq!(codes("- a\n"), ["wrong_type"]);
        let empty = read_values(&Source::new("inputs.yaml", "")).expect_err("there is a problem");
        assert!(empty.iter().all(|problem| !format!("{problem:?}").contains("runbook")), "{empty:?}");
        assert_eq!(codes("a: 1\na: 2\n"), ["duplicate_key"]);
        assert_eq!(codes("a: .inf\n"), ["not_finite"]);
        assert_eq!(codes("a: &x 1\nb: *x\n").len(), 2);
    }
}
