//! The generators: how each is asked for the same load, and where it says what it did.
//!
//! None of them takes 410 for a failure of the exchange: each counts it as a completed request,
//! and what it counts otherwise (a reset, a time-out) ends the comparison. JMeter alone calls a
//! sample with 410 an error, and still counts it.

use std::path::Path;
use std::process::Command;

use seckill::lab;

use super::{BODY, TOKEN, jmeter};

/// Where [`write_files`] leaves what some tools want to have in files.
const BODY_FILE: &str = "body.json";
const LUA_FILE: &str = "post.lua";

/// A load generator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tool {
    Seckill,
    Wrk,
    Oha,
    Hey,
    Ab,
    JMeter,
}

/// What all are asked for.
pub(crate) struct Load<'a> {
    pub(crate) url: &'a str,
    pub(crate) folder: &'a Path,
    pub(crate) connections: u64,
    pub(crate) seconds: u64,
}

/// What a tool says that it did.
pub(crate) struct Answered {
    pub(crate) requests: f64,
    pub(crate) per_second: f64,
    /// Median latency in microseconds, of those that [`Tool::tells_median`].
    pub(crate) median_us: Option<f64>,
}

/// Writes what some tools want to have in files.
pub(crate) fn write_files(folder: &Path) {
    std::fs::write(folder.join(BODY_FILE), BODY).unwrap();
    let lua = format!(
        "wrk.method = 'POST'\nwrk.headers['Content-Type'] = 'application/json'\n\
         wrk.body = '{BODY}'\n"
    );
    std::fs::write(folder.join(LUA_FILE), lua).unwrap();
}

impl Tool {
    pub(crate) const ALL: [Self; 6] =
        [Self::Seckill, Self::Wrk, Self::Oha, Self::Hey, Self::Ab, Self::JMeter];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Seckill => "seckill bench",
            Self::Wrk => "wrk",
            Self::Oha => "oha",
            Self::Hey => "hey",
            Self::Ab => "ab",
            Self::JMeter => "jmeter",
        }
    }

    /// Whether [`Answered::median_us`] is there.
    pub(crate) fn tells_median(self) -> bool {
        matches!(self, Self::Seckill | Self::Wrk)
    }

    /// What to do for it where it is not installed.
    pub(crate) fn missing(self) -> Option<&'static str> {
        let cure = match self {
            Self::Seckill => return None,
            Self::Wrk => "Debian: apt install wrk",
            Self::Oha => "cargo install oha",
            Self::Hey => "Debian: apt install hey",
            Self::Ab => "Debian: apt install apache2-utils",
            Self::JMeter => "Debian: apt install jmeter jmeter-http",
        };
        lab::find(self.name()).is_none().then_some(cure)
    }

    /// One thread each, a connection that is kept for each of the buyers; to be run in the folder
    /// of [`write_files`].
    pub(crate) fn command(self, load: &Load<'_>) -> Command {
        let seconds = load.seconds;
        let connections = load.connections.to_string();
        let url = format!("{}/seckill", load.url);
        let duration = format!("{seconds}s");
        let post = ["-m", "POST", "-T", "application/json", "-D", BODY_FILE];
        let mut command = Command::new(self.name());
        match self {
            Self::Seckill => {
                command = Command::new(env!("CARGO_BIN_EXE_seckill"));
                command.args(["bench", "--target", load.url, "--threads", &connections]);
                command.args(["--duration", &duration, "--json", "--admin-token", TOKEN])
            }
            Self::Wrk => command.args(["-t", "1", "-c", &connections, "-d", &duration]).args([
                "--latency",
                "-s",
                LUA_FILE,
                &url,
            ]),
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
                // The most requests after the time, which would set it again; it keeps a record
                // of each, so not more than any core can send.
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

    /// Reads what it printed.
    pub(crate) fn read(self, stdout: &str) -> Answered {
        let told = match self {
            Self::Seckill => read_seckill(stdout),
            Self::Wrk => read_wrk(stdout),
            Self::Oha => read_oha(stdout),
            Self::Hey => read_hey(stdout),
            Self::Ab => read_ab(stdout),
            Self::JMeter => jmeter::read(stdout),
        };
        told.unwrap_or_else(|| panic!("{} does not say what it did:\n{stdout}", self.name()))
    }
}

fn read_seckill(stdout: &str) -> Option<Answered> {
    let json: serde_json::Value = serde_json::from_str(stdout).ok()?;
    assert_eq!(json["requests"]["errors"], 0, "{stdout}");
    Some(Answered {
        requests: json["requests"]["total"].as_f64()?,
        per_second: json["requests"]["per_second"].as_f64()?,
        median_us: json["latency_us"]["p50"].as_f64(),
    })
}

fn read_wrk(stdout: &str) -> Option<Answered> {
    assert!(!stdout.contains("Socket errors"), "{stdout}");
    let total = stdout.lines().find(|line| line.contains(" requests in "))?;
    Some(Answered {
        requests: total.split_whitespace().next()?.parse().ok()?,
        per_second: number_after(stdout, "Requests/sec:")?,
        median_us: Some(duration_us(after(stdout, "50%")?)?),
    })
}

fn read_oha(stdout: &str) -> Option<Answered> {
    let json: serde_json::Value = serde_json::from_str(stdout).ok()?;
    // What is in flight at the end is given up, and no error of the exchange.
    let errors = json["errorDistribution"].as_object()?.keys();
    assert!(errors.into_iter().all(|error| error == "aborted due to deadline"), "{stdout}");
    let requests = json["statusCodeDistribution"]["410"].as_f64()?;
    let per_second = requests / json["summary"]["total"].as_f64()?;
    Some(Answered { requests, per_second, median_us: None })
}

fn read_hey(stdout: &str) -> Option<Answered> {
    assert!(!stdout.contains("Error distribution"), "{stdout}");
    let per_second = number_after(stdout, "Requests/sec:")?;
    // It remembers the status of the first million only, and counts all.
    let requests = per_second * number_after(stdout, "Total:")?;
    Some(Answered { requests, per_second, median_us: None })
}

fn read_ab(stdout: &str) -> Option<Answered> {
    let requests = number_after(stdout, "Complete requests:")?;
    assert_eq!(number_after(stdout, "Failed requests:"), Some(0.0), "{stdout}");
    assert_eq!(number_after(stdout, "Keep-Alive requests:"), Some(requests), "{stdout}");
    let per_second = number_after(stdout, "Requests per second:")?;
    Some(Answered { requests, per_second, median_us: None })
}

/// The first word after this label at the beginning of a line.
fn after<'a>(stdout: &'a str, label: &str) -> Option<&'a str> {
    let line = stdout.lines().find_map(|line| line.trim_start().strip_prefix(label))?;
    line.split_whitespace().next()
}

fn number_after(stdout: &str, label: &str) -> Option<f64> {
    after(stdout, label)?.parse().ok()
}

/// Microseconds of a time as wrk prints it: `232.00us`, `1.23ms`, `1.02s`.
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
