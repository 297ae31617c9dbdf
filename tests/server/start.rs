//! How a server starts: with a folder and an address of its own, or not at all.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use seckill::profile::ServePlan;
use seckill::server::{Engines, Server};
use serde_json::json;

use crate::support::{JOURNAL, Running, Setup, Shop, config, id, within};

/// The error of a server that must not start.
async fn refusal(config: ServePlan) -> String {
    within(Server::start(config)).await.unwrap_err().to_string()
}

#[tokio::test]
async fn second_server_on_a_folder_names_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let first = Running::start(config(folder.path())).await;
    let message = refusal(config(folder.path())).await;
    assert!(message.contains(&format!("(pid {})", std::process::id())), "{message}");
    assert!(message.contains("--data"), "{message}");
    assert_eq!(first.buy("ann", &id(1)).await.code, 202, "the first server still works");
    first.end().await;
    Running::start(config(folder.path())).await.end().await;
}

#[tokio::test]
async fn port_in_use_is_reported_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap().to_string();
    let data = folder.path().join("data");
    let message = refusal(ServePlan { listen: listen.clone(), ..config(&data) }).await;
    assert!(message.contains(&listen) && message.contains("--listen"), "{message}");
    assert!(!data.exists());
    let nonsense = ServePlan { listen: "127.0.0.1".into(), ..config(&data) };
    assert!(refusal(nonsense).await.contains("--listen"));
}

#[tokio::test]
async fn data_path_that_is_a_file_is_named_with_the_flag() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let message = refusal(config(&file)).await;
    assert!(message.contains("--data") && message.contains("file"), "{message}");
}

#[tokio::test]
async fn foreign_journal_file_is_left_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(JOURNAL);
    fs::write(&path, "a file that is not a journal").unwrap();
    assert!(refusal(config(folder.path())).await.contains(JOURNAL));
    assert_eq!(fs::read(&path).unwrap(), b"a file that is not a journal");
    fs::remove_file(path).unwrap();
    Running::start(config(folder.path())).await.end().await;
}

#[tokio::test]
async fn journals_of_an_earlier_version_are_refused() {
    for name in ["queue.journal", "store.journal"] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(name), "").unwrap();
        let message = refusal(config(folder.path())).await;
        assert!(message.contains(name) && message.contains("--data"), "{message}");
        assert!(!folder.path().join(JOURNAL).exists());
    }
}

#[tokio::test]
async fn link_to_the_journal_stays_a_link() {
    let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    Running::start(config(elsewhere.path())).await.end().await;
    let link = folder.path().join(JOURNAL);
    std::os::unix::fs::symlink(elsewhere.path().join(JOURNAL), &link).unwrap();
    let server = Running::start(config(folder.path())).await;
    while !Engines::of(&server.app).compact().unwrap() {
        tokio::task::yield_now().await;
    }
    assert_eq!(server.buy("ann", &id(1)).await.code, 202);
    server.end().await;
    assert!(link.is_symlink());
    let server = Running::start(config(folder.path())).await;
    assert_eq!(server.get("/result").await.json()["orders"], 1);
    server.end().await;
}

#[tokio::test]
async fn journal_is_private() {
    let folder = tempfile::tempdir().unwrap();
    Running::start(config(folder.path())).await.end().await;
    let journal = fs::metadata(folder.path().join(JOURNAL)).unwrap();
    assert_eq!(journal.permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn generated_token_is_private_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let config = || ServePlan { admin_token: None, ..config(folder.path()) };
    let path = folder.path().join("admin-token");
    let server = Running::start(config()).await;
    let token = fs::read_to_string(&path).unwrap();
    assert!(token.trim().len() >= 32, "{} characters", token.len());
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(server.ledger(token.trim()).await.code, 200);
    server.end().await;
    let server = Running::start(config()).await;
    assert_eq!(server.ledger(token.trim()).await.code, 200);
    assert_eq!(fs::read_to_string(&path).unwrap(), token);
    server.end().await;
}

#[tokio::test]
async fn stored_sale_takes_precedence_over_flags() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(config(folder.path())).await;
    server.buy("ann", &id(1)).await;
    server.end().await;
    let other = ServePlan { stock: 99, ..config(folder.path()) };
    let server = Running::start(other).await;
    let sale = server.get("/result").await.json();
    assert_eq!((&sale["stock"], &sale["orders"]), (&json!(10), &json!(1)));
    server.end().await;
}

#[tokio::test]
async fn attempts_queued_by_an_earlier_process_are_decided() {
    let shop = Shop::open(Setup::stock(1)).await;
    for (uid, number) in [("ann", 1), ("bob", 2)] {
        shop.accept(uid, &id(number)).await;
    }
    let crashed = shop.after_crash();
    let folder = crashed.folder;
    drop(crashed.app);
    let server = Running::start(config(folder.path())).await;
    let reply = server.get(&format!("/result/{}?wait=30s", id(1))).await;
    assert_eq!(reply.json()["order_id"], "tea-1-1");
    let reply = server.get(&format!("/result/{}?wait=30s", id(2))).await;
    assert_eq!(reply.json()["reason"], "sold_out");
    server.end().await;
}
