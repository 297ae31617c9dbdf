//! A store whose stock is spread over several buckets, each in a slot of its own in a cluster, so
//! that several nodes share the work of one item (`--stock-buckets`).
//!
//! A bucket is a store as it is otherwise, with the same scripts and with keys of its own. All
//! attempts of a buyer are in one bucket, and all that has to happen in one step happens there.
//! What goes beyond one bucket:
//!
//! - Each request id belongs to one bucket ([`claims`]).
//! - A bucket that has no unit for an attempt fetches some from another one ([`supply`]).
//! - An attempt is told that the sale is sold out only if all buckets were empty at one moment, and
//!   no unit was on its way ([`stocks`]).
//! - A sale is opened in all of them ([`opening`]).

mod claims;
mod home;
mod join;
mod ledger;
mod lookup;
mod opening;
mod owners;
mod register;
mod reserve;
mod round;
mod shares;
mod stock;
mod stocks;
mod supply;
mod tags;

use tokio::task::AbortHandle;

use crate::ids::{BuyerId, RequestId};

use super::super::StoreError;
use super::bucket::Bucket;
use super::link::Link;
use super::records::unreadable;
use claims::{Claim, Claims};
use stocks::Stocks;

pub(super) use join::join_all;
pub(super) use owners::Owners;
pub(super) use tags::keys_of;

/// The buckets of a store; there are at least two.
#[derive(Debug)]
pub(super) struct Buckets {
    all: Vec<Bucket>,
    links: Vec<Link>,
    /// The index of request ids, of which each bucket has a part.
    claims: Vec<Claims>,
    stocks: Stocks,
    opening: AbortHandle,
}

impl Buckets {
    /// Starts what these buckets need together.
    pub(super) fn start(all: Vec<Bucket>) -> Self {
        let links: Vec<Link> = all.iter().map(|bucket| bucket.link.clone()).collect();
        let claims = links.iter().cloned().map(Claims::start).collect();
        let stocks = Stocks::start(links.clone());
        let opening = tokio::spawn(shares::complete_openings(links.clone())).abort_handle();
        Self { all, links, claims, stocks, opening }
    }

    pub(super) fn is_connected(&self) -> bool {
        self.links.iter().all(Link::is_connected)
    }

    /// The bucket of a buyer.
    fn home(&self, buyer: &BuyerId) -> usize {
        home::home_of(buyer, self.all.len())
    }

    /// The part of the index that has an id.
    fn claims(&self, request_id: &RequestId) -> &Claims {
        &self.claims[home::index_of(request_id, self.all.len())]
    }

    /// The bucket that has claimed an id.
    fn of_claim(&self, claim: Claim) -> Result<&Bucket, StoreError> {
        self.all.get(claim.bucket).ok_or_else(|| unreadable("a claim", claim))
    }
}

impl Drop for Buckets {
    fn drop(&mut self) {
        self.opening.abort();
    }
}
