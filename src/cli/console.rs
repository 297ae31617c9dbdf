//! All output for people goes through here.

use std::io::{self, Write};

use super::Failure;

/// Prints to stdout. A reader that has gone is no error: it has seen what it wanted.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}

/// Prints to stderr, unless it has gone.
pub(super) fn say(text: impl std::fmt::Display) {
    let _ = writeln!(io::stderr(), "{text}");
}
