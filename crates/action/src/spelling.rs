//! How a secret may be spelt where it turns up.

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// A shorter line of a secret may well stand elsewhere by chance.
const LINE_BYTES: usize = 8;

/// What a URL's path and query leave as it is, after the WHATWG's URL standard: a client of ours writes it so.
const QUERY: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'\'');
const PATH: &AsciiSet = &QUERY.add(b'?').add(b'^').add(b'`').add(b'{').add(b'}');
/// What everybody leaves as it is: the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// The same after JavaScript's `encodeURIComponent`.
const COMPONENT: &AsciiSet = &RESERVED.remove(b'!').remove(b'*').remove(b'\'').remove(b'(').remove(b')');

/// What a secret may look like in a text: as it is, in JSON, as Rust quotes it, in a URL or a form, in HTML; and the lines
/// of one that has several, such as a key that a shell printed on one line.
pub(crate) fn spellings(value: &str) -> Vec<String> {
    let quoted = Value::String(value.to_owned()).to_string();
    let in_json = quoted[1..quoted.len() - 1].to_owned();
    // As `{:?}` quotes it, which is how serde's messages show a text of the wrong kind.
    let debugged = format!("{value:?}");
    let in_debug = debugged[1..debugged.len() - 1].to_owned();
    let percent = |set: &'static AsciiSet| utf8_percent_encode(value, set).to_string();
    let in_url: Vec<_> = [QUERY, PATH, RESERVED, COMPONENT].map(percent).into_iter().collect();
    let in_small = in_url.iter().map(|text| small_escapes(text)).collect::<Vec<_>>();
    let in_form = in_url.iter().map(|text| text.replace("%20", "+")).collect::<Vec<_>>();
    let in_html = value.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let quoted_html = |quote: &str| in_html.replace('"', "&quot;").replace('\'', quote);
    let html = [quoted_html("&#39;"), quoted_html("&#x27;"), quoted_html("'"), in_html.clone()];
    let is_long = |line: &&str| line.len() >= LINE_BYTES;
    let lines: Vec<_> = match value.contains('\n') {
        true => value.lines().map(str::trim).filter(is_long).map(str::to_owned).collect(),
        false => Vec::new(),
    };
    let plain = [value.to_owned(), in_json, in_debug];
    plain.into_iter().chain(lines).chain(in_url).chain(in_small).chain(in_form).chain(html).collect()
}

/// Percent-encoding with small letters, as some servers write it.
fn small_escapes(text: &str) -> String {
    let mut small = String::with_capacity(text.len());
    let mut escaped = 0;
    for char in text.chars() {
        small.push(if escaped > 0 { char.to_ascii_lowercase() } else { char });
        escaped = if char == '%' { 2 } else { escaped.max(1) - 1 };
    }
    small
}
