//! The address of the tested system: a checked URL and its resolved addresses.

use std::net::{SocketAddr, ToSocketAddrs};

use crate::profile::FlagError;
use crate::tls::Trust;
use hyper::Uri;
use hyper::http::uri::Authority;

/// The default target.
const TARGET_DEFAULT: &str = "http://127.0.0.1:7001";

/// The scheme of HTTP over TLS.
const HTTPS: &str = "https";

/// The error for an `https://` target in a build without TLS.
const NO_TLS: &str = "https:// needs a build with TLS: cargo build --release --features tls";

fn invalid(problem: impl Into<String>) -> FlagError {
    FlagError::new("target", problem)
}

/// The address of the tested system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// `http://host:port`, or `https://host:port`.
    pub url: String,
    /// `host:port`, for the `Host` header.
    pub host: String,
    /// The address to connect to.
    pub address: SocketAddr,
    /// All addresses of the host: `localhost` may have two, with a server on only one of them.
    pub addresses: Vec<SocketAddr>,
    /// The certificates that are trusted, if it is `https://`.
    pub trust: Trust,
}

impl Target {
    /// Checks a URL, and resolves its host.
    ///
    /// # Errors
    /// When it is neither `http://host:port` nor, in a build with TLS, `https://host:port`, or when
    /// the host has no address.
    pub fn new(url: Option<&str>) -> Result<Self, FlagError> {
        let (scheme, authority, port) = read(url.unwrap_or(TARGET_DEFAULT))?;
        let bare_host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let addresses = (bare_host, port).to_socket_addrs();
        let unknown = || {
            invalid(format!(
                "the host `{bare_host}` has no address: correct its name, or write the server's \
                 address, such as http://127.0.0.1:7001"
            ))
        };
        let addresses: Vec<_> = addresses.map_err(|_| unknown())?.collect();
        let address = *addresses.first().ok_or_else(unknown)?;
        let host = format!("{}:{port}", authority.host());
        let (url, trust) = (format!("{scheme}://{host}"), Trust::default());
        Ok(Self { url, host, address, addresses, trust })
    }

    /// Checks a URL, and leaves its host unresolved.
    ///
    /// # Errors
    /// As of [`Self::new`], except for the addresses of the host.
    pub fn check(url: &str) -> Result<(), FlagError> {
        read(url).map(drop)
    }

    /// Whether the target is reached over TLS.
    pub fn is_https(&self) -> bool {
        self.url.split_once("://").is_some_and(|(scheme, _)| scheme == HTTPS)
    }

    /// The host without its port, and an IPv6 address without its brackets: the name that a
    /// certificate is valid for.
    pub fn name(&self) -> &str {
        let name = self.host.rsplit_once(':').map_or(&*self.host, |(name, _)| name);
        name.trim_start_matches('[').trim_end_matches(']')
    }
}

/// Scheme, host and port of a URL.
///
/// # Errors
/// When it has something else, or another scheme.
fn read(url: &str) -> Result<(&'static str, Authority, u16), FlagError> {
    let shape = || invalid(format!("`{url}` is not of the form http://host:port"));
    let given_port = port(url)?;
    let uri: Uri = url.parse().map_err(|_| shape())?;
    let (scheme, default_port) = match uri.scheme_str() {
        Some("http") => ("http", 80),
        Some("https") if !cfg!(feature = "tls") => return Err(invalid(NO_TLS)),
        Some("https") => (HTTPS, 443),
        _ => return Err(shape()),
    };
    if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
        return Err(invalid(format!("`{url}` has a path: give only http://host:port")));
    }
    let authority = uri.authority().cloned().ok_or_else(shape)?;
    if authority.as_str().contains('@') {
        return Err(invalid("a user name in the URL is not supported"));
    }
    Ok((scheme, authority, given_port.unwrap_or(default_port)))
}

/// The port in a URL, if it has one.
///
/// # Errors
/// When what follows the host is no port.
fn port(url: &str) -> Result<Option<u16>, FlagError> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let after_host = authority.rsplit_once(']').map_or(authority, |(_, after)| after);
    let Some((_, port)) = after_host.rsplit_once(':') else { return Ok(None) };
    match port.parse() {
        Ok(port) if port > 0 => Ok(Some(port)),
        _ => Err(invalid(format!("the port `{port}` of `{url}` is not a number from 1 to 65535"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_is_a_number_from_1_to_65535() {
        assert_eq!(port("http://[::1]").unwrap(), None);
        assert_eq!(port("http://[::1]:65535/").unwrap(), Some(65_535));
        for bad in ["http://a:", "http://a:0", "http://a:65536", "http://a:http", "http://a:-1"] {
            let error = port(bad).unwrap_err().to_string();
            assert!(error.starts_with("--target: the port `"), "{error}");
        }
    }

    #[test]
    fn target_is_http_on_a_host_without_a_path() {
        let target = Target::new(Some("http://127.0.0.1:81/")).unwrap();
        assert_eq!(target.url, "http://127.0.0.1:81");
        assert_eq!(Target::new(Some("http://[::1]:81")).unwrap().host, "[::1]:81");
        for bad in ["", "127.0.0.1:80", "ftp://a", "http://a/b", "http://u@a", "https://a/b"] {
            assert!(Target::new(Some(bad)).is_err(), "{bad}");
        }
        assert!(!target.is_https());
        assert_eq!(Target::new(Some("http://[::1]")).unwrap().name(), "::1");
    }

    #[test]
    fn https_needs_a_build_with_tls() {
        let target = Target::new(Some("HTTPS://localhost"));
        if cfg!(feature = "tls") {
            let target = target.unwrap();
            assert_eq!((&*target.url, target.name()), ("https://localhost:443", "localhost"));
            assert!(target.is_https());
            assert_eq!(target.address.port(), 443);
        } else {
            assert!(target.unwrap_err().to_string().contains("--features tls"));
        }
    }
}
