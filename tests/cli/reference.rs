//! `docs/reference.md` names every key of a result and every field of a history.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::{bench, stderr};

fn doc(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(name)).unwrap()
}

/// The part of the reference between two headings.
fn section(from: &str, to: &str) -> String {
    let text = doc("reference.md");
    let (_, rest) = text.split_once(&format!("\n{from}\n")).expect("the first heading");
    rest.split_once(&format!("\n{to}\n")).expect("the second heading").0.to_owned()
}

/// Those of the keys that a text does not have in code font.
fn unnamed<'a>(text: &str, keys: impl IntoIterator<Item = &'a String>) -> Vec<&'a String> {
    keys.into_iter().filter(|key| !text.contains(&format!("`{key}`"))).collect()
}

#[test]
fn every_key_of_a_result_is_in_the_reference() {
    let text = section("## The result as JSON", "## Files of a run");
    let schema: Value = serde_json::from_str(&doc("run.schema.json")).unwrap();
    for of in ["", "/properties/plan", "/properties/audit", "/properties/requests"] {
        let properties = schema.pointer(&format!("{of}/properties")).unwrap();
        assert_eq!(unnamed(&text, properties.as_object().unwrap().keys()), [""; 0], "{of}");
    }
}

#[test]
fn every_field_of_a_history_is_in_the_reference() {
    let text = section("### history.ndjson", "### JTL");
    let folder = tempfile::tempdir().unwrap();
    let flags = ["--spawn", "--out", "run", "--follow", "--expect-stock", "10"];
    let output = bench(folder.path(), &flags);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let history = fs::read_to_string(folder.path().join("run/history.ndjson")).unwrap();
    let lines = history.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let fields = |line: Value| line.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let fields: BTreeSet<String> = lines.flat_map(fields).collect();
    assert!(fields.contains("expected_stock"), "{fields:?}");
    // An example shows each kind of line that has one field.
    let named = format!("{text} `view` `tally` `payment`");
    assert_eq!(unnamed(&named, &fields), [""; 0]);
}
