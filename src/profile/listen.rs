//! The address on which a server listens, as people write it.

use super::check::FlagError;

/// The host where only a port is given: other machines do not reach it.
const HOST_DEFAULT: &str = "127.0.0.1";

/// Checks `--listen`: `host:port`, or a port alone (`7001`, `:7001`) of this machine.
///
/// # Errors
/// When there is no port, or it is none.
pub(super) fn listen_address(text: &str) -> Result<String, FlagError> {
    let invalid = |problem: String| Err(FlagError::new("listen", problem));
    if let Some((_, address)) = text.split_once("://") {
        return invalid(format!("write the address alone: {}", address.trim_end_matches('/')));
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => (host, port),
        None if text.chars().all(|c| c.is_ascii_digit()) => ("", text),
        None if text.starts_with(|c: char| c.is_ascii_digit()) && !text.contains('.') => {
            return invalid(format!("the port `{text}` is not a number from 0 to 65535"));
        }
        None => return invalid(format!("`{text}` has no port: write {text}:7001")),
    };
    if port.parse::<u16>().is_err() {
        return invalid(format!("the port `{port}` of `{text}` is not a number from 0 to 65535"));
    }
    let host = if host.is_empty() { HOST_DEFAULT } else { host };
    Ok(format!("{host}:{port}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_alone_is_one_of_this_machine() {
        for text in ["7001", ":7001", "127.0.0.1:7001"] {
            assert_eq!(listen_address(text).unwrap(), "127.0.0.1:7001");
        }
        assert_eq!(listen_address("0.0.0.0:0").unwrap(), "0.0.0.0:0");
        assert_eq!(listen_address("[::1]:80").unwrap(), "[::1]:80");
    }

    #[test]
    fn address_without_a_port_is_refused() {
        for text in ["localhost", "1.2.3.4", "70000", ":port", "host:-1", "::1:x", "host:"] {
            let error = listen_address(text).unwrap_err().to_string();
            assert!(error.starts_with("--listen: "), "{error}");
        }
        let url = listen_address("http://127.0.0.1:7001/").unwrap_err().to_string();
        assert_eq!(url, "--listen: write the address alone: 127.0.0.1:7001");
        let mistyped = listen_address("7993x").unwrap_err().to_string();
        assert_eq!(mistyped, "--listen: the port `7993x` is not a number from 0 to 65535");
    }
}
