//! `parlour`: all services in one process, and the operator's command line.

mod admin;
mod cli;
mod deliveries;
mod documents;
mod events;
mod media;
mod print;
mod probe;
mod running;

use std::process::ExitCode;

use clap::Parser as _;

#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    let runtime = match parlour_chassis::runtime() {
        Ok(runtime) => runtime,
        Err(error) => return print::exit(&Err(error.into())),
    };
    print::exit(&runtime.block_on(cli::execute(arguments)))
}
