//! Sends attempts again that are known to the tested system.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::rc::Rc;

use crate::history::{Answered, AttemptNo, Ids, RequestWindow};
use crate::ids::ItemId;
use crate::load::http1::Response;
use crate::stats::ErrorKind;
use crate::sut::{Client, Meaning, Received, Unusable, Visit};

use super::{AfterLoad, Question, ask_all};

/// An attempt that was sent again, and its usable answer.
#[derive(Debug)]
pub struct SentAgain {
    /// When it was sent and answered.
    pub window: RequestWindow,
    /// What was told of the attempt, or a refusal; an error if the answer contradicts itself. A
    /// temporary refusal is only returned if every other try failed as well.
    pub told: Result<Meaning, Unusable>,
}

/// Sends these attempts at an item again, and returns those that got a usable answer by the
/// deadline. It blocks.
///
/// # Errors
/// When the system has no resources for it, or no certificates are trusted for an `https://`
/// target.
pub fn send_again(
    after: AfterLoad,
    item: &ItemId,
    ids: Ids,
    attempts: Vec<AttemptNo>,
) -> io::Result<Vec<SentAgain>> {
    let client = after.client(item)?;
    let put_off = Rc::new(RefCell::new(HashMap::new()));
    let must_say_when = after.sut.promises_retry_after();
    let question = Purchase { client, ids, must_say_when, put_off: Rc::clone(&put_off) };
    let mut sent = ask_all(after, question, attempts)?;
    let mut put_off = put_off.take();
    for SentAgain { window, .. } in &sent {
        put_off.remove(&window.attempt);
    }
    sent.extend(put_off.into_values());
    Ok(sent)
}

/// The same purchase request as during the load.
#[derive(Clone)]
struct Purchase {
    client: Client,
    ids: Ids,
    /// Whether a temporary refusal has to say when to come back.
    must_say_when: bool,
    /// The temporary refusals, the last one of each attempt.
    put_off: Rc<RefCell<HashMap<AttemptNo, SentAgain>>>,
}

impl Question for Purchase {
    type About = AttemptNo;
    type Told = SentAgain;

    fn request(&mut self, attempt: AttemptNo) -> &[u8] {
        self.client.begin(Visit::new(self.ids, attempt, attempt.thread));
        self.client.purchase()
    }

    fn understand(
        &mut self,
        attempt: AttemptNo,
        (answer, received): (Response, Received<'_>),
        (sent_us, answered_us): (u64, u64),
    ) -> Option<SentAgain> {
        let understood = self.client.understand(received);
        let window = RequestWindow { attempt, sent_us, answered_us };
        match understood.map(|understood| understood.meaning) {
            Ok(Meaning::Answered(Answered::Unknown)) => None,
            Err(Unusable { is_contradictory: false, .. }) => None,
            Ok(Meaning::Refused(refused))
                if self.must_say_when && refused.is_temporary() && answer.retry_after.is_none() =>
            {
                let kind = ErrorKind::Http(answer.status);
                let told = Err(Unusable { kind, is_contradictory: true });
                Some(SentAgain { window, told })
            }
            told @ Ok(Meaning::Refused(refused)) if refused.is_temporary() => {
                self.put_off.borrow_mut().insert(attempt, SentAgain { window, told });
                None
            }
            told => Some(SentAgain { window, told }),
        }
    }
}
