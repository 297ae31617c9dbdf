//! Which certificates a client trusts.

use std::path::PathBuf;

/// The certificates that a client trusts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Trust {
    /// Those of CAs that the system trusts, or that `SSL_CERT_FILE` names.
    #[default]
    System,
    /// Those of CAs in this PEM file, and the certificates in it themselves.
    File(PathBuf),
    /// All: whoever answers is taken for the server.
    Anyone,
}
