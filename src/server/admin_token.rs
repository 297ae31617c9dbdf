//! The token that admin requests carry. The caller's address is no substitute for it: behind a
//! proxy every caller is local.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use subtle::ConstantTimeEq;

use crate::escape::printable;
use crate::secret::Secret;

use super::answer::rejected;

/// Wrong tokens are logged at most this often.
const LOG_INTERVAL: Duration = Duration::from_secs(10);

/// The secret of the admin; an empty one matches no request.
#[derive(Debug)]
pub struct AdminToken {
    secret: Secret,
    wrong: Mutex<Wrong>,
}

/// Requests with a wrong token.
#[derive(Debug, Default)]
struct Wrong {
    logged: Option<Instant>,
    /// Those since the last line of the log.
    since: u64,
}

impl AdminToken {
    /// A token that requests have to carry.
    pub fn new(token: Secret) -> Self {
        Self { secret: token, wrong: Mutex::default() }
    }

    fn is(&self, given: &[u8]) -> bool {
        let Secret(token) = &self.secret;
        !token.is_empty() && bool::from(given.ct_eq(token.as_bytes()))
    }

    /// Logs requests with a wrong token, without it. A flood of them must not fill the disk, so one
    /// line may stand for many requests; it describes the last one.
    fn log_wrong(&self, headers: &HeaderMap) {
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        wrong.since += 1;
        if wrong.logged.is_some_and(|logged| logged.elapsed() < LOG_INTERVAL) {
            return;
        }
        let requests = std::mem::take(&mut wrong.since);
        wrong.logged = Some(Instant::now());
        drop(wrong);
        // As a proxy wrote it; without one, it is whatever the client claims.
        let forwarded_for = headers.get("x-forwarded-for").map(HeaderValue::as_bytes);
        let forwarded_for = String::from_utf8_lossy(forwarded_for.unwrap_or_default());
        let forwarded_for = printable(&forwarded_for);
        tracing::warn!(requests, %forwarded_for, "wrong admin token");
    }

    /// Answers a request that does not carry the token.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Response<Bytes>> {
        let given = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
        // The scheme's case does not matter (RFC 9110, section 11.1).
        let token = given.and_then(|given| given.split_at_checked(b"Bearer ".len()));
        let token = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case(b"Bearer "));
        match token.map(|(_, token)| token) {
            None => {
                let message = "send Authorization: Bearer <token>";
                let mut response = rejected(StatusCode::UNAUTHORIZED, "no_token", message);
                let bearer = HeaderValue::from_static("Bearer");
                response.headers_mut().insert(WWW_AUTHENTICATE, bearer);
                Err(response)
            }
            Some(given) if self.is(given) => Ok(()),
            Some(_) => {
                self.log_wrong(headers);
                let message = "this is not the server's admin token";
                Err(rejected(StatusCode::FORBIDDEN, "wrong_token", message))
            }
        }
    }
}
