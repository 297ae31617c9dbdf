//! A tested system that a file describes: its requests, what its answers mean, and where its orders
//! and its stock are found.

#![allow(dead_code, unused_imports, reason = "the profile does not read descriptions yet")]

mod matcher;
mod text;
mod truth;
mod wrong;
