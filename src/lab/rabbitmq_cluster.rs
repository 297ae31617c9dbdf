//! A throwaway RabbitMQ cluster of three nodes.
//!
//! Its nodes have a port mapper, a secret and names of their own, so that no other broker of this
//! machine meets them.

use std::io::{self, Write};
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::secret::Secret;
use crate::settings::Nodes;

use super::binary::ERL_CALL;
use super::control::Order;
use super::error::LabError;
use super::port_mapper;
use super::rabbitmq::{Membership, RabbitMq, RabbitMqOptions};
use super::service::Service;

/// The name of the cluster in messages.
const NAME: &str = "rabbitmq-cluster";

/// How many nodes it has: the fewest of which a majority is left when one is lost.
const NODES: usize = 3;

/// How long the nodes may take, once all of them serve, until they are one cluster.
const FORM_TIMEOUT: Duration = Duration::from_secs(60);

/// Pause between two looks at the members.
const FORM_POLL: Duration = Duration::from_millis(100);

/// How long a node may take to answer, in seconds, as `erl_call` has it.
const ANSWER_TIMEOUT_S: &str = "5";

/// The running members that a node knows, in RabbitMQ 3 and 4.
const RUNNING: &str = "length(try rabbit_nodes:list_running() \
                       catch error:undef -> rabbit_nodes:all_running() end).";

/// The node that leads each queue of attempts. The table of queues has it late, and Ra at once, but
/// only for quorum queues; a classic queue is led by the node that has it.
const LEADERS: &str = "[case amqqueue:get_pid(Q) of \
        {Name, Home} -> \
            case ra_leaderboard:lookup_leader(Name) of {_, Node} -> Node; _ -> Home end; \
        Pid -> node(Pid) \
    end || Q <- rabbit_amqqueue:list(), \
    binary:longest_common_suffix([element(4, amqqueue:get_name(Q)), <<\".dead\">>]) < 5].";

/// Three nodes that are one cluster; each is a broker like [`RabbitMq`].
#[derive(Debug)]
pub struct RabbitMqCluster {
    // In this order, so that the port mapper ends after the nodes.
    nodes: Vec<RabbitMq>,
    _port_mapper: Service,
    erl_call: PathBuf,
    /// Whether all data was removed since the last start, so that the nodes are no cluster yet.
    is_wiped: bool,
}

impl RabbitMqCluster {
    /// Starts the nodes, and waits until all of them are members.
    ///
    /// # Errors
    /// When a program is missing, or a node does not start or does not join in time.
    pub fn start(options: &RabbitMqOptions) -> Result<Self, LabError> {
        let erl_call = ERL_CALL.locate()?;
        let port_mapper = port_mapper::start()?;
        let epmd_port = port_mapper.ports()[0];
        let secret =
            format!("{0}{1}", uuid::Uuid::new_v4().simple(), uuid::Uuid::new_v4().simple());
        let options = &RabbitMqOptions {
            config: format!("{}{}", formation(), options.config),
            ..options.clone()
        };
        let start = |index| {
            let cookie = Secret(secret.clone());
            RabbitMq::start_node(options, &Membership { node: name(index), epmd_port, cookie })
        };
        // Nodes that start on empty disks at the same moment might form a cluster each: the first
        // one is there when the others look for it.
        let mut nodes = vec![start(0)?];
        let others = at_once((1..NODES).map(|index| move || start(index)));
        for node in others {
            nodes.push(node?);
        }
        let cluster = Self { nodes, _port_mapper: port_mapper, erl_call, is_wiped: false };
        cluster.wait_formed()?;
        Ok(cluster)
    }

    /// Its address: `amqp://127.0.0.1:PORT,127.0.0.1:PORT,127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        let hosts =
            self.nodes.iter().map(|node| format!("127.0.0.1:{}", node.service().ports()[0]));
        format!("amqp://{}", hosts.collect::<Vec<_>>().join(","))
    }

    /// Its nodes.
    pub fn nodes(&self) -> &[RabbitMq] {
        &self.nodes
    }

    /// Its nodes, to suspend, kill or restart them.
    pub fn nodes_mut(&mut self) -> &mut [RabbitMq] {
        &mut self.nodes
    }

    /// The indexes of these nodes. The leader is that of most queues; where no queue is, it is the
    /// first node.
    ///
    /// # Errors
    /// When no node answers.
    pub fn indexes(&self, nodes: Nodes) -> Result<Vec<usize>, LabError> {
        let running = self.nodes.iter().filter(|node| node.service().is_running());
        let mut error = io::Error::other("no node runs");
        for node in running {
            match self.eval(node, LEADERS) {
                Ok(leaders) => return Ok(chosen(nodes, leader(&leaders))),
                Err(other) => error = other,
            }
        }
        Err(LabError::io(NAME, "ask which node leads the queue")(error))
    }

    /// Carries out an order on these nodes. `Resume` and `Restart` are of all that do not run, and
    /// `Wipe` is of all nodes: one that came back without its data could not join again.
    ///
    /// # Errors
    /// When a node cannot be signalled or started.
    pub fn carry_out(&mut self, order: Order, nodes: Nodes) -> Result<(), LabError> {
        let hit = match order {
            Order::Suspend | Order::Kill => self.indexes(nodes)?,
            Order::Resume => self.running(),
            Order::Wipe => {
                self.is_wiped = true;
                (0..NODES).collect()
            }
            Order::Restart => return self.restart(),
        };
        hit.into_iter().try_for_each(|index| order.carry_out(self.nodes[index].service_mut()))
    }

    /// Starts all nodes that do not run, and waits until all are members again.
    ///
    /// # Errors
    /// When a node does not start or does not join in time.
    pub fn restart(&mut self) -> Result<(), LabError> {
        if std::mem::take(&mut self.is_wiped) {
            self.nodes[0].service_mut().restart()?;
        }
        let down = self.nodes.iter_mut().filter(|node| !node.service().is_running());
        // At the same time, since each may wait for the data of the others.
        let restarted = at_once(down.map(|node| move || node.service_mut().restart()));
        restarted.into_iter().collect::<Result<(), _>>()?;
        self.wait_formed()
    }

    fn running(&self) -> Vec<usize> {
        (0..NODES).filter(|index| self.nodes[*index].service().is_running()).collect()
    }

    /// Waits until each node knows all of them as running members.
    fn wait_formed(&self) -> Result<(), LabError> {
        let deadline = Instant::now() + FORM_TIMEOUT;
        let all = NODES.to_string();
        for node in &self.nodes {
            loop {
                let members = self.eval(node, RUNNING);
                if members.as_ref().is_ok_and(|members| *members == all) {
                    break;
                }
                if Instant::now() >= deadline {
                    let members = members.unwrap_or_else(|error| error.to_string());
                    let log = format!(
                        "{} knows {members} of {NODES} members\n{}",
                        node.node(),
                        node.service().last_log_lines()
                    );
                    return Err(LabError::NotReady { service: NAME, within: FORM_TIMEOUT, log });
                }
                thread::sleep(FORM_POLL);
            }
        }
        Ok(())
    }

    /// Evaluates Erlang code in a node, and returns the value as Erlang writes it.
    ///
    /// # Errors
    /// When the node does not answer within 5 s, or the code fails.
    pub fn eval(&self, node: &RabbitMq, code: &str) -> io::Result<String> {
        let mut command = Command::new(&self.erl_call);
        command.args(["-n", node.node(), "-timeout", ANSWER_TIMEOUT_S, "-e"]);
        // Its folder has the secret that authorises the caller.
        command.env("HOME", node.service().folder());
        command.env("ERL_EPMD_PORT", node.epmd_port().to_string());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        // If it ends without reading, its own message says why.
        let _ = child.stdin.take().map(|mut stdin| writeln!(stdin, "{code}"));
        let output = child.wait_with_output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        match text.trim().strip_prefix("{ok, ").and_then(|text| text.strip_suffix('}')) {
            Some(value) => Ok(value.to_owned()),
            None => {
                let problem = String::from_utf8_lossy(&output.stderr);
                Err(io::Error::other(format!("{}{}", text.trim(), problem.trim())))
            }
        }
    }
}

/// The name of a node, which is unique among those of its port mapper.
fn name(index: usize) -> String {
    format!("sk{}@localhost", index + 1)
}

/// How the nodes find each other. A minority pauses, as RabbitMQ's guide advises for three nodes:
/// otherwise its members would not join again by themselves after a long partition.
fn formation() -> String {
    let mut lines = "cluster_partition_handling = pause_minority\n\
                     cluster_formation.peer_discovery_backend = classic_config\n"
        .to_owned();
    for index in 0..NODES {
        let (number, node) = (index + 1, name(index));
        lines += &format!("cluster_formation.classic_config.nodes.{number} = {node}\n");
    }
    lines
}

/// Runs these in threads of their own, and returns what they return, in their order.
fn at_once<T: Send>(jobs: impl Iterator<Item = impl FnOnce() -> T + Send>) -> Vec<T> {
    thread::scope(|scope| {
        let threads: Vec<_> = jobs.map(|job| scope.spawn(job)).collect();
        let joined = threads.into_iter().map(|thread| thread.join());
        joined.map(|done| done.unwrap_or_else(|why| resume_unwind(why))).collect()
    })
}

/// The index of the node that leads most of the queues, of which this is a list of leaders.
fn leader(leaders: &str) -> usize {
    let leads = |index: &usize| leaders.matches(name(*index).as_str()).count();
    // Of several, the first one.
    (0..NODES).rev().max_by_key(leads).unwrap_or_default()
}

fn chosen(nodes: Nodes, leader: usize) -> Vec<usize> {
    let next = (leader + 1) % NODES;
    match nodes {
        Nodes::Leader => vec![leader],
        Nodes::Follower => vec![next],
        Nodes::Majority => vec![leader, next],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leader_is_that_of_most_queues() {
        let leaders = "['sk3@localhost', sk2@localhost,sk3@localhost]";
        assert_eq!((leader(leaders), leader("[]"), leader("[sk2@localhost]")), (2, 0, 1));
        let hit = Nodes::ALL.map(|nodes| chosen(nodes, 2));
        assert_eq!(hit, [vec![2], vec![0], vec![2, 0]]);
    }

    #[test]
    fn nodes_are_named_in_the_configuration_of_each() {
        let lines = formation();
        for index in 0..NODES {
            assert!(lines.contains(&format!(".nodes.{} = {}\n", index + 1, name(index))));
        }
    }
}
