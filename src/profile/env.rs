//! The names of the environment variables that set flags.

/// The prefix of all environment variables of this program.
pub const ENV_PREFIX: &str = "SECKILL_";

/// The environment variable of a flag: `SECKILL_MAX_THREADS` for `max-threads`.
pub fn env_name(flag: &str) -> String {
    format!("{ENV_PREFIX}{}", flag.to_uppercase().replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variable_is_the_flag_in_upper_case() {
        assert_eq!(env_name("seed"), "SECKILL_SEED");
        assert_eq!(env_name("broker-connect-timeout"), "SECKILL_BROKER_CONNECT_TIMEOUT");
    }
}
