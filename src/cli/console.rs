//! All output for people goes through this module.

use std::io::{self, Write};

use anyhow::Context;

use super::Failure;

/// Prints to stdout. A closed pipe is not an error: its reader has read as much as it wanted.
pub(super) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written.context("cannot write the output to stdout")?),
    }
}

/// Prints a line to stderr, and ignores a closed pipe.
pub(super) fn say(text: impl std::fmt::Display) {
    let _ = writeln!(io::stderr(), "{text}");
}
