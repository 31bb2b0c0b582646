//! Columns of text, as wide as their widest cell.

use anstream::adapter::strip_str;
use unicode_width::UnicodeWidthStr as _;

/// The rows in lines. The last column is not filled up; blank ends of lines are cut.
pub fn rendered<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| rows.iter().map(|row| visible(&row[column])).max().unwrap_or_default();
    let widths: [usize; N] = std::array::from_fn(width);
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width - visible(cell) + 2));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// How many columns a cell takes on a screen.
fn visible(cell: &str) -> usize {
    strip_str(cell).to_string().width()
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_line_up_whatever_is_in_them() {
        let rows = [["ab", "x", "1"], ["漢字", "\u{1b}[1my\u{1b}[0m", "22"]];
        let rows = rows.map(|row| row.map(str::to_owned));
        assert_eq!(super::rendered(&rows), "ab    x  1\n漢字  \u{1b}[1my\u{1b}[0m  22\n");
    }
}
