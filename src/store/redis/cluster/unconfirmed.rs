//! The errors of calls that the replicas have not confirmed.

use redis::{RedisError, make_extension_error};

/// The code of the error of a call that was not sent: it certainly has no effect.
pub(in super::super) const NOT_SENT: &str = "NOTSENT";

/// The error of a call that was not sent, because one before it had this problem.
pub(super) fn not_sent(problem: &str) -> RedisError {
    let detail = format!("the calls before were not confirmed: {problem}");
    make_extension_error(NOT_SENT.to_owned(), Some(detail))
}

/// The error of a call that may have had an effect.
pub(super) fn unknown(problem: &str) -> RedisError {
    std::io::Error::other(problem.to_owned()).into()
}
