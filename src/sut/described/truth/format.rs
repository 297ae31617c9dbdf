//! The formats of bodies and outputs, and how they are taken apart into records.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::error::Problem;
use super::limits::RECORDS_MAX;
use super::record::Record;

/// The format of a body or output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(in crate::sut) enum Format {
    /// A document of JSON, in which a list of records is.
    Json,
    /// A value of JSON on each line.
    Ndjson,
    /// Comma-separated values, with the names of the columns in the first row.
    Csv,
    /// The same with tabulators, without quotes; the client of MySQL writes it.
    Tsv,
    /// A text on each line.
    Lines,
}

/// The problem of a source with too many records.
pub(super) fn too_many() -> Problem {
    Problem::lasting(format!("there are more than {RECORDS_MAX} records: let the source select"))
}

impl Format {
    /// Takes a body apart. `list` is the pointer to the records of a document.
    pub(super) fn records(self, body: &[u8], list: &str) -> Result<Vec<Record>, Problem> {
        match self {
            Self::Json => of_document(document(body)?, list),
            Self::Ndjson => of_lines(body, |line| {
                let value = serde_json::from_str(line);
                value.map(Record::of_json).map_err(|error| format!("is no JSON: {error}"))
            }),
            Self::Lines => of_lines(body, |line| Ok(Record::of_text(line.to_owned()))),
            Self::Csv => of_csv(body),
            Self::Tsv => of_tsv(body),
        }
    }
}

/// The names of the columns of a table, if there is one.
pub(super) fn columns(format: Format, body: &[u8]) -> Vec<String> {
    let names: Vec<String> = match format {
        Format::Csv => match csv::Reader::from_reader(without_mark(body)).byte_headers() {
            Ok(names) => names.iter().map(|name| String::from_utf8_lossy(name).into()).collect(),
            // The same error comes when the rows are read.
            Err(_) => Vec::new(),
        },
        Format::Tsv => {
            let text = String::from_utf8_lossy(body);
            text.lines().next().unwrap_or_default().split('\t').map(str::to_owned).collect()
        }
        Format::Json | Format::Ndjson | Format::Lines => Vec::new(),
    };
    let names = names.into_iter().map(|name| name.trim().to_owned());
    names.filter(|name| !name.is_empty()).collect()
}

/// Reads a document of JSON.
pub(super) fn document(body: &[u8]) -> Result<Value, Problem> {
    serde_json::from_slice(body).map_err(|error| {
        // A broken answer of a restarting server may be a whole one at the next try.
        Problem::passing(format!("it is no JSON ({error}): give its `format`"))
    })
}

/// The records of a document.
pub(super) fn of_document(mut document: Value, list: &str) -> Result<Vec<Record>, Problem> {
    let problem = |is| {
        let place = if list.is_empty() { "the document".to_owned() } else { format!("`{list}`") };
        Problem::lasting(format!("{place} is {is}: let `list` be the pointer to the array"))
    };
    match document.pointer_mut(list).map(Value::take) {
        Some(Value::Array(records)) if records.len() > RECORDS_MAX => Err(too_many()),
        Some(Value::Array(records)) => Ok(records.into_iter().map(Record::of_json).collect()),
        Some(_) => Err(problem("no array")),
        None => Err(problem("not in the answer")),
    }
}

fn of_lines(
    body: &[u8],
    record: impl Fn(&str) -> Result<Record, String>,
) -> Result<Vec<Record>, Problem> {
    let text = String::from_utf8_lossy(body);
    let mut records = Vec::new();
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let problem = |error| Problem::lasting(format!("line {} {error}", at + 1));
        records.push(record(line).map_err(problem)?);
        if records.len() > RECORDS_MAX {
            return Err(too_many());
        }
    }
    Ok(records)
}

/// A body without the byte order mark with which some programs begin; it is no part of a column's
/// name.
fn without_mark(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

fn of_csv(body: &[u8]) -> Result<Vec<Record>, Problem> {
    let mut reader = csv::Reader::from_reader(without_mark(body));
    let invalid = |error: csv::Error| Problem::lasting(format!("it is no CSV: {error}"));
    let lossy = |row: &csv::ByteRecord| -> Vec<String> {
        row.iter().map(|cell| String::from_utf8_lossy(cell).into_owned()).collect()
    };
    let names = lossy(reader.byte_headers().map_err(invalid)?);
    let names: Arc<[Box<str>]> = names.iter().map(|name| name.trim().into()).collect();
    let mut records = Vec::new();
    for row in reader.into_byte_records() {
        let row = row.map_err(invalid)?;
        records.push(Record::default().with(Arc::clone(&names), lossy(&row)));
        if records.len() > RECORDS_MAX {
            return Err(too_many());
        }
    }
    Ok(records)
}

/// Rows with escapes as the client of MySQL writes them, and its NULL.
fn of_tsv(body: &[u8]) -> Result<Vec<Record>, Problem> {
    let text = String::from_utf8_lossy(body);
    let mut lines = text.lines();
    let names: Arc<[Box<str>]> =
        lines.next().unwrap_or_default().split('\t').map(|name| name.trim().into()).collect();
    let mut records = Vec::new();
    for (at, line) in lines.enumerate() {
        let cell = |cell: &str| if cell == "NULL" { String::new() } else { unescaped(cell) };
        let values: Vec<String> = line.split('\t').map(cell).collect();
        if values.len() != names.len() {
            let (is, should) = (values.len(), names.len());
            let problem = format!("row {} has {is} columns, and the first has {should}", at + 2);
            return Err(Problem::lasting(format!("it is no TSV: {problem}")));
        }
        records.push(Record::default().with(Arc::clone(&names), values));
        if records.len() > RECORDS_MAX {
            return Err(too_many());
        }
    }
    Ok(records)
}

fn unescaped(cell: &str) -> String {
    let mut text = String::new();
    let mut chars = cell.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.push(match chars.next() {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('0') => '\0',
                Some(other) => other,
                None => '\\',
            }),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(format: Format, body: &str, name: &str) -> Vec<Option<String>> {
        let records = format.records(body.as_bytes(), "").unwrap();
        records.iter().map(|record| record.get(name)).collect()
    }

    #[test]
    fn each_format_is_taken_apart() {
        let some = |text: &str| Some(text.to_owned());
        let csv = "\u{feff}id, buyer\r\n1,\"a,\"\"b\"\"\"\r\n2,\r\n";
        assert_eq!(columns(Format::Csv, csv, "buyer"), [some("a,\"b\""), None]);
        assert_eq!(columns(Format::Csv, csv, "id"), [some("1"), some("2")]);
        assert_eq!(columns(Format::Csv, "", "id"), []);
        let tsv = "id\tbuyer\n1\ta\\tb\\\\\n2\tNULL\n";
        assert_eq!(columns(Format::Tsv, tsv, "buyer"), [some("a\tb\\"), None]);
        let ndjson = "{\"a\":1}\n\n{\"a\":null}\n{}";
        assert_eq!(columns(Format::Ndjson, ndjson, "/a"), [some("1"), None, None]);
        assert_eq!(columns(Format::Json, r#"[{"a":{"b":true}}]"#, "/a/b"), [some("true")]);
        let records = Format::Lines.records(b"one\n\n{\"a\":2}\n\xff\n", "").unwrap();
        assert_eq!(
            records.iter().map(|r| r.text().into_owned()).collect::<Vec<_>>(),
            ["one", "{\"a\":2}", "\u{fffd}"]
        );
        assert_eq!(records[1].get("/a"), some("2"));
        assert_eq!(Format::Json.records(br#"{"d":{"l":[1,2]}}"#, "/d/l").unwrap().len(), 2);
    }

    #[test]
    fn malformed_bodies_are_errors() {
        for (format, body, expected) in [
            (Format::Json, &b"\xff\xfe"[..], "it is no JSON (expected value at line 1 column 1)"),
            (Format::Json, b"{}", "the document is no array: let `list` be the pointer"),
            (Format::Ndjson, b"{}\n{", "line 2 is no JSON: EOF while parsing an object"),
            (Format::Csv, b"a,b\n1\n", "it is no CSV: CSV error: record 1"),
            (Format::Tsv, b"a\tb\n1\n", "it is no TSV: row 2 has 1 columns, and the first has 2"),
        ] {
            let problem = format.records(body, "").unwrap_err().text;
            assert!(problem.starts_with(expected), "{problem}");
        }
        let deep = "[".repeat(100_000);
        assert!(Format::Json.records(deep.as_bytes(), "").unwrap_err().text.contains("recursion"));
        let many = "x\n".repeat(RECORDS_MAX + 1);
        let problem = Format::Lines.records(many.as_bytes(), "").unwrap_err().text;
        assert!(problem.starts_with("there are more than 1000000 records"), "{problem}");
    }
}
