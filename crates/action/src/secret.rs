//! Keeping secrets out of everything that is stored or shown.

use std::borrow::Cow;

use lifeboat_model::Texts;
use serde_json::Value;

/// What stands in the place of a secret's value.
pub const MASK: &str = "‹secret›";

/// Knows the values of a run's secrets and masks them in texts.
#[derive(Clone, Default)]
pub struct Masker {
    secrets: Vec<String>,
    /// What to look for. Longest first, so that a secret that contains another is masked whole.
    forms: Vec<String>,
}

impl std::fmt::Debug for Masker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Masker").field("secrets", &self.secrets.len()).finish()
    }
}

impl Masker {
    /// Masks these values, also where they stand in JSON, and the lines of one that has several, such as a key that a
    /// shell printed on one line. Empty ones are left out: they would mask everything.
    pub fn new(values: impl IntoIterator<Item = String>) -> Self {
        let secrets: Vec<_> = values.into_iter().filter(|value| !value.is_empty()).collect();
        let mut forms: Vec<_> = secrets.iter().flat_map(|value| forms(value)).collect();
        forms.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        forms.dedup();
        Self { secrets, forms }
    }

    /// The secrets' values, for another process that has to mask. They must not come to rest on the way.
    pub fn secrets(&self) -> &[String] {
        &self.secrets
    }

    /// How often secrets occur in a text.
    pub fn count(&self, text: &str) -> usize {
        let masked = self.mask(text);
        if masked == text { 0 } else { masked.matches(MASK).count() - text.matches(MASK).count() }
    }

    /// Whether there is nothing to mask.
    pub fn is_empty(&self) -> bool {
        self.forms.is_empty()
    }

    /// The text with every secret's value masked.
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.forms.iter().fold(Cow::Borrowed(text), |text, value| {
            if text.contains(value.as_str()) { Cow::Owned(text.replace(value.as_str(), MASK)) } else { text }
        })
    }

    /// The same with every secret's value masked.
    pub fn masked<T: Texts>(&self, mut stored: T) -> T {
        if !self.is_empty() {
            stored.each_text(&|text| {
                if let Cow::Owned(masked) = self.mask(text) {
                    *text = masked;
                }
            });
        }
        stored
    }

    /// Masks every text inside a JSON value, keys included.
    pub fn mask_value(&self, value: &mut Value) {
        if self.is_empty() {
            return;
        }
        match value {
            Value::String(text) => {
                if let Cow::Owned(masked) = self.mask(text) {
                    *text = masked;
                }
            }
            Value::Array(items) => items.iter_mut().for_each(|item| self.mask_value(item)),
            Value::Object(map) => {
                let masked = std::mem::take(map).into_iter().map(|(key, mut item)| {
                    self.mask_value(&mut item);
                    (self.mask(&key).into_owned(), item)
                });
                *map = masked.collect();
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}

/// A shorter line of a secret may well stand elsewhere by chance.
const LINE_BYTES: usize = 8;

/// What a secret may look like in a text.
fn forms(value: &str) -> Vec<String> {
    let quoted = Value::String(value.to_owned()).to_string();
    let in_json = quoted[1..quoted.len() - 1].to_owned();
    let is_long = |line: &&str| line.len() >= LINE_BYTES;
    let lines: Vec<_> = match value.contains('\n') {
        true => value.lines().map(str::trim).filter(is_long).map(str::to_owned).collect(),
        false => Vec::new(),
    };
    [value.to_owned(), in_json].into_iter().chain(lines).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn longer_secrets_are_masked_whole() {
        let masker = Masker::new(["hunter".to_owned(), "hunter2".to_owned(), String::new()]);
        assert_eq!(masker.mask("is hunter2 or hunter"), "is ‹secret› or ‹secret›");
    }

    #[test]
    fn a_secret_is_masked_in_whatever_form_it_comes() {
        let masker = Masker::new(["-----BEGIN KEY-----\nMIIEvQIBADAN\nq\n".to_owned(), "a\"b".to_owned()]);
        assert_eq!(masker.mask("-----BEGIN KEY----- MIIEvQIBADAN q"), "‹secret› ‹secret› q");
        assert_eq!(
            masker.mask(r#"{"key":"-----BEGIN KEY-----\nMIIEvQIBADAN\nq\n"}"#),
            r#"{"key":"‹secret›"}"#
        );
        assert_eq!(masker.mask(r#"a"b or {"p":"a\"b"}"#), r#"‹secret› or {"p":"‹secret›"}"#);
    }

    #[test]
    fn occurrences_are_counted() {
        let masker = Masker::new(["hunter".to_owned(), "hunter2".to_owned()]);
        assert_eq!(masker.count("hunter2, hunter, ‹secret›, nobody"), 2);
        assert_eq!(masker.count("nobody"), 0);
        assert_eq!(Masker::default().count("hunter2"), 0);
    }

    #[test]
    fn values_are_masked_everywhere_in_json() {
        let masker = Masker::new(["pw".to_owned()]);
        let mut value = json!({"pw": ["x pw y", 1, {"a": "pw"}]});
        masker.mask_value(&mut value);
        assert_eq!(value, json!({"‹secret›": ["x ‹secret› y", 1, {"a": "‹secret›"}]}));
    }
}
