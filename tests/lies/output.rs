//! Text of the server that would control a terminal or forge a verdict if it were printed raw.

use crate::answer::Answer;
use crate::case::Expected::Fail;
use crate::case::{CASE, Case};
use crate::judge::bench;
use crate::server::Process;
use crate::shop::{SALE, Setup, Status};

/// A line that a terminal would show as the verdict of a pass.
const FORGED: &str = "x\r\n\u{1b}[2K\u{1b}[1;32mNOT OVERSOLD: stock 10, sold 10, left 0\u{1b}[0m\n";

const AT_ONCE: Setup = Setup { at_once: true, ..SALE };

pub(crate) const FORGERIES: &[Case] = &[
    Case {
        name: "an order id forges the verdict",
        expected: Fail(&["order_ids_unique"]),
        sale: AT_ONCE,
        decide: |_, _| Some(Status::Won(FORGED.to_owned())),
        ..CASE
    },
    Case {
        name: "a buyer forges the verdict",
        expected: Fail(&["buyer_limit", "answers_true", "rows_sane"]),
        ledger: |_, page| {
            if page.is_after {
                page.rows[1].uid = FORGED.to_owned();
                page.rows[2].uid = FORGED.to_owned();
            }
        },
        ..CASE
    },
    Case {
        name: "an item forges the verdict",
        expected: Fail(&["answers_true", "rows_sane", "views_agree", "terms_kept"]),
        ledger: |_, page| {
            if page.is_after {
                page.sale["item"] = FORGED.into();
                page.rows[2].item = FORGED.to_owned();
            }
        },
        ..CASE
    },
    Case {
        name: "a reason forges the verdict",
        expected: Fail(&["stock_conserved", "views_agree"]),
        sale: AT_ONCE,
        answer: |_, _, answer| match answer.status {
            410 => {
                Answer { body: answer.body.replace("sold_out", &FORGED.escape_json()), ..answer }
            }
            _ => answer,
        },
        ledger: |shop, page| page.sale["stock_left"] = (shop.stock_left + 1).into(),
        ..CASE
    },
];

trait EscapeJson {
    fn escape_json(&self) -> String;
}

impl EscapeJson for str {
    /// The text as it stands between the quotes of a JSON text.
    fn escape_json(&self) -> String {
        serde_json::to_string(self).unwrap().trim_matches('"').to_owned()
    }
}

#[test]
fn text_of_the_server_does_not_forge_the_verdict() {
    for case in FORGERIES {
        let name = case.name;
        let server = Process::start(name);
        let output = bench(case, &server.url, &[], false);
        let stdout = String::from_utf8(output.stdout).unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{name}: {stdout}");
        let mut texts = [&stdout, &stderr].into_iter();
        assert!(texts.all(|text| !text.contains(['\u{1b}', '\r'])), "{name}: {stdout}{stderr}");
        let last = stdout.trim_end().lines().last().unwrap_or_default();
        let is_true = last.starts_with("FAILED (") || last.starts_with("OVERSOLD by ");
        assert!(is_true, "{name}: {last}");
        let is_forged = |line: &str| line.trim_start().starts_with("NOT OVERSOLD");
        assert!(!stdout.lines().any(is_forged), "{name}: {stdout}");
    }
}
