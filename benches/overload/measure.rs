//! One level of load, and what the server did meanwhile.

use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::ops::Range;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use seckill::history::Beginning;
use seckill::load::{self, Job};
use seckill::profile::{BenchFlags, Plan};
use seckill::stats::{Live, Outcome, Sample, Sink};
use seckill::sut::{Sut, Target};
use seckill::units::{Count, Rate, Span};
use tokio_util::sync::CancellationToken;

use super::PEAK;
use super::support::median;
use super::support::server::{Server, kernel_memory};

/// Open connections at most in the open model.
const USERS_MAX: u64 = 10_000;

/// A level of load.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// So many connections, each of which sends an attempt after the answer to the last one.
    Closed(u64),
    /// So many tenths of the capacity, in attempts per second.
    Open(u64),
}

impl Level {
    /// Whether the goals are for this level: all but the peak, and half the capacity.
    pub(crate) fn is_overload(self) -> bool {
        match self {
            Self::Closed(connections) => connections > PEAK,
            Self::Open(tenths) => tenths >= 10,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(connections) => write!(f, "{connections} connections"),
            Self::Open(tenths) => write!(f, "{} x capacity", *tenths as f64 / 10.0),
        }
    }
}

/// The figures of one run.
#[derive(Clone)]
pub(crate) struct Figures {
    pub(crate) answered_per_second: f64,
    pub(crate) decided_per_second: f64,
    /// Latency of accepted attempts, from the sending.
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) refused_share: f64,
    /// Memory of the server, and of the kernel for all TCP connections.
    pub(crate) memory_mib: f64,
}

impl Figures {
    /// The median of each figure.
    pub(crate) fn medians(runs: &[Self]) -> Self {
        let of = |figure: fn(&Self) -> f64| median(runs.iter().map(figure).collect());
        Self {
            answered_per_second: of(|run| run.answered_per_second),
            decided_per_second: of(|run| run.decided_per_second),
            p50_ms: of(|run| run.p50_ms),
            p99_ms: of(|run| run.p99_ms),
            refused_share: of(|run| run.refused_share),
            memory_mib: of(|run| run.memory_mib),
        }
    }
}

/// What clients saw in a part of the run. At its beginning all connections are opened, and at its
/// end the server accepts those that wait.
struct Seen {
    part: Range<Duration>,
    accepted: Histogram<u64>,
    refused: u64,
    errors: u64,
}

impl Sink for Seen {
    fn samples(&mut self, samples: &[Sample]) {
        let in_part = |sample: &&Sample| self.part.contains(&sample.ended);
        for sample in samples.iter().filter(in_part) {
            match sample.result {
                Ok(Outcome::Refused(_)) => self.refused += 1,
                Ok(_) => self.accepted.record(sample.latency().as_micros() as u64).unwrap(),
                Err(_) => self.errors += 1,
            }
        }
    }
}

/// Loads a server, and counts what it answers and decides after a third of the time. `capacity` is
/// in attempts per second; an open level needs it.
pub(crate) fn measure(
    server: &Server,
    level: Level,
    capacity: Option<f64>,
    duration: Duration,
) -> Figures {
    let flags = match level {
        Level::Closed(connections) => {
            BenchFlags { threads: Some(Count(connections)), ..BenchFlags::default() }
        }
        Level::Open(tenths) => BenchFlags {
            rate: Some(Rate {
                per_second: (capacity.unwrap() * tenths as f64 / 10.0).max(1.0) as u64,
            }),
            max_threads: Some(Count(USERS_MAX)),
            ..BenchFlags::default()
        },
    };
    let plan = Plan::new(&BenchFlags { duration: Some(Span(duration)), ..flags }, 1).unwrap();
    let target = Target::new(Some(&server.url)).unwrap();
    let live = Arc::new(Live::new(load::workers(plan.threads)));
    let stop = CancellationToken::new();
    let (sut, item) = (&Sut::Seckill, "default".parse().unwrap());
    let job = Job {
        plan: &plan,
        sut,
        target: &target,
        item: &item,
        epoch: 1,
        beginning: Beginning::now(),
        live: &live,
        stop: &stop,
        wants_samples: true,
    };
    let start = duration / 3;
    thread::scope(|scope| {
        let began = Instant::now();
        let loading = scope.spawn(|| {
            let accepted = Histogram::new(3).unwrap();
            let mut seen = Seen { part: start..duration, accepted, refused: 0, errors: 0 };
            load::run(&job, &mut seen).unwrap();
            seen
        });
        thread::sleep(start);
        let first = Decided::now(&server.url);
        thread::sleep(duration.saturating_sub(began.elapsed()));
        let last = Decided::now(&server.url);
        let memory = server.resident() + kernel_memory();
        // Arrivals for which no connection was free are not sent any more.
        stop.cancel();
        let Seen { part, accepted, refused, errors } = loading.join().unwrap();
        assert_eq!(errors, 0, "{level}");
        let answered = accepted.len() + refused;
        Figures {
            answered_per_second: answered as f64 / (part.end - part.start).as_secs_f64(),
            decided_per_second: (last.orders - first.orders) as f64
                / (last.at - first.at).as_secs_f64(),
            p50_ms: accepted.value_at_quantile(0.5) as f64 / 1e3,
            p99_ms: accepted.value_at_quantile(0.99) as f64 / 1e3,
            refused_share: refused as f64 / answered as f64,
            memory_mib: memory as f64 / f64::from(1 << 20),
        }
    })
}

/// How many attempts were decided at a moment.
struct Decided {
    at: Instant,
    orders: u64,
}

impl Decided {
    /// Asks the server, on a connection of its own.
    fn now(url: &str) -> Self {
        let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
        let request = b"GET /result HTTP/1.1\r\nhost: bench\r\nconnection: close\r\n\r\n";
        stream.write_all(request).unwrap();
        let mut answer = BufReader::new(stream);
        let head = answer.by_ref().lines().map(Result::unwrap).take_while(|line| !line.is_empty());
        head.for_each(drop);
        let result: serde_json::Value = serde_json::from_reader(answer).unwrap();
        Self { at: Instant::now(), orders: result["orders"].as_u64().unwrap() }
    }
}
