//! Calls that go to the node which has the keys, in batches: one after the other, each confirmed by
//! the replicas before any of its calls is answered.
//!
//! `WAIT` blocks its connection until the replicas have confirmed. If each call had its own, they
//! would be confirmed one after the other. In a batch, all calls that have come meanwhile share
//! one.

use std::time::{Duration, Instant};

use redis::{Client, Cmd, FromRedisValue, Pipeline, RedisResult, Value};
use tokio::sync::{mpsc, oneshot};

use crate::secret::EngineUrl;

use super::node::Node;
use super::replicas::in_sync;
use super::unconfirmed::{not_sent, unknown};

/// Calls in one batch, at most: Redis keeps their answers until all of them have run.
const BATCH_MAX: usize = 128;

/// Calls that wait for a batch; further ones wait until there is room.
const WAITING_MAX: usize = 1_024;

/// How long a batch may take: enough for a large one on a slow disk.
const BATCH_TIMEOUT: Duration = Duration::from_secs(3);

/// How long the replicas may take to confirm a batch. A replica writes to its disk first.
const CONFIRM_MS: u64 = 1_000;

/// How often the replicas in sync are counted.
const COUNT_EVERY: Duration = Duration::from_secs(1);

/// The way to the node that has the keys. The batches end when the last clone is dropped, and at
/// the first one that the replicas have not confirmed: then the primary and its replicas have to be
/// looked up again.
#[derive(Debug, Clone)]
pub(in super::super) struct Batches {
    calls: mpsc::Sender<Call>,
    node: Node,
    replicas: Vec<EngineUrl>,
}

/// Commands that belong together, and where their answers go.
#[derive(Debug)]
struct Call {
    commands: Vec<Cmd>,
    answers: oneshot::Sender<RedisResult<Vec<Value>>>,
}

impl Batches {
    /// Starts with the replicas that are in sync.
    pub(super) fn start(node: Node, replicas: Vec<EngineUrl>) -> Self {
        let (calls, waiting) = mpsc::channel(WAITING_MAX);
        tokio::spawn(run(node.clone(), replicas.len(), waiting));
        Self { calls, node, replicas }
    }

    /// Sends one command, and returns its answer.
    pub(in super::super) async fn command(&self, command: &Cmd) -> RedisResult<Value> {
        let answers = self.call(vec![command.clone()]).await?;
        answers.into_iter().next().ok_or_else(|| unknown("no answer"))
    }

    /// Sends several commands, and returns `count` of their answers after the first `offset`.
    pub(in super::super) async fn commands(
        &self,
        commands: &Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisResult<Vec<Value>> {
        let mut all: Vec<Cmd> = commands.cmd_iter().cloned().collect();
        if commands.is_transaction() {
            all.insert(0, redis::cmd("MULTI"));
            all.push(redis::cmd("EXEC"));
        }
        let answers = self.call(all).await?;
        Ok(answers.into_iter().skip(offset).take(count).collect())
    }

    async fn call(&self, commands: Vec<Cmd>) -> RedisResult<Vec<Value>> {
        let (answers, answered) = oneshot::channel();
        if self.calls.send(Call { commands, answers }).await.is_err() {
            return Err(not_sent("the connection has ended"));
        }
        answered.await.unwrap_or_else(|_| Err(unknown("the connection was given up")))
    }

    /// The replicas that were in sync when this connection was opened.
    pub(in super::super) fn replicas(&self) -> &[EngineUrl] {
        &self.replicas
    }

    /// Asks a replica, or without an address the primary, for something else than data.
    pub(in super::super) async fn ask_node(
        &mut self,
        replica: Option<&EngineUrl>,
        command: Cmd,
    ) -> RedisResult<Value> {
        let Some(replica) = replica else { return self.node.ask(command).await };
        // The cluster client may not know it yet: a cluster does not name new replicas at once.
        let client = Client::open(replica.expose())?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        command.query_async(&mut connection).await
    }
}

/// Sends batches until one is not confirmed.
async fn run(mut node: Node, mut replicas: usize, mut waiting: mpsc::Receiver<Call>) {
    let (mut counted, mut ended) = (Instant::now(), String::new());
    while let Some(first) = waiting.recv().await {
        let mut batch = vec![first];
        while batch.len() < BATCH_MAX
            && let Ok(call) = waiting.try_recv()
        {
            batch.push(call);
        }
        // What nobody waits for any more is not sent, and so has no effect.
        batch.retain(|call| !call.answers.is_closed());
        if batch.is_empty() {
            continue;
        }
        let counts = counted.elapsed() >= COUNT_EVERY;
        match send(&mut node, &batch, replicas, counts).await {
            Ok((answers, found)) => {
                for (call, answers) in batch.into_iter().zip(answers) {
                    // Whoever has gone does not need the answer.
                    let _ = call.answers.send(Ok(answers));
                }
                if let Some(found) = found {
                    (replicas, counted) = (found, Instant::now());
                }
                if replicas == 0 {
                    ended = "no replica is in sync".to_owned();
                    break;
                }
            }
            Err(problem) => {
                for call in batch {
                    let _ = call.answers.send(Err(unknown(&problem)));
                }
                ended = problem;
                break;
            }
        }
    }
    waiting.close();
    while let Some(call) = waiting.recv().await {
        let _ = call.answers.send(Err(not_sent(&ended)));
    }
}

/// Sends a batch, and waits until the replicas have confirmed it. Returns the answers of each call,
/// and how many replicas are in sync, if `counts`.
///
/// # Errors
/// Returns why it is unknown whether the batch has had an effect that lasts.
async fn send(
    node: &mut Node,
    batch: &[Call],
    replicas: usize,
    counts: bool,
) -> Result<(Vec<Vec<Value>>, Option<usize>), String> {
    let mut commands = redis::pipe();
    for command in batch.iter().flat_map(|call| &call.commands) {
        commands.add_command(command.clone());
    }
    if counts {
        commands.cmd("INFO").arg("replication");
    }
    node.add_fence(&mut commands, replicas, CONFIRM_MS);
    let sent = tokio::time::timeout(BATCH_TIMEOUT, node.send(commands)).await;
    let sent = sent.map_err(|_| format!("no answer within {BATCH_TIMEOUT:?}"))?;
    let mut all = sent.map_err(|error| error.to_string())?.into_iter();
    let answers = batch.iter().map(|call| all.by_ref().take(call.commands.len()).collect());
    let answers = answers.collect();
    let found = match counts {
        true => Some(in_sync(&String::from_redis_value(next(&mut all)?).unwrap_or_default()).len()),
        false => None,
    };
    let _fence = next(&mut all)?;
    let confirmed = i64::from_redis_value(next(&mut all)?).unwrap_or_default();
    if usize::try_from(confirmed).is_ok_and(|confirmed| confirmed >= replicas) {
        return Ok((answers, found));
    }
    Err(format!("only {confirmed} of {replicas} replicas confirm within {CONFIRM_MS} ms"))
}

/// The next answer, which must be none of an error.
fn next(answers: &mut impl Iterator<Item = Value>) -> Result<Value, String> {
    let value = answers.next().ok_or("an answer is missing")?;
    value.extract_error().map_err(|error| error.to_string())
}
