//! The Rust tool chain that is here, and whether it can build for wasm.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The target that components are built for.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// Where the standard library of the wasm target comes from. The two give different bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StdSource {
    /// `rustup target add` put it there.
    Prebuilt,
    /// Built from the `rust-src` component.
    Source,
}

impl StdSource {
    /// The name that is recorded in a component.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            StdSource::Prebuilt => "prebuilt",
            StdSource::Source => "built-from-source",
        }
    }
}

/// The tools of one build.
#[derive(Clone, Debug)]
pub struct Tools {
    /// The tool chain's own cargo: the shim of rustup looks at folders and variables we change.
    pub cargo: PathBuf,
    /// The tool chain's own rustc.
    pub rustc: PathBuf,
    /// The tool chain's folder.
    pub sysroot: PathBuf,
    /// Cargo's home, where sources of dependencies lie.
    pub cargo_home: PathBuf,
    /// `1.95.0 (59807616e 2026-04-14)`.
    pub rustc_version: String,
    /// The whole commit hash of rustc, by which its own sources are named in messages.
    pub rustc_commit: String,
    /// How the wasm target's standard library comes about.
    pub std_source: StdSource,
}

/// A tool chain that cannot build a component.
#[derive(Debug, thiserror::Error)]
pub enum ToolsError {
    /// rustc does not answer.
    #[error("`{0}` cannot be run: {1}; install Rust from https://rustup.rs, or name another rustc")]
    NoRustc(PathBuf, String),
    /// Neither the target nor the sources are there.
    #[error(
        "this Rust ({version}, in {sysroot}) has no standard library for {TARGET} and no sources to build one from; run `rustup target add {TARGET}`, or where that cannot be downloaded `rustup component add rust-src`"
    )]
    NoStd {
        /// Version of rustc.
        version: String,
        /// Folder of the tool chain.
        sysroot: PathBuf,
    },
}

impl Tools {
    /// Looks at the tool chain of the given rustc (`rustc`, as found through the path).
    ///
    /// # Errors
    /// When rustc cannot be run, or nothing is there to make the wasm target's standard library of.
    pub fn find(rustc: &Path, cargo_home: &Path) -> Result<Tools, ToolsError> {
        let ask = |args: &[&str]| -> Result<String, ToolsError> {
            let bad = |why: String| ToolsError::NoRustc(rustc.to_owned(), why);
            let out = Command::new(rustc)
                .args(args)
                .output()
                .map_err(|e| bad(e.to_string()))?;
            if !out.status.success() {
                return Err(bad(String::from_utf8_lossy(&out.stderr).trim().to_owned()));
            }
            Ok(String::from_utf8_lossy(&out.stdout).trim().to_owned())
        };
        let sysroot = PathBuf::from(ask(&["--print", "sysroot"])?);
        let verbose = ask(&["-vV"])?;
        let line = |key: &str| {
            let found = verbose.lines().find_map(|l| l.strip_prefix(key));
            found.unwrap_or("unknown").trim().to_owned()
        };
        let rustc_version = line("rustc ");
        let own = |name: &str, other: &Path| {
            let path = sysroot
                .join("bin")
                .join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
            if path.is_file() {
                path
            } else {
                other.to_owned()
            }
        };
        let rustlib = sysroot.join("lib/rustlib");
        let std_source = if rustlib.join(TARGET).join("lib").is_dir() {
            StdSource::Prebuilt
        } else if rustlib.join("src/rust/library/std/Cargo.toml").is_file() {
            StdSource::Source
        } else {
            return Err(ToolsError::NoStd {
                version: rustc_version,
                sysroot,
            });
        };
        Ok(Tools {
            cargo: own("cargo", Path::new("cargo")),
            rustc: own("rustc", rustc),
            cargo_home: cargo_home.to_owned(),
            rustc_commit: line("commit-hash:"),
            sysroot,
            rustc_version,
            std_source,
        })
    }
}
