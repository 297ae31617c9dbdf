//! What is printed: medians, ratios, and which goals are met.

use super::process::Ran;
use super::support;
use super::tools::{Answered, Tool};

/// Below this share of its core a generator was kept from sending: by its server, or by other work
/// on the machine.
const FULL: f64 = 0.95;

/// The runs of one tool.
pub(crate) struct Runs {
    pub(crate) tool: Tool,
    pub(crate) runs: Vec<(Answered, Ran)>,
}

impl Runs {
    fn median(&self, figure: impl Fn(&(Answered, Ran)) -> f64) -> f64 {
        support::median(self.runs.iter().map(figure).collect())
    }

    pub(crate) fn per_second(&self) -> f64 {
        self.median(|(told, _)| told.per_second)
    }

    pub(crate) fn cpu_us_per_request(&self) -> f64 {
        self.median(|(told, ran)| ran.cpu_us / told.requests)
    }

    fn own_share(&self) -> f64 {
        self.median(|(_, ran)| ran.own_share)
    }

    /// Whether its rate is its own.
    pub(crate) fn is_full(&self) -> bool {
        self.own_share() >= FULL
    }

    /// The latency's median.
    pub(crate) fn median_us(&self) -> f64 {
        self.median(|(told, _)| told.median_us.unwrap())
    }
}

/// Each tool's rate and CPU, and how many times that of it `seckill bench` has.
pub(crate) fn rates(connections: u64, tools: &[Runs]) {
    figure!(
        "{:<16}{:>12}{:>12}{:>8}{:>9}{:>9}{:>12}{:>12}",
        format!("{connections} connections"),
        "requests/s",
        "us CPU/req",
        "its CPU",
        "server's",
        "MiB",
        "rate ratio",
        "CPU ratio"
    );
    let ours = &tools[0];
    for runs in tools {
        figure!(
            "{:<16}{:>11.0}{}{:>12.2}{:>7.0}%{:>8.0}%{:>9.1}{:>12.2}{:>12.2}",
            runs.tool.name(),
            runs.per_second(),
            if runs.is_full() { ' ' } else { '*' },
            runs.cpu_us_per_request(),
            runs.own_share() * 100.0,
            runs.median(|(_, ran)| ran.server_share) * 100.0,
            runs.median(|(_, ran)| ran.memory_mib),
            ours.per_second() / runs.per_second(),
            ours.cpu_us_per_request() / runs.cpu_us_per_request()
        );
    }
    if !tools.iter().all(Runs::is_full) {
        figure!("* its core was not full: the server, or other work here, kept it from more");
    }
}

/// What each says of the latency.
pub(crate) fn latencies(connections: u64, tools: &[Runs]) {
    figure!(
        "{:<16}{:>12}{:>12}{:>8}{:>9}",
        format!("{connections} connections"),
        "median us",
        "requests/s",
        "its CPU",
        "server's"
    );
    for runs in tools {
        figure!(
            "{:<16}{:>12.0}{:>12.0}{:>7.0}%{:>8.0}%",
            runs.tool.name(),
            runs.median_us(),
            runs.per_second(),
            runs.own_share() * 100.0,
            runs.median(|(_, ran)| ran.server_share) * 100.0
        );
    }
}

/// A ratio and what it should be.
pub(crate) struct Goal {
    pub(crate) what: String,
    pub(crate) ratio: f64,
    pub(crate) wanted: std::ops::RangeInclusive<f64>,
    /// Whether what limits both sides is what should.
    pub(crate) is_clear: bool,
}

/// Tells of each goal whether it is met.
pub(crate) fn goals(goals: &[Goal]) {
    for Goal { what, ratio, wanted, is_clear } in goals {
        let met = match wanted.contains(ratio) {
            _ if !is_clear => "unclear",
            true => "met",
            false => "not met",
        };
        figure!("{met:<8} {what}: {ratio:.2}");
    }
}
