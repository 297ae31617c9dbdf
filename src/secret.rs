//! Values that must not be printed: they can be parsed, passed on and compared, but neither `Debug`
//! nor `Display` shows them.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A secret text, which is never printed.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl FromStr for Secret {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// The address of an engine: `embedded`, or a URL whose user and password are not printed.
#[derive(Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(transparent)]
pub struct EngineUrl(String);

impl EngineUrl {
    /// The address of the embedded engine.
    pub const EMBEDDED: &str = "embedded";

    /// The whole URL, secrets included.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it is the embedded engine.
    pub fn is_embedded(&self) -> bool {
        self.0 == Self::EMBEDDED
    }

    /// What follows the first `/` after the host, without the query; `None` if there is no `/`.
    pub fn path(&self) -> Option<&str> {
        let (_, rest) = self.0.split_once("://")?;
        let (_, path) = rest.split('?').next()?.split_once('/')?;
        Some(path)
    }

    /// Host and port of a URL with one host; the port is that of the scheme if the URL has none.
    /// `None` for the embedded engine.
    pub fn host(&self) -> Option<String> {
        let host = &self.0[self.host_range()?];
        let has_port = host.rsplit(']').next().is_some_and(|rest| rest.contains(':'));
        let port = match self.scheme() {
            "amqp" => 5672,
            "amqps" => 5671,
            _ => 6379,
        };
        Some(if has_port { host.to_owned() } else { format!("{host}:{port}") })
    }

    /// The hosts that it names, each with its port as it is written, separated by commas.
    pub fn hosts(&self) -> Vec<&str> {
        self.host_range().map_or_else(Vec::new, |range| self.0[range].split(',').collect())
    }

    /// The same engine at each of its hosts, with the same secrets.
    pub fn each_host(&self) -> Vec<Self> {
        self.hosts().into_iter().map(|host| self.at(host)).collect()
    }

    /// Whether it is a Redis Cluster, as in `redis+cluster://host1:6379,host2:6379`.
    pub fn is_redis_cluster(&self) -> bool {
        self.scheme().ends_with("+cluster")
    }

    /// Each node of a Redis Cluster as a Redis server, with the same secrets.
    pub fn redis_nodes(&self) -> Vec<Self> {
        let mut nodes = self.each_host();
        nodes.iter_mut().for_each(|node| node.0 = node.0.replacen("+cluster://", "://", 1));
        nodes
    }

    /// User and password as they are written; `None` without them.
    pub fn user_info(&self) -> Option<Secret> {
        let (_, rest) = self.0.split_once("://")?;
        let (user_info, _) = rest.split(['/', '?']).next()?.rsplit_once('@')?;
        Some(Secret(user_info.to_owned()))
    }

    /// The same engine, reached at another host and port.
    #[must_use]
    pub fn at(&self, host: impl fmt::Display) -> Self {
        match self.host_range() {
            Some(Range { start, end }) => {
                Self(format!("{}{host}{}", &self.0[..start], &self.0[end..]))
            }
            None => self.clone(),
        }
    }

    /// Where host and port are.
    fn host_range(&self) -> Option<Range<usize>> {
        let start = self.0.find("://")? + 3;
        let end = self.0[start..].find(['/', '?']).map_or(self.0.len(), |at| start + at);
        let start = self.0[start..end].rfind('@').map_or(start, |at| start + at + 1);
        Some(start..end)
    }

    /// The URL's scheme; empty if there is none.
    pub fn scheme(&self) -> &str {
        self.0.split_once("://").map_or("", |(scheme, _)| scheme)
    }
}

impl FromStr for EngineUrl {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for EngineUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((scheme, rest)) = self.0.split_once("://") else { return f.write_str(&self.0) };
        let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
        // A query can contain a password as well.
        let host = host.split('?').next().unwrap_or_default();
        write!(f, "{scheme}://{host}")
    }
}

impl fmt::Debug for EngineUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EngineUrl({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn displayed_engine_url_contains_no_secrets() {
        let shown = |url: &str| url.parse::<EngineUrl>().unwrap().to_string();
        assert_eq!(shown("amqp://ann:pw@host:5672/shop"), "amqp://host:5672/shop");
        assert_eq!(shown("redis://:p@w@host/3"), "redis://host/3");
        assert_eq!(shown("amqp://host/%2f?password=pw"), "amqp://host/%2f");
        assert_eq!(shown("embedded"), "embedded");
    }

    #[test]
    fn engine_is_reached_at_another_host_with_the_same_secrets() {
        let url = |text: &str| text.parse::<EngineUrl>().unwrap();
        for (text, host, elsewhere) in [
            ("amqp://ann:p@w@mq:5673/%2f?a=b", "mq:5673", "amqp://ann:p@w@[::1]:9/%2f?a=b"),
            ("redis://host", "host:6379", "redis://[::1]:9"),
            ("amqp://[fe80::1]?a", "[fe80::1]:5672", "amqp://[::1]:9?a"),
        ] {
            assert_eq!(url(text).host().as_deref(), Some(host));
            assert_eq!(url(text).at("[::1]:9").expose(), elsewhere);
        }
        assert_eq!(url("embedded").host(), None);
        assert_eq!(url("embedded").at("x:1"), url("embedded"));
    }

    #[test]
    fn each_node_of_a_cluster_is_a_server_with_the_same_secrets() {
        let cluster: EngineUrl = "redis+cluster://ann:p,w@a:1,b,[::1]:9/0".parse().unwrap();
        assert_eq!(cluster.hosts(), ["a:1", "b", "[::1]:9"]);
        assert!(cluster.is_redis_cluster());
        assert_eq!(cluster.to_string(), "redis+cluster://a:1,b,[::1]:9/0");
        let nodes = cluster.redis_nodes();
        let nodes: Vec<_> = nodes.iter().map(EngineUrl::expose).collect();
        let expected = ["a:1", "b", "[::1]:9"].map(|host| format!("redis://ann:p,w@{host}/0"));
        assert_eq!(nodes, expected);
        assert!(!"redis://host".parse::<EngineUrl>().unwrap().is_redis_cluster());
    }

    #[test]
    fn each_of_several_hosts_has_the_same_secrets() {
        let url = |text: &str| text.parse::<EngineUrl>().unwrap();
        let brokers = url("amqp://ann:p,w@mq1:5673,mq2,[::1]:9/shop?heartbeat=5");
        assert_eq!(brokers.hosts(), ["mq1:5673", "mq2", "[::1]:9"]);
        let each = brokers.each_host();
        let each: Vec<_> = each.iter().map(EngineUrl::expose).collect();
        let expected = ["mq1:5673", "mq2", "[::1]:9"]
            .map(|host| format!("amqp://ann:p,w@{host}/shop?heartbeat=5"));
        assert_eq!(each, expected);
        assert_eq!(brokers.to_string(), "amqp://mq1:5673,mq2,[::1]:9/shop");
        assert_eq!(brokers.user_info(), Some(Secret("ann:p,w".into())));
        assert_eq!(url("amqp://host").each_host(), [url("amqp://host")]);
        assert_eq!((url("embedded").hosts(), url("amqp://host").user_info()), (vec![], None));
    }

    #[test]
    fn path_follows_the_host() {
        let path = |url: &str| url.parse::<EngineUrl>().unwrap().path().map(str::to_owned);
        assert_eq!(path("amqp://host:5672"), None);
        assert_eq!(path("amqp://host?heartbeat=5"), None);
        assert_eq!(path("amqp://host:5672/?heartbeat=5").as_deref(), Some(""));
        assert_eq!(path("amqp://ann:pw@host/shop").as_deref(), Some("shop"));
    }
}
