//! Media as a process of its own.

fn main() -> std::process::ExitCode {
    parlour_chassis::main_of(parlour_media::service())
}
