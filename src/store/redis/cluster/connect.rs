//! Opening a connection to a cluster, and checking that it can be the store.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use redis::cluster::{ClusterClient, ClusterClientBuilder};
use redis::io::tcp::TcpSettings;
use redis::{ConnectionInfo, FromRedisValue, IntoConnectionInfo, RedisError, RedisResult, Value};

use crate::secret::EngineUrl;

use super::super::keys::ROUTE;
use super::super::layout;
use super::super::problem::explain;
use super::batches::Batches;
use super::node::{Node, add_fence};
use super::replicas::{Address, all_nodes, in_sync};

/// How long one node may take to open a connection: one that hangs leaves time for others.
const NODE_TIMEOUT: Duration = Duration::from_millis(500);

/// How long the replicas may take to confirm a first write.
const CONFIRM_MS: u64 = 500;

/// The problem of a primary whose failure would lose the sale.
const NO_REPLICA: &str = "the primary that has its keys has no replica in sync, so that its \
                          failure would lose what was answered: start its replicas, or add one \
                          with `redis-cli --cluster add-node NEW HOST:PORT --cluster-slave`";

/// Opens connections to the nodes of one cluster.
#[derive(Debug)]
pub(in super::super) struct Cluster {
    /// The nodes of the address; there is at least one.
    given: Vec<EngineUrl>,
    /// All nodes as the cluster last named them: the given ones may all be gone one day.
    known: Mutex<Vec<EngineUrl>>,
}

impl Cluster {
    /// # Errors
    /// Returns an error if a node's address is none.
    pub(in super::super) fn new(url: &EngineUrl) -> RedisResult<Self> {
        let cluster = Self { given: url.redis_nodes(), known: Mutex::default() };
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

    /// Opens a connection to a cluster that can be the store.
    ///
    /// # Errors
    /// Returns what is wrong with the cluster.
    pub(in super::super) async fn open(&self) -> Result<Batches, String> {
        let explain = |error: RedisError| explain(&error);
        let client = self.client().map_err(explain)?;
        let mut node = Node::new(client.get_async_connection().await.map_err(explain)?);
        let mut questions = redis::pipe();
        // The only command with a key: it is refused where the slot is not.
        questions.add_command(layout::read(ROUTE));
        questions.cmd("INFO").arg("replication").cmd("CLUSTER").arg("SLOTS");
        let answers = node.send(questions).await.map_err(explain)?;
        let [layout, info, slots]: [Value; 3] =
            answers.try_into().map_err(|_| "it does not answer each command".to_owned())?;
        layout::check(&text(layout).map_err(explain)?, "a cluster without data")?;
        let replicas = self.at_each(&in_sync(&text(info).map_err(explain)?));
        self.remember(slots);
        if replicas.is_empty() {
            return Err(NO_REPLICA.to_owned());
        }
        confirm(&mut node, replicas.len()).await?;
        Ok(Batches::start(node, replicas))
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

/// Checks that the replicas confirm writes.
async fn confirm(node: &mut Node, replicas: usize) -> Result<(), String> {
    let mut first = redis::pipe();
    add_fence(&mut first, replicas, CONFIRM_MS);
    let answers = node.send(first).await.map_err(|error| explain(&error))?;
    let confirmed = answers.into_iter().nth(1).unwrap_or(Value::Nil);
    let confirmed = confirmed.extract_error().and_then(|value| Ok(i64::from_redis_value(value)?));
    let confirmed = confirmed.map_err(|error| explain(&error))?;
    if usize::try_from(confirmed).is_ok_and(|confirmed| confirmed >= replicas) {
        return Ok(());
    }
    Err(format!(
        "only {confirmed} of the {replicas} replicas of the primary that has its keys confirm a \
         write within {CONFIRM_MS} ms: see why the others hang, or stop them"
    ))
}

fn text(value: Value) -> RedisResult<String> {
    Ok(String::from_redis_value(value.extract_error()?)?)
}
