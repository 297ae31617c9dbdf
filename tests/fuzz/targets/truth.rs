//! The sources of a described shop's truth: whatever they send.

use seckill::sut::Description;

use super::file;
use super::profile::setting;

const PURCHASE: &str = "[purchase]\nrequest = \"POST /orders\"\n[[outcome]]\nstatus = 200\n\
                        is = \"won\"\n";

/// The orders in each format, and numbers in each place.
const SOURCES: [&str; 6] = [
    r#"[truth.orders]
http = "GET /orders"
list = "/data/orders"
next = "/next"
fields = { order_id = "/id", buyer = "/by", accepted_us = "/at", status = "/s", seq = "/n" }
statuses = { won = ["paid"], lost = ["void"], queued = ["new"] }
complete = true
[truth.stock]
http = "GET /stock"
json = "/left"
"#,
    r#"[truth.orders]
command = ["true"]
format = "ndjson"
fields = { request_id = "/request_id", order_id = "/id", decided_us = "/at" }
only = { "/kind" = "order" }
[truth.stock]
command = ["true"]
text = 'left: (-?[0-9]+)'
"#,
    r#"[truth.orders]
command = ["true"]
format = "csv"
fields = { order_id = "id", buyer = "name", accepted_us = "created", seq = "n" }
patterns = { buyer = '<(.*)>' }
[truth.queued]
command = ["true"]
"#,
    "[truth.orders]\ncommand = [\"true\"]\nformat = \"tsv\"\nfields = { order_id = \"id\" }\n",
    r#"[truth.orders]
command = ["true"]
format = "lines"
fields = { order_id = "/id", buyer = "" }
patterns = { buyer = 'buyer=(\w+)' }
"#,
    "[truth.orders]\ncommand = [\"true\"]\nformat = \"json\"\n",
];

thread_local! {
    static DESCRIPTIONS: Vec<Description> = SOURCES.map(described).into();
}

fn described(source: &str) -> Description {
    let path = file("truth.toml", format!("{PURCHASE}{source}").as_bytes());
    Description::read(&path, setting()).unwrap_or_else(|error| panic!("{source}: {error}"))
}

/// Each source finds orders and numbers, or says on one line why it finds none.
pub(crate) fn run(bytes: &[u8]) {
    DESCRIPTIONS.with(|descriptions| {
        for problem in descriptions.iter().flat_map(|description| description.truth_of(bytes)) {
            let Err(problem) = problem else { continue };
            assert_eq!(problem.lines().count(), 1, "{problem}");
            assert!(problem.len() < 4_000, "{}", problem.len());
        }
    });
}
