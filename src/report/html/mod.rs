//! A page for people: one file that needs no script and loads nothing.

mod bands;
mod chart;
mod comparison;
mod curve;
mod faults;
mod figures;
mod head;
mod invariants;
mod over_time;
mod plan;
mod scale;
mod section;

use askama::Template;

use super::titled::Titled;
use comparison::Comparison;
use section::{Limits, Section};

/// Largest number of runs in a page, which keeps it below 200 KB.
pub const RUNS_MAX: usize = 4;

/// Largest number of rows of the charts of all runs of a page together. A row takes up to 900 bytes
/// in the drawings and in the table, and the rest of a run 25 KB.
const ROWS_MAX: usize = 48;

/// Largest number of witnesses of all runs of a page together. A witness takes up to 2 KB.
const WITNESSES_MAX: usize = 12;

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    title: String,
    version: &'static str,
    runs: Vec<Section>,
    comparison: Option<Comparison>,
}

/// The page of runs, at most [`RUNS_MAX`]. Several are compared with the first.
///
/// # Errors
/// None that the template can cause.
pub fn html(runs: &[Titled<'_>]) -> Result<String, askama::Error> {
    let runs = &runs[..runs.len().min(RUNS_MAX)];
    let most = |all: usize| all / runs.len().max(1);
    let limits = Limits { rows: most(ROWS_MAX), witnesses: most(WITNESSES_MAX) };
    let sections = (1..).zip(runs).map(|(number, titled)| Section::new(number, titled, limits));
    let sections: Vec<Section> = sections.collect();
    let title = match &sections[..] {
        [only] => format!("{} – seckill", only.head.verdict),
        several => format!("{} runs – seckill", several.len()),
    };
    let comparison = (runs.len() > 1).then(|| Comparison::new(runs));
    let version = env!("CARGO_PKG_VERSION");
    Page { title, version, runs: sections, comparison }.render()
}
