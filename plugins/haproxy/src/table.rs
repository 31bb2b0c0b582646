//! HAProxy's tables, read by the names in their header: columns come and go between versions, their names stay.

use std::collections::HashMap;

/// A table whose header line starts with `# `.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// One row, by the names of the columns.
pub(crate) type Row<'t> = HashMap<&'t str, &'t str>;

impl Table {
    /// Reads a table with columns between blanks (`show servers state`). `None`: this is not a whole table.
    pub(crate) fn spaced(answer: &str) -> Option<Self> {
        Self::read(answer, |line| line.split_whitespace().map(str::to_owned).collect())
    }

    /// Reads a table with columns between commas (`show stat`). `None`: this is not a whole table.
    pub(crate) fn csv(answer: &str) -> Option<Self> {
        Self::read(answer, split_csv)
    }

    /// A whole table ends with an empty line. Lines before the header (a format number) are not of the table.
    fn read(answer: &str, split: impl Fn(&str) -> Vec<String>) -> Option<Self> {
        let mut lines = answer.strip_suffix("\n\n")?.lines();
        let header = lines.find_map(|line| line.strip_prefix("# "))?;
        Some(Self { columns: split(header), rows: lines.map(split).collect() })
    }

    /// The rows.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let columns = || self.columns.iter().map(String::as_str);
        self.rows.iter().map(move |row| columns().zip(row.iter().map(String::as_str)).collect())
    }
}

/// Splits at commas outside of double quotes; a doubled quote inside quotes is a quote.
fn split_csv(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                push(&mut fields, '"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            c => push(&mut fields, c),
        }
    }
    fields
}

fn push(fields: &mut [String], c: char) {
    if let Some(field) = fields.last_mut() {
        field.push(c);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_name_wherever_they_are() {
        for answer in ["# a,status,b\n1,UP,2\n\n", "# status,a\nUP,\n\n"] {
            let table = Table::csv(answer).unwrap();
            let statuses: Vec<_> = table.rows().map(|row| row["status"].to_owned()).collect();
            assert_eq!(statuses, ["UP"]);
        }
        let table = Table::spaced("1\n# be_id be_name\n2 orders\n3 pay\n\n").unwrap();
        assert_eq!(table.rows().map(|row| row["be_name"].to_owned()).collect::<Vec<_>>(), ["orders", "pay"]);
    }

    #[test]
    fn quoted_commas_do_not_split() {
        assert_eq!(split_csv(r#"a,"b, ""c""",,d"#), ["a", r#"b, "c""#, "", "d"]);
    }

    #[test]
    fn words_and_halves_are_not_tables() {
        for answer in ["", "\n", "Can't find backend.\n\n", "# a,b\n1,2\n"] {
            assert!(Table::csv(answer).is_none(), "{answer:?}");
        }
    }
}
