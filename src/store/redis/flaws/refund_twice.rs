//! The flaw `refund-twice`: every attempt that loses gives a unit back.

use std::sync::{Arc, LazyLock};

use redis::Script;

use crate::sale::Attempt;

use super::super::link::Link;
use super::super::reserve::{Deciding, run};
use super::super::scripts::script;

static SCRIPT: LazyLock<Script> = LazyLock::new(|| script(include_str!("refund_twice.lua")));

/// Decides by the flawed rule.
pub(super) fn decide<'a>(
    link: &'a Link,
    attempts: &'a [Arc<Attempt>],
    now_us: u64,
) -> Deciding<'a> {
    Box::pin(run(link, &SCRIPT, attempts, now_us))
}
