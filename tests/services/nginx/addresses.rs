//! The limit of each address behind nginx: whose attempt it is, and who may say so.

use std::net::IpAddr;
use std::time::Instant;

use seckill::lab::Nginx;
use serde_json::json;

use crate::support::child::{Serving, WAIT_MAX};
use crate::support::skip::installed;

use super::fleet::{ask, port};

/// The addresses of the clients. nginx asks from 127.0.0.1.
const ANN: [u8; 4] = [127, 0, 0, 2];
const BOB: [u8; 4] = [127, 0, 0, 3];

/// Attempts at once, of which a limit of one per second refuses most.
const BURST: usize = 20;

struct Behind {
    server: Serving,
    nginx: Nginx,
    _folder: tempfile::TempDir,
}

impl Behind {
    fn start(trusted: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let flags = ["--stock", "1M", "--per-buyer", "1M", "--address-rate-limit", "1/s"];
        let server = Serving::start(&folder.path().join("data"), &[&flags[..], trusted].concat());
        let nginx = Nginx::start(&Nginx::balancer(&[port(&server)])).unwrap();
        Self { server, nginx, _folder: folder }
    }

    /// The statuses of a burst of attempts from this address, each of which claims to be forwarded
    /// for another one.
    fn burst(&self, url: &str, from: [u8; 4]) -> Vec<u16> {
        let client = reqwest::Client::builder().no_proxy().timeout(WAIT_MAX);
        let client = client.local_address(IpAddr::from(from)).build().unwrap();
        let attempt = |number: usize| {
            let request = client.post(format!("{url}/seckill")).json(&json!({"uid": "ann"}));
            let claimed = format!("198.51.100.{number}");
            ask(request.header("x-forwarded-for", claimed).header("forwarded", "for=1.2.3.4")).0
        };
        (0..BURST).map(attempt).collect()
    }
}

#[test]
fn clients_behind_a_trusted_proxy_have_a_limit_each_whatever_they_claim() {
    if !installed(&["nginx"]) {
        return;
    }
    let behind = Behind::start(&["--trusted-proxies", "127.0.0.1"]);
    for client in [ANN, BOB] {
        let statuses = behind.burst(&behind.nginx.url(), client);
        assert_eq!(statuses[0], 202, "no other client has used its limit");
        assert!(statuses.contains(&429), "{statuses:?}");
    }
    let direct = behind.burst(&behind.server.url, [127, 0, 0, 4]);
    assert!(direct.contains(&429), "{direct:?}");
}

#[test]
fn clients_behind_an_unknown_proxy_share_its_limit() {
    if !installed(&["nginx"]) {
        return;
    }
    let behind = Behind::start(&[]);
    let began = Instant::now();
    let statuses = [ANN, BOB].map(|client| behind.burst(&behind.nginx.url(), client)).concat();
    // The first attempt, and one for each second.
    let most = 1 + began.elapsed().as_secs() as usize;
    let accepted = statuses.iter().filter(|status| **status == 202).count();
    assert!((1..=most).contains(&accepted), "{statuses:?}");
}
