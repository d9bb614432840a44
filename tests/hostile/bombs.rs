//! Files that harm a reader, written byte by byte because no tool would write them.

use super::{Code, WIT, guest};
use provender_guests::recipe::{Recipe, component_of};

/// File name, bytes, the code of the refusal, and words of the message.
pub(crate) type Bomb = (String, Vec<u8>, &'static str, &'static str);

const HEADER: &[u8] = b"\0asm\x0d\0\x01\0";
const MODULE: &[u8] = b"\0asm\x01\0\0\0";

pub(crate) fn leb(mut n: usize) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let byte = u8::try_from(n & 0x7f).unwrap();
        n >>= 7;
        if n == 0 {
            out.push(byte);
            return out;
        }
        out.push(byte | 0x80);
    }
}

fn section(id: u8, content: &[u8]) -> Vec<u8> {
    [&[id][..], &leb(content.len()), content].concat()
}

/// A component of these sections.
fn component(sections: &[Vec<u8>]) -> Vec<u8> {
    [HEADER, &sections.concat()].concat()
}

/// A component in a component in a component.
pub(crate) fn nested(levels: usize) -> Vec<u8> {
    // Built from the inside out: only the sizes are needed before the bytes.
    let mut sizes = vec![HEADER.len()];
    for _ in 0..levels {
        let inner = sizes[sizes.len() - 1];
        sizes.push(HEADER.len() + 1 + leb(inner).len() + inner);
    }
    let mut bytes = Vec::with_capacity(sizes[levels]);
    for level in (0..=levels).rev() {
        bytes.extend(HEADER);
        if level > 0 {
            bytes.push(4);
            bytes.extend(leb(sizes[level - 1]));
        }
    }
    bytes
}

/// A type of a component that contains a type of a component, and so on.
fn nested_types(levels: usize) -> Vec<u8> {
    let mut content = vec![1];
    content.extend([0x41, 1, 1].repeat(levels));
    content.extend([0x41, 0]);
    component(&[section(7, &content)])
}

/// `list<list<…>>`.
fn lists_of_lists(levels: usize) -> Vec<u8> {
    let mut content = leb(levels);
    content.extend([0x70, 0x79]);
    for n in 0..levels - 1 {
        content.push(0x70);
        // A signed number: one more bit is needed.
        let mut n = n;
        while n >= 0x40 {
            content.push(u8::try_from(n & 0x7f).unwrap() | 0x80);
            n >>= 7;
        }
        content.push(u8::try_from(n).unwrap());
    }
    component(&[section(7, &content)])
}

/// One record type with a million fields.
fn wide_record(fields: usize) -> Vec<u8> {
    let mut content = vec![1, 0x72];
    content.extend(leb(fields));
    for n in 0..fields {
        let name = format!("f{n}");
        content.extend(leb(name.len()));
        content.extend(name.as_bytes());
        content.push(0x79);
    }
    component(&[section(7, &content)])
}

fn with_module(sections: &[Vec<u8>]) -> Vec<u8> {
    component(&[section(1, &[MODULE, &sections.concat()].concat())])
}

/// A function of 350 KB that takes the compiler at least half a minute.
pub(crate) fn busy() -> Vec<u8> {
    let mut body = vec![0];
    // block (i32.const 0; br_if 0) end, repeated.
    body.extend([0x02, 0x40, 0x41, 0, 0x0d, 0, 0x0b].repeat(50_000));
    body.push(0x0b);
    let code = [leb(1), leb(body.len()), body].concat();
    with_module(&[
        section(1, &[1, 0x60, 0, 0]),
        section(3, &[1, 0]),
        section(10, &code),
    ])
}

/// A component with a custom section of `size` bytes.
fn padded(size: usize) -> Vec<u8> {
    let mut bytes = guest("padded", Code::default());
    let content = [&[1, b'x'][..], &vec![0; size]].concat();
    bytes.extend(section(0, &content));
    bytes
}

/// A guest that imports an interface of WASI, as its toolchain's standard library would.
fn wasi(interface: &str) -> Vec<u8> {
    let (package, rest) = interface.split_once('/').unwrap();
    let (name, version) = rest.split_once('@').unwrap();
    let wit = WIT.replace(
        "world logic-plugin {",
        &format!("world logic-plugin {{ import {interface};"),
    ) + &format!(
        "package {package}@{version} {{ interface {name} {{ get: func() -> u64; }} }}"
    );
    let import = format!("(import \"{interface}\" \"get\" (func (result i64)))\n(memory (export");
    component_of(
        &Recipe::default().wat().replace("(memory (export", &import),
        &wit,
    )
}

fn top(name: &str, top: &str) -> Vec<u8> {
    guest(
        name,
        Code {
            top,
            ..Code::default()
        },
    )
}

fn describing(name: &str, top: &str, describe: &str) -> Vec<u8> {
    guest(
        name,
        Code {
            top,
            describe,
            ..Code::default()
        },
    )
}

/// Pseudo-random bytes behind a component's header.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let noise = (0..length).map(|_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    });
    HEADER.iter().copied().chain(noise).collect()
}

pub(crate) fn bombs() -> Vec<Bomb> {
    let mut bombs = Vec::new();
    let mut add =
        |name: &str, bytes, code, words| bombs.push((name.to_owned(), bytes, code, words));
    let (invalid, complex, memory) = (
        "component_invalid",
        "component_too_complex",
        "memory_exhausted",
    );

    add(
        "nested_33",
        nested(33),
        complex,
        "33 levels of nesting; a component may have at most 32",
    );
    add(
        "nested_100000",
        nested(100_000),
        complex,
        "33 levels of nesting",
    );
    add(
        "nested_types",
        nested_types(1_000_000),
        complex,
        "1000001 levels of nested types; a component may have at most 100",
    );
    add(
        "lists_of_lists",
        lists_of_lists(500_000),
        invalid,
        "type nesting is too deep (at offset 0xf7)",
    );
    add(
        "wide_record",
        wide_record(1_000_000),
        invalid,
        "record field size is out of bounds (at offset 0xf)",
    );
    add(
        "too_large",
        padded(32 << 20),
        "component_too_large",
        "larger than 33554432 bytes",
    );
    add(
        "random_bytes",
        noise(100_000),
        invalid,
        "malformed section id (at offset 0xc)",
    );
    add(
        "globals",
        top("globals", &"(global i32 (i32.const 0))".repeat(900_000)),
        complex,
        "globals; a component may have at most 50000",
    );
    add(
        "functions",
        top("functions", &"(func)".repeat(900_000)),
        complex,
        "functions; a component may have at most 100000",
    );
    add(
        "table_at_once",
        top("tables", "(table 4294967295 funcref)"),
        memory,
        "table elements; 100000",
    );
    add(
        "memory_at_once",
        replace_memory(65_536),
        memory,
        "4294967296 bytes of memory",
    );
    add(
        "many_tables",
        top("tables", &"(table 1 funcref)".repeat(65)),
        memory,
        "could not start",
    );
    add(
        "many_memories",
        top("memories", &"(memory 1)".repeat(16)),
        memory,
        "could not start",
    );
    add(
        "loop_at_start",
        top(
            "starts",
            "(func $init (loop $again (br $again))) (start $init)",
        ),
        "fuel_exhausted",
        "failed in start-up",
    );
    add(
        "loop_in_describe",
        describing("loops", "", "(call $spin)"),
        "fuel_exhausted",
        "failed in describe",
    );
    add(
        "recursion_in_describe",
        describing("recurses", "", "(drop (call $deep (i32.const 0)))"),
        "stack_overflow",
        "failed in describe",
    );
    add(
        "growth_in_describe",
        describing("grows", "", "(call $hoard)"),
        memory,
        "failed in describe",
    );
    // The name of a hundred million bytes, and a list of a million inputs.
    add(
        "hundred_megabytes_of_name",
        describing(
            "names",
            "",
            "(drop (memory.grow (i32.const 1700))) (i32.store (i32.const 4096) (i32.const 0)) (i32.store (i32.const 4100) (i32.const 100000000))",
        ),
        "bad_return",
        "failed in describe",
    );
    add(
        "million_inputs",
        describing(
            "inputs",
            "",
            "(drop (memory.grow (i32.const 800))) (i32.store (i32.const 4120) (i32.const 131072)) (i32.store (i32.const 4124) (i32.const 1000000))",
        ),
        "bad_return",
        "failed in describe",
    );
    add(
        "four_billion_inputs",
        describing("inputs", "", "(i32.store (i32.const 4124) (i32.const -1))"),
        "bad_return",
        "failed in describe",
    );
    let imports = "component_imports";
    for interface in [
        "wasi:clocks/wall-clock@0.2.0",
        "wasi:clocks/monotonic-clock@0.2.0",
        "wasi:random/random@0.2.0",
        "wasi:filesystem/preopens@0.2.0",
        "wasi:sockets/tcp@0.2.0",
        "wasi:cli/environment@0.2.0",
    ] {
        add(
            &interface.replace([':', '/', '@'], "_"),
            wasi(interface),
            imports,
            interface,
        );
    }
    bombs
}

fn replace_memory(pages: u32) -> Vec<u8> {
    let wat = Recipe::default().wat().replace(
        "(memory (export \"memory\") 1)",
        &format!("(memory (export \"memory\") {pages})"),
    );
    component_of(&wat, WIT)
}
