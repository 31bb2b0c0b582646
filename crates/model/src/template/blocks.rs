//! What is wrong with the blocks and braces of a template that does not compile, in words: the compiler lists its
//! grammar.

use super::Mistake;

/// The first block or brace that is not closed, or closed without being open.
pub(super) fn unbalanced(text: &str) -> Option<Mistake> {
    let mut open: Vec<&str> = Vec::new();
    for (before, tag) in tags(text) {
        if before.ends_with('\\') {
            continue;
        }
        let Some((inside, _)) = tag.split_once("}}") else {
            return Some(
                Mistake::new("", "the braces `{{` are not closed").help("end the expression with `}}`"),
            );
        };
        let mark = inside.trim_start_matches(['{', '~', ' ', '\t', '\r', '\n']);
        if let Some(name) = mark.strip_prefix('#') {
            open.push(word(name));
        } else if let Some(name) = mark.strip_prefix('/').map(word)
            && open.pop_if(|opened| *opened == name).is_none()
        {
            return Some(closed_wrongly(open.last().copied(), name));
        }
    }
    open.last().map(|name| {
        Mistake::new("", format!("the block `{name}` is not closed"))
            .help(format!("end it with `{{{{/{name}}}}}`"))
    })
}

fn closed_wrongly(open: Option<&str>, name: &str) -> Mistake {
    match open {
        Some(open) => Mistake::new("", format!("the block `{open}` is open where `{name}` is closed"))
            .help(format!("end it first, with `{{{{/{open}}}}}`")),
        None => Mistake::new("", format!("the block `{name}` is closed and was not opened"))
            .help(format!("begin it with `{{{{#{name} …}}}}`")),
    }
}

/// What stands before and behind each `{{`.
fn tags(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.match_indices("{{").map(|(at, braces)| (&text[..at], &text[at + braces.len()..]))
}

fn word(text: &str) -> &str {
    text.trim_start().split(|c: char| c.is_whitespace() || c == '~').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::unbalanced;

    #[test]
    fn blocks_and_braces_are_told_apart() {
        let message = |text: &str| unbalanced(text).map(|mistake| mistake.message);
        let said = |text: &str| message(text).unwrap_or_default();
        assert_eq!(said("{{#if a}} b"), "the block `if` is not closed");
        assert_eq!(said("{{#if a}}{{#each b}}{{/if}}"), "the block `each` is open where `if` is closed");
        assert_eq!(said("a {{/each}}"), "the block `each` is closed and was not opened");
        assert_eq!(said("a {{ b"), "the braces `{{` are not closed");
        assert_eq!(message("{{#if a}}\\{{#if}} {{~else~}} {{/if}}"), None);
    }
}
