//! What is written is read again.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use seckill::history::{
    Answered, Asked, AttemptNo, Entry, FinalRefusal, History, Hours, Ids, Loss, NoState,
    OrderStatus, Refusals, Refused, RequestWindow, ResultRead, SAMPLE_MAX, SaleView, Stage,
    Standstill, Status, Tally, VIEWS_MAX, View,
};
use seckill::ids::{OrderId, RequestId};
use seckill::settings::Buyers;

use super::payments::payments;
use super::reference_lines::LINES;
use super::{BEGAN_US, LOSSES, REFUSED, entry, every_kind, lines, read, result, view, written};

#[test]
fn history_with_every_kind_of_answer_and_result_is_read_again() {
    let history = every_kind();
    let file = written(&history);
    assert_eq!(read(&file).unwrap(), history, "{file}");
    assert_eq!(file.lines().count(), lines(&history));
    assert_eq!(file.lines().filter(|line| line.starts_with("{\"of\":")).count(), 10);
    assert_eq!(file.lines().filter(|line| line.starts_with("{\"view\":")).count(), 3);
}

#[test]
fn each_kind_of_line_is_written_as_the_reference_shows_it() {
    let file = written(&every_kind());
    for line in LINES {
        assert!(file.lines().any(|written| written == line), "{line}\n{file}");
    }
    for of in ["contradictory", "without_retry_after"] {
        assert!(file.contains(&format!(r#"{{"of":"{of}","#)), "{of}\n{file}");
    }
}

#[test]
fn tallies_and_views_at_their_bounds_are_read_again() {
    let mut history = every_kind();
    history.sent = vec![1 << 20, 3, 0, 1];
    for number in 0..200_000 {
        let attempt = AttemptNo { thread: 0, index: number };
        let window = RequestWindow { attempt, sent_us: number, answered_us: number + 3 };
        history.refusals.add(Refused::SoldOut, window);
        history.without_retry_after.add(window);
    }
    for number in 0..3 * VIEWS_MAX as u64 {
        history.views.add(view(100_000 + number, (number % 2) as i64));
    }
    assert!(history.views.iter().count() <= VIEWS_MAX);
    assert!(history.without_retry_after.sample.len() <= SAMPLE_MAX);
    let file = written(&history);
    assert!(read(&file).unwrap() == history);
    let tallies = file.lines().filter(|line| line.starts_with("{\"of\":"));
    assert!(tallies.map(str::len).max().unwrap() < 128 << 10);
}

/// What another system may use as an order id.
const ORDER_IDS: [&str; 7] = [
    "",
    "\"}\n{\"entries\":0,\"results\":0}\n",
    "a\\u0000\0\t\r\u{7f}",
    "\u{1b}[2J\u{1b}]0;title\u{7}",
    "茶-№1 \u{202e}\u{2028}👛",
    "{\"history\":1}",
    " spaces at both ends ",
];

#[test]
fn order_ids_of_any_text_are_read_again_from_one_line_each() {
    let mut history = every_kind();
    for text in ORDER_IDS {
        let won = Answered::Won(Box::new(OrderId::from_text(text)));
        let attempt = AttemptNo { thread: 1, index: 1 };
        history.entries.push(entry(attempt, won));
        let won = Status::Won(OrderId::from_text(text));
        history.results.push(result(RequestId::random(), Some(won)));
    }
    let file = written(&history);
    assert_eq!(file.lines().count(), lines(&history));
    assert!(!file.contains('\u{1b}'), "a terminal that shows the file obeys it: {file}");
    assert_eq!(read(&file).unwrap(), history, "{file}");
}

#[test]
fn refused_attempts_take_no_space() {
    let history = |sent: Vec<u64>| {
        let ids = Ids::new(7, Buyers::New);
        let mut history = History::new(ids, "tea".parse().unwrap(), 0, BEGAN_US);
        history.sent = sent;
        for user in 0..20 {
            let order_id = OrderId::from_text(format!("tea-1-{user}"));
            let attempt = AttemptNo { thread: 17 * user, index: 28_000 };
            let answered = Answered::Won(Box::new(order_id));
            history.entries.push(entry(attempt, answered));
        }
        history
    };
    // Ten million attempts of 350 users, which all make as many, or each another number.
    let even = vec![28_572; 350];
    let uneven = (0..350).map(|user| 28_397 + user).collect();
    for (sent, len_max) in [(even, 4 << 10), (uneven, 6 << 10)] {
        assert!(sent.iter().sum::<u64>() > 9_999_000);
        let history = history(sent);
        let file = written(&history);
        assert!(file.len() < len_max, "{} bytes", file.len());
        assert_eq!(read(&file).unwrap(), history);
    }
}

#[test]
fn highest_numbers_that_an_id_can_hold_are_read_again() {
    let mut history = every_kind();
    history.sent = vec![0; 1 << 24];
    history.sent[(1 << 24) - 1] = 1 << 36;
    let attempt = AttemptNo { thread: (1 << 24) - 1, index: (1 << 36) - 1 };
    let window = RequestWindow { attempt, sent_us: u64::MAX, answered_us: u64::MAX };
    let (refused, was_accepted) = (Refused::SoldOut, false);
    let refusal = FinalRefusal { refused, request: window, was_accepted };
    history.began_us = u64::MAX;
    history.entries = vec![Entry {
        attempt,
        answered: Answered::Accepted,
        sent_us: u64::MAX,
        answered_us: u64::MAX,
        refusal: Some(Box::new(refusal)),
    }];
    history.refusals = Refusals::default();
    history.refusals.add(Refused::Closed, window);
    [history.contradictory, history.without_retry_after] = [Tally::default(), Tally::default()];
    let file = written(&history);
    assert!(file.len() < 12 << 10, "{} bytes", file.len());
    assert!(read(&file).unwrap() == history);
}

/// A key that this version does not know may change what the line means.
#[test]
fn keys_that_a_line_has_not_are_refused() {
    let file = written(&every_kind());
    let keys = [
        "\"history\":",
        "\"thread\":0",
        "\"refused\":\"sold_out\",\"sent_us\"",
        "\"count\":",
        "\"attempt\":",
        "\"index\":1},",
        "\"view\":",
        "\"epoch\":",
        "\"opens_us\":",
        "\"stock_left\":-1",
        "\"result\":",
        "\"entries\":",
        "\"wanted\":",
        "\"unchanged_us\":",
    ];
    for key in keys {
        let number = 1 + file.lines().position(|line| line.contains(key)).expect(key);
        let file = file.replacen(key, &format!("\"retried\":1,{key}"), 1);
        let file = file.replacen("\"retried\":1,\"index\":1},", "\"index\":1,\"retried\":1},", 1);
        let error = read(&file).expect_err(key).to_string();
        assert!(error.starts_with(&format!("line {number}: ")), "{key}: {error}");
    }
}

fn loss() -> impl Strategy<Value = Loss> {
    prop::sample::select(&LOSSES[..])
}

fn answered() -> impl Strategy<Value = Answered> {
    prop_oneof![
        Just(Answered::Accepted),
        any::<String>().prop_map(|text| Answered::Won(Box::new(OrderId::from_text(text)))),
        loss().prop_map(Answered::Lost),
        Just(Answered::Unknown),
    ]
}

fn status() -> impl Strategy<Value = Status> {
    prop_oneof![
        Just(Status::Queued),
        any::<String>().prop_map(|text| Status::Won(OrderId::from_text(text))),
        loss().prop_map(Status::Lost),
    ]
}

fn buyers() -> impl Strategy<Value = Buyers> {
    prop_oneof![
        Just("new".to_owned()),
        Just("thread".to_owned()),
        (1..u64::MAX).prop_map(|buyers| buyers.to_string()),
        (1..u64::MAX, 1u32..=10_000)
            .prop_map(|(buyers, skew)| format!("{buyers}:{}", f64::from(skew) / 1e3)),
    ]
    .prop_map(|text| text.parse().unwrap())
}

prop_compose! {
    /// A request of the attempt that these two numbers select.
    fn windows()(
        thread in any::<u32>(), index in any::<u64>(),
        sent_us in any::<u64>(), answered_us in any::<u64>(),
    ) -> RequestWindow {
        RequestWindow { attempt: AttemptNo { thread, index }, sent_us, answered_us }
    }
}

const STAGES: &[Stage] =
    &[Stage::NotOpen, Stage::Open, Stage::SoldOut, Stage::Closed, Stage::Other];

prop_compose! {
    fn views()(
        (sent_us, answered_us, item) in (any::<u64>(), any::<u64>(), any::<String>()),
        (epoch, stock, stock_left) in (any::<u64>(), any::<u64>(), any::<i64>()),
        (orders, queued) in (any::<u64>(), any::<u64>()),
        per_buyer in option::of(any::<u32>()),
        (opens_us, closes_us) in (option::of(any::<u64>()), option::of(any::<u64>())),
        hold in (option::of(any::<u64>()), option::of(any::<u64>()), option::of(any::<u64>())),
        stage in option::of(select(STAGES)),
        (finished, opened) in (option::of(any::<bool>()), any::<bool>()),
    ) -> View {
        let hours = Hours { opens_us, closes_us };
        let item = item.into();
        let (hold_us, held, paid) = hold;
        let sale = SaleView {
            item, epoch, stock, stock_left, orders, queued, per_buyer, hours, hold_us, held, paid,
            stage, finished, opened,
        };
        View { sent_us, answered_us, sale }
    }
}

prop_compose! {
    fn standstills()(
        queued in any::<u64>(), unchanged_us in any::<u64>(), waited_us in any::<u64>(),
        is_ready in any::<bool>(),
    ) -> Standstill {
        Standstill { queued, unchanged_us, waited_us, is_ready }
    }
}

/// The request, of an attempt that was sent; `None` if the selected user sent none.
fn sent_window(sent: &[u64], mut window: RequestWindow) -> Option<RequestWindow> {
    window.attempt.thread %= sent.len() as u32;
    let AttemptNo { thread, index } = window.attempt;
    window.attempt.index = index.checked_rem(sent[thread as usize])?;
    Some(window)
}

fn refused() -> impl Strategy<Value = Refused> {
    prop::sample::select(&REFUSED[..])
}

prop_compose! {
    fn histories()(
        (seed, buyers, item) in (any::<u64>(), buyers(), "[A-Za-z0-9._:-]{1,64}"),
        (began_us, sent) in (any::<u64>(), vec(0..=4u64, 1..12)),
        answers in
            vec((windows(), answered(), option::of((refused(), windows(), any::<bool>()))), 0..24),
        told in vec((0..3, refused(), windows()), 0..24),
        views in vec(views(), 0..6),
        results in vec((any::<u128>(), option::of(status()), windows()), 0..12),
        (wanted, answered) in (any::<u64>(), any::<u64>()),
        payments in vec(payments(), 0..4),
        standstill in option::of(standstills()),
        again in (any::<u64>(), any::<u64>()),
        no_states in vec((any::<u16>(), any::<u64>()), 0..3),
    ) -> History {
        let mut history = History::new(Ids::new(seed, buyers), item.parse().unwrap(), 0, began_us);
        for (window, answered, refusal) in answers {
            let Some(window) = sent_window(&sent, window) else { continue };
            let RequestWindow { attempt, sent_us, answered_us } = window;
            let refusal = refusal.map(|(refused, request, was_accepted)| {
                let request = RequestWindow { attempt, ..request };
                Box::new(FinalRefusal { refused, request, was_accepted })
            });
            history.entries.push(Entry { attempt, answered, sent_us, answered_us, refusal });
        }
        for (kind, refused, window) in told {
            let Some(window) = sent_window(&sent, window) else { continue };
            match kind {
                0 => history.refusals.add(refused, window),
                1 => history.contradictory.add(window),
                _ => history.without_retry_after.add(window),
            }
        }
        views.into_iter().for_each(|view| history.views.add(view));
        let result = |(bits, status, window): (u128, Option<Status>, RequestWindow)| {
            let RequestWindow { sent_us, answered_us, .. } = window;
            let request_id = RequestId(uuid::Uuid::from_u128(bits));
            let order = status.as_ref().and_then(Status::order_id).map(|_| OrderStatus::Expired);
            let held_until_us = order.map(|_| sent_us);
            ResultRead { request_id, status, order, held_until_us, sent_us, answered_us }
        };
        history.payments = payments;
        history.results = results.into_iter().map(result).collect();
        history.asked = Asked { wanted, answered };
        history.standstill = standstill;
        history.sent_again = Asked { wanted: again.0, answered: again.1 };
        for (status, sent_us) in no_states {
            history.views.add_no_state(NoState { status, sent_us });
        }
        history.sent = sent;
        history
    }
}

proptest! {
    #[test]
    fn any_history_is_read_again(history in histories()) {
        let file = written(&history);
        prop_assert_eq!(read(&file).map_err(|error| error.to_string()), Ok(history), "{}", file);
    }
}
