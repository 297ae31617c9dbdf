//! The faults of a run, and what buyers saw of each.

use std::fmt::Write;

use crate::archive::Run;
use crate::escape::printable;
use crate::profile::Fault;
use crate::stats::FaultRecord;

use super::words::{how_many, time};

/// Faults that the short report shows; the full one shows all.
const SHORT_MAX: usize = 8;

/// All faults, for the full report.
pub(super) fn all(run: &Run) -> String {
    lines(run.faults.iter().collect(), usize::MAX)
}

/// The faults that did most harm, for the short report.
pub(super) fn worst(run: &Run) -> String {
    let mut faults: Vec<_> = run.faults.iter().collect();
    if faults.len() > SHORT_MAX {
        faults.sort_by_key(|fault| std::cmp::Reverse(harm(fault)));
    }
    lines(faults, SHORT_MAX)
}

fn harm(fault: &FaultRecord) -> (bool, Option<u64>, u64) {
    let has_recovered = fault.normal_after_us.is_some() || lasts_until_the_end(fault);
    let is_odd = fault.problem.is_some() || !has_recovered;
    (is_odd, fault.lost, fault.errors)
}

/// Whether the plan has no end of the fault, so that nothing comes after it.
fn lasts_until_the_end(fault: &FaultRecord) -> bool {
    fault.fault.parse::<Fault>().is_ok_and(|fault| fault.lasts.is_none())
}

/// Whether a fault killed the process whose CPU and memory were to be measured.
pub(super) fn killed_server(run: &Run) -> bool {
    let began = run.faults.iter().filter(|fault| fault.began_us.is_some());
    began.filter_map(|fault| fault.fault.parse::<Fault>().ok()).any(|fault| fault.kills_server())
}

fn lines(faults: Vec<&FaultRecord>, most: usize) -> String {
    let mut text = String::new();
    for fault in faults.iter().take(most) {
        let _ = writeln!(text, "Fault      {}", printable(&fault.fault));
        let _ = writeln!(text, "           {}", sentence(fault));
    }
    if faults.len() > most {
        let more = faults.len() - most;
        let _ = writeln!(text, "           {more} more, which did less harm: --full shows all");
    }
    text
}

/// What happened of a fault, in one line.
pub(super) fn sentence(fault: &FaultRecord) -> String {
    let began = fault.began_us.map(|_| seen(fault));
    let followed = Some(what_followed(fault)).filter(|text| !text.is_empty());
    let parts: Vec<_> = [lasted(fault)].into_iter().chain(began).chain(followed).collect();
    parts.join("; ")
}

/// When service was normal again, what was lost, and why the fault was not as planned.
pub(super) fn what_followed(fault: &FaultRecord) -> String {
    let mut parts: Vec<_> =
        fault.problem.iter().map(|problem| printable(problem).into_owned()).collect();
    if fault.ended_us.is_some() {
        parts.push(match fault.normal_after_us {
            Some(us) => {
                format!("normal again within {:.1} s", (us as f64 / 1e5).ceil().max(1.0) / 10.0)
            }
            None if lasts_until_the_end(fault) => "it lasted until the load ended".to_owned(),
            None => "not normal again before the next fault or the end".to_owned(),
        });
    }
    match (fault.began_us, fault.lost) {
        (None, _) => {}
        (_, None) => parts.push("what was lost is not known".to_owned()),
        (_, Some(0)) => parts.push("nothing lost".to_owned()),
        (_, Some(lost)) => parts.push(format!("LOST {}", how_many(lost, "accepted attempt"))),
    }
    parts.join("; ")
}

/// All faults in a few words, if there are some: `3, nothing lost`.
pub(super) fn in_short(run: &Run) -> Option<String> {
    let faults = &run.faults;
    let lost: Option<Vec<_>> =
        faults.iter().filter(|fault| fault.began_us.is_some()).map(|fault| fault.lost).collect();
    let lost = match lost.map(|lost| lost.into_iter().sum::<u64>()) {
        None => "what was lost is not known".to_owned(),
        Some(0) => "nothing lost".to_owned(),
        Some(_) => "accepted attempts LOST".to_owned(),
    };
    (!faults.is_empty()).then(|| format!("{}, {lost}", faults.len()))
}

/// When it began and was over, in seconds since the beginning of the load.
fn lasted(fault: &FaultRecord) -> String {
    let seconds = |us: u64| us as f64 / 1e6;
    match (fault.began_us, fault.ended_us) {
        (None, _) => "did not begin before the load ended".to_owned(),
        (Some(began), None) => format!("from {:.1} s on", seconds(began)),
        (Some(began), Some(ended)) => {
            format!("{:.1} s to {:.1} s", seconds(began), seconds(ended))
        }
    }
}

/// What buyers saw while it lasted.
pub(super) fn seen(fault: &FaultRecord) -> String {
    if fault.requests == 0 {
        return "no request was under way".to_owned();
    }
    let counts = fault.by_outcome.iter().chain(&fault.by_error);
    let counts: Vec<_> =
        counts.map(|(word, count)| format!("{} {count}", printable(word))).collect();
    let longest = time(fault.latency_max_us as f64);
    let requests = how_many(fault.requests, "request");
    format!("{requests}: {}; the longest took {longest}", counts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(fault: &FaultRecord) -> String {
        sentence(fault).replace(['\u{a0}', '\u{202f}'], " ")
    }

    #[test]
    fn sentence_says_what_happened_what_was_seen_and_what_was_lost() {
        let mut fault = FaultRecord {
            fault: "at=1s for=1s what=server do=kill".to_owned(),
            began_us: Some(1_000_000),
            ended_us: Some(2_100_000),
            requests: 5,
            errors: 3,
            by_outcome: [("queued".to_owned(), 2)].into(),
            by_error: [("reset".to_owned(), 3)].into(),
            latency_max_us: 21_000,
            normal_after_us: Some(300_000),
            lost: Some(0),
            problem: None,
        };
        assert_eq!(
            plain(&fault),
            "1.0 s to 2.1 s; 5 requests: queued 2, reset 3; the longest took 21.0 ms; normal \
             again within 0.3 s; nothing lost"
        );
        (fault.lost, fault.normal_after_us) = (Some(1), None);
        fault.problem = Some("could not be ended: \u{1b}[31m".to_owned());
        let text = plain(&fault);
        assert!(text.contains("not normal again before the next fault or the end"), "{text}");
        assert!(text.ends_with("LOST 1 accepted attempt"), "{text}");
        assert!(text.contains("could not be ended: \\u{1b}[31m"), "{text}");
        let never = FaultRecord::default();
        assert_eq!(plain(&never), "did not begin before the load ended");
    }

    #[test]
    fn short_list_has_the_faults_that_did_most_harm() {
        let fault = |errors| FaultRecord {
            fault: format!("{errors} errors"),
            began_us: Some(0),
            ended_us: Some(1),
            normal_after_us: Some(0),
            lost: Some(0),
            errors,
            ..FaultRecord::default()
        };
        let faults: Vec<_> = (0..20).map(fault).collect();
        let text = lines(faults.iter().collect(), SHORT_MAX);
        assert!(text.contains("12 more") && text.contains("Fault      7 errors"), "{text}");
    }
}
