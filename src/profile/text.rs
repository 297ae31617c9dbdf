//! Reading the text of a profile, whatever its path leads to.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Largest profile that is read, in bytes.
const LEN_MAX: u64 = 1 << 20;

/// Reads the text of a profile. A device or a pipe has no length to check before, and may never
/// end.
///
/// # Errors
/// When it cannot be read, is no text, or is too long.
pub fn read_text(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(LEN_MAX + 1).read_to_string(&mut text)?;
    match text.len() as u64 > LEN_MAX {
        true => Err(io::Error::other("larger than a mebibyte: not a profile")),
        false => Ok(text),
    }
}
