//! The audit against the reference implementation, on random runs.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use seckill::history::{Entry, History};
use seckill::judge::{Verdict, WITNESSES_MAX, reconcile};

use super::reference::COVERED;
use super::times::BEGAN_US;
use super::{broken, random_runs, reference};

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn audit_agrees_with_reference_implementation(case in random_runs::case()) {
        let random_runs::Case { history, ledger, settled } = case;
        let audit = reconcile(&history, &ledger, settled);
        prop_assert_eq!(
            reference::Findings::of(&audit, settled),
            reference::audit(&history, &ledger, settled)
        );
        let order: Vec<_> = broken(&audit);
        prop_assert!(order.is_sorted_by(|a, b| a < b), "not distinct or not in order: {:?}", order);
        for violation in &audit.violations {
            let shown = (violation.count as usize).min(WITNESSES_MAX);
            prop_assert_eq!(violation.witnesses.len(), shown);
        }
        prop_assert_eq!(audit.because.is_some(), audit.verdict == Verdict::Unknown);
        prop_assert_eq!(audit.stock, audit.orders.map(|_| ledger.sale.stock));
        prop_assert_eq!(audit.stock_left, audit.orders.map(|_| ledger.sale.stock_left));
    }

    #[test]
    fn audit_does_not_depend_on_the_split_among_workers(
        case in random_runs::case(),
        workers in 1..4_usize,
    ) {
        let random_runs::Case { history, ledger, settled } = case;
        let threads = history.sent.len();
        let mut merged = History::new(history.ids, history.item.clone(), threads, BEGAN_US);
        for worker in 0..workers {
            let mut part = History::new(history.ids, history.item.clone(), threads, BEGAN_US);
            for thread in (worker..threads).step_by(workers) {
                part.sent[thread] = history.sent[thread];
                let of_thread = |entry: &&Entry| entry.attempt.thread as usize == thread;
                part.entries.extend(history.entries.iter().filter(of_thread).cloned());
            }
            merged.merge(part);
        }
        merged.sale_before = history.sale_before.clone();
        merged.before = history.before.clone();
        merged.results = history.results.clone();
        merged.views = history.views.clone();
        let (one, many) =
            [&history, &merged].map(|history| reconcile(history, &ledger, settled)).into();
        let findings = |audit| reference::Findings::of(audit, settled);
        prop_assert_eq!(findings(&one), findings(&many));
    }
}

/// Without this variety, the two implementations would agree on trivial runs only.
#[test]
fn random_runs_cover_every_invariant_and_verdict() {
    let mut runner = TestRunner::deterministic();
    let mut findings = Vec::new();
    for _ in 0..2000 {
        let random_runs::Case { history, ledger, settled } =
            random_runs::case().new_tree(&mut runner).unwrap().current();
        findings.push(reference::audit(&history, &ledger, settled));
    }
    for (at, invariant) in COVERED.iter().enumerate() {
        let found = findings.iter().filter(|found_in_run| found_in_run.counts[at].1 > 0).count();
        assert!(found > 20, "{invariant:?} is broken in only {found} runs");
    }
    for verdict in [Verdict::Pass, Verdict::Fail, Verdict::Unknown] {
        let found = findings.iter().filter(|found_in_run| found_in_run.verdict == verdict).count();
        assert!(found > 100, "{verdict} is the verdict of only {found} runs");
    }
}
