//! What surrounds a read: the values of placeholders, the folder of commands, and the time.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::sut::Target;
use crate::sut::described::secrets::{ENV, Secrets};
use crate::sut::described::text::Text;

use super::error::Problem;

/// The placeholder for the number of a page.
pub(super) const PAGE: &str = "page";

/// The values that the run gives to a read.
#[derive(Debug, Clone, Copy)]
pub(in crate::sut) struct Around<'a> {
    /// The tested system, to which relative URLs lead.
    pub(in crate::sut) target: &'a Target,
    /// The item on sale.
    pub(in crate::sut) item: &'a str,
    /// The run's seed.
    pub(in crate::sut) seed: u64,
    /// The folder of the description, in which commands run.
    pub(in crate::sut) folder: &'a Path,
    /// When the read must have ended, with all of its tries.
    pub(in crate::sut) deadline: Instant,
}

/// One read: its surroundings, the time limit of each piece, and the secrets that it has used.
#[derive(Debug)]
pub(super) struct Read<'a> {
    pub(super) around: &'a Around<'a>,
    limit: Duration,
    hidden: Mutex<Secrets>,
}

impl<'a> Read<'a> {
    pub(super) fn new(around: &'a Around<'a>, limit: Duration) -> Self {
        Self { around, limit, hidden: Mutex::default() }
    }

    /// How long the next piece may take.
    pub(super) fn limit(&self) -> Duration {
        self.limit.min(self.around.deadline.saturating_duration_since(Instant::now()))
    }

    /// Whether there is more time left than this.
    pub(super) fn has_time(&self, needed: Duration) -> bool {
        self.around.deadline.saturating_duration_since(Instant::now()) > needed
    }

    /// The problem of a piece that has not come in time.
    pub(super) fn timed_out(&self, what: &str) -> Problem {
        let limit = crate::units::Span(self.limit);
        if Instant::now() >= self.around.deadline {
            return Problem::lasting(format!("{what} has not ended before the time was up"));
        }
        Problem::passing(format!(
            "{what} has not ended within {limit}: raise its `timeout`, or make it faster"
        ))
    }

    /// Keeps a secret out of errors.
    pub(super) fn hide(&self, secret: &str) {
        self.hidden.lock().unwrap_or_else(PoisonError::into_inner).add(secret);
    }

    /// What a program has said, without any part of the secrets of this read: it may have cut them.
    pub(super) fn without_secrets(&self, text: &str) -> String {
        self.hidden.lock().unwrap_or_else(PoisonError::into_inner).hide_parts(text)
    }

    /// A text on one line, without the secrets of this read.
    pub(super) fn shown(&self, text: &str) -> String {
        self.hidden.lock().unwrap_or_else(PoisonError::into_inner).shown(text)
    }

    /// Expands a text; `form` writes a value as the text's language needs it. `{{target}}`, and an
    /// environment variable that is all of the text, are not changed.
    pub(super) fn expand(
        &self,
        text: &Text,
        page: Option<u64>,
        form: impl Fn(&str) -> String,
    ) -> Result<String, Problem> {
        let is_whole = text.only_name().is_some();
        let expanded = text.expand(|name| match name {
            "item" => Some(form(self.around.item)),
            "seed" => Some(self.around.seed.to_string()),
            "target" => Some(self.around.target.url.clone()),
            PAGE => page.map(|page| page.to_string()),
            name => {
                let value = std::env::var(name.strip_prefix(ENV)?).ok()?;
                self.hide(&value);
                Some(if is_whole { value } else { form(&value) })
            }
        });
        expanded.map_err(Problem::lasting)
    }
}
