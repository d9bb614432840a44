//! A deployment in a temporary folder, and the program run there with a cleared environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value as Json;

use crate::prepared::{self, prepared};
use crate::schemas;

/// The result of a run of the program.
#[must_use]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// The durations of a JSON envelope, kept apart so that envelopes can be compared.
    pub(crate) took: Option<Took>,
}

/// The duration of a command with `--json`, and of its phases.
pub(crate) struct Took {
    pub(crate) duration_ms: f64,
    pub(crate) phases: BTreeMap<String, f64>,
}

/// Removes the durations from a JSON envelope; any other text is unchanged.
fn without_durations(stdout: String) -> (String, Option<Took>) {
    let envelope = serde_json::from_str::<serde_json::Map<String, Json>>(&stdout);
    let Some(mut envelope) = envelope.ok().filter(|e| e.contains_key("format_version")) else {
        return (stdout, None);
    };
    let took = Took {
        duration_ms: envelope.remove("duration_ms").unwrap().as_f64().unwrap(),
        phases: serde_json::from_value(envelope.remove("phases").unwrap()).unwrap(),
    };
    let text = format!("{}\n", Json::Object(envelope));
    (text, Some(took))
}

impl Ran {
    /// Asserts the exit code, and shows the whole output otherwise.
    pub(crate) fn exits(self, code: i32) -> Ran {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.stdout, self.stderr
        );
        self
    }

    /// The JSON object on stdout; its envelope and data are checked against their schemas.
    pub(crate) fn json(&self) -> Json {
        let json: Json = serde_json::from_str(&self.stdout)
            .unwrap_or_else(|e| panic!("{e}:\n{}\n{}", self.stdout, self.stderr));
        assert_eq!(json["format_version"], "1.0");
        assert_eq!(json["exit_code"], self.code);
        let status = match self.code {
            0 => "ok",
            1 => "warn",
            2 => "crit",
            3..=63 => "refused",
            _ => "error",
        };
        assert_eq!(json["status"], status);
        assert_eq!(json["error"].is_null(), self.code < 10, "{json}");
        let mut whole = json.clone();
        if let Some(took) = &self.took {
            whole["duration_ms"] = took.duration_ms.into();
            whole["phases"] = serde_json::json!(took.phases);
        }
        schemas::check(&whole);
        json
    }
}

/// The program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_provender");

/// A temporary folder with a deployment in it.
pub(crate) struct Ranch {
    temp: tempfile::TempDir,
    pub(crate) actor: String,
    pub(crate) now: String,
}

impl Ranch {
    /// An empty folder.
    pub(crate) fn empty() -> Ranch {
        let temp = tempfile::tempdir().unwrap();
        Ranch {
            temp,
            actor: "tester".into(),
            now: "2025-07-01T06:00:00Z".into(),
        }
    }

    /// A new deployment without inputs.
    pub(crate) fn new() -> Ranch {
        let ranch = Ranch::empty();
        let _ = ranch.run(&["init"]).exits(0);
        ranch
    }

    /// The sample ranch before its first run, its components compiled.
    pub(crate) fn sample() -> Ranch {
        let ranch = Ranch::fresh();
        prepared::compiled(&ranch);
        ranch
    }

    /// The sample ranch as `init --sample` leaves it.
    pub(crate) fn fresh() -> Ranch {
        let ranch = Ranch::empty();
        let _ = ranch.run(&["init", "--sample"]).exits(0);
        ranch
    }

    /// The sample ranch after its first `run`.
    pub(crate) fn ran() -> Ranch {
        prepared("ran", Ranch::first_run)
    }

    /// Like `ran`, but the run is done now.
    pub(crate) fn first_run() -> Ranch {
        let ranch = Ranch::fresh();
        let _ = ranch.run(&["run", "--as-of", "2025-06-30"]).exits(0);
        ranch
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.temp.path().join("ranch")
    }

    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.dir().join(inside)
    }

    /// The program with a cleared environment, in the deployment's folder.
    pub(crate) fn command(&self) -> Command {
        self.command_of(Path::new(PROGRAM))
    }

    /// Like `command`, for any program.
    pub(crate) fn command_of(&self, program: &Path) -> Command {
        std::fs::create_dir_all(self.dir()).unwrap();
        let mut command = Command::new(program);
        command
            .current_dir(self.dir())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.temp.path())
            .env("PROVENDER_NOW", &self.now)
            .env("PROVENDER_ACTOR", &self.actor)
            .stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.finish(self.command().args(args).output().unwrap())
    }

    /// Runs the program and asserts that it is killed at a fail point.
    #[cfg(debug_assertions)]
    pub(crate) fn killed_at(&self, point: &str, args: &[&str]) {
        let mut command = self.command();
        let command = command.args(args).env("PROVENDER_FAIL_AT", point);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), None, "{point} was not reached");
    }

    pub(crate) fn finish(&self, output: Output) -> Ran {
        let code = output.status.code().unwrap_or(-1);
        self.ended(code, output.stdout, output.stderr)
    }

    pub(crate) fn ended(&self, code: i32, stdout: Vec<u8>, stderr: Vec<u8>) -> Ran {
        // Without temporary paths, so that whole texts can be compared.
        let clean = |bytes: Vec<u8>| {
            String::from_utf8(bytes)
                .unwrap()
                .replace(&self.dir().display().to_string(), "RANCH")
        };
        let (stdout, took) = without_durations(clean(stdout));
        Ran {
            code,
            stdout,
            stderr: clean(stderr),
            took,
        }
    }

    /// Runs with `--json` and returns `data`.
    pub(crate) fn data(&self, args: &[&str], code: i32) -> Json {
        let mut all = args.to_vec();
        all.push("--json");
        self.run(&all).exits(code).json()["data"].clone()
    }

    pub(crate) fn write(&self, inside: &str, text: &str) {
        let path = self.path(inside);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn read(&self, inside: &str) -> String {
        std::fs::read_to_string(self.path(inside)).unwrap()
    }

    /// Replaces a text, and asserts that it exists.
    pub(crate) fn edit(&self, inside: &str, from: &str, to: &str) {
        let text = self.read(inside);
        assert!(text.contains(from), "{inside} lacks {from}");
        self.write(inside, &text.replacen(from, to, 1));
    }

    /// Every file below a folder with its bytes, by path.
    pub(crate) fn files(&self, inside: &str) -> Vec<(PathBuf, Vec<u8>)> {
        fn walk(dir: &Path, out: &mut Vec<(PathBuf, Vec<u8>)>) {
            for entry in std::fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, out)
                } else {
                    out.push((path.clone(), std::fs::read(&path).unwrap()))
                }
            }
        }
        let mut out = Vec::new();
        walk(&self.path(inside), &mut out);
        out.sort();
        out
    }

    /// The answer for a boundary and herd on the sample's day.
    pub(crate) fn answer(&self, boundary: &str, herd: &str) -> f64 {
        let data = self.data(
            &[
                "list",
                "--boundary",
                boundary,
                "--herd",
                herd,
                "--as-of",
                "2025-06-30",
            ],
            0,
        );
        let answers = data["answers"].as_array().unwrap();
        assert_eq!(answers.len(), 1, "{data}");
        answers[0]["run"]["outputs"]["days_of_grazing_remaining"]
            .as_f64()
            .unwrap()
    }
}

/// A number from the environment, for tests that have a long form or repeat a failure.
pub(crate) fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

/// Pseudo-random numbers from a seed.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most.max(1)
    }

    /// A random index below this length.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap()
    }
}

/// A version of `days_remaining` with one more custom section: the same logic in other bytes.
pub(crate) fn variant_of(ranch: &Ranch, version: &str, name: &str) -> PathBuf {
    let file = format!("components/days_remaining-{version}.wasm");
    let mut bytes = std::fs::read(ranch.path(&file)).unwrap();
    let mut section = vec![u8::try_from(name.len()).unwrap()];
    section.extend(name.as_bytes());
    bytes.push(0);
    bytes.push(u8::try_from(section.len()).unwrap());
    bytes.extend(section);
    let path = ranch.path(&format!("{name}.wasm"));
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Removes the pin of a version of `days_remaining` from the lock file, like somebody who edits it.
pub(crate) fn unpin(ranch: &Ranch, version: &str) {
    let text = ranch.read("provender.lock");
    let blocks: Vec<_> = text.split("\n[[component]]\n").collect();
    let kept: Vec<_> = blocks
        .iter()
        .filter(|b| !(b.contains("\"days_remaining\"") && b.contains(&format!("\"{version}\""))))
        .copied()
        .collect();
    assert_eq!(kept.len() + 1, blocks.len(), "{text}");
    ranch.write("provender.lock", &kept.join("\n[[component]]\n"));
}

/// The folder of real data, which `PROVENDER_TEST_DATA` names.
pub(crate) fn real_data() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("PROVENDER_TEST_DATA")?);
    assert!(folder.is_dir(), "PROVENDER_TEST_DATA: {}", folder.display());
    Some(folder)
}

/// The project's own sample ranch.
pub(crate) fn sample_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../lib/assets/sample-ranch")
}
