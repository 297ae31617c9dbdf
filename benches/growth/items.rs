//! A load that is spread over many items; `seckill bench` buys one item in a run.

use std::time::{Duration, Instant};

use serde_json::json;
use tokio::task::JoinSet;
use uuid::Uuid;

/// Attempts of buyers who take the items in turn.
#[derive(Default)]
pub(crate) struct Load {
    /// How long each accepted attempt took.
    pub(crate) durations: Vec<Duration>,
    pub(crate) refused: u64,
}

impl Load {
    /// Each of the buyers makes an attempt in each `pause`.
    pub(crate) fn make(
        url: &str,
        items: u64,
        buyers: u64,
        pause: Duration,
        total: Duration,
    ) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let url = format!("{url}/seckill");
        let buyer = |number: u64| {
            let begin = pause.mul_f64(number as f64 / buyers as f64);
            let names = (number..).step_by(buyers as usize).map(move |n| super::name(n % items));
            buy(url.clone(), names, begin, pause, total)
        };
        runtime.block_on(async {
            let loads: JoinSet<Self> = (0..buyers).map(buyer).collect();
            let mut all = Self::default();
            for load in loads.join_all().await {
                all.durations.extend(load.durations);
                all.refused += load.refused;
            }
            all
        })
    }
}

/// One buyer, with a connection of its own.
async fn buy(
    url: String,
    names: impl Iterator<Item = String>,
    begin: Duration,
    pause: Duration,
    total: Duration,
) -> Load {
    let (client, mut load) = (reqwest::Client::new(), Load::default());
    let end = tokio::time::Instant::now() + total;
    let mut turns = tokio::time::interval_at(tokio::time::Instant::now() + begin, pause);
    for name in names {
        turns.tick().await;
        if tokio::time::Instant::now() > end {
            break;
        }
        let [uid, request_id] = [Uuid::new_v4(), Uuid::new_v4()].map(|id| id.to_string());
        let body = json!({"uid": uid, "request_id": request_id, "item": name});
        let begun = Instant::now();
        let answer = client.post(&url).json(&body).send().await.unwrap();
        let is_accepted = answer.status() == reqwest::StatusCode::ACCEPTED;
        // The connection is used again when the answer is read.
        answer.bytes().await.unwrap();
        match is_accepted {
            true => load.durations.push(begun.elapsed()),
            false => load.refused += 1,
        }
    }
    load
}
