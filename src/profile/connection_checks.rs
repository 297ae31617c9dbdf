//! Checks of the flags about connections that depend on the target or on this machine, and are
//! apart from those of the plan: a profile may leave the target to the command line.

use super::check::{FlagError, invalid, refuse};
use super::{BenchFlags, Plan};
use crate::settings::Io;

impl Plan {
    /// How the load generator talks to the kernel: as the flag says, and otherwise over io_uring
    /// where it can. `kernel` says whether the kernel allows that. It is apart from the other
    /// checks, since it depends on the target and on this machine.
    ///
    /// # Errors
    /// When io_uring is wanted and cannot be used; the text names the cause and the cure.
    pub fn choose_io(
        flags: &BenchFlags,
        kernel: impl FnOnce() -> Result<(), String>,
    ) -> Result<Io, FlagError> {
        if flags.io == Some(Io::Epoll) {
            return Ok(Io::Epoll);
        }
        let usable = if Self::is_https(flags) {
            Err("it has no TLS, and the target is https://".to_owned())
        } else {
            kernel()
        };
        match usable {
            Ok(()) => Ok(Io::Uring),
            Err(_) if flags.io.is_none() => Ok(Io::Epoll),
            Err(cause) => {
                Err(invalid("io", format!("uring cannot be used: {cause}; give --io epoll")))
            }
        }
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
    fn io_uring_is_used_where_it_can_be_and_refused_where_it_was_asked_for_and_cannot() {
        let choose = |io: Option<Io>, target: &str, kernel: Result<(), &str>| {
            let target = Some(target.to_owned());
            let flags = BenchFlags { io, target, ..BenchFlags::default() };
            let chosen = Plan::choose_io(&flags, || kernel.map_err(str::to_owned));
            chosen.map_err(|error| error.to_string())
        };
        let (http, https, forbidden) = ("http://127.0.0.1:7001", "HTTPS://shop", Err("forbidden"));
        assert_eq!(choose(None, http, Ok(())), Ok(Io::Uring));
        assert_eq!(choose(None, http, forbidden), Ok(Io::Epoll));
        assert_eq!(choose(None, https, Ok(())), Ok(Io::Epoll));
        assert_eq!(choose(Some(Io::Epoll), http, Ok(())), Ok(Io::Epoll));
        assert_eq!(choose(Some(Io::Uring), http, Ok(())), Ok(Io::Uring));
        let error = choose(Some(Io::Uring), http, forbidden).unwrap_err();
        assert!(error.contains("forbidden; give --io epoll"), "{error}");
        let error = choose(Some(Io::Uring), https, Ok(())).unwrap_err();
        assert!(error.contains("the target is https://; give --io epoll"), "{error}");
    }
}
