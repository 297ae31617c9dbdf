//! `seckill bench --self-test`.

use super::console::{print, say};
use super::failure::Failure;

/// Tests the generator; the exit code is 5 if its measurements cannot be trusted on this machine.
pub(super) fn self_test(as_json: bool) -> Result<u8, Failure> {
    say("self-test: pacing, the ceiling, and a server that freezes; takes about 13 s");
    let result = crate::bench::self_test()?;
    print(&if as_json { format!("{:#}\n", result.json()) } else { result.text() })?;
    Ok(if result.passed() { 0 } else { 5 })
}

/// Runs the server that the self-test starts.
pub(super) fn stub_server() -> Result<u8, Failure> {
    crate::bench::stub_server(|line| drop(print(line)))?;
    Ok(0)
}
