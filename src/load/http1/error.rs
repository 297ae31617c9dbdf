//! The error for bytes that are not a response.

/// The bytes are not an HTTP/1.1 response, or the response exceeds the limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an HTTP/1.1 response")]
pub struct ProtocolError;
