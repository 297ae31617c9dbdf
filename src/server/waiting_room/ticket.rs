//! A ticket: who waits for what, with which number, and until when, with a signature.
//!
//! `KIND~ITEM~SALE~NUMBER~EARLY~TAKEN~MARK~EXPIRES~BUYER~SIGNATURE`. No field can hold a `~`,
//! and none needs to be escaped in a URL or in a header.

use std::fmt;

use crate::ids::{BuyerId, ItemId};

use super::keys::{Keys, SIGNATURE_LEN};

/// Longest ticket, in bytes: two names, six numbers and the rest need less.
const LEN_MAX: usize = 340;

/// What separates the fields.
const SEPARATOR: char = '~';

/// What a ticket is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It was taken before the opening, and waits.
    Early,
    /// It was taken after the opening, and waits.
    Late,
    /// Its buyer may make attempts.
    Admitted,
}

/// What a ticket says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ticket {
    pub(super) kind: Kind,
    pub(super) item: ItemId,
    /// Which opening of a sale it is for, as [`Keys::sale`] has it.
    pub(super) sale: u64,
    /// Its number among the tickets for that sale.
    pub(super) number: u64,
    /// How many tickets had been taken before the opening, and in all, when it was written.
    pub(super) early: u64,
    pub(super) taken: u64,
    /// How many places had been admitted when it was written.
    pub(super) mark: u64,
    /// Until when it is valid, in seconds since the Unix epoch.
    pub(super) expires_s: u64,
    pub(super) buyer: BuyerId,
}

impl Kind {
    fn letter(self) -> char {
        match self {
            Self::Early => 'e',
            Self::Late => 'l',
            Self::Admitted => 'a',
        }
    }
}

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, item, sale, number, early, taken, mark, expires_s, buyer } = self;
        let kind = kind.letter();
        write!(f, "{kind}~{item}~{sale}~{number}~{early}~{taken}~{mark}~{expires_s}~{buyer}")
    }
}

impl Ticket {
    /// The ticket with its signature.
    pub(super) fn signed(&self, keys: &Keys) -> String {
        let text = self.to_string();
        let signature = keys.sign(&text);
        format!("{text}{SEPARATOR}{signature}")
    }

    /// Reads a ticket; `None` if it is none, or was not signed with these keys.
    pub(super) fn read(signed: &str, keys: &Keys) -> Option<Self> {
        if signed.len() > LEN_MAX {
            return None;
        }
        let (text, signature) = signed.rsplit_once(SEPARATOR)?;
        if signature.len() != SIGNATURE_LEN || !keys.is_signed(text, signature) {
            return None;
        }
        let mut fields = text.split(SEPARATOR);
        let mut next = || fields.next();
        let kind = match next()? {
            "e" => Kind::Early,
            "l" => Kind::Late,
            "a" => Kind::Admitted,
            _ => return None,
        };
        Some(Self {
            kind,
            item: next()?.parse().ok()?,
            sale: next()?.parse().ok()?,
            number: next()?.parse().ok()?,
            early: next()?.parse().ok()?,
            taken: next()?.parse().ok()?,
            mark: next()?.parse().ok()?,
            expires_s: next()?.parse().ok()?,
            buyer: next()?.parse().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::secret::Secret;

    fn keys() -> Keys {
        Keys::new(&Secret("a secret of the server".into()))
    }

    fn ticket() -> Ticket {
        Ticket {
            kind: Kind::Early,
            item: "tea".parse().unwrap(),
            sale: 3,
            number: u64::MAX,
            early: 2,
            taken: 4,
            mark: 5,
            expires_s: 1_795_556_940,
            buyer: "ann.A:1_-".parse().unwrap(),
        }
    }

    #[test]
    fn ticket_is_read_as_it_was_written_and_needs_no_escape() {
        for kind in [Kind::Early, Kind::Late, Kind::Admitted] {
            let ticket = Ticket { kind, ..ticket() };
            let signed = ticket.signed(&keys());
            assert_eq!(Ticket::read(&signed, &keys()), Some(ticket));
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~:".contains(c);
            assert!(signed.chars().all(is_plain), "{signed}");
        }
    }

    #[test]
    fn longest_ticket_is_read() {
        let name = "x".repeat(64);
        let max = u64::MAX;
        let (item, buyer) = (name.parse().unwrap(), name.parse().unwrap());
        let ticket =
            Ticket { sale: max, early: max, taken: max, mark: max, expires_s: max, ..ticket() };
        let ticket = Ticket { item, buyer, ..ticket };
        assert_eq!(Ticket::read(&ticket.signed(&keys()), &keys()), Some(ticket));
    }

    #[test]
    fn changed_ticket_is_none() {
        let signed = ticket().signed(&keys());
        for index in 0..signed.len() {
            let mut changed = signed.clone().into_bytes();
            changed[index] ^= 1;
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(Ticket::read(&changed, &keys()), None, "{changed}");
            assert_eq!(Ticket::read(&signed[..index], &keys()), None);
        }
        let others = Keys::new(&Secret("a secret of another server".into()));
        assert_eq!(Ticket::read(&signed, &others), None);
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,400}", fields in "[eal]~[a-z]{1,3}~[0-9]{1,25}~{0,5}9~") {
            prop_assert_eq!(Ticket::read(&text, &keys()), None);
            let signed = format!("{fields}~{}", keys().sign(&fields));
            let _ = Ticket::read(&signed, &keys());
        }
    }
}
