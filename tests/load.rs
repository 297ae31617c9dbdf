//! The load generator as a whole: what it sends and when, what it makes of any answer, and whether
//! its figures and its history say so. Against servers that do what a script says.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says so when it fails")]

#[path = "support/child.rs"]
mod child;
#[path = "support/client.rs"]
mod client;
#[path = "support/scripted.rs"]
mod scripted;

#[path = "load/chaos.rs"]
mod chaos;
#[path = "load/closed.rs"]
mod closed;
#[path = "load/connections.rs"]
mod connections;
#[path = "load/double_click.rs"]
mod double_click;
#[path = "load/follow.rs"]
mod follow;
#[path = "load/odd_answers.rs"]
mod odd_answers;
#[path = "load/open.rs"]
mod open;
#[path = "load/retry.rs"]
mod retry;
#[path = "load/run.rs"]
mod run;
#[path = "load/stampede.rs"]
mod stampede;
#[path = "load/stop.rs"]
mod stop;
#[path = "load/time_outs.rs"]
mod time_outs;
#[path = "load/warmup.rs"]
mod warmup;
