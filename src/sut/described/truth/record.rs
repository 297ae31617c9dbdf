//! One record of a source, whatever its format is: a value of JSON, named columns, or a text.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::Value;

use crate::sut::described::matcher::scalar_text;

/// One record.
#[derive(Debug, Clone, Default)]
pub(super) struct Record {
    /// Its value, if it is JSON.
    pub(super) json: Option<Value>,
    /// Its columns or fields: their names, which records share, and a value for each.
    pub(super) names: Arc<[Box<str>]>,
    pub(super) values: Vec<String>,
    /// Its text as the source has it.
    pub(super) text: Option<String>,
}

impl Record {
    /// A value of JSON.
    pub(super) fn of_json(value: Value) -> Self {
        Self { json: Some(value), ..Self::default() }
    }

    /// A text, which may be JSON.
    pub(super) fn of_text(text: String) -> Self {
        let json = text.starts_with(['{', '[']).then(|| serde_json::from_str(&text).ok()).flatten();
        Self { json, text: Some(text), ..Self::default() }
    }

    /// The same record with these columns.
    pub(super) fn with(self, names: Arc<[Box<str>]>, values: Vec<String>) -> Self {
        Self { names, values, ..self }
    }

    /// Its text.
    pub(super) fn text(&self) -> Cow<'_, str> {
        match (&self.text, &self.json) {
            (Some(text), _) => Cow::Borrowed(text),
            (None, Some(Value::String(text))) => Cow::Borrowed(text),
            (None, Some(value)) => Cow::Owned(value.to_string()),
            (None, None) => Cow::Owned(self.values.join(",")),
        }
    }

    /// The value at a JSON pointer, or in a column. An empty column counts as not there, since CSV
    /// and the clients of SQL write NULL so.
    pub(super) fn value(&self, at: &str) -> Option<Cow<'_, Value>> {
        if at.is_empty() || at.starts_with('/') {
            let value = self.json.as_ref()?.pointer(at)?;
            return Some(Cow::Borrowed(value));
        }
        let column = self.names.iter().position(|name| &**name == at)?;
        let value = self.values.get(column).filter(|value| !value.is_empty())?;
        Some(Cow::Owned(Value::String(value.clone())))
    }

    /// The text of the column with this name, or of this key of a JSON object: there, an object or
    /// a list is something else.
    pub(super) fn named(&self, name: &str) -> Option<String> {
        let of_json = || scalar_text(self.json.as_ref()?.as_object()?.get(name)?);
        self.get(name).or_else(of_json)
    }

    /// As [`Record::value`], as text: `None` for null.
    pub(super) fn get(&self, at: &str) -> Option<String> {
        match self.value(at)?.as_ref() {
            Value::Null => None,
            value => Some(scalar_text(value).unwrap_or_else(|| value.to_string())),
        }
    }
}
