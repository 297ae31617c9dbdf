//! The bounds of what is read from a tested system, which may be broken or hostile.

use std::time::Duration;

/// Largest body or output that is read at once, in bytes: 64 bytes for each of a million records.
pub(super) const BODY_LEN_MAX: usize = 64 << 20;

/// Most bytes of all pieces of one source: a page of long records for each thousand of them.
pub(super) const TOTAL_LEN_MAX: usize = 256 << 20;

/// Most records of one source: more than a flash sale has orders, and they still fit into memory.
pub(super) const RECORDS_MAX: usize = 1_000_000;

/// Most pages of one source: a page of a hundred records for each hundred of all records.
pub(super) const PAGES_MAX: usize = 10_000;

/// Longest value of a field, in bytes: ids and names are far shorter.
pub(super) const VALUE_LEN_MAX: usize = 4 << 10;

/// How long one piece may take, by default: a page, a command of Redis, a whole program.
pub(super) const TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

/// The longest time-out: a source that needs more is read wrongly.
pub(super) const TIMEOUT_MAX: Duration = Duration::from_secs(600);

/// How often a read is tried: a restart of the tested system may end the first one.
pub(super) const TRIES_MAX: u32 = 3;

/// Time between two tries.
pub(super) const PAUSE: Duration = Duration::from_millis(250);

/// How often a source of several pieces is read until two readings in a row are the same.
pub(super) const READINGS_MAX: usize = 4;

/// Records in one piece of Redis: one answer of at most some megabytes.
pub(super) const PIECE_LEN: usize = 1_000;

/// How much of a program's stderr is kept, in bytes. What is shown is far shorter, so that a secret
/// of which only the end was kept is not in it.
pub(super) const STDERR_LEN_MAX: usize = 64 << 10;

/// How much of a program's stderr is in an error, in characters: its end.
pub(super) const STDERR_SHOWN_MAX: usize = 400;

/// How many of the last lines of a program's stderr are in an error.
pub(super) const STDERR_LINES_MAX: usize = 3;

/// How long a statement may wait for a lock of SQLite. The time-out of the whole program is longer.
pub(super) const SQLITE_TIMEOUT: Duration = Duration::from_secs(5);
