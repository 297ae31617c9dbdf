//! One simulated run: buyers, a server that crashes, and what buyers were told.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use seckill::clock::Clock;
use seckill::journal::Disk;
use seckill::server::{App, Engines, Share, consume, open_engines};
use seckill::{queue, store};
use serde_json::Value;
use tokio::task::{JoinHandle, yield_now};

use super::disk::{Crash, SimulatedDisk};
use super::random::Random;
use super::requests::{Sent, answer, ledger};
use super::shape::Shape;
use super::told::{Told, check, check_expired};
use crate::support::{app, get, terms};

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
    /// Held orders that were paid for, given back or had expired before the last check.
    pub(crate) ended: usize,
}

struct World {
    random: Random,
    shape: Shape,
    disk: SimulatedDisk,
    now_us: Arc<AtomicU64>,
    told: Vec<Told>,
    step: usize,
    trace: u64,
}

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
        Self { random, shape, disk, now_us, told: Vec::new(), step: 0, trace: seed }
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
        let (accepted, ended) = self.settle().await?;
        let operations = self.disk.operations();
        Ok(Simulated { trace: self.trace, crashes, operations, accepted, ended })
    }

    /// Opens both journals, or crashes while it does.
    fn open(&self) -> Result<Option<Arc<App>>, String> {
        let durability = self.shape.durability();
        let disk: Arc<dyn Disk> = Arc::new(self.disk.clone());
        let (queue, store) = (queue::Recovery::new(10_000), store::Recovery::default());
        match open_engines(&disk, Path::new("sale.journal"), durability, queue, store) {
            Ok((queue, store)) => {
                let clock = Clock::Manual(Arc::clone(&self.now_us));
                let per_buyer = self.shape.per_buyer;
                Ok(Some(Arc::new(App { per_buyer, ..app(queue, store, clock) })))
            }
            Err(_) if self.disk.has_crashed() => Ok(None),
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
        let hold_us = self.shape.hold_us;
        let sale = seckill::sale::Terms { per_buyer, hold_us, ..terms("tea", stock) };
        let app = Arc::clone(app);
        let opening = tokio::spawn(async move { app.store.open_sale(sale).await.is_ok() });
        Ok(self.carry_out(opening).await)
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
            self.step(&app, &mut requests).await;
            if self.disk.has_crashed() {
                break;
            }
            self.receive(&mut requests).await?;
        }
        // What was not received by now never arrives.
        for Sent { attempt, answer, .. } in requests {
            answer.abort();
            self.told[attempt].refused_only = false;
        }
        consumers.into_iter().for_each(|consumer| consumer.abort());
        yield_now().await;
        Ok(())
    }

    fn consumers(&self, app: &Arc<App>) -> Vec<JoinHandle<()>> {
        let Shape { consumers, prefetch, .. } = self.shape;
        let share = Share::of(&app.queue, consumers);
        let consumer = |_| tokio::spawn(consume(Arc::clone(app), prefetch, share));
        (0..consumers).map(consumer).collect()
    }

    /// Something happens: a buyer sends or gives up a request, held orders expire, the journal is
    /// written or compacted, tasks go on.
    async fn step(&mut self, app: &Arc<App>, requests: &mut Vec<Sent>) {
        self.step += 1;
        self.now_us.fetch_add(1 + self.random.below(1_000) as u64, Ordering::Relaxed);
        let (choice, at) = (self.random.below(12), self.step);
        // Any attempt, if there are any.
        let any = self.random.below(self.told.len().max(1));
        let (told, order_id) = match self.told.get(any) {
            Some(told) => (Some(told), told.order_id().filter(|_| self.shape.hold_us.is_some())),
            None => (None, None),
        };
        match (choice, told, order_id) {
            (0..3, ..) if self.told.len() < ATTEMPTS => {
                let buyer = self.random.below(self.shape.buyers);
                requests.push(Sent::buy(app, self.told.len(), at, buyer));
                self.told.push(Told { buyer, refused_only: true, ..Told::default() });
            }
            (3, Some(told), _) => requests.push(Sent::buy(app, any, at, told.buyer)),
            (4, Some(_), _) => requests.push(Sent::ask(app, any, at)),
            (5, _, Some(order_id)) => {
                let word = if self.random.chance(3) { "cancel" } else { "pay" };
                requests.push(Sent::end(app, any, at, order_id, word));
            }
            (6, ..) if self.shape.hold_us.is_some() => drop(self.expire(app)),
            (7, ..) if !requests.is_empty() && self.random.chance(3) => {
                // The connection is closed, and what was done for it ends where it is.
                let Sent { attempt, answer, .. } =
                    requests.swap_remove(self.random.below(requests.len()));
                answer.abort();
                self.told[attempt].refused_only = false;
            }
            // It fails where the process crashes.
            (8, ..) if self.random.chance(4) => drop(Engines::of(app).compact()),
            _ => {
                self.disk.write(&mut self.random);
            }
        }
        for _ in 0..self.random.below(POLLS) {
            yield_now().await;
        }
    }

    /// The sweep that expires orders.
    fn expire(&self, app: &Arc<App>) -> JoinHandle<bool> {
        let (app, now_us) = (Arc::clone(app), self.now_us.load(Ordering::Relaxed));
        tokio::spawn(async move { app.store.expire_due(now_us, ATTEMPTS).await.is_ok() })
    }

    /// Tells buyers the answers that are there. Some get lost.
    async fn receive(&mut self, requests: &mut Vec<Sent>) -> Result<(), String> {
        let mut open = Vec::new();
        for sent in requests.drain(..) {
            if !sent.answer.is_finished() {
                open.push(sent);
                continue;
            }
            let Sent { attempt, at, answer } = sent;
            let (code, answer) = answer.await.map_err(|error| format!("it panicked: {error}"))?;
            let told = &mut self.told[attempt];
            if self.random.chance(8) {
                told.refused_only = false;
            } else {
                self.trace = mix(self.trace, &format!("{attempt} {code} {answer}"));
                let wrong = |why| format!("{why}: attempt {attempt}, {code} {answer}");
                told.tell(at, self.step, &answer).map_err(wrong)?;
            }
        }
        *requests = open;
        Ok(())
    }

    /// Writes the journals until a task has ended; `false` if it failed, or the process crashed.
    async fn carry_out(&mut self, task: JoinHandle<bool>) -> bool {
        while !task.is_finished() && !self.disk.has_crashed() {
            self.disk.write(&mut self.random);
            yield_now().await;
        }
        task.is_finished() && task.await.unwrap_or(false)
    }

    /// After the last crash: decides everything, and checks it. Returns how many attempts were
    /// accepted, and how many held orders have ended.
    async fn settle(&mut self) -> Result<(usize, usize), String> {
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
        consumers.into_iter().for_each(|consumer| consumer.abort());
        let decided = ledger(&app).await?;
        self.trace = mix(self.trace, &format!("{decided:?}"));
        check(&self.told, self.shape, &decided)?;
        if let Some(hold_us) = self.shape.hold_us {
            self.now_us.fetch_add(hold_us, Ordering::Relaxed);
            let expiring = self.expire(&app);
            if !self.carry_out(expiring).await {
                return Err("the held orders do not expire".to_owned());
            }
        }
        let (_, sale) = answer(&app, get("/result")).await;
        let sale: Value = serde_json::from_slice(&sale).map_err(|error| error.to_string())?;
        check_expired(self.shape, &decided, &ledger(&app).await?, &sale["stock_left"])?;
        let has_ended = |row: &&Value| row["order_us"].is_u64();
        Ok((decided.len(), decided.values().filter(has_ended).count()))
    }
}

fn mix(trace: u64, text: &str) -> u64 {
    text.bytes().fold(trace, |trace, byte| {
        (trace ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3).rotate_left(5)
    })
}
