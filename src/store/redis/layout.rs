//! The layout of the keys, which is checked before anything is read.

use redis::Cmd;

use crate::escape::printable;

use super::keys::{LAYOUT, key};

/// Reads the layout of the database; an empty one gets that of this version. `other` is a key that
/// only an older layout has.
pub(super) fn read(other: &str) -> Cmd {
    let mut read = redis::cmd("EVAL");
    read.arg(include_str!("layout.lua")).arg(2).arg(key("layout")).arg(other).arg(LAYOUT);
    read
}

/// Checks that the database has no sales that this version would misread.
///
/// # Errors
/// Returns what is wrong with the database, and that `empty` should be used instead.
pub(super) fn check(layout: &str, empty: &str) -> Result<(), String> {
    if layout == LAYOUT.to_string() {
        return Ok(());
    }
    let layout = printable(layout);
    Err(format!(
        "its database has sales of another version of seckill (layout {layout}, and this version \
         reads layout {LAYOUT}): use {empty}"
    ))
}
