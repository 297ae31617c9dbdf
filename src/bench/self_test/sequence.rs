//! The three runs of the self-test: pacing, the ceiling, and a server that freezes.
//!
//! The server is frozen for 2 s of 6 s: a third of the attempts are due then and have to wait, up
//! to 2 s each, so that a tenth of all attempts wait longer than 1.4 s. A generator that measures
//! from the moment of sending does not observe this, because it sends little while the server is
//! frozen.

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::SystemTime;

use anyhow::anyhow;
use rustix::process::Signal;
use tokio_util::sync::CancellationToken;

use crate::history::Beginning;
use crate::load::{self, Job};
use crate::monitor::{Monitor, Usage};
use crate::profile::{BenchFlags, Plan};
use crate::settings::Io;
use crate::stats::{Live, Sink, Summary};
use crate::sut::Sut;
use crate::units::{Count, Rate, Span};

use super::result::SelfTest;
use super::runs::{
    CEILING_THREADS, FREEZE, FREEZE_AFTER, FROZEN_RATE, FROZEN_RUN, FROZEN_THREADS, MEASURED,
    PACED_RATE,
};
use super::stub_process::StubProcess;

/// Runs the self-test, which takes about 13 s, over this I/O driver.
///
/// # Errors
/// When a run fails.
pub fn self_test(io: Io) -> anyhow::Result<SelfTest> {
    let server = StubProcess::start()?;
    let defaults = BenchFlags { io: Some(io), ..BenchFlags::default() };
    let count = |n| Some(Count(n));
    let rate = |per_second| Some(Rate { per_second });
    let (paced, _) = load(
        &server,
        &mut (),
        &BenchFlags { rate: rate(PACED_RATE), duration: Some(Span(MEASURED)), ..defaults.clone() },
    )?;
    let (ceiling, usage) = load(
        &server,
        &mut (),
        &BenchFlags {
            threads: count(CEILING_THREADS),
            duration: Some(Span(MEASURED)),
            ..defaults.clone()
        },
    )?;
    let (frozen, _) = load_and_freeze(
        &server,
        &BenchFlags {
            rate: rate(FROZEN_RATE),
            max_threads: count(FROZEN_THREADS),
            duration: Some(Span(FROZEN_RUN)),
            ..defaults
        },
    )?;
    Ok(SelfTest { io, paced, ceiling, usage, frozen })
}

/// Signals the beginning of a run.
struct Begin(mpsc::Sender<()>);

impl Sink for Begin {
    fn begin(&mut self, _: SystemTime) {
        let _ = self.0.send(());
    }
}

fn load_and_freeze(server: &StubProcess, flags: &BenchFlags) -> anyhow::Result<(Summary, Usage)> {
    let (begun, begins) = mpsc::channel();
    thread::scope(|scope| {
        let freezer = scope.spawn(move || {
            // The sender is dropped without a message only if the run could not begin.
            if begins.recv().is_ok() {
                thread::sleep(FREEZE_AFTER);
                server.process.signal(Signal::STOP)?;
                thread::sleep(FREEZE);
                server.process.signal(Signal::CONT)?;
            }
            Ok::<_, std::io::Error>(())
        });
        let mut begin = Begin(begun);
        let loaded = load(server, &mut begin, flags);
        drop(begin);
        freezer.join().map_err(|_| anyhow!("the thread that freezes the server panicked"))??;
        loaded
    })
}

fn load(
    server: &StubProcess,
    sink: &mut dyn Sink,
    flags: &BenchFlags,
) -> anyhow::Result<(Summary, Usage)> {
    let plan = Plan::new(flags, 1)?;
    let live = Arc::new(Live::new(load::workers(plan.threads)));
    let monitor = Monitor::start(None)?;
    let job = Job {
        plan: &plan,
        sut: &Sut::Seckill,
        target: &server.target,
        item: &"default".parse()?,
        epoch: 0,
        beginning: Beginning::now(),
        live: &live,
        stop: &CancellationToken::new(),
        wants_samples: false,
    };
    let ran = load::run(&job, sink)?;
    Ok((ran.recorder.finish(), monitor.finish()))
}
