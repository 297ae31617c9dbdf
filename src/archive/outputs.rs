//! The output files of a run. They are opened before the run and written during it, so that no
//! later failure loses what was measured. A run that has sent nothing leaves them as they were.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use crate::history::History;
use crate::stats::{Live, Recorder, Sample, Sink};
use crate::sut::{Sut, Target};

use super::digest::Digest;
use super::folder::{Folder, LedgerFile, OutputError, at};
use super::jtl::Jtl;
use super::made::Made;
use super::run::Run;

/// The output files of a run. The first error is kept and returned at the end: a file that cannot
/// be written does not end the run.
#[derive(Debug)]
pub struct Outputs {
    jtl: Option<(PathBuf, Jtl)>,
    folder: Option<Folder>,
    begun: SystemTime,
    live: Arc<Live>,
    /// What is removed again if nothing is sent.
    made: Made,
    error: Option<OutputError>,
}

impl Outputs {
    /// Opens the requested file and folder.
    ///
    /// # Errors
    /// When one of them cannot be written.
    pub fn open(
        jtl: Option<&Path>,
        folder: Option<&Path>,
        (sut, target): (&Sut, &Target),
        live: Arc<Live>,
    ) -> Result<Self, OutputError> {
        let mut made = Made::default();
        let folder = folder.map(|path| Folder::open(path, &mut made)).transpose()?;
        let jtl = jtl.map(|path| {
            let file = made.open(path).and_then(|file| Jtl::begin(file, sut, target));
            Ok((path.to_owned(), file.map_err(at(path))?))
        });
        let jtl = jtl.transpose()?;
        Ok(Self { jtl, folder, begun: SystemTime::now(), live, made, error: None })
    }

    /// Whether an output needs every sample.
    pub fn wants_samples(&self) -> bool {
        self.jtl.is_some()
    }

    /// A ledger is read from its beginning: what was read of it before counts no more.
    pub fn ledger_begins(&mut self, which: LedgerFile) {
        self.in_folder(|folder| folder.ledger_begins(which));
    }

    /// The ledger was read to its end, and takes the place of one that was read before.
    pub fn ledger_ends(&mut self, which: LedgerFile) {
        self.in_folder(|folder| folder.ledger_ends(which));
    }

    /// Appends bytes of a ledger, as they were received.
    pub fn ledger(&mut self, which: LedgerFile, piece: &[u8]) {
        self.in_folder(|folder| folder.ledger(which, piece));
    }

    /// Writes the figures that are complete when the load has ended.
    pub fn load_ended(&mut self, recorder: &Recorder) {
        self.has_sent();
        self.in_folder(|folder| folder.percentiles(recorder));
    }

    /// Writes the history.
    pub fn history(&mut self, history: &History) {
        self.in_folder(|folder| folder.history(history));
    }

    /// Writes the result, and replaces one that was written before.
    pub fn run(&mut self, run: &Run) {
        self.in_folder(|folder| folder.run(run));
    }

    /// The digests of the files that are judged, by name; none without a folder.
    pub fn digests(&self) -> BTreeMap<String, Digest> {
        self.folder.as_ref().map(Folder::digests).unwrap_or_default()
    }

    /// Finishes the files.
    ///
    /// # Errors
    /// The first error with any of the files.
    pub fn finish(self) -> Result<(), OutputError> {
        self.error.map_or(Ok(()), Err)
    }

    /// The files are for this run from now on.
    fn has_sent(&mut self) {
        self.made.keep();
        self.in_folder(Folder::discard_earlier);
    }

    fn in_folder(&mut self, write: impl FnOnce(&mut Folder) -> Result<(), OutputError>) {
        let written = self.folder.as_mut().map_or(Ok(()), write);
        self.note(written);
    }

    fn note(&mut self, written: Result<(), OutputError>) {
        self.error = self.error.take().or(written.err());
    }
}

impl Sink for Outputs {
    fn begin(&mut self, begun: SystemTime) {
        self.begun = begun;
        self.folder.iter_mut().for_each(|folder| folder.begin(begun));
    }

    fn second(&mut self, second: u64, recorder: &Recorder) {
        if recorder.counts.began > 0 {
            self.has_sent();
        }
        self.in_folder(|folder| folder.second(second, recorder));
    }

    fn samples(&mut self, samples: &[Sample]) {
        if !samples.is_empty() {
            self.has_sent();
        }
        let written = self.jtl.as_mut().map_or(Ok(()), |(path, jtl)| {
            jtl.write(self.begun, samples, &self.live).map_err(at(path))
        });
        self.note(written);
    }
}
