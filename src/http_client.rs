//! The HTTP client for everything but the load: control calls, metrics pages.
//!
//! It knows how TLS is set up, and nothing of what is asked or answered.

use std::io;

use reqwest::{Client, ClientBuilder};

/// A client for one kind of URL: `https://` or `http://`.
///
/// It uses no proxy, since the load goes straight to the target, and so must everything that is
/// compared with it.
///
/// # Errors
/// For `https://`, when no trusted certificates can be read.
pub fn builder(is_https: bool) -> io::Result<ClientBuilder> {
    let client = Client::builder().no_proxy();
    #[cfg(not(feature = "tls"))]
    let _ = is_https;
    // For `http://` the backend is preconfigured too: otherwise reqwest would read the system's
    // certificates for nothing.
    #[cfg(feature = "tls")]
    let client = client.tls_backend_preconfigured(match is_https {
        true => crate::tls::client()?,
        false => crate::tls::client_without_trust()?,
    });
    Ok(client)
}
