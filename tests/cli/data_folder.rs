//! A server whose data folder is taken away accepts nothing more and ends, and no second server can
//! use its journals.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use hyper::Method;
use serde_json::json;

use crate::support::child::{Serving, seckill};
use crate::support::client::{TOKEN, ask, get};
use crate::support::id;

fn serve(data: &Path) -> Serving {
    Serving::start(data, &["--admin-token", TOKEN])
}

fn buy(server: &Serving, uid: &str, number: usize) -> Option<u16> {
    let body = json!({"uid": uid, "request_id": id(number)});
    Some(ask(Method::POST, &format!("{}/seckill", server.url), Some(body))?.0)
}

#[test]
fn idle_server_whose_data_folder_is_deleted_ends() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = serve(&data);
    assert_eq!(buy(&server, "ann", 1), Some(202));
    // From its decision on, the server has nothing to do.
    get(&format!("{}/result/{}?wait=30s", server.url, id(1)));
    std::fs::remove_dir_all(&data).unwrap();
    let (status, printed) = server.wait();
    assert_eq!(status.code(), Some(1), "{printed}");
    assert!(printed.contains("moved or deleted") && printed.contains(".journal"), "{printed}");
}

#[test]
fn attempt_is_not_accepted_into_a_replaced_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let server = serve(&data);
    assert_eq!(buy(&server, "ann", 1), Some(202));
    std::fs::rename(&data, folder.path().join("moved")).unwrap();
    std::fs::create_dir(&data).unwrap();
    assert_ne!(buy(&server, "bob", 2), Some(202), "a restart would not find it");
    assert_eq!(server.wait().0.code(), Some(1));
}

#[test]
fn second_server_cannot_start_on_the_same_journals_without_the_lock_file() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let first = serve(&data);
    std::fs::remove_file(data.join("lock")).unwrap();
    let mut second = seckill();
    second.args(["serve", "--listen", "127.0.0.1:0", "--data"]).arg(&data);
    let mut second = second.spawn().unwrap();
    let mut printed = String::new();
    BufReader::new(second.stdout.take().unwrap()).read_line(&mut printed).unwrap();
    // It would run for ever.
    let _ = second.kill();
    assert_eq!(printed, "", "it started");
    second.stderr.take().unwrap().read_to_string(&mut printed).unwrap();
    second.wait().unwrap();
    assert!(printed.contains("another server") && printed.contains(".journal"), "{printed}");
    assert_eq!(buy(&first, "ann", 1), Some(202), "the first one goes on");
}
