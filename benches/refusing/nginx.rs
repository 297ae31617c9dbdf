//! nginx, which answers every attempt as `seckill serve` does when the sale is sold out.

use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use seckill::lab::{ChildProcess, Scope, find, free_port};

use super::support::server::Server;

/// Time-out until it listens.
const START_TIMEOUT: Duration = Duration::from_secs(10);

/// What the generator asks before a load is the state of the sale, which nginx tells as well, in
/// the words of `seckill serve`.
const SALE: &str = concat!(
    r#"{"status":"sold_out","item":"default","epoch":1,"stock":0,"stock_left":0,"#,
    r#""orders":0,"queued":0,"finished":true,"per_buyer":1}"#
);

const REFUSAL: &str = r#"{"status":"rejected","reason":"sold_out"}"#;

/// Starts nginx with so many workers, on the cores of this process.
pub(crate) fn start(folder: &Path, workers: u32) -> Server {
    std::fs::create_dir_all(folder).unwrap();
    let port = free_port().unwrap();
    let config = format!(
        "daemon off; master_process off; worker_processes {workers}; pid nginx.pid;\n\
         error_log stderr error;\n\
         events {{ worker_connections 20000; multi_accept on; }}\n\
         http {{\n\
         access_log off; server_tokens off; default_type application/json;\n\
         keepalive_requests 1000000000; tcp_nodelay on;\n\
         client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi;\n\
         uwsgi_temp_path uwsgi; scgi_temp_path scgi;\n\
         server {{ listen 127.0.0.1:{port} backlog=65535;\n\
         location = /result {{ return 200 '{SALE}'; }}\n\
         location = /seckill {{ return 410 '{REFUSAL}'; }} }} }}\n"
    );
    std::fs::write(folder.join("nginx.conf"), config).unwrap();
    let mut process = ChildProcess::new(Scope::Group, None).unwrap();
    let started = process.start(&find("nginx").unwrap(), |command| {
        command.arg("-p").arg(folder).args(["-c", "nginx.conf", "-e", "stderr"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    });
    started.unwrap();
    let deadline = Instant::now() + START_TIMEOUT;
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(Instant::now() < deadline && !process.has_ended(), "nginx does not listen");
        std::thread::sleep(Duration::from_millis(10));
    }
    Server { process, url: format!("http://127.0.0.1:{port}") }
}
