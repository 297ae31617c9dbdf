//! Why no node of an address leads to a cluster.

use std::time::Duration;

use redis::{AsyncConnectionConfig, Client, RedisError};
use tokio::task::JoinSet;

use crate::escape::printable;
use crate::secret::EngineUrl;

use super::super::problem::{NOT_REDIS, explain, is_of_login};

/// How the client's error begins if it could connect to none of the nodes. It tells what is wrong
/// with one of them, and not with which.
const NO_NODE: &str = "Failed to create initial connections";

/// What the client's error means; if it could connect to none of the given nodes, what is wrong
/// with each. A node has this long to answer.
pub(super) async fn why(error: &RedisError, given: &[EngineUrl], within: Duration) -> String {
    let problem = explain(error);
    if !problem.starts_with(NO_NODE) {
        return problem;
    }
    let mut asked = JoinSet::new();
    let given = given.to_vec();
    for node in given {
        asked.spawn(async move {
            let problem = match tokio::time::timeout(within, ask(&node)).await {
                Ok(answer) => answer.err()?,
                Err(_) => format!("no answer within {within:?}"),
            };
            Some((node.host()?, problem))
        });
    }
    let mut problems: Vec<_> = asked.join_all().await.into_iter().flatten().collect();
    // The others would refuse the same.
    if let Some((_, refused)) = problems.iter().find(|(_, problem)| is_of_login(problem)) {
        return refused.clone();
    }
    if problems.is_empty() {
        // All of them can be used by now.
        return problem;
    }
    // In any other order, what stays the same would be logged again at each reconnect.
    problems.sort_unstable();
    let problems = problems.iter().map(|(host, problem)| format!("{host} ({problem})"));
    let problems = problems.collect::<Vec<_>>().join(", ");
    printable(&format!("no node answers as it should: {problems}")).into_owned()
}

/// Asks one node for a sign of life.
///
/// # Errors
/// Returns what is wrong with the node.
async fn ask(node: &EngineUrl) -> Result<(), String> {
    let asking = async {
        let config = AsyncConnectionConfig::new();
        let client = Client::open(node.expose())?;
        let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        redis::cmd("PING").query_async::<String>(&mut connection).await
    };
    match asking.await {
        Ok(pong) if pong == "PONG" => Ok(()),
        Ok(_) => Err(NOT_REDIS.to_owned()),
        Err(error) => Err(explain(&error)),
    }
}
