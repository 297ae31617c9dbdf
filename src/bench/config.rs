//! What a run needs, checked.

use std::path::PathBuf;

use crate::profile::{Plan, ServeFlags};
use crate::secret::Secret;
use crate::sut::Sut;

/// What a run needs, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The plan of the load.
    pub plan: Plan,
    /// The kind of the tested system.
    pub sut: Sut,
    /// The server to start for this run, if one is.
    pub spawn: Option<ServeFlags>,
    /// The URL of the tested system, where none is started and it is not the default.
    pub target: Option<String>,
    /// The token to read the ledger with.
    pub admin_token: Option<Secret>,
    /// The folder in which a server may have left its token.
    pub data: PathBuf,
    /// The page of the broker's figures.
    pub broker_metrics: Option<String>,
    /// A file for every sample.
    pub jtl: Option<PathBuf>,
    /// The folder for the run.
    pub out: Option<PathBuf>,
}
