//! What a run needs, checked.

use std::path::PathBuf;

use crate::judge::Threshold;
use crate::profile::{Plan, ServeFlags};
use crate::secret::Secret;
use crate::sut::Sut;
use crate::tls::Trust;

/// The checked configuration of a run.
#[derive(Debug, Clone)]
pub struct Config {
    /// The plan of the load.
    pub plan: Plan,
    /// Whether the seed was chosen at random, so that no other run has the same ids.
    pub has_fresh_ids: bool,
    /// The kind of the tested system.
    pub sut: Sut,
    /// The flags of the server to start for this run, if any.
    pub spawn: Option<ServeFlags>,
    /// The URL of the tested system, if no server is started; `None` selects the default.
    pub target: Option<String>,
    /// The certificates that are trusted, if the target is `https://`.
    pub trust: Trust,
    /// The token that authorizes reading the ledger.
    pub admin_token: Option<Secret>,
    /// The folder in which a server may have left its token.
    pub data: PathBuf,
    /// The page of the broker's figures.
    pub broker_metrics: Option<String>,
    /// The file for all samples, in JMeter's format.
    pub jtl: Option<PathBuf>,
    /// The thresholds by which the run fails, and those that end the load.
    pub thresholds: Thresholds,
    /// The socket by which the processes of broker and store are reached.
    pub lab: Option<PathBuf>,
    /// The folder in which the run is recorded.
    pub out: Option<PathBuf>,
}

/// The thresholds of a run.
#[derive(Debug, Clone, Default)]
pub struct Thresholds {
    /// Those by which the run fails.
    pub fail_if: Vec<Threshold>,
    /// Those that end the load.
    pub abort_on: Vec<Threshold>,
}
