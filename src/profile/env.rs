//! The environment variables that stand for flags.

/// What the names of all variables of this program begin with.
pub const ENV_PREFIX: &str = "SECKILL_";

/// The environment variable of a flag: `SECKILL_MAX_THREADS` for `max-threads`.
pub fn env_name(flag: &str) -> String {
    format!("{ENV_PREFIX}{}", flag.to_uppercase().replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_has_the_flags_name_in_capitals() {
        assert_eq!(env_name("seed"), "SECKILL_SEED");
        assert_eq!(env_name("broker-connect-timeout"), "SECKILL_BROKER_CONNECT_TIMEOUT");
    }
}
