//! [`audit`]: judges a run from its evidence, in the same way whether it has just ended or was
//! recorded.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::history::{Answered, Asked, History, Ledger, Payment, PaymentAnswer, Row};
use crate::stats::Quantiles;

use super::reconcile::reconcile;
use super::told::without_ledger;
use super::verdict::{Audit, Verdict};

/// The gaps in the evidence of a run, each with its reason; `None` for evidence that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gaps {
    /// Whether no audit was wanted, so that nothing was read for one.
    #[serde(default)]
    pub no_audit: bool,
    /// Why the server ended during the run: it could not be asked for anything afterwards.
    #[serde(default)]
    pub server: Option<String>,
    /// Why it is not certain that everything was decided when the ledger was read.
    pub settled: Option<String>,
    /// Why the ledger after the run is not known.
    pub ledger: Option<String>,
}

/// Judges a run. A pass needs evidence: a ledger from before and after the run, attempts that were
/// accepted or a sale that was sold out before, and every result that was asked for.
pub fn audit(history: &History, ledger: Option<&Ledger>, gaps: &Gaps) -> Audit {
    if gaps.no_audit {
        let because = "--no-audit was given".to_owned();
        return Audit { verdict: Verdict::NotAudited, ..Audit::undecided(history, because) };
    }
    let mut audit = match (missing(history, ledger, gaps), ledger) {
        (None, Some(ledger)) => with_ledger(history, ledger, gaps),
        (because, _) => without_ledger(history, because.unwrap_or_default()),
    };
    if let (Some(bounds), Some(stock), Some(because)) =
        (audit.bounds, audit.stock, &mut audit.because)
        && let Some(words) = bounds.needed_to_oversell(stock)
    {
        *because = format!("{because}; {words}");
    }
    audit
}

fn with_ledger(history: &History, ledger: &Ledger, gaps: &Gaps) -> Audit {
    let mut audit = reconcile(history, ledger, gaps.settled.is_none());
    if let (Some(because), Some(reason)) = (&gaps.settled, &mut audit.because) {
        reason.clone_from(because);
    }
    if let (Verdict::Pass, Some(because)) = (audit.verdict, nothing_proved(history)) {
        audit.verdict = Verdict::Unknown;
        audit.because = Some(because);
    }
    audit
}

/// Why there is nothing to compare the history with.
fn missing(history: &History, ledger: Option<&Ledger>, gaps: &Gaps) -> Option<String> {
    if let Some(because) = &gaps.server {
        return Some(because.clone());
    }
    if history.is_empty() {
        return Some("no attempt was made".to_owned());
    }
    let because = gaps.ledger.as_deref().unwrap_or("it was not recorded");
    ledger.is_none().then(|| format!("the ledger could not be read: {because}"))
}

/// Why a run in which no invariant is broken proves nothing all the same.
fn nothing_proved(history: &History) -> Option<String> {
    let accepted = history.entries.iter().any(|entry| entry.answered != Answered::Unknown);
    let was_sold_out = history.was_sold_out();
    let Asked { wanted, answered } = history.asked;
    let again = history.sent_again;
    if !accepted && history.refusals.count() == 0 {
        Some("no request got a usable answer".to_owned())
    } else if !accepted && !was_sold_out {
        Some("no attempt was accepted".to_owned())
    } else if is_unpaid(history) {
        Some("no payment got a usable answer".to_owned())
    } else if answered < wanted {
        Some(format!("only {answered} of {wanted} results could be read"))
    } else if again.answered < again.wanted {
        let Asked { wanted, answered } = again;
        Some(format!("of {wanted} known attempts that were sent again, {answered} were answered"))
    } else {
        None
    }
}

/// Whether orders were to be paid for, and it is not known of any payment what has become of it.
fn is_unpaid(history: &History) -> bool {
    let unknown = |payment: &Payment| payment.answered == PaymentAnswer::Unknown;
    !history.payments.is_empty() && history.payments.iter().all(unknown)
}

/// Times from acceptance to decision, by the tested system's clock, of the run's own attempts.
pub fn settle_times(history: &History, ledger: &Ledger) -> Quantiles {
    let is_ours = |row: &&Row| {
        ledger.tells.times
            && ledger.tells.request_ids
            && history.ids.attempt(&row.request_id).is_some()
            && !history.before.contains_key(&row.request_id)
    };
    let times = ledger.rows.iter().filter(is_ours).filter_map(Row::settle_us);
    Quantiles::of_durations(times.map(Duration::from_micros))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{Asked, AttemptNo, Refused, Status};
    use crate::ids::RequestId;
    use crate::judge::bounds::Bounds;
    use crate::judge::invariant::Invariant;
    use crate::judge::rules::tests::scene::{Scene, order, order_id};

    fn because(scene: &Scene, gaps: &Gaps) -> (Verdict, String) {
        let audit = audit(&scene.history, Some(&scene.ledger), gaps);
        (audit.verdict, without_bounds(audit.because))
    }

    fn without_bounds(because: Option<String>) -> String {
        let because = because.unwrap_or_default();
        because.split("; certain are").next().unwrap_or_default().to_owned()
    }

    fn unknown(because: &str) -> (Verdict, String) {
        (Verdict::Unknown, because.to_owned())
    }

    fn gap(because: &str) -> Option<String> {
        Some(because.to_owned())
    }

    #[test]
    fn right_run_passes_if_no_evidence_is_missing() {
        let passed = (Verdict::Pass, String::new());
        assert_eq!(because(&Scene::new(), &Gaps::default()), passed);
    }

    #[test]
    fn verdict_says_what_evidence_is_missing() {
        let scene = Scene::new();
        let of = |gaps: Gaps| because(&scene, &gaps);
        let none = Gaps::default();
        let not_audited = (Verdict::NotAudited, "--no-audit was given".to_owned());
        assert_eq!(of(Gaps { no_audit: true, ..none.clone() }), not_audited);
        assert_eq!(of(Gaps { server: gap("it died"), ..none.clone() }), unknown("it died"));
        assert_eq!(of(Gaps { settled: gap("2 were queued"), ..none }), unknown("2 were queued"));
    }

    #[test]
    fn ledger_that_could_not_be_read_gives_unknown() {
        let scene = Scene::new();
        let of = |ledger| {
            let gaps = Gaps { ledger, ..Gaps::default() };
            without_bounds(audit(&scene.history, None, &gaps).because)
        };
        assert_eq!(of(gap("status 500")), "the ledger could not be read: status 500");
        assert_eq!(of(None), "the ledger could not be read: it was not recorded");
    }

    #[test]
    fn broken_invariant_needs_no_reason_though_attempts_are_queued() {
        let mut scene = Scene::new();
        scene.ledger.sale.stock_left = -1;
        let gaps = Gaps { settled: gap("2 were queued"), ..Gaps::default() };
        assert_eq!(because(&scene, &gaps), (Verdict::Fail, String::new()));
    }

    #[test]
    fn pass_needs_an_answer_to_a_payment() {
        let of = |answers: &[PaymentAnswer]| {
            let mut scene = Scene::new();
            scene.history.payments = answers
                .iter()
                .map(|answered| Payment {
                    request_id: scene.id(0),
                    answered: *answered,
                    told: None,
                    sent_us: 1,
                    answered_us: 2,
                })
                .collect();
            because(&scene, &Gaps::default())
        };
        let unpaid = unknown("no payment got a usable answer");
        assert_eq!(of(&[PaymentAnswer::Unknown; 2]), unpaid);
        let refused = [PaymentAnswer::Unknown, PaymentAnswer::Refused];
        assert_eq!(of(&refused), (Verdict::Pass, String::new()));
    }

    #[test]
    fn pass_needs_attempts_answers_and_results() {
        let of = |scene: &Scene| because(scene, &Gaps::default());
        let mut scene = Scene::new();
        scene.history.asked = Asked { wanted: 3, answered: 2 };
        assert_eq!(of(&scene), unknown("only 2 of 3 results could be read"));
        scene.history.asked.answered = 3;
        assert_eq!(of(&scene).0, Verdict::Pass);
        scene.history.sent_again = Asked { wanted: 4, answered: 3 };
        let because = "of 4 known attempts that were sent again, 3 were answered";
        assert_eq!(of(&scene), unknown(because));
        scene.history.sent_again.answered = 4;
        assert_eq!(of(&scene).0, Verdict::Pass);
        for entry in &mut scene.history.entries {
            entry.answered = Answered::Unknown;
        }
        assert_eq!(of(&scene), unknown("no request got a usable answer"));
        scene.refuse(Refused::Unavailable, 60, 70);
        assert_eq!(of(&scene), unknown("no attempt was accepted"));
        scene.history.sent.fill(0);
        assert_eq!(of(&scene), unknown("no attempt was made"));
    }

    #[test]
    fn run_without_accepted_attempts_passes_at_a_sold_out_sale() {
        let mut scene = Scene::new();
        scene.make_earlier();
        scene.refuse(Refused::SoldOut, 60, 70);
        assert_eq!(because(&scene, &Gaps::default()).0, Verdict::Pass);
    }

    /// Three units, and as many orders as are told in addition to those of the answers.
    fn without_ledger(told: u64) -> Audit {
        let mut scene = Scene::new();
        // One order is known from an answer, one from the ledger before, and both from results.
        let before = scene.row(0).clone();
        scene.history.before.insert(before.request_id, before);
        scene.history.sale_before.as_mut().unwrap().stock_left = 2;
        scene.read(0, Some(order(1)), (300, 310));
        scene.read(1, Some(order(2)), (300, 310));
        for number in 0..told {
            let index = 100 + number;
            let attempt = AttemptNo { thread: 0, index };
            scene.read(2, Some(order(index)), (300, 310));
            scene.history.results.last_mut().unwrap().request_id =
                scene.history.ids.request_id(attempt);
        }
        let gaps = Gaps { ledger: gap("status 500"), ..Gaps::default() };
        let with_views = audit(&scene.history, None, &gaps);
        scene.history.views = Default::default();
        let with_terms = audit(&scene.history, None, &gaps);
        assert_eq!(with_views, with_terms);
        scene.history.sale_before = None;
        assert_eq!(audit(&scene.history, None, &gaps).stock, None);
        with_views
    }

    #[test]
    fn more_orders_than_units_are_an_oversell_without_a_ledger() {
        let undecided = without_ledger(1);
        assert_eq!((undecided.verdict, undecided.stock), (Verdict::Unknown, Some(3)));
        // Of the four attempts that were accepted or got no answer, one has a result.
        assert_eq!(undecided.bounds, Some(Bounds { orders_min: 3, orders_max: 6 }));
        let oversold = without_ledger(3);
        assert_eq!((oversold.verdict, oversold.because), (Verdict::Fail, None));
        assert_eq!((oversold.stock, oversold.orders, oversold.oversold), (Some(3), Some(5), 2));
        let [violation] = &oversold.violations[..] else { panic!("{:?}", oversold.violations) };
        assert_eq!((violation.invariant, violation.count), (Invariant::NeverOversold, 2));
    }

    #[test]
    fn answers_can_contradict_each_other_without_a_ledger() {
        let gaps = Gaps { ledger: gap("status 500"), ..Gaps::default() };
        let broken = |scene: &Scene| -> Vec<Invariant> {
            let found = audit(&scene.history, None, &gaps).violations;
            found.iter().map(|violation| violation.invariant).collect()
        };
        assert_eq!(broken(&Scene::new()), []);
        let mut scene = Scene::new();
        scene.read(4, None, (300, 310));
        assert_eq!(broken(&scene), [Invariant::IdsAnsweredOnce]);
        let mut scene = Scene::new();
        scene.read(0, Some(order(1)), (300, 310));
        scene.read(3, Some(order(1)), (300, 310));
        assert_eq!(broken(&scene), [Invariant::OrderIdsUnique]);
        assert_eq!(audit(&scene.history, None, &gaps).orders, None);
        // At another sale, an id is a new one.
        let mut scene = Scene::with_view(3, |sale| sale.epoch = 2);
        scene.read(4, None, (300, 310));
        assert_eq!(broken(&scene), []);
    }

    #[test]
    fn refusals_are_not_compared_with_a_ledger_that_is_not_known() {
        let gaps = Gaps { ledger: gap("status 500"), ..Gaps::default() };
        let mut scene = Scene::new();
        // Three units were left before the run, and nothing is known of those after it.
        scene.history.sale_before.as_mut().unwrap().stock_left = 3;
        scene.refuse(Refused::SoldOut, 60, 70);
        assert_eq!(audit(&scene.history, None, &gaps).violations, []);
    }

    #[test]
    fn answers_tell_of_orders_without_a_ledger() {
        let mut scene = Scene::new();
        for number in 0..6 {
            scene.entry(number).answered = Answered::Won(Box::new(order_id(number as u64)));
        }
        let audit = audit(&scene.history, None, &Gaps::default());
        assert_eq!((audit.verdict, audit.orders, audit.oversold), (Verdict::Fail, Some(6), 3));
    }

    #[test]
    fn accepted_attempts_without_a_decision_are_counted() {
        let mut scene = Scene::new();
        scene.row(3).status = Status::Queued;
        scene.row(5).status = Status::Queued;
        let unresolved = |scene: &Scene| reconcile(&scene.history, &scene.ledger, false).unresolved;
        assert_eq!(unresolved(&scene), 1, "the other one got no answer");
        scene.ledger.rows.remove(0);
        assert_eq!(unresolved(&scene), 2, "it may be missing as well");
    }

    #[test]
    fn settle_times_are_those_of_the_run() {
        let mut scene = Scene::new();
        for number in 0..6 {
            let row = scene.row(number);
            row.decided_us = Some(row.accepted_us + 1_000 + number as u64);
        }
        let row = scene.row(3).clone();
        scene.history.before.insert(row.request_id, row);
        scene.row(4).request_id = RequestId::random();
        (scene.row(5).decided_us, scene.row(5).status) = (None, Status::Queued);
        let times = settle_times(&scene.history, &scene.ledger);
        assert_eq!((times.count, times.min, times.max), (3, 1_000, 1_002));
    }
}
