//! "Did you mean": the known name that is nearest to a misspelt one.

/// Finds the candidate that `given` was probably meant to be, if one is near enough.
///
/// A third of the longer name may differ, transposed neighbours counting once: `timout` finds `timeout`, while
/// `notify` does not find `promote`.
pub fn nearest<'c>(given: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let wanted = normalised(given);
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let name = normalised(candidate);
            let longest = wanted.chars().count().max(name.chars().count());
            // Cheap and safe bound first: a hostile key can be a megabyte long.
            (wanted.len() <= 3 * name.len() + 3).then_some(())?;
            let distance = strsim::osa_distance(&wanted, &name);
            (distance <= longest.div_ceil(3) && distance < longest).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The sentence for [`nearest`], ready to be a problem's help.
pub(crate) fn did_you_mean<'c>(given: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<String> {
    nearest(given, candidates).map(|name| format!("did you mean `{name}`?"))
}

/// Case and the choice of separator are no difference a person would see.
fn normalised(name: &str) -> String {
    name.trim().replace('-', "_").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let keys = ["id", "timeout", "needs", "on_failure", "retry"];
        assert_eq!(nearest("timout", keys), Some("timeout"));
        assert_eq!(nearest("on-failure", keys), Some("on_failure"));
        assert_eq!(nearest("Needs", keys), Some("needs"));
        assert_eq!(nearest("notify", keys), None);
        assert_eq!(nearest("x", keys), None);
        assert_eq!(nearest("gate", ["timeout", "title", "retry"]), None);
        assert_eq!(nearest("x", ["a"]), None);
        assert_eq!(nearest(&"n".repeat(1 << 20), keys), None);
    }
}
