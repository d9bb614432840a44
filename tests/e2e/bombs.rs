//! Components that exhaust memory, time or stack are refused by a check in the real program.

use std::io::{Seek as _, SeekFrom, Write as _};

use crate::hostile::{bounded, components::bombs, components::guest, others_run, ranch, recorded};
use crate::kit::Ranch;

/// Asserts that `plugin check` and `plugin add` refuse the file alike, in bounded time and memory, and record
/// nothing.
fn refused(ranch: &Ranch, file: &str, code: &str, words: &str) {
    let before = recorded(ranch);
    for verb in ["check", "add"] {
        let json = bounded(ranch, &["plugin", verb, file, "--json"])
            .exits(14)
            .json();
        assert_eq!(json["error"]["code"], code, "{file}: {json}");
        let message = json["error"]["message"].as_str().unwrap();
        assert!(message.contains(words), "{file}: {message}");
        assert!(message.contains(file), "{file}: {message}");
        assert!(json["error"]["help"].is_string(), "{file}: {json}");
    }
    assert_eq!(recorded(ranch), before, "{file}");
}

fn part(part: usize) {
    let ranch = ranch();
    for (n, (name, bytes, code, words)) in bombs::bombs().into_iter().enumerate() {
        if n % 2 == part {
            let file = format!("{name}.wasm");
            std::fs::write(ranch.path(&file), &bytes).unwrap();
            refused(&ranch, &file, code, words);
            std::fs::remove_file(ranch.path(&file)).unwrap();
        }
    }
    others_run(&ranch, "2025-06-05");
}

#[test]
fn components_are_refused_in_bounded_time_and_memory_one() {
    part(0);
}

#[test]
fn components_are_refused_in_bounded_time_and_memory_two() {
    part(1);
}

#[test]
fn a_component_that_compiles_too_long_ends_its_command_and_nothing_else() {
    let ranch = ranch();
    ranch.edit(
        "provender.toml",
        "[monitor]",
        "[limits]\ncompile_seconds = 1\n\n[monitor]",
    );
    std::fs::write(ranch.path("busy.wasm"), bombs::busy()).unwrap();
    refused(
        &ranch,
        "busy.wasm",
        "component_compile",
        "it took more than 1 s (limits.compile_seconds)",
    );
    #[cfg(target_os = "linux")]
    {
        let limits = "compile_seconds = 36000\ncompile_mib = 60";
        ranch.edit("provender.toml", "compile_seconds = 1", limits);
        let words = "it took more than 60 MiB of memory (limits.compile_mib)";
        refused(&ranch, "busy.wasm", "component_compile", words);
    }
    others_run(&ranch, "2025-06-05");
}

#[test]
fn a_component_nested_as_deep_as_allowed_is_examined() {
    let ranch = ranch();
    std::fs::write(ranch.path("deep.wasm"), bombs::nested(32)).unwrap();
    refused(
        &ranch,
        "deep.wasm",
        "component_export_missing",
        "exports nothing",
    );
}

#[test]
fn a_component_truncated_anywhere_is_refused() {
    let ranch = ranch();
    let whole = guest("whole", crate::hostile::components::Code::default());
    for cut in (0..whole.len()).step_by(whole.len() / 12) {
        std::fs::write(ranch.path("cut.wasm"), &whole[..cut]).unwrap();
        let json = bounded(&ranch, &["plugin", "check", "cut.wasm", "--json"])
            .exits(14)
            .json();
        let code = json["error"]["code"].as_str().unwrap();
        let expected = ["component_invalid", "component_export_missing"];
        assert!(expected.contains(&code), "{cut}: {json}");
    }
}

/// A sparse file of a terabyte, which takes no room on the disk.
fn sparse(ranch: &Ranch, inside: &str, head: &str) {
    let mut file = std::fs::File::create(ranch.path(inside)).unwrap();
    file.write_all(head.as_bytes()).unwrap();
    file.seek(SeekFrom::Start((1 << 40) - 1)).unwrap();
    file.write_all(b"\n").unwrap();
}

#[test]
fn a_huge_file_is_read_only_up_to_its_ceiling() {
    let ranch = ranch();
    ranch.edit(
        "provender.toml",
        "[monitor]",
        "[limits]\ninput_mib = 1\n\n[monitor]",
    );
    sparse(&ranch, "huge.csv", "boundary_id,date,kg_per_ha\n");
    let ingest = ["ingest", "--forage", "huge.csv", "--json"];
    let json = bounded(&ranch, &ingest).exits(65).json();
    assert_eq!(json["error"]["code"], "file_too_large");
    let message = json["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("huge.csv: it has more than 1048576 bytes"),
        "{message}"
    );
    assert!(message.contains("limits.input_mib"), "{message}");

    sparse(&ranch, "huge.wasm", "");
    refused(
        &ranch,
        "huge.wasm",
        "component_too_large",
        "larger than 33554432 bytes",
    );

    // In place of a pinned component it is just other bytes.
    let good = ranch.read("provender.lock");
    sparse(&ranch, "components/control-v1.wasm", "");
    let compute = [
        "compute",
        "--all",
        "--as-of",
        "2025-06-05",
        "--logic",
        "control:v1",
        "--json",
    ];
    let json = bounded(&ranch, &compute).exits(11).json();
    assert_eq!(json["error"]["code"], "component_digest", "{json}");

    for file in [
        "provender.lock",
        "logic.toml",
        "sources.toml",
        "provender.toml",
    ] {
        let text = ranch.read(file);
        sparse(&ranch, file, "# ");
        let json = bounded(&ranch, &compute).exits(78).json();
        let message = json["error"]["message"].as_str().unwrap();
        assert!(message.contains(file), "{message}");
        assert!(message.contains("more than 4194304 bytes"), "{message}");
        ranch.write(file, &text);
    }
    assert_eq!(ranch.read("provender.lock"), good);
}
