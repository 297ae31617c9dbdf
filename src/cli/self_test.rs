//! `seckill bench --self-test`: does the generator tell the truth on this machine, and how much can
//! it send?
//!
//! It freezes a server of its own for 2 s of 6 s: a third of the attempts that were to be made then
//! have to wait, up to 2 s each, so that a tenth of all wait longer than 1.4 s. A generator that
//! counts from the moment of sending does not see it: while the server is frozen, it sends little.

use std::net::TcpListener;
use std::process::Stdio;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, anyhow};
use rustix::process::Signal;
use serde_json::json;

use crate::lab::{ChildProcess, Scope};
use crate::load::{self, Job, Seen, Stop};
use crate::monitor::{Monitor, Usage};
use crate::profile::{BenchFlags, Plan, Target};
use crate::stats::{Live, Summary};
use crate::units::{Count, Rate, Span};

use super::{Failure, print, say};

/// When the server is frozen, and for how long.
const FREEZE_AFTER: Duration = Duration::from_secs(2);
const FREEZE: Duration = Duration::from_secs(2);

/// The whole run with the freeze, and its rate and users. Few, so that those who wait for an answer
/// of the frozen server cannot make the attempts that come meanwhile.
const FROZEN_RUN: Duration = Duration::from_secs(6);
const FROZEN_RATE: u64 = 1_000;
const FROZEN_THREADS: u64 = 64;

/// What the 90th percentile has to show of it: the truth is 1.4 s, and the kernel wakes the server
/// when it likes.
const SHOWN_FROM: Duration = Duration::from_millis(1_200);
const SHOWN_UP_TO: Duration = Duration::from_millis(1_900);

/// The run that measures how precisely attempts are made.
const PACED_RATE: u64 = 5_000;

/// Connections of the run that measures the ceiling.
const CEILING_THREADS: u64 = 64;

/// Length of these two.
const MEASURED: Duration = Duration::from_secs(3);

/// How long the constant server may take until it listens.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// Runs the test and gives the exit code: 5 when the generator is not to be trusted here.
pub(super) fn self_test(as_json: bool) -> Result<u8, Failure> {
    let server = Server::start()?;
    let count = |n| Some(Count(n));
    let rate = |per_second| Some(Rate { per_second });
    say("self-test: pacing, the ceiling, and a server that freezes; some 13 s");
    let (paced, _) = server.load(&BenchFlags {
        rate: rate(PACED_RATE),
        duration: Some(Span(MEASURED)),
        ..BenchFlags::default()
    })?;
    let (ceiling, usage) = server.load(&BenchFlags {
        threads: count(CEILING_THREADS),
        duration: Some(Span(MEASURED)),
        ..BenchFlags::default()
    })?;
    let (frozen, _) = server.load_and_freeze(&BenchFlags {
        rate: rate(FROZEN_RATE),
        max_threads: count(FROZEN_THREADS),
        duration: Some(Span(FROZEN_RUN)),
        ..BenchFlags::default()
    })?;
    let found = Found { paced, ceiling, usage, frozen };
    print(&if as_json { found.json() } else { found.text() })?;
    Ok(if found.shows_the_freeze() { 0 } else { 5 })
}

/// What the three runs measured.
struct Found {
    paced: Summary,
    ceiling: Summary,
    usage: Usage,
    frozen: Summary,
}

impl Found {
    fn shows_the_freeze(&self) -> bool {
        let shown = micros(self.frozen.corrected.p90);
        self.frozen.errors == 0 && (SHOWN_FROM..=SHOWN_UP_TO).contains(&shown)
    }

    fn cpu_us_per_request(&self) -> Option<f64> {
        let cpu_us = self.usage.generator?.cpu_us as f64;
        Some(cpu_us / self.ceiling.total.max(1) as f64)
    }

    fn text(&self) -> String {
        let Self { paced, ceiling, frozen, .. } = self;
        let cpu = self.cpu_us_per_request().map_or("?".to_owned(), |cpu| format!("{cpu:.1}"));
        let verdict = if self.shows_the_freeze() {
            "SELF-TEST PASSED: the corrected latency shows the freeze"
        } else {
            "SELF-TEST FAILED: the corrected latency is not the freeze's: trust no latency here"
        };
        format!(
            "Pacing     {PACED_RATE}/s: {} us late in the median, {} us at 99%, {} us at most\n\
             Ceiling    {:.0}/s on {CEILING_THREADS} connections, {cpu} us of CPU per request, \
             against a constant server on the same machine\n\
             Freeze     {} of {}: 90% within {:?} by the corrected latency, {:?} by the service's; \
             the truth is 1.4s\n\n{verdict}\n",
            paced.lag.p50,
            paced.lag.p99,
            paced.lag.max,
            ceiling.per_second(ceiling.total),
            Span(FREEZE),
            Span(FROZEN_RUN),
            micros(frozen.corrected.p90),
            micros(frozen.latency.p90),
        )
    }

    fn json(&self) -> String {
        let Self { paced, ceiling, frozen, .. } = self;
        let found = json!({
            "seckill": env!("CARGO_PKG_VERSION"),
            "pacing": { "per_second": PACED_RATE, "lag_us": paced.lag },
            "ceiling": {
                "per_second": ceiling.per_second(ceiling.total),
                "connections": CEILING_THREADS,
                "cpu_us_per_request": self.cpu_us_per_request(),
            },
            "freeze": {
                "latency_us": frozen.latency,
                "latency_corrected_us": frozen.corrected,
                "errors": frozen.errors,
            },
            "passed": self.shows_the_freeze(),
        });
        format!("{found:#}\n")
    }
}

fn micros(us: u64) -> Duration {
    Duration::from_micros(us)
}

/// A constant server in its own process, which is killed when this is dropped.
struct Server {
    process: ChildProcess,
    target: Target,
}

impl Server {
    fn start() -> anyhow::Result<Self> {
        let mut process = ChildProcess::new(Scope::Group, None)?;
        let program = std::env::current_exe()?;
        let started = process.start(&program, |command| {
            command.arg(super::args::CONSTANT_SERVER);
            command.stdin(Stdio::null()).stdout(Stdio::piped());
        });
        let url = started.and_then(|()| process.first_line(START_TIMEOUT));
        let target = url.map_err(anyhow::Error::from).and_then(|url| Ok(Target::new(Some(&url))?));
        let target = target.context("the constant server did not start")?;
        Ok(Self { process, target })
    }

    fn load(&self, flags: &BenchFlags) -> anyhow::Result<(Summary, Usage)> {
        self.load_and_see(flags, |_| {})
    }

    fn load_and_freeze(&self, flags: &BenchFlags) -> anyhow::Result<(Summary, Usage)> {
        let (begun, begins) = std::sync::mpsc::channel();
        thread::scope(|scope| {
            let freezer = scope.spawn(move || {
                // The sender is dropped without a word only if the run could not begin.
                if begins.recv().is_ok() {
                    thread::sleep(FREEZE_AFTER);
                    self.process.signal(Signal::STOP)?;
                    thread::sleep(FREEZE);
                    self.process.signal(Signal::CONT)?;
                }
                Ok::<_, std::io::Error>(())
            });
            let seen = self.load_and_see(flags, |seen| {
                if let Seen::Begun(_) = seen {
                    let _ = begun.send(());
                }
            });
            drop(begun);
            freezer
                .join()
                .map_err(|_| anyhow!("the thread that freezes the server panicked"))??;
            seen
        })
    }

    fn load_and_see(
        &self,
        flags: &BenchFlags,
        watch: impl FnMut(Seen<'_>),
    ) -> anyhow::Result<(Summary, Usage)> {
        let plan = Plan::new(flags, 1)?;
        let live = Arc::new(Live::new(load::workers(plan.threads)));
        let monitor = Monitor::start(None)?;
        let job = Job {
            plan: &plan,
            target: &self.target,
            item: &"default".parse()?,
            epoch: 0,
            live: &live,
            stop: &Stop::default(),
            wants_samples: false,
        };
        let ran = load::run(&job, watch)?;
        Ok((ran.recorder.finish(), monitor.finish()))
    }
}

/// The constant server's process: prints its address, and serves until it is killed.
pub(super) fn constant_server() -> Result<u8, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    print(&format!("http://{}\n", listener.local_addr()?))?;
    load::serve_constant(listener)?;
    Ok(0)
}
