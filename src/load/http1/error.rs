//! Why bytes are not a response.

/// The bytes are no HTTP/1.1 response, or one beyond the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an HTTP/1.1 response")]
pub struct ProtocolError;
