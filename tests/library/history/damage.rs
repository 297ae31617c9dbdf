//! A file that is no whole history of a known version is an error that says where it is wrong.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use seckill::history::{History, HistoryError, SAMPLE_MAX, VERSION};

use super::{every_kind, read, written};

#[test]
fn file_that_was_cut_off_is_an_error_that_names_the_last_whole_line() {
    let file = written(&every_kind());
    for end in 0..file.len() {
        let whole_lines = file[..end].matches('\n').count() as u64;
        let error = read(&file[..end]).unwrap_err();
        let HistoryError::CutOff(line) = error else { panic!("cut at {end}: {error}") };
        assert_eq!(line, whole_lines, "cut at {end}");
    }
    let message = read(&file[..file.len() - 1]).unwrap_err().to_string();
    assert_eq!(message, format!("it was cut off after line {}", file.lines().count() - 1));
}

#[test]
fn missing_line_is_an_error() {
    let file = written(&every_kind());
    let lines: Vec<&str> = file.split_inclusive('\n').collect();
    for missing in 0..lines.len() {
        let rest: String = [&lines[..missing], &lines[missing + 1..]].concat().concat();
        assert!(read(&rest).is_err(), "without line {}: {rest}", missing + 1);
    }
}

#[test]
fn other_version_is_an_error_that_says_so() {
    let file = written(&every_kind());
    for other in [0, u64::from(VERSION) - 1, u64::from(VERSION) + 1, 99, u64::MAX] {
        // Another version may have other keys and other lines.
        let first = format!("{{\"history\":{other},\"seed\":[1]}}\n");
        let error = read(&(first + &file)).unwrap_err();
        assert!(matches!(error, HistoryError::Version(_)), "{error}");
        assert!(error.to_string().contains("use the seckill that wrote it"), "{error}");
    }
    assert!(matches!(read("{\"history\":99}\n").unwrap_err(), HistoryError::Version(99)));
}

/// The number of the first line that begins so, counted from 1.
fn number_of(beginning: &str) -> usize {
    let file = written(&every_kind());
    1 + file.lines().position(|line| line.starts_with(beginning)).unwrap()
}

/// That line with other words in it.
fn changed(beginning: &str, old: &str, new: &str) -> (usize, String) {
    let (number, file) = (number_of(beginning), written(&every_kind()));
    let line = file.lines().nth(number - 1).unwrap();
    assert!(line.contains(old), "{line}");
    (number, line.replacen(old, new, 1))
}

/// Replaces the line with this number, counted from 1.
fn with_line(number: usize, line: &str) -> String {
    let file = written(&every_kind());
    let mut lines: Vec<&str> = file.lines().collect();
    lines[number - 1] = line;
    lines.join("\n") + "\n"
}

/// Lines that no history has, each with its number.
fn wrong_lines() -> Vec<(usize, String)> {
    let file = written(&every_kind());
    let first = file.lines().next().unwrap();
    let id = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
    let times = "\"sent_us\":1,\"answered_us\":2";
    let attempt = |thread: &str, answered: &str| {
        format!("{{\"thread\":{thread},\"index\":0,\"answered\":{answered},{times}}}")
    };
    let result = |id: &str, result: &str| {
        format!("{{\"request_id\":\"{id}\",\"result\":\"{result}\",{times}}}")
    };
    let of_result = number_of("{\"request_id\"");
    vec![
        (1, "".to_owned()),
        (1, "[]".to_owned()),
        (1, format!("{{\"history\":{VERSION}}}")),
        (1, "{\"history\":-1}".to_owned()),
        (1, first.replace(&format!("\"history\":{VERSION},"), "")),
        (1, first.replace("\"tea\"", "\"a b\"")),
        (1, first.replace("\"thread\"", "\"nobody\"")),
        (1, first.replace("\"began_us\"", "\"began_ms\"")),
        (1, attempt("0", "\"lost\"")),
        (2, "no JSON".to_owned()),
        (2, "\u{fffd}\0".to_owned()),
        (2, "[".repeat(1000)),
        (2, first.to_owned()),
        (2, attempt("0", "\"sold\"")),
        (2, attempt("0", "\"won\"")),
        (2, attempt("0", "\"queued\"")),
        (2, attempt("0", "\"lost\",\"order_id\":\"a\"")),
        (2, attempt("0", "\"lost_sold_out\",\"order_id\":\"a\"")),
        (2, attempt("0", "\"lost_full_moon\"")),
        (2, attempt("-1", "\"lost\"")),
        (2, attempt("0.5", "\"lost\"")),
        (2, attempt("0", "\"lost\"").replace("\"sent_us\":1,", "")),
        (2, attempt("0", "\"lost\"").replace(":2", ":-2")),
        (2, attempt("0", "\"lost\",\"refusal\":{\"refused\":\"sold_out\"}")),
        (of_result, result(id, "accepted")),
        (of_result, result(id, "won")),
        (of_result, result("tea", "lost")),
        (of_result, result(id, "lost").replace("\"answered_us\":2", "\"answered_us\":null")),
    ]
}

/// Lines of refusals, states of the sale and the end that no history has.
fn wrong_later_lines() -> Vec<(usize, String)> {
    let (tally, view, end) = ("{\"of\":{\"refused\":\"sold_out\"}", "{\"view\"", "{\"entries\"");
    let last = number_of(end);
    vec![
        changed(tally, "sold_out", "full_moon"),
        changed(tally, "{\"refused\":\"sold_out\"}", "\"refused\""),
        changed(tally, "\"count\":1", "\"count\":-1"),
        changed(tally, "\"count\":1,", ""),
        changed(tally, "\"every\":1", "\"every\":[]"),
        changed(tally, "\"sent_us\":2100,", ""),
        changed(view, "\"stock\":3", "\"stock\":-3"),
        changed(view, "\"queued\":1,", ""),
        changed(view, "\"opens_us\":", "\"opens_us\":-"),
        changed(end, "\"entries\":9", "\"entries\":8"),
        changed(end, "\"tallies\":10", "\"tallies\":9"),
        changed(end, "\"views\":3", "\"views\":4"),
        changed(end, "\"results\":10", "\"results\":9"),
        changed(end, "\"asked\"", "\"ask\""),
        changed(end, "\"is_ready\":true", "\"is_ready\":1"),
        changed(end, "\"status\":404", "\"status\":-1"),
        (last, changed(end, "{", "{").1 + "\n"),
    ]
}

#[test]
fn wrong_line_is_named() {
    for (number, line) in wrong_lines().into_iter().chain(wrong_later_lines()) {
        let error = read(&with_line(number, &line)).unwrap_err();
        let HistoryError::Line { line: named, .. } = error else { panic!("{line}: {error}") };
        // What follows the last line is on the next one.
        let number = number + usize::from(line.ends_with('\n'));
        assert_eq!(named, number as u64, "{line}: {error}");
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
    }
}

#[test]
fn sample_beyond_its_bound_is_an_error() {
    let tally = "{\"of\":\"contradictory\"";
    let (number, line) = changed(tally, "{", "{");
    let (begin, rest) = line.split_once("\"sample\":[").unwrap();
    let (request, end) = rest.split_once(']').unwrap();
    let with = |len: usize| {
        let sample = vec![request; len].join(",");
        with_line(number, &format!("{begin}\"sample\":[{sample}]{end}"))
    };
    assert_eq!(read(&with(SAMPLE_MAX)).unwrap().contradictory.sample.len(), SAMPLE_MAX);
    let error = read(&with(SAMPLE_MAX + 1)).unwrap_err().to_string();
    assert_eq!(error, format!("line {number}: more requests than a tally keeps"));
}

#[test]
fn attempt_that_was_not_sent_is_an_error() {
    let not_sent = [(0, 3), (2, 0), (3, 1), (4, 0), (1 << 24, 0), (u64::from(u32::MAX), 0)];
    let highest = [(0, 1 << 36), (0, u64::MAX)];
    for (thread, index) in not_sent.into_iter().chain(highest) {
        let not_sent = "the attempt is not among those that the first line counts";
        let (attempt, times) =
            (format!("\"thread\":{thread},\"index\":{index}"), "\"sent_us\":1,\"answered_us\":2");
        let line = format!("{{{attempt},\"answered\":\"lost\",{times}}}");
        let error = read(&with_line(3, &line)).unwrap_err().to_string();
        assert_eq!(error, format!("line 3: {not_sent}"));
        for kept in ["\"first\":{\"attempt\":{", "\"last\":{\"attempt\":{", "[{\"attempt\":{"] {
            let sent = format!("{kept}\"thread\":1,\"index\":1");
            let of = "{\"of\":\"without_retry_after\"";
            let (number, line) = changed(of, &sent, &format!("{kept}{attempt}"));
            let error = read(&with_line(number, &line)).unwrap_err().to_string();
            assert_eq!(error, format!("line {number}: {not_sent}"));
        }
    }
}

#[test]
fn numbers_that_no_id_can_hold_are_an_error() {
    let file = written(&every_kind());
    let sent = "\"sent\":[[3,2],[0,1],[1,1]]";
    assert!(file.contains(sent), "{file}");
    for (replaced, problem) in [
        ("[[68719476737,1]]", "more attempts of a virtual user"),
        ("[[18446744073709551615,1]]", "more attempts of a virtual user"),
        ("[[3,16777217]]", "more virtual users"),
        ("[[3,18446744073709551615],[3,18446744073709551615]]", "more virtual users"),
    ] {
        let file = file.replace(sent, &format!("\"sent\":{replaced}"));
        let error = read(&file).unwrap_err().to_string();
        assert!(error.starts_with(&format!("line 1: {problem}")), "{error}");
    }
}

proptest! {
    #[test]
    fn file_with_other_bytes_is_read_or_refused(
        changes in vec((any::<Index>(), any::<u8>()), 1..4),
    ) {
        let mut file = written(&every_kind()).into_bytes();
        for (at, byte) in changes {
            let at = at.index(file.len());
            file[at] = byte;
        }
        // An attempt that was read leads to an id, and from there back to it.
        if let Ok(history) = History::read(&*file) {
            for entry in &history.entries {
                let id = history.ids.request_id(entry.attempt);
                prop_assert_eq!(history.ids.attempt(&id), Some(entry.attempt));
            }
            let tallies = history.refusals.iter().map(|(_, tally)| tally);
            let others = [&history.contradictory, &history.without_retry_after];
            for request in tallies.chain(others).flat_map(|tally| tally.kept()) {
                prop_assert!(history.was_sent(request.attempt));
            }
        }
    }
}
