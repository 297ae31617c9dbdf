//! Opening a connection to a cluster, and checking that it can be the store.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::cluster_async::ClusterConnection;
use redis::io::tcp::TcpSettings;
use redis::{ConnectionInfo, FromRedisValue, IntoConnectionInfo, RedisError, RedisResult, Value};

use crate::escape::printable;
use crate::secret::EngineUrl;

use super::super::connection::Connections;
use super::super::keys::Keys;
use super::super::layout;
use super::super::problem::explain;
use super::super::slot::slot_of;
use super::batches::Batches;
use super::node::Node;
use super::replicas::{Address, all_nodes, in_sync, owner_of};
use super::unreachable;

/// How long one node may take to open a connection: one that hangs leaves time for others.
const NODE_TIMEOUT: Duration = Duration::from_millis(500);

/// How long the replicas may take to confirm a first write.
const CONFIRM_MS: u64 = 500;

/// The problem of a primary whose failure would lose the sale.
const NO_REPLICA: &str = "has no replica in sync, so that its failure would lose what was \
                          answered: start its replicas, or add one with `redis-cli --cluster \
                          add-node NEW HOST:PORT --cluster-slave`";

/// Opens connections to the nodes of one cluster.
#[derive(Debug)]
pub(in super::super) struct Cluster {
    /// The nodes of the address; there is at least one.
    given: Vec<EngineUrl>,
    /// All nodes as the cluster last named them: the given ones may all be gone one day.
    known: Mutex<Vec<EngineUrl>>,
    /// The keys of each bucket; there is at least one.
    buckets: Vec<Keys>,
}

impl Cluster {
    /// # Errors
    /// Returns an error if a node's address is none.
    pub(in super::super) fn new(url: &EngineUrl, buckets: Vec<Keys>) -> RedisResult<Self> {
        let cluster = Self { given: url.redis_nodes(), known: Mutex::default(), buckets };
        cluster.client()?;
        Ok(cluster)
    }

    fn client(&self) -> RedisResult<ClusterClient> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let nodes = self.given.iter().chain(known.iter());
        let infos = nodes.map(|node| node.expose().into_connection_info());
        let infos: Vec<ConnectionInfo> = infos.collect::<RedisResult<_>>()?;
        // The client must not repeat what may have had an effect: whoever called does that.
        let builder = ClusterClientBuilder::new(infos).retries(0);
        let builder = builder.tcp_settings(TcpSettings::default().set_nodelay(true));
        // Every call has a time limit of ours.
        builder.connection_timeout(NODE_TIMEOUT).overall_response_timeout(None).build()
    }

    /// Opens connections to a cluster that can be the store: one to each primary that has keys of a
    /// bucket, which its buckets share.
    ///
    /// # Errors
    /// Returns what is wrong with the cluster.
    pub(in super::super) async fn open(&self) -> Result<Connections, String> {
        let explain = |error: RedisError| explain(&error);
        let client = self.client().map_err(explain)?;
        let connection = match client.get_async_connection().await {
            Ok(connection) => connection,
            Err(error) => return Err(unreachable::why(&error, &self.given, NODE_TIMEOUT).await),
        };
        let mut opened: Vec<Option<Batches>> = vec![None; self.buckets.len()];
        // The first bucket decides how many there are, before anything of the others is written.
        let first = [&self.buckets[0]];
        let (batches, slots) = self.open_node(connection.clone(), &first).await?;
        let owner = |keys: &Keys| owner_of(&slots, slot_of(keys.route()));
        for keys in &self.buckets {
            if opened[keys.number].is_some() {
                continue;
            }
            let at_same_node = |other: &&Keys| owner(other) == owner(keys);
            let group: Vec<&Keys> = self.buckets.iter().filter(at_same_node).collect();
            let batches = match group[..] {
                [only] if only.number == 0 => batches.clone(),
                _ => self.open_node(connection.clone(), &group).await?.0,
            };
            group.iter().for_each(|keys| opened[keys.number] = Some(batches.clone()));
        }
        self.remember(slots);
        Ok(Connections::cluster(opened.into_iter().flatten().collect()))
    }

    /// Opens a connection to the node that has the keys of these buckets, of which there is at
    /// least one, and returns what it says of the slots.
    async fn open_node(
        &self,
        connection: ClusterConnection,
        buckets: &[&Keys],
    ) -> Result<(Batches, Value), String> {
        let explain = |error: RedisError| explain(&error);
        let mut node = Node::new(connection, buckets[0].clone());
        let mut questions = redis::pipe();
        questions.cmd("INFO").arg("replication").cmd("CLUSTER").arg("SLOTS");
        // The only commands with a key: they are refused where the slot is not.
        for keys in buckets {
            questions.add_command(layout::read(keys, self.buckets.len(), keys.route()));
        }
        let mut answers = node.send(questions).await.map_err(explain)?.into_iter();
        let mut next = || answers.next().ok_or("it does not answer each command");
        let (info, slots) = (next()?, next()?);
        for _ in buckets {
            let layout = text(next()?).map_err(explain)?;
            layout::check(&layout, self.buckets.len(), "a cluster without data")?;
        }
        let replicas = self.at_each(&in_sync(&text(info).map_err(explain)?));
        let primary = shown_primary(&slots, buckets[0]);
        if replicas.is_empty() {
            return Err(format!("{primary} {NO_REPLICA}"));
        }
        confirm(&mut node, replicas.len(), &primary).await?;
        Ok((Batches::start(node, replicas), slots))
    }

    /// Remembers all nodes, to find the cluster by any of them.
    fn remember(&self, slots: Value) {
        let mut nodes = self.at_each(&all_nodes(slots));
        if !nodes.is_empty() {
            nodes.retain(|node| !self.given.contains(node));
            *self.known.lock().unwrap_or_else(PoisonError::into_inner) = nodes;
        }
    }

    /// These nodes, with the secrets of the given ones.
    fn at_each(&self, addresses: &[Address]) -> Vec<EngineUrl> {
        let given = self.given.first();
        given.map_or_else(Vec::new, |given| addresses.iter().map(|at| given.at(at)).collect())
    }
}

/// The primary that has the keys of a bucket, for messages.
fn shown_primary(slots: &Value, keys: &Keys) -> String {
    match owner_of(slots, slot_of(keys.route())) {
        Some(owner) => format!("the primary of its keys, {},", printable(&owner.to_string())),
        None => "the primary of its keys".to_owned(),
    }
}

/// Checks that the replicas of a primary confirm writes.
async fn confirm(node: &mut Node, replicas: usize, primary: &str) -> Result<(), String> {
    let mut first = redis::pipe();
    node.add_fence(&mut first, replicas, CONFIRM_MS);
    let answers = node.send(first).await.map_err(|error| explain(&error))?;
    let confirmed = answers.into_iter().nth(1).unwrap_or(Value::Nil);
    let confirmed = confirmed.extract_error().and_then(|value| Ok(i64::from_redis_value(value)?));
    let confirmed = confirmed.map_err(|error| explain(&error))?;
    if usize::try_from(confirmed).is_ok_and(|confirmed| confirmed >= replicas) {
        return Ok(());
    }
    Err(format!(
        "only {confirmed} of the {replicas} replicas of {primary} confirm a write within \
         {CONFIRM_MS} ms: see why the others hang, or stop them"
    ))
}

fn text(value: Value) -> RedisResult<String> {
    Ok(String::from_redis_value(value.extract_error()?)?)
}
