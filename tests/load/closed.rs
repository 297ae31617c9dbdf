//! The closed model: stages start and stop users, and the seed determines think times.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use seckill::history::{AttemptNo, Refused};
use seckill::profile::Model;
use seckill::stats::Sample;

use super::run::{Run, load, plan};
use crate::support::scripted::{Scripted, sold_out};

const fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// The samples of each user, in order of their beginning.
fn by_user(run: &Run) -> HashMap<u32, Vec<Sample>> {
    let mut users: HashMap<_, Vec<_>> = HashMap::new();
    for sample in &run.samples {
        users.entry(sample.thread).or_default().push(*sample);
    }
    users.values_mut().for_each(|samples| samples.sort_by_key(|sample| sample.began));
    users
}

#[test]
fn stages_start_and_stop_users_and_none_sends_after_the_last() {
    let server = Scripted::always(sold_out());
    let flags = "--stage 300ms:6 --stage 300ms:6 --stage 300ms:0 --think 5ms";
    let run = load(&server.url(), flags);
    let users = by_user(&run);
    assert_eq!(users.len(), 6);
    for (user, samples) in users {
        // A user starts when the rising level passes its number, and stops when the falling level
        // does.
        let (comes, goes) = (ms(50 * u64::from(user)), ms(900 - 50 * u64::from(user)));
        assert_eq!(samples[0].intended, Some(comes), "user {user}");
        for sample in &samples {
            let intended = sample.intended.unwrap();
            assert!((comes..goes).contains(&intended), "user {user} at {intended:?}");
            assert!(sample.began >= intended);
        }
        assert_eq!(run.history.sent[user as usize], samples.len() as u64);
    }
    assert_eq!(server.attempts().len() as u64, run.sent());
}

#[test]
fn user_above_the_level_waits_until_the_level_rises() {
    let server = Scripted::always(sold_out());
    let flags = "--threads 2 --stage 0s:1 --stage 500ms:1 --stage 0s:2 --stage 300ms:2 --think 1ms";
    let run = load(&server.url(), flags);
    let users = by_user(&run);
    // The level is 1 for half a second, so the second user does not start at the beginning.
    assert_eq!(users[&0][0].intended, Some(Duration::ZERO));
    let second = &users[&1];
    assert!(second.iter().all(|s| s.intended.unwrap() < ms(800)));
    assert!(second.iter().any(|s| s.intended.unwrap() >= ms(500)), "{second:?}");
    assert!(second.iter().all(|s| s.intended.unwrap() >= ms(500)), "{second:?}");
}

#[test]
fn think_times_depend_on_the_seed() {
    for think in ["3ms", "uniform:1ms..9ms", "exponential:4ms"] {
        let server = Scripted::always(sold_out());
        let flags = format!("--threads 3 --loops 6 --think {think} --seed 11");
        let (first, again) = (load(&server.url(), &flags), load(&server.url(), &flags));
        assert_eq!(first.sent_ids(), again.sent_ids());
        let attempts = server.attempts();
        assert_eq!(attempts.len(), 18, "both runs make the same attempts");
        assert!(attempts.values().all(|request| request.len() == 2));
        let plan = plan(&flags);
        let Model::Closed { think, .. } = plan.model else { panic!("{plan:?}") };
        for (thread, samples) in by_user(&first) {
            for (index, pair) in (1..).zip(samples.windows(2)) {
                let pause = think.draw(plan.seed, AttemptNo { thread, index }.number());
                let intended = pair[1].intended.unwrap();
                assert!(intended >= pair[0].ended + pause, "{pair:?} {pause:?}");
                assert!(pair[1].began >= intended);
            }
        }
    }
}

#[test]
fn seed_determines_buyers() {
    let ids = |seed: u64| {
        let server = Scripted::always(sold_out());
        load(&server.url(), &format!("--threads 5 --loops 3 --seed {seed}"));
        server.attempts().into_keys().collect::<HashSet<_>>()
    };
    let (first, again, other) = (ids(1), ids(1), ids(2));
    assert_eq!((first.len(), &first), (15, &again));
    assert!(first.is_disjoint(&other));
}

#[test]
fn duration_ends_a_run_without_loops() {
    let server = Scripted::always(sold_out());
    let run = load(&server.url(), "--threads 3 --duration 300ms --ramp 200ms --think 2ms");
    assert!(run.intended().last().unwrap() < &ms(300));
    assert!(run.history.sent.iter().all(|sent| *sent > 0), "{:?}", run.history.sent);
    assert_eq!(server.attempts().len() as u64, run.sent());
    assert_eq!((run.summary.total, run.summary.errors), (run.sent(), 0));
    assert_eq!(run.ended("sold_out"), run.sent());
    assert!(run.outcomes().is_empty(), "a refusal has no effect");
    assert_eq!(run.refused(Refused::SoldOut), run.sent());
}

#[test]
fn without_think_time_only_first_attempts_have_an_intended_time() {
    let server = Scripted::always(sold_out());
    let run = load(&server.url(), "--threads 4 --loops 5 --ramp 20ms");
    assert_eq!(run.intended(), [0, 5, 10, 15].map(ms));
    assert_eq!(run.summary.lag.count, 4);
    assert_eq!((run.summary.corrected.count, run.summary.latency.count), (20, 20));
}
