//! The article's topology: nginx in front of two API processes, and two consumers, on a real
//! RabbitMQ and a real Redis.

mod addresses;
mod fleet;
mod waiting_room;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Output;

use rustix::process::Signal;
use seckill::lab::{Nginx, Service};
use serde_json::{Value, json};

use fleet::{Fleet, Services, attempt, get};

use crate::support::broker;
use crate::support::child::{Serving, eventually, seckill, signal};
use crate::support::skip::installed;

#[test]
fn articles_load_sells_exactly_the_stock_behind_nginx() {
    let Some(services) = Services::take() else { return };
    let fleet = Fleet::start(&services, &[]);
    for process in fleet.apis.iter().chain(&fleet.consumers) {
        assert_eq!(readiness(process), ready());
    }
    for consumer in &fleet.consumers {
        let (status, answer) = attempt(&consumer.url);
        assert_eq!((status, &answer["status"]), (404, &json!("rejected")));
        assert!(answer["message"].as_str().unwrap().contains("a consumer"), "{answer}");
    }
    let connections = || broker::connections(&services.rabbitmq);
    // One to publish on for each process, and one to consume on for each consumer.
    eventually("each process has its connections", || connections() == 6);
    let opened = broker::connections_opened(&services.rabbitmq);

    let plan = ["--threads", "350", "--ramp", "2s", "--loops", "10"];
    let report = report(&fleet.bench(&plan).output().unwrap());

    assert_eq!(report["requests"]["total"], 3500);
    assert_eq!(report["requests"]["errors"], 0, "{report:#}");
    let sale = ["stock", "orders", "stock_left"].map(|key| report["audit"][key].as_i64().unwrap());
    assert_eq!(sale, [10, 10, 0]);
    assert_eq!(report["server"]["rss_bytes_max"], Value::Null, "nginx is not the server");
    let served = || [0, 1].map(|number| fleet.served(&fleet.apis[number]));
    // Some known attempts are sent again after the load.
    eventually("every attempt is in nginx's log", || served().iter().sum::<usize>() >= 3500);
    assert!(served().iter().all(|served| *served > 1000), "{:?}", served());
    assert_eq!(connections(), 6);
    assert_eq!(
        broker::connections_opened(&services.rabbitmq),
        opened,
        "no further connection was opened"
    );
}

#[test]
fn nginx_fails_over_when_a_process_is_killed() {
    const THREADS: u64 = 32;
    let Some(services) = Services::take() else { return };
    let mut fleet = Fleet::start(&services, &["--stock", "1M"]);
    // Another process queues the killed process's unconfirmed attempts again after about 14 s.
    let threads = THREADS.to_string();
    let load = ["--threads", &threads, "--duration", "60s", "--settle-timeout", "60s"];
    // The errors are counted below.
    let load = [&load[..], &["--max-errors", "100%"]].concat();
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
    // Requests in flight are lost, and those sent before nginx noticed that the connections ended.
    let lost = report["requests"]["errors"].as_u64().unwrap();
    assert!(lost <= 2 * THREADS, "{}", report["requests"]);
    let kinds = report["requests"]["by_error"].as_object().unwrap();
    assert!(kinds.keys().all(|kind| kind == "http_502"), "{kinds:?}");
    assert_eq!(report["audit"]["unknown_outcomes"], lost, "{}", report["audit"]);
}

#[test]
fn nginx_leaves_out_a_suspended_process() {
    let Some(services) = Services::take() else { return };
    let fleet = Fleet::start(&services, &["--stock", "1M", "--per-buyer", "1M"]);
    let url = fleet.nginx.url();
    let suspended = &fleet.apis[0];
    signal(suspended.child.id(), Signal::STOP);
    // Half of them are sent to the suspended process first. It accepts the connection, as the
    // kernel does that for it, so nginx has to notice that it does not answer.
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let asking: Vec<_> = (0..8).map(|_| scope.spawn(|| get(&url, "/result").0)).collect();
        asking.into_iter().map(|status| status.join().unwrap()).collect()
    });
    assert_eq!(statuses, [200; 8], "another process answers");
    // From now on it is left out. A request that probes it may fail, if it cannot be repeated.
    let statuses: Vec<u16> = (0..20).map(|_| attempt(&url).0).collect();
    assert!(statuses.iter().filter(|status| **status != 202).count() <= 1, "{statuses:?}");
    assert_eq!(fleet.served(suspended), 0);
    signal(suspended.child.id(), Signal::CONT);
    eventually("it serves again", || attempt(&url).0 == 202 && fleet.served(suspended) > 0);
}

#[test]
fn nginx_waits_for_a_long_poll_longer_than_for_other_requests() {
    let Some(services) = Services::take() else { return };
    let fleet = Fleet::start(&services, &[]);
    for consumer in &fleet.consumers {
        signal(consumer.child.id(), Signal::STOP);
    }
    let (status, answer) = attempt(&fleet.nginx.url());
    assert_eq!(status, 202, "{answer}");
    let path = format!("/result/{}?wait=15s", answer["request_id"].as_str().unwrap());
    let (status, answer) = get(&fleet.nginx.url(), &path);
    assert_eq!((status, &answer["status"]), (200, &json!("queued")));
}

#[test]
fn request_without_a_host_passes_nginx() {
    let Some(services) = Services::take() else { return };
    let fleet = Fleet::start(&services, &[]);
    let address = fleet.nginx.url().replace("http://", "");
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
}

#[test]
fn readiness_names_the_unreachable_service() {
    let Some(mut services) = Services::take() else { return };
    let folder = tempfile::tempdir().unwrap();
    let processes = ["api", "consumer"].map(|role| services.serve(&folder, role, &[]));
    let wait_for = |what: &str, expected: &Value| {
        for process in &processes {
            eventually(what, || readiness(process) == *expected);
        }
    };
    let check = |service: &mut Service, expected: Value| {
        wait_for("it is ready", &ready());
        service.suspend().unwrap();
        wait_for("it names the suspended service", &expected);
        service.resume().unwrap();
        wait_for("it is ready again", &ready());
        service.kill().unwrap();
        wait_for("it names the killed service", &expected);
        service.restart().unwrap();
        wait_for("it is ready once more", &ready());
    };
    check(services.redis.service_mut(), json!([503, "store_unavailable", "ok", "unavailable"]));
    check(services.rabbitmq.service_mut(), json!([503, "broker_unavailable", "unavailable", "ok"]));
}

#[test]
fn balancer_without_servers_is_reported() {
    if !installed(&["nginx"]) {
        return;
    }
    let nginx = Nginx::start(&Nginx::balancer(&[1])).unwrap();
    let output = seckill().args(["bench", "--target", &nginx.url()]).output().unwrap();
    let printed = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{printed}");
    assert!(printed.contains("reaches no server behind it (502"), "{printed}");
}

/// Status, reason, queue and store of `GET /readyz`.
fn readiness(process: &Serving) -> Value {
    let (status, body) = get(&process.url, "/readyz");
    json!([status, body["reason"], body["queue"], body["store"]])
}

fn ready() -> Value {
    json!([200, null, "ok", "ok"])
}

/// The report of a bench whose audit must pass; it may have been stopped.
#[track_caller]
fn report(output: &Output) -> Value {
    let printed = String::from_utf8_lossy(&output.stderr);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    assert!(matches!(output.status.code(), Some(0 | 130)), "{printed}\n{report:#}");
    assert_eq!(report["audit"]["verdict"], "pass");
    report
}
