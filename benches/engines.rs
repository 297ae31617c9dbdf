//! Compares the hardened path over RabbitMQ and Redis with minimal loops on the same two, and
//! measures the cost of a connection for each request. `IN_FLIGHT=1000` has so many attempts in
//! flight, in place of 350.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "engines/bare.rs"]
mod bare;
#[path = "engines/cpu.rs"]
mod cpu;
#[macro_use]
mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;

use seckill::flaws::{Design, Flaw, Flaws};
use seckill::lab::{RabbitMq, RabbitMqOptions, Redis, is_installed};
use seckill::profile::{BrokerPlan, ServePlan};
use seckill::server::{App, route};
use seckill::settings::QueueType;
use seckill::stats::Outcome;
use support::median;

/// Attempts in flight, if no other number is given: the article's threads.
const IN_FLIGHT: u64 = 350;

/// Attempts in a round: so few that a broker which nobody consumes from does not run out of memory.
const ATTEMPTS: u64 = 21_000;

/// Attempts in flight if each opens a connection: more would only exhaust the broker sooner.
const IN_FLIGHT_PER_REQUEST: u64 = 32;

/// Prefetch of a consumer.
const PREFETCH: usize = 256;

/// Pause between two questions how many attempts wait.
const POLL: Duration = Duration::from_millis(1);

struct Engines {
    rabbitmq: RabbitMq,
    redis: Redis,
    folder: tempfile::TempDir,
    in_flight: u64,
}

fn main() {
    if !is_installed("rabbitmq-server") || !is_installed("redis-server") {
        println!("skipped in part: benchmarks (engines needs rabbitmq-server and redis-server)");
        return;
    }
    let in_flight = std::env::var("IN_FLIGHT").map_or(IN_FLIGHT, |number| number.parse().unwrap());
    let engines = Engines {
        rabbitmq: RabbitMq::start(RabbitMqOptions::default()).unwrap(),
        // Rewriting its log is work that belongs to no attempt.
        redis: Redis::start_with(&["--auto-aof-rewrite-percentage", "0"]).unwrap(),
        folder: tempfile::tempdir().unwrap(),
        in_flight,
    };
    let (loops, rounds) = match support::is_test() {
        true => (2, 1),
        false => (ATTEMPTS / in_flight, support::ROUNDS),
    };
    let total = in_flight * loops;
    let mut figures: [Vec<f64>; 5] = Default::default();
    let pids = [&engines.rabbitmq.service(), &engines.redis.service()].map(|s| s.pid());
    let mut cpu = cpu::Cpu::new(pids, total);
    for round in 0..rounds as u64 {
        let place = |what: &str| format!("{what}-{round}");
        let (amqp, redis) = (engines.rabbitmq.url(), engines.redis.url());
        figures[0].push(cpu.of(0, || bare::publish(&amqp, &place("bare"), in_flight, loops)));
        let hardened = || engines.accept(&place("hardened"), round, &Flaws::default(), loops);
        figures[1].push(cpu.of(1, hardened));
        figures[4].push(cpu.of(4, || engines.route(&place("routed"), loops)));
        let bare = || bare::decide(&amqp, &redis, &place("bare"), total, PREFETCH);
        figures[2].push(cpu.of(2, bare));
        figures[3].push(cpu.of(3, || engines.decide(&place("hardened"))));
    }
    // This is the last measurement, because it leaves its connections open.
    let flaws = Flaws::of(Design::Hardened, &[Flaw::ConnectionPerRequest]);
    let per_request = (0..rounds as u64)
        .map(|round| engines.accept(&format!("per-request-{round}"), 100 + round, &flaws, loops));
    let per_request = median(per_request.collect());
    let [publish, accept, bare, decide, routed] = figures.map(median);
    figure!("accepted attempts per second, {in_flight} in flight");
    figure!("  bare publish and confirm {publish:>9.0}");
    figure!("  hardened                 {routed:>9.0}");
    figure!("  ratio                    {:>9.2}", routed / publish);
    figure!("  hardened, with HTTP and a load generator on the same cores");
    figure!("                           {accept:>9.0}");
    figure!("  ratio                    {:>9.2}", accept / publish);
    figure!("  connection-per-request   {per_request:>9.0}   ({IN_FLIGHT_PER_REQUEST} in flight)");
    figure!("decisions per second, prefetch {PREFETCH}");
    figure!("  bare consume, EVALSHA, ack {bare:>7.0}");
    figure!("  hardened                 {decide:>9.0}");
    figure!("  ratio                    {:>9.2}", decide / bare);
    let names = ["bare publish", "with HTTP", "bare decide", "decide", "without HTTP"];
    figure!("CPU microseconds per attempt  ours  RabbitMQ  Redis");
    for (what, name) in names.iter().enumerate() {
        let [ours, rabbitmq, redis] = cpu.medians(what);
        figure!("  {name:<24} {ours:>9.1} {rabbitmq:>9.1} {redis:>6.1}");
    }
}

async fn buy(app: &App) {
    let id = uuid::Uuid::new_v4();
    let body = format!(r#"{{"uid":"{id}","request_id":"{id}","item":"default"}}"#);
    let request = hyper::Request::post("/seckill")
        .header("host", "localhost")
        .body(Full::new(Bytes::from(body)))
        .unwrap();
    assert_eq!(route(app, request).await.status(), 202);
}

impl Engines {
    /// A configuration with its own queue, and its own database for each kind of place: attempts
    /// that remain in the register of one do not delay another.
    fn config(&self, place: &str, flaws: &Flaws, consumers: usize) -> ServePlan {
        let database = ["hardened", "routed", "per-request"]
            .iter()
            .position(|kind| place.starts_with(kind))
            .unwrap();
        let five_s = Duration::from_secs(5);
        let broker = BrokerPlan {
            url: self.rabbitmq.url().parse().unwrap(),
            queue: place.into(),
            queue_type: QueueType::Classic,
            publish_timeout: five_s,
            connect_timeout: five_s,
        };
        let url = format!("{}/{database}", self.redis.url());
        ServePlan {
            broker: Some(broker),
            redis: Some(url.parse().unwrap()),
            flaws: flaws.clone(),
            consumers,
            prefetch: PREFETCH,
            fresh_sale: true,
            ..support::config(self.folder.path())
        }
    }

    /// Accepted attempts per second.
    fn accept(&self, place: &str, seed: u64, flaws: &Flaws, loops: u64) -> f64 {
        let per_request = flaws.has(Flaw::ConnectionPerRequest);
        let (threads, loops) = match per_request {
            true => (IN_FLIGHT_PER_REQUEST, loops.min(5)),
            false => (self.in_flight, loops),
        };
        let runtime = seckill::server::runtime().unwrap();
        let (url, _) = support::serve(&runtime, self.config(place, flaws, 0));
        let summary = support::load(&url, threads, loops, seed);
        assert_eq!(summary.by_outcome, [(Outcome::Accepted, threads * loops)], "all were accepted");
        runtime.shutdown_background();
        summary.per_second(summary.total)
    }

    /// Accepted attempts per second without a socket, which the bare loop does not have either.
    fn route(&self, place: &str, loops: u64) -> f64 {
        let runtime = seckill::server::runtime().unwrap();
        let (_, app) = support::serve(&runtime, self.config(place, &Flaws::default(), 0));
        let seconds = runtime.block_on(async {
            let begun = Instant::now();
            let mut buying = tokio::task::JoinSet::new();
            for _ in 0..self.in_flight {
                let app = Arc::clone(&app);
                buying.spawn(async move {
                    for _ in 0..loops {
                        buy(&app).await;
                    }
                });
            }
            buying.join_all().await;
            begun.elapsed().as_secs_f64()
        });
        runtime.shutdown_background();
        (self.in_flight * loops) as f64 / seconds
    }

    /// Decided attempts per second, of those that [`Engines::accept`] left in the queue, from the
    /// first decision on.
    fn decide(&self, place: &str) -> f64 {
        let runtime = seckill::server::runtime().unwrap();
        let mut config = self.config(place, &Flaws::default(), 1);
        // The sale for which they were accepted.
        config.fresh_sale = false;
        let (_, app) = support::serve(&runtime, config);
        let served = Instant::now();
        let item = "default".parse().unwrap();
        let left = || runtime.block_on(app.store.waiting_count(&item)).unwrap();
        let all = left();
        let mut first = None;
        loop {
            match left() {
                0 => break,
                some if some < all => drop(first.get_or_insert((Instant::now(), some))),
                _ => {}
            }
            // Asking costs Redis time.
            std::thread::sleep(POLL);
        }
        let (begun, total) = first.unwrap_or((served, all));
        let seconds = begun.elapsed().as_secs_f64();
        runtime.shutdown_background();
        total as f64 / seconds
    }
}
