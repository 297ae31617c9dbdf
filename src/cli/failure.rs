//! Why a subcommand came to no result.

/// Why a subcommand did not get to a result, and with which exit code.
#[derive(Debug)]
pub enum Failure {
    /// A flag or profile is wrong.
    Usage(String),
    /// It could not run.
    Run(anyhow::Error),
    /// Told to stop before there was anything to report, or twice.
    Interrupted,
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Run(error.into())
    }
}
