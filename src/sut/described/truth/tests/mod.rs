//! Reading the truth from sources of every kind, well-behaved and hostile.

mod checks;
mod http;
mod mapping;
mod programs;
mod redis;
mod server;

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use tokio::time::Instant;
use toml::Spanned;

use crate::history::Found;
use crate::sut::Target;
use crate::sut::described::wrong::Wrong;

use super::{Around, Reset, ResetTable, Truth, TruthError, TruthTable};

/// What these tests read of a description.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Description {
    truth: Option<Spanned<TruthTable>>,
    #[serde(default)]
    reset: Vec<Spanned<ResetTable>>,
}

/// Compiles the truth of a description.
fn truth(text: &str) -> Result<Truth, Wrong> {
    let description: Description = toml::from_str(text).unwrap();
    Truth::new(&description.truth.unwrap())
}

/// Compiles the only step of a reset.
fn reset(text: &str) -> Result<Reset, Wrong> {
    let description: Description = toml::from_str(text).unwrap();
    Reset::new(&description.reset[0])
}

/// The surroundings of a read.
struct Site<'a> {
    target: Target,
    folder: &'a Path,
    deadline: Instant,
}

/// Surroundings with more time than a test needs.
fn site<'a>(target: &str, folder: &'a Path) -> Site<'a> {
    let deadline = Instant::now() + Duration::from_secs(60);
    Site { target: Target::new(Some(target)).unwrap(), folder, deadline }
}

impl Site<'_> {
    fn around(&self) -> Around<'_> {
        let Self { target, folder, deadline } = self;
        Around { target, item: "phone", seed: 7, folder, deadline: *deadline }
    }
}

/// A target that is not asked.
const NO_TARGET: &str = "http://127.0.0.1:1";

/// The orders that a description without a target leads to.
async fn orders(text: &str) -> Result<Vec<Found>, TruthError> {
    let truth = truth(text).unwrap();
    truth.orders(&site(NO_TARGET, Path::new("")).around()).await
}

/// The buyers of these orders.
fn buyers(found: &[Found]) -> Vec<&str> {
    found.iter().map(|found| found.buyer.as_deref().unwrap_or("?")).collect()
}

/// Whether a program is installed; reports the calling test as skipped if not.
fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_installed = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    if !is_installed {
        let thread = std::thread::current();
        let test = thread.name().unwrap_or("unnamed test");
        let line = format!("skipped: {test} ({program} not installed)\n");
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
    is_installed
}

#[test]
fn reads_can_be_moved_between_threads() {
    fn check(_: &impl Send) {}
    let truth = truth("[truth.orders]\ncommand = [\"true\"]\nformat = \"lines\"").unwrap();
    let site = site(NO_TARGET, Path::new(""));
    let around = site.around();
    check(&truth.orders(&around));
    check(&truth.stock(&around));
    check(&truth.queued(&around));
}
