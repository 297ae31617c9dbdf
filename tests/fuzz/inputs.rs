//! The inputs that are changed: valid ones of every kind, and some that are nearly so.

mod plain;

use std::fs;
use std::path::{Path, PathBuf};

use seckill::journal::{Durability, Journal};

use crate::targets::recording::END;
use crate::targets::server::TOKEN;

pub(crate) use plain::plains;

const ID: &str = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
const OTHER_ID: &str = "0dc995c3-2b98-4633-8a0a-7fa0af80dde3";

/// Each line is an input.
fn lines(text: &str) -> Vec<Vec<u8>> {
    text.lines().map(|line| line.trim().as_bytes().to_vec()).collect()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files below a folder whose names end so, in a fixed order.
fn files(folder: &str, end: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_str().unwrap().ends_with(end) {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn contents(folder: &str, end: &str) -> Vec<Vec<u8>> {
    files(folder, end).iter().map(|path| fs::read(path).unwrap()).collect()
}

fn purchase(fields: &str, body: &str) -> String {
    format!(
        "POST /seckill HTTP/1.1\r\nhost: x\r\n{fields}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n")
}

pub(crate) fn connections() -> Vec<Vec<u8>> {
    let body = format!(r#"{{"uid":"ann","request_id":"{ID}","item":"tea"}}"#);
    let chunked = format!(
        "POST /seckill HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n{:x};a=b\r\n\
         {body}\r\n0\r\nx: y\r\n\r\n",
        body.len()
    );
    let admin =
        format!("GET /admin/ledger HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n", TOKEN);
    let all = [
        purchase("", &body),
        purchase("content-type: application/json\r\nexpect: 100-continue\r\n", &body),
        purchase(&format!("idempotency-key: {OTHER_ID}\r\n"), r#"{"uid":"bob"}"#),
        chunked.clone(),
        admin,
        [get("/healthz"), get("/result"), purchase("", &body), chunked, get("/metrics")].concat(),
        "GET /readyz HTTP/1.0\r\nconnection: keep-alive\r\n\r\n".to_owned(),
        "HEAD /result HTTP/1.1\r\nhost: x\r\n\r\nOPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n".to_owned(),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
        format!("GET /result/{ID}?wait=1ms HTTP/1.1\r\nhost: [::1]:80\r\nupgrade: h2c\r\n\r\n"),
    ];
    all.map(String::into_bytes).into()
}

pub(crate) fn routes() -> Vec<Vec<u8>> {
    let token = TOKEN;
    let all = [
        format!("POST /seckill\nhost: x\n\n{{\"uid\":\"ann\",\"request_id\":\"{ID}\"}}"),
        "POST /seckill\ncontent-type: application/json\n\n{\"uid\":\"bob\",\"item\":\"tea\"}"
            .into(),
        format!("POST /seckill\nidempotency-key: {OTHER_ID}\n\n{{\"uid\":\"cat\"}}"),
        format!("GET /result/{ID}?wait=1ms\nhost: x\n\n"),
        "GET /result?item=tea\nhost: x\n\n".into(),
        format!(
            "PUT /admin/sale\nauthorization: Bearer {token}\n\n{{\"item\":\"tea\",\"stock\":100000,\
             \"per_buyer\":2,\"opens_at\":\"2020-01-01T00:00:00Z\",\
             \"closes_at\":\"2999-01-01T00:00:00Z\"}}"
        ),
        format!("GET /admin/ledger?item=tea&epoch=1\nauthorization: Bearer {token}\n\n"),
        "GET /healthz\n\n".into(),
        "GET /readyz\n\n".into(),
        "GET /metrics\nhost: x\n\n".into(),
        "DELETE /seckill\n\n".into(),
    ];
    all.map(String::into_bytes).into()
}

/// Records of the store's and of the queue's journal.
const RECORDS: [&str; 3] = [
    "sale 1 tea 2 1 - -
announced 7c9e6679-7425-40de-944b-e07fc1f90ae7 ann tea 1 0 5
confirmed 7c9e6679-7425-40de-944b-e07fc1f90ae7
decided 9 7c9e6679-7425-40de-944b-e07fc1f90ae7 ann tea 1 0 5 won tea-1-1
announced 0dc995c3-2b98-4633-8a0a-7fa0af80dde3 bob tea 1 1 6
withdrawn 0dc995c3-2b98-4633-8a0a-7fa0af80dde3
announced 0dc995c3-2b98-4633-8a0a-7fa0af80dde3 bob tea 1 2 7",
    "sale 1 tea 1 1 5 99
sale 2 tea 3 2 - 99
decided 9 7c9e6679-7425-40de-944b-e07fc1f90ae7 ann tea 2 0 5 won tea-2-1
decided 9 0dc995c3-2b98-4633-8a0a-7fa0af80dde3 ann tea 2 1 5 won tea-2-2
decided 9 0dc995c3-2b98-4633-8a0a-7fa0af80dde4 bob tea 1 2 5 lost sale_replaced
decided 9 0dc995c3-2b98-4633-8a0a-7fa0af80dde5 cat tea 2 3 5 lost undeliverable",
    "+ 7c9e6679-7425-40de-944b-e07fc1f90ae7 ann tea 1 5
+ 0dc995c3-2b98-4633-8a0a-7fa0af80dde3 bob tea 1 6
- 0
+ 0dc995c3-2b98-4633-8a0a-7fa0af80dde4 bob cup 2 7
- 1 3",
];

pub(crate) fn records() -> Vec<Vec<u8>> {
    RECORDS.map(|text| text.as_bytes().to_vec()).into()
}

/// A journal with these records, each in a batch of its own or all in one.
fn journal(text: &str, one_batch: bool) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.journal");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let journal = Journal::open(&path, Durability::Os, |_, _| Ok(())).unwrap();
    for record in text.lines() {
        match one_batch {
            true => journal.append_later(record.as_bytes()).unwrap(),
            false => runtime.block_on(journal.append(record.as_bytes()).unwrap()).unwrap(),
        }
    }
    journal.close().unwrap();
    fs::read(&path).unwrap()
}

pub(crate) fn journals() -> Vec<Vec<u8>> {
    let long = "+ 0dc995c3-2b98-4633-8a0a-7fa0af80dde4 bob cup 2 7\n".repeat(30);
    let texts = RECORDS.iter().copied().chain([&*long, ""]);
    texts.flat_map(|text| [journal(text, true), journal(text, false)]).collect()
}

pub(crate) fn profiles() -> Vec<Vec<u8>> {
    let faults = br#"
threads = 10
fail-if = ["p99>1s"]
stage = ["1s:5", "2s:7"]
[[fault]]
at = "1s"
for = "2s"
what = "client"
do = "latency"
delay = "5ms"
[[fault]]
at = "10ms"
what = "broker"
do = "kill"
[server]
stock = 5
flaw = ["no-dedupe"]
opens-at = "2030-01-01T10:00:00Z"
"#;
    let described = contents("tests/services/described", ".toml");
    let all = contents("profiles", ".toml").into_iter().chain(contents("examples", ".toml"));
    all.chain(described).chain([faults.to_vec()]).collect()
}

pub(crate) fn expressions() -> Vec<Vec<u8>> {
    lines(
        "p99>50ms
        errors>1%
        p95>=1.2x
        rate<100/s
        queued<10
        http_500>0
        server.rss>100MB
        accepted.p999>1.5s
        oversold>0
        gini>0.5
        at=5s for=10s what=broker do=blackhole
        at=1s for=2s what=client do=latency delay=5ms jitter=1ms
        at=1s for=1s what=store do=limit-data bytes=10k way=up
        at=2s what=server do=kill
        1m30s
        10k
        5k/s
        2.5%
        64MiB
        thread
        1s:5
        2s:10/s
        2030-01-01T10:00:00Z
        +5s
        100ms..2s",
    )
}

pub(crate) fn ledgers() -> Vec<Vec<u8>> {
    contents("tests/library/audit/recorded", "ledger.ndjson")
}

pub(crate) fn histories() -> Vec<Vec<u8>> {
    contents("tests/library/audit/recorded", "history.ndjson")
}

pub(crate) fn recordings() -> Vec<Vec<u8>> {
    let folder = root().join("tests/fuzz/recording");
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    let result = read("run.json");
    let own = ["history.ndjson", "ledger-before.ndjson", "ledger.ndjson"].map(&read);
    let mut recordings = vec![[&[result.clone()][..], &own[..]].concat().join(END)];
    for history in files("tests/library/audit/recorded", "history.ndjson") {
        let of = |name: &str| fs::read(history.with_file_name(name)).unwrap();
        let others = ["history.ndjson", "ledger-before.ndjson", "ledger.ndjson"].map(of);
        recordings.push([&[result.clone()][..], &others[..]].concat().join(END));
    }
    recordings
}

pub(crate) fn responses() -> Vec<Vec<u8>> {
    let all = [
        "HTTP/1.1 410 Gone\r\ncontent-type: application/json\r\ncontent-length: 41\r\n\r\n\
         {\"status\":\"rejected\",\"reason\":\"sold_out\"}",
        "HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\nRetry-After: 1\r\n\r\n\
         14\r\n{\"status\":\"rejected\"\r\n15;a=\"b\"\r\n,\"reason\":\"sold_out\"}\r\n0\r\n\
         a: b\r\n\r\n",
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nuntil the end",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n\
         HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 503 No\r\ncontent-length: 0\r\n\
         retry-after: Wed, 21 Oct 2015 07:28:00 GMT\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\ncontent-length: 10\r\n\r\n",
    ];
    all.map(|text| text.as_bytes().to_vec()).into()
}

pub(crate) fn answers() -> Vec<Vec<u8>> {
    let answer = |status: u16, fields: &str, body: &str| {
        let len = body.len();
        let head = format!("HTTP/1.1 {status} Said\r\n{fields}content-length: {len}\r\n\r\n");
        [head.as_bytes(), body.as_bytes()].concat()
    };
    let cookies = "set-cookie: sku=a%20b; Path=/; HttpOnly\r\nset-cookie: sku=; Max-Age=0\r\n\
                   etag: \"x\"\r\n";
    let mut answers = vec![
        answer(200, cookies, r#"{"token":"T1","status":"won","order":{"id":42}}"#),
        answer(200, "", r#"<input name="csrf" value="abc"> {"token":1.5e3}"#),
        answer(200, "", r#"{"status":"won","order_id":"tea-1-1","request_id":null}"#),
        answer(200, "", r#"{"status":"lost","reason":"already_bought"}"#),
        answer(202, "", &format!(r#"{{"status":"queued","request_id":"{ID}"}}"#)),
        answer(404, "", r#"{"status":"rejected","reason":"unknown_request"}"#),
        answer(409, "", "sold   out\u{202e}"),
        answer(200, "", r#"{"order":{"id":[{"id":"\ud83d\ude00"}]},"status":"paid","token":""}"#),
        answer(503, "retry-after: 1\r\n", r#"{"status":"rejected","reason":"queue_full"}"#),
    ];
    answers.extend(responses());
    answers
}

pub(crate) fn truths() -> Vec<Vec<u8>> {
    let all = [
        r#"{"data":{"orders":[{"id":1,"by":"a","at":1700000000,"s":"paid","n":3},
            {"id":"x","by":"b","at":"2023-11-14T22:13:21Z","s":"void","n":"4"}]},"next":"/2"}"#,
        "{\"kind\":\"order\",\"request_id\":\"r\",\"id\":7,\"at\":1.5}\n\n{\"kind\":\"x\"}\n",
        "\u{feff}id,name,created,n\r\n1,\"a <b@c>\",2023-11-14 22:13:21+01:00,1\r\n2,d,,\r\n",
        "id\tbuyer\n1\ta\\tb\\\\\n2\tNULL\n",
        "buyer=ann {\"id\":1}\n{\"id\":2}\nbuyer=bob\n",
        "left: -12 units",
        "17.000",
        "[{\"order_id\":\"a\",\"buyer\":\"b\",\"status\":\"won\"},[],1,null,\"x\"]",
    ];
    all.map(|text| text.as_bytes().to_vec()).into()
}
