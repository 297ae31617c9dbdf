//! `seckill sut`: descriptions of shops.

mod args;
mod check;
mod init;
mod shown;
mod valid;

use super::sources::Sources;
use super::{Failure, print, say};

pub(super) use args::SutCommand;

pub(super) fn sut(command: SutCommand, sources: &Sources) -> Result<u8, Failure> {
    match command {
        SutCommand::Init(args) => init::init(&args),
        SutCommand::Check(args) => check::check(args, sources),
    }
}
