//! Code that the benchmarks share: the number of rounds, medians, and an in-process load.

#![allow(dead_code, clippy::unwrap_used, clippy::print_stdout)]

pub(crate) mod cores;
pub(crate) mod cpu;
pub(crate) mod generator;
pub(crate) mod server;

use std::fmt::Display;
use std::path::Path;
use std::sync::Arc;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use seckill::history::Beginning;
use seckill::load::{self, Job};
use seckill::profile::ServePlan;
use seckill::profile::{BenchFlags, Plan};
use seckill::secret::Secret;
use seckill::server::{App, Server};
use seckill::settings::Durability;
use seckill::stats::{Live, Summary};
use seckill::sut::{Sut, Target};
use seckill::units::Count;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

/// Rounds of each side. They alternate, so that a drift of the machine affects both sides.
pub(crate) const ROUNDS: usize = 5;

/// The median of the figures.
pub(crate) fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

/// Whether this is a smoke run, as in `cargo test --benches`, and not a measurement.
pub(crate) fn is_test() -> bool {
    !std::env::args().any(|arg| arg == "--bench")
}

/// The parts of a benchmark that are to be measured: all, unless one or several are named.
pub(crate) fn wanted<T: Copy + Display>(parts: &[T]) -> Vec<T> {
    let named: Vec<_> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
    let names: Vec<_> = parts.iter().map(T::to_string).collect();
    if let Some(unknown) = named.iter().find(|name| !names.contains(name)) {
        panic!("there is no part {unknown:?}; the parts are {}", names.join(", "));
    }
    let is_wanted = |name: &String| named.is_empty() || named.contains(name);
    parts.iter().zip(&names).filter(|(_, name)| is_wanted(name)).map(|(part, _)| *part).collect()
}

/// Prints as `println!` does, but prints nothing in a smoke run, whose figures mean nothing.
macro_rules! figure {
    ($($arg:tt)*) => {
        if !crate::support::is_test() {
            println!($($arg)*);
        }
    };
}

/// Allows as many open files as the system's hard limit.
pub(crate) fn raise_file_limit() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).unwrap();
}

/// A server that never runs out of stock.
pub(crate) fn config(data: &Path) -> ServePlan {
    ServePlan {
        listen: "127.0.0.1:0".into(),
        data: data.to_owned(),
        broker: None,
        redis: None,
        durability: Durability::Fsync,
        accepts: true,
        consumers: 1,
        prefetch: 256,
        queue_max: 1_000_000,
        connections_max: 1_000,
        rate_limit: None,
        buyer_rate_limit: None,
        admission: Default::default(),
        admin_token: Some(Secret("token".into())),
        item: "default".parse().unwrap(),
        stock: u32::MAX,
        per_buyer: 1,
        opens_us: None,
        closes_us: None,
        hold_us: None,
        fresh_sale: false,
        stock_buckets: 1,
        keep_replaced: std::time::Duration::from_secs(3_600),
        flaws: Default::default(),
        blind: false,
    }
}

/// Starts a server, and returns its address and its state.
pub(crate) fn serve(runtime: &Runtime, config: ServePlan) -> (String, Arc<App>) {
    let server = runtime.block_on(Server::start(config)).unwrap();
    let (url, app) = (format!("http://{}", server.address()), server.app());
    runtime.spawn(server.run(std::future::pending()));
    (url, app)
}

/// Loads `url` with `threads` users that make `loops` attempts each.
pub(crate) fn load(url: &str, threads: u64, loops: u64, seed: u64) -> Summary {
    let flags = BenchFlags {
        threads: Some(Count(threads)),
        loops: Some(Count(loops)),
        ..BenchFlags::default()
    };
    let plan = Plan::new(&flags, seed).unwrap();
    let target = Target::new(Some(url)).unwrap();
    let live = Arc::new(Live::new(load::workers(threads)));
    let item = "default".parse().unwrap();
    let job = Job {
        plan: &plan,
        sut: &Sut::Seckill,
        target: &target,
        item: &item,
        epoch: 1,
        beginning: Beginning::now(),
        live: &live,
        stop: &CancellationToken::new(),
        wants_samples: false,
    };
    let ran = load::run(&job, &mut ()).unwrap();
    ran.recorder.finish()
}
