//! Orders and numbers over HTTP.

use std::path::Path;

use crate::history::Found;

use super::server::{self, Server};
use super::{TruthError, buyers, reset, site, truth};

async fn read(server: &Server, lines: &str) -> Result<Vec<Found>, TruthError> {
    let truth = truth(&format!("[truth.orders]\n{lines}\n")).unwrap();
    truth.orders(&site(&server.url, Path::new("")).around()).await
}

/// The body of a page with these buyers, and the URL of the next one.
fn page(buyers: &[&str], next: &str) -> (u16, Vec<u8>) {
    let orders: Vec<_> = buyers.iter().map(|b| serde_json::json!({ "b": b })).collect();
    (200, serde_json::json!({ "items": orders, "next": next }).to_string().into_bytes())
}

const ITEMS: &str = "list = \"/items\"\nfields = { buyer = \"/b\" }";

#[tokio::test]
async fn numbered_pages_are_read_until_an_empty_one() {
    let server = server::start(|path, _| match path {
        "/o?item=phone&page=0" => page(&["a", "b"], ""),
        "/o?item=phone&page=1" => page(&["c"], ""),
        _ => page(&[], ""),
    })
    .await;
    let lines = "http = \"GET /o?item={{item}}&page={{page}}\"\nfirst_page = 0\n";
    let found = read(&server, &format!("{lines}{ITEMS}")).await.unwrap();
    assert_eq!(buyers(&found), ["a", "b", "c"]);
    // The list is read twice, since it may change between its pages.
    assert_eq!(server.requests.lock().unwrap().len(), 6);
}

#[tokio::test]
async fn next_pages_are_followed_on_the_same_host_only() {
    let server = server::start(|path, _| match path {
        "/o" => page(&["a"], "/p?c=1"),
        _ => page(&["b"], ""),
    })
    .await;
    let lines = format!("http = \"GET /o\"\nnext = \"/next\"\n{ITEMS}");
    assert_eq!(buyers(&read(&server, &lines).await.unwrap()), ["a", "b"]);
    let server = server::start(|_, _| page(&["a"], "http://elsewhere.test/p")).await;
    let error = read(&server, &lines).await.unwrap_err();
    assert_eq!(
        error.problem,
        "the next page is at http://elsewhere.test/p, which is not the host of the first"
    );
}

#[tokio::test]
async fn list_that_changes_between_its_pages_is_read_until_it_stands_still() {
    // A new order moves the others during the first reading, so that `b` is on both pages.
    let server = server::start(|path, number| match (path, number) {
        ("/o?page=1", 1) => page(&["a", "b"], ""),
        ("/o?page=1", _) => page(&["n", "a"], ""),
        ("/o?page=2", 2) => page(&["b"], ""),
        ("/o?page=2", _) => page(&["b", "c"], ""),
        _ => page(&[], ""),
    })
    .await;
    let lines = format!("http = \"GET /o?page={{{{page}}}}\"\n{ITEMS}");
    let found = read(&server, &lines).await.unwrap();
    assert_eq!(buyers(&found), ["n", "a", "b", "c"]);
    let server = server::start(|path, number| match path {
        "/o?page=3" => page(&[], ""),
        _ => page(&[&number.to_string()], ""),
    })
    .await;
    let error = read(&server, &lines).await.unwrap_err();
    assert!(error.problem.starts_with("the list has changed during each of 4 readings"), "{error}");
}

#[tokio::test]
async fn endless_pages_and_bodies_are_bounded() {
    let server = server::start(|_, _| page(&["a"], "")).await;
    let lines = format!("http = \"GET /o?pgae={{{{page}}}}\"\n{ITEMS}");
    let error = read(&server, &lines).await.unwrap_err();
    assert!(error.problem.starts_with("page 2 is the same as the page before"), "{error}");
    let next = format!("http = \"GET /o\"\nnext = \"/next\"\n{ITEMS}");
    let circle = server::start(|_, _| page(&["a"], "/o")).await;
    let error = read(&circle, &next).await.unwrap_err();
    assert_eq!(error.problem, "a page names itself as the next one");
    let long = server::start(|_, _| (200, vec![b' '; (64 << 20) + 1])).await;
    let error = read(&long, "http = \"GET /o\"").await.unwrap_err();
    assert_eq!(error.problem, format!("the answer to GET {}/o is over 64 MiB", long.url));
}

#[tokio::test]
async fn failed_reads_are_tried_again() {
    let server = server::start(|_, number| match number {
        1 => (503, Vec::new()),
        2 => (200, b"[{\"b\"".to_vec()),
        _ => (200, b"[{\"b\":\"a\"}]".to_vec()),
    })
    .await;
    let lines = "http = \"GET /o\"\nfields = { buyer = \"/b\" }";
    assert_eq!(buyers(&read(&server, lines).await.unwrap()), ["a"]);
    let server = server::start(|_, _| (500, Vec::new())).await;
    let error = read(&server, lines).await.unwrap_err();
    assert_eq!(error.problem, format!("GET {}/o is answered with status 500", server.url));
    assert_eq!(server.requests.lock().unwrap().len(), 3);
    let server = server::start(|_, _| (404, Vec::new())).await;
    read(&server, lines).await.unwrap_err();
    assert_eq!(server.requests.lock().unwrap().len(), 1, "404 does not pass");
}

#[tokio::test]
async fn secrets_are_sent_and_not_shown() {
    let home = std::env::var("PATH").unwrap();
    let server = server::start(|_, _| (403, Vec::new())).await;
    let lines = "http = \"GET /o?key={{env.PATH}}\"\nheaders = { x-token = \"{{env.PATH}}\" }";
    let error = read(&server, lines).await.unwrap_err();
    assert_eq!(error.problem, format!("GET {}/o?key=… is answered with status 403", server.url));
    assert!(server.requests.lock().unwrap()[0].contains(&format!("x-token: {home}\r\n")));
}

#[tokio::test]
async fn numbers_are_found_by_pointer_and_by_pattern() {
    let server = server::start(|path, _| match path {
        "/json" => (200, b"{\"count\":\"-3\"}".to_vec()),
        "/text" => (200, b"<b>left: 12</b>".to_vec()),
        _ => (200, b" 5.0\n".to_vec()),
    })
    .await;
    for (lines, expected) in [
        ("http = \"GET /json\"\njson = \"/count\"", Ok(Some(-3))),
        ("http = \"GET /text\"\ntext = 'left: (\\d+)'", Ok(Some(12))),
        ("http = \"GET /text\"\ntext = 'regex left: (\\d+)'", Ok(Some(12))),
        ("http = \"GET /whole\"", Ok(Some(5))),
        (
            "http = \"GET /json\"\njson = \"/left\"",
            Err("there is no number at `/left`: \
                                                      {\"count\":\"-3\"}"),
        ),
        (
            "http = \"GET /text\"",
            Err("`<b>left: 12</b>` is not a whole number: let `json` or \
                                     `text` say where the number is"),
        ),
    ] {
        let orders = "[truth.orders]\nhttp = \"GET /o\"\n";
        let truth = truth(&format!("{orders}[truth.stock]\n{lines}\n")).unwrap();
        let found = truth.stock(&site(&server.url, Path::new("")).around()).await;
        assert_eq!(found.map_err(|error| error.problem), expected.map_err(str::to_owned));
        assert!(truth.tells(&[]).stock);
    }
}

#[tokio::test]
async fn reset_sends_its_request_once() {
    let server = server::start(|_, number| (if number == 1 { 200 } else { 500 }, Vec::new())).await;
    let reset = reset(
        "[[reset]]\nrequest = \"PUT {{target}}/stock/{{item}}\"\n\
         json = { n = 10, i = \"{{item}}\" }",
    )
    .unwrap();
    let site = site(&server.url, Path::new(""));
    reset.run(&site.around()).await.unwrap();
    let error = reset.run(&site.around()).await.unwrap_err().to_string();
    let expected = format!("reset: PUT {}/stock/phone is answered with status 500", server.url);
    assert_eq!(error, expected);
    let requests = server.requests.lock().unwrap();
    assert_eq!(requests.len(), 2);
    assert!(requests[0].ends_with("{\"i\":\"phone\",\"n\":10}"), "{}", requests[0]);
}
