//! Reading a recorded run.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::history::{History, Ledger};
use crate::judge;

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
        let message = format!("{}: {problem}", path.display());
        // Parsers quote what they do not expect; a terminal would obey an escape sequence in it.
        let printable = |c: char| match c.is_control() {
            true => c.escape_default().to_string(),
            false => c.to_string(),
        };
        Self(message.chars().map(printable).collect())
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
        let mut json = Vec::new();
        let file = open(&path)?;
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
        let run = serde_json::from_slice(&json).map_err(damaged)?;
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
        let path = self.folder.join(HISTORY);
        let history = History::read(BufReader::new(open(&path)?));
        let mut history = history.map_err(|error| ReadError::new(&path, error))?;
        let gaps = self.run.evidence_gaps.clone();
        if gaps.ledger_before.is_none() {
            history.begin_with(self.ledger(LedgerFile::Before)?);
        }
        // A ledger that could not be read then cannot be read now.
        let ledger = match gaps.ledger {
            None => Some(self.ledger(LedgerFile::After)?),
            Some(_) => None,
        };
        let audit = judge::audit(&history, ledger.as_ref(), &gaps);
        Ok(self.run.judged(audit))
    }

    fn ledger(&self, which: LedgerFile) -> Result<Ledger, ReadError> {
        let path = self.folder.join(which.name());
        let ledger = self.run.sut.read_ledger(open(&path)?);
        ledger.map_err(|error| ReadError::new(&path, error))
    }
}

fn open(path: &Path) -> Result<File, ReadError> {
    File::open(path).map_err(|error| {
        let is_run = path.ends_with(RUN);
        let problem = match error.kind() {
            io::ErrorKind::NotFound if is_run => {
                "there is no such file: name the folder that --out gave a run".to_owned()
            }
            io::ErrorKind::NotFound => {
                "there is no such file, without which the run cannot be judged again".to_owned()
            }
            _ => error.to_string(),
        };
        ReadError::new(path, problem)
    })
}
