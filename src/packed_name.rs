//! Names in few bytes: the buyers of many shops have UUIDs, which take 36 characters and have 16
//! bytes.

use uuid::Uuid;
use uuid::fmt::Hyphenated;

/// The first byte of a UUID; that of other names is their length.
const UUID: u8 = 0;

/// Longest name, in bytes.
const LEN_MAX: usize = 64;

/// A packed name.
#[derive(Debug, Clone, Copy)]
pub struct PackedName {
    bytes: [u8; 1 + LEN_MAX],
    len: usize,
}

impl PackedName {
    /// Packs a name, of which only the first 64 bytes are kept.
    pub fn new(name: &str) -> Self {
        match uuid(name) {
            Some(uuid) => Self::of(UUID, &uuid),
            None => {
                let name = &name.as_bytes()[..name.len().min(LEN_MAX)];
                Self::of(name.len() as u8, name)
            }
        }
    }

    fn of(first: u8, rest: &[u8]) -> Self {
        let (mut bytes, len) = ([first; 1 + LEN_MAX], 1 + rest.len());
        bytes[1..len].copy_from_slice(rest);
        Self { bytes, len }
    }

    /// Its bytes, of which no others are the beginning.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// The UUID that is written as this name. There are other ways to write it, and each of them is
/// another name.
fn uuid(name: &str) -> Option<[u8; 16]> {
    let name: &[u8; Hyphenated::LENGTH] = name.as_bytes().try_into().ok()?;
    let (mut uuid, mut at, mut is_hex) = ([0; 16], 0, true);
    for (group, len) in HYPHENATED {
        for pair in name[group..group + len].as_chunks::<2>().0 {
            let [high, low] = pair.map(|digit| DIGITS[usize::from(digit)]);
            is_hex &= high | low < 16;
            uuid[at] = high << 4 | low;
            at += 1;
        }
    }
    let is_separated = HYPHENATED[1..].iter().all(|(group, _)| name[group - 1] == b'-');
    (is_hex && is_separated).then_some(uuid)
}

/// Where each group of digits of a written UUID begins, and its length.
const HYPHENATED: [(usize, usize); 5] = [(0, 8), (9, 4), (14, 4), (19, 4), (24, 12)];

/// The value of each digit of a UUID in lower case; 16 for all other bytes.
const DIGITS: [u8; 256] = {
    let (mut digits, mut value) = ([16; 256], 0);
    while value < 16 {
        digits[b"0123456789abcdef"[value as usize] as usize] = value;
        value += 1;
    }
    digits
};

/// The packed name that `bytes` begin with, and what follows it; `None` if they end before.
pub fn split(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let len = match *bytes.first()? {
        UUID => size_of::<Uuid>(),
        len => usize::from(len),
    };
    bytes.split_at_checked(1 + len)
}

/// What `read` makes of the name that was packed into these bytes; `None` if they are no packed
/// name.
pub fn unpack<T>(packed: &[u8], read: impl FnOnce(&str) -> T) -> Option<T> {
    match packed.split_first()? {
        (&UUID, uuid) => {
            let uuid = Uuid::from_slice(uuid).ok()?;
            Some(read(uuid.hyphenated().encode_lower(&mut [0; Hyphenated::LENGTH])))
        }
        (_, name) => std::str::from_utf8(name).ok().map(read),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_is_unpacked_as_it_was() {
        let uuid = "37dd81e4-204e-40f7-a68e-1126cb817dbf";
        let (upper, simple) = (uuid.to_uppercase(), uuid.replace('-', ""));
        let long = "x".repeat(LEN_MAX);
        let urn = format!("urn:uuid:{uuid}");
        let mut all = Vec::new();
        let names = [uuid, &upper, &simple, &urn, &long, "a", "0", "ann"];
        for name in names {
            all.extend_from_slice(PackedName::new(name).as_bytes());
        }
        assert_eq!(PackedName::new(uuid).as_bytes().len(), 17);
        let mut rest = &all[..];
        for name in names {
            let (packed, after) = split(rest).unwrap();
            assert_eq!(unpack(packed, str::to_owned).as_deref(), Some(name));
            rest = after;
        }
        assert_eq!(split(rest), None);
        assert_eq!(split(&all[..16]), None, "it ends too early");
    }
}
