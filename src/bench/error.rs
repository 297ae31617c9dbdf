//! Why a run came to no result.

use std::io::ErrorKind;

use crate::profile::FlagError;
use crate::sut::{ControlError, Sut};

use super::config::Config;

/// Why a run has no result.
#[derive(Debug)]
pub enum BenchError {
    /// A flag is invalid.
    Flag(FlagError),
    /// The description of the shop is wrong: this message names its file.
    Usage(String),
    /// The run failed.
    Failed(anyhow::Error),
    /// It was stopped before there was anything to report.
    Interrupted,
}

impl BenchError {
    /// An error about the token with which the ledger is read and a sale is opened.
    pub(super) fn of_token(because: &ControlError, config: &Config) -> Self {
        let token = config.data.join("admin-token");
        let cure = if config.plan.stock.is_some() { "leave out --stock" } else { "add --no-audit" };
        let is_of_file =
            matches!(because, ControlError::WrongToken) && config.admin_token.is_none();
        let here = match std::fs::read_to_string(&token) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                format!(" (the one here cannot be read: {error})")
            }
            Ok(text) if text.trim().is_empty() => " (the one here is empty)".to_owned(),
            Ok(_) if is_of_file => " (the one here was tried)".to_owned(),
            _ => String::new(),
        };
        let problem = format!(
            "this run could not be audited: {because}. Give the token that the server has in {} \
             of its own folder{here}, or {cure}",
            token.display()
        );
        Self::Flag(FlagError::new("admin-token", problem))
    }

    /// An error about orders or stock that cannot be read before the run.
    pub(super) fn unaudited(because: &ControlError, sut: &Sut) -> Self {
        let problem =
            format!("this run could not be audited: {because}; add --no-audit to load only");
        Self::of_description(&problem, sut)
    }

    /// An error about what the description of the shop says, or about the built-in API.
    pub(super) fn of_description(problem: &impl ToString, sut: &Sut) -> Self {
        let problem = problem.to_string();
        match sut {
            Sut::Described(shop) => Self::Usage(format!("{}: {problem}", shop.path().display())),
            Sut::Seckill => Self::Flag(FlagError::new("target", problem)),
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for BenchError {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}
