//! The faults of the matrix, and one run with what it found.

use std::process::Stdio;

use serde_json::Value;

use super::lab::Lab;

/// The faults, without their times.
pub(crate) const FAULTS: &[&str] = &[
    "what=client do=latency delay=100ms jitter=50ms",
    "what=client do=bandwidth rate=500/s",
    "what=client do=slicer bytes=8 delay=5ms",
    "what=client do=blackhole",
    "what=client do=blackhole way=down",
    "what=client do=timeout delay=200ms",
    "what=client do=reset",
    "what=client do=slow-close delay=500ms",
    "what=client do=limit-data bytes=100 way=down",
    "what=client do=down",
    "what=client do=half-open",
    "what=server do=pause",
    "what=server do=kill",
    "what=disk do=full",
    "what=consumer do=pause",
    "what=consumer do=kill",
    "what=store do=latency delay=35ms",
    "what=store do=slicer bytes=16 delay=1ms",
    "what=store do=blackhole",
    "what=store do=blackhole way=down",
    "what=store do=reset",
    "what=store do=down",
    "what=store do=half-open",
    "what=store do=pause",
    "what=store do=kill",
    "what=broker do=latency delay=35ms",
    "what=broker do=bandwidth rate=2k/s",
    "what=broker do=slicer bytes=16 delay=1ms",
    "what=broker do=blackhole",
    "what=broker do=blackhole way=down",
    "what=broker do=reset",
    "what=broker do=limit-data bytes=1000",
    "what=broker do=down",
    "what=broker do=half-open",
    "what=broker do=pause",
    "what=broker do=kill",
    "what=broker do=wipe",
    "what=broker do=pause node=leader",
    "what=broker do=pause node=follower",
    "what=broker do=pause node=majority",
    "what=broker do=kill node=leader",
    "what=broker do=kill node=follower",
    "what=broker do=kill node=majority",
];

/// The invariants whose violations mean that an attempt had more than one effect.
const DOUBLED: [&str; 4] =
    ["order_ids_unique", "request_ids_unique", "buyer_limit", "orders_were_sent"];

/// The invariants whose violations mean that an accepted attempt is gone.
const LOST: [&str; 3] = ["accepted_kept", "accepted_decided", "earlier_kept"];

/// The invariants whose violations are counted as units.
const OVERSOLD: [&str; 3] = ["never_oversold", "stock_never_negative", "stock_conserved"];

/// What a run found.
pub(crate) struct Outcome {
    accepted: u64,
    faults: u64,
    lost: u64,
    doubled: u64,
    oversold: u64,
    told_wrongly: u64,
    verdict: String,
    /// The longest time until service was normal, in microseconds; `None` if it was not for one
    /// of the faults.
    normal_after_us: Option<u64>,
    problem: Option<String>,
    /// Whether the load generator kept up with its plan.
    is_valid: bool,
}

/// Runs a load with faults on these engines.
pub(crate) fn run(lab: &Lab, load: &[&str], flaw: Option<&str>) -> Outcome {
    let mut command = lab.program();
    command.args(["bench", "--spawn", "--json", "--rate", "200/s", "--max-threads", "2k"]);
    command.args(["--timeout", "5s", "--settle-timeout", "60s", "--max-errors", "100%"]);
    command.args(load).args(["--", "--stock", "1M", "--publish-timeout", "2s"]);
    command.args(flaw.iter().flat_map(|flaw| ["--flaw", flaw]));
    let output = command.stderr(Stdio::piped()).output().unwrap();
    let result = serde_json::from_slice(&output.stdout);
    let why = || String::from_utf8_lossy(&output.stderr).into_owned();
    Outcome::of(&result.unwrap_or_else(|_| panic!("{load:?}: {}", why())))
}

impl Outcome {
    pub(crate) const COLUMNS: &str = "lost | doubled | oversold | told wrongly";

    fn of(result: &Value) -> Self {
        let audit = &result["audit"];
        let number = |value: &Value| value.as_u64().unwrap_or_default();
        let violations = audit["violations"].as_array().map_or(&[][..], Vec::as_slice);
        let counted = |is_of: &dyn Fn(&str) -> bool| {
            let of = violations.iter().filter(|one| one["invariant"].as_str().is_some_and(is_of));
            of.map(|one| number(&one["count"])).sum()
        };
        let known = |word: &str| {
            LOST.contains(&word) || DOUBLED.contains(&word) || OVERSOLD.contains(&word)
        };
        let faults = result["faults"].as_array().unwrap();
        let normal = |fault: &Value| fault["normal_after_us"].as_u64();
        let problem = faults.iter().find_map(|fault| fault["problem"].as_str());
        Self {
            accepted: number(&audit["accepted"]),
            faults: faults.len() as u64,
            lost: counted(&|word| LOST.contains(&word)),
            doubled: counted(&|word| DOUBLED.contains(&word)),
            oversold: number(&audit["oversold"]),
            told_wrongly: counted(&|word| !known(word)),
            verdict: audit["verdict"].as_str().unwrap_or("none").to_owned(),
            normal_after_us: faults.iter().map(normal).try_fold(0, |most, us| Some(us?.max(most))),
            problem: problem.map(str::to_owned),
            is_valid: result["generator"]["valid"] == true,
        }
    }

    /// Whether nothing is wrong. That the evidence is not complete is no error of the server.
    pub(crate) fn is_right(&self) -> bool {
        self.verdict != "fail" && self.problem.is_none()
    }

    /// A cell of the matrix.
    pub(crate) fn cell(&self) -> String {
        let Self { lost, doubled, oversold, told_wrongly, .. } = self;
        let normal = match self.normal_after_us {
            Some(us) => format!("{:.1} s", (us as f64 / 1e5).ceil().max(1.0) / 10.0),
            None => "not within 3 s".to_owned(),
        };
        let unknown = if self.verdict == "unknown" { ", unknown" } else { "" };
        let doubts = self.doubts();
        format!("{lost} · {doubled} · {oversold} · {told_wrongly}, {normal}{unknown}{doubts}")
    }

    /// Cells of a campaign.
    pub(crate) fn row(&self) -> String {
        let Self { faults, accepted, lost, doubled, oversold, told_wrongly, verdict, .. } = self;
        let doubts = self.doubts();
        format!(
            "{faults} | {accepted} | {lost} | {doubled} | {oversold} | {told_wrongly} | \
             {verdict}{doubts}"
        )
    }

    /// What makes the figures doubtful.
    fn doubts(&self) -> String {
        let invalid = if self.is_valid { "" } else { ", invalid" };
        let problem = self.problem.as_ref().map(|why| format!(", {why}")).unwrap_or_default();
        format!("{invalid}{problem}")
    }
}
