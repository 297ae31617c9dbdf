//! What a node says of its replicas and of the other nodes. No I/O.

use std::fmt;

use redis::{FromRedisValue, Value};

/// Host and port of a node, as other nodes know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) host: String,
    pub(super) port: u16,
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// The replicas that get each write as it is made, from what `INFO replication` says. One that is
/// still being given the data is none of them: `WAIT` does not count it either.
pub(super) fn in_sync(info: &str) -> Vec<Address> {
    let replicas = info.lines().filter_map(|line| {
        let (name, fields) = line.trim_end().strip_prefix("slave")?.split_once(':')?;
        let _: u32 = name.parse().ok()?;
        let field = |name: &str| {
            let mut fields = fields.split(',').filter_map(|field| field.split_once('='));
            fields.find(|(found, _)| *found == name).map(|(_, value)| value)
        };
        let address = Address { host: field("ip")?.to_owned(), port: field("port")?.parse().ok()? };
        (field("state") == Some("online")).then_some(address)
    });
    replicas.collect()
}

/// All nodes that have a slot or a copy of it, from the answer to `CLUSTER SLOTS`.
pub(super) fn all_nodes(slots: Value) -> Vec<Address> {
    let mut nodes = Vec::new();
    for node in ranges(&slots).into_iter().flat_map(|range| range.into_iter().skip(2)) {
        let Some(address) = address(node) else { continue };
        // A node that does not know its own address gives none, and a question mark for others.
        let is_known = !address.host.is_empty() && address.host != "?" && address.port != 0;
        if is_known && !nodes.contains(&address) {
            nodes.push(address);
        }
    }
    nodes
}

/// The primary of a slot, as the answer to `CLUSTER SLOTS` names it.
pub(super) fn owner_of(slots: &Value, slot: u16) -> Option<Address> {
    let mut ranges = ranges(slots).into_iter().map(|range| range.into_iter());
    ranges.find_map(|mut range| {
        let mut bound = || u16::from_redis_value(range.next()?).ok();
        let has_slot = (bound()?..=bound()?).contains(&slot);
        has_slot.then(|| range.next().and_then(address)).flatten()
    })
}

fn ranges(slots: &Value) -> Vec<Vec<Value>> {
    FromRedisValue::from_redis_value_ref(slots).unwrap_or_default()
}

/// Host and port of a node. Newer versions add its id and more.
fn address(node: Value) -> Option<Address> {
    let mut fields = Vec::<Value>::from_redis_value(node).ok()?.into_iter();
    let (host, port) = (fields.next()?, fields.next()?);
    Some(Address {
        host: String::from_redis_value(host).unwrap_or_default(),
        port: u16::from_redis_value(port).unwrap_or_default(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // In a test, that is an assertion.
mod tests {
    use super::*;

    #[test]
    fn replica_counts_once_it_has_all_data() {
        let info = "# Replication\r\nrole:master\r\nconnected_slaves:3\r\n\
                    slave0:ip=127.0.0.1,port=7003,state=online,offset=42,lag=0\r\n\
                    slave1:ip=127.0.0.1,port=7004,state=wait_bgsave,offset=0,lag=0\r\n\
                    slave2:ip=::1,port=7005,state=online,offset=42,lag=9\r\n\
                    slave_expires_tracked_keys:0\r\n";
        let found: Vec<_> = in_sync(info).iter().map(Address::to_string).collect();
        assert_eq!(found, ["127.0.0.1:7003", "[::1]:7005"]);
        assert_eq!(in_sync("role:slave\r\nslave_read_only:1\r\n"), []);
    }

    #[test]
    fn nodes_are_found_in_slots_of_any_version() {
        let text = "*2 \
                    *4 :0 :9 *2 $1 a :1 *3 $1 b :2 $2 id \
                    *4 :10 :16383 *2 $1 a :1 *2 $1 ? :3 ";
        let text = text.replace(' ', "\r\n");
        let nodes = all_nodes(redis::parse_redis_value(text.as_bytes()).unwrap());
        assert_eq!(nodes.iter().map(Address::to_string).collect::<Vec<_>>(), ["a:1", "b:2"]);
        assert_eq!(all_nodes(Value::Nil), []);
        let slots = redis::parse_redis_value(text.as_bytes()).unwrap();
        let owner = |slot| owner_of(&slots, slot).map(|node| node.to_string());
        assert_eq!([0, 9, 10, 16_383].map(owner), [0; 4].map(|_| Some("a:1".to_owned())));
        assert_eq!(owner_of(&Value::Nil, 0), None);
    }
}
