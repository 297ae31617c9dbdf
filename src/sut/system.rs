//! [`Sut`]: one arm for each kind of tested system.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::history::{Beginning, Ledger};
use crate::ids::ItemId;
use crate::profile::Plan;
use crate::stats::{Click, Outcome};

use super::{
    Client, Control, ControlError, Description, DescriptionError, LedgerReader, Target, builtin,
    described,
};

/// Longest body of an answer, in bytes: those of the built-in API have less than 500, while a page
/// of a shop may have some hundred thousand.
const BODY_LEN_MAX: usize = 64 << 10;
const PAGE_LEN_MAX: usize = 4 << 20;

/// Which API the tested system has.
#[derive(Debug, Clone, Default)]
pub enum Sut {
    /// The API of `seckill serve`.
    #[default]
    Seckill,
    /// Somebody else's, as a profile describes it.
    Described(Arc<Description>),
}

impl Sut {
    /// A virtual user of the tested system, who buys `item`; the server may hold the answer to a
    /// request for a result for up to `wait`.
    ///
    /// # Errors
    /// When the description of the system is wrong.
    pub fn client(
        &self,
        target: &Target,
        plan: &Plan,
        item: &ItemId,
        wait: Duration,
    ) -> Result<Client, DescriptionError> {
        match self {
            Self::Seckill => Ok(Client::seckill(
                builtin::purchase(target, plan, item),
                builtin::result(target, plan, wait),
                builtin::Payments::new(target, plan),
            )),
            Self::Described(description) => {
                let client = description.client(&target.host, &target.url, plan.keepalive)?;
                Ok(Client::described(client))
            }
        }
    }

    /// Creates the client for all requests that do not belong to the load; `item` may be set later.
    /// The times of what it reads are measured from `beginning`.
    ///
    /// # Errors
    /// When the HTTP client cannot be made.
    pub fn control(
        &self,
        target: &Target,
        item: Option<ItemId>,
        beginning: Beginning,
    ) -> Result<Control, ControlError> {
        Ok(match self {
            Self::Seckill => Control::Seckill(builtin::Control::new(target, item, beginning)?),
            Self::Described(description) => {
                let control = described::Control::new(description, target, item, beginning);
                Control::Described(Box::new(control))
            }
        })
    }

    /// A refusal as `seckill serve` sends it: its status and its body.
    pub fn sample_refusal() -> (u16, String) {
        builtin::sample_refusal()
    }

    /// The path that attempts are sent to.
    pub fn purchase_path(&self) -> &str {
        match self {
            Self::Seckill => builtin::PURCHASE_PATH,
            Self::Described(description) => description.purchase_path(),
        }
    }

    /// The words of all outcomes that an answer can have.
    pub fn outcomes(&self) -> Vec<&'static str> {
        let decisions = [Outcome::Accepted, Outcome::Won, Outcome::Lost, Outcome::Rejected];
        let refusals: Vec<&'static str> = match self {
            Self::Seckill => builtin::refusals().collect(),
            Self::Described(description) => description.refusals().to_vec(),
        };
        decisions.into_iter().map(Outcome::as_str).chain(refusals).collect()
    }

    /// The label of a request in reports, as JMeter names a sampler.
    pub fn label(&self, click: Click) -> &str {
        match (self, click) {
            (Self::Seckill, Click::First) => "POST /seckill",
            (Self::Seckill, Click::Twin) => "POST /seckill (double click)",
            (Self::Seckill, Click::Again(_)) => "POST /seckill (retry)",
            (Self::Described(description), click) => description.label(click),
        }
    }

    /// The labels of the steps, by number. The purchase of a described shop is one of them; the
    /// only step of the built-in API is a payment.
    pub fn steps(&self) -> Vec<String> {
        match self {
            Self::Seckill => vec![builtin::PAYMENT_LABEL.to_owned()],
            Self::Described(description) => description.steps(),
        }
    }

    /// Longest body of an answer, in bytes.
    pub fn body_len_max(&self) -> usize {
        match self {
            Self::Seckill => BODY_LEN_MAX,
            Self::Described(_) => PAGE_LEN_MAX,
        }
    }

    /// Whether the results of attempts can be asked for after the load, by anybody.
    pub fn tells_results(&self) -> bool {
        match self {
            Self::Seckill => true,
            Self::Described(description) => description.tells_results(),
        }
    }

    /// Whether the result of an attempt is asked for even if the answer to its purchase was a
    /// decision: the built-in API has one of each attempt that it has taken.
    pub fn polls_decided(&self) -> bool {
        matches!(self, Self::Seckill)
    }

    /// Whether a request that is sent again has no second effect.
    pub fn is_idempotent(&self) -> bool {
        match self {
            Self::Seckill => true,
            Self::Described(description) => description.is_idempotent(),
        }
    }

    /// Whether a temporary refusal says when to come back.
    pub fn promises_retry_after(&self) -> bool {
        matches!(self, Self::Seckill)
    }

    /// The beginnings of the first answers that no outcome of a description matches.
    pub fn unmatched(&self) -> Vec<String> {
        match self {
            Self::Seckill => Vec::new(),
            Self::Described(description) => description.unmatched(),
        }
    }

    /// What a recorded run keeps of it.
    pub fn record(&self) -> SutRecord {
        match self {
            Self::Seckill => SutRecord::default(),
            Self::Described(description) => SutRecord::Described {
                name: description.name().to_owned(),
                file: description.path().display().to_string(),
                refusals: description.refusals().iter().map(|word| (*word).to_owned()).collect(),
            },
        }
    }
}

/// The kind of the tested system, as a recorded run knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SutRecord {
    /// The built-in API.
    BuiltIn(BuiltIn),
    /// A shop that a profile describes.
    Described {
        /// Its name.
        name: String,
        /// The file that describes it.
        file: String,
        /// The reasons of its refusals.
        refusals: Vec<String>,
    },
}

/// The word for the built-in API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BuiltIn {
    /// The API of `seckill serve`.
    Seckill,
}

impl Default for SutRecord {
    fn default() -> Self {
        Self::BuiltIn(BuiltIn::Seckill)
    }
}

impl SutRecord {
    /// The name of a described shop.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::BuiltIn(_) => None,
            Self::Described { name, .. } => Some(name),
        }
    }

    /// The label of the payments among the steps; `None` where there are none.
    pub fn payment_label(&self) -> Option<&'static str> {
        match self {
            Self::BuiltIn(_) => Some(builtin::PAYMENT_LABEL),
            Self::Described { .. } => None,
        }
    }

    /// The words of all outcomes that an answer can have.
    pub fn outcomes(&self) -> Vec<&str> {
        let decisions = [Outcome::Accepted, Outcome::Won, Outcome::Lost, Outcome::Rejected];
        let refusals: Vec<&str> = match self {
            Self::BuiltIn(_) => builtin::refusals().map(|word| word as &str).collect(),
            Self::Described { refusals, .. } => refusals.iter().map(String::as_str).collect(),
        };
        decisions
            .map(Outcome::as_str)
            .into_iter()
            .map(|word| word as &str)
            .chain(refusals)
            .collect()
    }
}

/// Reads a ledger that was recorded in a file.
///
/// # Errors
/// When the file cannot be read, or the ledger in it is incomplete.
pub fn read_ledger(mut file: impl Read) -> io::Result<Ledger> {
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
