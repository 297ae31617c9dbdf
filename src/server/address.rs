//! The address that a request comes from, and the limit on attempts per second of each address.
//!
//! Behind a proxy every connection comes from the proxy, which says in `X-Forwarded-For` for whom
//! it asks. Anybody can send that header, so it is read only if the peer is a trusted proxy. Of the
//! addresses in it, each proxy appends the one that it was asked from: the rightmost one that is no
//! trusted proxy is the client's, and what is left of it is whatever the client claims. `Forwarded`
//! (RFC 7239) is not read, as a proxy that does not know it passes on what the client has sent.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use hyper::Request;
use hyper::header::HeaderMap;

use crate::profile::Network;
use crate::units::Rate;

use super::keyed_rate_limit::KeyedRateLimit;

/// The header in which proxies list the addresses that a request came through.
const FORWARDED_FOR: &str = "x-forwarded-for";

/// The address at the other end of a request's connection, kept in the request's extensions.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// Limits the attempts per second of each client's address.
#[derive(Debug)]
pub struct AddressRateLimit {
    limit: KeyedRateLimit,
    trusted_proxies: Vec<Network>,
}

impl AddressRateLimit {
    /// A limit at this rate for each address. These proxies are believed whom they ask for.
    pub fn new(rate: Rate, trusted_proxies: Vec<Network>) -> Self {
        Self { limit: KeyedRateLimit::new(rate), trusted_proxies }
    }

    /// Whose request this is: an IPv4 address, or the first 64 bits of an IPv6 one, since a client
    /// has at least that many of them. `None` if its connection is not known.
    pub(super) fn client<B>(&self, request: &Request<B>) -> Option<IpAddr> {
        let Peer(peer) = request.extensions().get()?;
        Some(network_of(self.forwarded(peer.to_canonical(), request.headers())))
    }

    /// Counts an attempt of a client.
    ///
    /// # Errors
    /// Returns the time until the next attempt is within the limit; this one is not counted then.
    pub(super) fn admit(&self, client: IpAddr) -> Result<(), Duration> {
        self.limit.admit(&client)
    }

    /// The address for which a peer asks: its own, unless it is a trusted proxy that names another.
    fn forwarded(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        if !self.is_trusted(peer) {
            return peer;
        }
        let mut client = None;
        for header in headers.get_all(FORWARDED_FOR).iter().rev() {
            for listed in header.as_bytes().rsplit(|byte| *byte == b',') {
                // A proxy writes addresses: anything else is no list of one.
                let Some(address) = parse(listed) else { return peer };
                if !self.is_trusted(address) {
                    return address;
                }
                client = Some(address);
            }
        }
        // All of them are trusted: the leftmost asked first.
        client.unwrap_or(peer)
    }

    fn is_trusted(&self, address: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(address))
    }
}

/// An address of the header, with a port or without.
fn parse(listed: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(listed.trim_ascii()).ok()?;
    let address = text.parse::<IpAddr>().or_else(|_| text.parse().map(|at: SocketAddr| at.ip()));
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<IpAddr>().ok();
    address.ok().or_else(bracketed).map(|address| address.to_canonical())
}

fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    /// Whose request it is that comes from this peer with these headers.
    fn client(peer: &str, forwarded_for: &[&str]) -> String {
        let networks = ["10.0.0.0/8", "192.0.2.7", "fd00::/8"].map(|text| text.parse().unwrap());
        let limit = AddressRateLimit::new(Rate { per_second: 1 }, networks.into());
        let mut request = Request::new(());
        for value in forwarded_for {
            request.headers_mut().append(FORWARDED_FOR, HeaderValue::from_str(value).unwrap());
        }
        request.extensions_mut().insert(Peer(peer.parse().unwrap()));
        limit.client(&request).unwrap().to_string()
    }

    #[test]
    fn header_of_an_untrusted_peer_is_not_read() {
        assert_eq!(client("203.0.113.1", &["198.51.100.1"]), "203.0.113.1");
        assert_eq!(client("127.0.0.1", &["198.51.100.1"]), "127.0.0.1");
        assert_eq!(client("192.0.2.8", &["198.51.100.1"]), "192.0.2.8");
    }

    #[test]
    fn rightmost_address_that_is_no_proxy_is_the_client() {
        let through = |list| client("10.1.1.1", &[list]);
        assert_eq!(through("198.51.100.1"), "198.51.100.1");
        assert_eq!(through("1.1.1.1, 198.51.100.1"), "198.51.100.1", "the rest may be forged");
        assert_eq!(through("1.1.1.1,198.51.100.1 , 192.0.2.7,10.9.9.9"), "198.51.100.1");
        assert_eq!(through("198.51.100.1:4711"), "198.51.100.1");
        assert_eq!(through("10.2.2.2, 10.3.3.3"), "10.2.2.2", "a proxy's own request");
        assert_eq!(client("10.1.1.1", &["1.1.1.1", "198.51.100.1, fd00::1"]), "198.51.100.1");
        assert_eq!(client("::ffff:10.1.1.1", &["::ffff:198.51.100.1"]), "198.51.100.1");
    }

    #[test]
    fn malformed_list_means_the_proxy() {
        for list in ["", "unknown", "198.51.100.1,", "198.51.100.1, _hidden", "1.2.3", "::1]", "é"]
        {
            assert_eq!(client("10.1.1.1", &[list]), "10.1.1.1", "{list}");
        }
        assert_eq!(client("10.1.1.1", &[]), "10.1.1.1");
        assert_eq!(client("10.1.1.1", &["x, 198.51.100.1"]), "198.51.100.1", "never looked at");
    }

    #[test]
    fn addresses_of_one_network_of_ipv6_are_one_client() {
        assert_eq!(client("2001:db8:1:2:3:4:5:6", &[]), "2001:db8:1:2::");
        assert_eq!(client("fd00::1", &["[2001:db8:1:3::9]:443"]), "2001:db8:1:3::");
        assert_eq!(client("fd00::1", &["[2001:db8:1:3::9]"]), "2001:db8:1:3::");
    }
}
