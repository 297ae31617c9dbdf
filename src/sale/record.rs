//! How the domain's values are written in a log: words separated by spaces, since no id contains a
//! space.

use std::fmt::{self, Display};
use std::str::{FromStr, SplitAsciiWhitespace};

use crate::api::LostReason;
use crate::ids::OrderId;

use super::{Attempt, Decision, Terms};

/// The highest position, and the highest number of a sale, that a record may have: so far from the
/// end that counting on from it never gets there.
const NUMBER_MAX: u64 = u64::MAX >> 1;

/// The error for a record that cannot be parsed.
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

    /// The error that says `field` is missing or wrong.
    pub fn invalid(&self, field: &'static str) -> RecordError {
        RecordError { field, record: self.record.to_owned() }
    }

    /// The next word, as it is.
    ///
    /// # Errors
    /// Returns an error when there is none.
    pub fn word(&mut self, field: &'static str) -> Result<&'a str, RecordError> {
        self.words.next().ok_or_else(|| self.invalid(field))
    }

    /// The next word, parsed as a `T`.
    ///
    /// # Errors
    /// Returns an error when there is none, or it cannot be parsed.
    pub fn next<T: FromStr>(&mut self, field: &'static str) -> Result<T, RecordError> {
        self.word(field)?.parse().map_err(|_| self.invalid(field))
    }

    /// The next word, parsed as a number from which one can go on counting.
    ///
    /// # Errors
    /// Returns an error when there is none, or it is no such number.
    pub fn number(&mut self, field: &'static str) -> Result<u64, RecordError> {
        let number = self.next(field)?;
        if number > NUMBER_MAX { Err(self.invalid(field)) } else { Ok(number) }
    }

    /// All remaining words, each parsed as a `T`.
    ///
    /// # Errors
    /// Returns an error when one cannot be parsed.
    pub fn rest<T: FromStr>(&mut self, field: &'static str) -> Result<Vec<T>, RecordError> {
        let words: Result<_, _> = self.words.by_ref().map(str::parse).collect();
        words.map_err(|_: T::Err| self.invalid(field))
    }

    /// The last word, parsed as a `T`; `None` when there is none.
    ///
    /// # Errors
    /// Returns an error when it cannot be parsed.
    pub fn last<T: FromStr>(&mut self, field: &'static str) -> Result<Option<T>, RecordError> {
        self.words.next().map(str::parse).transpose().map_err(|_| self.invalid(field))
    }

    fn optional(&mut self, field: &'static str) -> Result<Option<u64>, RecordError> {
        match self.word(field)? {
            "-" => Ok(None),
            word => word.parse().map(Some).map_err(|_| self.invalid(field)),
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
    /// Parses what `Display` writes.
    ///
    /// # Errors
    /// Returns an error when a field is missing or wrong.
    pub fn from_fields(fields: &mut Fields<'_>) -> Result<Self, RecordError> {
        Ok(Self {
            request_id: fields.next("request_id")?,
            buyer: fields.next("buyer")?,
            item: fields.next("item")?,
            epoch: fields.number("epoch")?,
            seq: fields.number("seq")?,
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
    /// Parses what `Display` writes.
    ///
    /// # Errors
    /// Returns an error when a field is missing or wrong.
    pub fn from_fields(fields: &mut Fields<'_>) -> Result<Self, RecordError> {
        match fields.word("decision")? {
            "won" => Ok(Self::Won(OrderId::from_text(fields.word("order_id")?))),
            "lost" => {
                let reason = LostReason::from_word(fields.word("reason")?);
                reason.map(Self::Lost).ok_or_else(|| fields.invalid("reason"))
            }
            _ => Err(fields.invalid("decision")),
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
        // Left out without a hold, as in records that were written before there were any.
        self.hold_us.map_or(Ok(()), |us| write!(f, " {us}"))
    }
}

impl Terms {
    /// Parses what `Display` writes; nothing may follow it.
    ///
    /// # Errors
    /// Returns an error when a field is missing or wrong.
    pub fn from_fields(fields: &mut Fields<'_>) -> Result<Self, RecordError> {
        Ok(Self {
            item: fields.next("item")?,
            stock: fields.next("stock")?,
            per_buyer: fields.next("per_buyer")?,
            opens_us: fields.optional("opens_us")?,
            closes_us: fields.optional("closes_us")?,
            hold_us: fields.last("hold_us")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::RequestId;

    #[test]
    fn written_records_are_parsed_back() {
        let attempt = Attempt {
            request_id: RequestId::random(),
            buyer: "b:1".parse().unwrap(),
            item: "tea".parse().unwrap(),
            epoch: 3,
            seq: 42,
            accepted_us: 7,
        };
        let terms = |hold_us| Terms {
            item: "tea".parse().unwrap(),
            stock: 10,
            per_buyer: 2,
            opens_us: None,
            closes_us: Some(99),
            hold_us,
        };
        let cases = [
            (Decision::Won(OrderId::from_text("tea-3-1")), terms(Some(5))),
            (Decision::Lost(LostReason::SoldOut), terms(None)),
        ];
        for (decision, terms) in cases {
            let record = format!("{attempt} {decision} {terms}");
            let mut fields = Fields::new(record.as_bytes());
            assert_eq!(Attempt::from_fields(&mut fields), Ok(attempt.clone()));
            assert_eq!(Decision::from_fields(&mut fields), Ok(decision));
            assert_eq!(Terms::from_fields(&mut fields), Ok(terms.clone()));
        }
    }

    #[test]
    fn errors_name_the_wrong_field() {
        let error = Attempt::from_fields(&mut Fields::new(b"invalid_id")).unwrap_err();
        assert!(error.to_string().contains("request_id"), "{error}");
        let error = Decision::from_fields(&mut Fields::new(b"lost invalid_reason")).unwrap_err();
        assert!(error.to_string().contains("reason"), "{error}");
    }
}
