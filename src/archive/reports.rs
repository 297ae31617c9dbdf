//! The files for reports of a run. Their text comes from above: here they are only opened and
//! written.

use std::fs::{self, File};
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::folder::{FILES, OutputError, RUN, UNFINISHED, at};
use super::made::Made;
use super::real_path::real_path;
use super::report_kind::ReportKind;

/// Whether a path names one of the files that a run writes into its folder, also before there is
/// such a folder.
pub fn is_file_of_folder(folder: &Path, path: &Path) -> bool {
    let path = real_path(path);
    let reports = ReportKind::ALL.map(ReportKind::file_name);
    let mut names = FILES.iter().chain(&reports);
    names.any(|name| {
        let unfinished = format!("{name}{UNFINISHED}");
        [*name, &unfinished].iter().any(|own| real_path(&folder.join(own)) == path)
    })
}

/// A file in a folder without a recorded run that has the name of a report, or of the record: it is
/// somebody else's, and a run in this folder would replace it.
pub fn foreign_report(folder: &Path) -> Option<PathBuf> {
    let run = folder.join(RUN);
    if !run.exists() {
        let mut reports = ReportKind::ALL.into_iter().map(|kind| folder.join(kind.file_name()));
        return reports.find(|path| holds_something(path));
    }
    let is_record = || {
        let text = fs::read_to_string(&run).unwrap_or_default();
        serde_json::from_str::<Value>(&text).is_ok_and(|record| record["schema"].is_u64())
    };
    (holds_something(&run) && !is_record()).then_some(run)
}

/// Whether a path names a file that must not be overwritten. A terminal or a pipe holds nothing.
pub fn holds_something(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() > 0)
}

/// Whether two paths name the same file, also one that does not exist yet.
pub fn is_same_file(one: &Path, other: &Path) -> bool {
    real_path(one) == real_path(other)
}

/// Whether two paths name the same folder.
pub fn is_same_folder(one: &Path, other: &Path) -> bool {
    one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|other| one == other))
}

/// Writes a report into a run's folder, and replaces the one that is there.
///
/// # Errors
/// When it cannot be written.
pub fn write_report(folder: &Path, kind: ReportKind, text: &str) -> Result<(), OutputError> {
    let path = folder.join(kind.file_name());
    let new = folder.join(format!("{}{UNFINISHED}", kind.file_name()));
    let written = fs::write(&new, text).and_then(|()| fs::rename(&new, &path));
    written.inspect_err(|_| drop(fs::remove_file(&new))).map_err(at(&path))
}

/// A file for a report, opened before the run. If no report is written, a file that did not exist
/// before is removed.
#[derive(Debug)]
pub struct ReportFile {
    kind: ReportKind,
    path: PathBuf,
    file: File,
    made: Made,
}

impl ReportFile {
    /// Opens the file, which must not hold anything yet.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(kind: ReportKind, path: &Path) -> Result<Self, OutputError> {
        let mut made = Made::default();
        let file = made.open(path).map_err(at(path))?;
        Ok(Self { kind, path: path.to_owned(), file, made })
    }

    /// The report that it is for.
    pub fn kind(&self) -> ReportKind {
        self.kind
    }

    /// Writes the report.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(mut self, text: &str) -> Result<(), OutputError> {
        let mut write = || -> io::Result<()> {
            if self.file.metadata()?.is_file() {
                self.file.set_len(0)?;
                self.file.rewind()?;
            }
            self.file.write_all(text.as_bytes())?;
            self.file.flush()
        };
        write().map_err(at(&self.path))?;
        self.made.keep();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_that_was_written_holds_something() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.html");
        let file = ReportFile::open(ReportKind::Html, &path).unwrap();
        assert!(!holds_something(&path) && !holds_something(Path::new("/dev/null")));
        file.write("first").unwrap();
        assert!(holds_something(&path));
        assert_eq!(fs::read_to_string(&path).unwrap(), "first");
    }

    #[test]
    fn file_that_was_made_and_not_written_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let (new, empty) = (folder.path().join("new"), folder.path().join("empty"));
        fs::write(&empty, "").unwrap();
        for path in [&new, &empty] {
            drop(ReportFile::open(ReportKind::Junit, path).unwrap());
        }
        assert_eq!((new.exists(), empty.exists()), (false, true));
    }

    #[test]
    fn files_of_a_folder_are_recognised_before_they_exist() {
        let folder = tempfile::tempdir().unwrap();
        let (out, other) = (folder.path().join("out"), folder.path().join("other"));
        fs::create_dir(&out).unwrap();
        std::os::unix::fs::symlink(&out, &other).unwrap();
        for (path, is_own) in [
            (out.join("junit.xml"), true),
            (other.join("run.json"), true),
            (out.join("run.json.new"), true),
            (out.join("mine.xml"), false),
            (folder.path().join("junit.xml"), false),
        ] {
            assert_eq!(is_file_of_folder(&out, &path), is_own, "{path:?}");
        }
    }
}
