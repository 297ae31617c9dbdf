//! Asks for results.

use std::io;

use crate::history::ResultRead;
use crate::ids::RequestId;
use crate::load::http1::Response;
use crate::load::run::HOLD_MAX;
use crate::sut::{Sut, Template, Unusable};

use super::{AfterLoad, Question, ask_all};

/// An answer to a request for a result: the result, or the id and the times of one that contradicts
/// itself.
pub type ResultAnswer = Result<ResultRead, (RequestId, u64, u64)>;

/// Asks for the results of these attempts, in their order, and returns those that were answered by
/// the deadline. It blocks.
///
/// # Errors
/// When the system has no resources for it, or no certificates are trusted for an `https://`
/// target.
pub fn read_results(after: AfterLoad, ids: Vec<RequestId>) -> io::Result<Vec<ResultAnswer>> {
    let AfterLoad { plan, sut, target, .. } = &after;
    let template = sut.result(target, plan, HOLD_MAX.min(plan.timeout / 2));
    let question = ResultOf { sut: *sut, template };
    ask_all(after, question, ids)
}

/// What became of an attempt.
#[derive(Clone)]
struct ResultOf {
    sut: Sut,
    template: Template<1>,
}

impl Question for ResultOf {
    type About = RequestId;
    type Told = ResultAnswer;

    fn request(&mut self, request_id: RequestId) -> &[u8] {
        self.template.fill([request_id.0]);
        self.template.bytes()
    }

    fn understand(
        &self,
        request_id: RequestId,
        (answer, body): (Response, &[u8]),
        (sent_us, answered_us): (u64, u64),
    ) -> Option<ResultAnswer> {
        match self.sut.understand_result(answer.status, body, request_id) {
            Ok(status) => Some(Ok(ResultRead { request_id, status, sent_us, answered_us })),
            Err(Unusable { is_contradictory: true, .. }) => {
                Some(Err((request_id, sent_us, answered_us)))
            }
            Err(_) => None,
        }
    }
}
