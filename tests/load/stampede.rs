//! A stampede opens all connections before the first request.

use std::collections::HashSet;
use std::time::Duration;

use super::run::load;
use crate::support::scripted::{Scripted, sold_out};

#[test]
fn first_requests_use_the_connections_opened_before_the_start() {
    let server = Scripted::always(sold_out());
    let run = load(&server.url(), "--threads 150 --loops 2 --stampede");
    assert_eq!(run.counts().prepared, 150);
    assert_eq!((run.summary.total, run.summary.errors), (300, 0));
    assert!(
        run.samples.iter().all(|sample| sample.connected.is_none()),
        "a request opened another connection"
    );
    assert_eq!(run.intended(), vec![Duration::ZERO; 150]);
    assert_eq!(run.summary.lag.count, 150);
    let used: HashSet<_> = server.requests().iter().map(|request| request.connection).collect();
    assert_eq!((used.len(), server.connections()), (150, 150));
}

#[test]
fn double_clicks_have_both_connections_opened_before_the_start() {
    let server = Scripted::always(sold_out());
    let run = load(&server.url(), "--threads 20 --stampede --double-click 100%");
    assert_eq!((run.counts().prepared, run.summary.total), (40, 40));
    assert!(
        run.samples.iter().all(|sample| sample.connected.is_none()),
        "a request opened another connection"
    );
    assert_eq!(server.connections(), 40);
}
