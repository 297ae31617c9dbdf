//! Asks for results.

use std::io;

use crate::history::{AttemptNo, Ids, ResultRead};
use crate::ids::{ItemId, RequestId};
use crate::load::http1::Response;
use crate::sut::{Client, Received, ShownOrder, Unusable, Visit};

use super::{AfterLoad, Question, ask_all};

/// An answer to a request for a result: the result, or the id and the times of one that contradicts
/// itself.
pub type ResultAnswer = Result<ResultRead, (RequestId, u64, u64)>;

/// Asks for the results of these attempts at an item, in their order, and returns those that were
/// answered by the deadline. It blocks.
///
/// # Errors
/// When the system has no resources for it, or no certificates are trusted for an `https://`
/// target.
pub fn read_results(
    after: AfterLoad,
    item: &ItemId,
    ids: Ids,
    attempts: Vec<AttemptNo>,
) -> io::Result<Vec<ResultAnswer>> {
    let question = ResultOf { client: after.client(item)?, ids };
    ask_all(after, question, attempts)
}

/// What became of an attempt.
#[derive(Clone)]
struct ResultOf {
    client: Client,
    ids: Ids,
}

impl Question for ResultOf {
    type About = AttemptNo;
    type Told = ResultAnswer;

    fn request(&mut self, attempt: AttemptNo) -> &[u8] {
        self.client.begin(Visit::new(self.ids, attempt, attempt.thread));
        self.client.result()
    }

    fn understand(
        &mut self,
        attempt: AttemptNo,
        (_, received): (Response, Received<'_>),
        (sent_us, answered_us): (u64, u64),
    ) -> Option<ResultAnswer> {
        let request_id = self.ids.request_id(attempt);
        match self.client.understand_result(received) {
            Ok(status) => {
                let ShownOrder { status: order, held_until_us } = self.client.shown_order();
                let read =
                    ResultRead { request_id, status, order, held_until_us, sent_us, answered_us };
                Some(Ok(read))
            }
            Err(Unusable { is_contradictory: true, .. }) => {
                Some(Err((request_id, sent_us, answered_us)))
            }
            Err(_) => None,
        }
    }
}
