//! A deployment of the quarter, operated by MLOps.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};

use crate::kit::{Ran, Ranch};
use crate::prepared::copy;

/// The folder with the built versions that only this story has.
fn quarter_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/quarter")
}

/// A deployment, operated by MLOps.
pub(super) struct Deployment {
    pub(super) ranch: Ranch,
}

impl Deployment {
    /// The sample ranch as an environment in which v1 is to be active.
    pub(super) fn new(environment: &str) -> Deployment {
        let ranch = Ranch::sample();
        ranch.edit(
            "provender.toml",
            "environment = \"sample\"",
            &format!("environment = \"{environment}\""),
        );
        ranch.edit(
            "provender.toml",
            "\"days_remaining:v2\"",
            "\"days_remaining:v1\"",
        );
        // Replaces the shipped cases: the quarter has its own logic of this name.
        std::fs::remove_dir_all(ranch.path("cases/days_remaining")).unwrap();
        copy(&quarter_folder().join("cases"), &ranch.path("cases"));
        let shipped =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../../logic-plugins/cases/frost_days");
        copy(&shipped, &ranch.path("cases/frost_days"));
        let mut all = Deployment { ranch };
        all.on("2025-07-01");
        let _ = all.ranch.run(&["ingest"]).exits(0);
        all
    }

    /// Sets the clock to six in the morning of a day.
    pub(super) fn on(&mut self, day: &str) {
        self.ranch.now = format!("{day}T06:00:00Z");
    }

    pub(super) fn run(&self, args: &[&str]) -> Ran {
        self.ranch.run(args)
    }

    pub(super) fn data(&self, args: &[&str], code: i32) -> Json {
        self.ranch.data(args, code)
    }

    /// Runs as somebody of data science.
    pub(super) fn ds(&mut self, args: &[&str], code: i32) -> Json {
        self.ranch.actor = "ds".into();
        let data = self.ranch.data(args, code);
        self.ranch.actor = "mlops".into();
        data
    }

    pub(super) fn compute(&self, from: &str, to: &str) -> Json {
        self.data(&["compute", "--all", "--from", from, "--to", to], 0)["summary"].clone()
    }

    /// Runs the daily job and asserts its verdict.
    pub(super) fn job(&self, day: &str, code: i32) -> Json {
        self.data(&["run", "--as-of", day], code)
    }

    pub(super) fn cut(&mut self, active: &str, reason: &str, number: u32) {
        let args = [
            "release",
            "cut",
            "--active",
            active,
            "--active",
            "frost_days:v1",
            "--reason",
            reason,
        ];
        let cut = self.ds(&args, 0);
        assert_eq!(
            (&cut["number"], &cut["new"]),
            (&json!(number), &json!(true))
        );
    }

    /// DS and MLOps approve; neither of them cut the release.
    pub(super) fn approve(&mut self, release: &str) {
        for (who, role) in [("dora", "ds"), ("omar", "mlops")] {
            self.ranch.actor = who.into();
            let approve = ["release", "approve", release, "--as", role];
            let _ = self.data(&[&approve[..], &["--reason", "read"]].concat(), 0);
        }
        self.ranch.actor = "mlops".into();
    }

    /// The checks of this environment's gate that do not pass for a release, each with its verdict.
    pub(super) fn gate(&self, release: &str, code: i32) -> Vec<(String, String)> {
        let data = self.data(&["release", "gate", release], code);
        let word = |of: &Json| of.as_str().unwrap_or_else(|| panic!("{data}")).to_owned();
        let checks = data["checks"]
            .as_array()
            .unwrap_or_else(|| panic!("{data}"));
        let wrong = checks.iter().filter(|c| c["verdict"] != "ok");
        wrong
            .map(|c| (word(&c["name"]), word(&c["verdict"])))
            .collect()
    }

    pub(super) fn promote(&self, release: &str, expect: &str, reason: &str, over: Option<&str>) {
        let mut promote = vec!["release", "promote", release, "--expect", expect];
        promote.extend(["--reason", reason]);
        promote.extend(over.iter().flat_map(|why| ["--override", why]));
        assert_eq!(self.data(&promote, 0)["changed"], true);
    }

    pub(super) fn active(&self) -> Json {
        self.data(&["release", "status"], 0)["active"]["number"].clone()
    }

    /// DS pins a version built elsewhere, with the settings of the one before it.
    pub(super) fn add(&mut self, version: &str, before: &str) {
        let file = quarter_folder().join(format!("artifacts/days_remaining-{version}.wasm"));
        let _ = self.ds(&["plugin", "add", file.to_str().unwrap()], 0);
        let settings = self.ranch.read("logic.toml");
        let own: String = settings
            .split("\n\n")
            .filter(|block| block.contains(&format!("[days_remaining.{before}")))
            .map(|block| format!("\n\n{}", block.replace(before, version)))
            .collect();
        self.ranch
            .write("logic.toml", &format!("{}{own}\n", settings.trim_end()));
    }

    pub(super) fn answer(&self, boundary: &str, herd: &str, day: &str) -> f64 {
        let of = ["list", "--boundary", boundary, "--herd", herd];
        let data = self.data(&[&of[..], &["--as-of", day]].concat(), 0);
        let days = &data["answers"][0]["run"]["outputs"]["days_of_grazing_remaining"];
        days.as_f64().unwrap_or_else(|| panic!("{data}"))
    }
}

/// Exports a release to a file and imports it.
pub(super) fn carry(from: &Deployment, to: &Deployment, release: &str) {
    let file = format!("{release}.tar");
    let exported = from.data(&["release", "export", release, &file], 0);
    std::fs::copy(from.ranch.path(&file), to.ranch.path(&file)).unwrap();
    let digest = exported["release"].as_str().unwrap();
    let imported = to.data(&["release", "import", &file, "--digest", digest], 0);
    assert_eq!(imported["release"], exported["release"]);
    assert_eq!(imported["new"], true);
    assert!(imported["evidence"].as_u64().unwrap() >= 2, "{imported}");
}
