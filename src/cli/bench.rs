//! `seckill bench`: runs, reports progress, and prints the result.

use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;

use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::archive::Run;
use crate::bench::{self, Event, Finished};
use crate::profile::{Model, Plan, Stage};
use crate::report::{self, Progress, Titled};
use crate::stats::Live;
use crate::units::Span;

use super::args::{BenchArgs, Colour};
use super::bench_config::{BenchCommand, Output, failure};
use super::github::report_to_job;
use super::signals::Signals;
use super::sources::Sources;
use super::{Failure, print, say};

pub(super) fn bench(args: BenchArgs, sources: &Sources, colour: Colour) -> Result<u8, Failure> {
    let BenchCommand { config, output, profile, reports } = BenchCommand::new(args, sources)?;
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let finished = runtime.block_on(async {
        let mut signals = Signals::take()?;
        let stop = CancellationToken::new();
        let mut reporter = ProgressReporter::new(&config.plan, output);
        let mut notify = |event| reporter.notify(event);
        tokio::select! {
            finished = bench::run(&config, &stop, &mut notify) => {
                finished.map_err(|error| failure(error, &config, sources, &profile))
            }
            () = second_signal(&mut signals, &stop) => Err(Failure::Interrupted),
        }
    });
    // Tasks that still run are not waited for.
    runtime.shutdown_background();
    let Finished { run, saved, stopped } = finished?;
    print_run(&run, output, colour)?;
    let name = config.out.as_deref().map_or_else(|| "bench".into(), Path::to_string_lossy);
    let titled = Titled { name: &name, run: &run };
    let reported = reports.write(&[titled]);
    report_to_job(titled);
    // These errors are returned after the report, which is useful in any case.
    saved?;
    reported?;
    stopped?;
    Ok(run.exit_code())
}

/// Stops the load at the first signal, and resolves with the second.
async fn second_signal(signals: &mut Signals, stop: &CancellationToken) {
    signals.next().await;
    stop.cancel();
    say("stopping: waiting for requests in flight, then auditing; send another signal to exit \
         immediately");
    signals.next().await;
}

/// Prints a run in the selected format.
pub(super) fn print_run(run: &Run, output: Output, colour: Colour) -> Result<(), Failure> {
    let colour = colour.on(&std::io::stdout());
    match output {
        Output::Json => print(&(serde_json::to_string_pretty(run)? + "\n")),
        Output::Verdict => print(&report::verdict(run, colour)),
        Output::Text => print(&report::short(run, colour)),
        Output::Full => print(&report::terminal(run, colour)),
    }
}

/// Reports the progress of a run on stderr.
struct ProgressReporter<'a> {
    plan: &'a Plan,
    is_silent: bool,
    progress: Option<(Arc<Progress>, Arc<Live>, JoinHandle<()>)>,
}

impl<'a> ProgressReporter<'a> {
    fn new(plan: &'a Plan, output: Output) -> Self {
        Self { plan, is_silent: output.is_silent(), progress: None }
    }

    fn notify(&mut self, event: Event) {
        match event {
            Event::Found { .. } if self.is_silent => {}
            Event::Found { url, spawned_pid } => {
                let spawned = spawned_pid.map(|pid| format!(", spawned as process {pid}"));
                say(format!("{url}{}: {}", spawned.unwrap_or_default(), describe(self.plan)));
            }
            Event::Problem(problem) => say(problem),
            Event::Aborted(_) if self.is_silent => {}
            Event::Aborted(because) => {
                say(format!("stopping: {because}; waiting for requests in flight, then auditing"));
            }
            Event::Waiting(_) | Event::Fault(_) if self.is_silent => {}
            Event::Fault(line) => say(line),
            Event::Waiting(what) => say(format!("waiting: {what}")),
            Event::LoadBegins { live, sale } => {
                let on_terminal = std::io::stderr().is_terminal();
                let progress = Arc::new(Progress::new(self.plan, self.is_silent, on_terminal));
                let (watching, watched) = (Arc::clone(&progress), Arc::clone(&live));
                let task = tokio::spawn(async move { watching.watch(watched, sale).await });
                self.progress = Some((progress, live, task));
            }
            Event::LoadEnded { elapsed } => {
                if let Some((progress, live, task)) = self.progress.take() {
                    task.abort();
                    progress.finish(&live, elapsed);
                }
            }
        }
    }
}

/// A number and what it counts: `1 thread`, `2 threads`.
fn counted(number: u64, one: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {one}{plural}")
}

/// Describes a plan in one line.
fn describe(plan: &Plan) -> String {
    let duration = plan.duration.map(|time| format!(", for {}", Span(time))).unwrap_or_default();
    let listed = |stages: &[Stage]| stages.iter().map(|s| format!(", {s}")).collect::<String>();
    match &plan.model {
        Model::Open { rate_max, stages, .. } => {
            format!(
                "up to {rate_max}/s{}{duration}, {} at most",
                listed(stages),
                counted(plan.threads, "thread")
            )
        }
        Model::Closed { ramp, stages, loops, stampede, .. } => {
            let loops =
                loops.map(|loops| format!(", {}", counted(loops, "loop"))).unwrap_or_default();
            let how = match (stampede, stages.is_empty()) {
                (true, _) => ", all started simultaneously".to_owned(),
                (false, true) => format!(", ramp {}", Span(*ramp)),
                (false, false) => listed(stages),
            };
            format!("{}{how}{loops}{duration}", counted(plan.threads, "thread"))
        }
    }
}
