//! The exit code of a run.

use super::verdict::Verdict;

/// What decides the exit code of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conclusion {
    /// The conclusion of the audit.
    pub verdict: Verdict,
    /// Whether the figures describe the tested system and not the generator.
    pub is_valid: bool,
    /// Whether a threshold was crossed.
    pub has_crossed: bool,
    /// Whether the run ended before the end of its plan.
    pub was_stopped: bool,
}

/// The exit code: the lowest of those that apply.
pub fn exit_code(conclusion: Conclusion) -> u8 {
    match conclusion {
        Conclusion { verdict: Verdict::Fail, .. } => 3,
        Conclusion { verdict: Verdict::Unknown, .. } => 4,
        Conclusion { is_valid: false, .. } => 5,
        Conclusion { has_crossed: true, .. } => 99,
        Conclusion { was_stopped: true, .. } => 130,
        Conclusion { verdict: Verdict::Pass | Verdict::NotAudited, .. } => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lowest_code_that_applies_wins() {
        let code = |verdict, is_valid, has_crossed, was_stopped| {
            exit_code(Conclusion { verdict, is_valid, has_crossed, was_stopped })
        };
        assert_eq!(code(Verdict::Pass, true, false, false), 0);
        assert_eq!(code(Verdict::NotAudited, true, false, false), 0);
        assert_eq!(code(Verdict::Pass, true, false, true), 130);
        assert_eq!(code(Verdict::Pass, true, true, true), 99);
        assert_eq!(code(Verdict::NotAudited, false, true, true), 5);
        assert_eq!(code(Verdict::Unknown, false, true, true), 4);
        assert_eq!(code(Verdict::Fail, false, true, true), 3);
    }
}
