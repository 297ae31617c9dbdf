//! The exit code of a run.

use super::verdict::Verdict;

/// The exit code: the lowest of those that apply.
pub fn exit_code(verdict: Verdict, is_valid: bool) -> u8 {
    match verdict {
        Verdict::Fail => 3,
        Verdict::Unknown => 4,
        Verdict::Pass if !is_valid => 5,
        Verdict::Pass => 0,
    }
}
