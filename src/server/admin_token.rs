//! The token that admin requests carry. The caller's address is no substitute for it: behind a
//! proxy every caller is local.

use hyper::header::{AUTHORIZATION, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use subtle::ConstantTimeEq;

use crate::secret::Secret;

use super::answer::{Body, rejected};

/// The secret of the admin; an empty one matches no request.
#[derive(Debug)]
pub struct AdminToken(Secret);

impl AdminToken {
    /// A token that requests have to carry.
    pub fn new(token: Secret) -> Self {
        Self(token)
    }

    fn is(&self, given: &[u8]) -> bool {
        let Self(Secret(token)) = self;
        !token.is_empty() && bool::from(given.ct_eq(token.as_bytes()))
    }

    /// Answers a request that does not carry the token.
    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Response<Body>> {
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
                let message = "this is not the server's admin token";
                Err(rejected(StatusCode::FORBIDDEN, "wrong_token", message))
            }
        }
    }
}
