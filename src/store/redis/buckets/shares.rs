//! The share of a sale in each bucket, and completing openings that other processes have begun.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::MissedTickBehavior;

use crate::sale::{Fields, Terms};

use super::super::super::StoreError;
use super::super::link::{Access, Link};
use super::super::records::unreadable;
use super::super::scripts::SCRIPTS;
use super::home::share_of;
use super::join::try_join_all;

/// How often openings are looked for that were not completed.
const INTERVAL: Duration = Duration::from_secs(1);

/// Opens a sale in one bucket, as `share.lua` says it.
pub(super) async fn share(
    link: &Link,
    buckets: usize,
    epoch: u64,
    terms: &Terms,
    how: &str,
) -> Result<u64, StoreError> {
    let mut share = SCRIPTS.share.arg(link.keys(), epoch);
    let units = share_of(terms.stock, link.keys().number, buckets);
    share.arg(terms.to_string()).arg(units).arg(how);
    link.run(&share, Access::Write).await
}

/// Makes a sale the current one in all buckets, as it is in the first one.
pub(super) async fn complete(links: &[Link], epoch: u64, terms: &Terms) -> Result<(), StoreError> {
    let others = links[1..].iter().map(|link| share(link, links.len(), epoch, terms, "fresh"));
    try_join_all(others).await?;
    let mut opened = SCRIPTS.opened.arg(links[0].keys(), terms.item.as_str());
    opened.arg(epoch);
    links[0].run::<u64>(&opened, Access::Write).await.map(drop)
}

/// Completes openings for ever, with a pause after each round.
pub(super) async fn complete_openings(links: Vec<Link>) {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        // A failure is logged by the link, and the next round repeats it.
        let _ = complete_all(&links).await;
    }
}

/// Completes the openings that there are.
pub(super) async fn complete_all(links: &[Link]) -> Result<(), StoreError> {
    let mut get = redis::cmd("HGETALL");
    get.arg(links[0].key("opening"));
    let opening: HashMap<String, u64> = links[0].ask(&get).await?;
    for epoch in opening.into_values() {
        let mut get = redis::cmd("HGET");
        get.arg(links[0].key_of("sale", epoch)).arg("terms");
        let terms: String = links[0].ask(&get).await?;
        let terms = Terms::from_fields(&mut Fields::new(terms.as_bytes()))
            .map_err(|_| unreadable("a sale", &terms))?;
        complete(links, epoch, &terms).await?;
    }
    Ok(())
}
