//! The conditions of an outcome, all of which must hold, and whether an earlier outcome leaves a
//! later one any answer.

use hyper::header::HeaderName;
use regex::bytes::Regex;
use toml::Spanned;

use crate::sut::Received;

use super::answer::regex;
use super::fields::fields;
use super::matcher::{Matcher, check_pointer, pattern_covers};
use super::pointer::{Scalar, find};
use super::tables::{Outcome, Statuses};
use super::wrong::Wrong;

/// The conditions of an outcome.
#[derive(Debug, Clone)]
pub(super) struct Conditions {
    /// Empty for any.
    statuses: Vec<u16>,
    json: Vec<(String, Matcher)>,
    text: Option<Regex>,
    headers: Vec<(String, Regex)>,
}

impl Conditions {
    pub(super) fn compile(table: &Outcome) -> Result<Self, Wrong> {
        let statuses = table.status.as_ref().map_or_else(Vec::new, Statuses::to_vec);
        let at = table.is.span().start;
        if table.status.is_some() && statuses.is_empty() {
            return Err(Wrong::at(at, "`status` names no status: leave it out for any"));
        }
        if let Some(wrong) = statuses.iter().find(|status| !(200..=599).contains(*status)) {
            return Err(Wrong::at(at, format!("{wrong} is no status of an answer: 200 to 599")));
        }
        let json = table.json.iter().map(|(pointer, value)| {
            let wrong = |problem: String| Wrong::of(value, problem);
            check_pointer(pointer).map_err(wrong)?;
            Ok((pointer.clone(), Matcher::new(value.get_ref()).map_err(wrong)?))
        });
        let json = json.collect::<Result<_, _>>()?;
        let text = table.text.as_ref().map(compile_regex).transpose()?;
        let headers = table.header.iter();
        let headers = headers.map(|(name, value)| {
            HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| Wrong::of(value, "this header has a name that none can have"))?;
            Ok((name.clone(), compile_regex(value)?))
        });
        Ok(Self { statuses, json, text, headers: headers.collect::<Result<_, _>>()? })
    }

    pub(super) fn hold(&self, received: Received<'_>) -> bool {
        (self.statuses.is_empty() || self.statuses.contains(&received.status))
            && self.json.iter().all(|(pointer, is)| holds(is, find(received.body, pointer)))
            && self.text.as_ref().is_none_or(|regex| regex.is_match(received.body))
            && self
                .headers
                .iter()
                .all(|(name, regex)| fields(received.head, name).any(|value| regex.is_match(value)))
    }

    /// Whether these hold for each answer for which the others do, as far as that can be told:
    /// each of these follows from one of the others. What different patterns have in common is not
    /// known.
    pub(super) fn cover(&self, others: &Self) -> bool {
        let has_status = |status| self.statuses.contains(status);
        let covers_statuses = self.statuses.is_empty()
            || !others.statuses.is_empty() && others.statuses.iter().all(has_status);
        let covers_text = self.text.as_ref().is_none_or(|text| {
            others.text.as_ref().is_some_and(|other| pattern_covers(text.as_str(), other.as_str()))
        });
        covers_statuses
            && covers_text
            && self.json.iter().all(|(pointer, is)| {
                others.json.iter().any(|(other, value)| pointer == other && is.covers(value))
            })
            && self.headers.iter().all(|(name, value)| {
                others.headers.iter().any(|(other, pattern)| {
                    name.eq_ignore_ascii_case(other)
                        && pattern_covers(value.as_str(), pattern.as_str())
                })
            })
    }
}

fn compile_regex(text: &Spanned<String>) -> Result<Regex, Wrong> {
    regex(text.get_ref()).map_err(|problem| Wrong { at: text.span().start, problem })
}

/// Whether a value is what it must be.
fn holds(matcher: &Matcher, value: Option<Scalar<'_>>) -> bool {
    match (matcher, value) {
        (_, None) => false,
        (Matcher::Any(any), value) => any.iter().any(|matcher| holds(matcher, value.clone())),
        (Matcher::Null, Some(value)) => value == Scalar::Null,
        (Matcher::Present, Some(value)) => value != Scalar::Null,
        (Matcher::Is(_) | Matcher::Pattern(_), Some(value)) => {
            value.into_text().is_some_and(|text| matcher.matches_text(&text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conditions(text: &str) -> Conditions {
        let table: Outcome = toml::from_str(&format!("{text}\nis = \"won\"")).unwrap();
        Conditions::compile(&table).unwrap()
    }

    #[test]
    fn conditions_cover_those_from_which_they_follow() {
        for (earlier, later, expected) in [
            ("", "", true),
            ("", "status = 409", true),
            ("status = 409", "", false),
            ("status = [200, 201, 409]", "status = 409", true),
            ("status = [409, 200]", "status = [200, 409]", true),
            ("status = [200, 409]", "status = [409, 410]", false),
            ("status = 200", "status = 200\ntext = 'sold'", true),
            ("status = 200\ntext = 'sold'", "status = 200", false),
            ("text = 'sold'", "status = 200\ntext = 'sold out'", true),
            ("text = '^sold'", "text = 'sold out'", false),
            ("text = 'sold out'", "text = 'sold'", false),
            ("text = 'sold.out'", "text = 'sold.out'", true),
            ("json = { '/a' = 1 }", "json = { '/a' = 1, '/b' = 2 }", true),
            ("json = { '/a' = 1, '/b' = 2 }", "json = { '/a' = 1 }", false),
            ("json = { '/a' = '*' }", "json = { '/a' = 1 }", true),
            ("json = { '/a' = 1 }", "json = { '/b' = 1 }", false),
            ("json = { '/a' = 1 }", "json = { '/a' = 2 }", false),
            ("header = { Location = 'a' }", "header = { location = 'a' }\nstatus = 302", true),
            ("header = { location = 'a' }", "header = { server = 'a' }", false),
        ] {
            let covers = conditions(earlier).cover(&conditions(later));
            assert_eq!(covers, expected, "{earlier:?} before {later:?}");
        }
    }
}
