//! What the error of a call means: for the call, and for the connection.

use redis::{ErrorKind, RedisError, ServerErrorKind};

use super::cluster::NOT_SENT;

/// Whether the call had no effect, since it was not sent, or the server refused it before it
/// started (out of memory, a replica, still loading).
pub(super) fn is_refusal(error: &RedisError) -> bool {
    match error.kind() {
        // A plain ERR may come from the middle of a script.
        ErrorKind::Server(kind) => kind != ServerErrorKind::ResponseError,
        kind => kind == ErrorKind::Extension,
    }
}

/// Whether the connection must not be used any more: it has failed, or its answers are not those of
/// Redis, or the server serves nobody or has become a replica. It may be another server by now, so
/// it is checked as a new one.
pub(super) fn ends_connection(error: &RedisError) -> bool {
    use ServerErrorKind::{BusyLoading, ClusterDown, MasterDown, Moved, ReadOnly};
    match error.kind() {
        ErrorKind::Server(kind) => {
            matches!(kind, BusyLoading | ClusterDown | MasterDown | Moved | ReadOnly)
        }
        ErrorKind::Extension => matches!(error.code(), Some("NOAUTH" | NOT_SENT)),
        _ => true,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // In a test, that is an assertion.
mod tests {
    use redis::{FromRedisValue, Value};

    use super::*;

    fn server_error(text: &str) -> RedisError {
        let error = redis::parse_redis_value(format!("-{text}\r\n").as_bytes()).unwrap();
        let Value::ServerError(error) = error else { panic!("{text}") };
        error.into()
    }

    #[test]
    fn refusals_have_no_effect_and_some_end_the_connection() {
        for (text, refusal, end) in [
            ("READONLY You can't write against a read only replica.", true, true),
            ("LOADING Redis is loading the dataset in memory", true, true),
            ("MASTERDOWN Link with MASTER is down", true, true),
            ("NOAUTH Authentication required.", true, true),
            ("OOM command not allowed when used memory > 'maxmemory'.", true, false),
            ("MISCONF Redis is configured to save RDB snapshots", true, false),
            ("NOPERM this user has no permissions", true, false),
            ("NOTSENT the calls before were not confirmed", true, true),
            ("ERR in a script", false, false),
        ] {
            let error = server_error(text);
            assert_eq!((is_refusal(&error), ends_connection(&error)), (refusal, end), "{text}");
        }
        let closed = RedisError::from(std::io::Error::from(std::io::ErrorKind::BrokenPipe));
        assert_eq!((is_refusal(&closed), ends_connection(&closed)), (false, true));
        let answer = u64::from_redis_value(Value::SimpleString("OK".to_owned()));
        let of_another_type = RedisError::from(answer.unwrap_err());
        assert_eq!(
            (is_refusal(&of_another_type), ends_connection(&of_another_type)),
            (false, true)
        );
    }
}
