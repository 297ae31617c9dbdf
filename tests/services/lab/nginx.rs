//! nginx with any configuration, and as a load balancer.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::thread;

use seckill::lab::Nginx;

use super::{connect, is_silent, lives};
use crate::support::skip::installed;

/// The complete answer to `GET /`.
fn get(nginx: &Nginx) -> String {
    let mut stream = connect(&nginx.url());
    stream.write_all(b"GET /a HTTP/1.0\r\nHost: shop.test\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn nginx_restarts_at_the_same_address() {
    if !installed(&["nginx"]) {
        return;
    }
    let config = Nginx::balancer(&[]).replace("keepalive 512;", "server [::]:1; keepalive 512;");
    let answer = "location /a { return 200 \"in {folder}\"; } location / {";
    let mut nginx = Nginx::start(&config.replace("location / {", answer)).unwrap();
    let in_folder = format!("in {}", nginx.service().folder().display());
    assert!(get(&nginx).ends_with(&in_folder), "{}", get(&nginx));
    let (pid, url) = (nginx.service().pid(), nginx.url());

    nginx.service_mut().suspend().unwrap();
    let mut client = connect(&url);
    client.write_all(b"GET /a HTTP/1.0\r\n\r\n").unwrap();
    assert!(is_silent(&mut client));
    nginx.service_mut().resume().unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    assert!(answer.ends_with(&in_folder), "{answer}");

    nginx.service_mut().kill().unwrap();
    assert!(!lives(pid));
    nginx.service_mut().restart().unwrap();
    assert_eq!(nginx.url(), url);
    assert!(get(&nginx).ends_with(&in_folder));
    let pid = nginx.service().pid();
    nginx.service_mut().stop().unwrap();
    assert!(!lives(pid));
}

#[test]
fn balancer_reaches_every_server_and_forwards_the_client_address() {
    if !installed(&["nginx"]) {
        return;
    }
    let servers = [0, 1].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
    let ports = servers.each_ref().map(|server| server.local_addr().unwrap().port());
    let nginx = Nginx::start(&Nginx::balancer(&ports)).unwrap();
    let heads = servers.map(|server| {
        thread::spawn(move || {
            let (mut stream, _) = server.accept().unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let head: Vec<_> =
                lines.map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi").unwrap();
            // The connection stays open, as on a server with keep-alive.
            (head, stream)
        })
    });
    for _ in &heads {
        assert!(get(&nginx).ends_with("\r\n\r\nhi"));
    }
    for head in heads {
        let (head, _stream) = head.join().unwrap();
        assert_eq!(head[0], "GET /a HTTP/1.1");
        assert!(head.contains(&"Host: shop.test".to_owned()), "{head:?}");
        assert!(head.contains(&"X-Forwarded-For: 127.0.0.1".to_owned()), "{head:?}");
        assert!(!head.iter().any(|line| line.starts_with("Connection")), "{head:?}");
    }
}

#[test]
fn invalid_configuration_is_reported() {
    if !installed(&["nginx"]) {
        return;
    }
    let text = Nginx::start("events {} nonsense on;").unwrap_err().to_string();
    assert!(text.contains("nginx could not start") && text.contains("\"nonsense\""), "{text}");
}
