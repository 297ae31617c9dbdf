//! Histories as files: what is written is read again, and a damaged file is an error that names
//! the line.

mod damage;
mod payments;
mod reference_lines;
mod round_trip;

use seckill::history::{
    Answered, Asked, AttemptNo, Entry, FinalRefusal, History, HistoryError, Hours, Ids, Loss,
    NoState, OrderStatus, Payment, PaymentAnswer, Refused, RequestWindow, ResultRead, SaleView,
    Stage, Standstill, Status, View,
};
use seckill::ids::{OrderId, RequestId};
use seckill::settings::Buyers;

/// When the histories begin, in microseconds since the Unix epoch.
const BEGAN_US: u64 = 1_795_556_940_000_000;

/// Every reason for a loss.
const LOSSES: [Loss; 6] = [
    Loss::SoldOut,
    Loss::AlreadyBought,
    Loss::SaleReplaced,
    Loss::Undeliverable,
    Loss::Unstated,
    Loss::Foreign,
];

/// Every kind of refusal.
const REFUSED: [Refused; 8] = [
    Refused::Invalid,
    Refused::NotOpen,
    Refused::Closed,
    Refused::AlreadyBought,
    Refused::SoldOut,
    Refused::IdReused,
    Refused::RateLimited,
    Refused::Unavailable,
];

fn written(history: &History) -> String {
    let mut file = Vec::new();
    history.write(&mut file).unwrap();
    String::from_utf8(file).unwrap()
}

fn read(file: &str) -> Result<History, HistoryError> {
    History::read(file.as_bytes())
}

/// The lines of a history's file.
fn lines(history: &History) -> usize {
    let others = [&history.contradictory, &history.without_retry_after];
    let tallies = history.refusals.iter().map(|(_, tally)| tally).chain(others);
    let tallies = tallies.filter(|tally| tally.count > 0).count();
    let views = history.views.iter().count();
    let results = history.results.len() + history.payments.len();
    1 + history.entries.len() + tallies + views + results + 1
}

fn entry(attempt: AttemptNo, answered: Answered) -> Entry {
    let sent_us = 1_000 + attempt.index % 1_000;
    Entry { attempt, answered, sent_us, answered_us: sent_us + 7, refusal: None }
}

fn window(thread: u32, index: u64) -> RequestWindow {
    let sent_us = 2_000 + 100 * index;
    RequestWindow { attempt: AttemptNo { thread, index }, sent_us, answered_us: sent_us + 50 }
}

fn result(request_id: RequestId, status: Option<Status>) -> ResultRead {
    ResultRead {
        request_id,
        status,
        order: None,
        held_until_us: None,
        sent_us: 90_000,
        answered_us: 90_400,
    }
}

const PAYMENT_ANSWERS: [PaymentAnswer; 6] = [
    PaymentAnswer::Paid,
    PaymentAnswer::Expired,
    PaymentAnswer::Cancelled,
    PaymentAnswer::UnknownOrder,
    PaymentAnswer::Refused,
    PaymentAnswer::Unknown,
];

fn view(sent_us: u64, stock_left: i64) -> View {
    let hours = Hours { opens_us: Some(BEGAN_US), closes_us: None };
    let (orders, queued, per_buyer) = ((3 - stock_left) as u64, 1, Some(2));
    let (item, epoch, stock) = ("tea".into(), 4, 3);
    let (stage, finished) = (Some(Stage::Open), Some(false));
    let sale = SaleView {
        item,
        epoch,
        stock,
        stock_left,
        orders,
        queued,
        per_buyer,
        hours,
        hold_us: None,
        held: None,
        paid: None,
        stage,
        finished,
        opened: false,
    };
    View { sent_us, answered_us: sent_us + 300, sale }
}

/// A history of four users with every kind of answer, refusal, reading and result.
fn every_kind() -> History {
    let ids = Ids::new(u64::MAX, Buyers::Thread);
    let mut history = History::new(ids, "tea".parse().unwrap(), 0, BEGAN_US);
    history.sent = vec![3, 3, 0, 1];
    let order = |number: u8| OrderId::from_text(format!("tea-1-{number}"));
    let mut answers = vec![
        (0, 0, Answered::Accepted),
        (0, 2, Answered::Won(Box::new(order(1)))),
        (3, 0, Answered::Unknown),
    ];
    answers.extend(LOSSES.map(|loss| (1, 0, Answered::Lost(loss))));
    for (thread, index, answered) in answers {
        history.entries.push(entry(AttemptNo { thread, index }, answered));
    }
    for (at, refused) in [(0, Refused::SoldOut), (2, Refused::IdReused)] {
        let request = window(history.entries[at].attempt.thread, history.entries[at].attempt.index);
        let was_accepted = at == 0;
        history.entries[at].refusal =
            Some(Box::new(FinalRefusal { refused, request, was_accepted }));
    }
    add_tallies(&mut history);
    history.views.add(view(0, 3));
    history.views.add(View {
        sale: SaleView {
            per_buyer: None,
            hours: Hours::default(),
            stage: None,
            finished: None,
            ..view(0, 0).sale
        },
        ..view(50_000, 0)
    });
    history.views.add(view(80_000, -1));
    let mut results = vec![Some(Status::Queued), Some(Status::Won(order(2))), None];
    results.extend(LOSSES.map(|loss| Some(Status::Lost(loss))));
    for (index, status) in results.into_iter().enumerate() {
        let attempt = AttemptNo { thread: 0, index: index as u64 };
        history.results.push(result(ids.request_id(attempt), status));
    }
    history.results[1].order = Some(OrderStatus::Held);
    history.results[1].held_until_us = Some(1_795_556_999_000_000);
    for answered in PAYMENT_ANSWERS {
        let request_id = ids.request_id(AttemptNo { thread: 0, index: 1 });
        let told = (answered == PaymentAnswer::Paid).then(|| Box::new(order(7)));
        let (sent_us, answered_us) = (80_000, 81_000);
        history.payments.push(Payment { request_id, answered, told, sent_us, answered_us });
    }
    // A result may also be of another run's attempt.
    history.results.push(result(RequestId::random(), None));
    history.asked = Asked { wanted: 9, answered: 8 };
    history.sent_again = Asked { wanted: 4, answered: 3 };
    history.views.add_no_state(NoState { status: 404, sent_us: 70_000 });
    history.standstill =
        Some(Standstill { queued: 1, unchanged_us: 30_000_000, waited_us: 0, is_ready: true });
    history
}

/// One request for each kind of refusal, and one more for the first.
fn add_tallies(history: &mut History) {
    for refused in REFUSED {
        history.refusals.add(refused, window(1, 1));
    }
    history.refusals.add(Refused::Invalid, window(1, 2));
    history.contradictory.add(window(0, 1));
    history.without_retry_after.add(window(1, 1));
}
