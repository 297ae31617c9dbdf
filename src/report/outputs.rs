//! The files that a run is written to: opened before it, written while it goes on, so that what was
//! measured is there whatever happens after.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use serde_json::Value;

use crate::load::Seen;
use crate::profile::Target;
use crate::stats::{Live, Recorder, SaleNow, Series};

use super::hdr::{self, Log};
use super::jtl::Jtl;

/// Why a file cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {cause}", path.display())]
pub struct OutputError {
    path: PathBuf,
    cause: io::Error,
}

/// Where a run is written to, besides the report on stdout.
#[derive(Debug)]
pub struct Outputs {
    jtl: Option<(PathBuf, Jtl)>,
    folder: Option<Folder>,
    begun: SystemTime,
    series: Series,
    sale: Arc<Mutex<SaleNow>>,
    live: Arc<Live>,
    /// The first that went wrong: the run goes on, and it is told at the end.
    error: Option<OutputError>,
}

/// The files in the folder that `--out` names.
#[derive(Debug)]
struct Folder {
    path: PathBuf,
    log: Log,
    run: File,
}

const RUN: &str = "run.json";
const LOG: &str = "latency.hlog";
const LATENCY: &str = "latency.hgrm";
const CORRECTED: &str = "latency-corrected.hgrm";

fn at(path: &Path) -> impl FnOnce(io::Error) -> OutputError {
    let path = path.to_owned();
    move |cause| OutputError { path, cause }
}

impl Outputs {
    /// Opens what is asked for; what these files held before is gone.
    ///
    /// # Errors
    /// When one cannot be opened.
    pub fn open(
        jtl: Option<&Path>,
        folder: Option<&Path>,
        target: &Target,
        live: Arc<Live>,
        sale: Arc<Mutex<SaleNow>>,
    ) -> Result<Self, OutputError> {
        let folder = folder.map(Folder::open).transpose()?;
        let jtl = jtl.map(|path| {
            let file = Jtl::create(path, target).map_err(at(path))?;
            Ok((path.to_owned(), file))
        });
        let jtl = jtl.transpose()?;
        if let (Some((path, _)), Some(folder)) = (&jtl, &folder)
            && folder.has(path)
        {
            let cause = io::Error::other("--out writes it too: name another file for --jtl");
            return Err(OutputError { path: path.clone(), cause });
        }
        Ok(Self {
            jtl,
            folder,
            begun: SystemTime::now(),
            series: Series::default(),
            sale,
            live,
            error: None,
        })
    }

    /// Whether each sample is wanted.
    pub fn wants_samples(&self) -> bool {
        self.jtl.is_some()
    }

    /// Writes what is seen of the run.
    pub fn see(&mut self, seen: Seen<'_>) {
        let written = match seen {
            Seen::Begun(begun) => {
                self.begun = begun;
                self.folder.as_mut().map_or(Ok(()), |folder| folder.begin(begun))
            }
            Seen::Samples(samples) => self.jtl.as_mut().map_or(Ok(()), |(path, jtl)| {
                jtl.write(self.begun, samples, &self.live).map_err(at(path))
            }),
            Seen::Second(second, recorder) => {
                let sale = *self.sale.lock().unwrap_or_else(PoisonError::into_inner);
                self.series.push(second, recorder, sale);
                self.folder.as_mut().map_or(Ok(()), |folder| folder.write(second, recorder))
            }
        };
        self.note(written);
    }

    /// The sale at the end of the run: the last second has what was seen before.
    pub fn look(&mut self, sale: SaleNow) {
        self.series.look(sale);
    }

    /// Writes what can be said at the end of the run, and gives it second by second.
    pub fn end(&mut self, recorder: &Recorder) -> Series {
        let written = self.folder.as_ref().map_or(Ok(()), |folder| folder.end(recorder));
        self.note(written);
        std::mem::take(&mut self.series)
    }

    /// Writes the result.
    ///
    /// # Errors
    /// The first that went wrong with any of the files.
    pub fn finish(mut self, result: &Value) -> Result<(), OutputError> {
        let written = self.folder.as_mut().map_or(Ok(()), |folder| {
            let path = folder.path.join(RUN);
            writeln!(folder.run, "{result:#}").map_err(at(&path))
        });
        self.note(written);
        self.error.map_or(Ok(()), Err)
    }

    fn note(&mut self, written: Result<(), OutputError>) {
        self.error = self.error.take().or(written.err());
    }
}

impl Folder {
    fn open(path: &Path) -> Result<Self, OutputError> {
        fs::create_dir_all(path).map_err(at(path))?;
        // Of a former run: what is not written anew would pass for this one's.
        for file in [LATENCY, CORRECTED] {
            let path = path.join(file);
            File::create(&path).map_err(at(&path))?;
        }
        let (log, run) = (path.join(LOG), path.join(RUN));
        Ok(Self {
            path: path.to_owned(),
            log: Log::create(&log).map_err(at(&log))?,
            run: File::create(&run).map_err(at(&run))?,
        })
    }

    /// Whether a file, which exists, is one of its own.
    fn has(&self, path: &Path) -> bool {
        let names = [RUN, LOG, LATENCY, CORRECTED].map(|name| self.path.join(name));
        let same = |name: &PathBuf| match (name.canonicalize(), path.canonicalize()) {
            (Ok(ours), Ok(theirs)) => ours == theirs,
            _ => false,
        };
        names.iter().any(same)
    }

    fn begin(&mut self, begun: SystemTime) -> Result<(), OutputError> {
        self.log.begin(begun).map_err(at(&self.path.join(LOG)))
    }

    fn write(&mut self, second: u64, recorder: &Recorder) -> Result<(), OutputError> {
        self.log.write(second, recorder).map_err(at(&self.path.join(LOG)))
    }

    fn end(&self, recorder: &Recorder) -> Result<(), OutputError> {
        for (file, histogram) in [(LATENCY, recorder.latency()), (CORRECTED, recorder.corrected())]
        {
            let path = self.path.join(file);
            fs::write(&path, hdr::percentiles(histogram)).map_err(at(&path))?;
        }
        Ok(())
    }
}
