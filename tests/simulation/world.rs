//! One simulated run: buyers, a server that crashes, and what buyers were told.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http_body_util::BodyExt;
use seckill::clock::Clock;
use seckill::journal::JournalError;
use seckill::server::{App, consume, route};
use seckill::{queue, store};
use serde_json::{Value, json};
use tokio::task::{JoinHandle, yield_now};

use super::disk::{Crash, SimulatedDisk};
use super::random::Random;
use super::shape::Shape;
use super::told::{Told, check};
use crate::support::{TOKEN, app, get, id, post, request, terms};

/// Steps until the next crash, at most.
const STEPS: usize = 120;

/// Attempts of a run, at most.
const ATTEMPTS: usize = 24;

/// Polls of all tasks in a step, at most.
const POLLS: usize = 6;

/// Steps in which everything has to be decided in the end.
const SETTLE: usize = 20_000;

/// What came of a run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Simulated {
    /// A summary of all answers and of the final ledger, which is the same for the same seed.
    pub(crate) trace: u64,
    pub(crate) crashes: usize,
    pub(crate) operations: u64,
    pub(crate) accepted: usize,
}

/// A request under way, with the number of its attempt.
struct Request {
    attempt: usize,
    answer: JoinHandle<(u16, Value)>,
}

struct World {
    random: Random,
    shape: Shape,
    disk: SimulatedDisk,
    now_us: Arc<AtomicU64>,
    told: Vec<Told>,
    trace: u64,
}

/// The result of a run whose journal is refused as damaged, which is a loss of one or two bytes at
/// the end of a sector.
pub(crate) const REFUSED: &str = "the journal is refused as damaged";

/// Runs the simulation of a seed to its end.
///
/// # Errors
/// What was wrong.
pub(crate) fn simulate(seed: u64) -> Result<Simulated, String> {
    World::new(seed).simulate()
}

/// The same with a server that answers before its disk is synced, although the machine loses power.
///
/// # Errors
/// What was wrong.
pub(crate) fn simulate_without_sync(seed: u64) -> Result<Simulated, String> {
    let mut world = World::new(seed);
    (world.shape.crash, world.shape.syncs) = (Crash::PowerLoss, false);
    world.simulate()
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let shape = Shape::draw(&mut random);
        let now_us = Arc::new(AtomicU64::new(1_000_000));
        let disk = SimulatedDisk::default();
        Self { random, shape, disk, now_us, told: Vec::new(), trace: seed }
    }

    fn simulate(self) -> Result<Simulated, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(self.run())
    }

    async fn run(mut self) -> Result<Simulated, String> {
        let mut crashes = 0;
        while crashes < self.shape.crashes {
            let until = self.disk.operations() + 1 + self.random.below(60) as u64;
            self.disk.crash_at(Some(until));
            self.until_crash().await?;
            let disk = std::mem::take(&mut self.disk);
            self.disk = disk.after(self.shape.crash, &mut self.random);
            crashes += 1;
        }
        self.disk.crash_at(None);
        let accepted = self.settle().await?;
        let operations = self.disk.operations();
        Ok(Simulated { trace: self.trace, crashes, operations, accepted })
    }

    /// Opens both journals, or crashes while it does.
    fn open(&self) -> Result<Option<Arc<App>>, String> {
        let durability = self.shape.durability();
        let (queue, store) = (Path::new("queue.journal"), Path::new("store.journal"));
        let opened = || -> Result<_, JournalError> {
            let store = store::Embedded::open_on(&self.disk, store, durability)?;
            let queue = queue::Embedded::open_on(&self.disk, queue, durability, 10_000)?;
            Ok((queue, store))
        };
        match opened() {
            Ok((queue, store)) => {
                let clock = Clock::Manual(Arc::clone(&self.now_us));
                let per_buyer = self.shape.per_buyer;
                Ok(Some(Arc::new(App { per_buyer, ..app(queue, store, clock) })))
            }
            Err(_) if self.disk.has_crashed() => Ok(None),
            // Too little of the sector was the record's to tell a loss from damage.
            Err(JournalError::Damaged { offset, .. }) if offset % 512 >= 510 => {
                Err(REFUSED.to_owned())
            }
            Err(error) => Err(format!("the journals cannot be opened: {error}")),
        }
    }

    /// Opens the sale if it is not there; `false` if the process crashes meanwhile.
    async fn open_sale(&mut self, app: &Arc<App>) -> Result<bool, String> {
        if app.store.sale(None).await.is_ok() {
            return Ok(true);
        }
        if self.told.iter().any(|told| told.accepted) {
            return Err("the sale is gone, and attempts were accepted".to_owned());
        }
        let Shape { stock, per_buyer, .. } = self.shape;
        let sale = seckill::sale::Terms { per_buyer, ..terms("tea", stock) };
        let opening = {
            let app = Arc::clone(app);
            tokio::spawn(async move { app.store.open_sale(sale).await.is_ok() })
        };
        while !opening.is_finished() && !self.disk.has_crashed() {
            self.disk.write(&mut self.random);
            yield_now().await;
        }
        Ok(opening.is_finished() && opening.await.unwrap())
    }

    /// Serves buyers until the process crashes.
    async fn until_crash(&mut self) -> Result<(), String> {
        let Some(app) = self.open()? else { return Ok(()) };
        if !self.open_sale(&app).await? {
            return Ok(());
        }
        let consumers = self.consumers(&app);
        let mut requests = Vec::new();
        for _ in 0..STEPS {
            if self.disk.has_crashed() {
                break;
            }
            self.step(&app, &mut requests).await;
            self.receive(&mut requests).await?;
        }
        // What was not received by now never arrives.
        for Request { attempt, answer } in requests {
            answer.abort();
            self.told[attempt].refused_only = false;
        }
        consumers.into_iter().for_each(|consumer| consumer.abort());
        yield_now().await;
        Ok(())
    }

    fn consumers(&self, app: &Arc<App>) -> Vec<JoinHandle<()>> {
        let consumer = |_| tokio::spawn(consume(Arc::clone(app), self.shape.prefetch));
        (0..self.shape.consumers).map(consumer).collect()
    }

    /// Something happens: a buyer clicks or asks, a journal is written, tasks go on.
    async fn step(&mut self, app: &Arc<App>, requests: &mut Vec<Request>) {
        self.now_us.fetch_add(1 + self.random.below(1_000) as u64, Ordering::Relaxed);
        match self.random.below(8) {
            0..3 if self.told.len() < ATTEMPTS => {
                let buyer = self.random.below(self.shape.buyers);
                self.told.push(Told { buyer, refused_only: true, ..Told::default() });
                requests.push(self.buy(app, self.told.len() - 1));
            }
            3 if !self.told.is_empty() => {
                let again = self.random.below(self.told.len());
                requests.push(self.buy(app, again));
            }
            4 if !self.told.is_empty() => {
                let asked = self.random.below(self.told.len());
                requests.push(ask(app, asked));
            }
            _ => {
                self.disk.write(&mut self.random);
            }
        }
        for _ in 0..self.random.below(POLLS) {
            yield_now().await;
        }
    }

    fn buy(&self, app: &Arc<App>, attempt: usize) -> Request {
        let uid = format!("buyer-{}", self.told[attempt].buyer);
        let body = json!({"uid": uid, "request_id": id(attempt), "item": "tea"});
        let app = Arc::clone(app);
        let answer = tokio::spawn(async move { answer(&app, post(body.to_string())).await });
        Request { attempt, answer }
    }

    /// Tells buyers the answers that are there. Some get lost.
    async fn receive(&mut self, requests: &mut Vec<Request>) -> Result<(), String> {
        let mut open = Vec::new();
        for Request { attempt, answer } in requests.drain(..) {
            if !answer.is_finished() {
                open.push(Request { attempt, answer });
                continue;
            }
            let (code, answer) = answer.await.map_err(|error| format!("it panicked: {error}"))?;
            if self.random.chance(8) {
                self.told[attempt].refused_only = false;
            } else {
                self.trace = mix(self.trace, &format!("{attempt} {code} {answer}"));
                self.told[attempt].tell(attempt, code, &answer)?;
            }
        }
        *requests = open;
        Ok(())
    }

    /// After the last crash: decides everything, and checks it. Returns the accepted attempts.
    async fn settle(&mut self) -> Result<usize, String> {
        let app = self.open()?.ok_or("the last process crashed")?;
        if !self.open_sale(&app).await? {
            return Err("the sale cannot be opened".to_owned());
        }
        let consumers = self.consumers(&app);
        let mut steps = 0;
        while app.queue.depth().await.unwrap_or(1) > 0 {
            self.disk.write(&mut self.random);
            yield_now().await;
            steps += 1;
            if steps > SETTLE {
                return Err("attempts were not decided".to_owned());
            }
        }
        while self.disk.write(&mut self.random) {
            yield_now().await;
        }
        let ledger = ledger(&app).await?;
        consumers.into_iter().for_each(|consumer| consumer.abort());
        self.trace = mix(self.trace, &format!("{ledger:?}"));
        check(&self.told, self.shape, &ledger)?;
        Ok(ledger.len())
    }
}

fn ask(app: &Arc<App>, attempt: usize) -> Request {
    let app = Arc::clone(app);
    let path = format!("/result/{}", id(attempt));
    let answer = tokio::spawn(async move { answer(&app, get(&path)).await });
    Request { attempt, answer }
}

async fn answer(
    app: &App,
    request: hyper::Request<http_body_util::Full<bytes::Bytes>>,
) -> (u16, Value) {
    let (head, body) = route(app, request).await.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    (head.status.as_u16(), serde_json::from_slice(&body).unwrap_or_default())
}

/// The rows of the ledger by their request ids.
async fn ledger(app: &Arc<App>) -> Result<BTreeMap<String, Value>, String> {
    let request =
        request("GET", "/admin/ledger").header("authorization", format!("Bearer {TOKEN}"));
    let (head, body) =
        route(app, request.body(http_body_util::Full::<bytes::Bytes>::default()).unwrap())
            .await
            .into_parts();
    let body = body.collect().await.map_err(|error| error.to_string())?.to_bytes();
    if head.status != 200 {
        return Err(format!("the ledger cannot be read: {}", head.status));
    }
    let text = String::from_utf8_lossy(&body);
    let rows = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut by_id = BTreeMap::new();
    for row in rows.filter(|row| row["request_id"].is_string()) {
        let id = row["request_id"].as_str().unwrap_or_default().to_owned();
        if by_id.insert(id, row.clone()).is_some() {
            return Err(format!("an attempt is in the ledger twice: {row}"));
        }
    }
    Ok(by_id)
}

fn mix(trace: u64, text: &str) -> u64 {
    text.bytes().fold(trace, |trace, byte| {
        (trace ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3).rotate_left(5)
    })
}
