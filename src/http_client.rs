//! The HTTP client for everything except the load: control requests and metrics pages.
//!
//! It knows how TLS is configured, and nothing about requests and answers.

use std::io;

use reqwest::{Client, ClientBuilder};

use crate::tls::Trust;

/// A client for one kind of URL: `https://`, with what is trusted, or `http://`.
///
/// It uses no proxy, because the load goes directly to the target, and everything that is compared
/// with the load must do so too.
///
/// # Errors
/// For `https://`, when no trusted certificates can be read.
pub fn builder(https: Option<&Trust>) -> io::Result<ClientBuilder> {
    let client = Client::builder().no_proxy();
    #[cfg(not(feature = "tls"))]
    let _ = https;
    // For `http://` the backend is preconfigured too: otherwise reqwest would read the system's
    // certificates unnecessarily.
    #[cfg(feature = "tls")]
    let client = client.tls_backend_preconfigured(match https {
        Some(trust) => crate::tls::client(trust)?,
        None => crate::tls::client_without_trust()?,
    });
    Ok(client)
}
