//! `seckill completions` and `seckill man`, both generated from the definitions of the flags.

use clap::CommandFactory;
use clap_complete::Shell;

use super::args::Cli;
use super::help::with_headings;
use super::{Failure, print};

pub(super) fn completions(shell: Shell) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut with_headings(Cli::command()), "seckill", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(0)
}

pub(super) fn man() -> Result<u8, Failure> {
    let mut command = with_headings(Cli::command());
    command.build();
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    for subcommand in command.get_subcommands().filter(|c| c.get_name() != "help") {
        let man = clap_mangen::Man::new(subcommand.clone());
        man.render_synopsis_section(&mut page)?;
        man.render_options_section(&mut page)?;
    }
    print(&String::from_utf8_lossy(&page))?;
    Ok(0)
}
