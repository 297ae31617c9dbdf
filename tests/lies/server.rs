//! The server of a case: its routes, its consumer, and its process.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use socket2::SockRef;
use uuid::Uuid;

use crate::answer::{self, Answer, refused};
use crate::case::{Case, Question};
use crate::shop::{Post, Row, Shop, Status};
use crate::wire::Request;

pub(crate) const TOKEN: &str = "a-token-for-tests";

/// The variable that makes the test program a server: the name of its case.
pub(crate) const VARIABLE: &str = "LIES_SERVER";

/// Where the tests ask whether the server has lied.
const HAS_LIED: &str = "/has-lied";

/// Keys of the state of the sale with which a case chooses how it is sent; clients ignore them.
pub(crate) const STATUS: &str = "http_status";
pub(crate) const PAUSE_MS: &str = "pause_ms";

/// The pause between two looks at the queue.
const TICK: Duration = Duration::from_millis(1);

struct Server {
    case: Case,
    shop: Mutex<Shop>,
}

impl Server {
    fn shop(&self) -> MutexGuard<'_, Shop> {
        self.shop.lock().unwrap()
    }

    /// Decides what is due, for ever.
    fn consume(&self) {
        loop {
            let mut shop = self.shop();
            let now = Instant::now();
            let is_idle = shop.queued() == 0;
            for at in 0..shop.rows.len() {
                let row = &shop.rows[at];
                if row.status == Status::Queued
                    && row.due <= now
                    && let Some(status) = self.case.decision(&mut shop, at)
                {
                    shop.settle(at, status);
                }
                if shop.is_overdue(at) {
                    self.case.expiry(&mut shop, at);
                }
            }
            drop(shop);
            std::thread::sleep(if is_idle { 5 * TICK } else { TICK });
        }
    }

    /// Serves one connection to its end.
    fn serve(&self, mut stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let mut bytes = Vec::new();
        while let Some(request) = Request::read(&mut stream, &mut bytes) {
            let answer = self.answer(&request);
            let is_ledger = request.path == "/admin/ledger" && answer.status == 200;
            let content_type = if is_ledger { "application/x-ndjson" } else { "application/json" };
            if !self.case.wire.send(&mut stream, &answer, content_type) {
                return;
            }
        }
        // The client has closed the connection. A reset spares it the time for which the kernel
        // would keep it: thousands of connections slow down whoever lists them, as the bench does.
        let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    }

    fn answer(&self, request: &Request) -> Answer {
        let answer = match (request.method.as_str(), request.path.as_str()) {
            ("POST", "/seckill") => self.post(request),
            ("GET", "/result") => self.state(request),
            ("GET", "/admin/ledger") => return self.ledger(request),
            ("PUT", "/admin/sale") => self.open(request),
            ("GET", HAS_LIED) => Answer::new(200, self.shop().has_lied),
            ("GET", "/readyz") if self.case.is_ready => {
                Answer::new(200, json!({"status": "ok", "queue": "ok", "store": "ok"}))
            }
            ("GET", "/readyz") => refused(503, "broker_unavailable"),
            ("GET", path) => match path.strip_prefix("/result/") {
                Some(id) => self.result(request, id),
                None => refused(404, "no_such_path"),
            },
            ("POST", path) if path.starts_with("/orders/") => self.pay(request),
            _ => refused(405, "method_not_allowed"),
        };
        Answer { body: (self.case.text)(answer.body.clone()), ..answer }
    }

    fn post(&self, request: &Request) -> Answer {
        let Ok(body) = serde_json::from_slice::<Value>(&request.body) else {
            return refused(400, "bad_body");
        };
        let id = body["request_id"].as_str().and_then(|id| Uuid::try_parse(id).ok());
        let (Some(uid), Some(id)) = (body["uid"].as_str(), id) else {
            return refused(400, "bad_body");
        };
        let mut shop = self.shop();
        let number = shop.posts;
        shop.posts += 1;
        let before = shop.posted.entry(id).or_default();
        *before += 1;
        let item = body["item"].as_str().map(str::to_owned);
        let post = Post { number, id, uid: uid.to_owned(), item, before: *before - 1 };
        let late_ms = (self.case.late_ms)(number);
        if late_ms > 0 {
            drop(shop);
            std::thread::sleep(Duration::from_millis(late_ms));
            shop = self.shop();
        }
        self.case.post(&mut shop, &post)
    }

    fn pay(&self, request: &Request) -> Answer {
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let id = body["request_id"].as_str().and_then(|id| Uuid::try_parse(id).ok());
        let Some(id) = id else { return refused(400, "bad_body") };
        let mut shop = self.shop();
        let path = |order: &str| format!("/orders/{order}/pay");
        let is_named =
            |row: &Row| matches!(&row.status, Status::Won(of) if path(of) == request.path);
        match shop.find(id).filter(|at| is_named(&shop.rows[*at])) {
            Some(at) => self.case.payment(&mut shop, at),
            None => refused(404, "unknown_order"),
        }
    }

    fn state(&self, request: &Request) -> Answer {
        let mut shop = self.shop();
        match request.parameter("item") {
            Some(item) if item != shop.item => refused(404, "unknown_item"),
            _ => {
                let state = self.case.sale_state(&mut shop);
                let status = state[STATUS].as_u64().unwrap_or(200) as u16;
                let pause_ms = state[PAUSE_MS].as_u64().unwrap_or_default();
                Answer::new(status, state).after_ms(pause_ms)
            }
        }
    }

    fn result(&self, request: &Request, id: &str) -> Answer {
        let Ok(id) = Uuid::try_parse(id) else { return refused(400, "bad_request_id") };
        let wait = request.parameter("wait").map(|wait| wait.trim_end_matches("ms").parse());
        let wait_ms = match wait {
            None => 0,
            Some(Ok(wait_ms)) => wait_ms,
            Some(Err(_)) => return refused(400, "bad_wait"),
        };
        let deadline = Instant::now() + Duration::from_millis(wait_ms).min(TICK * 300);
        loop {
            let mut shop = self.shop();
            let is_queued = shop.row(id).is_some_and(|row| row.status == Status::Queued);
            if is_queued && Instant::now() < deadline {
                drop(shop);
                std::thread::sleep(TICK);
                continue;
            }
            let number = shop.questions;
            shop.questions += 1;
            let before = shop.asked.entry(id).or_default();
            *before += 1;
            let before = *before - 1;
            let (may_wait, has_accept) = (wait.is_some(), request.field("accept").is_some());
            let question = Question { id, number, before, may_wait, has_accept };
            return self.case.result_of(&mut shop, &question);
        }
    }

    fn open(&self, request: &Request) -> Answer {
        if let Some(refusal) = unauthorized(request) {
            return refusal;
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        match body["stock"].as_u64() {
            Some(stock) => Answer::new(200, self.case.open(&mut self.shop(), stock)),
            None => refused(400, "bad_sale"),
        }
    }

    fn ledger(&self, request: &Request) -> Answer {
        if let Some(refusal) = unauthorized(request) {
            return refusal;
        }
        let mut shop = self.shop();
        let epoch = request.parameter("epoch").map_or(Ok(shop.epoch), str::parse);
        match (request.parameter("item"), epoch) {
            (_, Err(_)) => refused(400, "bad_epoch"),
            (_, Ok(epoch)) if epoch != shop.epoch => refused(404, "unknown_item"),
            (Some(item), _) if item != shop.item => refused(404, "unknown_item"),
            _ => {
                let page = self.case.page(&mut shop);
                match page.status {
                    200 if page.is_cut => Answer::new(200, page.body(self.case.text)).cut(),
                    200 => Answer::new(200, page.body(self.case.text)),
                    503 => refused(503, "ledger_busy"),
                    403 => refused(403, "wrong_token"),
                    _ => answer::failed(),
                }
            }
        }
    }
}

/// The refusal of an admin's request without the right token.
fn unauthorized(request: &Request) -> Option<Answer> {
    match request.field("authorization").and_then(|of| of.split_once(' ')) {
        None => Some(refused(401, "no_token")),
        Some((_, token)) => (token != TOKEN).then(|| refused(403, "wrong_token")),
    }
}

/// Serves this case, and ends the process when its standard input is closed.
pub(crate) fn run(case: Case) -> ! {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let server = Arc::new(Server { case, shop: Mutex::new(Shop::open(case.sale)) });
    let consumer = Arc::clone(&server);
    std::thread::spawn(move || consumer.consume());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (server, stream) = (Arc::clone(&server), stream.unwrap());
            std::thread::spawn(move || server.serve(stream));
        }
    });
    let mut stdout = std::io::stdout();
    writeln!(stdout, "listening on http://{address}").unwrap();
    let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
    std::process::exit(0);
}

/// A server in a process of its own, which ends with this value.
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) url: String,
    /// Closing it ends the server.
    pub(crate) stdin: Option<ChildStdin>,
}

impl Process {
    /// Starts this test program again, as the server of a case.
    pub(crate) fn start(case: &str) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "server_ends_with_its_input", "--nocapture"]);
        command.env(VARIABLE, case).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        while !line.contains("listening on ") {
            line.clear();
            assert!(stdout.read_line(&mut line).unwrap() > 0, "the server of {case} has ended");
        }
        // The test harness writes the name of the test into the same line.
        let url = line.split("listening on ").nth(1).unwrap().trim().to_owned();
        std::thread::spawn(move || stdout.read_to_end(&mut Vec::new()));
        Self { child, url, stdin }
    }

    /// Whether the server has done anything that the honest one does not.
    pub(crate) fn has_lied(&self) -> bool {
        let mut stream = TcpStream::connect(self.url.trim_start_matches("http://")).unwrap();
        stream.write_all(format!("GET {HAS_LIED} HTTP/1.1\r\n\r\n").as_bytes()).unwrap();
        let (mut answer, mut piece) = (Vec::new(), [0; 512]);
        loop {
            let len = stream.read(&mut piece).unwrap();
            answer.extend_from_slice(&piece[..len]);
            let text = String::from_utf8_lossy(&answer);
            if len == 0 || text.ends_with("true") || text.ends_with("false") {
                return text.ends_with("true");
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.stdin.take());
        let _ = self.child.wait();
    }
}
