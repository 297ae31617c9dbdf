//! Progress of a run: a bar on a terminal, JMeter's summariser lines elsewhere.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::profile::{Model, Plan};
use crate::stats::{Interval, Live, SaleNow, Totals};

/// How often the bar is redrawn.
const REDRAW: Duration = Duration::from_millis(200);

/// How often JMeter's summariser prints.
const SUMMARISE: Duration = Duration::from_secs(30);

/// How progress is shown.
#[derive(Debug)]
pub enum Progress {
    /// A bar, on a terminal.
    Bar(ProgressBar),
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
        let loops = match plan.model {
            Model::Closed { loops, .. } => loops,
            Model::Open { .. } => None,
        };
        let bar = match loops {
            Some(loops) => ProgressBar::new(plan.threads.saturating_mul(loops)),
            None => ProgressBar::no_length(),
        };
        bar.set_draw_target(ProgressDrawTarget::stderr());
        let template = if loops.is_some() {
            "{elapsed} [{wide_bar}] {pos}/{len} {msg}"
        } else {
            "{elapsed} {spinner} {pos} {msg}"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.progress_chars("=> "));
        }
        Self::Bar(bar)
    }

    /// Shows progress until the future is dropped.
    pub async fn watch(&self, live: Arc<Live>, sale: Arc<Mutex<SaleNow>>) {
        match self {
            Self::Bar(bar) => watch_bar(bar, &live, &sale).await,
            Self::Lines(summarised) => watch_lines(&live, summarised).await,
            Self::Silent => std::future::pending().await,
        }
    }

    /// Ends the progress: removes the bar, or prints the summary.
    pub fn finish(&self, live: &Live, elapsed: Duration) {
        match self {
            Self::Bar(bar) => bar.finish_and_clear(),
            Self::Lines(summarised) => summarise(live, summarised, elapsed, true),
            Self::Silent => {}
        }
    }
}

async fn watch_bar(bar: &ProgressBar, live: &Live, sale: &Mutex<SaleNow>) {
    let mut redraw = tokio::time::interval(REDRAW);
    let (mut before, mut before_at) = (Totals::default(), Instant::now());
    loop {
        redraw.tick().await;
        let (now, now_at) = (live.totals(), Instant::now());
        let seconds = (now_at - before_at).as_secs_f64().max(1e-9);
        let rate = (now.samples - before.samples) as f64 / seconds;
        let sale = *sale.lock().unwrap_or_else(PoisonError::into_inner);
        bar.set_position(now.samples);
        bar.set_message(format!(
            "active {}, {rate:.0}/s, err {}, left {}, queued {}",
            now.active(),
            now.errors,
            sale.stock_left,
            sale.queued,
        ));
        (before, before_at) = (now, now_at);
    }
}

async fn watch_lines(live: &Live, summarised: &Mutex<Summarised>) {
    let begun = Instant::now();
    let mut ticks = tokio::time::interval(SUMMARISE);
    ticks.tick().await;
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
    if !(is_first && at_end) {
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
