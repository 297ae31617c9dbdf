//! A history as a file, `history.ndjson`: written after the load, read to judge the run again.
//! docs/reference.md describes the lines.
//!
//! The file has a line for the run, a line for each attempt that was not refused, a line for each
//! result, and a last line with their numbers, which shows whether the file is complete.

use std::io::{self, BufRead, Read, Write};

use serde::{Deserialize, Serialize};

use crate::ids::{ItemId, OrderId, RequestId};

use super::{Answered, AttemptNo, Entry, History, Ids, Status};

/// The version of the format that this program writes, and the highest that it reads.
pub const VERSION: u32 = 1;

/// Longest line, in bytes: the run's has a pair of numbers for each change between neighbouring
/// virtual users, of which there are at most 2^20.
const LINE_LEN_MAX: u64 = 64 << 20;

/// One line.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, deny_unknown_fields)]
enum Line {
    /// The first line.
    Run {
        /// The version of the format.
        history: u32,
        ids: Ids,
        item: ItemId,
        /// Attempts of each virtual user, in their order, as runs: `[attempts, users]`.
        sent: Vec<(u64, u64)>,
    },
    /// An attempt that was not refused.
    Attempt {
        thread: u32,
        index: u64,
        answered: Word,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order_id: Option<OrderId>,
    },
    /// A result that was requested.
    Result {
        request_id: RequestId,
        result: Word,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order_id: Option<OrderId>,
    },
    /// The last line.
    End { entries: u64, results: u64 },
}

/// An answer. For a result, `unknown` means that the tested system did not know the attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Word {
    Accepted,
    Queued,
    Won,
    Lost,
    Unknown,
}

/// Why a history file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The file cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It was written by a newer program.
    #[error("its version is {0}, and this program reads up to {VERSION}: use a newer seckill")]
    Newer(u32),
    /// A line is invalid.
    #[error("line {line}: {problem}")]
    Line {
        /// The line, counted from 1.
        line: u64,
        /// The problem with it.
        problem: String,
    },
    /// It has no last line, or fewer lines than that says.
    #[error("it was cut off after line {0}")]
    CutOff(u64),
}

impl History {
    /// Writes the history, without the ledger before the run, which has its own file.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, mut file: impl Write) -> io::Result<()> {
        let run = Line::Run {
            history: VERSION,
            ids: self.ids,
            item: self.item.clone(),
            sent: run_lengths(&self.sent),
        };
        write_line(&mut file, &run)?;
        for Entry { attempt, answered } in &self.entries {
            let (word, order_id) = match answered {
                Answered::Accepted => (Word::Accepted, None),
                Answered::Won(order_id) => (Word::Won, Some((**order_id).clone())),
                Answered::Lost => (Word::Lost, None),
                Answered::Unknown => (Word::Unknown, None),
            };
            let AttemptNo { thread, index } = *attempt;
            write_line(&mut file, &Line::Attempt { thread, index, answered: word, order_id })?;
        }
        for (request_id, status) in &self.results {
            let (result, order_id) = match status {
                Some(Status::Queued) => (Word::Queued, None),
                Some(Status::Won(order_id)) => (Word::Won, Some(order_id.clone())),
                Some(Status::Lost) => (Word::Lost, None),
                None => (Word::Unknown, None),
            };
            write_line(&mut file, &Line::Result { request_id: *request_id, result, order_id })?;
        }
        let (entries, results) = (self.entries.len() as u64, self.results.len() as u64);
        write_line(&mut file, &Line::End { entries, results })?;
        file.flush()
    }

    /// Reads a history that [`write`](Self::write) wrote.
    ///
    /// # Errors
    /// When the file is incomplete, not a history, or of a newer version.
    pub fn read(file: impl BufRead) -> Result<Self, HistoryError> {
        let mut lines = Lines { file, number: 0 };
        let first = lines.next_value()?.ok_or(HistoryError::CutOff(0))?;
        let version = first.get("history").and_then(serde_json::Value::as_u64);
        if let Some(newer) = version.filter(|version| *version > VERSION.into()) {
            return Err(HistoryError::Newer(u32::try_from(newer).unwrap_or(u32::MAX)));
        }
        let Line::Run { ids, item, sent, .. } = lines.understand(first)? else {
            return Err(lines.invalid("the first line does not describe a run"));
        };
        let threads = sent.iter().fold(0u64, |sum, (_, users)| sum.saturating_add(*users));
        if threads > AttemptNo::THREADS_MAX {
            return Err(lines.invalid("more virtual users than any run has"));
        }
        if sent.iter().any(|(attempts, _)| *attempts > AttemptNo::INDICES_MAX) {
            return Err(lines.invalid("more attempts of a virtual user than any run has"));
        }
        let mut history = Self::new(ids, item, 0);
        history.sent = sent
            .into_iter()
            .flat_map(|(attempts, users)| std::iter::repeat_n(attempts, users as usize))
            .collect();
        while let Some(value) = lines.next_value()? {
            match lines.understand(value)? {
                Line::Attempt { thread, index, answered, order_id } => {
                    let attempt = AttemptNo { thread, index };
                    // Its id would be another attempt's, or lead to nothing.
                    if !history.was_sent(attempt) {
                        return Err(lines.invalid("an attempt that the first line does not count"));
                    }
                    let answered = lines.answered(answered, order_id)?;
                    history.entries.push(Entry { attempt, answered });
                }
                Line::Result { request_id, result, order_id } => {
                    history.results.push((request_id, lines.status(result, order_id)?));
                }
                Line::End { entries, results } => {
                    let read = (history.entries.len() as u64, history.results.len() as u64);
                    if read != (entries, results) {
                        return Err(lines
                            .invalid("the file does not have as many lines as this one states"));
                    }
                    return match lines.next_value()? {
                        Some(_) => Err(lines.invalid("there are lines after the last one")),
                        None => Ok(history),
                    };
                }
                Line::Run { .. } => return Err(lines.invalid("a second run")),
            }
        }
        Err(HistoryError::CutOff(lines.number))
    }
}

fn write_line(file: &mut impl Write, line: &Line) -> io::Result<()> {
    serde_json::to_writer(&mut *file, line)?;
    file.write_all(b"\n")
}

/// Encodes each run of equal values as one pair: the value and the length of the run.
fn run_lengths(values: &[u64]) -> Vec<(u64, u64)> {
    values.chunk_by(|a, b| a == b).map(|run| (run[0], run.len() as u64)).collect()
}

/// The lines of a file, each counted and bounded.
struct Lines<R> {
    file: R,
    number: u64,
}

impl<R: BufRead> Lines<R> {
    fn next_value(&mut self) -> Result<Option<serde_json::Value>, HistoryError> {
        let mut line = Vec::new();
        let read = self.file.by_ref().take(LINE_LEN_MAX).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(None);
        }
        if line.last() != Some(&b'\n') {
            return Err(HistoryError::CutOff(self.number));
        }
        self.number += 1;
        serde_json::from_slice(&line).map(Some).map_err(|_| self.invalid("not JSON"))
    }

    fn understand(&self, value: serde_json::Value) -> Result<Line, HistoryError> {
        serde_json::from_value(value)
            .map_err(|_| self.invalid("neither a run, an attempt, a result nor the end"))
    }

    fn invalid(&self, problem: &str) -> HistoryError {
        HistoryError::Line { line: self.number, problem: problem.to_owned() }
    }

    fn answered(&self, word: Word, order_id: Option<OrderId>) -> Result<Answered, HistoryError> {
        match (word, order_id) {
            (Word::Accepted, None) => Ok(Answered::Accepted),
            (Word::Won, Some(order_id)) => Ok(Answered::Won(Box::new(order_id))),
            (Word::Lost, None) => Ok(Answered::Lost),
            (Word::Unknown, None) => Ok(Answered::Unknown),
            _ => {
                Err(self.invalid("`answered` is accepted, lost, unknown, or won with an order_id"))
            }
        }
    }

    fn status(
        &self,
        word: Word,
        order_id: Option<OrderId>,
    ) -> Result<Option<Status>, HistoryError> {
        match (word, order_id) {
            (Word::Queued, None) => Ok(Some(Status::Queued)),
            (Word::Won, Some(order_id)) => Ok(Some(Status::Won(order_id))),
            (Word::Lost, None) => Ok(Some(Status::Lost)),
            (Word::Unknown, None) => Ok(None),
            _ => Err(self.invalid("`result` is queued, lost, unknown, or won with an order_id")),
        }
    }
}
