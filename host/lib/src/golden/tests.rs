//! Golden cases with guests written by hand: `product = a * b`, note `ok`.

use std::path::Path;

use crate::testing::Load as _;
use provender_guests::{magic, recipe::Recipe};
use provender_sandbox::Component;

use super::bless::{Blessing, bless};
use super::profile::profile;
use super::run::{Tested, run};
use super::set::CaseSet;
use super::{CaseVerdict, GoldenError, junit};

const HEAD: &str = "columns = ['a', 'b']\n[base]\na = 2.0\nb = 3.0\n";

/// A folder with files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    dir
}

fn tested(component: &Component, dir: &Path) -> Result<Tested, GoldenError> {
    let set = CaseSet::read(dir, "cases")?;
    run(component, set.select(component.description())?)
}

fn with(recipe: &Recipe, cases: &str) -> Result<Tested, GoldenError> {
    let dir = folder(&[("a.toml", &format!("{HEAD}{cases}"))]);
    tested(&recipe.load().unwrap(), dir.path())
}

fn refused(files: &[(&str, &str)]) -> String {
    let dir = folder(files);
    let component = Recipe::default().load().unwrap();
    tested(&component, dir.path()).unwrap_err().to_string()
}

#[test]
fn a_difference_is_shown_with_its_size_and_the_notes_of_the_row() {
    let cases = "[[case]]\nname = 'exact'\ninputs = { a = 0.1 }\nexpect = { product = 0.3, note = 'no' }\n\
                 [[case]]\nname = 'close'\ninputs = { a = 0.1 }\nexpect = { product = 0.3 }\ntolerance = { product = 1e-16 }\n\
                 [[case]]\nname = 'near'\ninputs = { a = 0.1 }\nexpect = { product = '0x1.3333333333334p-2' }\n";
    let tested = with(&Recipe::default(), cases).unwrap();
    assert_eq!((tested.failed(), tested.trapped()), (1, false));
    insta::assert_snapshot!(junit::problems(&tested.cases[0], &tested).join("\n"), @r#"
    product: expected 0.3, got 0.30000000000000004, off by 5.551115123125783e-17 (1 ulp)
    note: expected "no", got "ok"
    "#);
    assert_eq!(tested.cases[0].notes, [("note".into(), "ok".into())]);
}

#[test]
fn a_trap_is_distinguished_from_a_failure_with_a_message() {
    let case =
        |a: f64, rest: &str| format!("[[case]]\nname = 'x'\ninputs = {{ a = {a:?} }}\n{rest}\n");
    for (a, trapped) in [
        (magic::PANIC, true),
        (magic::LOOP, true),
        (magic::GROW, true),
        (magic::INTERNAL, false),
        (magic::INVALID_INPUT, false),
    ] {
        let unexpected = case(a, "expect = { product = 1.0 }");
        let tested = with(&Recipe::default(), &unexpected).unwrap();
        assert_eq!((tested.failed(), tested.trapped()), (1, trapped), "{a}");
        let expected = case(a, "fails = 'product:v1 failed in row 0'");
        assert!(with(&Recipe::default(), &expected).unwrap().passed(), "{a}");
        let other = case(a, "fails = 'other words'");
        let tested = with(&Recipe::default(), &other).unwrap();
        assert!(
            junit::problems(&tested.cases[0], &tested)[0]
                .starts_with("should fail with `other words`, but fails with: product:v1 failed")
        );
    }
    let tested = with(&Recipe::default(), &case(1.0, "fails = 'x'")).unwrap();
    assert!(matches!(
        tested.cases[0].verdict,
        CaseVerdict::ShouldFail { .. }
    ));
}

#[test]
fn a_row_that_depends_on_its_batch_is_found() {
    // With more than one row the first product becomes 42.
    let recipe = Recipe {
        end: "(if (i32.gt_u (local.get $rows) (i32.const 1)) (then (f64.store (local.get $out) (f64.const 42))))",
        ..Recipe::default()
    };
    let cases = "[[case]]\nname = 'one'\nexpect = { product = 6.0 }\n[[case]]\nname = 'two'\ninputs = { a = 1.0 }\nexpect = { product = 3.0 }\n";
    let tested = with(&recipe, cases).unwrap();
    assert!(tested.cases.iter().all(|c| c.verdict.passed()));
    assert_eq!(tested.failed(), 2);
    let problems: Vec<_> = tested
        .disagreements
        .iter()
        .map(|d| format!("{}: {d}", d.case))
        .collect();
    assert_eq!(
        problems,
        [
            "one: product: 6.0 alone, 42.0 when it is called with the others",
            "two: product: 3.0 alone, 42.0 when it is called in reverse order",
        ]
    );
    // A case without others is called together with itself.
    let tested = with(
        &recipe,
        "[[case]]\nname = 'one'\nexpect = { product = 6.0 }\n",
    )
    .unwrap();
    assert!(!tested.passed());
}

#[test]
fn a_case_is_left_out_with_a_reason_or_not_at_all() {
    let case =
        |rest: &str| format!("{HEAD}[[case]]\nname = 'x'\nexpect = {{ product = 6.0 }}\n{rest}");
    let other = format!("{HEAD}[[case]]\nname = 'y'\nexpect = {{ product = 6.0 }}\n");
    let both = |rest: &str| {
        let dir = folder(&[("a.toml", &case(rest)), ("b.toml", &other)]);
        tested(&Recipe::default().load().unwrap(), dir.path())
    };
    assert_eq!(both("").unwrap().cases.len(), 2);
    let later = both("since = 'v2'").unwrap();
    assert_eq!((later.cases.len(), later.skipped.len()), (1, 1));
    assert_eq!(later.skipped[0].reason, "it came with v2");
    insta::assert_snapshot!(both("versions = ['v2', 'v3']").unwrap_err(), @r#"cases/a.toml:5: the case `x` is not run for product:v1, and nothing says why: add v1 to its `versions`, or a [[supersede]] with version = "v1", case = "x" and a reason"#);
    let supersede = "[[supersede]]\nversion = 'v1'\ncase = 'x'\nreason = 'because'\n";
    for rest in [
        format!("versions = ['v2']\n{supersede}"),
        supersede.to_owned(),
    ] {
        let tested = both(&rest).unwrap();
        assert_eq!(tested.cases.len(), 1);
        assert!(tested.skipped[0].superseded);
        assert_eq!(tested.skipped[0].reason, "because");
    }
    for (rest, part) in [
        (
            supersede.replace("'x'", "'z'"),
            "no case is called `z`; the nearest is `x`",
        ),
        (
            supersede.replace("because", " "),
            "reason: \" \" is not a text, or is empty",
        ),
        (
            supersede.replace("reason = 'because'\n", ""),
            "an entry needs a reason",
        ),
        (supersede.replace("'v1'", "'1'"), "`1` is not a version"),
        (
            format!("since = 'v2'\n{supersede}"),
            "is not for v1 by its own `versions` or `since`",
        ),
        (
            format!("versions = ['v1']\n{supersede}"),
            "is for v1 by its own `versions` or `since`",
        ),
        (
            "versions = ['v1']\nsince = 'v1'".to_owned(),
            "exclude each other",
        ),
        ("versions = []".to_owned(), "is empty"),
    ] {
        let message = both(&rest).unwrap_err().to_string();
        assert!(message.contains(part), "{rest}: {message}");
    }
}

#[test]
fn having_no_cases_is_never_a_pass() {
    assert_eq!(
        refused(&[]),
        "cases holds no golden case for product:v1, and no .toml or .csv file"
    );
    assert_eq!(
        refused(&[("a.toml", HEAD)]),
        "cases holds no golden case for product:v1"
    );
    let later = format!("{HEAD}[[case]]\nname = 'x'\nsince = 'v2'\nexpect = {{ product = 6.0 }}\n");
    assert_eq!(
        refused(&[("a.toml", &later)]),
        "cases holds no golden case for product:v1: all 1 are superseded, or came with a later version"
    );
}

#[test]
fn mistakes_in_toml_name_line_case_key_and_value() {
    let mut problems = String::new();
    for rest in [
        "[[case]]\nexpect = { product = 1 }",
        "[[case]]\nname = 'x'",
        "[[case]]\nname = 'x'\nexpect = { product = '6 kg' }",
        "[[case]]\nname = 'x'\nexpect = { product = -0.0 }",
        "[[case]]\nname = 'x'\nexpect = { produkt = 6 }",
        "[[case]]\nname = 'x'\ninputs = { c = 1 }\nexpect = { product = 6 }",
        "[[case]]\nname = 'x'\nwithout = ['c']\nexpect = { product = 6 }",
        "[[case]]\nname = 'x'\nparameters = { faktor = 1 }\nexpect = { product = 6 }",
        "[[case]]\nname = 'x'\nparameters = { factor = true }\nexpect = { product = 6 }",
        "[[case]]\nname = 'x'\nexpect = { product = 6 }\nnull = ['product']",
        "[[case]]\nname = 'x'\nexpect = { note = 'ok' }\ntolerance = { note = 1 }",
        "[[case]]\nname = 'x'\nexpect = { product = 6 }\ntolerance = { product = -1 }",
        "[[case]]\nname = 'x'\nexpect = { product = 6 }\nfails = 'y'",
        "[[case]]\nname = 'x'\nexpects = { product = 6 }",
        "[[case]]\nname = 'x'\nnull = 'product'",
        "[[case]]\nname = 'x'\nnull = ['product']\n[[case]]\nname = 'x'\nnull = ['product']",
        "[case]\nname = 'x'",
        "[[cases]]\nname = 'x'",
        "[[case]]\nname = 'x'\nexpect = {",
    ] {
        problems.push_str(&refused(&[("a.toml", &format!("{HEAD}{rest}\n"))]));
        problems.push('\n');
    }
    problems.push_str(&refused(&[(
        "a.toml",
        "columns = ['a']\n[[case]]\nname = 'x'\nnull = ['product']\n",
    )]));
    insta::assert_snapshot!(problems);
}

#[test]
fn mistakes_in_csv_name_line_column_and_value() {
    let mut problems = String::new();
    for text in [
        "case,in.a,out.product\nx,1,1\n",
        "name,in.a,in.b,out.product\nx,1,1,1\n",
        "in.a,in.b,out.product\n1,1,1\n",
        "case,in.a,in.b,in.a\nx,1,1,1\n",
        "case,in.a,in.b,out.product\nx,1,one,1\n",
        "case,in.a,in.b,out.product\n\"x\ny\",1,1,1\nz,1,1,1 kg\n",
        "case,in.a,in.b,out.product\nx,1,1,\n",
        "case,in.a,in.b,out.product\n,1,1,1\n",
        "case,in.a,in.b,out.product\nx,1,1\n",
        "case,in.a,in.b,out.product,tolerance.product\nx,1,1,1,much\n",
        "case,in.a,in.b,out.product,tolerance.note\nx,1,1,1,1\n",
        "case,in.a,in.b,out.produkt\nx,1,1,1\n",
        "case,in.a,in.b,param.faktor,out.product\nx,1,1,1,1\n",
        "case,in.a,in.b,out.product,fails\nx,1,1,1,y\n",
        "case,versions,in.a,in.b,out.product\nx,1,1,1,1\n",
    ] {
        problems.push_str(&refused(&[("a.csv", text)]));
        problems.push('\n');
    }
    insta::assert_snapshot!(problems);
}

#[test]
fn csv_and_toml_give_the_same_cases() {
    let csv = "\u{feff}case,versions,since,in.a,in.b,param.factor,out.product,tolerance.product,out.note,fails\n\
               exact,v1 v2,,0.1,3,,0x1.3333333333334p-2,,ok,\n\
               close,,v1,0.1,3,5,0.3,1e-9,,\n\
               null,,,,3,,null,,,\n\
               fails,,,1002,1,,,,,the herd is\n\
               later,,v2,0.1,3,,7,,,\n";
    let dir = folder(&[("a.csv", csv)]);
    let tested = tested(&Recipe::default().load().unwrap(), dir.path()).unwrap();
    let problems: Vec<_> = tested
        .cases
        .iter()
        .flat_map(|c| junit::problems(c, &tested))
        .collect();
    assert!(problems.is_empty(), "{problems:?}");
    assert_eq!((tested.cases.len(), tested.skipped.len()), (4, 1));
}

#[test]
fn blessing_changes_what_differs_and_nothing_else() {
    let text = "# Why these cases.\ncolumns = ['a', 'b']\n[base]\na = 2.0\nb = 3.0  # three\n\n\
                [[case]]  # the first\nname = 'number'\nexpect = { note = 'ok', product = 7.0 } # seven\n\n\
                [[case]]\nname = 'null'\nwithout = ['a']\nexpect = { product = 1.0 }\ntolerance = { product = 0.5 }\n\n\
                [[case]]\nname = 'value'\ninputs = { a = 0.1 }\nnull = ['product']\n\n\
                [[case]]\nname = 'trap'\ninputs = { a = 1002.0 }\nexpect = { product = 1.0 }\n\n\
                [[case]]\nname = 'right'\nexpect = { product = 0x6 }\n";
    let dir = folder(&[
        ("a.toml", text),
        ("b.csv", "case,in.a,in.b,out.product\nhand,2,2,5\n"),
    ]);
    let component = Recipe::default().load().unwrap();
    let before = tested(&component, dir.path()).unwrap();
    assert_eq!(before.failed(), 5);
    let blessing = Blessing {
        version: "v1",
        shared: false,
        reason: None,
    };
    let set = CaseSet::read(dir.path(), "cases").unwrap();
    let changes = bless(&before, &set, dir.path(), &blessing).unwrap();
    let problems: Vec<_> = changes
        .iter()
        .map(|c| {
            format!(
                "{} {}: {} → {} {}",
                c.case, c.output, c.from, c.to, c.written
            )
        })
        .collect();
    assert_eq!(
        problems,
        [
            "number product: 7.0 → 6.0 true",
            "null product: 1.0 → null true",
            "value product: null → 0.30000000000000004 true",
            "hand product: 5.0 → 4.0 false",
        ]
    );
    insta::assert_snapshot!(std::fs::read_to_string(dir.path().join("a.toml")).unwrap(), @r#"
    # Why these cases.
    columns = ['a', 'b']
    [base]
    a = 2.0
    b = 3.0  # three

    [[case]]  # the first
    name = 'number'
    expect = { note = 'ok', product = 6.0 } # seven

    [[case]]
    name = 'null'
    without = ['a']
    null = ["product"]

    [[case]]
    name = 'value'
    inputs = { a = 0.1 }
    expect = { product = 0.30000000000000004 }

    [[case]]
    name = 'trap'
    inputs = { a = 1002.0 }
    expect = { product = 1.0 }

    [[case]]
    name = 'right'
    expect = { product = 0x6 }
    "#);
    let after = tested(&component, dir.path()).unwrap();
    let left: Vec<_> = after
        .cases
        .iter()
        .filter(|c| !c.verdict.passed())
        .map(|c| c.case.name.as_str())
        .collect();
    assert_eq!(left, ["trap", "hand"]);
    // Blessing a second time changes nothing.
    let text = std::fs::read(dir.path().join("a.toml")).unwrap();
    let again = bless(&after, &set, dir.path(), &blessing).unwrap();
    assert_eq!(again.len(), 1);
    assert_eq!(std::fs::read(dir.path().join("a.toml")).unwrap(), text);
}

#[test]
fn a_profile_is_the_same_each_time_and_grows_with_the_work() {
    let component = Recipe::default().load().unwrap();
    let cases = format!(
        "{HEAD}[[case]]\nname = 'x'\nexpect = {{ product = 6.0 }}\n[[case]]\nname = 'trap'\ninputs = {{ a = 1002.0 }}\nfails = 'herd'\n"
    );
    let dir = folder(&[("a.toml", &cases)]);
    let tested = tested(&component, dir.path()).unwrap();
    let first = profile(&component, &tested).unwrap();
    assert_eq!(profile(&component, &tested).unwrap(), first);
    assert_eq!(
        first.cases.len(),
        1,
        "a case that fails has no fuel to compare"
    );
    assert!(first.no_rows > 0 && first.describe > 0);
    let row = &first.cases[0];
    assert!(
        row.compute > first.no_rows && (10..1_000).contains(&row.per_row),
        "{first:?}"
    );
    assert!((0.0..1.0).contains(&first.base_share()));
}
