//! Hostile components, built from source.
//!
//! * `sleeper` — a guest that passes every check and misbehaves in rows where its input is 1001
//! * [`dwarf`] — debug information, honest and hostile
//! * [`bombs`] — files that a check refuses

pub(crate) mod bombs;
pub(crate) mod dwarf;

use provender_guests::recipe::{Recipe, component_beside_taker, component_of};

const WIT: &str = include_str!("../../wit/logic.wit");
const ROW: &str = "(if (f64.eq (local.get $x) (f64.const 1001)) (then (call $spin)))";
const TOP: &str = ";; more of the module\n";
const DESCRIBE: &str = ";; before describe answers\n";
const END: &str = ";; before compute answers\n";

/// A guest that returns the lesser of two columns, with custom code at four places.
#[derive(Clone, Copy, Default)]
pub(crate) struct Code<'a> {
    /// Top level of the module.
    pub(crate) top: &'a str,
    /// Before `describe` answers.
    pub(crate) describe: &'a str,
    /// For a row whose input is 1001, which no check tries; `$x` is the input, `$i` the row.
    pub(crate) row: &'a str,
    /// After `compute` has written an answer that includes such a row; `$armed` is its number + 1.
    pub(crate) end: &'a str,
    /// After `compute` has written any answer.
    pub(crate) always: &'a str,
}

/// The guest's component.
pub(crate) fn guest(name: &str, code: Code<'_>) -> Vec<u8> {
    component_of(&text(name, code), WIT)
}

/// A guest whose `$pass` passes a string of 32 MiB to another component, repeatedly. An adapter copies it for
/// the fuel of one call.
pub(crate) fn passing(name: &str, code: Code<'_>) -> Vec<u8> {
    let pass = "(func $pass (local $at i32) (local.set $at (i32.shl (memory.grow (i32.const 512)) (i32.const 16))) (loop $again (call $take (local.get $at) (i32.const 33554432)) (br $again)))";
    let top = format!("{pass} {}", code.top);
    component_beside_taker(&text(name, Code { top: &top, ..code }), WIT, false)
}

/// A guest with a part that does the same in start-up.
pub(crate) fn passing_at_start(name: &str) -> Vec<u8> {
    component_beside_taker(&text(name, Code::default()), WIT, true)
}

/// The guest's core module.
fn text(name: &str, code: Code<'_>) -> String {
    let recipe = Recipe {
        top: TOP,
        describe: DESCRIBE,
        end: END,
        name: name.to_owned(),
        ..Recipe::default()
    };
    let row = format!(
        "(if (f64.eq (local.get $x) (f64.const 1001)) (then (global.set $armed (i32.add (local.get $i) (i32.const 1))) {}))",
        code.row
    );
    let wat = recipe.wat();
    for mark in [ROW, TOP, DESCRIBE, END] {
        assert!(wat.contains(mark), "the template has changed: {mark}");
    }
    wat.replace("(f64.mul (local.get $x)", "(f64.min (local.get $x)")
        .replace(ROW, &row)
        .replace(
            TOP,
            &format!("(global $armed (mut i32) (i32.const 0)) {}", code.top),
        )
        .replace(DESCRIBE, code.describe)
        .replace(
            END,
            &format!(
                "(if (global.get $armed) (then {})) {}",
                code.end, code.always
            ),
        )
}

/// A guest whose declaration is these bytes of its memory, from 4096 on.
pub(crate) fn declaring(image: &[u8]) -> Vec<u8> {
    let recipe = Recipe::default();
    let hex = |bytes: &[u8]| {
        bytes
            .iter()
            .map(|b| format!("\\{b:02x}"))
            .collect::<String>()
    };
    let own = hex(&recipe.declaration().image(4_096));
    let wat = recipe.wat();
    assert!(wat.contains(&own), "the template has changed");
    component_of(&wat.replace(&own, &hex(image)), WIT)
}

/// Component, stable code, and words of its message.
pub(crate) type Sleeper = (&'static str, Code<'static>, &'static str, &'static str);

/// Guests that a check cannot detect, each with the error that `compute` must report.
pub(crate) fn sleepers() -> Vec<Sleeper> {
    let row = |row| Code {
        row,
        ..Code::default()
    };
    let end = |end| Code {
        end,
        ..Code::default()
    };
    let memory_2049 = "(drop (memory.grow (i32.sub (i32.const 2049) (memory.size))))";
    vec![
        (
            "endless_loop",
            row("(call $spin)"),
            "fuel_exhausted",
            "used up its fuel",
        ),
        (
            "fill_forever",
            Code {
                top: "(func $fill (loop $again (memory.fill (i32.const 8192) (i32.const 0) (i32.const 40000)) (br $again)))",
                row: "(call $fill)",
                ..Code::default()
            },
            "fuel_exhausted",
            "used up its fuel",
        ),
        (
            "growth_by_steps",
            row("(call $hoard)"),
            "memory_exhausted",
            "bytes of memory; 134217728",
        ),
        (
            "growth_at_once",
            row(memory_2049),
            "memory_exhausted",
            "134283264 bytes of memory; 134217728",
        ),
        (
            "table_growth",
            Code {
                top: "(table $t 1 funcref)",
                row: "(drop (table.grow $t (ref.null func) (i32.const 100000)))",
                ..Code::default()
            },
            "memory_exhausted",
            "100001 table elements; 100000",
        ),
        (
            "deep_calls",
            row("(drop (call $deep (i32.const 0)))"),
            "stack_overflow",
            "exceeded its stack",
        ),
        (
            "panics",
            row("(call $panic)"),
            "trap",
            "it panicked: the herd is  [31mgone",
        ),
        (
            "divides_by_zero",
            row("(drop (i32.div_u (i32.const 1) (i32.const 0)))"),
            "trap",
            "divide by zero",
        ),
        (
            "four_billion_rows",
            end("(i32.store (i32.const 1296) (i32.const -1))"),
            "bad_return",
            "could not be read",
        ),
        (
            "four_billion_columns",
            end("(i32.store (i32.const 1096) (i32.const -1))"),
            "bad_return",
            "could not be read",
        ),
        (
            "too_few_rows",
            end("(i32.store (i32.const 1296) (i32.sub (local.get $rows) (i32.const 1)))"),
            "bad_return",
            "0 values for 1 rows",
        ),
        (
            "too_many_rows",
            end("(i32.store (i32.const 1296) (i32.add (local.get $rows) (i32.const 1)))"),
            "bad_return",
            "2 values for 1 rows",
        ),
        (
            "too_many_columns",
            end("(i32.store (i32.const 1096) (i32.const 3))"),
            "bad_return",
            "3 columns, but declares 2",
        ),
        (
            "too_few_columns",
            end("(i32.store (i32.const 1096) (i32.const 1))"),
            "bad_return",
            "1 columns, but declares 2",
        ),
        (
            "another_type",
            end("(i32.store8 (i32.const 1288) (i32.const 1))"),
            "bad_return",
            "declared float64 and was returned as int64",
        ),
        (
            "no_such_type",
            end("(i32.store8 (i32.const 1288) (i32.const 77))"),
            "bad_return",
            "could not be read",
        ),
        (
            "offsets_from_two",
            end("(i32.store (local.get $offsets) (i32.const 2))"),
            "bad_return",
            "do not start at 0",
        ),
        (
            "offsets_past_the_end",
            end("(i32.store offset=4 (local.get $offsets) (i32.const 999))"),
            "bad_return",
            "end at 999",
        ),
        (
            "invalid_utf8",
            end("(i32.store16 (local.get $text) (i32.const 0xffff))"),
            "bad_return",
            "not UTF-8",
        ),
        (
            "short_validity",
            end("(i32.store (i32.const 1324) (i32.const 0))"),
            "bad_return",
            "0 validity bytes",
        ),
        (
            "not_a_number",
            row("(local.set $x (f64.const nan))"),
            "bad_return",
            "not a finite number",
        ),
        (
            "infinite",
            row("(local.set $x (f64.const -inf))"),
            "bad_return",
            "not a finite number",
        ),
        (
            "hundred_megabytes",
            end(
                "(drop (memory.grow (i32.const 1700))) (i32.store (i32.const 1320) (i32.const 0)) (i32.store (i32.const 1324) (i32.const 100000000))",
            ),
            "bad_return",
            "could not be read",
        ),
        (
            "refuses",
            row("(return (call $fail (i32.const 1) (local.get $i)))"),
            "invalid_input",
            "no data today",
        ),
    ]
}
