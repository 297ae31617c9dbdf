//! The article's machines: nginx over two processes that accept attempts, and two that decide
//! them, on a real RabbitMQ and a real Redis.

#![allow(clippy::unwrap_used)] // In a test, that is an assertion.

#[path = "support/broker.rs"]
mod broker;
#[path = "support/child.rs"]
mod child;
#[path = "nginx/fleet.rs"]
mod fleet;

use std::process::Output;

use rustix::process::Signal;
use seckill::lab::{Nginx, Service};
use serde_json::{Value, json};

use child::{Serving, eventually, signal};
use fleet::{Engines, Fleet, attempt, get};

#[test]
fn the_articles_plan_sells_exactly_the_stock() {
    let Some(engines) = Engines::take() else { return };
    let fleet = Fleet::start(&engines, &[]);
    for process in fleet.apis.iter().chain(&fleet.consumers) {
        assert_eq!(readiness(process), ready());
    }
    for consumer in &fleet.consumers {
        let (status, answer) = attempt(&consumer.url);
        assert_eq!((status, &answer["status"]), (404, &json!("rejected")));
        assert!(answer["message"].as_str().unwrap().contains("a consumer"), "{answer}");
    }
    let connections = || broker::connections(&engines.rabbitmq);
    eventually("each process has a connection", || connections() == 4);
    let opened = broker::connections_opened(&engines.rabbitmq);

    let plan = ["--threads", "350", "--ramp", "2s", "--loops", "10"];
    let report = report(&fleet.bench(&plan).output().unwrap());

    assert_eq!(report["requests"]["total"], 3500);
    assert_eq!(report["requests"]["errors"], 0, "{report:#}");
    let sale = ["stock", "orders", "stock_left"].map(|key| report["audit"][key].as_i64().unwrap());
    assert_eq!(sale, [10, 10, 0]);
    assert_eq!(report["server"]["rss_bytes_max"], Value::Null, "nginx is not the server");
    let served = || [0, 1].map(|number| fleet.served(&fleet.apis[number]));
    eventually("every attempt is in nginx's log", || served().iter().sum::<usize>() == 3500);
    assert!(served().iter().all(|served| *served > 1000), "{:?}", served());
    assert_eq!(connections(), 4);
    assert_eq!(broker::connections_opened(&engines.rabbitmq), opened, "none was opened besides");
}

#[test]
fn nginx_goes_on_with_the_other_process_when_one_is_killed() {
    const THREADS: u64 = 32;
    let Some(engines) = Engines::take() else { return };
    let mut fleet = Fleet::start(&engines, &["--stock", "1M"]);
    // What only the killed process knew of is queued again by another, after about 14 s.
    let threads = THREADS.to_string();
    let load = ["--threads", &threads, "--duration", "60s", "--settle-timeout", "60s"];
    let bench = fleet.bench(&load).spawn().unwrap();
    eventually("both processes serve", || {
        fleet.apis.iter().all(|api| fleet.served(api) > 100) && fleet.orders() > 100
    });

    fleet.apis.remove(0).kill();
    let (served, orders) = (fleet.served(&fleet.apis[0]), fleet.orders());
    eventually("the other process serves", || {
        fleet.served(&fleet.apis[0]) > served + 500 && fleet.orders() > orders + 500
    });
    signal(bench.id(), Signal::INT);

    let report = report(&bench.wait_with_output().unwrap());
    // What was under way is lost, and what was sent before nginx saw the connections' ends.
    let lost = report["requests"]["errors"].as_u64().unwrap();
    assert!(lost <= 2 * THREADS, "{}", report["requests"]);
    let kinds = report["requests"]["by_error"].as_object().unwrap();
    assert!(kinds.keys().all(|kind| kind == "http_502"), "{kinds:?}");
    assert_eq!(report["audit"]["unknown_outcomes"], lost, "{}", report["audit"]);
}

#[test]
fn a_process_says_which_engine_it_cannot_reach() {
    let Some(mut engines) = Engines::take() else { return };
    let folder = tempfile::tempdir().unwrap();
    let processes = ["api", "consumer"].map(|role| engines.serve(&folder, role, &[]));
    let tell = |what: &str, told: &Value| {
        for process in &processes {
            eventually(what, || readiness(process) == *told);
        }
    };
    let check = |service: &mut Service, told: Value| {
        tell("it is ready", &ready());
        service.suspend().unwrap();
        tell("it says what stands still", &told);
        service.resume().unwrap();
        tell("it is ready again", &ready());
        service.kill().unwrap();
        tell("it says what is gone", &told);
        service.restart().unwrap();
        tell("it is ready once more", &ready());
    };
    check(engines.redis.service_mut(), json!([503, "store_unavailable", "ok", "unavailable"]));
    check(engines.rabbitmq.service_mut(), json!([503, "broker_unavailable", "unavailable", "ok"]));
}

#[test]
fn a_balancer_with_nobody_behind_it_is_told() {
    if !fleet::installed(&["nginx"]) {
        return;
    }
    let nginx = Nginx::start(&Nginx::balancer(&[1])).unwrap();
    let output = child::seckill().args(["bench", "--target", &nginx.url()]).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("reaches no server behind it (502"), "{said}");
}

/// Status, reason, queue and store of `GET /readyz`.
fn readiness(process: &Serving) -> Value {
    let (status, body) = get(&process.url, "/readyz");
    json!([status, body["reason"], body["queue"], body["store"]])
}

fn ready() -> Value {
    json!([200, null, "ok", "ok"])
}

/// The report of a bench whose every invariant held.
#[track_caller]
fn report(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stderr);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    assert_eq!(output.status.code(), Some(0), "{said}\n{report:#}");
    assert_eq!(report["audit"]["verdict"], "pass");
    report
}
