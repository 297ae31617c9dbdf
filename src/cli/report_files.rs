//! The files of `--html`, `--junit` and `--summary`, and the reports in the folder of `--out`:
//! opened before the run, written after it.

use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::archive::{ReportFile, ReportKind, is_file_of_folder, write_report};
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
    /// Opens the files. None of them may hold anything, be another output of the run (the file of
    /// `--jtl` or one in the folder of `--out`), or be given twice. `name` is the name of a flag's
    /// source.
    pub(super) fn open(
        paths: ReportPaths<'_>,
        jtl: Option<&Path>,
        folder: Option<&Path>,
        name: &dyn Fn(&str) -> String,
    ) -> Result<Self, Failure> {
        let reports = paths.given().map(|(kind, path)| (kind.flag(), path));
        let others = [("jtl", jtl), ("out", folder)];
        let others = others.into_iter().filter_map(|(flag, path)| Some((flag, path?)));
        if let Some((flag, _)) = reports.chain(others).find(|(_, path)| *path == Path::new("-")) {
            let problem = "`-` does not stand for stdout: name a file, such as ./-";
            return Err(Failure::Usage(format!("{}: {problem}", name(flag))));
        }
        let mut files: Vec<ReportFile> = Vec::new();
        for (kind, path) in paths.given() {
            let name = || name(kind.flag());
            let wrong = |problem: &str| {
                Failure::Usage(format!("{}: {}: {problem}", name(), path.display()))
            };
            if folder.is_some_and(|folder| is_file_of_folder(folder, path)) {
                return Err(wrong("--out writes it too: name another file, or leave this out"));
            }
            let file = ReportFile::open(kind, path).with_context(name)?.ok_or_else(|| {
                wrong("it exists, and is not overwritten: remove it, or name another file")
            })?;
            if files.iter().any(|other| other.is_same(path)) {
                return Err(wrong("another report is written to it: name another file"));
            }
            if jtl.is_some_and(|jtl| file.is_same(jtl)) {
                return Err(wrong("--jtl writes it too: name another file"));
            }
            files.push(file);
        }
        Ok(Self { files, folder: folder.map(Path::to_owned) })
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

fn text(kind: ReportKind, runs: &[Titled<'_>]) -> anyhow::Result<String> {
    Ok(match kind {
        ReportKind::Html => report::html(runs),
        ReportKind::Junit => report::junit(runs),
        ReportKind::Summary => report::summary(runs),
    }?)
}
