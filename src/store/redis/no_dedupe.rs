//! The flaw `no-dedupe`: an attempt is decided as often as it is delivered.

use std::sync::Arc;

use crate::sale::Attempt;

use super::super::{Decided, StoreError};
use super::link::Link;
use super::reserve::run;
use super::scripts::SCRIPTS;

/// Decides every delivery.
pub(super) async fn decide(
    link: &Link,
    attempts: &[Arc<Attempt>],
    now_us: u64,
) -> Result<Vec<Arc<Decided>>, StoreError> {
    run(link, &SCRIPTS.reserve_again, attempts, now_us).await
}
