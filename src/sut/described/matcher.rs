//! What a value of an answer or of a record must be: a value, one of several, a pattern, or there.

use regex::{Regex, RegexBuilder};
use serde_json::Value;

/// Largest compiled pattern, in bytes: far above what a person writes, and soon refused otherwise.
const PATTERN_LEN_MAX: usize = 1 << 20;

/// Compiles a pattern.
///
/// # Errors
/// Returns what is wrong with it, on one line.
pub(in crate::sut) fn regex(pattern: &str) -> Result<Regex, String> {
    let built = RegexBuilder::new(pattern).size_limit(PATTERN_LEN_MAX).build();
    built.map_err(|error| {
        let text = error.to_string();
        let last = text.lines().last().unwrap_or_default();
        let problem = last.trim().trim_start_matches("error: ");
        format!("not a regular expression: {}", crate::escape::printable(problem))
    })
}

/// Checks that a JSON pointer is one.
///
/// # Errors
/// Returns what is wrong with it, and the cure.
pub(in crate::sut) fn check_pointer(pointer: &str) -> Result<(), String> {
    check_plain(pointer)?;
    if pointer.is_empty() || pointer.starts_with('/') {
        return Ok(());
    }
    let shown = crate::escape::printable(pointer);
    Err(format!("`{shown}` is not a JSON pointer: write \"/{shown}\""))
}

/// Checks that a text has no placeholder, where none is replaced.
fn check_plain(text: &str) -> Result<(), String> {
    match text.contains("{{") {
        true => Err(format!(
            "`{}`: placeholders are not replaced here: write the text itself",
            crate::escape::printable(text)
        )),
        false => Ok(()),
    }
}

/// The text of a value that is no list, no object and not null.
pub(in crate::sut) fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(is) => Some(is.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// What a value must be.
#[derive(Debug, Clone)]
pub(in crate::sut) enum Matcher {
    /// It is there, and not null.
    Present,
    /// Its text is this one, or both are the same number.
    Is(String),
    /// Its text matches this pattern.
    Pattern(Regex),
    /// It is null.
    Null,
    /// One of these applies.
    Any(Vec<Matcher>),
}

impl Matcher {
    /// Reads `"text"`, `5`, `true`, `"*"`, `"/regex/"`, or a list of these.
    ///
    /// # Errors
    /// Returns what is wrong, and the cure.
    pub(in crate::sut) fn new(wanted: &Value) -> Result<Self, String> {
        match wanted {
            Value::Null => Ok(Self::Null),
            Value::String(text) if text == "*" => Ok(Self::Present),
            Value::String(text) if text.len() > 1 && text.starts_with('/') => {
                match text[1..].strip_suffix('/') {
                    Some(pattern) => regex(pattern).map(Self::Pattern),
                    None => Ok(Self::Is(text.clone())),
                }
            }
            Value::Array(list) if list.is_empty() => {
                Err("an empty list matches nothing: write the values".to_owned())
            }
            Value::Array(list) => {
                list.iter().map(Self::new).collect::<Result<_, _>>().map(Self::Any)
            }
            Value::Object(_) => {
                Err("a table is no value: write a pointer to each value in it".to_owned())
            }
            scalar => {
                let text = scalar_text(scalar).unwrap_or_default();
                check_plain(&text).map(|()| Self::Is(text))
            }
        }
    }

    /// Whether a value is what it must be; `None` stands for one that is not there.
    pub(in crate::sut) fn matches(&self, value: Option<&Value>) -> bool {
        match (self, value) {
            (Self::Any(any), value) => any.iter().any(|matcher| matcher.matches(value)),
            (Self::Null, value) => value.is_some_and(Value::is_null),
            (Self::Present, Some(value)) => !value.is_null(),
            (_, Some(value)) => self.matches_text(&match value {
                Value::Null => return false,
                value => scalar_text(value).unwrap_or_else(|| value.to_string()),
            }),
            (_, None) => false,
        }
    }

    /// Whether a text is what it must be.
    pub(in crate::sut) fn matches_text(&self, text: &str) -> bool {
        match self {
            Self::Present => true,
            Self::Null => false,
            Self::Any(any) => any.iter().any(|matcher| matcher.matches_text(text)),
            Self::Pattern(pattern) => pattern.is_match(text),
            Self::Is(wanted) => wanted == text || is_same_number(wanted, text),
        }
    }

    /// Whether each value that the other one matches is matched, as far as that can be told.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match (self, other) {
            (_, Self::Any(others)) => others.iter().all(|other| self.covers(other)),
            (Self::Any(any), other) => any.iter().any(|matcher| matcher.covers(other)),
            (Self::Null, other) => matches!(other, Self::Null),
            (_, Self::Null) => false,
            (Self::Present, _) => true,
            (_, Self::Present) => false,
            (Self::Is(_), Self::Is(text)) => self.matches_text(text),
            (Self::Is(_), Self::Pattern(_)) => false,
            // A number has other spellings, which the pattern need not match.
            (Self::Pattern(_), Self::Is(text)) => {
                text.parse::<f64>().is_err() && self.matches_text(text)
            }
            (Self::Pattern(pattern), Self::Pattern(other)) => {
                pattern_covers(pattern.as_str(), other.as_str())
            }
        }
    }
}

/// Whether a pattern matches each text that another one does: it is the same, or both are plain
/// texts and it is a part of the other.
pub(super) fn pattern_covers(pattern: &str, other: &str) -> bool {
    let is_plain = |pattern: &str| regex::escape(pattern) == pattern;
    pattern == other || is_plain(pattern) && is_plain(other) && other.contains(pattern)
}

/// Whether both are the same number, such as `1` and `1.0`.
fn is_same_number(one: &str, other: &str) -> bool {
    let number = |text: &str| text.parse::<f64>().ok().filter(|number| number.is_finite());
    // Long digits are ids: as floating-point numbers, different ones would be the same.
    let is_short = one.len() <= 15 && other.len() <= 15;
    is_short && number(one).is_some_and(|one| number(other) == Some(one))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_matched_by_text_number_pattern_and_presence() {
        for (wanted, value, expected) in [
            (json!(0), json!(0), true),
            (json!(0), json!(0.0), true),
            (json!(0), json!(1), false),
            (json!(true), json!(true), true),
            (json!("PAID"), json!("PAID"), true),
            (json!("PAID"), json!("PAID "), false),
            (json!("/^ok/"), json!("okay"), true),
            (json!("/^ok/"), json!("not ok"), false),
            (json!("/"), json!("/"), true),
            (json!("*"), json!({}), true),
            (json!("*"), json!(null), false),
            (json!(null), json!(null), true),
            (json!([1, "b"]), json!("b"), true),
            (json!([1, "b"]), json!("c"), false),
            (json!("12345678901234567"), json!("12345678901234568"), false),
        ] {
            let matcher = Matcher::new(&wanted).unwrap();
            assert_eq!(matcher.matches(Some(&value)), expected, "{wanted} {value}");
            assert!(!matcher.matches(None), "{wanted}");
        }
    }

    #[test]
    fn matcher_covers_what_matches_less() {
        for (matcher, other, expected) in [
            (json!("*"), json!(["a", 1, "/b/"]), true),
            (json!("*"), json!([1, null]), false),
            (json!("a"), json!("*"), false),
            (json!(1), json!("1.0"), true),
            (json!(["a", "b"]), json!("b"), true),
            (json!(["a", "b"]), json!(["b", "a"]), true),
            (json!("b"), json!(["a", "b"]), false),
            (json!("/^ok/"), json!("okay"), true),
            (json!("/^1$/"), json!(1), false),
            (json!("/ok/"), json!("/okay/"), true),
            (json!("okay"), json!("/okay/"), false),
            (json!(null), json!(null), true),
            (json!("/a/"), json!(null), false),
        ] {
            let covers = Matcher::new(&matcher).unwrap().covers(&Matcher::new(&other).unwrap());
            assert_eq!(covers, expected, "{matcher} {other}");
        }
    }

    #[test]
    fn wrong_matchers_name_the_cure() {
        for (wanted, expected) in [
            (json!("/(/"), "not a regular expression: unclosed group"),
            (json!([]), "an empty list matches nothing: write the values"),
            (json!({"a": 1}), "a table is no value: write a pointer to each value in it"),
        ] {
            assert_eq!(Matcher::new(&wanted).unwrap_err(), expected);
        }
        assert_eq!(check_pointer("a").unwrap_err(), "`a` is not a JSON pointer: write \"/a\"");
    }
}
