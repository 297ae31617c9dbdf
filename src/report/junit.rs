//! Test results in the JUnit format that continuous integration reads: a suite for each run, a
//! case for each check. <https://github.com/testmoapp/junitxml> describes what readers share.

use askama::Template;

use crate::archive::Run;

use super::checks::{Check, State, checks, notes};
use super::titled::Titled;
use super::verdict::verdict_line;
use super::words::outside;

#[derive(Template)]
#[template(path = "junit.xml", escape = "html")]
struct Document {
    suites: Vec<Suite>,
}

struct Suite {
    name: String,
    /// RFC 3339, to the second and without a zone, as the format has it; UTC.
    timestamp: String,
    seconds: String,
    cases: Vec<Check>,
    verdict: String,
    /// The cause of the errors, and what else is to be known of the run.
    notes: Vec<String>,
    seed: u64,
    version: String,
}

impl Suite {
    fn new(titled: &Titled<'_>) -> Self {
        let run = titled.run;
        let started = humantime::format_rfc3339_seconds(run.started).to_string();
        Self {
            name: format!("seckill {}", outside(titled.name)),
            timestamp: started.trim_end_matches('Z').to_owned(),
            seconds: seconds(run),
            cases: checks(run),
            verdict: verdict_line(run, false),
            notes: notes(run).map(|(name, text)| format!("{name}: {text}")).collect(),
            seed: run.plan.plan.seed,
            version: outside(&run.seckill),
        }
    }

    fn number_of(&self, state: State) -> usize {
        self.cases.iter().filter(|case| case.state == state).count()
    }
}

fn seconds(run: &Run) -> String {
    format!("{:.3}", run.requests.elapsed_us as f64 / 1e6)
}

/// The test results of runs, as XML.
///
/// # Errors
/// None that the template can cause.
pub fn junit(runs: &[Titled<'_>]) -> Result<String, askama::Error> {
    Document { suites: runs.iter().map(Suite::new).collect() }.render()
}
