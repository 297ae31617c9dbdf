//! How the domain's values are written in a log: words with a space between, since no id has one.

use std::fmt::{self, Display};
use std::str::{FromStr, SplitAsciiWhitespace};

use crate::api::LostReason;
use crate::ids::OrderId;

use super::{Attempt, Decision, Terms};

/// Why a record is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} is missing or wrong in `{record}`")]
pub struct RecordError {
    field: &'static str,
    record: String,
}

/// The words of one record, taken from left to right.
#[derive(Debug)]
pub struct Fields<'a> {
    record: &'a str,
    words: SplitAsciiWhitespace<'a>,
}

impl<'a> Fields<'a> {
    /// Begins with the record's first word.
    pub fn new(record: &'a [u8]) -> Self {
        let record = std::str::from_utf8(record).unwrap_or("(not text)");
        Self { record, words: record.split_ascii_whitespace() }
    }

    /// An error that names `field`.
    pub fn wrong(&self, field: &'static str) -> RecordError {
        RecordError { field, record: self.record.to_owned() }
    }

    /// The next word, as it stands.
    ///
    /// # Errors
    /// When there is none.
    pub fn word(&mut self, field: &'static str) -> Result<&'a str, RecordError> {
        self.words.next().ok_or_else(|| self.wrong(field))
    }

    /// The next word, read as a `T`.
    ///
    /// # Errors
    /// When there is none, or it is no `T`.
    pub fn next<T: FromStr>(&mut self, field: &'static str) -> Result<T, RecordError> {
        self.word(field)?.parse().map_err(|_| self.wrong(field))
    }

    /// All words that are left, each read as a `T`.
    ///
    /// # Errors
    /// When one is no `T`.
    pub fn rest<T: FromStr>(&mut self, field: &'static str) -> Result<Vec<T>, RecordError> {
        let words: Result<_, _> = self.words.by_ref().map(str::parse).collect();
        words.map_err(|_: T::Err| self.wrong(field))
    }

    fn optional(&mut self, field: &'static str) -> Result<Option<u64>, RecordError> {
        match self.word(field)? {
            "-" => Ok(None),
            word => word.parse().map(Some).map_err(|_| self.wrong(field)),
        }
    }
}

impl Display for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { request_id, buyer, item, epoch, seq, accepted_us } = self;
        write!(f, "{request_id} {buyer} {item} {epoch} {seq} {accepted_us}")
    }
}

impl Attempt {
    /// Reads what `Display` wrote.
    ///
    /// # Errors
    /// When a field is missing or wrong.
    pub fn from_fields(fields: &mut Fields<'_>) -> Result<Self, RecordError> {
        Ok(Self {
            request_id: fields.next("request_id")?,
            buyer: fields.next("buyer")?,
            item: fields.next("item")?,
            epoch: fields.next("epoch")?,
            seq: fields.next("seq")?,
            accepted_us: fields.next("accepted_us")?,
        })
    }
}

impl Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Won(order_id) => write!(f, "won {order_id}"),
            Self::Lost(reason) => write!(f, "lost {}", reason.as_str()),
        }
    }
}

impl Decision {
    /// Reads what `Display` wrote.
    ///
    /// # Errors
    /// When a field is missing or wrong.
    pub fn from_fields(fields: &mut Fields<'_>) -> Result<Self, RecordError> {
        match fields.word("decision")? {
            "won" => Ok(Self::Won(OrderId::from_text(fields.word("order_id")?))),
            "lost" => {
                let reason = LostReason::from_word(fields.word("reason")?);
                reason.map(Self::Lost).ok_or_else(|| fields.wrong("reason"))
            }
            _ => Err(fields.wrong("decision")),
        }
    }
}

impl Display for Terms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.item, self.stock, self.per_buyer)?;
        for moment in [self.opens_us, self.closes_us] {
            match moment {
                Some(us) => write!(f, " {us}")?,
                None => write!(f, " -")?,
            }
        }
        Ok(())
    }
}

impl Terms {
    /// Reads what `Display` wrote.
    ///
    /// # Errors
    /// When a field is missing or wrong.
    pub fn from_fields(fields: &mut Fields<'_>) -> Result<Self, RecordError> {
        Ok(Self {
            item: fields.next("item")?,
            stock: fields.next("stock")?,
            per_buyer: fields.next("per_buyer")?,
            opens_us: fields.optional("opens_us")?,
            closes_us: fields.optional("closes_us")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::RequestId;

    #[test]
    fn what_is_written_is_read_back() {
        let attempt = Attempt {
            request_id: RequestId::random(),
            buyer: "b:1".parse().unwrap(),
            item: "tea".parse().unwrap(),
            epoch: 3,
            seq: 42,
            accepted_us: 7,
        };
        let terms = Terms {
            item: "tea".parse().unwrap(),
            stock: 10,
            per_buyer: 2,
            opens_us: None,
            closes_us: Some(99),
        };
        let decisions =
            [Decision::Won(OrderId::from_text("tea-3-1")), Decision::Lost(LostReason::SoldOut)];
        for decision in decisions {
            let record = format!("{attempt} {decision} {terms}");
            let mut fields = Fields::new(record.as_bytes());
            assert_eq!(Attempt::from_fields(&mut fields), Ok(attempt.clone()));
            assert_eq!(Decision::from_fields(&mut fields), Ok(decision));
            assert_eq!(Terms::from_fields(&mut fields), Ok(terms.clone()));
        }
    }

    #[test]
    fn a_wrong_field_is_named() {
        let error = Attempt::from_fields(&mut Fields::new(b"nonsense")).unwrap_err();
        assert!(error.to_string().contains("request_id"), "{error}");
        let error = Decision::from_fields(&mut Fields::new(b"lost nerve")).unwrap_err();
        assert!(error.to_string().contains("reason"), "{error}");
    }
}
