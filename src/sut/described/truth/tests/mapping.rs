//! From records to orders, with commands that print them.

use crate::history::{FoundStatus, Loss, Tells};

use super::{buyers, orders, truth};

/// A table of orders with what a shell prints; the text may have no single quotes.
fn printing(printed: &str, lines: &str) -> String {
    format!("[truth.orders]\ncommand = [\"sh\", \"-c\", '''printf %s '{printed}' ''']\n{lines}\n")
}

#[tokio::test]
async fn each_field_of_a_json_record_is_read() {
    let record = r#"{"o":{"id":5},"by":"ann <ann@x>","r":"r1","i":"phone","n":3,
                     "a":1700000000,"d":"2023-11-14T22:13:21Z","s":"PAID"}"#;
    let record = record.replace('\n', "");
    let text = printing(
        &record,
        r#"
        format = "ndjson"
        fields = { order_id = "/o/id", buyer = "/by", request_id = "/r", item = "/i", seq = "/n",
                   accepted_us = "/a", decided_us = "/d", status = "/s" }
        patterns = { buyer = '<(.*)>' }
        statuses = { won = ["PAID"] }
        complete = true"#
            .replace("\n        ", "\n")
            .replace(",\n           ", ",")
            .as_str(),
    );
    let found = orders(&text).await.unwrap();
    let [found] = &found[..] else { panic!("{found:?}") };
    assert_eq!(found.order_id.as_deref(), Some("5"));
    assert_eq!(found.buyer.as_deref(), Some("ann@x"));
    assert_eq!(found.request_id.as_deref(), Some("r1"));
    assert_eq!((found.item.as_deref(), found.seq), (Some("phone"), Some(3)));
    let (accepted, decided) = (found.accepted_us, found.decided_us);
    assert_eq!((accepted, decided), (Some(1_700_000_000_000_000), Some(1_700_000_001_000_000)));
    assert_eq!(found.status, FoundStatus::Won);
    let all = Tells {
        attempts: true,
        request_ids: true,
        buyers: true,
        order_ids: true,
        items: true,
        positions: true,
        times: true,
        ..Tells::COUNT
    };
    assert_eq!(truth(&text).unwrap().tells(&[]), all);
}

#[tokio::test]
async fn keys_of_json_objects_are_found_by_themselves() {
    let record = r#"{"buyer":"ann","order_id":5,"item":{"id":1},"status":"lost"}"#;
    for format in ["ndjson", "lines"] {
        let text = printing(record, &format!("format = \"{format}\""));
        let found = orders(&text).await.unwrap();
        assert_eq!(found[0].buyer.as_deref(), Some("ann"));
        assert_eq!(found[0].order_id.as_deref(), Some("5"));
        assert_eq!(found[0].item, None, "an object is something else");
        assert_eq!(found[0].status, FoundStatus::Lost(Loss::Unstated));
        let tells = truth(&text).unwrap().tells(&found);
        assert!(tells.buyers && tells.order_ids && !tells.items && !tells.request_ids);
    }
}

#[tokio::test]
async fn statuses_and_reasons_are_understood_and_others_refused() {
    let rows = "buyer,status,reason\na,won,\nb,lost,sold_out\nc,lost,bad luck\nd,queued,\n";
    let found = orders(&printing(rows, "format = \"csv\"\ncomplete = true")).await.unwrap();
    let statuses: Vec<_> = found.iter().map(|found| found.status).collect();
    let (sold_out, unstated) = (Loss::SoldOut, Loss::Unstated);
    assert_eq!(
        statuses,
        [
            FoundStatus::Won,
            FoundStatus::Lost(sold_out),
            FoundStatus::Lost(unstated),
            FoundStatus::Queued,
        ]
    );
    let text = printing("buyer,status\na,PAID\n", "format = \"csv\"");
    let error = orders(&text).await.unwrap_err().to_string();
    assert_eq!(
        error,
        "truth.orders: record 1 has the status `PAID`: add it to won, lost or \
                       queued in `statuses`, or leave such records out with `only`"
    );
}

#[tokio::test]
async fn only_selected_records_are_orders() {
    let rows = "buyer,state\na,PAID\nb,NEW\nc,PAID\n";
    let text = printing(rows, "format = \"csv\"\nonly = { state = \"PAID\" }");
    let found = orders(&text).await.unwrap();
    assert_eq!(buyers(&found), ["a", "c"]);
    let tells = truth(&text).unwrap().tells(&found);
    assert_eq!((tells.buyers, tells.order_ids, tells.attempts), (true, false, false));
}

/// A misspelt place would be taken for a field that is not told, or leave all records out.
#[tokio::test]
async fn places_that_no_record_has_are_errors() {
    let (rows, objects) = ("id,state\n1,PAID\n", "[{\"id\":1,\"state\":\"PAID\"}]");
    for (format, printed, lines, told) in [
        ("csv", rows, "fields = { order_id = \"nr\" }", "`nr`, the place of `order_id`"),
        ("json", objects, "fields = { order_id = \"/nr\" }", "`/nr`, the place of `order_id`"),
        ("csv", rows, "fields = { reason = \"why\" }", "`why`, the place of `reason`"),
        ("csv", rows, "only = { stat = \"PAID\" }", "`stat`, the place of a value of `only`"),
    ] {
        let text = printing(printed, &format!("format = \"{format}\"\n{lines}"));
        let error = orders(&text).await.unwrap_err().problem;
        assert!(error.contains(told), "{lines}: {error}");
    }
    let lost = "[{\"state\":\"LOST\"}]";
    let fields = "fields = { order_id = \"/nr\", status = \"/state\", reason = \"/why\" }";
    for (printed, lines) in [
        // Only orders have an id, and a list may have objects of other kinds alone.
        (lost, format!("{fields}\nstatuses = {{ lost = \"LOST\" }}")),
        (objects, "only = { \"/kind\" = \"order\" }".to_owned()),
    ] {
        let text = printing(printed, &format!("format = \"json\"\n{lines}"));
        assert!(orders(&text).await.is_ok(), "{lines}");
    }
}

#[tokio::test]
async fn record_without_a_status_is_an_error_if_statuses_are_described() {
    let statuses = "format = \"json\"\nstatuses = { won = \"PAID\" }";
    let found = orders(&printing("[{\"status\":\"PAID\"}]", statuses)).await.unwrap();
    assert_eq!(found[0].status, FoundStatus::Won);
    let error = orders(&printing("[{\"state\":\"PAID\"}]", statuses)).await.unwrap_err().problem;
    assert!(error.starts_with("record 1 has no status: "), "{error}");
}

#[tokio::test]
async fn lines_that_do_not_match_are_no_orders() {
    let text = "started\nbought uid=ann\nbought uid=bob\nstopped\n";
    let lines = "format = \"lines\"\npattern = 'bought uid=(?<buyer>\\w+)'";
    assert_eq!(buyers(&orders(&printing(text, lines)).await.unwrap()), ["ann", "bob"]);
}

#[tokio::test]
async fn misplaced_and_unusable_fields_are_errors() {
    let long = format!("[{{\"a\":\"{}\"}}]", "x".repeat(5_000));
    for (printed, lines, expected) in [
        (
            "[{\"a\":1}]",
            "fields = { buyer = \"/b\" }",
            "no record has `/b`, the place of `buyer`: \
                                                       the first is {\"a\":1}",
        ),
        (
            &long,
            "fields = { buyer = \"/a\" }",
            "record 1 has a `buyer` of 5000 bytes, and at most \
                                               4096 are read: is it the right place?",
        ),
        (
            "[{\"a\":\"x\"}]",
            "fields = { seq = \"/a\" }",
            "record 1 has the seq `x`, which is no \
                                                         number",
        ),
        (
            "[{\"a\":-1}]",
            "fields = { accepted_us = \"/a\" }",
            "record 1 has the time `-1`: it must \
                          be a number since 1970, or 2030-01-01T10:00:00Z",
        ),
    ] {
        let text = printing(printed, &format!("format = \"json\"\n{lines}"));
        let error = orders(&text).await.unwrap_err();
        assert_eq!(error.problem, expected);
    }
}
