//! Requests that the server may read in place.

use super::{ID, OTHER_ID, get, purchase};

/// Requests that the server reads in place, and what it may take for one.
pub(crate) fn plains() -> Vec<Vec<u8>> {
    [plain_purchases(), plain_results()].concat()
}

/// Purchases among them.
fn plain_purchases() -> Vec<Vec<u8>> {
    let body = format!(r#"{{"uid":"ann","request_id":"{ID}","item":"tea"}}"#);
    let json = "content-type: application/json\r\n";
    let long = |len| format!("x: {}\r\n", "x".repeat(len));
    let fields = |count: usize| (0..count).map(|n| format!("x-{n}: {n}\r\n")).collect::<String>();
    let with = |fields: &str| purchase(fields, &body);
    let all = [
        with(""),
        with(json),
        with("Content-Type: Application/JSON ; charset=utf-8\r\nUser-Agent: x/1\r\n"),
        with("content-type: text/plain\r\n"),
        with("connection: keep-alive\r\naccept: */*\r\naccept-encoding: gzip\r\n"),
        with("connection: close\r\n"),
        with("connection: keep-alive, x\r\nkeep-alive: timeout=5\r\nte: trailers\r\n"),
        with("expect: 100-continue\r\n"),
        with("upgrade: h2c\r\nconnection: upgrade\r\n"),
        with("content-length: 1\r\n"),
        with("transfer-encoding: chunked\r\n"),
        with("host: y\r\n"),
        with("a : b\r\n"),
        with("a: b\r\n c\r\n"),
        with("a:\tb \t\r\nb:\r\n"),
        with(&format!("idempotency-key: {ID}\r\nIdempotency-Key: \"{ID}\"\r\n")),
        with(&format!("idempotency-key: {OTHER_ID}\r\nwaiting-room-ticket: x\r\n")),
        with(&fields(20)),
        with(&fields(40)),
        with(&fields(64)),
        with(&long(3_700)),
        with(&long(5_000)),
        with(&long(9_000)),
        with(json).replace("\r\n", "\n"),
        with(json).replace("/seckill", "/seckill?item=tea"),
        with(json).replace("/seckill", "/sec%6bill"),
        with(json).replace("/seckill", "http://x/seckill"),
        with(json).replace("HTTP/1.1", "HTTP/1.0"),
        with(json).replace("POST", "PUT"),
        with(json).replace("host: x", "host: [::1]:80"),
        with(json).replace("host: x", "host: a b"),
        with(json).replace("host: x\r\n", ""),
        format!("\r\n{}\r\n{}", with(json), with(json)),
        with(json) + &with("") + &purchase("", r#"{"uid":"bob"}"#),
        purchase(json, r#"{"uid":"bob"}"#),
        purchase(json, r#"{"uid":"b\u006fb","item":null,"more":[1,{}]}"#),
        purchase(json, r#"{"uid":"no name"}"#),
        purchase(json, r#"{"uid":"bob","item":"cup"}"#),
        purchase(json, r#"["bob"]"#),
        purchase(json, &format!("  {body}\n{}", " ".repeat(3_000))),
        purchase(json, &format!("{body}{}", " ".repeat(4_090))),
        purchase(json, ""),
        purchase(json, &format!(r#"{{"uid":"eve","request_id":"{ID}"}}"#)),
    ];
    all.map(String::into_bytes).into()
}

/// Requests for results among the plain ones.
fn plain_results() -> Vec<Vec<u8>> {
    let result = |rest: &str| get(&format!("/result/{ID}{rest}"));
    let with = |fields: &str| result("").replace("\r\n\r\n", &format!("\r\n{fields}\r\n"));
    let all = [
        result(""),
        result("?wait=1ms"),
        result("?wait=1ms&wait=1h&x=%20"),
        result("?wait=%31ms"),
        result("?wait=1h-"),
        result("?wait"),
        result("?wait=1ms#wait"),
        result("?wait=\"1ms\""),
        result("?wait={1ms}"),
        result("/"),
        result(" "),
        get(&format!("/result/{OTHER_ID}?item=tea")),
        get(&format!("/result/{}", ID.to_uppercase())),
        get(&format!("/result/{}", ID.replace('-', ""))),
        get("/result/7?wait=1ms"),
        get("/result/?wait=1ms"),
        get("/result?item=tea"),
        get("/result?item=cup&wait=1h"),
        get("/result?item=%74ea"),
        get(&format!("http://x/result/{ID}")),
        get(&format!("/result//{ID}")),
        with("connection: keep-alive\r\nuser-agent: x/1\r\n"),
        with("connection: close\r\n"),
        with("content-length: 0\r\n"),
        with("content-length: 5\r\n") + "12345",
        with("transfer-encoding: chunked\r\n") + "0\r\n\r\n",
        with("expect: 100-continue\r\n"),
        with("host: y\r\n"),
        with("").replace("host: x", "host: a b"),
        with("").replace("GET", "HEAD"),
        with("").replace("GET", "POST"),
        with("").replace("GET", "get"),
        with("").replace("HTTP/1.1", "HTTP/1.0"),
        result("?wait=1ms") + &result(""),
        result("") + "{}",
        purchase("", &format!(r#"{{"uid":"ann","request_id":"{ID}"}}"#)) + &result("?wait=1ms"),
    ];
    all.map(String::into_bytes).into()
}
