//! TLS for clients: which certificates they trust and, with the cargo feature `tls`, how that is
//! configured and what failed handshakes mean. This module opens no connection.

#[cfg(feature = "tls")]
mod client;
mod trust;
#[cfg(feature = "tls")]
mod verify;

#[cfg(feature = "tls")]
pub use client::{check_cert_file, client, client_without_trust, explain, install_provider};
pub use trust::Trust;
