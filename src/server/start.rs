//! Start-up: opens the data dir and the engines, puts the steps in place, opens the sale.
//!
//! This is the one file of the server that turns flaws into steps.

use std::sync::Arc;

use crate::clock::Clock;
use crate::flaws::{Flaw, Flaws};
use crate::profile::{PREFETCH_MAX, ServePlan, WaitingRoomPlan};
use crate::queue::Lookup;

use super::admin_token::AdminToken;
use super::app::{Admit, AnswerResult, App, Step};
use super::concurrency::ConcurrencyLimit;
use super::data_dir::{DataDir, DataError};
use super::error::ServeError;
use super::http::{self, Limits, Timeouts};
use super::intake::Orphans;
use super::keyed_rate_limit::KeyedRateLimit;
use super::limits::AdmissionLimits;
use super::open::{self, Opened};
use super::rate_limit::RateLimit;
use super::run::{DRAIN_TIMEOUT, Server};
use super::waiting_room::WaitingRoom;
use super::{admission, flaws};

impl Server {
    /// Opens the data dir, recovers, and listens.
    ///
    /// # Errors
    /// See [`ServeError`].
    pub async fn start(plan: ServePlan) -> Result<Self, ServeError> {
        // The address first: a port in use is reported before anything is written.
        let listen_error = |cause| ServeError::Listen { address: plan.listen.clone(), cause };
        let listener = http::listen(&plan.listen).map_err(listen_error)?;
        let address = listener.local_addr().map_err(listen_error)?;
        let Opened { data, queue, store } = open::open(&plan).await?;
        let token = plan.admin_token.clone().map_or_else(|| data.admin_token(), Ok)?;
        let waiting_room = plan.admission.waiting_room.as_ref().filter(|_| plan.accepts);
        let waiting_room = waiting_room.map(|room| waiting_room_of(room, &data)).transpose()?;
        let concurrency = match queue.lookup() {
            Lookup::Queue(_) => ConcurrencyLimit::default(),
            Lookup::Register(_) => ConcurrencyLimit::over_broker(),
        };
        let app = App {
            queue: Arc::new(queue),
            store: Arc::new(store),
            clock: Clock::System,
            admin_token: AdminToken::new(token),
            per_buyer: plan.per_buyer,
            hold_us: plan.hold_us,
            rate_limit: plan.rate_limit.map(RateLimit::new),
            buyer_rate_limit: plan.buyer_rate_limit.map(KeyedRateLimit::new),
            limits: AdmissionLimits::new(&plan.admission),
            concurrency: Arc::new(concurrency),
            draining: Default::default(),
            confirm_batcher: Default::default(),
            ledger_readers: Default::default(),
            queue_check: Default::default(),
            store_check: Default::default(),
            progress: Default::default(),
            decided_rate: Default::default(),
            precedence: Default::default(),
            waiting_room,
            admission: admission_step(&plan),
            result: result_step(&plan.flaws),
            consume: match plan.flaws.has(Flaw::AckBeforeApply) {
                false => Step::Standard,
                true => Step::Replaced(flaws::ack_before_apply),
            },
            undecided: match plan.flaws.has(Flaw::AckOnError) {
                false => Step::Standard,
                true => Step::Replaced(flaws::ack_on_error),
            },
        };
        open::sale(&app.store, &plan).await?;
        let (consumers, prefetch) = (plan.consumers, plan.prefetch.clamp(1, PREFETCH_MAX));
        let limits = Limits {
            connections_max: plan.connections_max,
            drain_timeout: DRAIN_TIMEOUT,
            timeouts: Timeouts::default(),
        };
        let orphans = orphans(consumers, &plan.flaws);
        let app = Arc::new(app);
        Ok(Self {
            app,
            listener,
            address,
            limits,
            consumers,
            prefetch,
            orphans,
            keep_replaced: plan.keep_replaced,
            _data: data,
        })
    }
}

fn waiting_room_of(plan: &WaitingRoomPlan, data: &DataDir) -> Result<WaitingRoom, DataError> {
    let secret = plan.secret.clone().map_or_else(|| data.waiting_room_secret(), Ok)?;
    Ok(WaitingRoom::new(plan, &secret))
}

fn admission_step(plan: &ServePlan) -> Step<Admit> {
    match (plan.accepts, plan.blind) {
        (false, _) => Step::Replaced(admission::accept_none),
        (true, true) => Step::Replaced(flaws::blind_admission),
        (true, false) if plan.flaws.has(Flaw::StickySoldOut) => {
            Step::Replaced(flaws::sticky_sold_out)
        }
        (true, false) => Step::Standard,
    }
}

fn result_step(chosen: &Flaws) -> Step<AnswerResult> {
    if chosen.has(Flaw::GlobalResult) {
        Step::Replaced(flaws::global_result)
    } else if chosen.has(Flaw::LostResult) {
        Step::Replaced(flaws::lost_result)
    } else {
        Step::Standard
    }
}

/// A process that consumes republishes orphans, unless a flaw is to lose attempts: then they must
/// not be found again.
fn orphans(consumers: usize, flaws: &Flaws) -> Orphans {
    let loses =
        [Flaw::TransientQueue, Flaw::UnconfirmedPublish, Flaw::AckOnError, Flaw::AckBeforeApply];
    match consumers > 0 && !loses.iter().any(|flaw| flaws.has(*flaw)) {
        true => Orphans::Republish,
        false => Orphans::Ignore,
    }
}
