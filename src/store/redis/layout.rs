//! The layout of the keys, which is checked before anything is read.

use redis::Cmd;

use crate::escape::printable;

use super::keys::Keys;

/// The layout that this version reads and writes.
const LAYOUT: &str = "3";

/// A key of the first layout, which had no key for the layout itself.
pub(super) const FIRST_LAYOUT: &str = "seckill:items";

/// The layout of a store with this many buckets.
fn layout_of(buckets: usize) -> String {
    match buckets {
        1 => LAYOUT.to_owned(),
        _ => format!("{LAYOUT}/{buckets}"),
    }
}

/// Reads the layout of a bucket, one of this many; an empty one gets that of this version. `other`
/// is a key that only an older layout has.
pub(super) fn read(keys: &Keys, buckets: usize, other: &str) -> Cmd {
    let mut read = redis::cmd("EVAL");
    read.arg(include_str!("layout.lua")).arg(2).arg(keys.key("layout")).arg(other);
    read.arg(layout_of(buckets));
    read
}

/// Checks that a database has no sales that this version would misread.
///
/// # Errors
/// Returns what is wrong with the database, and that `empty` should be used instead.
pub(super) fn check(layout: &str, buckets: usize, empty: &str) -> Result<(), String> {
    if layout == layout_of(buckets) {
        return Ok(());
    }
    let found = match layout.strip_prefix(LAYOUT) {
        Some("") => Some(1),
        Some(rest) => rest.strip_prefix('/').and_then(|count| count.parse::<usize>().ok()),
        None => None,
    };
    if let Some(found) = found {
        let found_buckets = match found {
            1 => "1 stock bucket".to_owned(),
            _ => format!("{found} stock buckets"),
        };
        return Err(format!(
            "its sales are in {found_buckets}, and this process was started for {buckets}: \
             give --stock-buckets {found}, or use {empty}"
        ));
    }
    let layout = printable(layout);
    Err(format!(
        "its database has sales of another version of seckill (layout {layout}, and this version \
         reads layout {LAYOUT}): use {empty}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_number_of_buckets_is_told_with_the_one_to_give() {
        assert_eq!(check("3", 1, "another"), Ok(()));
        assert_eq!(check("3/4", 4, "another"), Ok(()));
        for (layout, buckets, is_in, cure) in [
            ("3", 4, "in 1 stock bucket,", "give --stock-buckets 1,"),
            ("3/4", 1, "in 4 stock buckets,", "give --stock-buckets 4,"),
        ] {
            let problem = check(layout, buckets, "another").unwrap_err();
            assert!(problem.contains(is_in) && problem.contains(cure), "{problem}");
            assert!(problem.contains("or use another"), "{problem}");
        }
        for layout in ["2", "4", "3/", "33"] {
            assert!(check(layout, 1, "another").unwrap_err().contains("another version"));
        }
    }
}
