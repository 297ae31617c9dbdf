//! Prints the tables of medians and ratios, and which goals are met.

use super::process::Ran;
use super::support;
use super::tools::{Reported, Tool};

/// The share of its core below which a generator was not the bottleneck: it waited for its server,
/// or for other work on the machine.
const FULL: f64 = 0.95;

/// The runs of one tool.
pub(crate) struct Runs {
    pub(crate) tool: Tool,
    pub(crate) runs: Vec<(Reported, Ran)>,
}

impl Runs {
    fn median(&self, figure: impl Fn(&(Reported, Ran)) -> f64) -> f64 {
        support::median(self.runs.iter().map(figure).collect())
    }

    pub(crate) fn per_second(&self) -> f64 {
        self.median(|(reported, _)| reported.per_second)
    }

    pub(crate) fn cpu_us_per_request(&self) -> f64 {
        self.median(|(reported, ran)| ran.cpu_us / reported.requests)
    }

    fn own_share(&self) -> f64 {
        self.median(|(_, ran)| ran.own_share)
    }

    /// Whether the generator limited its rate.
    pub(crate) fn is_full(&self) -> bool {
        self.own_share() >= FULL
    }

    /// The median of the latency.
    pub(crate) fn median_us(&self) -> f64 {
        self.median(|(reported, _)| reported.median_us.unwrap())
    }
}

/// Prints each tool's rate and CPU time, and their ratios to those of `seckill bench`.
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
        figure!("* its core was not saturated: the server, or other work here, limited its rate");
    }
}

/// Prints the latency that each tool reports.
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

/// A ratio and its wanted range.
pub(crate) struct Goal {
    pub(crate) what: String,
    pub(crate) ratio: f64,
    pub(crate) wanted: std::ops::RangeInclusive<f64>,
    /// Whether both sides were limited by the intended bottleneck.
    pub(crate) is_clear: bool,
}

/// Prints for each goal whether it is met.
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
