//! The cookies of one virtual user. They are sent with each of its requests, whatever their path:
//! all requests go to one host.

use std::time::SystemTime;

use super::fields::fields;

/// Maximum number of cookies of a user, and longest one with its name, in bytes (RFC 6265, section
/// 6.1, asks for at least these).
const COOKIES_MAX: usize = 50;
const COOKIE_LEN_MAX: usize = 4096;

/// The cookies that the tested shop has set.
#[derive(Debug, Clone, Default)]
pub(super) struct Cookies(Vec<Cookie>);

#[derive(Debug, Clone)]
struct Cookie {
    name: Box<[u8]>,
    value: Box<[u8]>,
}

impl Cookies {
    /// Takes the cookies of an answer's head. A cookie that has expired is removed.
    pub(super) fn take(&mut self, head: &[u8]) {
        for line in fields(head, "set-cookie") {
            let mut parts = line.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
            let pair = parts.next().unwrap_or_default();
            let Some(at) = pair.iter().position(|byte| *byte == b'=') else { continue };
            let (name, value) = (pair[..at].trim_ascii(), pair[at + 1..].trim_ascii());
            let is_sendable = |byte: &u8| *byte >= b' ' && *byte != 0x7f;
            if name.is_empty() || pair.len() > COOKIE_LEN_MAX || !pair.iter().all(is_sendable) {
                continue;
            }
            let known = self.0.iter().position(|cookie| *cookie.name == *name);
            match (known, is_expired(parts)) {
                (Some(at), true) => {
                    self.0.remove(at);
                }
                (Some(at), false) => self.0[at].value = value.into(),
                (None, false) if self.0.len() < COOKIES_MAX => {
                    self.0.push(Cookie { name: name.into(), value: value.into() });
                }
                (None, _) => {}
            }
        }
    }

    /// The value of a cookie.
    pub(super) fn get(&self, name: &str) -> Option<&[u8]> {
        let found = self.0.iter().find(|cookie| *cookie.name == *name.as_bytes());
        found.map(|cookie| &*cookie.value)
    }

    /// Writes the field line that sends them, if there are any.
    pub(super) fn write(&self, head: &mut Vec<u8>) {
        for (number, Cookie { name, value }) in self.0.iter().enumerate() {
            head.extend_from_slice(if number == 0 { b"Cookie: " } else { b"; " });
            head.extend_from_slice(name);
            head.push(b'=');
            head.extend_from_slice(value);
        }
        if !self.0.is_empty() {
            head.extend_from_slice(b"\r\n");
        }
    }
}

/// Whether the attributes of a cookie say that it has expired; `Max-Age` takes precedence (RFC
/// 6265, section 5.3).
fn is_expired<'a>(attributes: impl Iterator<Item = &'a [u8]>) -> bool {
    let (mut max_age, mut expires) = (None, None);
    for attribute in attributes {
        let text = String::from_utf8_lossy(attribute);
        let Some((name, value)) = text.split_once('=') else { continue };
        match name.trim().to_ascii_lowercase().as_str() {
            "max-age" => max_age = value.trim().parse::<i64>().ok(),
            // Old frameworks write dashes between day, month and year.
            "expires" => expires = httpdate::parse_http_date(&value.trim().replace('-', " ")).ok(),
            _ => {}
        }
    }
    match max_age {
        Some(seconds) => seconds <= 0,
        None => expires.is_some_and(|moment| moment <= SystemTime::now()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(heads: &[&str]) -> String {
        let mut cookies = Cookies::default();
        for head in heads {
            cookies.take(format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n").as_bytes());
        }
        let mut line = Vec::new();
        cookies.write(&mut line);
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn cookies_are_kept_replaced_and_removed() {
        let set = "Set-Cookie: a=1; Path=/\r\nSet-Cookie: b=x=y; Max-Age=60";
        assert_eq!(sent(&[]), "");
        assert_eq!(sent(&[set]), "Cookie: a=1; b=x=y\r\n");
        assert_eq!(sent(&[set, "set-cookie: a=2"]), "Cookie: a=2; b=x=y\r\n");
        assert_eq!(sent(&[set, "Set-Cookie: a=; Max-Age=0"]), "Cookie: b=x=y\r\n");
        let expired = "Set-Cookie: b=; Expires=Thu, 01-Jan-1970 00:00:00 GMT";
        assert_eq!(sent(&[set, expired]), "Cookie: a=1\r\n");
    }

    #[test]
    fn cookies_are_bounded_and_hold_no_control_characters() {
        assert_eq!(sent(&["Set-Cookie: a=b\u{1}c\r\nSet-Cookie: =x\r\nSet-Cookie: y"]), "");
        let long = format!("Set-Cookie: a={}", "x".repeat(COOKIE_LEN_MAX));
        assert_eq!(sent(&[&long]), "");
        let many: Vec<_> = (0..60).map(|n| format!("Set-Cookie: c{n}=1")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(sent(&many).matches("=1").count(), COOKIES_MAX);
    }
}
