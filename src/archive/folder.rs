//! The files in the folder that `--out` names, as they are written.

use std::collections::BTreeMap;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::history::History;
use crate::stats::Recorder;

use super::digest::{Digest, Digesting};
use super::hdr::{self, Log};
use super::made::Made;
use super::report_kind::ReportKind;
use super::run::Run;

pub(super) const RUN: &str = "run.json";
pub(super) const HISTORY: &str = "history.ndjson";
const LOG: &str = "latency.hlog";
const LATENCY: &str = "latency.hgrm";
const CORRECTED: &str = "latency-corrected.hgrm";

/// Suffix of a file's name until the file is complete.
pub(super) const UNFINISHED: &str = ".new";

/// All files of a run besides its reports.
pub(super) const FILES: [&str; 7] =
    [RUN, HISTORY, LOG, LATENCY, CORRECTED, LedgerFile::Before.name(), LedgerFile::After.name()];

/// Why a file cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {cause}{}", path.display(), advice(cause))]
pub struct OutputError {
    pub(super) path: PathBuf,
    pub(super) cause: io::Error,
}

impl OutputError {
    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// What to do about an error.
fn advice(cause: &io::Error) -> &'static str {
    match cause.kind() {
        io::ErrorKind::NotFound => "; create its folder first",
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
            "; there is a file where a folder is needed"
        }
        _ => "",
    }
}

/// Adds the path of a file to an error.
pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> OutputError {
    let path = path.to_owned();
    move |cause| OutputError { path, cause }
}

/// One of the two ledgers of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LedgerFile {
    /// The ledger before the run.
    Before,
    /// The ledger after the run.
    After,
}

impl LedgerFile {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Before => "ledger-before.ndjson",
            Self::After => "ledger.ndjson",
        }
    }
}

/// The paths of the files that each run has in its folder.
fn files(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let names = FILES.into_iter().chain(ReportKind::ALL.map(ReportKind::file_name));
    names.map(|name| folder.join(name))
}

/// The files of a run. Until the run has sent something they hold what an earlier run left.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// Keeps other runs out while this one writes.
    _lock: Option<File>,
    /// When the load began.
    begun: SystemTime,
    /// The log, once the files of an earlier run were discarded.
    log: Option<Log>,
    /// The ledger that is being read.
    unfinished: Option<Digesting<File>>,
    /// The digests of the ledgers, by name.
    ledgers: BTreeMap<&'static str, Digest>,
    /// The digest of the history, once it was written.
    history: Option<Digest>,
}

/// Locks a folder, so that no two runs write to it at the same time. One that may not be read is
/// not locked.
fn lock(path: &Path) -> io::Result<Option<File>> {
    let folder = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => return Ok(None),
        opened => opened?,
    };
    folder.try_lock().map_err(|error| match error {
        TryLockError::Error(cause) => cause,
        TryLockError::WouldBlock => io::Error::new(
            io::ErrorKind::ResourceBusy,
            "another run writes to it: wait for that, or name another folder",
        ),
    })?;
    Ok(Some(folder))
}

impl Folder {
    /// Creates the folder, and checks that its files can be written. They keep their content.
    pub(super) fn open(path: &Path, made: &mut Made) -> Result<Self, OutputError> {
        made.folder(path).map_err(at(path))?;
        let lock = lock(path).map_err(at(path))?;
        for file in files(path) {
            made.open(&file).map_err(at(&file))?;
        }
        for name in [RUN, HISTORY, LedgerFile::Before.name(), LedgerFile::After.name()] {
            // Only a run that was killed, or could not read its ledger, leaves such a file.
            let _ = fs::remove_file(path.join(format!("{name}{UNFINISHED}")));
        }
        made.unfinished(path.join(format!("{}{UNFINISHED}", LedgerFile::Before.name())));
        let empty = Digesting::new(io::sink()).digest();
        let ledgers = [LedgerFile::Before, LedgerFile::After].map(|file| (file.name(), empty));
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
            begun: SystemTime::now(),
            log: None,
            unfinished: None,
            ledgers: ledgers.into(),
            history: None,
        })
    }

    pub(super) fn begin(&mut self, begun: SystemTime) {
        self.begun = begun;
    }

    /// Discards what an earlier run left: a file that is not written again could otherwise be taken
    /// for one of this run. Does nothing when it is called again.
    pub(super) fn discard_earlier(&mut self) -> Result<(), OutputError> {
        if self.log.is_some() {
            return Ok(());
        }
        for path in files(&self.path) {
            File::create(&path).map_err(at(&path))?;
        }
        let path = self.path.join(LOG);
        let log = self.log.insert(Log::create(&path).map_err(at(&path))?);
        let headed = log.begin(self.begun).map_err(at(&path));
        match self.replace_ledger(LedgerFile::Before) {
            // Without an audit it was not read.
            Err(error) if error.cause.kind() == io::ErrorKind::NotFound => headed,
            replaced => replaced.and(headed),
        }
    }

    pub(super) fn second(&mut self, second: u64, recorder: &Recorder) -> Result<(), OutputError> {
        let written = self.log.as_mut().map_or(Ok(()), |log| log.write(second, recorder));
        written.map_err(at(&self.path.join(LOG)))
    }

    /// A ledger is read from its beginning. Its file is replaced only when it is complete.
    pub(super) fn ledger_begins(&mut self, which: LedgerFile) -> Result<(), OutputError> {
        let path = self.path.join(format!("{}{UNFINISHED}", which.name()));
        self.unfinished = Some(Digesting::new(File::create(&path).map_err(at(&path))?));
        Ok(())
    }

    /// Appends bytes of the ledger that is being read, as they were received.
    pub(super) fn ledger(&mut self, which: LedgerFile, piece: &[u8]) -> Result<(), OutputError> {
        let written = self.unfinished.as_mut().map_or(Ok(()), |file| file.write_all(piece));
        written.map_err(at(&self.path.join(which.name())))
    }

    /// The ledger was read to its end. The one before the run takes its place with the first
    /// request.
    pub(super) fn ledger_ends(&mut self, which: LedgerFile) -> Result<(), OutputError> {
        let Some(file) = self.unfinished.take() else { return Ok(()) };
        if self.log.is_some() {
            self.replace_ledger(which)?;
        }
        self.ledgers.insert(which.name(), file.digest());
        Ok(())
    }

    fn replace_ledger(&self, which: LedgerFile) -> Result<(), OutputError> {
        let path = self.path.join(which.name());
        let new = self.path.join(format!("{}{UNFINISHED}", which.name()));
        fs::rename(new, &path).map_err(at(&path))
    }

    pub(super) fn percentiles(&self, recorder: &Recorder) -> Result<(), OutputError> {
        for (file, histogram) in [(LATENCY, recorder.latency()), (CORRECTED, recorder.corrected())]
        {
            let path = self.path.join(file);
            fs::write(&path, hdr::percentiles(histogram)).map_err(at(&path))?;
        }
        Ok(())
    }

    /// Writes the history, and replaces one that was written before.
    pub(super) fn history(&mut self, history: &History) -> Result<(), OutputError> {
        self.history = Some(self.replace(HISTORY, |file| history.write(file))?);
        Ok(())
    }

    /// The digests of the files that are judged.
    pub(super) fn digests(&self) -> BTreeMap<String, Digest> {
        let ledgers = self.ledgers.iter().map(|(name, digest)| (*name, *digest));
        let history = self.history.map(|digest| (HISTORY, digest));
        let named = ledgers.chain(history);
        named.map(|(name, digest)| (name.to_owned(), digest)).collect()
    }

    /// Writes the result atomically.
    pub(super) fn run(&self, run: &Run) -> Result<(), OutputError> {
        self.replace(RUN, |file| {
            serde_json::to_writer_pretty(&mut *file, run)?;
            file.write_all(b"\n")
        })
        .map(drop)
    }

    /// Writes a file atomically: if the program is killed meanwhile, or the disk is full, the
    /// previous file stays.
    fn replace(
        &self,
        name: &str,
        write: impl FnOnce(&mut BufWriter<Digesting<File>>) -> io::Result<()>,
    ) -> Result<Digest, OutputError> {
        let path = self.path.join(name);
        let new = self.path.join(format!("{name}{UNFINISHED}"));
        let replace = || {
            let mut file = BufWriter::new(Digesting::new(File::create(&new)?));
            write(&mut file)?;
            file.flush()?;
            fs::rename(&new, &path)?;
            Ok(file.get_ref().digest())
        };
        replace().inspect_err(|_| drop(fs::remove_file(&new))).map_err(at(&path))
    }
}
