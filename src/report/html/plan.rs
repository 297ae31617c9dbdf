//! The plan of a run, and the command that runs it again.

use crate::archive::Run;
use crate::report::words::outside;

/// The plan of a run.
pub(super) struct Plan {
    /// The command, one flag a line.
    pub(super) command: String,
    /// What the command leaves out.
    pub(super) notes: Vec<&'static str>,
    pub(super) seed: u64,
    pub(super) version: String,
}

impl Plan {
    pub(super) fn new(run: &Run) -> Self {
        let record = &run.plan;
        let lines = |flags: &[String]| {
            let flags: Vec<_> = flags.iter().map(|flag| quoted(&outside(flag))).collect();
            flags.join(" \\\n  ")
        };
        let mut command = format!("seckill bench \\\n  {}", lines(&record.flags(&run.sut)));
        if let Some(spawn) = record.spawn.as_ref().filter(|flags| !flags.is_empty()) {
            command += &format!(" \\\n  -- {}", lines(spawn));
        }
        let mut notes = Vec::new();
        if record.spawn.is_none() && run.sut.name().is_none() {
            notes.push("The admin token is not recorded: give it in SECKILL_ADMIN_TOKEN.");
        }
        let is_local = |flag: &String| flag.contains("://127.0.0.1:");
        if record.spawn.iter().flatten().any(is_local) {
            notes.push(
                "The services of the server were on this machine. If they are gone, run the \
                 command under seckill lab, without the flags that name them.",
            );
        }
        // A run that was recorded by an earlier version does not say which one it was.
        let is_relative = run.thresholds.iter().any(|result| result.baseline.is_some());
        if is_relative && record.plan.baseline.is_none() {
            notes.push("Some thresholds are relative to a recorded run: add its --baseline.");
        }
        Self { command, notes, seed: record.plan.seed, version: outside(&run.seckill) }
    }
}

/// A word of a shell's command line.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,%+@".contains(c);
    match word.chars().all(is_plain) && !word.is_empty() {
        true => word.to_owned(),
        false => format!("'{}'", word.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quoted("--ramp=20s"), "--ramp=20s");
        assert_eq!(quoted("--fail-if=p99>20ms"), "'--fail-if=p99>20ms'");
        assert_eq!(quoted("a'; rm -rf x"), r"'a'\''; rm -rf x'");
        assert_eq!(quoted(""), "''");
    }
}
