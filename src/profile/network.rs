//! A range of addresses, as `10.0.0.0/8` or `::1`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// A range of IP addresses: all that begin as its own one does, for a number of bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network(IpNet);

/// Why a text is no network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NetworkError {
    /// It is written in no known form.
    #[error("`{0}` is no network: write 10.0.0.0/8, 2001:db8::/32, or a single address")]
    Malformed(String),
    /// The address has bits set that the network leaves open.
    #[error(
        "`{given}` is an address inside a network: write {network} for all of it, or {address} for \
         that address alone"
    )]
    HostBits {
        /// As it was written.
        given: String,
        /// The network that it is in.
        network: Network,
        /// The address without the prefix.
        address: IpAddr,
    },
}

impl Network {
    /// Whether an address is in the range. An IPv4 address may be written as an IPv6 one.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }

    /// Whether every address of its kind is in the range.
    pub fn is_everybody(&self) -> bool {
        self.0.prefix_len() == 0
    }
}

impl FromStr for Network {
    type Err = NetworkError;

    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let network = match text.parse::<IpAddr>() {
            Ok(address) => Ok(IpNet::from(address.to_canonical())),
            Err(_) => text.parse(),
        };
        let network: IpNet = network.map_err(|_| NetworkError::Malformed(text.to_owned()))?;
        if network != network.trunc() {
            let (given, address) = (text.to_owned(), network.addr());
            return Err(NetworkError::HostBits { given, network: Self(network.trunc()), address });
        }
        Ok(Self(network))
    }
}

impl TryFrom<String> for Network {
    type Error = NetworkError;

    fn try_from(text: String) -> Result<Self, NetworkError> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        network.to_string()
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_contains_what_begins_alike() {
        let contains = |network: &str, address: &str| {
            network.parse::<Network>().unwrap().contains(address.parse().unwrap())
        };
        assert!(contains("10.0.0.0/8", "10.255.0.1"));
        assert!(!contains("10.0.0.0/8", "11.0.0.1"));
        assert!(contains("10.0.0.0/8", "::ffff:10.0.0.1"));
        assert!(contains("::1", "::1") && !contains("::1", "::2"));
        assert!(contains("0.0.0.0/0", "1.2.3.4") && !contains("0.0.0.0/0", "2001:db8::1"));
    }

    #[test]
    fn address_inside_a_network_is_an_error_that_names_the_network() {
        for (text, network, address) in [
            ("10.0.0.5/8", "10.0.0.0/8", "10.0.0.5"),
            ("2001:db8::1/32", "2001:db8::/32", "2001:db8::1"),
            ("127.0.0.1/0", "0.0.0.0/0", "127.0.0.1"),
        ] {
            let error = text.parse::<Network>().unwrap_err().to_string();
            let expected = format!("write {network} for all of it, or {address} for that");
            assert!(
                error.starts_with(&format!("`{text}` ")) && error.contains(&expected),
                "{error}"
            );
        }
        assert!("10.0.0.5/32".parse::<Network>().is_ok());
    }

    #[test]
    fn network_of_no_bits_is_everybody() {
        let is_everybody = |text: &str| text.parse::<Network>().unwrap().is_everybody();
        assert!(is_everybody("0.0.0.0/0") && is_everybody("::/0"));
        assert!(!is_everybody("0.0.0.0/1") && !is_everybody("::"));
    }

    #[test]
    fn anything_else_is_an_error() {
        for text in ["", "10.0.0.0/33", "10.0.0/8", "host", "10.0.0.1:80", "::1/129", "1.2.3.4/"] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }
}
