//! Addresses that were given to flags of other programs, as the flags of this one take them.

use std::ffi::OsString;
use std::net::{IpAddr, Ipv6Addr};

/// Flags of other servers that name an address or a part of one.
const OF_SERVERS: &[&str] = &["--port", "--bind", "--host", "--address", "-p"];

/// Flags of other load generators, likewise.
const OF_CLIENTS: &[&str] = &["--url", "--host", "--port", "--server", "-u"];

/// Longest host that is repeated, which is that of a name in the DNS.
const HOST_LEN_MAX: usize = 253;

/// What words say of an address.
#[derive(Debug, Default, PartialEq)]
struct Address {
    is_https: bool,
    /// A name or an IP address; in brackets if the latter has colons.
    host: Option<String>,
    port: Option<u16>,
}

/// The flag of `verb` that means what another program's flag means, with the address that the words
/// of the command line give.
pub(super) fn flag_with_address(verb: &str, named: &str, words: &[OsString]) -> Option<String> {
    match verb {
        "serve" if OF_SERVERS.contains(&named) => {
            let Address { host, port, .. } = Address::in_words(OF_SERVERS, words);
            let host = host.unwrap_or_else(|| "127.0.0.1".into());
            Some(format!("--listen {host}:{}", port.unwrap_or(7001)))
        }
        "bench" if OF_CLIENTS.contains(&named) => Some(Address::in_words(OF_CLIENTS, words).flag()),
        _ => None,
    }
}

/// The flag of `bench` for an address that stands alone; `None` if the word is no address.
pub(super) fn target(word: &str) -> Option<String> {
    let address = Address::read(word)?;
    let is_sure = address.port.is_some() || word.contains("://") || word == "localhost";
    (is_sure || word.parse::<IpAddr>().is_ok()).then(|| address.flag())
}

impl Address {
    /// What the values of these flags say together.
    fn in_words(flags: &[&str], words: &[OsString]) -> Self {
        let mut address = Self::default();
        let words: Vec<_> = words.iter().map_while(|word| word.to_str()).collect();
        for (at, word) in words.iter().enumerate().take_while(|(_, word)| **word != "--") {
            let value = match (word.split_once('='), flags.contains(word)) {
                (Some((flag, value)), _) if flags.contains(&flag) => Some(value),
                (_, true) => words.get(at + 1).copied(),
                _ => None,
            };
            if let Some(Self { is_https, host, port }) = value.and_then(Self::read) {
                let (host, port) = (address.host.or(host), address.port.or(port));
                address = Self { is_https: address.is_https || is_https, host, port };
            }
        }
        address
    }

    /// Reads a port, a host, `host:port` or a URL; `None` if a text is none of them.
    fn read(text: &str) -> Option<Self> {
        let url = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
        let is_https = text.starts_with("https://");
        let text = url.map_or(text, |rest| rest.split('/').next().unwrap_or_default());
        if let Ok(port) = text.parse() {
            return Some(Self { port: Some(port), ..Self::default() });
        }
        if let Some(host) = host(text) {
            return Some(Self { is_https, host: Some(host), port: None });
        }
        let (before, port) = text.rsplit_once(':')?;
        let host = if before.is_empty() { None } else { Some(host(before)?) };
        Some(Self { is_https, host, port: Some(port.parse().ok()?) })
    }

    /// The flag of `bench`. A URL without a port has that of its scheme.
    fn flag(self) -> String {
        let Self { is_https, host, port } = self;
        let scheme = if is_https { "https" } else { "http" };
        let host = host.unwrap_or_else(|| "127.0.0.1".into());
        match port {
            None if is_https => format!("--target {scheme}://{host}"),
            port => format!("--target {scheme}://{host}:{}", port.unwrap_or(7001)),
        }
    }
}

/// A host as it is written before a port.
fn host(text: &str) -> Option<String> {
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    if let Ok(address) = inner.parse::<Ipv6Addr>() {
        return Some(format!("[{address}]"));
    }
    let is_name = (1..=HOST_LEN_MAX).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    // Digits alone are a number that is no port.
    let is_address = text.parse::<IpAddr>().is_ok() || text.contains(|c: char| c.is_alphabetic());
    (is_name && is_address).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flag(verb: &str, line: &str) -> Option<String> {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let named = line.split([' ', '=']).next().unwrap();
        flag_with_address(verb, named, &words)
    }

    #[test]
    fn address_of_other_flags_is_kept_if_it_is_one() {
        let cases = [
            ("serve", "--port 9000", "--listen 127.0.0.1:9000"),
            ("serve", "--port=9000", "--listen 127.0.0.1:9000"),
            ("serve", "-p 9000 --host 0.0.0.0", "--listen 0.0.0.0:9000"),
            ("serve", "--host 0.0.0.0", "--listen 0.0.0.0:7001"),
            ("serve", "--host ::", "--listen [::]:7001"),
            ("serve", "--bind [::1]:80", "--listen [::1]:80"),
            ("serve", "--bind :80", "--listen 127.0.0.1:80"),
            ("serve", "--address shop.example:80", "--listen shop.example:80"),
            ("serve", "--port 70000", "--listen 127.0.0.1:7001"),
            ("serve", "--port -- 9000", "--listen 127.0.0.1:7001"),
            ("serve", "--host a\x1b[2Jb", "--listen 127.0.0.1:7001"),
            ("serve", "--port", "--listen 127.0.0.1:7001"),
            ("bench", "--host shop --port 80", "--target http://shop:80"),
            ("bench", "--url http://shop:80/buy", "--target http://shop:80"),
            ("bench", "-u https://shop", "--target https://shop"),
            ("bench", "--url nonsense!", "--target http://127.0.0.1:7001"),
        ];
        for (verb, line, expected) in cases {
            assert_eq!(flag(verb, line).as_deref(), Some(expected), "{verb} {line}");
        }
        assert_eq!(flag("serve", "--threads 5"), None);
        let long = format!("--host {}", "a".repeat(HOST_LEN_MAX + 1));
        assert_eq!(flag("serve", &long).as_deref(), Some("--listen 127.0.0.1:7001"));
    }

    #[test]
    fn word_alone_is_a_target_if_it_is_an_address() {
        let cases = [
            ("127.0.0.1:7001", Some("--target http://127.0.0.1:7001")),
            ("localhost:80", Some("--target http://localhost:80")),
            ("localhost", Some("--target http://localhost:7001")),
            ("127.0.0.1", Some("--target http://127.0.0.1:7001")),
            ("::1", Some("--target http://[::1]:7001")),
            ("8080", Some("--target http://127.0.0.1:8080")),
            ("https://shop", Some("--target https://shop")),
            ("threads", None),
            ("threads:many", None),
            ("ftp://shop", None),
        ];
        for (word, expected) in cases {
            assert_eq!(target(word).as_deref(), expected, "{word}");
        }
    }
}
