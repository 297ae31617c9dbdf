//! A file that is no whole history of a known version is an error that says where it is wrong.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use seckill::history::{History, HistoryError, VERSION};

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
fn newer_version_is_an_error_that_says_so() {
    let file = written(&every_kind());
    for newer in [u64::from(VERSION) + 1, 99, u64::MAX] {
        // A newer version may have other keys and other lines.
        let first = format!("{{\"history\":{newer},\"seed\":[1]}}\n");
        let error = read(&(first + &file)).unwrap_err();
        assert!(matches!(error, HistoryError::Newer(_)), "{error}");
        assert!(error.to_string().contains("use a newer seckill"), "{error}");
    }
    assert!(matches!(read("{\"history\":99}\n").unwrap_err(), HistoryError::Newer(99)));
}

/// Replaces the line with this number, counted from 1.
fn with_line(number: usize, line: &str) -> String {
    let file = written(&every_kind());
    let mut lines: Vec<&str> = file.lines().collect();
    lines[number - 1] = line;
    lines.join("\n") + "\n"
}

#[test]
fn wrong_line_is_named() {
    let file = written(&every_kind());
    let last = file.lines().count();
    let first = file.lines().next().unwrap();
    let id = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
    let cases = [
        (1, "".to_owned()),
        (1, "[]".to_owned()),
        (1, "{\"history\":1}".to_owned()),
        (1, "{\"history\":-1}".to_owned()),
        (1, first.replace("\"history\":1,", "")),
        (1, first.replace("\"tea\"", "\"a b\"")),
        (1, first.replace("\"thread\"", "\"nobody\"")),
        (1, "{\"thread\":0,\"index\":0,\"answered\":\"lost\"}".to_owned()),
        (2, "no JSON".to_owned()),
        (2, "\u{fffd}\0".to_owned()),
        (2, "[".repeat(1000)),
        (2, first.to_owned()),
        (2, "{\"thread\":0,\"index\":0,\"answered\":\"sold\"}".to_owned()),
        (2, "{\"thread\":0,\"index\":0,\"answered\":\"won\"}".to_owned()),
        (2, "{\"thread\":0,\"index\":0,\"answered\":\"queued\"}".to_owned()),
        (2, "{\"thread\":0,\"index\":0,\"answered\":\"lost\",\"order_id\":\"a\"}".to_owned()),
        (2, "{\"thread\":-1,\"index\":0,\"answered\":\"lost\"}".to_owned()),
        (2, "{\"thread\":0.5,\"index\":0,\"answered\":\"lost\"}".to_owned()),
        (7, format!("{{\"request_id\":\"{id}\",\"result\":\"accepted\"}}")),
        (7, format!("{{\"request_id\":\"{id}\",\"result\":\"won\"}}")),
        (7, "{\"request_id\":\"tea\",\"result\":\"lost\"}".to_owned()),
        (last, "{\"entries\":3,\"results\":5}".to_owned()),
        (last, "{\"entries\":4,\"results\":6}".to_owned()),
        (last, "{\"entries\":4,\"results\":5}\n".to_owned()),
    ];
    for (number, line) in cases {
        let error = read(&with_line(number, &line)).unwrap_err();
        let HistoryError::Line { line: named, .. } = error else { panic!("{line}: {error}") };
        // What follows the last line is on the next one.
        let number = number + usize::from(line.ends_with('\n'));
        assert_eq!(named, number as u64, "{line}: {error}");
        assert_eq!(error.to_string().lines().count(), 1, "{error}");
    }
}

#[test]
fn attempt_that_was_not_sent_is_an_error() {
    let not_sent = [(0, 3), (2, 0), (3, 1), (4, 0), (1 << 24, 0), (u64::from(u32::MAX), 0)];
    let highest = [(0, 1 << 36), (0, u64::MAX)];
    for (thread, index) in not_sent.into_iter().chain(highest) {
        let line = format!("{{\"thread\":{thread},\"index\":{index},\"answered\":\"lost\"}}");
        let error = read(&with_line(3, &line)).unwrap_err().to_string();
        assert_eq!(error, "line 3: the attempt is not among those that the first line counts");
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
        }
    }
}
