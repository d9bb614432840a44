//! The program `provender`; everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(provender::cli::main())
}
