//! The ids of items, buyers, attempts and orders.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

/// Maximum length of an item or buyer, in bytes.
const NAME_LEN_MAX: usize = 64;

/// Why a text is not an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The text is not a valid buyer or item.
    #[error("must be 1 to 64 characters of A-Z a-z 0-9 . _ : -")]
    Name,
    /// The text is not a valid request id.
    #[error("must be a UUID such as 7c9e6679-7425-40de-944b-e07fc1f90ae7")]
    RequestId,
    /// The text is the nil or the max UUID (RFC 9562, sections 5.9 and 5.10).
    #[error("must be a UUID of its own, and not the nil or the max UUID")]
    ReservedRequestId,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The id's text.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Whether this text is such an id.
            pub fn is_valid(text: &str) -> bool {
                is_name(text)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                if is_name(text) { Ok(Self(text.into())) } else { Err(IdError::Name) }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name! {
    /// An item on sale: 1 to 64 characters of `A-Z a-z 0-9 . _ : -`.
    ItemId
}

name! {
    /// A buyer: 1 to 64 characters of `A-Z a-z 0-9 . _ : -`.
    BuyerId
}

fn is_name(text: &str) -> bool {
    (1..=NAME_LEN_MAX).contains(&text.len()) && text.bytes().all(|byte| IN_NAMES[usize::from(byte)])
}

/// Whether each byte may be in a name.
const IN_NAMES: [bool; 256] = {
    let (mut in_names, mut byte) = ([false; 256], 0_u8);
    while byte < 128 {
        in_names[byte as usize] =
            byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b':' | b'-');
        byte += 1;
    }
    in_names
};

/// An attempt's idempotency key: a retry of the same attempt repeats it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub Uuid);

impl RequestId {
    /// A new random id, for a client that sent none.
    pub fn random() -> Self {
        Self(Uuid::new_v4())
    }

    /// Reads the id of a new attempt. The nil and the max UUID stand for a missing value, and every
    /// client that sends one would share it.
    ///
    /// # Errors
    /// Returns an error when it is no UUID, or one of these two.
    pub fn of_new_attempt(text: &str) -> Result<Self, IdError> {
        match text.parse()? {
            Self(uuid) if uuid.is_nil() || uuid.is_max() => Err(IdError::ReservedRequestId),
            id => Ok(id),
        }
    }
}

impl FromStr for RequestId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        Uuid::try_parse(text).map(Self).map_err(|_| IdError::RequestId)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Stands for the id of an order of which no id was told. No shop has such an id.
const UNTOLD: &str = "(id not told)";

/// An order: one sold unit of an item.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OrderId(String);

impl OrderId {
    /// The `number`th order of the `epoch`th sale that this store opened.
    pub fn new(item: &ItemId, epoch: u64, number: u64) -> Self {
        // An id is made for each order, so this does without the machinery of `format!`.
        let mut id = String::with_capacity(item.as_str().len() + 16);
        id.push_str(item.as_str());
        for number in [epoch, number] {
            id.push('-');
            push_number(&mut id, number);
        }
        Self(id)
    }

    /// The number of which [`Self::new`] has made this id, with this item and epoch; `None` if it
    /// is another id.
    pub fn number(&self, item: &ItemId, epoch: u64) -> Option<u64> {
        let rest = self.0.strip_prefix(item.as_str())?.strip_prefix('-')?;
        let (of_sale, number) = rest.split_once('-')?;
        if written_number(of_sale)? == epoch { written_number(number) } else { None }
    }

    /// An order id that was read from a log or an answer.
    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The id of an order of which no id was told.
    pub fn untold() -> Self {
        Self(UNTOLD.to_owned())
    }

    /// Whether an id was told of the order.
    pub fn is_told(&self) -> bool {
        self.0 != UNTOLD
    }

    /// Whether both can be the id of the same order: one may not have been told.
    pub fn agrees_with(&self, other: &Self) -> bool {
        self == other || !self.is_told() || !other.is_told()
    }

    /// The id's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn push_number(text: &mut String, number: u64) {
    if number >= 10 {
        push_number(text, number / 10);
    }
    text.push(char::from(b'0' + (number % 10) as u8));
}

/// The number that is written as this text, and as no other one.
fn written_number(text: &str) -> Option<u64> {
    let is_usual = text == "0" || text.starts_with(|first| matches!(first, '1'..='9'));
    if is_usual { text.parse().ok() } else { None }
}

macro_rules! serde_as_text {
    ($($id:ty),*) => {$(
        impl Serialize for $id {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $id {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )*};
}

serde_as_text!(ItemId, BuyerId, RequestId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_a_restricted_alphabet_and_length() {
        for good in ["a", "A.b_c:d-9", &"x".repeat(64)] {
            assert!(good.parse::<BuyerId>().is_ok(), "{good}");
        }
        for bad in ["", "a b", "é", "a/b", "a\n", &"x".repeat(65)] {
            assert_eq!(bad.parse::<BuyerId>(), Err(IdError::Name), "{bad:?}");
        }
    }

    #[test]
    fn order_id_has_its_number_only_if_it_is_written_like_that() {
        let item: ItemId = "tea-1".parse().unwrap();
        for number in [0, 7, u64::MAX] {
            let id = OrderId::new(&item, 3, number);
            assert_eq!(id.as_str(), format!("tea-1-3-{number}"));
            assert_eq!(id.number(&item, 3), Some(number));
            assert_eq!(OrderId::new(&item, 3, number).number(&item, 4), None);
        }
        for other in ["", "tea-1", "tea-1-3", "tea-1-3-", "tea-1-3-07", "tea-1-3-+7", "tea-1-03-7"]
        {
            assert_eq!(OrderId::from_text(other).number(&item, 3), None, "{other}");
        }
    }

    #[test]
    fn request_ids_are_case_insensitive_uuids() {
        let lower: RequestId = "7c9e6679-7425-40de-944b-e07fc1f90ae7".parse().unwrap();
        let upper: RequestId = "7C9E6679-7425-40DE-944B-E07FC1F90AE7".parse().unwrap();
        assert_eq!(lower, upper);
        assert!("42".parse::<RequestId>().is_err());
    }
}
