//! Reading one number from a Prometheus page, without an HTTP client.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// How long connecting, and each read and write, may take.
const STEP_TIMEOUT: Duration = Duration::from_secs(5);

/// Longest page, in bytes: RabbitMQ's has about 60 000.
const PAGE_LEN_MAX: u64 = 4 << 20;

/// The value of a metric that has no labels, from `/metrics` on this port of 127.0.0.1.
pub(super) fn read(port: u16, metric: &str) -> io::Result<u64> {
    let page = get(port)?;
    self::metric(&page, metric).ok_or_else(|| {
        let what = format!("its metrics have no number `{metric}`");
        io::Error::new(io::ErrorKind::InvalidData, what)
    })
}

/// The page. In HTTP/1.0 it ends where the connection does.
fn get(port: u16) -> io::Result<String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, STEP_TIMEOUT)?;
    stream.set_read_timeout(Some(STEP_TIMEOUT))?;
    stream.set_write_timeout(Some(STEP_TIMEOUT))?;
    stream.write_all(b"GET /metrics HTTP/1.0\r\nAccept: text/plain\r\n\r\n")?;
    let mut page = String::new();
    stream.take(PAGE_LEN_MAX).read_to_string(&mut page)?;
    let status = page.lines().next().unwrap_or_default();
    match status.split(' ').nth(1) {
        Some("200") => Ok(page),
        _ => Err(io::Error::other(format!("its metrics answer `{status}`"))),
    }
}

/// The value of a metric without labels on a Prometheus page, if it is a whole number. Erlang may
/// write that as `1.0e3`.
pub fn metric(page: &str, metric: &str) -> Option<u64> {
    let mut values = page.lines().filter_map(|line| line.strip_prefix(metric)?.strip_prefix(' '));
    let number: f64 = values.next_back()?.trim().parse().ok()?;
    (number >= 0.0 && number.fract() == 0.0).then_some(number as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_metric_is_found_by_its_whole_name() {
        let page = "HTTP/1.1 200 OK\r\n\r\n# HELP open Now\nopen_total 7\nopen{a=\"b\"} 9\nopen 3\n\
                    many 1.2e3\nhalf 0.5\nnone NaN\n";
        assert_eq!(metric(page, "open"), Some(3));
        assert_eq!(metric(page, "open_total"), Some(7));
        assert_eq!(metric(page, "many"), Some(1200));
        for nonsense in ["half", "none", "absent", "ope", ""] {
            assert_eq!(metric(page, nonsense), None, "{nonsense}");
        }
    }
}
