//! A whole answer of the tested shop, and the values in it.

use std::borrow::Cow;

use regex::bytes::Regex;

use super::cookies::Cookies;
use super::fields::fields;
use super::matcher::check_pointer;
use super::pointer::{Scalar, find};
use crate::sut::Received;

/// Longest value that is extracted, in bytes: a longer one is no token and no id.
const VALUE_LEN_MAX: usize = 8 << 10;

/// Where a value is in an answer.
#[derive(Debug, Clone)]
pub(super) enum Extract {
    Json(String),
    /// The first header of this name, or what the group of the expression finds in it.
    Header(String, Option<Regex>),
    Cookie(String),
    Text(Regex),
}

impl Extract {
    /// Parses `json POINTER`, `header NAME`, `header NAME REGEX`, `cookie NAME` or `text REGEX`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (kind, what) = text.split_once(' ').unwrap_or((text, ""));
        let what = what.trim();
        match kind {
            "json" => check_pointer(what).map(|()| Self::Json(what.to_owned())),
            "header" if !what.is_empty() => match what.split_once(' ') {
                Some((name, regex)) => {
                    Ok(Self::Header(name.to_owned(), Some(one_group(regex.trim())?)))
                }
                None => Ok(Self::Header(what.to_owned(), None)),
            },
            "cookie" if !what.is_empty() => Ok(Self::Cookie(what.to_owned())),
            "text" => one_group(what).map(Self::Text),
            _ => Err(format!(
                "`{text}` does not say where the value is: json POINTER, header NAME, header NAME \
                 REGEX, cookie NAME or text REGEX"
            )),
        }
    }

    /// The value in an answer, or among the user's cookies after it; `None` if it is not there, or
    /// too long.
    pub(super) fn of<'a>(
        &self,
        received: Received<'a>,
        cookies: &'a Cookies,
    ) -> Option<Cow<'a, str>> {
        let value = match self {
            Self::Json(pointer) => find(received.body, pointer).and_then(Scalar::into_text)?,
            Self::Header(name, regex) => {
                let value = fields(received.head, name).next()?;
                String::from_utf8_lossy(match regex {
                    Some(regex) => regex.captures(value)?.get(1)?.as_bytes(),
                    None => value,
                })
            }
            Self::Cookie(name) => String::from_utf8_lossy(cookies.get(name)?),
            Self::Text(regex) => {
                String::from_utf8_lossy(regex.captures(received.body)?.get(1)?.as_bytes())
            }
        };
        (value.len() <= VALUE_LEN_MAX).then_some(value)
    }
}

/// A regular expression whose one group is the value.
fn one_group(text: &str) -> Result<Regex, String> {
    match regex(text)? {
        found if found.captures_len() == 2 => Ok(found),
        _ => Err(format!("`{text}` must have one group, which is the value")),
    }
}

/// A regular expression of the description.
pub(super) fn regex(text: &str) -> Result<Regex, String> {
    Regex::new(text).map_err(|error| {
        let error = error.to_string();
        let problem = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
        format!("`{text}` is no regular expression: {problem}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &[u8] = b"HTTP/1.1 201 Created\r\nLocation: /orders/7\r\n\
        Set-Cookie: sid=abc; Path=/; HttpOnly\r\nset-cookie: csrf=x=y\r\n\r\n";

    fn extract(from: &str) -> Option<String> {
        let body = br#"{"order":{"id":42}} <input name="csrf" value="t&amp;k">"#;
        let json = br#"{"order":{"id":42}}"#;
        let body: &[u8] = if from.starts_with("json") { json } else { body };
        let received = Received { status: 201, head: HEAD, body };
        let mut cookies = Cookies::default();
        cookies.take(HEAD);
        let value = Extract::parse(from).unwrap().of(received, &cookies);
        value.map(Cow::into_owned)
    }

    #[test]
    fn value_is_found_where_the_description_says() {
        assert_eq!(extract("json /order/id").as_deref(), Some("42"));
        assert_eq!(extract("header location").as_deref(), Some("/orders/7"));
        assert_eq!(extract("header location /orders/([0-9]+)").as_deref(), Some("7"));
        assert_eq!(extract("cookie sid").as_deref(), Some("abc"));
        assert_eq!(extract("cookie csrf").as_deref(), Some("x=y"));
        assert_eq!(extract(r#"text name="csrf" value="([^"]*)""#).as_deref(), Some("t&amp;k"));
        for absent in [
            "json /order",
            "json /x",
            "header etag",
            "header location (x)",
            "cookie si",
            "text (zz)",
        ] {
            assert_eq!(extract(absent), None, "{absent}");
        }
    }

    #[test]
    fn unknown_places_are_errors() {
        for bad in [
            "",
            "json order",
            "header",
            "header location x",
            "body /x",
            "text (",
            "text x",
            "text (a)(b)",
        ] {
            assert!(Extract::parse(bad).is_err(), "{bad}");
        }
    }
}
