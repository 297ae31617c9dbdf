//! The load generator allocates nothing per request, and the server nothing per refusal.
//!
//! Allocations of the whole process are counted too, so the tests run one after another.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test reports it by failing")]

mod refusing;

use std::alloc::System;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alloc_tracker::{Allocator, Session};
use bytes::BufMut;
use seckill::api::Answer;
use seckill::history::Beginning;
use seckill::load::{self, Job, ResponseReader};
use seckill::profile::{BenchFlags, Plan};
use seckill::stats::{Live, Recorder, Sink};
use seckill::sut::{Description, Setting, Sut, Target};
use seckill::units::{Count, Share};
use tokio_util::sync::CancellationToken;

#[global_allocator]
static ALLOCATOR: Allocator<System> = Allocator::system();

/// Which threads' allocations are counted.
#[derive(Debug, Clone, Copy)]
enum Scope {
    /// The calling thread's.
    Thread,
    /// Those of all threads, including threads of other tests in this process.
    Process,
}

static EXCLUSIVE: Mutex<()> = Mutex::new(());

/// Blocks until no other test of this file runs.
fn exclusive() -> MutexGuard<'static, ()> {
    EXCLUSIVE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Allocations during `work`; a reallocation counts as one more.
fn allocations(scope: Scope, work: impl FnOnce()) -> u64 {
    let session = Session::new().no_stdout().no_file();
    let operation = session.operation("work");
    match scope {
        Scope::Thread => {
            let span = operation.measure_thread().iterations(1);
            work();
            drop(span);
        }
        Scope::Process => {
            let span = operation.measure_process().iterations(1);
            work();
            drop(span);
        }
    }
    let report = session.to_report();
    report.operations().map(|(_, operation)| operation.total_allocations_count()).sum()
}

const REFUSED: &str = "HTTP/1.1 410 Gone\r\n\
    content-type: application/json\r\n\
    content-length: 41\r\n\
    date: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n\
    {\"status\":\"rejected\",\"reason\":\"sold_out\"}";

const REFUSED_IN_CHUNKS: &str = "HTTP/1.1 410 Gone\r\n\
    Transfer-Encoding: chunked\r\nConnection: keep-alive\r\nRetry-After: 1\r\n\r\n\
    14\r\n{\"status\":\"rejected\"\r\n15\r\n,\"reason\":\"sold_out\"}\r\n0\r\n\r\n";

/// Feeds an answer to the reader in pieces of at most this length, as a connection does.
fn read(reader: &mut ResponseReader, text: &str, piece_len: usize) {
    reader.clear();
    for piece in text.as_bytes().chunks(piece_len) {
        reader.room().put_slice(piece);
        if let Some(response) = reader.parse(false).unwrap() {
            assert_eq!((response.status, response.keep_alive), (410, true));
        }
    }
    let answer: Answer<'_> = serde_json::from_slice(reader.body()).unwrap();
    assert_eq!((&*answer.status, answer.reason.as_deref()), ("rejected", Some("sold_out")));
}

#[test]
fn parsing_refusals_allocates_nothing() {
    let _exclusive = exclusive();
    let mut reader = ResponseReader::new();
    let count = allocations(Scope::Thread, || {
        for _ in 0..1000 {
            read(&mut reader, REFUSED, REFUSED.len());
            read(&mut reader, REFUSED, 50);
            read(&mut reader, REFUSED_IN_CHUNKS, 50);
        }
    });
    assert_eq!(count, 0);
}

#[test]
fn allocations_are_counted_per_thread_and_per_process() {
    let _exclusive = exclusive();
    let allocate = || drop(std::hint::black_box(vec![1_u8; 10]));
    assert_eq!(allocations(Scope::Thread, || (0..100).for_each(|_| allocate())), 100);
    let elsewhere = || {
        let work = std::thread::spawn(move || (0..1000).for_each(|_| allocate()));
        work.join().unwrap();
    };
    assert!(allocations(Scope::Thread, elsewhere) < 100);
    assert!(allocations(Scope::Process, elsewhere) >= 1000);
}

/// A server that refuses everything, and allocates for a connection but not for a request.
fn refusing() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            std::thread::spawn(move || refuse(stream));
        }
    });
    url
}

/// Answers each request on a connection with the same bytes.
fn refuse(mut stream: TcpStream) {
    stream.set_nodelay(true).unwrap();
    let mut buffer = [0; 1024];
    // The last byte marks the end of a request: only its body contains a brace, and only one.
    while let Ok(len @ 1..) = stream.read(&mut buffer) {
        if buffer[..len].ends_with(b"}") {
            stream.write_all(REFUSED.as_bytes()).unwrap();
        }
    }
}

/// What a run allocated.
#[derive(Debug)]
struct Run {
    requests: u64,
    allocations: u64,
    /// Seconds reported by the workers; each costs some allocations, however many requests it had.
    seconds: u64,
}

/// Counts the seconds of a run.
struct Seconds(u64);

impl Sink for Seconds {
    fn second(&mut self, _: u64, _: &Recorder) {
        self.0 += 1;
    }
}

/// Runs the plan of these flags to its end.
fn run(url: &str, flags: &BenchFlags, sut: &Sut) -> Run {
    let plan = &Plan::new(flags, 1).unwrap();
    let (target, item) = (&Target::new(Some(url)).unwrap(), &"tea".parse().unwrap());
    let workers = load::workers(plan.threads);
    let (live, stop) = (&Arc::new(Live::new(workers)), &CancellationToken::new());
    let (epoch, beginning, wants_samples) = (1, Beginning::now(), false);
    let job = Job { plan, sut, target, item, epoch, beginning, live, stop, wants_samples };
    let (mut requests, mut tallied, mut seconds) = (0, 0, Seconds(0));
    let allocations = allocations(Scope::Process, || {
        let ran = load::run(&job, &mut seconds).unwrap();
        assert!(ran.history.entries.is_empty());
        tallied = ran.history.refusals.count();
        requests = ran.recorder.finish().by_outcome.iter().map(|(_, count)| count).sum();
    });
    assert_eq!(tallied, requests, "each refusal is kept");
    Run { requests, allocations, seconds: seconds.0 * workers as u64 }
}

/// Upper bound of a worker's allocations per second of a run: six histograms, their containers, and
/// some slack.
const PER_SECOND: u64 = 10;

/// Runs a few attempts, then four times as many: additional allocations may only come from the
/// longer running time.
#[track_caller]
fn assert_none_for_a_request(few: &BenchFlags, many: &BenchFlags) {
    assert_none_with(&Sut::Seckill, few, many);
}

#[track_caller]
fn assert_none_with(sut: &Sut, few: &BenchFlags, many: &BenchFlags) {
    let _exclusive = exclusive();
    let url = refusing();
    // The first run makes the allocations that the process needs once.
    run(&url, few, sut);
    let (few, many) = (run(&url, few, sut), run(&url, many, sut));
    assert_eq!(many.requests, 4 * few.requests);
    let for_time = PER_SECOND * many.seconds.saturating_sub(few.seconds);
    let for_requests = many.allocations.saturating_sub(few.allocations + for_time);
    let each = for_requests as f64 / (many.requests - few.requests) as f64;
    assert!(each < 0.01, "{each} for each request: {few:?}, {many:?}");
}

/// Eight users with this many attempts each.
fn closed(loops: u64) -> BenchFlags {
    let (threads, loops) = (Some(Count(8)), Some(Count(loops)));
    BenchFlags { threads, loops, ..BenchFlags::default() }
}

#[test]
fn closed_model_allocates_nothing_per_refused_attempt() {
    assert_none_for_a_request(&closed(500), &closed(2_000));
}

/// The refusing server as a description has it, without steps and without cookies.
const DESCRIPTION: &str = r#"
[purchase]
request = "POST /seckill?item={{item}}"
json = { uid = "{{buyer}}", request_id = "{{request_id}}" }
[[outcome]]
status = 202
is = "accepted"
[[outcome]]
status = 410
json = { "/status" = "rejected", "/reason" = "sold_out" }
is = "refused"
reason = "sold_out"
"#;

#[test]
fn described_shop_allocates_nothing_per_refused_attempt() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(DESCRIPTION.as_bytes()).unwrap();
    let setting = Setting { item: "tea".parse().ok(), seed: 1, repeats: false, accounts: None };
    let description = Description::read(file.path(), setting).unwrap();
    assert_none_with(&Sut::Described(Arc::new(description)), &closed(500), &closed(2_000));
}

#[test]
fn double_clicks_allocate_nothing_per_refused_attempt() {
    let twice = Some(Share::percent(100));
    let closed = |loops| BenchFlags { double_click: twice, ..closed(loops) };
    assert_none_for_a_request(&closed(300), &closed(1_200));
}

#[test]
fn open_model_allocates_nothing_per_refused_attempt() {
    // A single user, because the number of users needed depends on the machine's speed.
    let open = |per_second: u64| BenchFlags {
        rate: format!("{per_second}/s").parse().ok(),
        duration: "1s".parse().ok(),
        max_threads: Some(Count(1)),
        ..BenchFlags::default()
    };
    assert_none_for_a_request(&open(500), &open(2_000));
}
