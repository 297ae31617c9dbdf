//! Checks of the flags about connections that depend on the target or on this machine, and are
//! apart from those of the plan: a profile may leave the target to the command line.

use super::check::{FlagError, invalid, refuse};
use super::{BenchFlags, Plan};

impl Plan {
    /// Checks whether the load generator can use io_uring, which `kernel` says of the kernel. It is
    /// apart from the other checks, since it depends on the target and on this machine.
    ///
    /// # Errors
    /// When it cannot; the text names the cause and the cure.
    pub fn check_uring(
        flags: &BenchFlags,
        kernel: impl FnOnce() -> Result<(), String>,
    ) -> Result<(), FlagError> {
        let refused =
            |cause| invalid("io", format!("uring cannot be used: {cause}; give --io epoll"));
        if Self::is_https(flags) {
            return Err(refused("it has no TLS, and the target is https://".to_owned()));
        }
        kernel().map_err(refused)
    }

    fn is_https(flags: &BenchFlags) -> bool {
        flags.target.as_ref().is_some_and(|url| url.to_lowercase().starts_with("https://"))
    }

    /// Checks the flags that say which certificates are trusted. It is apart from the other checks,
    /// since a profile may leave the target to the command line.
    ///
    /// # Errors
    /// The first invalid flag.
    pub fn check_trust(flags: &BenchFlags) -> Result<(), FlagError> {
        let is_https = Self::is_https(flags);
        let insecure = flags.insecure == Some(true);
        let without = "applies only to a --target https://…: leave it out";
        refuse(&[
            ("insecure", insecure && !is_https, without),
            ("cacert", flags.cacert.is_some() && !is_https, without),
            (
                "cacert",
                flags.cacert.is_some() && insecure,
                "says nothing with --insecure: leave it out",
            ),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uring_that_cannot_be_used_is_refused_with_its_cause_and_its_cure() {
        let check = |target: &str, kernel: Result<(), &str>| {
            let flags = BenchFlags { target: Some(target.to_owned()), ..BenchFlags::default() };
            let refused = Plan::check_uring(&flags, || kernel.map_err(str::to_owned));
            refused.map_err(|error| error.to_string())
        };
        assert_eq!(check("http://127.0.0.1:7001", Ok(())), Ok(()));
        let forbidden = check("http://127.0.0.1:7001", Err("it is forbidden")).unwrap_err();
        assert!(forbidden.contains("it is forbidden; give --io epoll"), "{forbidden}");
        let tls = check("HTTPS://shop", Ok(())).unwrap_err();
        assert!(tls.contains("the target is https://; give --io epoll"), "{tls}");
    }
}
