//! Reading a recorded run.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::escape::printable;
use crate::history::{History, Ledger};
use crate::judge;
use crate::sut::read_ledger;

use super::digest::Digesting;
use super::folder::{HISTORY, LedgerFile, RUN};
use super::run::{Run, SCHEMA};

/// Largest `run.json` that is read, in bytes: its longest part, the series, is bounded.
const RUN_LEN_MAX: u64 = 64 << 20;

/// Why a recorded run cannot be used: one line, whatever the damaged file holds.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ReadError(String);

impl ReadError {
    fn new(path: &Path, problem: impl fmt::Display) -> Self {
        // Parsers quote what they do not expect; a terminal would obey an escape sequence in it.
        let (path, problem) = (path.display().to_string(), problem.to_string());
        Self(format!("{}: {}", printable(&path), printable(&problem)))
    }
}

/// The folder of a recorded run.
#[derive(Debug, Clone)]
pub struct Recording {
    folder: PathBuf,
    run: Run,
}

impl Recording {
    /// Opens the folder, and reads the result in it.
    ///
    /// # Errors
    /// When there is no result, or one that is damaged or of a newer version.
    pub fn open(folder: &Path) -> Result<Self, ReadError> {
        let path = folder.join(RUN);
        if folder.is_file() {
            let problem = "it is a file: name the folder that `bench --out` wrote";
            return Err(ReadError::new(folder, problem));
        }
        let mut json = Vec::new();
        let file = open(&path, "there is no such file: name the folder that `bench --out` wrote")?;
        file.take(RUN_LEN_MAX)
            .read_to_end(&mut json)
            .map_err(|error| ReadError::new(&path, error))?;
        if json.is_empty() {
            let problem = "it is empty: the run ended before its result could be written";
            return Err(ReadError::new(&path, problem));
        }
        let damaged = |error: serde_json::Error| {
            ReadError::new(&path, format!("it is not the result of a run: {error}"))
        };
        let value: Value = serde_json::from_slice(&json).map_err(damaged)?;
        let schema = value.get("schema").and_then(Value::as_u64);
        if let Some(newer) = schema.filter(|schema| *schema > SCHEMA.into()) {
            let problem = format!(
                "its schema is {newer}, and this program reads up to {SCHEMA}: use a newer seckill"
            );
            return Err(ReadError::new(&path, problem));
        }
        let run: Run = serde_json::from_slice(&json).map_err(damaged)?;
        // An older run was recorded without thresholds.
        let run = match run.thresholds.is_empty() {
            true => {
                let thresholds = run.recorded_thresholds();
                run.evaluated(&thresholds.map_err(|problem| ReadError::new(&path, problem))?)
            }
            false => run,
        };
        Ok(Self { folder: folder.to_owned(), run })
    }

    /// The result as it was recorded.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// Judges the run again, from its history and its ledgers, and returns the result with the
    /// new audit.
    ///
    /// # Errors
    /// When one of these is missing or damaged, or of a newer version.
    pub fn audit(self) -> Result<Run, ReadError> {
        let mut history = self.read(HISTORY, |file| History::read(BufReader::new(file)))?;
        let gaps = self.run.evidence_gaps.clone();
        if !gaps.no_audit {
            history.begin_with(self.ledger(LedgerFile::Before)?);
        }
        // A ledger that could not be read then cannot be read now.
        let ledger = match gaps.ledger {
            None => Some(self.ledger(LedgerFile::After)?),
            Some(_) => None,
        };
        let audit = judge::audit(&history, ledger.as_ref(), &gaps);
        let thresholds = self.run.recorded_thresholds();
        let thresholds =
            thresholds.map_err(|problem| ReadError::new(&self.folder.join(RUN), problem))?;
        Ok(self.run.judged(audit, &thresholds))
    }

    fn ledger(&self, which: LedgerFile) -> Result<Ledger, ReadError> {
        self.read(which.name(), |file| read_ledger(file))
    }

    /// Reads a file to its end, and checks it against the digest in the result.
    fn read<T, E: fmt::Display>(
        &self,
        name: &str,
        read: impl FnOnce(&mut Digesting<File>) -> Result<T, E>,
    ) -> Result<T, ReadError> {
        let path = self.folder.join(name);
        let mut file = Digesting::new(open(
            &path,
            "there is no such file, without which the run cannot be judged again",
        )?);
        let content = read(&mut file).map_err(|error| ReadError::new(&path, error))?;
        match (file.digest(), self.run.files.get(name)) {
            (digest, Some(recorded)) if digest != *recorded => {
                let problem = format!(
                    "it has {digest}, and {RUN} records {recorded}: it was changed, or it belongs \
                     to another run"
                );
                Err(ReadError::new(&path, problem))
            }
            _ => Ok(content),
        }
    }
}

/// Opens a regular file: anything else, such as a pipe, might never end.
fn open(path: &Path, missing: &str) -> Result<File, ReadError> {
    let problem = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => missing.to_owned(),
        _ => error.to_string(),
    };
    let metadata = path.metadata().map_err(|error| ReadError::new(path, problem(error)))?;
    if !metadata.is_file() {
        return Err(ReadError::new(path, "it is not a regular file"));
    }
    File::open(path).map_err(|error| ReadError::new(path, problem(error)))
}
