//! The brokers of one address: one, or the nodes of a cluster, which are tried in turn.

use std::sync::atomic::{AtomicUsize, Ordering};

use lapin::uri::AMQPUri;

use crate::secret::EngineUrl;

use super::error::ConnectError;

/// Seconds between heartbeats: twice that without a sign of life is a lost connection.
const HEARTBEAT_S: u16 = 10;

/// The same where another broker can take over: what a suspended node has delivered is decided
/// only after its connection is given up. RabbitMQ's guide advises against less.
const HEARTBEAT_OF_SEVERAL_S: u16 = 5;

/// One broker.
#[derive(Debug)]
pub(super) struct Host {
    /// Its address, which is displayed without secrets.
    pub(super) url: EngineUrl,
    pub(super) uri: AMQPUri,
    /// Its address for the log, if it is one of several.
    pub(super) shown: Option<String>,
}

/// The brokers of one address.
#[derive(Debug)]
pub(super) struct Hosts {
    hosts: Vec<Host>,
    /// Where the next round begins; it is taken modulo the number of brokers.
    turn: AtomicUsize,
}

impl Hosts {
    /// Those that an address names.
    pub(super) fn of(url: &EngineUrl) -> Result<Self, ConnectError> {
        let urls = url.each_host();
        let is_one = urls.len() == 1;
        let host = |url: EngineUrl| {
            let mut uri: AMQPUri = url.expose().parse().map_err(ConnectError::Address)?;
            let heartbeat_s = if is_one { HEARTBEAT_S } else { HEARTBEAT_OF_SEVERAL_S };
            uri.query.heartbeat.get_or_insert(heartbeat_s);
            let shown = (!is_one).then(|| url.to_string());
            Ok(Host { url, uri, shown })
        };
        let hosts: Result<_, ConnectError> = urls.into_iter().map(host).collect();
        let hosts = hosts?;
        // Each process begins with a random one, so that many of them spread over all.
        let first = uuid::Uuid::new_v4().as_fields().1;
        Ok(Self { hosts, turn: AtomicUsize::new(first.into()) })
    }

    /// Whether there is more than one.
    pub(super) fn are_several(&self) -> bool {
        self.hosts.len() > 1
    }

    /// Each of them once. Each round begins with another one, so that the connections of a process
    /// spread over all.
    pub(super) fn round(&self) -> impl Iterator<Item = &Host> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let (before, from) = self.hosts.split_at(turn % self.hosts.len().max(1));
        from.iter().chain(before)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // In a test, that is an assertion.
mod tests {
    use super::*;

    fn hosts(url: &str) -> Result<Hosts, ConnectError> {
        Hosts::of(&url.parse().unwrap())
    }

    #[test]
    fn each_round_has_every_broker_and_begins_with_another_one() {
        let hosts = hosts("amqp://ann:secret@a,b:5673,[::1]:9/shop").unwrap();
        assert!(hosts.are_several());
        let mut firsts = Vec::new();
        for _ in 0..3 {
            let mut round: Vec<_> = hosts.round().map(|host| host.shown.clone().unwrap()).collect();
            firsts.push(round[0].clone());
            round.sort_unstable();
            assert_eq!(round, ["amqp://[::1]:9/shop", "amqp://a/shop", "amqp://b:5673/shop"]);
        }
        firsts.sort_unstable();
        firsts.dedup();
        assert_eq!(firsts.len(), 3);
        for host in hosts.round() {
            let login = &host.uri.authority.userinfo;
            assert_eq!((login.username.as_str(), login.password.as_str()), ("ann", "secret"));
            assert_eq!(host.uri.query.heartbeat, Some(HEARTBEAT_OF_SEVERAL_S));
        }
    }

    #[test]
    fn one_broker_is_not_named_in_the_log_and_keeps_its_heartbeat() {
        let one = hosts("amqp://a").unwrap();
        let first = one.round().next().unwrap();
        assert!(!one.are_several() && first.shown.is_none() && one.round().count() == 1);
        assert_eq!(first.uri.query.heartbeat, Some(HEARTBEAT_S));
        let own = hosts("amqp://a,b?heartbeat=7").unwrap();
        assert!(own.round().all(|host| host.uri.query.heartbeat == Some(7)));
        assert!(matches!(hosts("amqp://a,b:no-port"), Err(ConnectError::Address(_))));
    }
}
