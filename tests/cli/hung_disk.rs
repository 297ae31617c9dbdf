//! While the disk hangs, new attempts are refused at once and the server is not ready; it recovers
//! when the disk does.

use std::path::{Path, PathBuf};

use hyper::Method;
use serde_json::{Value, json};

use super::preload;
use crate::support::child::{Serving, eventually, seckill};
use crate::support::client::{TOKEN, ask, get};
use crate::support::id;
use crate::support::skip::skip;

/// A disk that hangs while a file exists: the server's `fdatasync` is replaced.
struct HangingDisk {
    library: PathBuf,
    hung: PathBuf,
}

impl HangingDisk {
    /// Returns `None` where no C compiler is installed.
    fn new(folder: &Path) -> Option<Self> {
        let library = preload::library(folder, "hung_disk.c")?;
        Some(Self { library, hung: folder.join("hung") })
    }

    fn serve(&self, data: &Path) -> Serving {
        let mut command = seckill();
        command.env("LD_PRELOAD", &self.library).env("HUNG_WHILE", &self.hung);
        Serving::start_as(command, data, &["--admin-token", TOKEN])
    }

    fn hang(&self) {
        std::fs::write(&self.hung, "").unwrap();
    }

    fn recover(&self) {
        std::fs::remove_file(&self.hung).unwrap();
    }
}

fn buy(url: &str, uid: &str, number: usize) -> (u16, Value) {
    let body = json!({"uid": uid, "request_id": id(number)});
    parsed(ask(Method::POST, &format!("{url}/seckill"), Some(body)))
}

fn decided(url: &str, number: usize) -> Value {
    let result = get(&format!("{url}/result/{}?wait=30s", id(number)));
    serde_json::from_slice(&result).unwrap()
}

fn ready(url: &str) -> (u16, Value) {
    parsed(ask(Method::GET, &format!("{url}/readyz"), None))
}

fn parsed(answer: Option<(u16, Vec<u8>)>) -> (u16, Value) {
    let (code, body) = answer.expect("the server answers");
    (code, serde_json::from_slice(&body).unwrap())
}

#[test]
fn hung_disk_refuses_new_attempts_until_it_recovers() {
    let folder = tempfile::tempdir().unwrap();
    let Some(disk) = HangingDisk::new(folder.path()) else {
        skip("no C compiler is installed");
        return;
    };
    let server = disk.serve(&folder.path().join("data"));
    let url = server.url.as_str();
    assert_eq!(buy(url, "ann", 1).0, 202);
    // Until Ann's order is on disk, the store would be the first to hang.
    assert_eq!(decided(url, 1)["status"], "won");
    assert_eq!(ready(url).0, 200);

    disk.hang();
    std::thread::scope(|scope| {
        let held = scope.spawn(|| buy(url, "bob", 2));
        eventually("the server is not ready", || ready(url).0 == 503);
        let (_, answer) = ready(url);
        assert_eq!(
            (&answer["reason"], &answer["queue"]),
            (&json!("broker_unavailable"), &json!("unavailable"))
        );
        let message = answer["message"].as_str().unwrap();
        assert!(message.contains("sale.journal") && message.contains("disk"), "{message}");
        let (code, answer) = buy(url, "cat", 3);
        assert_eq!((code, &answer["reason"]), (503, &json!("broker_unavailable")));
        let (code, answer) = buy(url, "bob", 2);
        assert_eq!(
            (code, &answer["reason"]),
            (500, &json!("outcome_unknown")),
            "it may be on disk"
        );

        disk.recover();
        let (code, answer) = held.join().unwrap();
        assert!(code == 202 || answer["reason"] == "outcome_unknown", "{code} {answer}");
    });
    eventually("the server is ready again", || ready(url).0 == 200);
    assert_eq!(buy(url, "cat", 3).0, 202, "the refused attempt had no effect");
    for number in 1..=3 {
        let result = decided(url, number);
        assert_eq!(result["status"], "won", "{number}: {result}");
    }
}
