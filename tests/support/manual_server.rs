//! A server on any queue and store whose only consumer is the test, so that nothing is decided
//! before the test does it.

use std::sync::{Arc, Mutex};

use http_body_util::BodyExt;
use seckill::flaws::Flaws;
use seckill::profile::ServePlan;
use seckill::queue::{Batch, Subscription};
use seckill::sale::Terms;
use seckill::server::{App, Server, route};
use seckill::store::Decided;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::backend::Backend;
use super::order_numbers::OrderNumbers;
use super::{Reply, TOKEN, post, request, terms, within};

/// A running server and its consumer.
pub(crate) struct ManualServer {
    pub(crate) app: Arc<App>,
    pub(crate) backend: Backend,
    /// Its address.
    pub(crate) url: String,
    consumer: Subscription,
    /// If the stock is in several buckets.
    orders: Option<Mutex<OrderNumbers>>,
    folder: TempDir,
    config: ServePlan,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// Prefetch of the test's consumer.
const PREFETCH: usize = 100;

impl ManualServer {
    /// Starts it with a sale of tea.
    pub(crate) async fn open(backend: Backend, stock: u32) -> Self {
        Self::open_with(backend, |config| config.stock = stock).await
    }

    pub(crate) async fn open_with(backend: Backend, change: impl FnOnce(&mut ServePlan)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = backend.config(folder.path(), &Flaws::default());
        change(&mut config);
        config.consumers = 0;
        let orders = (backend.buckets > 1).then(Mutex::default);
        Self { orders, ..Self::start(backend, folder, config).await }
    }

    async fn start(backend: Backend, folder: TempDir, config: ServePlan) -> Self {
        let server = within(Server::start(config.clone())).await.unwrap();
        let (app, url) = (server.app(), format!("http://{}", server.address()));
        let (stop, stopped) = oneshot::channel();
        let data = folder.path().to_owned();
        let task = tokio::spawn(async move {
            let stopped = async { drop(stopped.await) };
            let ended = server.run(stopped).await;
            // A server whose test has ended may find its folder deleted.
            assert!(ended.is_ok() || !data.exists(), "{ended:?}");
        });
        let consumer = app.queue.subscribe(PREFETCH);
        Self { app, backend, url, consumer, orders: None, folder, config, stop, task }
    }

    /// Shuts down gracefully, and starts again on the same queue and store.
    pub(crate) async fn restart(self) -> Self {
        let Self { app, backend, consumer, orders, folder, config, stop, task, .. } = self;
        let _ = stop.send(());
        // Closes the queue first, so that it ends without deciding queued attempts.
        within(app.queue.close()).await.unwrap();
        drop((app, consumer));
        task.abort();
        let _ = within(task).await;
        Self { orders, ..Self::start(backend, folder, config).await }
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: &str) -> Reply {
        let request = request(method, path).header("authorization", format!("Bearer {TOKEN}"));
        self.ask(request.body(body.to_owned().into()).unwrap()).await
    }

    async fn ask(&self, request: hyper::Request<http_body_util::Full<bytes::Bytes>>) -> Reply {
        let (head, body) = within(route(&self.app, request)).await.into_parts();
        let mut body = within(body.collect()).await.unwrap().to_bytes().to_vec();
        if let Some(orders) = &self.orders {
            let text = String::from_utf8(body).unwrap();
            body = orders.lock().unwrap().in_body(&text).into_bytes();
        }
        Reply { code: head.status.as_u16(), headers: head.headers, body }
    }

    pub(crate) async fn buy_item(&self, uid: &str, request_id: &str, item: &str) -> Reply {
        let body = json!({"uid": uid, "request_id": request_id, "item": item});
        self.ask(post(body.to_string())).await
    }

    pub(crate) async fn buy(&self, uid: &str, request_id: &str) -> Reply {
        self.buy_item(uid, request_id, "tea").await
    }

    /// Like [`ManualServer::buy`]; the attempt must be accepted.
    #[track_caller]
    pub(crate) fn accept(&self, uid: &str, request_id: &str) -> impl Future<Output = ()> {
        let caller = std::panic::Location::caller();
        async move {
            let reply = self.buy(uid, request_id).await;
            assert_eq!(reply.code, 202, "{} for {caller}, {:?}", reply.json(), self.backend);
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, "").await
    }

    pub(crate) async fn result(&self, request_id: &str) -> Reply {
        self.get(&format!("/result/{request_id}")).await
    }

    /// The status of the sale.
    pub(crate) async fn sale(&self) -> Value {
        self.get("/result?item=tea").await.json()
    }

    pub(crate) async fn open_sale(&self, terms: &Terms) {
        let Terms { item, stock, per_buyer, .. } = terms;
        let body = json!({"item": item.as_str(), "stock": stock, "per_buyer": per_buyer});
        let reply = self.send("PUT", "/admin/sale", &body.to_string()).await;
        assert_eq!(reply.code, 200, "{}", reply.json());
    }

    /// Rows of the ledger: `uid status reason-or-order`.
    pub(crate) async fn ledger(&self, query: &str) -> Vec<String> {
        let reply = self.send("GET", &format!("/admin/ledger?{query}"), "").await;
        let text = String::from_utf8(reply.body).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        let rows = lines.filter(|line| line.get("request_id").is_some());
        let word = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
        rows.map(|row| {
            let end = word(&row, "reason") + &word(&row, "order_id");
            format!("{} {} {end}", word(&row, "uid"), word(&row, "status")).trim_end().to_owned()
        })
        .collect()
    }

    /// Receives the next attempts at one item, at most `max`.
    pub(crate) async fn next(&mut self, max: usize) -> Batch {
        within(self.consumer.next(max)).await.expect("the queue is not closed")
    }

    /// Releases everything that this consumer received and has not acked, as if it had died.
    pub(crate) fn die(&mut self) {
        self.consumer = self.app.queue.subscribe(PREFETCH);
    }

    /// Decides and acks a batch, as a consumer does. Orders have the numbers that the store gives.
    pub(crate) async fn settle(&self, batch: Batch) -> Vec<Arc<Decided>> {
        let (batch, decided) = self.reserve(batch).await;
        within(batch.ack()).await;
        decided
    }

    /// Decides a batch without acking it. Orders are numbered as in one bucket.
    pub(crate) async fn commit(&self, batch: Batch) -> (Batch, Vec<Arc<Decided>>) {
        let (batch, decided) = self.reserve(batch).await;
        let decided = match &self.orders {
            Some(orders) => orders.lock().unwrap().of_decided(decided),
            None => decided,
        };
        (batch, decided)
    }

    async fn reserve(&self, mut batch: Batch) -> (Batch, Vec<Arc<Decided>>) {
        let now_us = self.app.clock.now_us();
        let reserved = within(self.app.store.reserve(batch.attempts(), now_us)).await.unwrap();
        batch.release_item();
        let decided = within(self.app.store.commit(reserved)).await.unwrap();
        (batch, decided)
    }

    /// Decides `count` attempts, at most `max` at a time. Orders are numbered as in one bucket.
    pub(crate) async fn decide(&mut self, count: usize, max: usize) -> Vec<Arc<Decided>> {
        let mut decided = Vec::new();
        while decided.len() < count {
            let batch = self.next(max.min(count - decided.len())).await;
            let (batch, some) = self.commit(batch).await;
            within(batch.ack()).await;
            decided.extend(some);
        }
        decided
    }

    /// Waits until the register has every accepted attempt as queued.
    pub(crate) async fn confirmed(&self) {
        within(async {
            while !self.app.store.unconfirmed(u64::MAX >> 1).await.unwrap().is_empty() {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}
