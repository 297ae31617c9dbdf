//! Deciding does not depend on the threads on which requests are answered.

use std::sync::Arc;

use tokio::runtime::Builder;

use crate::support::{Running, attempt, config, id, publish, within};

#[tokio::test]
async fn attempts_are_decided_while_the_threads_of_requests_are_busy() {
    let folder = tempfile::tempdir().unwrap();
    let server = Running::start(config(folder.path())).await;
    assert_eq!(server.get("/healthz").await.code, 200, "it runs");
    let app = Arc::clone(&server.app);
    let waits = std::thread::spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let waiter = app.store.wait(id(0).parse().unwrap());
            publish(&app, attempt("ann", "tea", &id(0))).await.unwrap();
            within(waiter.decided()).await.unwrap()
        })
    });
    // This blocks the only thread that requests have in a test.
    let decided = waits.join().unwrap();
    assert_eq!(decided.attempt.request_id.to_string(), id(0));
    server.end().await;
}
