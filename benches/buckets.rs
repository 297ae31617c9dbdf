//! Accepts and decides the same load with the stock in one bucket and spread over several, in a
//! Redis Cluster of three primaries, each with a replica: the CPU time of each node, and the rate.
//!
//! On machines of their own, the busiest node limits the rate. Here all of them share the cores.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[macro_use]
mod support;

use std::sync::Arc;
use std::time::Instant;

use seckill::flaws::Flaws;
use seckill::ids::RequestId;
use seckill::lab::{RedisCluster, is_installed};
use seckill::sale::{Attempt, Terms};
use seckill::store::{RedisOptions, Store};
use support::median;

/// Numbers of buckets that are compared.
const BUCKETS: [usize; 3] = [1, 3, 12];

/// Attempts that are being accepted at a time: so many that calls are full with each number of
/// buckets, as they are when the nodes are what limits the rate.
const IN_FLIGHT: usize = 1_536;

/// Attempts that are decided at a time.
const PREFETCH: usize = 256;

/// Batches that are decided at a time, as by a consumer of a broker.
const BATCHES: usize = 2;

/// Primaries; the nodes after them are their replicas, in the same order.
const PRIMARIES: usize = 3;

/// What one measurement gives.
struct Measured {
    accepted_per_s: f64,
    decided_per_s: f64,
    /// CPU microseconds of each node for each attempt that was accepted and decided.
    nodes: Vec<f64>,
    /// The same of this process.
    ours: f64,
}

fn main() {
    if !is_installed("redis-server") {
        println!("skipped in part: benchmarks (buckets needs redis-server)");
        return;
    }
    let cluster = RedisCluster::start(1).unwrap();
    let (loops, rounds) = if support::is_test() { (1, 1) } else { (20, support::ROUNDS) };
    let mut all: [Vec<Measured>; BUCKETS.len()] = Default::default();
    for _ in 0..rounds {
        for (buckets, measured) in BUCKETS.iter().zip(&mut all) {
            measured.push(measure(&cluster, *buckets, loops));
        }
    }
    figure!("CPU microseconds per attempt of the primaries, and of their replicas");
    figure!("buckets   busiest   primaries              replicas               ours");
    for (buckets, measured) in BUCKETS.iter().zip(&all) {
        let of = |figure: &dyn Fn(&Measured) -> f64| median(measured.iter().map(figure).collect());
        let busiest = of(&|one| one.nodes.iter().copied().fold(0.0, f64::max));
        let node = |at: usize| of(&|one: &Measured| one.nodes[at]);
        let each = |from: usize| {
            let each = (from..from + PRIMARIES).map(|at| format!("{:>6.1}", node(at)));
            each.collect::<Vec<_>>().join(" ")
        };
        let (primaries, replicas, ours) = (each(0), each(PRIMARIES), of(&|one| one.ours));
        figure!("{buckets:>7} {busiest:>9.1}   {primaries}   {replicas}   {ours:>6.1}");
    }
    figure!("attempts per second, all processes on the same cores");
    figure!("buckets  accepted   decided");
    for (buckets, measured) in BUCKETS.iter().zip(&all) {
        let accepted = median(measured.iter().map(|one| one.accepted_per_s).collect());
        let decided = median(measured.iter().map(|one| one.decided_per_s).collect());
        figure!("{buckets:>7} {accepted:>9.0} {decided:>9.0}");
    }
}

/// Accepts and decides attempts in an empty cluster.
fn measure(cluster: &RedisCluster, buckets: usize, loops: usize) -> Measured {
    empty(cluster);
    let url = cluster.url().parse().unwrap();
    let runtime = seckill::server::runtime().unwrap();
    let (store, attempts) = runtime.block_on(async {
        let options = RedisOptions { url, buckets, flaws: Flaws::default() };
        let store = Arc::new(Store::connect(&options).await.unwrap());
        let terms = Terms {
            item: "tea".parse().unwrap(),
            stock: u32::MAX,
            per_buyer: 1,
            opens_us: None,
            closes_us: None,
            hold_us: None,
        };
        store.open_sale(terms).await.unwrap();
        (store, loops * IN_FLIGHT)
    });
    let pids: Vec<i32> = cluster.nodes().iter().map(|node| node.pid() as i32).collect();
    let before: Vec<f64> = pids.iter().map(|pid| support::cpu::spent_us(*pid)).collect();
    let ours = support::cpu::spent_us(std::process::id() as i32);
    let begun = Instant::now();
    let accepted = runtime.block_on(accept(&store, loops));
    let accepting = begun.elapsed().as_secs_f64();
    assert_eq!(accepted.len(), attempts, "all were accepted");
    let begun = Instant::now();
    runtime.block_on(decide(&store, accepted));
    let deciding = begun.elapsed().as_secs_f64();
    let each = |spent: f64, before: f64| (spent - before) / attempts as f64;
    let nodes = pids.iter().zip(before);
    let nodes = nodes.map(|(pid, before)| each(support::cpu::spent_us(*pid), before)).collect();
    let ours = each(support::cpu::spent_us(std::process::id() as i32), ours);
    runtime.shutdown_background();
    let per_s = |seconds: f64| attempts as f64 / seconds;
    Measured { accepted_per_s: per_s(accepting), decided_per_s: per_s(deciding), nodes, ours }
}

/// Looks attempts up and announces them, each by a buyer of its own.
async fn accept(store: &Arc<Store>, loops: usize) -> Vec<Arc<Attempt>> {
    let mut buying = tokio::task::JoinSet::new();
    for _ in 0..IN_FLIGHT {
        let store = Arc::clone(store);
        buying.spawn(async move {
            let mut accepted = Vec::with_capacity(loops);
            for _ in 0..loops {
                let id = RequestId::random();
                let buyer = id.to_string().parse().unwrap();
                let found = store.lookup(&id, None, &buyer, Some(now_us())).await.unwrap();
                accepted.push(found.announced.unwrap());
            }
            accepted
        });
    }
    buying.join_all().await.concat()
}

/// Confirms and decides attempts, in batches.
async fn decide(store: &Arc<Store>, mut attempts: Vec<Arc<Attempt>>) {
    attempts.sort_by_key(|attempt| attempt.accepted_us);
    let batches: Vec<Vec<_>> = attempts.chunks(PREFETCH).map(<[_]>::to_vec).collect();
    let mut deciding = tokio::task::JoinSet::new();
    for worker in 0..BATCHES {
        let store = Arc::clone(store);
        let mine: Vec<_> = batches.iter().skip(worker).step_by(BATCHES).cloned().collect();
        deciding.spawn(async move {
            for batch in mine {
                store.confirm(&batch).await.unwrap();
                let reserved = store.reserve(&batch, now_us()).await.unwrap();
                assert_eq!(store.commit(reserved).await.unwrap().len(), batch.len());
            }
        });
    }
    deciding.join_all().await;
}

fn now_us() -> u64 {
    std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros() as u64
}

/// Removes all data of the cluster.
fn empty(cluster: &RedisCluster) {
    for node in &cluster.nodes()[..PRIMARIES] {
        let client = redis::Client::open(format!("redis://127.0.0.1:{}", node.ports()[0])).unwrap();
        let mut connection = client.get_connection().unwrap();
        let mut emptying = redis::pipe();
        emptying.cmd("FLUSHALL").ignore().cmd("WAIT").arg(1).arg(10_000);
        let (followed,): (usize,) = emptying.query(&mut connection).unwrap();
        assert_eq!(followed, 1);
    }
}
