//! A request of the description, compiled: each attempt only writes its values into a buffer that
//! is used again and again.

use std::collections::BTreeMap;
use std::io::Write;

use toml::Spanned;

use crate::escape::printable;

use super::names::{Names, Value};
use super::parts::{Encoding, Parts, Values, encode};
use super::tables::Step;
use super::text::{Piece, Text};
use super::wrong::Wrong;

/// Methods that a request may have.
const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// Field lines that the load generator writes itself.
const OWN_FIELDS: &[&str] = &["host", "connection", "content-length", "transfer-encoding"];

/// Where requests go, and what all of them have.
#[derive(Debug, Clone, Copy)]
pub(super) struct To<'a> {
    /// `host:port`.
    pub(super) host: &'a str,
    /// Whether the connection is kept for further requests.
    pub(super) keepalive: bool,
    /// Headers of each request.
    pub(super) headers: &'a BTreeMap<String, Spanned<String>>,
}

/// A compiled request, and the bytes of the one that was written last.
#[derive(Debug, Clone)]
pub(super) struct Request {
    head: Parts,
    body: Option<Parts>,
    body_bytes: Vec<u8>,
    bytes: Vec<u8>,
}

impl Request {
    /// Compiles a request. Headers of all requests are left out of the steps before the purchase
    /// while the values in them are not known.
    pub(super) fn new(
        step: &Step,
        to: &To<'_>,
        names: &Names<'_>,
        is_before_purchase: bool,
    ) -> Result<Self, Wrong> {
        let at = step.request.span().start;
        let wrong = |problem| Wrong { at, problem };
        let mut head = Parts::default();
        let (method, path) = request_line(step.request.get_ref()).map_err(wrong)?;
        head.bytes(format!("{method} ").as_bytes());
        head.text(path, Encoding::Url, names).map_err(wrong)?;
        let connection = if to.keepalive { "keep-alive" } else { "close" };
        let line = format!(" HTTP/1.1\r\nHost: {}\r\nConnection: {connection}\r\n", to.host);
        head.bytes(line.as_bytes());
        let (body, content_type) = body(step, names)?;
        let has = |name: &str| step.headers.keys().any(|given| given.eq_ignore_ascii_case(name));
        if let Some(content_type) = content_type.filter(|_| !has("content-type")) {
            head.bytes(format!("Content-Type: {content_type}\r\n").as_bytes());
        }
        let of_all = to.headers.iter().filter(|(name, _)| !has(name));
        for (name, value) in of_all {
            let known = field(name, value, names);
            if let Ok(field) = &known {
                head.append(field.clone());
            } else if !is_before_purchase {
                known?;
            }
        }
        for (name, value) in &step.headers {
            head.append(field(name, value, names)?);
        }
        // A request that may have a body says how long it is, even if it has none.
        let body = body.or_else(|| matches!(method, "POST" | "PUT" | "PATCH").then(Parts::default));
        Ok(Self { head, body, body_bytes: Vec::new(), bytes: Vec::new() })
    }

    /// Whether it has something that a step extracts.
    pub(super) fn needs_extracted(&self) -> bool {
        let is_extracted = |value| matches!(value, Value::Extracted(_));
        self.head.has(is_extracted) || self.body.as_ref().is_some_and(|body| body.has(is_extracted))
    }

    /// Writes the request with these values.
    pub(super) fn write(&mut self, values: &Values<'_>) {
        self.bytes.clear();
        self.head.write(values, &mut self.bytes);
        values.cookies.write(&mut self.bytes);
        if let Some(body) = &self.body {
            self.body_bytes.clear();
            body.write(values, &mut self.body_bytes);
            // Writing to memory cannot fail.
            let _ = write!(self.bytes, "Content-Length: {}\r\n", self.body_bytes.len());
        }
        self.bytes.extend_from_slice(b"\r\n");
        if self.body.is_some() {
            self.bytes.extend_from_slice(&self.body_bytes);
        }
    }

    /// The bytes that were written last.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// The method and the path of `POST /path?query`.
pub(super) fn request_line(text: &str) -> Result<(&str, &str), String> {
    let shape = || format!("`{}` is no request: write it as POST /path", printable(text));
    let (method, path) = text.split_once(' ').ok_or_else(shape)?;
    if !METHODS.contains(&method) {
        return Err(format!("`{}` is none of {}", printable(method), METHODS.join(", ")));
    }
    if path.starts_with("http://") || path.starts_with("https://") {
        return Err("a request goes to the --target: give only its path".to_owned());
    }
    let outside = |c: char| !c.is_ascii_graphic();
    let placeholders = path.split("{{").map(|part| part.split_once("}}").map_or(part, |it| it.1));
    if !path.starts_with('/') || placeholders.into_iter().any(|part| part.contains(outside)) {
        return Err(shape());
    }
    Ok((method, path))
}

/// A field line.
fn field(name: &str, value: &Spanned<String>, names: &Names<'_>) -> Result<Parts, Wrong> {
    let wrong = |problem| Wrong { at: value.span().start, problem };
    check_field(name, value.get_ref()).map_err(wrong)?;
    let mut line = Parts::default();
    line.bytes(format!("{name}: ").as_bytes());
    line.text(value.get_ref(), Encoding::Plain, names).map_err(wrong)?;
    line.bytes(b"\r\n");
    Ok(line)
}

fn check_field(name: &str, value: &str) -> Result<(), String> {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(is_token) || value.contains(['\r', '\n', '\0']) {
        return Err(format!("`{}` cannot be a header", printable(&format!("{name}: {value}"))));
    }
    let is_own = OWN_FIELDS.iter().any(|own| own.eq_ignore_ascii_case(name));
    if is_own {
        Err(format!("the header `{name}` is made by the load generator: leave it out"))
    } else {
        Ok(())
    }
}

/// The body of a step, and its type.
fn body(step: &Step, names: &Names<'_>) -> Result<(Option<Parts>, Option<&'static str>), Wrong> {
    let mut parts = Parts::default();
    let given = [step.json.is_some(), step.form.is_some(), step.body.is_some()];
    if given.into_iter().filter(|given| *given).count() > 1 {
        let at = step.request.span().start;
        return Err(Wrong::at(at, "a request has one body: json, form or body"));
    }
    if let Some(json) = &step.json {
        let wrong = |problem: String| Wrong { at: json.span().start, problem };
        let text =
            serde_json::to_string(json.get_ref()).map_err(|error| wrong(error.to_string()))?;
        parts.text(&text, Encoding::Json, names).map_err(wrong)?;
        return Ok((Some(parts), Some("application/json")));
    }
    if let Some(form) = &step.form {
        for (number, (name, value)) in form.iter().enumerate() {
            let wrong = |problem| Wrong { at: value.span().start, problem };
            parts.bytes(if number == 0 { b"" } else { b"&" });
            let name: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
            parts.bytes(format!("{name}=").as_bytes());
            form_value(&mut parts, value, names).map_err(wrong)?;
        }
        return Ok((Some(parts), Some("application/x-www-form-urlencoded")));
    }
    if let Some(body) = &step.body {
        let wrong = |problem| Wrong { at: body.span().start, problem };
        // It may be of any kind: what it needs to be escaped is not known.
        let is_json = body.get_ref().trim_start().starts_with(['{', '[']);
        let encoding = if is_json { Encoding::Json } else { Encoding::Plain };
        parts.text(body.get_ref(), encoding, names).map_err(wrong)?;
        return Ok((Some(parts), is_json.then_some("application/json")));
    }
    Ok((None, None))
}

/// A value of a form, of which the description has the text before it is encoded.
fn form_value(parts: &mut Parts, value: &Spanned<String>, names: &Names<'_>) -> Result<(), String> {
    let text = Text::parse(value.get_ref()).map_err(|error| error.to_string())?;
    for piece in text.pieces() {
        match piece {
            Piece::Plain(text) => {
                let mut encoded = Vec::new();
                encode(&mut encoded, text, Encoding::Url);
                parts.bytes(&encoded);
            }
            Piece::Name(name) => parts.text(&format!("{{{{{name}}}}}"), Encoding::Url, names)?,
        }
    }
    Ok(())
}
