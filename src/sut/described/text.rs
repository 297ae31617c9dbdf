//! Text with placeholders, such as `/product/{{item}}`, which is parsed once and expanded often.

use std::fmt;

use crate::escape::printable;

/// The beginning and the end of a placeholder.
const BRACES: (&str, &str) = ("{{", "}}");

/// Why a text cannot be parsed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(in crate::sut) enum TextError {
    /// A placeholder does not end.
    #[error("a placeholder begins with {{{{ and does not end: write {{{{item}}}}")]
    Unclosed,
    /// A placeholder has no name.
    #[error("{{{{}}}} names nothing: write {{{{item}}}}")]
    Empty,
    /// A placeholder's name has a brace or a control character.
    #[error(
        "`{0}` cannot be the name of a placeholder: write two braces on each side, {{{{item}}}}"
    )]
    Name(String),
}

/// A placeholder for which there is no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no value for {{{{{0}}}}}")]
pub(in crate::sut) struct Missing(pub(in crate::sut) String);

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sut) enum Piece {
    /// What stays as it is.
    Plain(Box<str>),
    /// The name of a placeholder.
    Name(Box<str>),
}

/// A text with placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sut) struct Text {
    pieces: Vec<Piece>,
}

impl Text {
    /// Parses a text.
    ///
    /// # Errors
    /// When a placeholder does not end, or has no valid name.
    pub(in crate::sut) fn parse(text: &str) -> Result<Self, TextError> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((plain, begun)) = rest.split_once(BRACES.0) {
            let (name, after) = begun.split_once(BRACES.1).ok_or(TextError::Unclosed)?;
            let name = name.trim();
            if name.is_empty() {
                return Err(TextError::Empty);
            }
            if name.contains(|c: char| matches!(c, '{' | '}') || c.is_control()) {
                return Err(TextError::Name(printable(name).into_owned()));
            }
            if !plain.is_empty() {
                pieces.push(Piece::Plain(plain.into()));
            }
            pieces.push(Piece::Name(name.into()));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Plain(rest.into()));
        }
        Ok(Self { pieces })
    }

    /// Parses the text of a JSON value. Its placeholders are meant to be expanded with
    /// [`json_escaped`] values.
    ///
    /// # Errors
    /// As [`Text::parse`].
    pub(in crate::sut) fn of_json(value: &serde_json::Value) -> Result<Self, TextError> {
        // Two braces follow each other only inside strings: an object is no key of an object.
        Self::parse(&value.to_string())
    }

    /// Its parts, in their order.
    pub(in crate::sut) fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The names of the placeholders, in their order.
    pub(in crate::sut) fn names(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Name(name) => Some(&**name),
            Piece::Plain(_) => None,
        })
    }

    /// The placeholder that is all of the text.
    pub(in crate::sut) fn only_name(&self) -> Option<&str> {
        match &self.pieces[..] {
            [Piece::Name(name)] => Some(name),
            _ => None,
        }
    }

    /// The text with a value for each placeholder.
    ///
    /// # Errors
    /// When a placeholder has no value.
    pub(in crate::sut) fn expand(
        &self,
        mut value: impl FnMut(&str) -> Option<String>,
    ) -> Result<String, Missing> {
        let mut expanded = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Plain(plain) => expanded.push_str(plain),
                Piece::Name(name) => {
                    let value = value(name).ok_or_else(|| Missing(name.to_string()))?;
                    expanded.push_str(&value);
                }
            }
        }
        Ok(expanded)
    }
}

/// The text as it was written, with its placeholders.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pieces.iter().try_for_each(|piece| match piece {
            Piece::Plain(plain) => f.write_str(plain),
            Piece::Name(name) => write!(f, "{{{{{name}}}}}"),
        })
    }
}

/// A value as it is written inside a string of JSON.
pub(in crate::sut) fn json_escaped(value: &str) -> String {
    let quoted = serde_json::Value::from(value).to_string();
    quoted[1..quoted.len() - 1].to_owned()
}

/// A value as it is written in a URL or a form.
pub(in crate::sut) fn percent_encoded(value: &str) -> String {
    // Only a form may write a space as `+`; a plus sign itself is written as `%2B` already.
    form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>().replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> String {
        let text = Text::parse(text).unwrap();
        text.expand(|name| Some(format!("<{name}>"))).unwrap()
    }

    #[test]
    fn placeholders_are_replaced_and_everything_else_is_kept() {
        for (text, expected) in [
            ("", ""),
            ("/a?b=1", "/a?b=1"),
            ("/product/{{item}}", "/product/<item>"),
            ("{{a}}{{ b }}", "<a><b>"),
            (r#"{"a":{"b":{{item}}}}"#, r#"{"a":{"b":<item>}}"#),
            ("}} {a} {", "}} {a} {"),
            ("{{csv.first name}}", "<csv.first name>"),
        ] {
            assert_eq!(expanded(text), expected, "{text}");
        }
        let text = Text::parse("{{a}}/{{b}}{{a}}").unwrap();
        assert_eq!(text.names().collect::<Vec<_>>(), ["a", "b", "a"]);
        assert_eq!(text.to_string(), "{{a}}/{{b}}{{a}}");
        let missing = text.expand(|name| (name == "a").then(String::new)).unwrap_err();
        assert_eq!(missing.to_string(), "there is no value for {{b}}");
        assert_eq!(Text::parse("{{a}}").unwrap().only_name(), Some("a"));
        assert_eq!(text.only_name(), None);
    }

    #[test]
    fn malformed_placeholders_are_errors_that_name_the_cure() {
        for (text, expected) in [
            ("/a/{{item", "a placeholder begins with {{ and does not end: write {{item}}"),
            ("{{ }}", "{{}} names nothing: write {{item}}"),
            (
                "{{{item}}}",
                "`{item` cannot be the name of a placeholder: write two braces on each side, \
                 {{item}}",
            ),
        ] {
            assert_eq!(Text::parse(text).unwrap_err().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn values_cannot_leave_their_place() {
        let json = Text::of_json(&serde_json::json!({"a": {"b": "{{x}}"}})).unwrap();
        let text = json.expand(|_| Some(json_escaped("\"},\n{"))).unwrap();
        let read: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(read["a"]["b"], "\"},\n{");
        assert_eq!(percent_encoded("a b+c/?&é"), "a%20b%2Bc%2F%3F%26%C3%A9");
    }
}
