//! The records of the embedded engines: each line is one of an intact journal.

use std::sync::Arc;

use seckill::journal::{Durability, Journal, RECORD_LEN_MAX, create};
use seckill::sale::{Attempt, NewAttempt};
use seckill::store::{Announced, Store};
use tokio::runtime::{Builder, Runtime};

use super::{engines, file};

/// The lowest number that is refused as a position, or as the number of a sale.
const BEYOND: &str = "9223372036854775808";

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread().enable_all().build().unwrap();
}

fn write(name: &str, lines: &[&[u8]]) -> std::path::PathBuf {
    let path = file(name, b"");
    create(&path, 0).unwrap();
    let journal = Journal::open(&path, Durability::Os, |_, _| Ok(())).unwrap();
    lines.iter().for_each(|line| journal.append_later(line).unwrap());
    journal.close().unwrap();
    path
}

fn new_attempt(number: u128, epoch: u64) -> NewAttempt {
    NewAttempt {
        request_id: seckill::ids::RequestId(uuid::Uuid::from_u128(number)),
        buyer: "fuzz".parse().unwrap(),
        item: "tea".parse().unwrap(),
        epoch,
        accepted_us: 1,
    }
}

/// What is replayed can go on: attempts are announced, decided and withdrawn, and read again.
async fn go_on(store: &Store) -> Option<()> {
    let sale = store.sale(None).await.ok()?;
    for number in 1..4 {
        let announced = store.announce(&new_attempt(number, sale.epoch)).await.ok()?;
        let Announced::Fresh(attempt) = announced else { continue };
        if number == 1 {
            let _ = store.withdraw(&attempt).await;
        }
        decide(store, attempt).await;
    }
    let _ = store.open_sale(sale.terms.clone()).await;
    let mut ledger = store.ledger(sale.epoch).await.ok()?;
    while ledger.next().await.is_ok_and(|rows| !rows.is_empty()) {}
    Some(())
}

async fn decide(store: &Store, attempt: Arc<Attempt>) {
    if let Ok(reserved) = store.reserve(&[attempt], 1).await {
        let _ = store.commit(reserved).await;
    }
}

/// Records that no engine has written are refused, or are as good as others.
pub(crate) fn run(bytes: &[u8]) {
    let lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    if lines.iter().any(|line| line.len() > RECORD_LEN_MAX) {
        return;
    }
    let path = write("sale.journal", &lines);
    match engines(&path) {
        Ok((queue, store)) => {
            let store = Store::Embedded(Box::new(store));
            RUNTIME.with(|runtime| runtime.block_on(go_on(&store)));
            let publish = queue.publish(new_attempt(9, 1));
            let published = RUNTIME.with(|runtime| runtime.block_on(publish));
            drop((queue, store));
            match engines(&path) {
                Ok((queue, _)) => assert!(published.is_err() || queue.depth() > 0),
                // Only the highest number that is read has no next one.
                Err(error) => assert!(error.to_string().contains(BEYOND), "{error}"),
            }
        }
        Err(error) => assert_eq!(error.to_string().lines().count(), 1, "{error}"),
    }
}
