//! The release contract rule by rule, each in its own repository, each with its whole message.

use crate::contract_kit::{
    BASE, BOTH, COMPONENT, LOCK, SOURCE, commit, git, pad, printed, repin, small, small_in, verify,
};

#[test]
fn changed_bytes_under_an_unchanged_pin_are_refused() {
    let ranch = small();
    pad(&ranch);
    insta::assert_snapshot!(
        "bytes_under_a_pin",
        printed(&verify(&ranch, &BASE).exits(11))
    );
}

#[test]
fn changing_bytes_and_pin_of_a_frozen_version_together_is_refused() {
    let ranch = small();
    pad(&ranch);
    repin(&ranch);
    insta::assert_snapshot!("bytes_and_pin", printed(&verify(&ranch, &BOTH).exits(17)));
}

/// The bits of a positive number as the operand of `i64.const`.
fn leb128(number: f64) -> Vec<u8> {
    let mut left = number.to_bits();
    let mut out = Vec::new();
    while left >= 0x40 {
        out.push(u8::try_from(left & 0x7f).unwrap() | 0x80);
        left >>= 7;
    }
    out.push(u8::try_from(left).unwrap());
    out
}

#[test]
fn a_changed_parameter_default_of_a_frozen_version_is_refused() {
    let ranch = small();
    let mut bytes = std::fs::read(ranch.path(COMPONENT)).unwrap();
    // The compiler moves the default's bits as one integer: `i64.const`, in signed LEB128.
    let (was, is) = (leb128(50.0), leb128(55.0));
    assert_eq!(was.len(), is.len());
    let mut changed = 0;
    for at in 0..bytes.len() - was.len() {
        if bytes[at..].starts_with(&was) {
            bytes[at..at + is.len()].copy_from_slice(&is);
            changed += 1;
        }
    }
    assert!(changed > 0, "the default is nowhere in the component");
    std::fs::write(ranch.path(COMPONENT), bytes).unwrap();
    repin(&ranch);
    insta::assert_snapshot!(
        "parameter_default",
        printed(&verify(&ranch, &BOTH).exits(17))
    );
}

#[test]
fn changed_source_of_a_frozen_version_is_refused() {
    let ranch = small();
    ranch.edit(SOURCE, "Frozen once released.", "Frozen, or so.");
    insta::assert_snapshot!("source_changed", printed(&verify(&ranch, &BASE).exits(17)));
    // The committed change gives the same result as the uncommitted one.
    commit(&ranch, "other source");
    insta::assert_snapshot!("source_changed", printed(&verify(&ranch, &BASE).exits(17)));
}

#[test]
fn adding_a_file_to_the_folder_of_a_frozen_version_is_refused() {
    let ranch = small();
    ranch.write("logic-plugins/days-remaining-v2/notes.md", "a note");
    insta::assert_snapshot!("source_added", printed(&verify(&ranch, &BASE).exits(17)));
}

#[test]
fn deleting_a_file_from_the_folder_of_a_frozen_version_is_refused() {
    let ranch = small();
    std::fs::remove_file(ranch.path(SOURCE)).unwrap();
    insta::assert_snapshot!("source_removed", printed(&verify(&ranch, &BASE).exits(17)));
}

#[test]
fn renaming_a_file_in_the_folder_of_a_frozen_version_is_refused() {
    let ranch = small();
    git(
        &ranch,
        &["mv", SOURCE, "logic-plugins/days-remaining-v2/src/logic.rs"],
    );
    commit(&ranch, "renamed");
    insta::assert_snapshot!("source_renamed", printed(&verify(&ranch, &BASE).exits(17)));
}

#[test]
fn moving_a_frozen_folder_is_refused() {
    let ranch = small();
    git(
        &ranch,
        &["mv", "logic-plugins/days-remaining-v2", "logic-plugins/old"],
    );
    insta::assert_snapshot!("folder_moved", printed(&verify(&ranch, &BASE).exits(17)));
}

#[test]
fn editing_the_wit_in_place_is_refused() {
    let ranch = small();
    ranch.edit(
        "wit/logic.wit",
        "enum severity { warn, crit }",
        "enum severity { warn, crit, page }",
    );
    insta::assert_snapshot!("wit_edited", printed(&verify(&ranch, &BOTH).exits(17)));
}

#[test]
fn removing_the_wit_is_refused() {
    let ranch = small();
    std::fs::remove_file(ranch.path("wit/logic.wit")).unwrap();
    insta::assert_snapshot!("wit_removed", printed(&verify(&ranch, &BOTH).exits(17)));
}

#[test]
fn comments_in_the_wit_and_a_new_version_of_it_are_allowed() {
    let ranch = small();
    let text = ranch.read("wit/logic.wit");
    ranch.write("wit/logic.wit", &format!("// A remark.\n{text}"));
    ranch.write("wit/v2/logic.wit", "package provender:logic@0.2.0;\n");
    let _ = verify(&ranch, &BOTH).exits(0);
}

#[test]
fn a_1_x_that_only_adds_and_keeps_the_previous_one_is_allowed() {
    let ranch = small();
    let text = ranch.read("wit/logic.wit");
    ranch.write("wit/frozen/logic-1.0.0.wit", &text);
    ranch.write(
        "wit/logic.wit",
        &format!(
            "{}interface notes {{ covers: func() -> string; }}\n",
            text.replace("@1.0.0", "@1.1.0")
        ),
    );
    let _ = verify(&ranch, &BOTH).exits(0);
}

#[test]
fn a_1_x_that_breaks_components_of_the_previous_one_is_refused() {
    let ranch = small();
    ranch.edit("wit/logic.wit", "@1.0.0", "@1.1.0");
    ranch.edit(
        "wit/logic.wit",
        "min-rows: u32,",
        "min-rows: u64, note: string,",
    );
    ranch.edit("wit/logic.wit", "{ warn, crit }", "{ crit, warn }");
    insta::assert_snapshot!("wit_broken", printed(&verify(&ranch, &BOTH).exits(17)));
}

#[test]
fn changes_of_two_owners_paths_need_both_approvals() {
    let ranch = small();
    ranch.write("logic-plugins/days-remaining-v3/src/lib.rs", "// new");
    ranch.write("host/src/main.rs", "// new");
    insta::assert_snapshot!("owners_none", printed(&verify(&ranch, &BASE).exits(17)));
    let one = verify(&ranch, &["--base", "base", "--approved-by", "ds"]).exits(17);
    insta::assert_snapshot!("owners_one", printed(&one));
    let _ = verify(&ranch, &BOTH).exits(0);
}

#[test]
fn a_change_cannot_replace_its_own_owners() {
    let ranch = small();
    ranch.write("logic-plugins/days-remaining-v3/src/lib.rs", "// new");
    ranch.write("host/src/main.rs", "// new");
    ranch.write(".github/CODEOWNERS", "* @provender/ds\n");
    insta::assert_snapshot!("owners_taken", printed(&verify(&ranch, &BASE).exits(17)));
}

#[test]
fn removing_the_pin_of_a_frozen_version_is_refused() {
    let ranch = small();
    let text = ranch.read(LOCK);
    ranch.write(LOCK, text.split("[[component]]").next().unwrap());
    insta::assert_snapshot!("pin_removed", printed(&verify(&ranch, &BOTH).exits(17)));
}

#[test]
fn turning_a_frozen_pin_into_a_draft_is_refused() {
    let ranch = small();
    ranch.edit(LOCK, "\"frozen\"", "\"draft\"");
    insta::assert_snapshot!("pin_thawed", printed(&verify(&ranch, &BOTH).exits(17)));
}

#[test]
fn pinning_a_frozen_version_with_other_bytes_in_a_new_lock_file_is_refused() {
    let ranch = small();
    let text = ranch.read(LOCK);
    let digest = text.split('"').find(|p| p.starts_with("sha256:")).unwrap();
    let other = format!("sha256:{}", "0".repeat(64));
    ranch.write(
        "ranches/north/provender.lock",
        &text.replace(digest, &other),
    );
    insta::assert_snapshot!("pin_elsewhere", printed(&verify(&ranch, &BOTH).exits(17)));
}

#[test]
fn deleting_a_pinned_frozen_component_is_refused() {
    let ranch = small();
    std::fs::remove_file(ranch.path(COMPONENT)).unwrap();
    // A missing file is an error, and errors take precedence over refusals. The finding is reported too.
    insta::assert_snapshot!(
        "component_deleted",
        printed(&verify(&ranch, &BOTH).exits(66))
    );
}

#[test]
fn a_component_may_move_with_its_pin() {
    let ranch = small();
    git(
        &ranch,
        &["mv", COMPONENT, "logic-plugins/artifacts/moved.wasm"],
    );
    ranch.edit(LOCK, "\"days_remaining-v2.wasm\"", "\"moved.wasm\"");
    let _ = verify(&ranch, &BOTH).exits(0);
}

#[test]
fn a_draft_changes_freely_and_may_be_frozen() {
    let ranch = small_in("draft");
    pad(&ranch);
    repin(&ranch);
    ranch.edit(SOURCE, "Frozen once released.", "Still a draft.");
    let _ = verify(&ranch, &BOTH).exits(0);
    ranch.edit(LOCK, "\"draft\"", "\"frozen\"");
    let _ = verify(&ranch, &BOTH).exits(0);
}

#[test]
fn a_new_version_beside_the_frozen_one_is_allowed() {
    let ranch = small();
    ranch.write("logic-plugins/days-remaining-v3/src/lib.rs", "// new");
    insta::assert_snapshot!("new_version", printed(&verify(&ranch, &BASE).exits(0)));
}

#[test]
fn every_output_format_reports_the_same_findings() {
    let ranch = small();
    let folder = "logic-plugins/days-remaining-v2";
    ranch.write(&format!("{folder}/a b%0A,:é.rs"), "//");
    ranch.write("old/days-remaining-v2/two\nlines \"<&>.rs", "//");
    ranch.edit("wit/logic.wit", "warn, crit", "warn, crit, page");
    let all = [&BOTH[..], &["--junit", "report.xml"]].concat();
    // If git does not ignore it, the report itself is a file of the change.
    ranch.write(".git/info/exclude", "report.xml\n");
    let text = verify(&ranch, &all).exits(17);
    insta::assert_snapshot!("forms_text", printed(&text));
    insta::assert_snapshot!("forms_junit", ranch.read("report.xml"));

    let annotated = verify(&ranch, &[&BOTH[..], &["--github"]].concat()).exits(17);
    let lines: Vec<_> = annotated
        .stdout
        .lines()
        .filter(|l| l.starts_with("::"))
        .collect();
    insta::assert_snapshot!("forms_github", lines.join("\n"));

    let json = verify(&ranch, &[&BOTH[..], &["--json"]].concat())
        .exits(17)
        .json();
    let found = json["data"]["contract"].as_array().unwrap();
    insta::assert_snapshot!("forms_json", serde_json::to_string_pretty(found).unwrap());
    assert_eq!(found.len(), lines.len());
    assert_eq!(json["error"]["code"], "contract_broken");
}

#[test]
fn a_moved_folder_of_many_files_is_one_finding() {
    let ranch = small();
    git(&ranch, &["checkout", "-q", "base"]);
    for n in 1..=47 {
        let file = format!("logic-plugins/days-remaining-v2/src/part{n:02}.rs");
        ranch.write(&file, "//");
    }
    commit(&ranch, "more source");
    git(&ranch, &["checkout", "-q", "-B", "main"]);
    git(
        &ranch,
        &["mv", "logic-plugins/days-remaining-v2", "logic-plugins/old"],
    );
    insta::assert_snapshot!("folder_of_many", printed(&verify(&ranch, &BASE).exits(17)));
    // The first files are named, the others counted.
    git(&ranch, &["reset", "-q", "--hard"]);
    for n in 1..=5 {
        let file = format!("logic-plugins/days-remaining-v2/src/part{n:02}.rs");
        ranch.write(&file, "// edited");
    }
    insta::assert_snapshot!("files_of_many", printed(&verify(&ranch, &BASE).exits(17)));
}

#[test]
fn an_owner_is_recognised_in_every_spelling() {
    let ranch = small();
    ranch.write("logic-plugins/days-remaining-v3/src/lib.rs", "// new");
    ranch.write("host/src/main.rs", "// new");
    let spelled = ["--base", "base", "--approved-by", "@provender/DS"];
    let other = ["--approved-by", "@mlops"];
    let _ = verify(&ranch, &[&spelled[..], &other].concat()).exits(0);
    let _ = verify(&ranch, &spelled).exits(17);
    commit(&ranch, "both\n\nApproved-by: @provender/mlops Someone");
    let _ = verify(&ranch, &spelled).exits(0);
}
