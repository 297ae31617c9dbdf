//! A page of metrics in Prometheus's text format: fetched over HTTP, and read number by number.

use std::error::Error;
use std::io;
use std::string::FromUtf8Error;
use std::time::Duration;

use reqwest::{Client, StatusCode, Url};

use crate::escape::printable;
use crate::http_client;
use crate::tls::Trust;

/// Longest time for a page.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Longest page, in bytes: RabbitMQ's has about 60 000.
const PAGE_LEN_MAX: usize = 4 << 20;

/// Why a page could not be read.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The URL is none of HTTP.
    #[error("it is not of the form http://host:port/metrics")]
    Url,
    /// The client could not be set up: for `https://`, no trusted certificates can be read.
    #[error(transparent)]
    Client(#[from] io::Error),
    /// The server could not be reached, or its answer broke off.
    #[error("{}", innermost(.0))]
    Http(#[from] reqwest::Error),
    /// The answer was not a page.
    #[error("it answers with status {0}")]
    Status(StatusCode),
    /// The page is longer than any real one.
    #[error("its page is longer than {PAGE_LEN_MAX} bytes")]
    TooLong,
    /// The page is not text.
    #[error("its page is not UTF-8: {0}")]
    NotText(#[from] FromUtf8Error),
    /// The page is not one of RabbitMQ's.
    #[error("its page lacks {0}")]
    Lacks(&'static str),
}

/// The first cause of an error, which the others only repeat.
fn innermost(error: &dyn Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

/// A page at a URL such as `http://127.0.0.1:15692/metrics`.
#[derive(Debug, Clone)]
pub struct PrometheusPage {
    client: Client,
    url: Url,
}

impl PrometheusPage {
    /// Prepares to fetch the page; sends nothing yet.
    ///
    /// # Errors
    /// When the URL is none of HTTP, or the HTTP client cannot be set up.
    pub fn new(url: &str) -> Result<Self, PageError> {
        let parsed: Url = url.parse().map_err(|_| PageError::Url)?;
        let trust = match parsed.scheme() {
            "http" => None,
            "https" => Some(&Trust::System),
            _ => return Err(PageError::Url),
        };
        let client = http_client::builder(trust)?.timeout(TIMEOUT).build()?;
        Ok(Self { client, url: parsed })
    }

    /// Its URL as it is printed: without user and password.
    pub fn shown(&self) -> String {
        let mut url = self.url.clone();
        // Neither can fail for a URL that has a host.
        let _ = (url.set_username(""), url.set_password(None));
        printable(url.as_str()).to_string()
    }

    /// Fetches the page as it is now.
    ///
    /// # Errors
    /// When it does not arrive whole within 5 s, or is not a page of text.
    pub async fn fetch(&self) -> Result<String, PageError> {
        let mut response = self.client.get(self.url.clone()).send().await?;
        if response.status() != StatusCode::OK {
            return Err(PageError::Status(response.status()));
        }
        let mut page = Vec::new();
        while let Some(piece) = response.chunk().await? {
            page.extend_from_slice(&piece);
            if page.len() > PAGE_LEN_MAX {
                return Err(PageError::TooLong);
            }
        }
        Ok(String::from_utf8(page)?)
    }
}

/// The value of a metric without labels on a Prometheus page, if it is a whole number. Erlang may
/// write that as `1.0e3`.
pub fn metric(page: &str, name: &str) -> Option<u64> {
    let mut values = page.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
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
        for unknown in ["half", "none", "absent", "ope", ""] {
            assert_eq!(metric(page, unknown), None, "{unknown}");
        }
    }
}
