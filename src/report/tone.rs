//! Whether a run is good news.

use crate::archive::Run;
use crate::judge::Verdict;

/// How the result of a run is to be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// Every invariant held, and nothing else is wrong.
    Good,
    /// There is no conclusion, or no invariant is broken but something else is wrong.
    Doubtful,
    /// An invariant is broken.
    Bad,
}

impl Tone {
    pub(super) fn of(run: &Run) -> Self {
        match (run.audit.audit.verdict, run.exit_code()) {
            (Verdict::Fail, _) => Self::Bad,
            (Verdict::Pass, 0) => Self::Good,
            _ => Self::Doubtful,
        }
    }

    /// The class of the style sheet.
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Doubtful => "warn",
            Self::Bad => "bad",
        }
    }

    /// A sign, so that colour is not the only one.
    pub(super) const fn sign(self) -> &'static str {
        match self {
            Self::Good => "✓",
            Self::Doubtful => "!",
            Self::Bad => "✗",
        }
    }

    pub(super) const fn emoji(self) -> &'static str {
        match self {
            Self::Good => "✅",
            Self::Doubtful => "⚠️",
            Self::Bad => "❌",
        }
    }
}
