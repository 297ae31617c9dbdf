//! A throwaway Redis Cluster: three primaries and replicas of each.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use redis::{Cmd, FromRedisValue, RedisError, RedisResult};
use rustix::process::Signal;

use super::binary::REDIS;
use super::control::Order;
use super::error::LabError;
use super::recipe::Recipe;
use super::redis::is_ready;
use super::service::Service;

/// The name of the service in messages.
const NAME: &str = "redis-cluster";

/// Primaries: with fewer than three, the others are no majority when one has failed, and no replica
/// takes over.
const PRIMARIES: usize = 3;

/// Slots of a cluster, which the primaries share.
const SLOTS: usize = 16_384;

/// After this time without an answer a node counts as failed, and a second or two later its replica
/// takes over. It is short, so that tests are, and longer than a busy machine stops a process.
const NODE_TIMEOUT_MS: &str = "1500";

/// How long one node may take to start, with a log to replay.
const START_TIMEOUT: Duration = Duration::from_secs(30);

/// How long all nodes may take to agree: mostly 3 s, of which a primary waits 2 s after its start.
const AGREE_TIMEOUT: Duration = Duration::from_secs(60);

/// How long a replica may take to take over.
const FAILOVER_TIMEOUT: Duration = Duration::from_secs(30);

/// Pause between two looks at the nodes.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// How long an answer of a node may take.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(1);

/// A cluster whose nodes sync each write to disk before they answer.
#[derive(Debug)]
pub struct RedisCluster {
    /// The primaries at first, then the replicas; a failover changes who is what.
    nodes: Vec<Service>,
    /// The nodes that an order has broken, until an order mends them.
    broken: Vec<usize>,
    /// Replicas of all primaries together.
    replicas: usize,
}

impl RedisCluster {
    /// Starts it with this many replicas of each primary, and waits until each slot is served and
    /// the replicas are in sync. With two, there is still a copy when one has taken over.
    pub fn start(replicas_of_each: usize) -> Result<Self, LabError> {
        let replicas = PRIMARIES * replicas_of_each;
        let program = REDIS.locate()?;
        let start = || Service::start(NAME, recipe(program.clone()));
        let nodes: Result<Vec<Service>, LabError> = thread::scope(|scope| {
            let starting: Vec<_> = (0..PRIMARIES + replicas).map(|_| scope.spawn(start)).collect();
            let joined = starting.into_iter().map(|thread| {
                thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            joined.collect()
        });
        let cluster = Self { nodes: nodes?, broken: Vec::new(), replicas };
        cluster.form()?;
        cluster.wait_in_sync()?;
        Ok(cluster)
    }

    /// Its address: `redis+cluster://127.0.0.1:PORT,127.0.0.1:PORT,…` with all nodes.
    pub fn url(&self) -> String {
        let hosts = self.nodes.iter().map(|node| format!("127.0.0.1:{}", port(node)));
        format!("redis+cluster://{}", hosts.collect::<Vec<_>>().join(","))
    }

    /// Its processes.
    pub fn nodes(&self) -> &[Service] {
        &self.nodes
    }

    /// One of its processes, to suspend, kill or restart it.
    pub fn node_mut(&mut self, index: usize) -> &mut Service {
        &mut self.nodes[index]
    }

    /// The node that serves a key; `None` while none does.
    pub fn serving(&self, key: &str) -> Option<usize> {
        let serves = |node: &Service| ask::<u64>(node, redis::cmd("EXISTS").arg(key)).is_ok();
        self.nodes.iter().position(serves)
    }

    /// The replicas in sync of the node that serves a key.
    pub fn replicas_of(&self, key: &str) -> Vec<usize> {
        let info = self.serving(key).and_then(|index| information(&self.nodes[index]).ok());
        let info = info.unwrap_or_default();
        let is_replica = |index: &usize| {
            let address = format!("port={},state=online", port(&self.nodes[*index]));
            info.lines().any(|line| line.starts_with("slave") && line.contains(&address))
        };
        (0..self.nodes.len()).filter(is_replica).collect()
    }

    /// Waits until all nodes run and agree, and the replicas are in sync.
    pub fn wait_in_sync(&self) -> Result<(), LabError> {
        self.wait(AGREE_TIMEOUT, || self.nodes.iter().all(|node| is_in_sync(node, self.replicas)))
    }

    /// Carries out an order on the node that serves a key, or on those that earlier orders have
    /// broken. A restarted node is in sync again when this returns.
    ///
    /// # Errors
    /// When no node serves the key, or one cannot be signalled or started.
    pub fn carry_out(&mut self, order: Order, key: &str) -> Result<(), LabError> {
        match order {
            Order::Suspend | Order::Kill | Order::Wipe => {
                self.wait(FAILOVER_TIMEOUT, || self.serving(key).is_some())?;
                let Some(index) = self.serving(key) else { return Ok(()) };
                self.broken.push(index);
                order.carry_out(&mut self.nodes[index])
            }
            Order::Resume => self.mend(order),
            Order::Restart => {
                self.mend(order)?;
                self.wait_in_sync()
            }
        }
    }

    fn mend(&mut self, order: Order) -> Result<(), LabError> {
        let broken = std::mem::take(&mut self.broken);
        broken.into_iter().try_for_each(|index| order.carry_out(&mut self.nodes[index]))
    }

    /// Shares out the slots, and makes the nodes know each other.
    fn form(&self) -> Result<(), LabError> {
        let (primaries, replicas) = self.nodes.split_at(PRIMARIES);
        let refused = |error: RedisError| {
            LabError::io(NAME, "form the cluster")(std::io::Error::other(error.to_string()))
        };
        self.introduce(primaries).map_err(refused)?;
        for (number, replica) in replicas.iter().enumerate() {
            let primary = &primaries[number % PRIMARIES];
            let id: String = ask(primary, &cluster("MYID")).map_err(refused)?;
            let follow = || ask::<()>(replica, cluster("REPLICATE").arg(&id)).is_ok();
            // It is refused until the replica has heard of the primary.
            self.wait(AGREE_TIMEOUT, follow)?;
        }
        Ok(())
    }

    fn introduce(&self, primaries: &[Service]) -> RedisResult<()> {
        for (index, node) in primaries.iter().enumerate() {
            let slots = slots(index);
            let mut add = cluster("ADDSLOTSRANGE");
            let () = ask(node, add.arg(slots.start).arg(slots.end - 1))?;
        }
        for (index, node) in self.nodes.iter().enumerate() {
            // Without an epoch of its own, each node would have to settle that with the others. It
            // can be set while a node knows nobody.
            let () = ask(node, cluster("SET-CONFIG-EPOCH").arg(index + 1))?;
        }
        for (index, node) in self.nodes.iter().enumerate() {
            for other in &self.nodes[index + 1..] {
                let mut meet = cluster("MEET");
                let () = ask(node, meet.arg("127.0.0.1").arg(port(other)).arg(other.ports()[1]))?;
            }
        }
        Ok(())
    }

    /// Waits until a condition holds.
    fn wait(&self, within: Duration, condition: impl Fn() -> bool) -> Result<(), LabError> {
        let deadline = Instant::now() + within;
        while !condition() {
            if Instant::now() >= deadline {
                let log = self.nodes.first().map(Service::last_log_lines).unwrap_or_default();
                return Err(LabError::NotReady { service: NAME, within, log });
            }
            thread::sleep(POLL_INTERVAL);
        }
        Ok(())
    }
}

/// The slots of a primary.
fn slots(index: usize) -> Range<usize> {
    index * SLOTS / PRIMARIES..(index + 1) * SLOTS / PRIMARIES
}

fn recipe(program: PathBuf) -> impl Fn(&Path, [u16; 2]) -> Result<Recipe, LabError> {
    move |folder, [port, bus]| {
        let [port_text, bus_text] = [port, bus].map(|port| port.to_string());
        let mut args = vec!["--port", &port_text, "--bind", "127.0.0.1", "--daemonize", "no"];
        args.extend(["--save", "", "--appendonly", "yes", "--appendfsync", "always"]);
        args.extend(["--dir", ".", "--cluster-enabled", "yes", "--cluster-port", &bus_text]);
        args.extend(["--cluster-config-file", "nodes.conf"]);
        args.extend(["--cluster-node-timeout", NODE_TIMEOUT_MS]);
        // Otherwise a primary that has lost its replicas would get one of another primary.
        args.extend(["--cluster-allow-replica-migration", "no"]);
        // A replica that hangs is given up before long, and one that comes is served at once.
        args.extend(["--repl-timeout", "5", "--repl-ping-replica-period", "1"]);
        args.extend(["--repl-diskless-sync-delay", "0"]);
        Ok(Recipe {
            name: NAME,
            program: program.clone(),
            args: args.into_iter().map(Into::into).collect(),
            environment: vec![("HOME", folder.into())],
            ports: vec![port, bus],
            data: &["appendonlydir", "dump.rdb"],
            is_ready,
            start_timeout: START_TIMEOUT,
            // In an orderly shutdown, a primary waits for replicas that may have ended before it.
            stop: Signal::KILL,
        })
    }
}

/// Whether a node sees all slots served, all nodes alive, and is in sync itself.
fn is_in_sync(node: &Service, replicas: usize) -> bool {
    let Ok(state) = ask::<String>(node, &cluster("INFO")) else { return false };
    let Ok(nodes) = ask::<String>(node, &cluster("NODES")) else { return false };
    let Ok(replication) = information(node) else { return false };
    let count = |word: &str| {
        let flags = nodes.lines().filter_map(|line| line.split(' ').nth(2));
        flags.filter(|flags| flags.split(',').any(|flag| flag == word)).count()
    };
    let failed = ["fail", "fail?", "handshake", "noaddr"].into_iter().map(count).sum::<usize>();
    let mut followers = replication.lines().filter(|line| line.contains(",state="));
    let is_served = match replication.contains("role:slave") {
        true => replication.contains("master_link_status:up"),
        false => followers.all(|line| line.contains(",state=online,")),
    };
    state.contains("cluster_state:ok")
        && (count("master"), count("slave"), failed) == (PRIMARIES, replicas, 0)
        && is_served
}

/// What a node says of its replication.
fn information(node: &Service) -> RedisResult<String> {
    ask(node, redis::cmd("INFO").arg("replication"))
}

/// A command about the cluster.
fn cluster(name: &str) -> Cmd {
    let mut command = redis::cmd("CLUSTER");
    command.arg(name);
    command
}

/// Sends one command to a node on a connection of its own.
fn ask<T: FromRedisValue>(node: &Service, command: &Cmd) -> RedisResult<T> {
    let client = redis::Client::open(format!("redis://127.0.0.1:{}", port(node)))?;
    let mut connection = client.get_connection_with_timeout(ANSWER_TIMEOUT)?;
    connection.set_read_timeout(Some(ANSWER_TIMEOUT))?;
    connection.set_write_timeout(Some(ANSWER_TIMEOUT))?;
    command.query(&mut connection)
}

fn port(node: &Service) -> u16 {
    node.ports()[0]
}

#[cfg(test)]
mod tests {
    use super::super::service::tests::start_where_ports_are_taken;
    use super::*;

    #[test]
    fn node_starts_on_other_ports_if_one_is_taken() {
        match REDIS.locate() {
            Ok(program) => start_where_ports_are_taken(recipe(program)),
            Err(error) => println!("skipped: {error}"),
        }
    }
}
