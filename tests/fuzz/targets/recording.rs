//! The folder of a recorded run, whatever its files hold: read, judged again, and reported.

use std::path::Path;

use seckill::archive::{Recording, Run, compare, plan_differences};
use seckill::report::{Titled, annotations, html, junit, short, summary, terminal, verdict};

use super::file;

/// Ends a file in the bytes: the files are the result, the history, and the ledgers from before and
/// after the run.
pub(crate) const END: &[u8] = b"\n--end--\n";

const FILES: [&str; 4] = ["run.json", "history.ndjson", "ledger-before.ndjson", "ledger.ndjson"];

/// Every report of a run.
fn report(run: &Run) {
    let titled = [Titled { name: "a run", run }, Titled { name: "it again", run }];
    let _ = (terminal(run, true), short(run, false), verdict(run, false), annotations(run));
    html(&titled).unwrap();
    junit(&titled).unwrap();
    summary(&titled).unwrap();
    let _ = (compare(&[run, run]), plan_differences(&[run, run]));
    let _ = (run.exit_code(), run.figures());
    serde_json::to_string(run).unwrap();
}

/// A recording is judged and reported, or what is wrong in it is said on one line.
pub(crate) fn run(bytes: &[u8]) {
    let mut rest = bytes;
    let mut folder = None;
    for name in FILES {
        let end = rest.windows(END.len()).position(|window| window == END);
        let content = &rest[..end.unwrap_or(rest.len())];
        rest = end.map_or(&[][..], |end| &rest[end + END.len()..]);
        folder = file(name, content).parent().map(Path::to_owned);
    }
    let opened = Recording::open(&folder.unwrap());
    let is_one_line = |error: String| assert_eq!(error.lines().count(), 1, "{error}");
    match opened {
        Ok(recording) => {
            report(recording.run());
            match recording.audit() {
                Ok(run) => report(&run),
                Err(error) => is_one_line(error.to_string()),
            }
        }
        Err(error) => is_one_line(error.to_string()),
    }
}
