//! Quantities as people write them: `10k`, `1m30s`, `5k/s`, a moment in time.
//!
//! Each implements `FromStr` and `Display`, serializes as that text, and deserializes from a string
//! or a plain whole number, since TOML may have either.

mod count;
mod text;
mod time;

pub use count::{ByteSize, Count, Rate, Share};
pub(crate) use text::text_serde;
pub use text::{UnitError, deserialize_quantity};
pub use time::{Moment, Span, optional_span, span};
