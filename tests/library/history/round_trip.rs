//! What is written is read again.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use seckill::history::{Answered, AttemptNo, Entry, History, Ids, Status};
use seckill::ids::{OrderId, RequestId};
use seckill::settings::Buyers;

use super::{every_kind, read, written};

#[test]
fn history_with_every_kind_of_answer_and_result_is_read_again() {
    let history = every_kind();
    let file = written(&history);
    assert_eq!(read(&file).unwrap(), history, "{file}");
    assert_eq!(file.lines().count(), 1 + history.entries.len() + history.results.len() + 1);
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
        history.entries.push(Entry { attempt, answered: won });
        let won = Status::Won(OrderId::from_text(text));
        history.results.push((RequestId::random(), Some(won)));
    }
    let file = written(&history);
    assert_eq!(file.lines().count(), 1 + history.entries.len() + history.results.len() + 1);
    assert!(!file.contains('\u{1b}'), "a terminal that shows the file obeys it: {file}");
    assert_eq!(read(&file).unwrap(), history, "{file}");
}

#[test]
fn refused_attempts_take_no_space() {
    let history = |sent: Vec<u64>| {
        let mut history = History::new(Ids::new(7, Buyers::New), "tea".parse().unwrap(), 0);
        history.sent = sent;
        for user in 0..20 {
            let order_id = OrderId::from_text(format!("tea-1-{user}"));
            let attempt = AttemptNo { thread: 17 * user, index: 28_000 };
            let answered = Answered::Won(Box::new(order_id));
            history.entries.push(Entry { attempt, answered });
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
    history.entries = vec![Entry { attempt, answered: Answered::Accepted }];
    let file = written(&history);
    assert!(file.len() < 2 << 10, "{} bytes", file.len());
    assert!(read(&file).unwrap() == history);
}

#[test]
fn keys_that_a_line_has_not_are_refused() {
    // A key that this version does not know may change what the line means.
    let file = written(&every_kind()).replacen("\"thread\":0", "\"thread\":0,\"retried\":1", 1);
    let error = read(&file).unwrap_err().to_string();
    assert!(error.starts_with("line 2: "), "{error}");
}

fn answered() -> impl Strategy<Value = Answered> {
    prop_oneof![
        Just(Answered::Accepted),
        any::<String>().prop_map(|text| Answered::Won(Box::new(OrderId::from_text(text)))),
        Just(Answered::Lost),
        Just(Answered::Unknown),
    ]
}

fn status() -> impl Strategy<Value = Status> {
    prop_oneof![
        Just(Status::Queued),
        any::<String>().prop_map(|text| Status::Won(OrderId::from_text(text))),
        Just(Status::Lost),
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
    fn histories()(
        (seed, buyers, item) in (any::<u64>(), buyers(), "[A-Za-z0-9._:-]{1,64}"),
        sent in vec(0..=4u64, 1..12),
        answers in vec((any::<u32>(), any::<u64>(), answered()), 0..24),
        results in vec((any::<u128>(), option::of(status())), 0..12),
    ) -> History {
        let mut history = History::new(Ids::new(seed, buyers), item.parse().unwrap(), 0);
        for (thread, index, answered) in answers {
            let thread = thread % sent.len() as u32;
            let Some(index) = index.checked_rem(sent[thread as usize]) else { continue };
            history.entries.push(Entry { attempt: AttemptNo { thread, index }, answered });
        }
        let uuid = |bits| RequestId(uuid::Uuid::from_u128(bits));
        history.results = results.into_iter().map(|(bits, status)| (uuid(bits), status)).collect();
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
