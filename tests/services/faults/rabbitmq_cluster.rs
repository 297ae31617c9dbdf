//! Nodes of a RabbitMQ cluster with a quorum queue are killed and suspended, under load.

use std::sync::RwLockWriteGuard;
use std::time::{Duration, Instant};

use seckill::lab::{RabbitMqCluster, Redis};

use super::drill::{Drill, DrillResult, count};
use crate::support::backend::Backend;
use crate::support::child::Serving;
use crate::support::deployment::Deployment;
use crate::support::rabbitmq_cluster::{alone, leader, sync_tables};

/// How long the service may take until it accepts again, after a majority is back: a publish that
/// the queue has lost is given up after twice the 2 s that [`Deployment`] sets; the rest is for
/// finding a broker and electing a leader on a busy machine.
const RECOVERY_MAX: Duration = Duration::from_secs(20);

/// How long a majority is away, once that is known. Several attempts are tried in this time.
const OUTAGE: Duration = Duration::from_secs(6);

/// Longest refusal of an attempt that is not tried, while no majority is there.
const REFUSAL_MAX: Duration = Duration::from_secs(1);

/// Attempts that are tried for each second of an outage at most: each waits for the broker's
/// confirm for 2 s, and one at a time is tried.
const TRIALS_PER_S: f64 = 1.0;

/// Attempts while a node is missing.
const MEANWHILE: u64 = 100;

/// The error of a publish that was never confirmed.
const UNKNOWN: &[&str] = &["http_500"];

/// A server on the cluster, under load.
struct Scene {
    cluster: RwLockWriteGuard<'static, RabbitMqCluster>,
    deployment: Deployment,
    server: Serving,
    drill: Drill,
    // It ends after the server.
    _redis: Redis,
}

impl Scene {
    fn begin() -> Option<Self> {
        let cluster = alone()?;
        let redis = Redis::start().unwrap();
        let deployment = Deployment::new(Backend::on_cluster(&cluster, Some(&redis)), None);
        let server = deployment.serve("all", &["--log", "info"]);
        sync_tables(&cluster);
        let drill = Drill::begin(&server.url);
        Some(Self { cluster, deployment, server, drill, _redis: redis })
    }

    fn leader(&self) -> usize {
        leader(&self.cluster, self.deployment.queue_name())
    }

    /// The index of the node to which the server has last connected to publish.
    fn connected(&self) -> usize {
        let log = self.server.log();
        let is_publishing = |line: &&str| line.contains("connected to the broker broker=");
        let mut lines = log.lines().filter(is_publishing).filter(|line| line.contains("=publish"));
        let line = lines.next_back().unwrap_or_else(|| panic!("no connection in {log}"));
        let is_in_line = |url: String| line.contains(&format!("{url}\""));
        let index = self.cluster.nodes().iter().position(|node| is_in_line(node.url()));
        index.unwrap_or_else(|| panic!("no node in {line}"))
    }

    /// Kills one node; the service goes on without it, and after its return.
    fn kill(&mut self, index: usize) {
        self.cluster.nodes_mut()[index].service_mut().kill().unwrap();
        self.recovers();
        self.drill.wait_for_attempts(MEANWHILE);
        self.cluster.restart().unwrap();
    }

    #[track_caller]
    fn recovers(&self) {
        let begun = Instant::now();
        loop {
            let answer = self.drill.answer();
            if answer.as_ref().is_some_and(|(code, _)| *code == 202) {
                break;
            }
            let log = || self.server.log();
            assert!(begun.elapsed() < RECOVERY_MAX, "no recovery: {answer:?} {}", log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// While no majority is there, attempts are refused at once; single ones are tried.
    fn is_refused(&self) {
        self.drill.wait_for_answer("broker_unavailable");
        let (begun, mut refused, mut tried) = (Instant::now(), 0, 0);
        while begun.elapsed() < OUTAGE {
            let asked = Instant::now();
            match self.drill.answer() {
                Some((503, body)) if body.contains("\"broker_unavailable\"") => {
                    match asked.elapsed() < REFUSAL_MAX {
                        true => refused += 1,
                        // It was sent to a node that has paused since.
                        false => tried += 1,
                    }
                }
                Some((500, body)) if body.contains("\"outcome_unknown\"") => tried += 1,
                other => panic!("{other:?} without a majority: {}", self.server.log()),
            }
        }
        let tried_max = OUTAGE.as_secs_f64() * TRIALS_PER_S;
        assert!(f64::from(tried) <= tried_max && refused > 10 * tried, "{refused} {tried}");
    }

    fn end(self) -> DrillResult {
        assert!(!self.server.log().contains("guest"), "a user is in the log");
        self.drill.end(UNKNOWN)
    }
}

/// In one load, since each start of a node takes seconds: each fault comes after the one before was
/// over.
#[test]
fn service_goes_on_while_single_nodes_are_killed_and_after_their_return() {
    let Some(mut scene) = Scene::begin() else { return };
    let follower = (scene.leader() + 1) % scene.cluster.nodes().len();
    scene.kill(follower);
    let leader = scene.leader();
    scene.kill(leader);
    assert_ne!(scene.leader(), leader, "another node leads");
    // Whichever it is, the server has to find another one.
    let connected = scene.connected();
    scene.kill(connected);
    assert_ne!(scene.connected(), connected, "{}", scene.server.log());
    scene.end();
}

#[test]
fn nothing_is_accepted_while_two_nodes_are_suspended_and_nothing_is_lost() {
    let Some(mut scene) = Scene::begin() else { return };
    let leader = scene.leader();
    let hit = [leader, (leader + 1) % scene.cluster.nodes().len()];
    for index in hit {
        scene.cluster.nodes_mut()[index].service_mut().suspend().unwrap();
    }
    scene.is_refused();
    for index in hit {
        scene.cluster.nodes_mut()[index].service_mut().resume().unwrap();
    }
    scene.recovers();
    let drilled = scene.end();
    assert!(count(&drilled.summary, "broker_unavailable") > 0, "{drilled:?}");
}

#[test]
fn nothing_is_accepted_while_two_nodes_are_dead_and_nothing_is_lost() {
    let Some(mut scene) = Scene::begin() else { return };
    let leader = scene.leader();
    let hit = [leader, (leader + 1) % scene.cluster.nodes().len()];
    for index in hit {
        scene.cluster.nodes_mut()[index].service_mut().kill().unwrap();
    }
    scene.is_refused();
    scene.cluster.restart().unwrap();
    scene.recovers();
    let drilled = scene.end();
    assert!(count(&drilled.summary, "broker_unavailable") > 0, "{drilled:?}");
}
