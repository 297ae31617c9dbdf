//! A server without a socket whose consumer is the test, so that nothing is decided before the test
//! does it.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::Request;
use seckill::clock::Clock;
use seckill::ids::RequestId;
use seckill::journal::{Durability, JournalError, SystemDisk};
use seckill::queue::{self, Batch, PublishError, Queue};
use seckill::sale::{NewAttempt, Terms};
use seckill::secret::Secret;
use seckill::server::{AdminToken, App, Engines, RateLimit, open_engines, route};
use seckill::store::{self, Decided, Known, SaleView, Store};
use seckill::units::Rate;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Reply, within};

/// Name of the journal in the folder of a shop or server.
pub(crate) const JOURNAL: &str = "sale.journal";

/// The admin token of every shop.
pub(crate) const TOKEN: &str = "s3cret";

/// The configuration of a shop.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    /// The sale to open, if any.
    pub(crate) sale: Option<Terms>,
    pub(crate) queue_max: usize,
    pub(crate) rate_limit: Option<Rate>,
    pub(crate) durability: Durability,
}

/// An always open sale of `stock` units with a limit of one per buyer.
pub(crate) fn terms(item: &str, stock: u32) -> Terms {
    let item = item.parse().unwrap();
    Terms { item, stock, per_buyer: 1, opens_us: None, closes_us: None, hold_us: None }
}

impl Setup {
    pub(crate) fn stock(stock: u32) -> Self {
        Self {
            sale: Some(terms("tea", stock)),
            queue_max: 10_000,
            rate_limit: None,
            durability: Durability::Os,
        }
    }
}

/// A server without a socket, in a temporary folder.
pub(crate) struct Shop {
    pub(crate) app: App,
    pub(crate) folder: TempDir,
    now_us: Arc<AtomicU64>,
    setup: Setup,
}

impl Shop {
    pub(crate) async fn open(setup: Setup) -> Self {
        let shop = Self::open_in(tempfile::tempdir().unwrap(), setup);
        if let Some(sale) = shop.setup.sale.clone() {
            within(shop.app.store.open_sale(sale)).await.unwrap();
        }
        shop
    }

    /// Opens one sale of tea with a limit of one unit per buyer.
    pub(crate) async fn with_stock(stock: u32) -> Self {
        Self::open(Setup::stock(stock)).await
    }

    pub(crate) fn open_in(folder: TempDir, setup: Setup) -> Self {
        let now_us = Arc::new(AtomicU64::new(1_000_000));
        let (disk, path) = (SystemDisk::shared(), folder.path().join(JOURNAL));
        let (queue, store) = (queue::Recovery::new(setup.queue_max), store::Recovery::default());
        let opened = open_engines(&disk, &path, setup.durability, queue, store);
        let (queue, store) = opened.unwrap();
        let rate_limit = setup.rate_limit.map(RateLimit::new);
        let clock = Clock::Manual(Arc::clone(&now_us));
        let app = App { rate_limit, ..app(queue, store, clock) };
        Self { app, folder, now_us, setup }
    }

    /// Shuts down gracefully, and opens again in the same folder.
    pub(crate) fn restart(self) -> Self {
        let Self { app, folder, setup, .. } = self;
        drop(app);
        Self::open_in(folder, setup)
    }

    /// Opens a second shop on a copy of the present files, as after a `kill -9`.
    pub(crate) fn after_crash(&self) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::copy(self.folder.path().join(JOURNAL), folder.path().join(JOURNAL)).unwrap();
        Self::open_in(folder, self.setup.clone())
    }

    /// Compacts the journal, and waits until that has happened.
    pub(crate) async fn compact(&self) {
        let file = || std::fs::metadata(self.folder.path().join(JOURNAL)).unwrap().ino();
        let before = file();
        within(async {
            while !Engines::of(&self.app).compact().unwrap() {
                tokio::task::yield_now().await;
            }
            while file() == before {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    pub(crate) fn set_clock(&self, now_us: u64) {
        self.now_us.store(now_us, Ordering::Relaxed);
    }

    pub(crate) async fn send(&self, request: Request<Full<Bytes>>) -> Reply {
        let response = within(route(&self.app, request)).await;
        let (head, body) = response.into_parts();
        let body = within(body.collect()).await.unwrap().to_bytes().to_vec();
        Reply { code: head.status.as_u16(), headers: head.headers, body }
    }

    /// Sends `POST /seckill` with this body.
    pub(crate) async fn post(&self, body: Value) -> Reply {
        self.send(post(body.to_string())).await
    }

    /// Sends a purchase of the only item.
    pub(crate) async fn buy(&self, uid: &str, request_id: &str) -> Reply {
        self.post(json!({"uid": uid, "request_id": request_id})).await
    }

    /// Like [`Shop::buy`]; the attempt must be accepted.
    #[track_caller]
    pub(crate) fn accept(&self, uid: &str, request_id: &str) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let reply = self.buy(uid, request_id).await;
            assert_eq!(reply.code, 202, "{} for {caller}", reply.json());
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(get(path)).await
    }

    pub(crate) async fn result(&self, request_id: &str) -> Reply {
        self.get(&format!("/result/{request_id}")).await
    }

    /// Sends a request with the admin token.
    pub(crate) async fn admin(&self, method: &str, path: &str, body: &str) -> Reply {
        let request = request(method, path).header("authorization", format!("Bearer {TOKEN}"));
        self.send(request.body(Full::from(body.to_owned())).unwrap()).await
    }

    /// Puts an attempt into the queue without admission.
    pub(crate) async fn publish(&self, attempt: NewAttempt) -> Result<(), PublishError> {
        publish(&self.app, attempt).await
    }

    /// Receives the next attempts at one item, at most `max`.
    pub(crate) async fn next(&self, max: usize) -> Batch {
        within(self.app.queue.subscribe(max).next(max)).await.expect("the queue is not closed")
    }

    /// Decides and acks a batch, as a consumer does.
    pub(crate) async fn settle(&self, mut batch: Batch) -> Vec<Arc<Decided>> {
        let now_us = self.app.clock.now_us();
        let reserved = within(self.app.store.reserve(batch.attempts(), now_us)).await.unwrap();
        batch.release_item();
        let decided = within(self.app.store.commit(reserved)).await.unwrap();
        within(batch.ack()).await;
        decided
    }

    /// Decides the next attempts at one item, at most `max`.
    pub(crate) async fn decide(&self, max: usize) -> Vec<Arc<Decided>> {
        let batch = self.next(max).await;
        self.settle(batch).await
    }

    /// The embedded queue.
    pub(crate) fn queue(&self) -> &queue::Embedded {
        let Queue::Embedded(queue) = &*self.app.queue else { panic!("not the embedded queue") };
        queue
    }

    /// Closes the queue to new attempts.
    pub(crate) fn close_queue(&self) {
        self.queue().close().unwrap();
    }

    /// The number of queued attempts.
    pub(crate) async fn depth(&self) -> usize {
        within(self.app.queue.depth()).await.unwrap()
    }

    /// The present sale.
    pub(crate) async fn sale(&self) -> SaleView {
        within(self.app.store.sale(None)).await.unwrap()
    }

    /// The committed decision of an attempt.
    pub(crate) async fn decided(&self, request_id: &str) -> Option<Arc<Decided>> {
        decided(&self.app, request_id).await
    }

    /// Decides all queued attempts.
    pub(crate) async fn decide_all(&self) -> Vec<Arc<Decided>> {
        let mut decided = Vec::new();
        while self.depth().await > 0 {
            decided.extend(self.decide(3).await);
        }
        decided
    }
}

/// A server on these engines.
pub(crate) fn app(queue: queue::Embedded, store: store::Embedded, clock: Clock) -> App {
    App {
        queue: Arc::new(Queue::Embedded(Arc::new(queue))),
        store: Arc::new(Store::Embedded(Box::new(store))),
        clock,
        admin_token: AdminToken::new(Secret(TOKEN.into())),
        per_buyer: 1,
        hold_us: None,
        rate_limit: None,
        buyer_rate_limit: None,
        limits: Default::default(),
        concurrency: Default::default(),
        draining: Default::default(),
        confirm_batcher: Default::default(),
        ledger_readers: Default::default(),
        queue_check: Default::default(),
        store_check: Default::default(),
        progress: Default::default(),
        decided_rate: Default::default(),
        precedence: Default::default(),
        waiting_room: None,
        admission: Default::default(),
        result: Default::default(),
        consume: Default::default(),
        undecided: Default::default(),
    }
}

/// Opens a store whose journal is at `path`.
pub(crate) fn open_store(path: &Path, durability: Durability) -> Result<Store, JournalError> {
    let (queue, store) = (queue::Recovery::new(100), store::Recovery::default());
    let opened = open_engines(&SystemDisk::shared(), path, durability, queue, store);
    opened.map(|(_, store)| Store::Embedded(Box::new(store)))
}

pub(crate) fn request(method: &str, path: &str) -> hyper::http::request::Builder {
    Request::builder().method(method).uri(path).header("host", "x")
}

pub(crate) fn get(path: &str) -> Request<Full<Bytes>> {
    request("GET", path).body(Full::default()).unwrap()
}

/// A `POST /seckill` with this body.
pub(crate) fn post(body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    let request = request("POST", "/seckill").header("content-type", "application/json");
    request.body(Full::new(body.into())).unwrap()
}

/// The first of these attempts that is not accepted, with its number, counted on from one.
pub(crate) async fn first_refused(
    from: usize,
    buy: impl AsyncFn(usize) -> Reply,
) -> (usize, Reply) {
    for number in from..100 {
        let reply = buy(number).await;
        if reply.code != 202 {
            return (number, reply);
        }
    }
    panic!("no attempt was refused");
}

/// Puts an attempt into the queue without admission.
pub(crate) async fn publish(app: &App, attempt: NewAttempt) -> Result<(), PublishError> {
    let Queue::Embedded(queue) = &*app.queue else { panic!("not the embedded queue") };
    within(queue.publish(attempt)).await
}

/// The committed decision of an attempt.
pub(crate) async fn decided(app: &App, request_id: &str) -> Option<Arc<Decided>> {
    let request_id: RequestId = request_id.parse().unwrap();
    match within(app.store.known(&request_id)).await.unwrap() {
        Some(Known::Decided(decided)) => Some(decided),
        _ => None,
    }
}

/// An attempt at the first sale of `item`, to be put into the queue directly.
pub(crate) fn attempt(buyer: &str, item: &str, request_id: &str) -> NewAttempt {
    NewAttempt {
        request_id: request_id.parse().unwrap(),
        buyer: buyer.parse().unwrap(),
        item: item.parse().unwrap(),
        epoch: 1,
        accepted_us: 1,
    }
}
