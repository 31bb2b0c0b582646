//! "Did you mean": the known word that is nearest to a misspelt one.

/// The candidate nearest to `word`, if one is near enough to be a likely misspelling.
pub fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let allowed = (word.chars().count() / 3).max(1) + 1;
    let distance = |candidate: &&str| strsim::damerau_levenshtein(word, candidate);
    candidates
        .into_iter()
        .map(|candidate| (distance(&candidate), candidate))
        .filter(|(d, _)| *d <= allowed)
        .min()
        .map(|(_, c)| c)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn only_near_words_are_offered() {
        let known = ["timeout", "title", "retry"];
        assert_eq!(nearest("timout", known), Some("timeout"));
        assert_eq!(nearest("gate", known), None);
    }
}
