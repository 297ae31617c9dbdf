//! A value in a JSON text by its pointer (RFC 6901), found while the text is parsed: nothing is
//! built of the rest, and nothing is allocated but a string that has escapes.

use std::borrow::Cow;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A value in a JSON text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Scalar<'a> {
    Text(Cow<'a, str>),
    Integer(i128),
    Float(f64),
    Bool(bool),
    Null,
    /// An array or an object.
    Compound,
}

impl<'a> Scalar<'a> {
    /// The value as text; `None` if it has none: null, an array, an object.
    pub(super) fn into_text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(text),
            Self::Integer(number) => Some(number.to_string().into()),
            Self::Float(number) => Some(number.to_string().into()),
            Self::Bool(value) => Some(value.to_string().into()),
            Self::Null | Self::Compound => None,
        }
    }
}

/// The value at `pointer`; `None` if there is none, or if the text is not JSON.
pub(super) fn find<'a>(json: &'a [u8], pointer: &str) -> Option<Scalar<'a>> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let found = Find { pointer }.deserialize(&mut deserializer).ok()?;
    deserializer.end().ok()?;
    found
}

/// What is left of the pointer, below the value that is parsed next.
#[derive(Clone, Copy)]
struct Find<'p> {
    pointer: &'p str,
}

impl<'p> Find<'p> {
    /// The next step, and what is left after it.
    fn step(self) -> (&'p str, Self) {
        let rest = &self.pointer[1..];
        match rest.find('/') {
            Some(end) => (&rest[..end], Self { pointer: &rest[end..] }),
            None => (rest, Self { pointer: "" }),
        }
    }

    fn is_here(self) -> bool {
        self.pointer.is_empty()
    }

    fn here<'de, E>(self, scalar: Scalar<'de>) -> Result<Option<Scalar<'de>>, E> {
        Ok(self.is_here().then_some(scalar))
    }
}

impl<'de> DeserializeSeed<'de> for Find<'_> {
    type Value = Option<Scalar<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Find<'_> {
    type Value = Option<Scalar<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        self.here(Scalar::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        self.here(Scalar::Integer(value.into()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        self.here(Scalar::Integer(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        self.here(Scalar::Float(value))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        self.here(Scalar::Null)
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        self.here(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        self.here(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        if self.is_here() {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(Some(Scalar::Compound));
        }
        let (step, below) = self.step();
        for _ in 0..step.parse().unwrap_or(usize::MAX) {
            if seq.next_element::<IgnoredAny>()?.is_none() {
                return Ok(None);
            }
        }
        let found = seq.next_element_seed(below)?.flatten();
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(found)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        if self.is_here() {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Some(Scalar::Compound));
        }
        let (step, below) = self.step();
        let mut found = None;
        while let Some(is_step) = map.next_key_seed(Key(step))? {
            if is_step && found.is_none() {
                found = map.next_value_seed(below)?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(found)
    }
}

/// Compares a key with a step of the pointer, in which `~1` stands for a slash and `~0` for `~`.
struct Key<'p>(&'p str);

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<bool, E> {
        let is_escaped = self.0.contains('~');
        Ok(key == self.0 || is_escaped && key == self.0.replace("~1", "/").replace("~0", "~"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointer_finds_what_the_document_model_finds() {
        let text = r#"{"a":{"b":[1,-2.5,"x\ny",true,null,{"c/d~":"e"}]},"":"empty","n":9}"#;
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        let all = ["/a/b/0", "/a/b/1", "/a/b/2", "/a/b/3", "/a/b/5/c~1d~0", "/", "/n", "/a/b/9"];
        for pointer in all.into_iter().chain(["/a/x", "/n/x", "/a/b/x", "/a/b/-1", "/b"]) {
            let expected = value.pointer(pointer).map(|value| match value {
                serde_json::Value::String(text) => text.clone(),
                other => other.to_string(),
            });
            let found = find(text.as_bytes(), pointer).and_then(Scalar::into_text);
            assert_eq!(found.as_deref(), expected.as_deref(), "{pointer}");
        }
        assert_eq!(find(text.as_bytes(), "/a/b/4"), Some(Scalar::Null));
        assert_eq!(find(text.as_bytes(), "/a"), Some(Scalar::Compound));
        assert_eq!(find(text.as_bytes(), ""), Some(Scalar::Compound));
    }

    #[test]
    fn nothing_is_found_in_what_is_not_json() {
        for text in ["", "{", r#"{"a":1"#, r#"{"a":1}x"#, "<html>", "\u{fffd}"] {
            assert_eq!(find(text.as_bytes(), "/a"), None, "{text}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(find(deep.as_bytes(), "/0"), None);
    }
}
