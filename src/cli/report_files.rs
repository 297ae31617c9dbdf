//! The files of `--html`, `--junit` and `--summary`, and the reports in the folder of `--out`:
//! opened before the run, written after it.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::archive::{
    ReportFile, ReportKind, holds_something, is_file_of_folder, is_same_file, write_report,
};
use crate::report::{self, Titled};

use super::Failure;

/// The paths that the flags name.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ReportPaths<'a> {
    pub(super) html: Option<&'a Path>,
    pub(super) junit: Option<&'a Path>,
    pub(super) summary: Option<&'a Path>,
}

impl<'a> ReportPaths<'a> {
    /// Whether no flag names a file.
    pub(super) fn is_empty(self) -> bool {
        self.given().next().is_none()
    }

    fn given(self) -> impl Iterator<Item = (ReportKind, &'a Path)> {
        let given = ReportKind::ALL.map(|kind| match kind {
            ReportKind::Html => (kind, self.html),
            ReportKind::Junit => (kind, self.junit),
            ReportKind::Summary => (kind, self.summary),
        });
        given.into_iter().filter_map(|(kind, path)| Some((kind, path?)))
    }
}

/// The files for the reports of a run.
#[derive(Debug)]
pub(super) struct ReportFiles {
    files: Vec<ReportFile>,
    /// The folder of the run, which gets all reports.
    folder: Option<PathBuf>,
}

impl ReportFiles {
    /// Opens the files. None of them may hold anything, be another output of the run (one in the
    /// folder of `--out`), or be given twice, and neither may the file of `--jtl`, which is opened
    /// with the folder. `name` is the name of a flag's source.
    pub(super) fn open(
        paths: ReportPaths<'_>,
        jtl: Option<&Path>,
        folder: Option<&Path>,
        name: &dyn Fn(&str) -> String,
    ) -> Result<Self, Failure> {
        let reports = paths.given().map(|(kind, path)| (kind.flag(), path));
        let given: Vec<_> = reports.chain(jtl.map(|path| ("jtl", path))).collect();
        let folders = folder.map(|path| ("out", path));
        if let Some((flag, _)) =
            given.iter().copied().chain(folders).find(|(_, path)| is_stdout(path))
        {
            return Err(not_stdout(&name(flag)));
        }
        for (number, (flag, path)) in given.iter().enumerate() {
            let wrong = |problem: String| {
                Err(Failure::Usage(format!("{}: {}: {problem}", name(flag), path.display())))
            };
            if folder.is_some_and(|folder| is_file_of_folder(folder, path)) {
                return wrong("--out writes it too: name another file, or leave this out".into());
            }
            if holds_something(path) {
                return wrong(
                    "it exists, and is not overwritten: remove it, or name another file".into(),
                );
            }
            let mut later = given[number + 1..].iter();
            if let Some((other, _)) = later.find(|(_, other)| is_same_file(path, other)) {
                return wrong(format!("--{other} writes it too: name another file"));
            }
        }
        let files = paths.given().map(|(kind, path)| {
            ReportFile::open(kind, path).with_context(|| name(kind.flag())).map_err(Failure::from)
        });
        Ok(Self { files: files.collect::<Result<_, _>>()?, folder: folder.map(Path::to_owned) })
    }

    /// Writes the reports of runs: all that can be written, whatever happens to one of them.
    pub(super) fn write(self, runs: &[Titled<'_>]) -> anyhow::Result<()> {
        let in_folder = self.folder.iter().flat_map(|folder| {
            ReportKind::ALL.map(|kind| Ok(write_report(folder, kind, &text(kind, runs)?)?))
        });
        let mut written: Vec<anyhow::Result<()>> = in_folder.collect();
        for file in self.files {
            written.push(text(file.kind(), runs).and_then(|text| Ok(file.write(&text)?)));
        }
        written.into_iter().collect()
    }
}

/// Whether a path is what stands for stdout elsewhere.
pub(super) fn is_stdout(path: &Path) -> bool {
    path == Path::new("-")
}

/// The error about a file that is meant to be stdout.
pub(super) fn not_stdout(name: &str) -> Failure {
    Failure::Usage(format!("{name}: `-` does not stand for stdout: name a file, such as ./-"))
}

fn text(kind: ReportKind, runs: &[Titled<'_>]) -> anyhow::Result<String> {
    Ok(match kind {
        ReportKind::Html => report::html(runs),
        ReportKind::Junit => report::junit(runs),
        ReportKind::Summary => report::summary(runs),
    }?)
}
