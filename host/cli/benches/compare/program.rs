//! The program's size, and the time of its first release build.

use std::path::Path;
use std::process::Command;

use super::Scale;
use super::deploy::{PROGRAM, ended};
use super::table::{Figure, Row, Target};

/// The rows of the table about the program.
pub(crate) fn rows(scale: &Scale) -> Vec<Row> {
    let size = match std::fs::metadata(PROGRAM) {
        Ok(about) => shown(
            "size",
            "size of the program",
            "MiB",
            about.len() as f64 / 1_048_576.0,
        ),
        Err(e) => {
            let reason = format!("{PROGRAM}: {e}");
            Row::not_run("size", "size of the program", Target::Shown, reason)
        }
    };
    let what = "cold release build, every crate from nothing";
    let build = match scale.build.then(|| built(scale)) {
        Some(Ok(seconds)) => shown("build", what, "s", seconds),
        Some(Err(reason)) => Row::not_run("build", what, Target::Shown, reason),
        None => {
            let reason = "it takes minutes; --build measures it".to_owned();
            Row::not_run("build", what, Target::Shown, reason)
        }
    };
    vec![size, build]
}

fn shown(id: &str, what: &str, unit: &'static str, value: f64) -> Row {
    Row {
        id: id.to_owned(),
        what: what.to_owned(),
        unit,
        size: 1,
        measured: Ok(Figure::single(id, value)),
        beside: None,
        target: Target::Shown,
    }
}

fn built(scale: &Scale) -> Result<f64, String> {
    let target = scale.folder("build")?;
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .args([
            "build",
            "--release",
            "--locked",
            "--bin",
            "provender",
            "--manifest-path",
        ])
        .arg(manifest)
        .arg("--target-dir")
        .arg(target);
    ended(&mut command, None)
}
