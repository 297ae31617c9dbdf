//! `seckill bench --self-test`.

use clap::{Args, Command};

use crate::load;
use crate::profile::{BenchFlags, Plan, Profile};

use super::args::BenchArgs;
use super::console::{print, say};
use super::failure::Failure;
use super::sources::Sources;

/// The flags that the self-test reads.
const READ: [&str; 3] = ["self_test", "io", "json"];

/// Tests the generator; the exit code is 5 if its measurements cannot be trusted on this machine.
pub(super) fn self_test(flags: &BenchFlags, sources: &Sources) -> Result<u8, Failure> {
    refuse_unread(sources)?;
    let kernel = || load::check_rings(load::workers(u64::MAX));
    let driver = BenchFlags { io: flags.io, ..BenchFlags::default() };
    let io = Plan::choose_io(&driver, kernel)
        .map_err(|error| Failure::Usage(sources.explain_with(&error, &Profile::default(), "")))?;
    say("self-test: pacing, the ceiling, and a server that freezes; takes about 13 s");
    let result = crate::bench::self_test(io)?;
    print(&if flags.json == Some(true) {
        format!("{:#}\n", result.json())
    } else {
        result.text()
    })?;
    Ok(if result.passed() { 0 } else { 5 })
}

/// Runs the server that the self-test starts.
pub(super) fn stub_server() -> Result<u8, Failure> {
    crate::bench::stub_server(|line| drop(print(line)))?;
    Ok(0)
}

/// Refuses flags without an effect on the self-test. A variable may be meant for other runs.
fn refuse_unread(sources: &Sources) -> Result<(), Failure> {
    let bench = BenchArgs::augment_args(Command::new("bench"));
    let mut flags = bench.get_arguments().filter(|flag| !READ.contains(&flag.get_id().as_str()));
    let Some(unread) = flags.find(|flag| sources.is_on_command_line(flag.get_id().as_str())) else {
        return Ok(());
    };
    let name = unread.get_long().map_or_else(String::new, |long| format!("--{long}"));
    let name = if name.is_empty() { "flags after --".to_owned() } else { name };
    Err(Failure::Usage(format!(
        "{name}: cannot be combined with --self-test, which does not read it: leave one out"
    )))
}
