//! Histories as files: what is written is read again, and a damaged file is an error that names
//! the line.

mod damage;
mod round_trip;

use seckill::history::{Answered, AttemptNo, Entry, History, HistoryError, Ids, Status};
use seckill::ids::{OrderId, RequestId};
use seckill::settings::Buyers;

fn written(history: &History) -> String {
    let mut file = Vec::new();
    history.write(&mut file).unwrap();
    String::from_utf8(file).unwrap()
}

fn read(file: &str) -> Result<History, HistoryError> {
    History::read(file.as_bytes())
}

/// A history of two users with every kind of answer and of result.
fn every_kind() -> History {
    let ids = Ids::new(u64::MAX, Buyers::Thread);
    let mut history = History::new(ids, "tea".parse().unwrap(), 0);
    history.sent = vec![3, 3, 0, 1];
    let order = |number: u8| OrderId::from_text(format!("tea-1-{number}"));
    let answers = [
        (0, 0, Answered::Accepted),
        (0, 2, Answered::Won(Box::new(order(1)))),
        (1, 0, Answered::Lost),
        (3, 0, Answered::Unknown),
    ];
    for (thread, index, answered) in answers {
        history.entries.push(Entry { attempt: AttemptNo { thread, index }, answered });
    }
    let results = [Some(Status::Queued), Some(Status::Won(order(2))), Some(Status::Lost), None];
    for (index, result) in results.into_iter().enumerate() {
        let attempt = AttemptNo { thread: 0, index: index as u64 };
        history.results.push((ids.request_id(attempt), result));
    }
    // A result may also be of another run's attempt.
    history.results.push((RequestId::random(), None));
    history
}
