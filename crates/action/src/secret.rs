//! Keeping secrets out of everything that is stored or shown.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use aho_corasick::AhoCorasick;
use lifeboat_model::Redact;
use lifeboat_model::redact::Redaction;
use serde_json::Value;

use crate::spelling::spellings;

/// What stands in the place of a secret's value.
pub const MASK: &str = "‹secret›";

/// Knows the values of a run's secrets and masks them in texts.
#[derive(Clone, Default)]
pub struct Masker {
    secrets: Vec<String>,
    /// Finds every form of every secret in one pass; none where there is nothing to find.
    forms: Option<AhoCorasick>,
    /// Keys that stay as they are: names that actions declare, which everybody knows.
    declared: BTreeSet<String>,
}

impl std::fmt::Debug for Masker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Masker").field("secrets", &self.secrets.len()).finish()
    }
}

impl Masker {
    /// Masks these values, however they may be spelt (`spellings`). Empty ones are left out: they would mask everything.
    pub fn new(values: impl IntoIterator<Item = String>) -> Self {
        let secrets: Vec<_> = values.into_iter().filter(|value| !value.is_empty()).collect();
        let forms: BTreeSet<_> = secrets.iter().flat_map(|value| spellings(value)).collect();
        let matcher = |forms| {
            AhoCorasick::new(forms).expect("bug: secrets are much shorter than its limit of gigabytes")
        };
        let forms = (!forms.is_empty()).then(|| matcher(forms));
        Self { secrets, forms, declared: BTreeSet::new() }
    }

    /// The same, with keys that stay as they are in what is stored: the names of outputs, by which templates find them.
    #[must_use = "the masker is returned, not changed in place"]
    pub fn keeping(self, declared: BTreeSet<String>) -> Self {
        Self { declared, ..self }
    }

    /// The secrets' values, for another process that has to mask. They must not come to rest on the way.
    pub fn secrets(&self) -> &[String] {
        &self.secrets
    }

    /// How often secrets occur in a text.
    pub fn count(&self, text: &str) -> usize {
        self.found(text).len()
    }

    /// Whether there is nothing to mask.
    pub fn is_empty(&self) -> bool {
        self.forms.is_none()
    }

    /// The text with every secret's value masked.
    pub fn mask<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let found = self.found(text);
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut masked = String::with_capacity(text.len());
        let mut from = 0;
        for place in found {
            masked.push_str(&text[from..place.start]);
            masked.push_str(MASK);
            from = place.end;
        }
        masked.push_str(&text[from..]);
        Cow::Owned(masked)
    }

    /// Where secrets stand, in order. Those that overlap are one place, so that nothing of either is left.
    fn found(&self, text: &str) -> Vec<Range<usize>> {
        let mut places: Vec<Range<usize>> = Vec::new();
        let all = self.forms.iter().flat_map(|forms| forms.find_overlapping_iter(text));
        // They come in the order of their ends.
        for place in all.map(|found| found.range()) {
            let mut start = place.start;
            while let Some(before) = places.pop_if(|before| before.end > start) {
                start = start.min(before.start);
            }
            places.push(start..place.end);
        }
        places
    }

    /// The same with every secret's value masked.
    pub fn masked<T: Redact>(&self, mut stored: T) -> T {
        let mask = |text: &mut String| {
            if let Cow::Owned(masked) = self.mask(text) {
                *text = masked;
            }
        };
        let mask_key = |key: &mut String| {
            if !self.declared.contains(key) {
                mask(key);
            }
        };
        if !self.is_empty() {
            stored.redact(&Redaction { text: &mask, key: &mask_key });
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
        let pasted = "one\u{a0}two";
        let masker = Masker::new([pasted.to_owned()]);
        assert_eq!(
            masker.mask(&format!("invalid type: string {pasted:?}")),
            "invalid type: string \"‹secret›\""
        );
    }

    #[test]
    fn a_secret_is_masked_as_urls_forms_and_pages_spell_it() {
        let masker = Masker::new(["p@ss w0rd/sécret&key\"x".to_owned()]);
        let spellings = [
            "p@ss%20w0rd/s%C3%A9cret&key%22x",
            "p%40ss%20w0rd%2Fs%C3%A9cret%26key%22x",
            "p%40ss%20w0rd%2fs%c3%a9cret%26key%22x",
            "p%40ss+w0rd%2Fs%C3%A9cret%26key%22x",
            "p@ss w0rd/sécret&amp;key&quot;x",
        ];
        for spelling in spellings {
            assert_eq!(masker.mask(&format!("GET /{spelling}!")), "GET /‹secret›!", "{spelling}");
        }
    }

    #[test]
    fn nothing_is_left_of_secrets_that_overlap() {
        let masker = Masker::new(["xab".to_owned(), "abcdefg".to_owned(), "fgh".to_owned(), "cd".to_owned()]);
        assert_eq!(masker.mask("-xabcdefghi"), "-‹secret›i");
        assert_eq!(masker.mask("-xab cd"), "-‹secret› ‹secret›");
        assert_eq!(masker.count("-xabcdefghi cd"), 2);
    }

    #[test]
    fn occurrences_are_counted() {
        let masker = Masker::new(["hunter".to_owned(), "hunter2".to_owned()]);
        assert_eq!(masker.count("hunter2, hunter, ‹secret›, nobody"), 2);
        assert_eq!(masker.count("nobody"), 0);
        assert_eq!(Masker::default().count("hunter2"), 0);
    }

    #[test]
    fn declared_names_stay_and_keys_of_data_do_not() {
        let masker = Masker::new(["a".to_owned()]).keeping(BTreeSet::from(["stdout_truncated".to_owned()]));
        let Value::Object(outputs) = json!({"stdout_truncated": "a", "json": {"data": 1}}) else { panic!() };
        assert_eq!(
            Value::Object(masker.masked(outputs)),
            json!({"stdout_truncated": "‹secret›", "json": {"d‹secret›t‹secret›": 1}})
        );
    }

    #[test]
    fn values_are_masked_everywhere_in_json() {
        let masker = Masker::new(["pw".to_owned()]);
        let mut value = json!({"pw": ["x pw y", 1, {"a": "pw"}]});
        masker.mask_value(&mut value);
        assert_eq!(value, json!({"‹secret›": ["x ‹secret› y", 1, {"a": "‹secret›"}]}));
    }
}
