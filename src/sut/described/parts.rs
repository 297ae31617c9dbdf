//! The parts of a compiled request: bytes, and values that are written between them.

use std::io::Write;

use uuid::fmt::Hyphenated;

use crate::ids::RequestId;

use super::cookies::Cookies;
use super::names::{Meaning, Names, Value};
use super::text::{Piece, Text, json_escaped, percent_encoded};

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Plain,
    /// As a part of a string in JSON.
    Json,
    /// Percent-encoded, as in a URL or a form.
    Url,
}

/// A part of a compiled request.
#[derive(Debug, Clone)]
enum Part {
    Bytes(Vec<u8>),
    Value(Value, Encoding),
}

/// The parts of a head or a body.
#[derive(Debug, Clone, Default)]
pub(super) struct Parts(Vec<Part>);

impl Parts {
    /// Adds what is the same in every request.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        match self.0.last_mut() {
            Some(Part::Bytes(last)) => last.extend_from_slice(bytes),
            _ => self.0.push(Part::Bytes(bytes.to_vec())),
        }
    }

    /// Adds a text with placeholders, whose values are written in this way.
    ///
    /// # Errors
    /// When a placeholder is malformed, or its name is not known.
    pub(super) fn text(
        &mut self,
        text: &str,
        encoding: Encoding,
        names: &Names<'_>,
    ) -> Result<(), String> {
        let text = Text::parse(text).map_err(|error| error.to_string())?;
        for piece in text.pieces() {
            match piece {
                // A part that is written in the description is encoded there.
                Piece::Plain(text) => self.bytes(text.as_bytes()),
                Piece::Name(name) => match names.meaning(name)? {
                    Meaning::Fixed(fixed) => {
                        let mut encoded = Vec::new();
                        encode(&mut encoded, &fixed, encoding);
                        self.bytes(&encoded);
                    }
                    Meaning::Value(value) => self.0.push(Part::Value(value, encoding)),
                },
            }
        }
        Ok(())
    }

    /// Writes them with these values.
    pub(super) fn write(&self, values: &Values<'_>, buffer: &mut Vec<u8>) {
        for part in &self.0 {
            match part {
                Part::Bytes(bytes) => buffer.extend_from_slice(bytes),
                Part::Value(value, encoding) => values.write(*value, *encoding, buffer),
            }
        }
    }

    /// Adds others after these.
    pub(super) fn append(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// Whether one of the values is wanted.
    pub(super) fn has(&self, is_wanted: impl Fn(Value) -> bool) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Value(value, _) if is_wanted(*value)))
    }
}

/// The values of one attempt of one virtual user.
#[derive(Debug)]
pub(super) struct Values<'a> {
    pub(super) buyer: uuid::Uuid,
    pub(super) request_id: RequestId,
    pub(super) thread: u32,
    pub(super) row: &'a [String],
    pub(super) extracted: &'a [String],
    pub(super) cookies: &'a Cookies,
}

impl Values<'_> {
    fn write(&self, value: Value, encoding: Encoding, buffer: &mut Vec<u8>) {
        let mut id = |id: uuid::Uuid| {
            let mut text = [0; Hyphenated::LENGTH];
            buffer.extend_from_slice(id.hyphenated().encode_lower(&mut text).as_bytes());
        };
        match value {
            Value::Buyer => id(self.buyer),
            Value::RequestId => id(self.request_id.0),
            // Writing to memory cannot fail.
            Value::Thread => write!(buffer, "{}", self.thread).unwrap_or_default(),
            Value::Column(column) => {
                let text = self.row.get(column).map_or("", String::as_str);
                encode(buffer, text, encoding);
            }
            Value::Extracted(slot) => {
                let text = self.extracted.get(slot).map_or("", String::as_str);
                encode(buffer, text, encoding);
            }
        }
    }
}

/// Writes a text in this way.
pub(super) fn encode(buffer: &mut Vec<u8>, text: &str, encoding: Encoding) {
    match encoding {
        // A line break would begin another field line.
        Encoding::Plain => buffer.extend(text.bytes().filter(|byte| !matches!(byte, 0 | 10 | 13))),
        Encoding::Json => buffer.extend(json_escaped(text).bytes()),
        Encoding::Url => buffer.extend(percent_encoded(text).bytes()),
    }
}
