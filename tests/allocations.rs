//! What the load generator allocates for a request: nothing.

#![allow(clippy::unwrap_used, reason = "a test says so when it fails")]

use std::alloc::System;

use alloc_tracker::{Allocator, Session};
use bytes::BufMut;
use seckill::api::Answer;
use seckill::load::ResponseReader;

#[global_allocator]
static ALLOCATOR: Allocator<System> = Allocator::system();

/// Which threads' allocations are counted.
#[derive(Debug, Clone, Copy)]
enum Of {
    /// The calling thread's.
    Thread,
    /// Everybody's, the other tests' of this process included.
    Process,
}

/// Allocations during `work`; growing or moving one counts as another.
fn allocations(of: Of, work: impl FnOnce()) -> u64 {
    let session = Session::new().no_stdout().no_file();
    let operation = session.operation("work");
    match of {
        Of::Thread => {
            let span = operation.measure_thread().iterations(1);
            work();
            drop(span);
        }
        Of::Process => {
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

/// Reads an answer as a connection does, in pieces of at most this length.
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
fn a_thousand_refused_answers_allocate_nothing() {
    let mut reader = ResponseReader::new();
    let count = allocations(Of::Thread, || {
        for _ in 0..1000 {
            read(&mut reader, REFUSED, REFUSED.len());
            read(&mut reader, REFUSED, 50);
            read(&mut reader, REFUSED_IN_CHUNKS, 50);
        }
    });
    assert_eq!(count, 0);
}

#[test]
fn allocations_are_counted_where_they_are_made() {
    let allocate = || drop(std::hint::black_box(vec![1_u8; 10]));
    assert_eq!(allocations(Of::Thread, || (0..100).for_each(|_| allocate())), 100);
    let elsewhere = || {
        let work = std::thread::spawn(move || (0..1000).for_each(|_| allocate()));
        work.join().unwrap();
    };
    assert!(allocations(Of::Thread, elsewhere) < 100);
    assert!(allocations(Of::Process, elsewhere) >= 1000);
}
