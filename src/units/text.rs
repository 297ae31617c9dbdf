//! Parsing a quantity from text, and serde for quantities as text.

use std::fmt;
use std::str::FromStr;

use serde::Deserializer;
use serde::de::{self, Visitor};

/// Why a quantity could not be read; the text names the valid form.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnitError(String);

impl UnitError {
    /// An error with a text that names the valid form.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// Reads a quantity from a string or a plain whole number, as TOML may have either; `expecting`
/// names the valid form.
///
/// # Errors
/// When it is neither, or the quantity rejects it.
pub fn deserialize_quantity<'de, D, T>(
    deserializer: D,
    expecting: &'static str,
) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err = UnitError>,
{
    deserializer.deserialize_any(TextOrNumber(expecting, std::marker::PhantomData))
}

struct TextOrNumber<T>(&'static str, std::marker::PhantomData<T>);

impl<T: FromStr<Err = UnitError>> Visitor<'_> for TextOrNumber<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        number.to_string().parse().map_err(E::custom)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        number.to_string().parse().map_err(E::custom)
    }
}

/// Implements serde for types that have `FromStr` and `Display`; the text after `=>` names the
/// valid form.
macro_rules! text_serde {
    ($($type:ty => $expecting:literal),* $(,)?) => {$(
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::units::deserialize_quantity(deserializer, $expecting)
            }
        }
    )*};
}

pub(crate) use text_serde;
