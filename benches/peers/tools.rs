//! The generators: the command line of each for the same load, and the parsing of its output.
//!
//! All of them count an answer with 410 as a completed request. Anything that they count as a
//! failure (a reset, a time-out) ends the comparison. Only JMeter marks a sample with 410 as an
//! error, and still counts it.

use std::path::Path;
use std::process::Command;

use seckill::lab;

use super::{BODY, jmeter};

/// Files of some tools, which [`write_files`] writes.
const BODY_FILE: &str = "body.json";
const LUA_FILE: &str = "post.lua";

/// A load generator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    Seckill,
    SeckillEpoll,
    Wrk,
    Shb,
    Oha,
    Hey,
    Ab,
    JMeter,
}

/// The load that all tools generate.
pub(crate) struct Load<'a> {
    pub(crate) url: &'a str,
    pub(crate) folder: &'a Path,
    pub(crate) connections: u64,
    pub(crate) seconds: u64,
}

/// The figures that a tool reports.
pub(crate) struct Reported {
    pub(crate) requests: f64,
    pub(crate) per_second: f64,
    /// Median latency in microseconds, for tools that [report it](Tool::reports_median).
    pub(crate) median_us: Option<f64>,
}

/// Writes the files that some tools need.
pub(crate) fn write_files(folder: &Path) {
    std::fs::write(folder.join(BODY_FILE), BODY).unwrap();
    let lua = format!(
        "wrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/json'\n\
         wrk.body = '{BODY}'\n"
    );
    std::fs::write(folder.join(LUA_FILE), lua).unwrap();
}

impl Tool {
    pub(crate) const ALL: [Self; 8] = [
        Self::Seckill,
        Self::SeckillEpoll,
        Self::Wrk,
        Self::Shb,
        Self::Oha,
        Self::Hey,
        Self::Ab,
        Self::JMeter,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Seckill => "seckill bench",
            Self::SeckillEpoll => "with epoll",
            Self::Wrk => "wrk",
            Self::Shb => "shb",
            Self::Oha => "oha",
            Self::Hey => "hey",
            Self::Ab => "ab",
            Self::JMeter => "jmeter",
        }
    }

    /// Whether the tool reports [`Reported::median_us`].
    pub(crate) fn reports_median(self) -> bool {
        matches!(self, Self::Seckill | Self::Wrk)
    }

    /// How to install the tool, if it is missing.
    pub(crate) fn missing(self) -> Option<&'static str> {
        let cure = match self {
            Self::Seckill | Self::SeckillEpoll => return None,
            Self::Wrk => "Debian: apt install wrk",
            Self::Shb => "cargo install shb --locked",
            Self::Oha => "cargo install oha",
            Self::Hey => "Debian: apt install hey",
            Self::Ab => "Debian: apt install apache2-utils",
            Self::JMeter => "Debian: apt install jmeter jmeter-http",
        };
        lab::find(self.name()).is_none().then_some(cure)
    }

    /// The command with one thread and one persistent connection for each buyer; it must run in the
    /// folder of [`write_files`].
    pub(crate) fn command(self, load: &Load<'_>) -> Command {
        let seconds = load.seconds;
        let connections = load.connections.to_string();
        let url = format!("{}/seckill", load.url);
        let duration = format!("{seconds}s");
        let post = ["-m", "POST", "-T", "application/json", "-D", BODY_FILE];
        let mut command = Command::new(self.name());
        match self {
            Self::Seckill | Self::SeckillEpoll => {
                command = Command::new(env!("CARGO_BIN_EXE_seckill"));
                command.args(["bench", "--target", load.url, "--threads", &connections]);
                if self == Self::SeckillEpoll {
                    command.args(["--io", "epoll"]);
                }
                command.args(["--duration", &duration, "--json", "--no-audit"])
            }
            Self::Wrk => command.args(["-t", "1", "-c", &connections, "-d", &duration]).args([
                "--latency",
                "-s",
                LUA_FILE,
                &url,
            ]),
            Self::Shb => command
                .args(["-z", &duration, "-c", &connections, "-t", "1", "-j", "-m", "POST"])
                .args(["-H", "Content-Type: application/json", "-d", &format!("@{BODY_FILE}")])
                .arg(url),
            Self::Oha => command
                .args(["-z", &duration, "-c", &connections, "--worker-threads", "1"])
                .args(["--no-tui", "--output-format", "json"])
                .args(post)
                .arg(url),
            Self::Hey => command
                .args(["-z", &duration, "-c", &connections, "-cpus", "1"])
                .args(post)
                .arg(url),
            Self::Ab => command
                // The maximum number of requests follows the time, because the time would reset it.
                // ab keeps a record of each request, so the number is no higher than a core can
                // send.
                .args(["-q", "-k", "-c", &connections, "-t", &seconds.to_string()])
                .args(["-n", &(seconds * 500_000).to_string()])
                .args(["-p", BODY_FILE, "-T", "application/json", &url]),
            Self::JMeter => {
                jmeter::write_files(load);
                command.args(jmeter::ARGS)
            }
        };
        command
    }

    /// Parses the output of the tool.
    pub(crate) fn read(self, stdout: &str) -> Reported {
        let reported = match self {
            Self::Seckill | Self::SeckillEpoll => read_seckill(stdout),
            Self::Wrk => read_wrk(stdout),
            Self::Shb => read_shb(stdout),
            Self::Oha => read_oha(stdout),
            Self::Hey => read_hey(stdout),
            Self::Ab => read_ab(stdout),
            Self::JMeter => jmeter::read(stdout),
        };
        reported.unwrap_or_else(|| panic!("no figures in the output of {}:\n{stdout}", self.name()))
    }
}

fn read_seckill(stdout: &str) -> Option<Reported> {
    let json: serde_json::Value = serde_json::from_str(stdout).ok()?;
    assert_eq!(json["requests"]["errors"], 0, "{stdout}");
    Some(Reported {
        requests: json["requests"]["total"].as_f64()?,
        per_second: json["requests"]["per_second"].as_f64()?,
        median_us: json["latency_us"]["p50"].as_f64(),
    })
}

fn read_wrk(stdout: &str) -> Option<Reported> {
    assert!(!stdout.contains("Socket errors"), "{stdout}");
    let total = stdout.lines().find(|line| line.contains(" requests in "))?;
    Some(Reported {
        requests: total.split_whitespace().next()?.parse().ok()?,
        per_second: number_after(stdout, "Requests/sec:")?,
        median_us: Some(duration_us(after(stdout, "50%")?)?),
    })
}

fn read_shb(stdout: &str) -> Option<Reported> {
    let json: serde_json::Value = serde_json::from_str(stdout).ok()?;
    assert_eq!(json["requests"]["errors"], 0, "{stdout}");
    let requests = json["requests"]["ok"].as_f64()?;
    Some(Reported { requests, per_second: json["requestsPerSec"].as_f64()?, median_us: None })
}

fn read_oha(stdout: &str) -> Option<Reported> {
    let json: serde_json::Value = serde_json::from_str(stdout).ok()?;
    // Requests in flight at the end are aborted, which is not an error of the exchange.
    let errors = json["errorDistribution"].as_object()?.keys();
    assert!(errors.into_iter().all(|error| error == "aborted due to deadline"), "{stdout}");
    let requests = json["statusCodeDistribution"]["410"].as_f64()?;
    let per_second = requests / json["summary"]["total"].as_f64()?;
    Some(Reported { requests, per_second, median_us: None })
}

fn read_hey(stdout: &str) -> Option<Reported> {
    assert!(!stdout.contains("Error distribution"), "{stdout}");
    let per_second = number_after(stdout, "Requests/sec:")?;
    // hey keeps the status of the first million requests only, and counts all.
    let requests = per_second * number_after(stdout, "Total:")?;
    Some(Reported { requests, per_second, median_us: None })
}

fn read_ab(stdout: &str) -> Option<Reported> {
    let requests = number_after(stdout, "Complete requests:")?;
    assert_eq!(number_after(stdout, "Failed requests:"), Some(0.0), "{stdout}");
    assert_eq!(number_after(stdout, "Keep-Alive requests:"), Some(requests), "{stdout}");
    let per_second = number_after(stdout, "Requests per second:")?;
    Some(Reported { requests, per_second, median_us: None })
}

/// The first word after this label, which is at the beginning of a line.
fn after<'a>(stdout: &'a str, label: &str) -> Option<&'a str> {
    let line = stdout.lines().find_map(|line| line.trim_start().strip_prefix(label))?;
    line.split_whitespace().next()
}

fn number_after(stdout: &str, label: &str) -> Option<f64> {
    after(stdout, label)?.parse().ok()
}

/// A time in microseconds, as wrk prints it: `232.00us`, `1.23ms`, `1.02s`.
fn duration_us(text: &str) -> Option<f64> {
    let number = text.trim_end_matches(char::is_alphabetic);
    let factor = match &text[number.len()..] {
        "us" => 1.0,
        "ms" => 1e3,
        "s" => 1e6,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * factor)
}
