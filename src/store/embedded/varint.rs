//! Numbers in as few bytes as they need: seven bits in each byte, the lowest first, and the highest
//! bit of a byte says whether another one follows (LEB128).

/// Appends a number.
pub(super) fn write(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Appends how far a number is from one near it, before it or after it.
pub(super) fn write_near(bytes: &mut Vec<u8>, number: u64, near: u64) {
    let distance = number.wrapping_sub(near) as i64;
    write(bytes, ((distance << 1) ^ (distance >> 63)) as u64);
}

/// What is left of some bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a>(pub(super) &'a [u8]);

impl<'a> Reader<'a> {
    /// The next bytes; `None` if there are not so many.
    pub(super) fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(bytes)
    }

    /// What [`write`] has appended.
    pub(super) fn number(&mut self) -> Option<u64> {
        let (mut number, mut shift) = (0, 0);
        loop {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(number);
            }
            shift += 7;
        }
    }

    /// What [`write_near`] has appended, with the same number near it.
    pub(super) fn number_near(&mut self, near: u64) -> Option<u64> {
        let distance = self.number()?;
        let distance = (distance >> 1) as i64 ^ -((distance & 1) as i64);
        Some(near.wrapping_add(distance as u64))
    }

    /// A text that follows its length.
    pub(super) fn text(&mut self) -> Option<&'a str> {
        let len = usize::try_from(self.number()?).ok()?;
        std::str::from_utf8(self.bytes(len)?).ok()
    }
}

/// Appends a text after its length.
pub(super) fn write_text(bytes: &mut Vec<u8>, text: &str) {
    write(bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}
