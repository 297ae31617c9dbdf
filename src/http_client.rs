//! The HTTP client for everything except the load: control requests and metrics pages.
//!
//! It knows how TLS is configured, and nothing about requests and answers.

use std::io;

use reqwest::{Client, ClientBuilder};

/// A client for one kind of URL: `https://` or `http://`.
///
/// It uses no proxy, because the load goes directly to the target, and everything that is compared
/// with the load must do so too.
///
/// # Errors
/// For `https://`, when no trusted certificates can be read.
pub fn builder(is_https: bool) -> io::Result<ClientBuilder> {
    let client = Client::builder().no_proxy();
    #[cfg(not(feature = "tls"))]
    let _ = is_https;
    // For `http://` the backend is preconfigured too: otherwise reqwest would read the system's
    // certificates unnecessarily.
    #[cfg(feature = "tls")]
    let client = client.tls_backend_preconfigured(match is_https {
        true => crate::tls::client()?,
        false => crate::tls::client_without_trust()?,
    });
    Ok(client)
}
