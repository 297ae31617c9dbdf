//! Progress of a run: a bar on a terminal, JMeter's summariser lines elsewhere.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use rustix::termios::tcgetwinsize;

use crate::profile::Plan;
use crate::stats::{Interval, Live, SaleNow, Totals};

use super::bar::{self, End, Glance, Rate};

/// How often the bar is redrawn.
const REDRAW: Duration = Duration::from_millis(200);

/// Columns that are left for the bar: eight cells, two brackets and a space.
const BAR_COLUMNS: usize = 11;

/// The width that is assumed of a terminal that tells none, as the bar itself does.
const COLUMNS_DEFAULT: usize = 80;

/// How often JMeter's summariser prints.
const SUMMARISE: Duration = Duration::from_secs(30);

/// How progress is shown.
#[derive(Debug)]
pub enum Progress {
    /// A bar, on a terminal, of the run of a plan.
    Bar(ProgressBar, Box<Plan>),
    /// A summariser line every 30 s.
    Lines(Mutex<Summarised>),
    /// No progress is shown.
    Silent,
}

/// What the summariser has printed so far.
#[derive(Debug)]
pub struct Summarised {
    totals: Totals,
    at: Duration,
    min_us: u64,
    max_us: u64,
}

impl Progress {
    /// The progress of a run of `plan`, for a terminal or for other output.
    pub fn new(plan: &Plan, quiet: bool, on_terminal: bool) -> Self {
        if quiet {
            return Self::Silent;
        }
        if !on_terminal {
            let (totals, at) = (Totals::default(), Duration::ZERO);
            return Self::Lines(Mutex::new(Summarised { totals, at, min_us: u64::MAX, max_us: 0 }));
        }
        let bar = match bar::end(plan) {
            Some(End::Attempts(attempts)) => ProgressBar::new(attempts),
            Some(End::At(time)) => ProgressBar::new(millis(time)),
            None => ProgressBar::no_length(),
        };
        bar.set_draw_target(ProgressDrawTarget::stderr());
        let template = match bar::end(plan) {
            Some(_) => "[{wide_bar}] {msg}",
            None => "{spinner} {msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        Self::Bar(bar, Box::new(plan.clone()))
    }

    /// Shows progress until the future is dropped.
    pub async fn watch(&self, live: Arc<Live>, sale: Arc<Mutex<SaleNow>>) {
        match self {
            Self::Bar(bar, plan) => watch_bar(bar, plan, &live, &sale).await,
            Self::Lines(summarised) => watch_lines(&live, summarised).await,
            Self::Silent => std::future::pending().await,
        }
    }

    /// Ends the progress: removes the bar, or prints the summary.
    pub fn finish(&self, live: &Live, elapsed: Duration) {
        match self {
            Self::Bar(bar, _) => bar.finish_and_clear(),
            Self::Lines(summarised) => summarise(live, summarised, elapsed, true),
            Self::Silent => {}
        }
    }
}

async fn watch_bar(bar: &ProgressBar, plan: &Plan, live: &Live, sale: &Mutex<SaleNow>) {
    let (begun, mut rate) = (live.begun(), Rate::default());
    let mut redraw = tokio::time::interval(REDRAW);
    loop {
        redraw.tick().await;
        let (totals, now) = (live.totals(), Instant::now());
        // What is sent before, such as logins, is not part of the run.
        let elapsed = begun.borrow().map_or(Duration::ZERO, |begun| now - begun);
        let rate = rate.look(now, totals.samples);
        let (last_second, sale) =
            (live.last_second(), *sale.lock().unwrap_or_else(PoisonError::into_inner));
        // The text comes first, so that no bar is drawn without it.
        let glance = Glance { plan, elapsed, totals, rate, last_second, sale };
        bar.set_message(glance.text(columns().saturating_sub(BAR_COLUMNS)));
        match bar::end(plan) {
            Some(End::At(end)) => bar.set_position(millis(elapsed.min(end))),
            Some(End::Attempts(_)) | None => bar.set_position(totals.samples),
        }
    }
}

/// The width of the terminal, read anew each time, since it may change.
fn columns() -> usize {
    let size = tcgetwinsize(std::io::stderr()).ok();
    size.filter(|size| size.ws_col > 0).map_or(COLUMNS_DEFAULT, |size| size.ws_col.into())
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

async fn watch_lines(live: &Live, summarised: &Mutex<Summarised>) {
    let mut begins = live.begun();
    let begun = begins.wait_for(Option::is_some).await.ok().and_then(|begun| *begun);
    let Some(begun) = begun else { return };
    let mut ticks = tokio::time::interval_at((begun + SUMMARISE).into(), SUMMARISE);
    loop {
        ticks.tick().await;
        summarise(live, summarised, begun.elapsed(), false);
    }
}

/// Prints the interval since the last line, and the whole run. If both are the same, only one of
/// them is printed: at the end, that of the run.
fn summarise(live: &Live, summarised: &Mutex<Summarised>, elapsed: Duration, at_end: bool) {
    let mut summarised = summarised.lock().unwrap_or_else(PoisonError::into_inner);
    let (totals, Interval { min_us, max_us }) = (live.totals(), live.take_interval());
    let from = summarised.totals;
    let time = elapsed.saturating_sub(summarised.at);
    let is_first = from == Totals::default();
    // At the end the time is that of the last request, which may be before the last line.
    if !(is_first && at_end || time.is_zero()) {
        print_line(&Line { sign: '+', from, to: totals, time, min_us, max_us });
    }
    if min_us > 0 {
        summarised.min_us = summarised.min_us.min(min_us);
    }
    summarised.max_us = summarised.max_us.max(max_us);
    if at_end || !is_first {
        let min_us = if summarised.min_us == u64::MAX { 0 } else { summarised.min_us };
        let max_us = summarised.max_us;
        let from = Totals::default();
        print_line(&Line { sign: '=', from, to: totals, time: elapsed, min_us, max_us });
    }
    (summarised.totals, summarised.at) = (totals, elapsed);
}

/// Prints a line. A closed terminal is not an error, and does not end the run.
fn print_line(line: &Line) {
    let _ = writeln!(std::io::stderr(), "{line}");
}

/// One line of JMeter's summariser, in its format. Latencies in milliseconds.
struct Line {
    sign: char,
    from: Totals,
    to: Totals,
    time: Duration,
    min_us: u64,
    max_us: u64,
}

impl std::fmt::Display for Line {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let samples = self.to.samples - self.from.samples;
        let errors = self.to.errors - self.from.errors;
        let seconds = self.time.as_secs();
        write!(
            f,
            "summary {} {samples:>6} in {:02}:{:02}:{:02} = {:>6.1}/s Avg: {:>5} Min: {:>5} \
             Max: {:>5} Err: {errors:>5} ({:.2}%)",
            self.sign,
            seconds / 3600,
            seconds / 60 % 60,
            seconds % 60,
            samples as f64 / self.time.as_secs_f64().max(1e-9),
            Live::mean(&self.from, &self.to).as_millis(),
            self.min_us / 1000,
            self.max_us / 1000,
            100.0 * errors as f64 / samples.max(1) as f64,
        )?;
        if self.sign == '+' {
            let (active, started) = (self.to.active(), self.to.started);
            let finished = self.to.finished;
            write!(f, " Active: {active} Started: {started} Finished: {finished}")?;
        }
        Ok(())
    }
}
