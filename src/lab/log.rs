//! The end of a child process's log, for error messages.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;

/// The last lines of a file, or a remark if there are none.
pub fn last_lines(file: &Path, lines_max: usize) -> String {
    let log = std::fs::read(file).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<_> = log.trim_end().lines().collect();
    match lines[lines.len().saturating_sub(lines_max)..].join("\n") {
        empty if empty.is_empty() => why_empty(file),
        text => text,
    }
}

/// Whether the process could not write, or did not.
fn why_empty(file: &Path) -> String {
    let written = OpenOptions::new().append(true).open(file).and_then(|mut it| it.write_all(b"\n"));
    match written {
        Err(error) if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => {
            let folder = std::env::temp_dir();
            format!(
                "it could write nothing, since there is no space in {}: make room, or name another \
                 folder in TMPDIR",
                folder.display()
            )
        }
        _ => "its log is empty".to_owned(),
    }
}
