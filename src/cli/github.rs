//! Within a job of GitHub Actions, a run adds its summary to that of the job, and annotates it.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use crate::escape::printable;
use crate::report::{self, Titled};

use super::say;

fn is_job() -> bool {
    std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

/// Reports to the job, if there is one, why a run could not begin or end.
pub(super) fn report_failure_to_job(message: &str) {
    if is_job() {
        say(report::failure_annotation(message));
    }
}

/// Reports a run to the job, if there is one. What cannot be written is said and changes nothing.
pub(super) fn report_to_job(titled: Titled<'_>) {
    if !is_job() {
        return;
    }
    // The runner reads commands from stderr as well, and stdout may be JSON.
    report::annotations(titled.run).iter().for_each(say);
    let Some(path) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()) else {
        return;
    };
    if let Err(error) = append(Path::new(&path), titled) {
        let path = printable(&path.to_string_lossy()).to_string();
        say(format_args!(
            "seckill: cannot append to {path} (GITHUB_STEP_SUMMARY from the environment): {error:#}"
        ));
    }
}

fn append(path: &Path, titled: Titled<'_>) -> anyhow::Result<()> {
    let text = report::summary(&[titled])?;
    let mut file = OpenOptions::new().append(true).create(true).open(path)?;
    Ok(file.write_all(format!("{text}\n").as_bytes())?)
}
