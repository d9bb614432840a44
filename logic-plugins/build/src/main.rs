//! The program `provender-build`: builds the logics of a workspace, or builds them again and
//! compares. Run it from the workspace: `cargo run -p provender-build -- --help`.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program for people and CI"
)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use provender_build::{
    Comparison, LogicDir, Package, Tools, build, check, encode_foreign, logic_dirs, verify,
    write_artifacts,
};

const HELP: &str = "\
Builds the logics of a workspace to components, the same bytes in every folder.

usage: provender-build [PACKAGE…] [--workspace DIR] [--check | --verify]
       provender-build --encode MODULE -o FILE --language NAME [--tool NAME=VERSION]…

  PACKAGE…         packages such as days-remaining-v1; all of the workspace without
  --workspace DIR  folder of the workspace (default: the current one)
  --check          build again and compare with artifacts/; exit 1 where the bytes differ
  --verify         build twice from nothing, in two folders, and compare; exit 1 where they differ
  --encode MODULE  make a component of a core module that another language's compiler built, and
                   write language and tools into it; a component is taken as it is

Writes artifacts/NAME-VERSION.wasm and artifacts/provender.lock.";

#[derive(PartialEq)]
enum Mode {
    Build,
    Check,
    Verify,
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<bool, String> {
    if std::env::args().nth(1).as_deref() == Some("--encode") {
        return encode_module(std::env::args().skip(2));
    }
    let (mut mode, mut workspace, mut wanted) = (Mode::Build, PathBuf::from("."), Vec::new());
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--help" | "-h" => {
                println!("{HELP}");
                return Ok(true);
            }
            "--check" => mode = Mode::Check,
            "--verify" => mode = Mode::Verify,
            "--workspace" => workspace = args.next().ok_or("--workspace needs a folder")?.into(),
            other if other.starts_with('-') => {
                return Err(format!("`{other}` is unknown; see --help"));
            }
            package => wanted.push(package.trim_end_matches('/').to_owned()),
        }
    }
    let known = logic_dirs(&workspace).map_err(|e| e.to_string())?;
    let logics = choose(&known, &wanted)?;
    let rustc = std::env::var_os("RUSTC").map_or_else(|| "rustc".into(), PathBuf::from);
    let tools = Tools::find(&rustc, &cargo_home()?).map_err(|e| e.to_string())?;
    match mode {
        Mode::Build => build_all(&tools, &workspace, &known, &logics),
        Mode::Check => check_all(&tools, &workspace, &logics),
        Mode::Verify => {
            let packages: Vec<_> = logics
                .iter()
                .map(|l| Package::member(&workspace, &l.package))
                .collect();
            let results = verify(&tools, &workspace, &packages).map_err(|e| e.to_string())?;
            for twice in &results {
                let says = if twice.same() { "same" } else { "DIFFERENT" };
                println!("{} {says}", twice.package);
            }
            Ok(results.iter().all(provender_build::Twice::same))
        }
    }
}

fn choose(known: &[LogicDir], wanted: &[String]) -> Result<Vec<LogicDir>, String> {
    if wanted.is_empty() {
        return Ok(known.to_vec());
    }
    let find = |w: &String| {
        let found = known.iter().find(|l| l.package == *w).cloned();
        found.ok_or_else(|| {
            let names: Vec<_> = known.iter().map(|l| l.package.as_str()).collect();
            format!(
                "`{w}` is no logic of this workspace; it has {}",
                names.join(", ")
            )
        })
    };
    wanted.iter().map(find).collect()
}

/// `--encode`: the last step of a language that has no builder of its own here.
fn encode_module(mut args: impl Iterator<Item = String>) -> Result<bool, String> {
    let module = args.next().ok_or("--encode needs a core module")?;
    let (mut out, mut language, mut tools) = (None, None, Vec::new());
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value"));
        match arg.as_str() {
            "-o" => out = Some(value()?),
            "--language" => language = Some(value()?),
            "--tool" => {
                let tool = value()?;
                let (name, version) = tool
                    .split_once('=')
                    .ok_or_else(|| format!("--tool {tool}: write NAME=VERSION"))?;
                tools.push((name.to_owned(), version.to_owned()));
            }
            other => return Err(format!("`{other}` is unknown after --encode; see --help")),
        }
    }
    let out = out.ok_or("--encode needs -o FILE")?;
    let language = language.ok_or("--encode needs --language NAME")?;
    let bytes = std::fs::read(&module).map_err(|e| format!("{module}: {e}"))?;
    let tools: Vec<_> = tools.iter().map(|(n, v)| (&**n, &**v)).collect();
    let component =
        encode_foreign(&bytes, &language, &tools).map_err(|e| format!("{module}: {e}"))?;
    std::fs::write(&out, &component).map_err(|e| format!("{out}: {e}"))?;
    println!("{out} {} bytes", component.len());
    Ok(true)
}

fn cargo_home() -> Result<PathBuf, String> {
    if let Some(home) = std::env::var_os("CARGO_HOME") {
        return Ok(home.into());
    }
    let home = std::env::home_dir().ok_or("neither CARGO_HOME nor a home directory is set")?;
    Ok(home.join(".cargo"))
}

fn build_all(
    tools: &Tools,
    workspace: &Path,
    known: &[LogicDir],
    logics: &[LogicDir],
) -> Result<bool, String> {
    let mut built = Vec::new();
    for logic in logics {
        let target = workspace.join("target/components");
        let done = build(
            tools,
            &Package::member(workspace, &logic.package),
            &absolute(&target)?,
        )
        .map_err(|e| e.to_string())?;
        println!(
            "{}:{} {} bytes, {}",
            logic.name,
            logic.version,
            done.bytes.len(),
            done.toolchain
        );
        built.push((logic.clone(), done.bytes));
    }
    write_artifacts(&workspace.join("artifacts"), known, &built).map_err(|e| e.to_string())?;
    Ok(true)
}

fn check_all(tools: &Tools, workspace: &Path, logics: &[LogicDir]) -> Result<bool, String> {
    let mut good = true;
    let temp = tempfile::tempdir().map_err(|e| e.to_string())?;
    for logic in logics {
        let found = check(
            tools,
            workspace,
            logic,
            &workspace.join("artifacts"),
            temp.path(),
        );
        let text = match found.map_err(|e| e.to_string())? {
            Comparison::Same => "same".to_owned(),
            Comparison::Different => {
                good = false;
                "DIFFERENT: source and stored component do not belong together; build again, or take the change back".to_owned()
            }
            Comparison::Missing => {
                good = false;
                "MISSING: no component is stored; build it".to_owned()
            }
            Comparison::NotChecked { stored, here } => {
                format!("not checked: built with {stored}; here is {here}")
            }
        };
        println!("{}:{} {text}", logic.name, logic.version);
    }
    Ok(good)
}

fn absolute(path: &Path) -> Result<PathBuf, String> {
    std::path::absolute(path).map_err(|e| format!("{}: {e}", path.display()))
}
