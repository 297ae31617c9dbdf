//! A request as bytes that are built once. Each attempt only writes its ids into them.

use uuid::Uuid;
use uuid::fmt::Hyphenated;

/// A request with holes of a UUID's length.
#[derive(Debug, Clone)]
pub struct Template<const HOLES: usize> {
    bytes: Vec<u8>,
    holes: [usize; HOLES],
}

/// The content of a hole until it is filled, which no UUID has.
const HOLE: [u8; Hyphenated::LENGTH] = [b'-'; Hyphenated::LENGTH];

/// The text of a hole.
pub(crate) fn hole() -> String {
    String::from_utf8_lossy(&HOLE).into_owned()
}

impl<const HOLES: usize> Template<HOLES> {
    /// Compiles a request in which [`hole`] stands where an id goes, `HOLES` times.
    pub(crate) fn new(text: String) -> Self {
        let mut holes = [0; HOLES];
        let bytes = text.into_bytes();
        let found = bytes.windows(HOLE.len()).enumerate().filter(|(_, window)| **window == HOLE);
        for (hole, (at, _)) in holes.iter_mut().zip(found) {
            *hole = at;
        }
        Self { bytes, holes }
    }

    /// Writes ids into the holes.
    pub fn fill(&mut self, ids: [Uuid; HOLES]) {
        for (at, id) in self.holes.into_iter().zip(ids) {
            id.hyphenated().encode_lower(&mut self.bytes[at..at + Hyphenated::LENGTH]);
        }
    }

    /// The bytes of the request, with the ids that were filled in last.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}
