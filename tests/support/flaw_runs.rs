//! Runs of the flaws' loads, and what the bench found in them.

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use super::child::seckill;
use super::flaw_loads::{Finding, FlawLoad};

impl FlawLoad {
    /// Checks that a bench found the flaw, and that only.
    ///
    /// # Errors
    /// What it found instead.
    pub(crate) fn check(&self, bench: &Output) -> Result<(), String> {
        let (code, result) = (bench.status.code(), result(bench)?);
        let broken = broken(&result);
        let (expected, shows) = match self.finding {
            Finding::Broken(invariant) => (3, broken.contains(&invariant.as_str())),
            Finding::BrokerFull => {
                let cause = result["requests"]["cause"].as_str().unwrap_or_default();
                (99, cause.contains("http_500") && cause.contains("at their limit"))
            }
        };
        let is_consequence = |word: &&str| {
            let mut all = self.companions.iter().copied().chain(self.finding.invariant());
            all.any(|invariant| invariant.as_str() == *word)
        };
        if code == Some(expected) && shows && broken.iter().all(is_consequence) {
            return Ok(());
        }
        let (verdict, because) = (&result["audit"]["verdict"], &result["audit"]["because"]);
        Err(format!("exit {code:?}, {verdict}, because {because}, broken: {broken:?}"))
    }

    /// Runs the load on a server that `bench` starts, and returns what it printed.
    pub(crate) fn spawn(&self, folder: &Path, server: &[String]) -> Output {
        let mut command = seckill();
        command.current_dir(folder).args(["bench", "--spawn", "--json"]).args(self.load);
        command.arg("--").args(self.server_flags()).args(server).output().unwrap()
    }

    /// Asserts that the bench finds the flaw, and passes the hardened design. `engines` makes the
    /// flags of a queue and a store for each of the runs. Returns the result with the flaw.
    ///
    /// On a busy machine the last unit may be sold before the other attempts arrive, so that the
    /// flaw has no effect: a run that passes is repeated, at most twice.
    #[track_caller]
    pub(crate) fn assert_found(&self, engines: impl Fn() -> Vec<String>) -> Value {
        let folder = tempfile::tempdir().unwrap();
        let hardened = self.spawn(folder.path(), &engines());
        let printed = String::from_utf8_lossy(&hardened.stdout);
        assert_eq!(hardened.status.code(), Some(0), "hardened, as {:?}: {printed}", self.flaw);
        let flaw = ["--flaw", self.flaw.name()].map(str::to_owned);
        let run = || self.spawn(folder.path(), &[&engines()[..], &flaw].concat());
        let mut flawed = run();
        let mut again = 2;
        while flawed.status.success() && again > 0 {
            flawed = run();
            again -= 1;
        }
        let result = result(&flawed);
        assert_eq!(self.check(&flawed), Ok(()), "{:?}: {result:#?}", self.flaw);
        result.unwrap()
    }
}

/// The result that a bench printed as JSON.
fn result(bench: &Output) -> Result<Value, String> {
    let problem = |error| format!("{error}: {}", String::from_utf8_lossy(&bench.stderr));
    serde_json::from_slice(&bench.stdout).map_err(problem)
}

/// The invariants that are broken.
fn broken(result: &Value) -> Vec<&str> {
    let violations = result["audit"]["violations"].as_array();
    let words = violations.into_iter().flatten().map(|broken| broken["invariant"].as_str());
    words.map(Option::unwrap_or_default).collect()
}
