//! A sale seen from outside: opened, loaded, and judged by what its server exports.

use std::sync::{Arc, LazyLock};
use std::thread::JoinHandle;
use std::time::Duration;

use reqwest::Method;
use seckill::api::SaleStatus;
use seckill::history::{Answered, Beginning, History, Ledger, ResultRead};
use seckill::ids::RequestId;
use seckill::judge::{Audit, Verdict, reconcile};
use seckill::load::{self, Job, Ran};
use seckill::profile::{BenchFlags, Plan};
use seckill::stats::Live;
use seckill::sut::LedgerReader;
use seckill::sut::{Received, ShownOrder, Sut, Target, Visit};
use seckill::units::{Count, Span};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::child::{WAIT_MAX, eventually};

/// The admin token of every server under test.
pub(crate) const TOKEN: &str = "client-token";

/// Maximum number of results polled per run.
const RESULTS_MAX: usize = 200;

/// More units than the load of any test requests.
pub(crate) const PLENTY: u64 = 1_000_000;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(1).enable_all().build().unwrap()
});

/// It reuses no connections, because its server may be killed at any moment.
static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(|| {
    // A build with TLS cannot create a client without a provider.
    #[cfg(feature = "tls")]
    seckill::tls::install_provider();
    let client = reqwest::Client::builder().no_proxy().timeout(WAIT_MAX);
    client.pool_max_idle_per_host(0).build().unwrap()
});

/// Runs a future to completion.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    RUNTIME.block_on(work)
}

/// Status and body of an answer; `None` if there was none.
pub(crate) fn ask(method: Method, url: &str, body: Option<Value>) -> Option<(u16, Vec<u8>)> {
    let request = CLIENT.request(method, url).bearer_auth(TOKEN);
    let request = body.iter().fold(request, |request, body| request.json(body));
    block_on(async {
        let response = request.send().await.ok()?;
        Some((response.status().as_u16(), response.bytes().await.ok()?.to_vec()))
    })
}

/// The body of a GET, which must be answered with 200.
#[track_caller]
pub(crate) fn get(url: &str) -> Vec<u8> {
    let (code, body) = ask(Method::GET, url, None).expect("no answer");
    assert_eq!(code, 200, "{url}: {}", String::from_utf8_lossy(&body));
    body
}

/// Waits until a server reports that its queue and store are available.
pub(crate) fn wait_ready(url: &str) {
    let ready = format!("{url}/readyz");
    eventually("the server is ready", || matches!(ask(Method::GET, &ready, None), Some((200, _))));
}

/// A sale on a server.
#[derive(Debug, Clone)]
pub(crate) struct Sale {
    pub(crate) url: String,
    pub(crate) item: String,
    epoch: u64,
}

impl Sale {
    /// Opens a new sale with a limit of one unit per buyer.
    #[track_caller]
    pub(crate) fn open(url: &str, item: &str, stock: u64) -> Self {
        Self::open_for(url, item, stock, 1)
    }

    /// Opens a new sale with this limit of units per buyer.
    #[track_caller]
    pub(crate) fn open_for(url: &str, item: &str, stock: u64, per_buyer: u32) -> Self {
        let body = json!({"item": item, "stock": stock, "per_buyer": per_buyer});
        let put = ask(Method::PUT, &format!("{url}/admin/sale"), Some(body));
        assert_eq!(put.as_ref().map(|(code, _)| *code), Some(200), "{put:?}");
        let mut sale = Self { url: url.to_owned(), item: item.to_owned(), epoch: 0 };
        sale.epoch = sale.status().epoch;
        sale
    }

    /// The same sale on another server.
    pub(crate) fn at(&self, url: &str) -> Self {
        Self { url: url.to_owned(), ..self.clone() }
    }

    pub(crate) fn status(&self) -> SaleStatus {
        serde_json::from_slice(&get(&format!("{}/result?item={}", self.url, self.item))).unwrap()
    }

    pub(crate) fn ledger(&self) -> Ledger {
        let mut reader = LedgerReader::default();
        reader.feed(&get(&format!("{}/admin/ledger?item={}", self.url, self.item))).unwrap();
        reader.finish().unwrap()
    }

    /// Starts a load on it in a thread.
    pub(crate) fn load(&self, flags: &BenchFlags) -> Loading {
        let plan = Plan::new(flags, flags.seed.unwrap_or(1)).unwrap();
        let target = Target::new(Some(&self.url)).unwrap();
        let (live, stop) =
            (Arc::new(Live::new(load::workers(plan.threads))), CancellationToken::new());
        let thread = {
            let (live, stop, before) = (Arc::clone(&live), stop.clone(), self.ledger());
            let (item, epoch) = (self.item.parse().unwrap(), self.epoch);
            std::thread::spawn(move || {
                let (plan, target, item, live) = (&plan, &target, &item, &live);
                let (sut, beginning, stop) = (&Sut::Seckill, Beginning::now(), &stop);
                let wants_samples = false;
                let job =
                    Job { plan, sut, target, item, epoch, beginning, live, stop, wants_samples };
                let mut ran = load::run(&job, &mut ()).unwrap();
                ran.history.begin_with(before);
                ran
            })
        };
        Loading { live, stop, thread }
    }

    /// Loads it with this many users at once, each making one attempt.
    pub(crate) fn burst(&self, threads: u64) -> Ran {
        self.load(&BenchFlags { threads: Some(Count(threads)), ..flags() }).wait()
    }

    /// Waits until nothing is queued.
    pub(crate) fn settle(&self) {
        eventually("everything accepted is decided", || self.status().queued == 0);
    }

    /// The audit of a run against the present ledger; `settled` says whether queued attempts are a
    /// violation.
    pub(crate) fn audit(&self, history: &mut History, settled: bool) -> Audit {
        let ids = history.ids;
        let accepted = history.entries.iter().filter(|e| e.answered != Answered::Unknown);
        let accepted: Vec<_> = accepted.map(|entry| ids.request_id(entry.attempt)).collect();
        let step = accepted.len().div_ceil(RESULTS_MAX).max(1);
        let polled = accepted.into_iter().step_by(step);
        let began_us = history.began_us;
        history.results = polled.map(|id| self.result(id, began_us)).collect();
        reconcile(history, &self.ledger(), settled)
    }

    /// Waits until nothing is queued, then asserts that the audit passes.
    #[track_caller]
    pub(crate) fn assert_audit_passes(&self, history: &mut History) -> Audit {
        self.settle();
        let audit = self.audit(history, true);
        assert_eq!(audit.verdict, Verdict::Pass, "{}: {audit:#?}", self.item);
        audit
    }

    /// Waits until no order is held any more, and asserts that each unit is left or paid for.
    #[track_caller]
    pub(crate) fn assert_units_add_up_after_expiry(&self) {
        eventually("all orders have ended", || self.status().held == Some(0));
        let (status, ledger) = (self.status(), self.ledger());
        let paid = ledger.rows.iter().filter(|row| row.takes_unit()).count() as u64;
        assert_eq!(ledger.sale.stock_left, ledger.sale.stock as i64 - paid as i64);
        assert_eq!((status.orders, status.paid), (paid, Some(paid)));
        assert_eq!(status.stock_left, ledger.sale.stock_left);
    }

    fn result(&self, request_id: RequestId, began_us: u64) -> ResultRead {
        let url = format!("{}/result/{request_id}", self.url);
        let now_us = || Beginning::now().unix_us().saturating_sub(began_us);
        let sent_us = now_us();
        let (code, body) = ask(Method::GET, &url, None).expect("no answer");
        let target = Target::new(Some(&self.url)).expect("the URL of a server");
        let plan = Plan::new(&BenchFlags::default(), 1).expect("the default plan");
        let item = self.item.parse().expect("the name of an item");
        let client = Sut::Seckill.client(&target, &plan, &item, Duration::ZERO);
        let mut client = client.expect("a client of the built-in API");
        client.begin(Visit { buyer: Uuid::nil(), number: 0, request_id, thread: 0 });
        let status = client.understand_result(Received { status: code, head: &[], body: &body });
        let Ok(status) = status else {
            panic!("{url} is answered {code}: {}", String::from_utf8_lossy(&body))
        };
        let ShownOrder { status: order, held_until_us } = client.shown_order();
        let answered_us = now_us();
        ResultRead { request_id, status, order, held_until_us, sent_us, answered_us }
    }
}

/// A running load.
pub(crate) struct Loading {
    live: Arc<Live>,
    stop: CancellationToken,
    thread: JoinHandle<Ran>,
}

impl Loading {
    /// Waits until this many more attempts have ended.
    pub(crate) fn wait_for(&self, more: u64) {
        let enough = self.live.totals().samples + more;
        eventually("more attempts have ended", || self.live.totals().samples >= enough);
    }

    /// Waits until the load ends by itself.
    pub(crate) fn wait(self) -> Ran {
        self.thread.join().unwrap()
    }

    /// Stops the load, and waits until requests in flight are answered.
    pub(crate) fn end(self) -> Ran {
        self.stop.cancel();
        self.wait()
    }
}

/// Flags with a connect time-out as long as the tests wait for a process.
pub(crate) fn flags() -> BenchFlags {
    BenchFlags { connect_timeout: Some(Span(WAIT_MAX)), ..BenchFlags::default() }
}
