//! Refuses deeply nested templates before they are compiled: the compiler recurses, and a template a few thousand
//! levels deep would end the process instead of giving an error.

use super::Mistake;

/// How deep blocks may be nested, the branches of `else if` counted, and how deep brackets inside one expression.
const MAX_DEPTH: usize = 64;

/// Looks at brackets and block marks alone, so it may count too much (a bracket inside a quoted text), never too little.
pub(super) fn check(text: &str) -> Result<(), Mistake> {
    let mut blocks: Vec<usize> = Vec::new();
    for tag in text.split("{{").skip(1) {
        let mark = tag.trim_start_matches(['{', '~', ' ', '\t', '\r', '\n']);
        if mark.starts_with('/') {
            blocks.pop();
        } else if mark.starts_with('#') {
            blocks.push(1);
        } else if let Some(branches) =
            blocks.last_mut().filter(|_| mark.starts_with("else") || mark.starts_with('^'))
        {
            *branches += 1;
        }
        if blocks.iter().sum::<usize>() > MAX_DEPTH || brackets(tag) > MAX_DEPTH {
            return Err(Mistake::new("", format!("a template may be nested {MAX_DEPTH} deep at most")));
        }
    }
    Ok(())
}

/// The deepest nesting of brackets up to the end of an expression.
fn brackets(tag: &str) -> usize {
    let mut open = 0_usize;
    let mut deepest = 0;
    for byte in tag.bytes() {
        match byte {
            b'(' | b'[' | b'{' => open += 1,
            b')' | b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}
