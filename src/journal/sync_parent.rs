//! Making names durable.

use std::fs::File;
use std::io;
use std::path::Path;

/// Makes the name of a file or folder durable, by syncing the folder that contains it.
///
/// # Errors
/// Returns an error when that folder cannot be synced.
pub fn sync_parent(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}
