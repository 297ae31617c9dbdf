//! What a run has made on the disk before it has anything to write.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// The files and the folder that a run has made. They are removed again, unless they are kept: they
/// say nothing, and nobody would know where they came from.
#[derive(Debug, Default)]
pub(super) struct Made {
    files: Vec<PathBuf>,
    folder: Option<PathBuf>,
}

impl Made {
    /// Creates a folder, unless it is there.
    pub(super) fn folder(&mut self, path: &Path) -> io::Result<()> {
        let is_new = !path.exists();
        fs::create_dir_all(path)?;
        self.folder = is_new.then(|| path.to_owned());
        Ok(())
    }

    /// Opens a file to be written, and leaves what it holds.
    pub(super) fn open(&mut self, path: &Path) -> io::Result<File> {
        let is_new = !path.exists();
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        self.files.extend(is_new.then(|| path.to_owned()));
        Ok(file)
    }

    /// A file that this run may leave unfinished.
    pub(super) fn unfinished(&mut self, path: PathBuf) {
        self.files.push(path);
    }

    /// Keeps everything.
    pub(super) fn keep(&mut self) {
        self.files.clear();
        self.folder = None;
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        for file in &self.files {
            let _ = fs::remove_file(file);
        }
        if let Some(folder) = &self.folder {
            let _ = fs::remove_dir(folder);
        }
    }
}
