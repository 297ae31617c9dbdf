//! [`Sut`]: one arm for each kind of tested system.

use std::io::{self, Read};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::history::{Beginning, Ledger, Status};
use crate::ids::{ItemId, RequestId};
use crate::profile::Plan;
use crate::stats::{Click, Outcome};

use super::{Control, ControlError, LedgerReader, Target, Template, Understood, Unusable, builtin};

/// Which API the tested system has. A further API needs a variant here and its own folder.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sut {
    /// The API of `seckill serve`.
    #[default]
    Seckill,
}

impl Sut {
    /// The request of an attempt at `item`, with holes for the buyer and the request id.
    pub fn purchase(self, target: &Target, plan: &Plan, item: &ItemId) -> Template<2> {
        match self {
            Self::Seckill => builtin::purchase(target, plan, item),
        }
    }

    /// The request for an attempt's result, with a hole for the request id; the server may hold the
    /// answer for up to `wait`.
    pub fn result(self, target: &Target, plan: &Plan, wait: Duration) -> Template<1> {
        match self {
            Self::Seckill => builtin::result(target, plan, wait),
        }
    }

    /// Interprets an answer to the attempt `ours`. It allocates only for a won order.
    ///
    /// # Errors
    /// When it is not a valid answer of the API: then it is unknown whether the request had an
    /// effect.
    pub fn understand(
        self,
        status: u16,
        body: &[u8],
        ours: RequestId,
    ) -> Result<Understood, Unusable> {
        match self {
            Self::Seckill => builtin::understand(status, body, ours),
        }
    }

    /// Interprets an answer to a request for the result of `ours`; `None` when the tested system
    /// does not know the attempt.
    ///
    /// # Errors
    /// When it is not a valid answer of the API: then nothing is known.
    pub fn understand_result(
        self,
        status: u16,
        body: &[u8],
        ours: RequestId,
    ) -> Result<Option<Status>, Unusable> {
        match self {
            Self::Seckill => builtin::understand_result(status, body, ours),
        }
    }

    /// Creates the client for all requests that do not belong to the load; `item` may be set later.
    /// The times of what it reads are measured from `beginning`.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn control(
        self,
        target: &Target,
        item: Option<ItemId>,
        beginning: Beginning,
    ) -> Result<Control, ControlError> {
        match self {
            Self::Seckill => Control::new(target, item, beginning),
        }
    }

    /// Reads a ledger that was exported to a file.
    ///
    /// # Errors
    /// When the file cannot be read, or the ledger in it is incomplete.
    pub fn read_ledger(self, mut file: impl Read) -> io::Result<Ledger> {
        match self {
            Self::Seckill => {
                let mut reader = LedgerReader::recorded();
                let mut piece = vec![0; 64 << 10];
                loop {
                    let len = file.read(&mut piece)?;
                    if len == 0 {
                        return reader.finish().map_err(io::Error::other);
                    }
                    reader.feed(&piece[..len]).map_err(io::Error::other)?;
                }
            }
        }
    }

    /// A refusal as the tested system sends it: its status and its body.
    pub fn sample_refusal(self) -> (u16, String) {
        match self {
            Self::Seckill => builtin::sample_refusal(),
        }
    }

    /// The path that attempts are sent to.
    pub fn purchase_path(self) -> &'static str {
        match self {
            Self::Seckill => builtin::PURCHASE_PATH,
        }
    }

    /// The words of all outcomes that an answer can have.
    pub fn outcomes(self) -> Vec<&'static str> {
        let decisions = [Outcome::Accepted, Outcome::Won, Outcome::Lost, Outcome::Rejected];
        let refusals = match self {
            Self::Seckill => builtin::refusals(),
        };
        decisions.into_iter().map(Outcome::as_str).chain(refusals).collect()
    }

    /// The label of a request in reports, as JMeter names a sampler.
    pub fn label(self, click: Click) -> &'static str {
        match (self, click) {
            (Self::Seckill, Click::First) => "POST /seckill",
            (Self::Seckill, Click::Twin) => "POST /seckill (double click)",
            (Self::Seckill, Click::Again(_)) => "POST /seckill (retry)",
        }
    }
}
