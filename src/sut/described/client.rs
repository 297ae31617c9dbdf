//! [`Client`]: one virtual user at the shop, with its cookies and what its steps have extracted.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use uuid::Uuid;

use crate::history::Status;
use crate::ids::RequestId;
use crate::stats::ErrorKind;
use crate::sut::{Phase, Received, Understood, Unusable, Visit};

use super::accounts::Accounts;
use super::answer::Extract;
use super::cookies::Cookies;
use super::outcome::{self, Rule};
use super::parts::Values;
use super::request::Request;
use super::secrets::Secrets;

/// How many answers that no outcome matches are kept for the report, and how much of each.
const UNMATCHED_MAX: usize = 5;
const BEGINNING_LEN: usize = 160;

/// A step, without its request.
#[derive(Debug)]
pub(super) struct Step {
    /// The label of its row in reports.
    pub(super) name: String,
    /// The statuses that mean success; 200 to 399 if there are none.
    pub(super) statuses: Vec<u16>,
    /// What is extracted, and where it goes.
    pub(super) extracts: Vec<(String, usize, Extract)>,
}

/// What all virtual users share.
#[derive(Debug)]
pub(super) struct Shared {
    /// All steps: those of the setup, those before the purchase, the purchase, those after it.
    pub(super) steps: Vec<Step>,
    /// Where the steps before the purchase begin.
    pub(super) before: usize,
    /// The number of the purchase.
    pub(super) purchase: usize,
    /// Where the extracted values begin that no step before the purchase sets.
    pub(super) after_purchase: usize,
    pub(super) outcomes: Vec<Rule>,
    pub(super) results: Vec<Rule>,
    pub(super) accounts: Option<Arc<Accounts>>,
    pub(super) unmatched: Arc<Unmatched>,
}

/// The first answers that no outcome of the description matches, as text.
#[derive(Debug, Default)]
pub(super) struct Unmatched {
    /// What must not be shown of an answer.
    secrets: Secrets,
    count: AtomicUsize,
    answers: Mutex<Vec<String>>,
}

impl Unmatched {
    pub(super) fn without(secrets: Secrets) -> Self {
        Self { secrets, ..Self::default() }
    }

    fn add(&self, because: String, received: Received<'_>) {
        if self.count.fetch_add(1, Ordering::Relaxed) < UNMATCHED_MAX {
            let answer = because + &self.beginning(received);
            let mut answers = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
            if !answers.contains(&answer) {
                answers.push(answer);
            }
        }
    }

    /// The answers, each once.
    pub(super) fn answers(&self) -> Vec<String> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The status and the beginning of a body, escaped and without secrets.
    fn beginning(&self, received: Received<'_>) -> String {
        let body = String::from_utf8_lossy(received.body);
        // Before anything is cut off, so that no part of a secret is shown.
        let body = self.secrets.shown(body.trim());
        let cut: String = body.chars().take(BEGINNING_LEN).collect();
        let dots = if cut.len() < body.len() { "…" } else { "" };
        format!("status {}: {cut}{dots}", received.status)
    }
}

/// One virtual user. Its buffers are used again for each request.
#[derive(Debug, Clone)]
pub(in crate::sut) struct Client {
    shared: Arc<Shared>,
    /// The requests of the steps, and last that for a result, if there is one.
    requests: Vec<Request>,
    cookies: Cookies,
    extracted: Vec<String>,
    visit: Visit,
    /// The beginning of the last answer to a step that was no success.
    beginning: Option<String>,
    /// The outcome that the last answer to a purchase had.
    last_outcome: Option<usize>,
}

impl Client {
    pub(super) fn new(shared: Shared, requests: Vec<Request>, extracted: usize) -> Self {
        let visit =
            Visit { buyer: Uuid::nil(), number: 0, request_id: RequestId(Uuid::nil()), thread: 0 };
        let extracted = vec![String::new(); extracted];
        let shared = Arc::new(shared);
        let cookies = Cookies::default();
        Self { shared, requests, cookies, extracted, visit, beginning: None, last_outcome: None }
    }

    /// Begins another attempt, and writes its purchase unless steps come before it.
    pub(in crate::sut) fn begin(&mut self, visit: Visit) {
        self.visit = visit;
        // A value of the last attempt, such as the id of its order, must not pass for one of this.
        let of_attempt = self.extracted.iter_mut().skip(self.shared.after_purchase);
        of_attempt.for_each(String::clear);
        // What the setup has extracted is known by now.
        if self.shared.before == self.shared.purchase {
            self.write(self.shared.purchase);
        }
    }

    /// Writes the purchase, if it had to wait for the steps before it.
    pub(in crate::sut) fn ready(&mut self) {
        self.write(self.shared.purchase);
    }

    pub(in crate::sut) fn purchase(&self) -> &[u8] {
        self.requests[self.shared.purchase].bytes()
    }

    pub(in crate::sut) fn understand(
        &mut self,
        received: Received<'_>,
    ) -> Result<Understood, Unusable> {
        let shared = Arc::clone(&self.shared);
        self.cookies.take(received.head);
        let found = outcome::understand(&shared.outcomes, received);
        self.last_outcome = found.as_ref().map(|(number, _)| *number);
        match found {
            Some((number, None)) => {
                let number = number + 1;
                let because = format!("[[outcome]] number {number} has it, without its order_id: ");
                shared.unmatched.add(because, received);
                Err(ErrorKind::Body.into())
            }
            Some((_, Some(understood))) => {
                // What cannot be extracted from a refusal is needed by nobody.
                self.extract(shared.purchase, received);
                Ok(understood)
            }
            None => {
                shared.unmatched.add("no [[outcome]] has it: ".to_owned(), received);
                Err(unusable(received.status).into())
            }
        }
    }

    pub(in crate::sut) fn result(&mut self) -> &[u8] {
        let last = self.requests.len() - 1;
        self.write(last);
        self.requests[last].bytes()
    }

    pub(in crate::sut) fn understand_result(
        &mut self,
        received: Received<'_>,
    ) -> Result<Option<Status>, Unusable> {
        self.cookies.take(received.head);
        let understood = outcome::understand_result(&self.shared.results, received);
        understood.ok_or_else(|| unusable(received.status).into())
    }

    /// The numbers of the steps of a phase.
    pub(in crate::sut) fn steps(&self, phase: Phase) -> Range<usize> {
        let Shared { before, purchase, steps, .. } = &*self.shared;
        match phase {
            Phase::Setup => 0..*before,
            Phase::Before => *before..*purchase,
            Phase::After => *purchase + 1..steps.len(),
        }
    }

    /// Writes the request of a step.
    pub(in crate::sut) fn step(&mut self, step: usize) -> &[u8] {
        self.write(step);
        self.requests[step].bytes()
    }

    /// Takes the answer to a step.
    ///
    /// # Errors
    /// When its status is none of a success, or a value is not where it should be.
    pub(in crate::sut) fn take_step(
        &mut self,
        step: usize,
        received: Received<'_>,
    ) -> Result<(), ErrorKind> {
        self.cookies.take(received.head);
        let Step { statuses, .. } = &self.shared.steps[step];
        let is_success = match statuses.is_empty() {
            true => (200..400).contains(&received.status),
            false => statuses.contains(&received.status),
        };
        self.beginning = None;
        if !is_success {
            self.beginning = Some(self.shared.unmatched.beginning(received));
            return Err(ErrorKind::Http(received.status));
        }
        if self.extract(step, received) {
            return Ok(());
        }
        // The answer is not shown: it may have a secret beside the value.
        let extracts = self.shared.steps[step].extracts.iter();
        let names = extracts.filter(|(_, slot, _)| self.extracted[*slot].is_empty());
        let names: Vec<&str> = names.map(|(name, ..)| &**name).collect();
        let (status, names) = (received.status, names.join("`, `"));
        self.beginning = Some(format!("status {status}, and `{names}` is not where it should be"));
        Err(ErrorKind::Body)
    }

    /// The beginning of the last answer to a step that was no success.
    pub(in crate::sut) fn beginning(&self) -> Option<String> {
        self.beginning.clone()
    }

    /// Extracts what a step has to, and returns whether all of it was there.
    fn extract(&mut self, step: usize, received: Received<'_>) -> bool {
        let mut is_complete = true;
        for (_, slot, extract) in &self.shared.steps[step].extracts {
            match extract.of(received, &self.cookies) {
                Some(value) => {
                    self.extracted[*slot].clear();
                    self.extracted[*slot].push_str(&value);
                }
                None => {
                    self.extracted[*slot].clear();
                    is_complete = false;
                }
            }
        }
        is_complete
    }

    /// What a step has extracted, by name, for people to look at.
    pub(in crate::sut) fn extracted(&self, step: usize) -> Vec<(String, String)> {
        let extracts = self.shared.steps[step].extracts.iter();
        extracts.map(|(name, slot, _)| (name.clone(), self.extracted[*slot].clone())).collect()
    }

    /// The number of the purchase among the steps.
    pub(in crate::sut) fn purchase_step(&self) -> usize {
        self.shared.purchase
    }

    /// The outcome that the last answer to a purchase had, counted from 0.
    pub(in crate::sut) fn last_outcome(&self) -> Option<usize> {
        self.last_outcome
    }

    fn write(&mut self, step: usize) {
        let Visit { buyer, number, request_id, thread } = self.visit;
        let row = self.shared.accounts.as_ref().map_or(&[][..], |accounts| accounts.row(number));
        let (extracted, cookies) = (&*self.extracted, &self.cookies);
        let values = Values { buyer, request_id, thread, row, extracted, cookies };
        self.requests[step].write(&values);
    }
}

/// The error of an answer that the description does not know.
fn unusable(status: u16) -> ErrorKind {
    if status >= 400 { ErrorKind::Http(status) } else { ErrorKind::Body }
}
