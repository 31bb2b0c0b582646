//! The inputs of a run, from a file and by name.

use std::collections::BTreeMap;

use lifeboat_model::{Given, Problems, Source, read_values};

/// What a run is given. A value that is given by name wins over the same one in a file.
#[derive(Debug, Clone, Default)]
pub struct Inputs {
    in_file: BTreeMap<String, Given>,
    by_name: BTreeMap<String, Given>,
}

/// An input was given twice by name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("input `{name}` is given twice")]
pub struct GivenTwice {
    /// Which.
    pub name: String,
}

impl Inputs {
    /// Takes the values of a YAML or JSON file.
    ///
    /// # Errors
    /// All problems of the file.
    pub fn read(&mut self, source: &Source) -> Result<(), Problems> {
        let values = read_values(source)?;
        self.in_file.extend(values.into_iter().map(|(name, value)| (name, Given::Json(value))));
        Ok(())
    }

    /// Takes a value by name.
    ///
    /// # Errors
    /// When there is one by that name.
    pub fn give(&mut self, name: &str, value: Given) -> Result<(), GivenTwice> {
        match self.by_name.insert(name.to_owned(), value) {
            None => Ok(()),
            Some(_) => Err(GivenTwice { name: name.to_owned() }),
        }
    }

    /// All of them.
    pub(crate) fn all(self) -> BTreeMap<String, Given> {
        let mut all = self.in_file;
        all.extend(self.by_name);
        all
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_that_is_given_by_name_wins_and_is_given_once() {
        let mut inputs = Inputs::default();
        inputs.read(&Source::new("inputs.yaml", "a: 1\nb: 2\n")).expect("it is a map");
        inputs.give("a", Given::Text("3".to_owned())).expect("the first");
        let twice = inputs.give("a", Given::Text("4".to_owned()));
        assert_eq!(twice, Err(GivenTwice { name: "a".to_owned() }));
        let mut inputs = Inputs::default();
        inputs.read(&Source::new("inputs.yaml", "a: 1\nb: 2\n")).expect("it is a map");
        inputs.give("a", Given::Text("3".to_owned())).expect("the first");
        let all = inputs.all();
        assert_eq!(all["a"], Given::Text("3".to_owned()));
        assert_eq!(all["b"], Given::Json(json!(2)));
    }
}
