//! Requests for the truth, to the tested system or to an address of their own.

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Url};
use serde_json::Value;
use toml::Spanned;

use crate::http_client;
use crate::sut::described::secrets::ENV;
use crate::sut::described::text::{Text, json_escaped, percent_encoded};
use crate::sut::described::wrong::Wrong;
use crate::tls::Trust;

use super::around::Read;
use super::check;
use super::error::Problem;
use super::limits::BODY_LEN_MAX;
use super::tables::Texts;

/// The media type of JSON.
const JSON: &str = "application/json";

/// A request.
#[derive(Debug)]
pub(super) struct Http {
    method: Method,
    url: Text,
    headers: Vec<(HeaderName, Text)>,
    body: Option<Text>,
    is_json: bool,
}

/// The keys of a request.
pub(super) struct Keys<'a> {
    pub(super) headers: Option<&'a Spanned<Texts>>,
    pub(super) body: Option<&'a Spanned<String>>,
    pub(super) json: Option<&'a Spanned<Value>>,
}

impl Http {
    /// Checks a request. Only those that read may be repeated, and have pages.
    pub(super) fn new(
        request: &Spanned<String>,
        keys: &Keys<'_>,
        methods: &[&str],
        may_page: bool,
    ) -> Result<Self, Wrong> {
        let shape = || {
            let methods = methods.join(" or ");
            let problem = format!("must be a method and a URL: write \"GET /path\" ({methods})");
            Wrong::of(request, problem)
        };
        let (method, url) = request.get_ref().trim().split_once(' ').ok_or_else(shape)?;
        let url = url.trim();
        if !methods.contains(&method) || url.contains(char::is_whitespace) {
            return Err(shape());
        }
        let method = Method::from_bytes(method.as_bytes()).map_err(|_| shape())?;
        let parsed = Text::parse(url).map_err(|error| Wrong::of(request, error))?;
        check::check_names(&parsed, request.span().start, may_page)?;
        check_address(request, url)?;
        let mut headers = Vec::new();
        for (name, value) in keys.headers.iter().flat_map(|headers| headers.get_ref()) {
            let header = HeaderName::from_bytes(name.as_bytes());
            let header = header.map_err(|_| Wrong::of(value, "its key is no name of a header"))?;
            headers.push((header, check::text(value, may_page)?));
        }
        let body = match (keys.body, keys.json) {
            (Some(_), Some(json)) => {
                return Err(Wrong::of(json, "`body` is given, too: leave out one"));
            }
            (Some(body), None) => Some(check::text(body, may_page)?),
            (None, Some(json)) => {
                let text = Text::of_json(json.get_ref()).map_err(|e| Wrong::of(json, e))?;
                check::check_names(&text, json.span().start, may_page)?;
                Some(text)
            }
            (None, None) => None,
        };
        Ok(Self { method, url: parsed, headers, body, is_json: keys.json.is_some() })
    }

    /// Whether the request uses a placeholder.
    pub(super) fn uses(&self, name: &str) -> bool {
        let texts = self.headers.iter().map(|(_, text)| text).chain(&self.body);
        texts.chain([&self.url]).any(|text| text.names().any(|used| used == name))
    }

    /// The URL of a page.
    pub(super) fn url(&self, read: &Read<'_>, page: Option<u64>) -> Result<Url, Problem> {
        let text = read.expand(&self.url, page, percent_encoded)?;
        let base = &read.around.target.url;
        let text = if text.starts_with('/') { format!("{base}{text}") } else { text };
        let url = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let url = url.ok_or_else(|| Problem::lasting(not_a_url(&self.url.to_string())))?;
        url.password().into_iter().for_each(|password| {
            read.hide(password);
            read.hide(&super::sql::decoded(password));
        });
        Ok(url)
    }

    /// A client for the host of this URL.
    pub(super) fn client(&self, read: &Read<'_>, url: &Url) -> Result<Client, Problem> {
        let target = read.around.target;
        let host = url.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let is_target = host == target.name();
        let system = Trust::System;
        let trust = if is_target { &target.trust } else { &system };
        let is_https = url.scheme() == "https";
        let client = http_client::builder(is_https.then_some(trust));
        let client = client.map_err(Problem::lasting)?;
        let client = client.redirect(reqwest::redirect::Policy::none());
        let is_same = is_target && url.port_or_known_default() == Some(target.address.port());
        let client = if is_same { client.resolve(host, target.address) } else { client };
        client.build().map_err(Problem::lasting)
    }

    /// Sends the request to this URL, which may be that of a further page, and returns the body.
    pub(super) async fn send(
        &self,
        read: &Read<'_>,
        client: &Client,
        url: &Url,
        page: Option<u64>,
    ) -> Result<Vec<u8>, Problem> {
        let mut headers = HeaderMap::new();
        if self.is_json {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
        }
        for (name, text) in &self.headers {
            let value = read.expand(text, page, str::to_owned)?;
            let value = HeaderValue::from_str(&value);
            let value = value.map_err(|_| {
                Problem::lasting(format!("the value of the header {name} cannot be sent"))
            })?;
            headers.append(name, value);
        }
        let mut request = client.request(self.method.clone(), url.clone()).headers(headers);
        if let Some(body) = &self.body {
            let form = if self.is_json { json_escaped } else { str::to_owned };
            request = request.body(read.expand(body, page, form)?);
        }
        let what = format!("{} {}", self.method, shown_url(read, url));
        match tokio::time::timeout(read.limit(), receive(request, &what)).await {
            Ok(Ok(body)) => Ok(body),
            Ok(Err(problem)) => Err(Problem { text: read.shown(&problem.text), ..problem }),
            Err(_) => Err(read.timed_out(&what)),
        }
    }
}

/// A URL without its user and password, and without the secrets of the read.
pub(super) fn shown_url(read: &Read<'_>, url: &Url) -> String {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    read.shown(url.as_str())
}

async fn receive(request: reqwest::RequestBuilder, what: &str) -> Result<Vec<u8>, Problem> {
    let mut response = request.send().await.map_err(|error| {
        let error = error.without_url();
        let cause = innermost(&error);
        Problem::passing(format!("{what} has no answer: {cause}"))
    })?;
    let status = response.status();
    if !status.is_success() {
        let problem = format!("{what} is answered with status {}", status.as_u16());
        // A proxy may answer so while the tested system restarts.
        let may_pass = status.is_server_error() || status.as_u16() == 429;
        return Err(Problem { text: problem, may_pass });
    }
    let mut body = Vec::new();
    let broken = |error: reqwest::Error| {
        let error = error.without_url();
        Problem::passing(format!("the answer to {what} is not whole: {}", innermost(&error)))
    };
    while let Some(piece) = response.chunk().await.map_err(broken)? {
        body.extend_from_slice(&piece);
        if body.len() > BODY_LEN_MAX {
            let max = BODY_LEN_MAX >> 20;
            return Err(Problem::lasting(format!("the answer to {what} is over {max} MiB")));
        }
    }
    Ok(body)
}

/// The first cause of an error, which the others only repeat.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

fn not_a_url(url: &str) -> String {
    let shown = crate::escape::printable(url);
    format!("`{shown}` is not a path at the target, nor an http:// or https:// URL")
}

fn check_address(request: &Spanned<String>, url: &str) -> Result<(), Wrong> {
    if url.starts_with("https://") && !cfg!(feature = "tls") {
        let cure = "https:// needs a build with TLS: cargo build --release --features tls";
        return Err(Wrong::of(request, cure));
    }
    let env = format!("{{{{{ENV}");
    let begins = ["/", "http://", "https://", "{{target}}", &env];
    if begins.iter().any(|begin| url.starts_with(begin)) {
        return Ok(());
    }
    Err(Wrong::of(request, not_a_url(url)))
}
