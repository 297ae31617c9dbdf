//! The failures of subcommands.

/// Why a subcommand has no result. Each failure has its exit code.
#[derive(Debug)]
pub enum Failure {
    /// The flags of a spawned server are not parsed.
    Arguments(clap::Error),
    /// A flag or profile is invalid.
    Usage(String),
    /// The subcommand failed.
    Run(anyhow::Error),
    /// A signal stopped it before there was anything to report, or a second signal arrived.
    Interrupted,
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Run(error.into())
    }
}
