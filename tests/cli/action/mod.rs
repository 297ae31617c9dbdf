//! The scripts of `action.yml`, in the environment of a job of GitHub Actions.

mod comment;
mod job;
mod program;
mod run;
