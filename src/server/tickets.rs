//! `POST /waiting-room/tickets` and `GET /waiting-room/tickets/{ticket}`.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use hyper::{Response, StatusCode};
use percent_encoding::percent_decode_str;

use crate::api::{Refusal, TakeTicket};
use crate::ids::{BuyerId, IdError, ItemId};
use crate::sale::Phase;
use crate::store::SaleView;

use super::answer::{self, json, refused, refused_for, rejected};
use super::app::App;
use super::waiting_room::{Load, WaitingRoom};

/// An attempt that would be queued for longer means that too many are admitted.
const WAIT_MAX: Duration = Duration::from_secs(1);

/// Answers a request for a ticket, from a client at this address if that matters.
pub(super) async fn take(
    app: &App,
    room: &WaitingRoom,
    wanted: TakeTicket,
    client: Option<IpAddr>,
) -> Response<Bytes> {
    let bad = |reason, what: &str, error: IdError| {
        rejected(StatusCode::BAD_REQUEST, reason, format!("{what} {error}"))
    };
    let buyer: BuyerId = match wanted.uid.parse() {
        Ok(buyer) => buyer,
        Err(error) => return bad("bad_uid", "uid", error),
    };
    let item = match wanted.item.map(|item| item.parse::<ItemId>()).transpose() {
        Ok(item) => item,
        Err(error) => return bad("bad_item", "item", error),
    };
    if let Some(response) = over_limit(app, client) {
        return response;
    }
    match current_sale(app, item.as_ref()).await {
        Ok(sale) => json(StatusCode::OK, &room.take(&sale, &buyer, load(app), app.clock.now_us())),
        Err(response) => response,
    }
}

/// Answers a request for the state of a ticket, from a client at this address if that matters.
pub(super) async fn look(
    app: &App,
    room: &WaitingRoom,
    signed: &str,
    client: Option<IpAddr>,
) -> Response<Bytes> {
    if let Some(response) = over_limit(app, client) {
        return response;
    }
    // A ticket has no characters that must be escaped, but some clients escape others, too.
    let signed = percent_decode_str(signed).decode_utf8_lossy();
    let Some(ticket) = room.read(&signed, app.clock.now_us()) else { return unknown_ticket() };
    let sale = match current_sale(app, Some(ticket.item())).await {
        Ok(sale) => sale,
        Err(response) => return response,
    };
    match room.look(&sale, ticket, load(app), app.clock.now_us()) {
        Some(status) => json(StatusCode::OK, &status),
        None => unknown_ticket(),
    }
}

/// The refusal of a client whose address is over its limit. Looks at tickets count as well: each
/// costs a signature and a read of the store.
fn over_limit(app: &App, client: Option<IpAddr>) -> Option<Response<Bytes>> {
    let wait = app.limits.address_rate.as_ref()?.admit(client?).err()?;
    Some(refused_for(Refusal::RateLimited, Some(wait)))
}

/// A sale for which tickets make sense.
async fn current_sale(app: &App, item: Option<&ItemId>) -> Result<SaleView, Response<Bytes>> {
    if app.draining.has_begun() {
        return Err(refused(Refusal::Draining));
    }
    let sale = app.store.sale(item).await.map_err(|error| answer::store_error(&error))?;
    if sale.phase(app.clock.now_us()) == Phase::Closed {
        return Err(refused(Refusal::Closed));
    }
    if sale.is_sold_out_for_good() {
        return Err(refused(Refusal::SoldOut));
    }
    Ok(sale)
}

fn load(app: &App) -> Load {
    let waits_long = app.queue.drain_time().is_some_and(|wait| wait > WAIT_MAX);
    Load {
        decided_per_second: app.queue.drained_per_second(),
        is_overload: waits_long || !app.concurrency.is_calm(),
    }
}

fn unknown_ticket() -> Response<Bytes> {
    let message = "no such ticket, or no longer: take another one";
    rejected(StatusCode::NOT_FOUND, "unknown_ticket", message)
}
