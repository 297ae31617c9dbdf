//! Accepted attempts are never decided, though the server says that it is well.

use crate::case::Expected::Fail;
use crate::case::{CASE, Case};
use crate::shop::{SALE, Setup, Status};

const STUCK: &[&str] = &["accepted_decided"];
const HUGE: Setup = Setup { stock: 1000, ..SALE };

pub(crate) const LIES: &[Case] = &[
    Case { name: "nothing is ever decided", expected: Fail(STUCK), decide: |_, _| None, ..CASE },
    Case {
        name: "every seventh attempt is never decided",
        expected: Fail(STUCK),
        sale: HUGE,
        decide: |shop, at| (at % 7 != 3).then(|| shop.judge(at)),
        ..CASE
    },
    Case {
        name: "the first attempt is never decided",
        expected: Fail(STUCK),
        sale: HUGE,
        decide: |shop, at| (at != 0).then(|| shop.judge(at)),
        ..CASE
    },
    Case {
        name: "the second half is never decided",
        expected: Fail(STUCK),
        sale: HUGE,
        decide: |shop, at| (at < 50).then(|| shop.judge(at)),
        ..CASE
    },
    Case {
        name: "the last attempts are never decided, and none is said to be queued",
        expected: Fail(&["accepted_decided", "rows_sane", "views_agree", "results_true"]),
        sale: HUGE,
        decide: |shop, at| (at < 90).then(|| shop.judge(at)),
        state: |_, state| state["queued"] = 0.into(),
        ..CASE
    },
    Case {
        name: "undecided attempts are forgotten",
        expected: Fail(&["accepted_kept", "accepted_decided", "results_true", "views_agree"]),
        sale: HUGE,
        decide: |shop, at| (at % 7 != 3).then(|| shop.judge(at)),
        state: |_, state| state["queued"] = 0.into(),
        ledger: |_, page| page.rows.retain(|row| row.status != Status::Queued),
        ..CASE
    },
    Case {
        name: "undecided attempts are forgotten, and counted for ever",
        expected: Fail(&["accepted_kept", "accepted_decided", "results_true", "views_agree"]),
        sale: HUGE,
        decide: |shop, at| (at % 7 != 3).then(|| shop.judge(at)),
        ledger: |_, page| page.rows.retain(|row| row.status != Status::Queued),
        ..CASE
    },
    Case {
        name: "no attempt is queued, and results of many are queued for seconds",
        expected: Fail(&["results_true", "views_agree", "stock_reads_bounded"]),
        load: &["--threads", "10", "--loops", "2", "--follow"],
        sale: Setup { delay_ms: 3_000, ..HUGE },
        state: |_, state| state["queued"] = 0.into(),
        ..CASE
    },
    Case {
        name: "no unit is left, and the rest is never decided",
        expected: Fail(STUCK),
        sale: Setup { delay_ms: 500, ..SALE },
        decide: |shop, at| (shop.stock_left > 0).then(|| shop.judge(at)),
        ..CASE
    },
];
