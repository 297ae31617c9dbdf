//! Real results agree with `docs/run.schema.json`, and have no key that it does not describe. This
//! checks the keywords that the schema uses, and refuses a schema that uses others.

use std::path::Path;

use serde_json::{Map, Value};

use super::{bench, stderr};

/// What describes and restricts nothing.
const WORDS: [&str; 6] = ["$schema", "$defs", "title", "description", "format", "required"];

struct Schema(Value);

impl Schema {
    fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/run.schema.json");
        Self(serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
    }

    /// What is wrong with a value, each with its path.
    fn problems(&self, value: &Value) -> Vec<String> {
        let mut problems = Vec::new();
        self.check(&self.0, value, "", &mut problems);
        problems
    }

    fn check(&self, schema: &Value, value: &Value, path: &str, problems: &mut Vec<String>) {
        for (keyword, rule) in schema.as_object().unwrap() {
            let is_right = match keyword.as_str() {
                "$ref" => {
                    let pointer = rule.as_str().unwrap().trim_start_matches('#');
                    let definition = self.0.pointer(pointer).expect("a definition");
                    self.check(definition, value, path, problems);
                    true
                }
                "anyOf" => rule.as_array().unwrap().iter().any(|schema| {
                    let mut inner = Vec::new();
                    self.check(schema, value, path, &mut inner);
                    inner.is_empty()
                }),
                "type" => match rule {
                    Value::Array(kinds) => kinds.iter().any(|kind| is_of(kind, value)),
                    kind => is_of(kind, value),
                },
                "const" => rule == value,
                "enum" => rule.as_array().unwrap().contains(value),
                "minimum" => value.as_f64().is_none_or(|number| number >= rule.as_f64().unwrap()),
                "maximum" => value.as_f64().is_none_or(|number| number <= rule.as_f64().unwrap()),
                "items" => {
                    let items = value.as_array().into_iter().flatten();
                    items.for_each(|item| self.check(rule, item, &format!("{path}[]"), problems));
                    true
                }
                "properties" | "additionalProperties" => true,
                word => WORDS.contains(&word),
            };
            if !is_right {
                problems.push(format!("{path}: {value} against {keyword}: {rule}"));
            }
        }
        if let Some(entries) = value.as_object() {
            self.check_entries(schema, entries, path, problems);
        }
    }

    /// Every key is described, and those that are required are there.
    fn check_entries(
        &self,
        schema: &Value,
        entries: &Map<String, Value>,
        path: &str,
        problems: &mut Vec<String>,
    ) {
        if schema.get("properties").or(schema.get("additionalProperties")).is_none() {
            return;
        }
        for (key, value) in entries {
            let described = schema["properties"].get(key).or(schema.get("additionalProperties"));
            let path = format!("{path}.{key}");
            match described {
                Some(rule) => self.check(rule, value, &path, problems),
                None => problems.push(format!("{path} is not described")),
            }
        }
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        let required = required.map(|key| key.as_str().unwrap());
        let missing = required.filter(|key| !entries.contains_key(*key));
        problems.extend(missing.map(|key| format!("{path}.{key} is missing")));
    }
}

fn is_of(kind: &Value, value: &Value) -> bool {
    match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("the type {other} is not checked here"),
    }
}

#[test]
fn real_results_agree_with_the_schema() {
    let schema = Schema::read();
    for (args, code) in [
        (&["--threads", "9", "--loops", "3", "--out", "run", "--follow"][..], 0),
        (&["--threads", "9", "--pay", "50%", "--pay-after", "0s..50ms", "--", "--hold", "1s"], 0),
        (&["--threads", "300", "--stampede", "--", "--flaw", "off-by-one"], 3),
        (&["--no-audit", "--stampede", "--threads", "5", "--retry", "1"], 0),
        (&["--stage", "300ms:90/s", "--fail-if", "p50>1us", "--abort-on", "errors>50%"], 99),
        (&["--rate", "9k/s", "--max-threads", "1", "--duration", "200ms"], 5),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let output = bench(folder.path(), &[&["--spawn", "--json"], args].concat());
        assert_eq!(output.status.code(), Some(code), "{args:?}: {}", stderr(&output));
        let run: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(schema.problems(&run), [""; 0], "{args:?}");
    }
}

#[test]
fn schema_finds_wrong_missing_and_unknown_keys() {
    let schema = Schema::read();
    let folder = tempfile::tempdir().unwrap();
    let output = bench(folder.path(), &["--spawn", "--json"]);
    let run: Value = serde_json::from_slice(&output.stdout).unwrap();
    let problems = |change: fn(&mut Value)| {
        let mut changed = run.clone();
        change(&mut changed);
        schema.problems(&changed)
    };
    assert_eq!(problems(|_| {}), [""; 0]);
    assert_eq!(problems(|run| run["new"] = 1.into()), [".new is not described"]);
    assert_eq!(problems(|run| run["audit"]["new"] = 1.into()), [".audit.new is not described"]);
    let missing = problems(|run| drop(run.as_object_mut().unwrap().remove("audit")));
    assert_eq!(missing, [".audit is missing"]);
    assert_eq!(problems(|run| run["audit"]["verdict"] = "good".into()).len(), 1);
    assert_eq!(problems(|run| run["latency_us"]["p99"] = "1 ms".into()).len(), 1);
    assert_eq!(problems(|run| run["requests"]["error_rate"] = 2.into()).len(), 1);
}
