//! Files of exactly the maximum size, and of one byte more.

use std::path::{Path, PathBuf};

use crate::kit::{Ran, Ranch};

/// A sparse file of `bytes` zeros, which takes no room on the disk.
fn zeros(file: &Path, bytes: u64) {
    let file = std::fs::File::create(file).unwrap();
    file.set_len(bytes).unwrap();
}

/// One byte above the ceiling, the verb names the file and the ceiling; at the ceiling, what is wrong with
/// the content.
fn pair(ranch: &Ranch, file: &Path, ceiling: u64, args: &[&str]) -> (Ran, Ran) {
    let kept = std::fs::read(file).ok();
    let run = |bytes: u64| {
        zeros(file, bytes);
        let ran = ranch.run(args);
        assert_ne!(ran.code, 0, "{args:?} with {bytes} bytes: {}", ran.stdout);
        ran
    };
    let (obeyed, violated) = (run(ceiling), run(ceiling + 1));
    let words = format!("more than {ceiling} bytes");
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    let said = |ran: &Ran| format!("{}{}", ran.stdout, ran.stderr);
    assert!(said(&violated).contains(&words), "{}", said(&violated));
    assert!(
        said(&violated).contains(&name),
        "{name}: {}",
        said(&violated)
    );
    assert!(!said(&obeyed).contains("more than"), "{}", said(&obeyed));
    match kept {
        Some(bytes) => std::fs::write(file, bytes).unwrap(),
        None => std::fs::remove_file(file).unwrap(),
    }
    (obeyed, violated)
}

#[test]
fn files_of_the_deployment_are_read_up_to_their_ceilings() {
    let ranch = Ranch::ran();
    let compute = ["compute", "--all", "--as-of", "2025-06-30"];
    for file in [
        "provender.toml",
        "logic.toml",
        "sources.toml",
        "provender.lock",
    ] {
        let (obeyed, violated) = pair(&ranch, &ranch.path(file), 4 << 20, &compute);
        assert_eq!((obeyed.code, violated.code), (78, 78), "{file}");
        // A valid file of exactly that size is accepted.
        let text = ranch.read(file);
        let room = (4 << 20) - text.len() - 3;
        ranch.write(file, &format!("{text}\n# {}", "x".repeat(room)));
        assert_eq!(ranch.path(file).metadata().unwrap().len(), 4 << 20);
        let _ = ranch.run(&compute).exits(0);
        ranch.write(file, &text);
    }
    let setting = "[limits]\ninput_mib = 1\n\n[monitor]";
    ranch.edit("provender.toml", "[monitor]", setting);
    let ingest = ["ingest", "--forage", "large.csv"];
    let (obeyed, violated) = pair(&ranch, &ranch.path("large.csv"), 1 << 20, &ingest);
    assert_eq!((obeyed.code, violated.code), (65, 65));
    let line = "boundary_id,date,kg_per_ha\nnorth,2019-01-01,";
    let zeros = "0".repeat((1 << 20) - line.len() - 1);
    ranch.write("large.csv", &format!("{line}{zeros}1"));
    let _ = ranch.run(&ingest).exits(0);
}

/// The first file with this ending below a folder.
fn first(ranch: &Ranch, folder: &str, ending: &str) -> PathBuf {
    let mut files = ranch.files(folder).into_iter().map(|(path, _)| path);
    files
        .find(|p| p.extension().is_some_and(|e| e == ending))
        .unwrap()
}

#[test]
fn files_that_the_program_wrote_are_read_up_to_their_ceilings() {
    let ranch = Ranch::ran();
    let manifest = first(&ranch, "out/manifests", "json");
    let (obeyed, violated) = pair(&ranch, &manifest, 64 << 20, &["replay", "--all"]);
    assert_eq!((obeyed.code, violated.code), (11, 74));
    let setting = "path = \"out/manifests\"\npack_from = 1";
    ranch.edit("provender.toml", "path = \"out/manifests\"", setting);
    let earlier = ["compute", "--all", "--as-of", "2025-06-29"];
    let _ = ranch.run(&earlier).exits(0);
    let pack = first(&ranch, "out/manifests/packs", "arrow");
    let (obeyed, violated) = pair(&ranch, &pack, 256 << 20, &["replay", "--all"]);
    assert_eq!((obeyed.code, violated.code), (11, 74));
    let bundle = ["replay", "--bundle", "run.tar"];
    let (obeyed, violated) = pair(&ranch, &ranch.path("run.tar"), 336 << 20, &bundle);
    assert_eq!((obeyed.code, violated.code), (65, 65));
    let _ = ranch.run(&["audit"]).exits(0);
}

#[test]
fn golden_cases() {
    let ranch = Ranch::sample();
    let test = ["plugin", "test", "days_remaining:v1"];
    let file = first(&ranch, "cases/days_remaining", "toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let with = |bytes: usize| {
        let comment = "x".repeat(bytes - text.len() - 3);
        std::fs::write(&file, format!("{text}\n# {comment}")).unwrap();
    };
    with(16 << 20);
    let _ = ranch.run(&test).exits(0);
    with((16 << 20) + 1);
    let said = ranch.run(&test).exits(65).stderr;
    let name = file.file_name().unwrap().to_string_lossy().into_owned();
    assert!(said.contains(&name), "{said}");
    let words = "more bytes than the 16777216 that are allowed; split the file";
    assert!(said.contains(words), "{said}");
}
