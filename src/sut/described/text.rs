//! Texts with placeholders: `{{name}}` stands for a value that is known later.

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sut) enum Piece {
    /// Characters that stay as they are.
    Text(String),
    /// The name of a value.
    Name(String),
}

/// A text that was split at its placeholders.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::sut) struct Text(Vec<Piece>);

impl Text {
    /// Splits a text.
    ///
    /// # Errors
    /// When a placeholder is not closed, or has no name.
    pub(in crate::sut) fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let unclosed = || "`{{` opens a placeholder that is not closed: write {{name}}";
            let (name, after) = after.split_once("}}").ok_or_else(unclosed)?;
            let name = name.trim();
            if name.is_empty() || name.contains(['{', '}', ' ', '"']) {
                return Err(format!("`{{{{{name}}}}}` is no placeholder: write {{{{name}}}}"));
            }
            if !before.is_empty() {
                pieces.push(Piece::Text(before.to_owned()));
            }
            pieces.push(Piece::Name(name.to_owned()));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self(pieces))
    }

    /// Its parts, in order.
    pub(in crate::sut) fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// The names of its placeholders.
    pub(in crate::sut) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Name(name) => Some(&**name),
            Piece::Text(_) => None,
        })
    }

    /// The text with the values of its placeholders.
    ///
    /// # Errors
    /// The name of the first placeholder that has no value.
    pub(in crate::sut) fn expand(
        &self,
        value: impl Fn(&str) -> Option<String>,
    ) -> Result<String, String> {
        let mut expanded = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => expanded.push_str(text),
                Piece::Name(name) => expanded.push_str(&value(name).ok_or_else(|| name.clone())?),
            }
        }
        Ok(expanded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_expanded() {
        let text = Text::parse("a{{ x }}b{{env.Y}}").unwrap();
        assert_eq!(text.names().collect::<Vec<_>>(), ["x", "env.Y"]);
        let value = |name: &str| (name == "x").then(|| "1".to_owned());
        assert_eq!(text.expand(value), Err("env.Y".to_owned()));
        assert_eq!(text.expand(|name| Some(name.to_uppercase())), Ok("aXbENV.Y".to_owned()));
        let plain = r#"{"a":{"b":1}}"#;
        assert_eq!(Text::parse(plain).unwrap().expand(|_| None), Ok(plain.to_owned()));
    }

    #[test]
    fn malformed_placeholders_are_errors() {
        for bad in ["{{", "a{{b", "{{}}", "{{ }}", "{{a b}}", "{{{a}}}"] {
            assert!(Text::parse(bad).is_err(), "{bad}");
        }
    }
}
