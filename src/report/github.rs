//! Annotations of GitHub Actions: lines that its runner reads from the output of a step.
//! <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>

use crate::archive::Run;

use super::checks::{Check, Kind, State, checks};
use super::words::outside;

/// Largest number of annotations of a run: GitHub shows ten of each kind for a step.
const ANNOTATIONS_MAX: usize = 10;

/// Details of a check in its annotation, such as its first witnesses: the reports have all.
const DETAILS_MAX: usize = 3;

/// The annotations of a run, each a line. There are none for a run with nothing to report.
pub fn annotations(run: &Run) -> Vec<String> {
    let of_check = |check: Check| {
        let (command, what) = match (check.state, check.kind) {
            (State::Held | State::NotChecked, _) => return None,
            (State::Broken, Kind::Invariant) => ("error", "Invariant broken"),
            (_, Kind::Threshold) => ("error", "Threshold crossed"),
            (State::Broken, Kind::Run) => ("error", "Run invalid"),
            (State::Undecided, _) => ("warning", "No conclusion"),
        };
        let title = property(&format!("seckill: {what}: {}", check.problem()));
        let more = check.details.len().saturating_sub(DETAILS_MAX);
        let more = (more > 0).then(|| format!("and {more} more lines in the reports"));
        let details = check.details.into_iter().take(DETAILS_MAX).chain(more);
        let message = [check.message].into_iter().chain(details).collect::<Vec<_>>().join("\n");
        Some(format!("::{command} title={title}::{}", data(&message)))
    };
    checks(run).into_iter().filter_map(of_check).take(ANNOTATIONS_MAX).collect()
}

/// The annotation of a bench that failed before, during or after its run.
pub fn failure_annotation(message: &str) -> String {
    let lines: Vec<_> = message.lines().map(outside).collect();
    format!("::error title=seckill::{}", data(&lines.join("\n")))
}

/// Escapes a message, as the runner's own toolkit does.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes the value of a property, which ends at a comma or a colon.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_stays_in_one_line_and_property_ends_nowhere() {
        assert_eq!(data("100%\r\n::error::x"), "100%25%0D%0A::error::x");
        assert_eq!(property("a: b, c"), "a%3A b%2C c");
    }
}
