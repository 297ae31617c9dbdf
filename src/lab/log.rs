//! The end of a child process's log, for error messages.

use std::path::Path;

/// The last lines of a file, or a remark if there are none.
pub fn last_lines(file: &Path, lines_max: usize) -> String {
    let log = std::fs::read(file).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<_> = log.trim_end().lines().collect();
    match lines[lines.len().saturating_sub(lines_max)..].join("\n") {
        empty if empty.is_empty() => "it had written nothing".to_owned(),
        text => text,
    }
}
