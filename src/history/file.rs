//! A history as a file, `history.ndjson`: written after the load, read to judge the run again.
//! docs/reference.md describes the lines.
//!
//! The file has a line for the run, a line for each attempt that was not refused, a line for each
//! kind of refusal, a line for each state of the sale, for each result that was read and for each
//! payment, and a last line with their numbers, which shows whether the file is complete.

use std::io::{self, BufRead, Read, Write};

use crate::ids::OrderId;

use super::line::{
    AttemptLine, Line, RefusalLine, Told, Word, attempt_line, end_line, result_line, tallies,
};
use super::{
    Answered, AttemptNo, Entry, FinalRefusal, History, RequestWindow, ResultRead, SAMPLE_MAX,
    Status, VIEWS_MAX,
};

/// The version of the format that this program writes, and the only one that it reads: an older
/// history lacks evidence that the audit needs.
pub const VERSION: u32 = 3;

/// Longest line, in bytes: the run's has a pair of numbers for each change between neighbouring
/// virtual users, of which there are at most 2^20.
const LINE_LEN_MAX: u64 = 64 << 20;

/// Why a history file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The file cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// It was written by an older or a newer program.
    #[error("its version is {0}, and this program reads {VERSION}: use the seckill that wrote it")]
    Version(u32),
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
            fresh_ids: self.has_fresh_ids,
            item: self.item.clone(),
            expected_stock: self.expected_stock,
            began_us: self.began_us,
            ended_us: self.ended_us,
            ledger_us: self.ledger_us,
            sent: run_lengths(&self.sent),
        };
        write_line(&mut file, &run)?;
        self.entries.iter().try_for_each(|entry| write_line(&mut file, &attempt_line(entry)))?;
        for (of, tally) in tallies(self) {
            write_line(&mut file, &Line::Tally { of, tally: tally.clone() })?;
        }
        for view in self.views.iter() {
            write_line(&mut file, &Line::View { view: view.clone() })?;
        }
        self.results.iter().try_for_each(|read| write_line(&mut file, &result_line(read)))?;
        for payment in &self.payments {
            write_line(&mut file, &Line::Payment { payment: payment.clone() })?;
        }
        write_line(&mut file, &end_line(self))?;
        file.flush()
    }

    /// Reads a history that [`write`](Self::write) wrote.
    ///
    /// # Errors
    /// When the file is incomplete, not a history, or of another version.
    pub fn read(file: impl BufRead) -> Result<Self, HistoryError> {
        let mut lines = Lines { file, number: 0, line: Vec::new() };
        if !lines.advance()? {
            return Err(HistoryError::CutOff(0));
        }
        let first = lines.value()?;
        let version = first.get("history").and_then(serde_json::Value::as_u64);
        if let Some(other) = version.filter(|version| *version != u64::from(VERSION)) {
            return Err(HistoryError::Version(u32::try_from(other).unwrap_or(u32::MAX)));
        }
        let mut history = lines.begin(first)?;
        while lines.advance()? {
            // Nearly all lines are attempts. They are parsed directly, which is several times as
            // fast.
            if let Ok(attempt) = serde_json::from_slice(&lines.line) {
                history.entries.push(lines.entry(&history, attempt)?);
                continue;
            }
            match lines.understand(lines.value()?)? {
                Line::Run { .. } => return Err(lines.invalid("a second run")),
                end @ Line::End { asked, standstill, sent_again, .. } => {
                    (history.asked, history.standstill) = (asked, standstill);
                    history.sent_again = sent_again;
                    if let Line::End { no_states, .. } = &end {
                        no_states.iter().for_each(|no_state| history.views.add_no_state(*no_state));
                    }
                    if end_line(&history) != end {
                        return Err(lines
                            .invalid("the file does not have as many lines as this one states"));
                    }
                    return match lines.advance()? {
                        true => Err(lines.invalid("there are lines after the last one")),
                        false => Ok(history),
                    };
                }
                line => lines.add(&mut history, line)?,
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
    /// The present line.
    line: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    /// Reads the next line; `false` at the end of the file.
    fn advance(&mut self) -> Result<bool, HistoryError> {
        self.line.clear();
        let read = self.file.by_ref().take(LINE_LEN_MAX).read_until(b'\n', &mut self.line)?;
        if read == 0 {
            return Ok(false);
        }
        if self.line.last() != Some(&b'\n') {
            return Err(HistoryError::CutOff(self.number));
        }
        self.number += 1;
        Ok(true)
    }

    fn value(&self) -> Result<serde_json::Value, HistoryError> {
        serde_json::from_slice(&self.line).map_err(|_| self.invalid("not JSON"))
    }

    fn understand(&self, value: serde_json::Value) -> Result<Line, HistoryError> {
        serde_json::from_value(value).map_err(|_| {
            self.invalid(
                "neither a run, an attempt, a tally, a view, a result, a payment nor the end",
            )
        })
    }

    /// The history that the first line begins.
    fn begin(&self, first: serde_json::Value) -> Result<History, HistoryError> {
        let Line::Run {
            ids,
            fresh_ids,
            item,
            expected_stock,
            began_us,
            ended_us,
            ledger_us,
            sent,
            ..
        } = self.understand(first)?
        else {
            return Err(self.invalid("the first line does not describe a run"));
        };
        let threads = sent.iter().fold(0u64, |sum, (_, users)| sum.saturating_add(*users));
        if threads > AttemptNo::THREADS_MAX {
            return Err(self.invalid("more virtual users than any run has"));
        }
        if sent.iter().any(|(attempts, _)| *attempts > AttemptNo::INDICES_MAX) {
            return Err(self.invalid("more attempts of a virtual user than any run has"));
        }
        let mut history = History::new(ids, item, 0, began_us);
        (history.has_fresh_ids, history.expected_stock) = (fresh_ids, expected_stock);
        (history.ended_us, history.ledger_us) = (ended_us, ledger_us);
        history.sent = sent
            .into_iter()
            .flat_map(|(attempts, users)| std::iter::repeat_n(attempts, users as usize))
            .collect();
        Ok(history)
    }

    /// Adds a line other than the first and the last.
    fn add(&self, history: &mut History, line: Line) -> Result<(), HistoryError> {
        match line {
            Line::Attempt(attempt) => history.entries.push(self.entry(history, attempt)?),
            Line::Tally { of, tally } => {
                if tally.sample.len() > SAMPLE_MAX {
                    return Err(self.invalid("more requests than a tally keeps"));
                }
                tally.kept().try_for_each(|kept| self.check_sent(history, kept.attempt))?;
                match of {
                    Told::Refused(refused) => history.refusals.restore(refused, tally),
                    Told::Contradictory => history.contradictory = tally,
                    Told::WithoutRetryAfter => history.without_retry_after = tally,
                }
            }
            Line::View { view } => {
                if history.views.iter().len() >= VIEWS_MAX {
                    return Err(self.invalid("more states of the sale than a history keeps"));
                }
                history.views.keep(view);
            }
            Line::Result {
                request_id,
                result,
                order_id,
                order,
                held_until_us,
                sent_us,
                answered_us,
            } => {
                let status = self.status(result, order_id)?;
                let read =
                    ResultRead { request_id, status, order, held_until_us, sent_us, answered_us };
                history.results.push(read);
            }
            Line::Payment { payment } => history.payments.push(payment),
            Line::Run { .. } | Line::End { .. } => {
                return Err(self.invalid("it belongs to the first or the last line"));
            }
        }
        Ok(())
    }

    fn entry(&self, history: &History, line: AttemptLine) -> Result<Entry, HistoryError> {
        let AttemptLine { thread, index, answered, order_id, sent_us, answered_us, refusal } = line;
        let attempt = AttemptNo { thread, index };
        self.check_sent(history, attempt)?;
        let answered = self.answered(answered, order_id)?;
        let refusal = refusal.map(|line| {
            let RefusalLine { refused, sent_us, answered_us, was_accepted } = line;
            let request = RequestWindow { attempt, sent_us, answered_us };
            Box::new(FinalRefusal { refused, request, was_accepted })
        });
        Ok(Entry { attempt, answered, sent_us, answered_us, refusal })
    }

    /// An attempt that was not sent has the id of another one, or of none.
    fn check_sent(&self, history: &History, attempt: AttemptNo) -> Result<(), HistoryError> {
        match history.was_sent(attempt) {
            true => Ok(()),
            false => Err(self.invalid("the attempt is not among those that the first line counts")),
        }
    }

    fn invalid(&self, problem: &str) -> HistoryError {
        HistoryError::Line { line: self.number, problem: problem.to_owned() }
    }

    fn answered(&self, word: Word, order_id: Option<OrderId>) -> Result<Answered, HistoryError> {
        match (word, order_id) {
            (Word::Accepted, None) => Ok(Answered::Accepted),
            (Word::Won, Some(order_id)) => Ok(Answered::Won(Box::new(order_id))),
            (Word::Unknown, None) => Ok(Answered::Unknown),
            (word, None) => word.loss().map(Answered::Lost).ok_or(()),
            _ => Err(()),
        }
        .map_err(|()| {
            self.invalid("`answered` is accepted, lost, unknown, or won with an order_id")
        })
    }

    fn status(
        &self,
        word: Word,
        order_id: Option<OrderId>,
    ) -> Result<Option<Status>, HistoryError> {
        match (word, order_id) {
            (Word::Queued, None) => Ok(Some(Status::Queued)),
            (Word::Won, Some(order_id)) => Ok(Some(Status::Won(order_id))),
            (Word::Unknown, None) => Ok(None),
            (word, None) => word.loss().map(Status::Lost).map(Some).ok_or(()),
            _ => Err(()),
        }
        .map_err(|()| self.invalid("`result` is queued, lost, unknown, or won with an order_id"))
    }
}
