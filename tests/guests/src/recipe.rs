//! A guest written by hand in WAT, and the function that turns it into a component. It needs no other crate,
//! because the end-to-end tests also make their hostile components from it.

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::declaration::Declaration;

/// How a guest differs from the good one.
#[derive(Clone)]
pub struct Recipe {
    /// Top-level WAT.
    pub top: &'static str,
    /// Before `describe` answers.
    pub describe: &'static str,
    /// After `compute` has written its answer; locals `$rows`, `$offsets`, `$text`, `$valid`, `$out`.
    pub end: &'static str,
    /// Names of the two inputs.
    pub inputs: [&'static str; 2],
    /// Name of the logic.
    pub name: String,
    /// Whether `product` may be null.
    pub nullable: bool,
    /// Core export name of `compute`.
    pub compute: &'static str,
    /// The rest of the guest's declaration.
    pub declare: Declaration,
}

impl Default for Recipe {
    fn default() -> Recipe {
        Recipe {
            top: "",
            describe: "",
            end: "",
            inputs: ["a", "b"],
            name: "product".to_owned(),
            nullable: true,
            compute: "provender:logic/logic@1.0.0#compute",
            declare: Declaration::default(),
        }
    }
}

/// The address of the declaration in the guest's memory.
const DESCRIPTION: usize = 4_096;

impl Recipe {
    /// The core module's text.
    pub fn wat(&self) -> String {
        let image: String = self
            .description()
            .iter()
            .map(|b| format!("\\{b:02x}"))
            .collect();
        let pages = (DESCRIPTION + image.len() / 3) / 65_536 + 1;
        TEMPLATE
            .replace("PAGES", &pages.to_string())
            .replace("HEAP", &(pages * 65_536).to_string())
            .replace("IMAGE", &image)
            .replace("TOP", self.top)
            .replace("DESCRIBE_HOOK", self.describe)
            .replace("END_HOOK", self.end)
            .replace("COMPUTE_NAME", self.compute)
    }

    /// The component's bytes.
    pub fn component(&self) -> Vec<u8> {
        component_of(&self.wat(), include_str!("../../../wit/logic.wit"))
    }

    /// The guest's declaration.
    pub fn declaration(&self) -> Declaration {
        let mut d = self.declare.clone();
        d.name.clone_from(&self.name);
        for (input, name) in d.inputs.iter_mut().zip(self.inputs) {
            input.0.name = name;
        }
        if let Some(product) = d.outputs.first_mut() {
            product.0.nullable = self.nullable;
        }
        d
    }

    fn description(&self) -> Vec<u8> {
        self.declaration().image(DESCRIPTION)
    }
}

/// Wraps a core module's text into a component of the world `logic-plugin` of `wit`.
pub fn component_of(wat: &str, wit: &str) -> Vec<u8> {
    component_in(wat, wit, "logic-plugin")
}

/// Like [`component_of`], for another world of `wit`.
pub fn component_in(wat: &str, wit: &str, world: &str) -> Vec<u8> {
    let mut core = wat::parse_str(wat).unwrap();
    let mut resolve = Resolve::default();
    let package = resolve.push_str("logic.wit", wit).unwrap();
    let world = resolve.select_world(&[package], Some(world)).unwrap();
    embed_component_metadata(&mut core, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default()
        .module(&core)
        .unwrap()
        .encode()
        .unwrap()
}

/// A component of a core module that calls `$take` with a string, which another component accepts and
/// discards. wasmtime's adapter between the two copies the string. With `start`, a third component passes
/// strings repeatedly in start-up.
pub fn component_beside_taker(wat: &str, wit: &str, start: bool) -> Vec<u8> {
    let import = "(import \"$root\" \"take\" (func $take (param i32 i32)))\n(memory (export";
    let wit = wit.replace(
        "world logic-plugin {",
        "world logic-plugin { import take: func(s: string);",
    );
    let guest = component_of(&wat.replacen("(memory (export", import, 1), &wit);
    let taker = wat::parse_str(
        r#"(component
          (core module $m
            (memory (export "memory") 600)
            (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
            (func (export "take") (param i32 i32)))
          (core instance $i (instantiate $m))
          (func (export "take") (param "s" string) (canon lift (core func $i "take")
            (memory $i "memory") (realloc (func $i "realloc")))))"#,
    )
    .unwrap();
    let starter = wat::parse_str(
        r#"(component
          (import "take" (func $take (param "s" string)))
          (core module $mem (memory (export "memory") 520))
          (core instance $m (instantiate $mem))
          (core func $lowered (canon lower (func $take) (memory $m "memory")))
          (core module $main
            (import "" "memory" (memory 520))
            (import "" "take" (func $take (param i32 i32)))
            (func $pass (loop $again
              (call $take (i32.const 65536) (i32.const 33554432)) (br $again)))
            (start $pass))
          (core instance (instantiate $main (with "" (instance
            (export "memory" (memory $m "memory")) (export "take" (func $lowered)))))))"#,
    )
    .unwrap();
    let section = |id: u8, content: &[u8]| {
        let mut out = vec![id];
        let mut left = content.len();
        while left >= 0x80 {
            out.push(u8::try_from(left & 0x7f).unwrap() | 0x80);
            left >>= 7;
        }
        out.push(u8::try_from(left).unwrap());
        out.extend(content);
        out
    };
    let name = |name: &str| [&[u8::try_from(name.len()).unwrap()][..], name.as_bytes()].concat();
    let logic = name("provender:logic/logic@1.0.0");
    let instance = |component: u8| {
        let arguments = [&[1, 0, component, 1][..], &name("take"), &[1, 0]].concat();
        section(5, &arguments)
    };
    let started = match start {
        true => [section(4, &starter), instance(2)].concat(),
        false => Vec::new(),
    };
    [
        b"\0asm\x0d\0\x01\0".to_vec(),
        section(4, &taker),
        section(4, &guest),
        // The receiver, its function, the guest with that function, and the guest's interface, exported.
        section(5, &[1, 0, 0, 0]),
        section(6, &[&[1, 1, 0, 0][..], &name("take")].concat()),
        instance(1),
        section(6, &[&[1, 5, 0, 1][..], &logic].concat()),
        started,
        section(11, &[&[1, 0][..], &logic, &[5, 2, 0]].concat()),
    ]
    .concat()
}

const TEMPLATE: &str = r#"(module
  (memory (export "memory") PAGES)
  (global $heap (mut i32) (i32.const HEAP))
  (data (i32.const 2048) "provender-panic\01\00\00\00\00the herd is \1b[31mgone")
  (data (i32.const 1200) "no data today")
  (data (i32.const 1216) "a")
  (data (i32.const 4096) "IMAGE")
  TOP
  (func $alloc (param $size i32) (result i32)
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
    (global.set $heap (i32.add (local.get $at) (local.get $size)))
    (block $enough
      (br_if $enough (i32.le_u (global.get $heap) (i32.shl (memory.size) (i32.const 16))))
      (drop (memory.grow (i32.sub
        (i32.shr_u (i32.add (global.get $heap) (i32.const 65535)) (i32.const 16))
        (memory.size)))))
    (local.get $at))
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (call $alloc (local.get 3)))
  (func $deep (param i32) (result i32)
    (i32.add (i32.const 1) (call $deep (i32.add (local.get 0) (i32.const 1)))))
  (func $spin (loop $again (br $again)))
  (func $hoard (loop $again (drop (memory.grow (i32.const 1))) (br $again)))
  (func $panic (i32.store (i32.const 2064) (i32.const 21)) unreachable)
  (func (export "provender:logic/logic@1.0.0#describe") (result i32)
    DESCRIBE_HOOK
    (i32.const 4096))
  ;; Byte `at` of the validity of the column at `p`.
  (func $validity (param $p i32) (param $at i32) (result i32)
    (if (result i32) (i32.load8_u offset=28 (local.get $p))
      (then (i32.load8_u (i32.add (i32.load offset=32 (local.get $p)) (local.get $at))))
      (else (i32.const 255))))
  ;; The answer is a failure of the given kind.
  (func $fail (param $kind i32) (param $row i32) (result i32)
    (i32.store8 (i32.const 1088) (i32.const 1))
    (i32.store8 (i32.const 1092) (local.get $kind))
    ;; name or message
    (i32.store (i32.const 1096) (i32.const 1216))
    (i32.store (i32.const 1100) (i32.const 1))
    (if (i32.eq (local.get $kind) (i32.const 0)) (then
      (i32.store (i32.const 1104) (i32.const 1200))
      (i32.store (i32.const 1108) (i32.const 13))))
    (if (i32.eq (local.get $kind) (i32.const 1)) (then
      (i32.store8 (i32.const 1104) (i32.const 1))
      (i32.store (i32.const 1108) (local.get $row))
      (i32.store (i32.const 1112) (i32.const 1200))
      (i32.store (i32.const 1116) (i32.const 13))))
    (if (i32.eq (local.get $kind) (i32.const 2)) (then
      (i32.store (i32.const 1096) (i32.const 1200))
      (i32.store (i32.const 1100) (i32.const 13))))
    (i32.const 1088))
  (func $compute (export "COMPUTE_NAME")
    (param $rows i32) (param $pp i32) (param $pn i32) (param $ip i32) (param $in i32) (result i32)
    (local $a i32) (local $b i32) (local $i i32) (local $x f64)
    (local $out i32) (local $valid i32) (local $offsets i32) (local $text i32) (local $bytes i32)
    (local.set $a (i32.load offset=4 (local.get $ip)))
    (local.set $b (i32.load offset=44 (local.get $ip)))
    (local.set $bytes (i32.shr_u (i32.add (local.get $rows) (i32.const 7)) (i32.const 3)))
    (local.set $out (call $alloc (i32.shl (local.get $rows) (i32.const 3))))
    (local.set $valid (call $alloc (local.get $bytes)))
    (local.set $offsets (call $alloc (i32.shl (i32.add (local.get $rows) (i32.const 1)) (i32.const 2))))
    (local.set $text (call $alloc (i32.shl (local.get $rows) (i32.const 1))))
    (block $done (loop $row
      (br_if $done (i32.ge_u (local.get $i) (local.get $rows)))
      (local.set $x (f64.load (i32.add (local.get $a) (i32.shl (local.get $i) (i32.const 3)))))
      (if (f64.eq (local.get $x) (f64.const 1001)) (then (call $spin)))
      (if (f64.eq (local.get $x) (f64.const 1002)) (then (call $panic)))
      (if (f64.eq (local.get $x) (f64.const 1003)) (then (call $hoard)))
      (if (f64.eq (local.get $x) (f64.const 1004)) (then (drop (call $deep (i32.const 0)))))
      (if (f64.eq (local.get $x) (f64.const 1005)) (then (local.set $x (f64.const nan))))
      (if (f64.eq (local.get $x) (f64.const 1006)) (then (return (call $fail (i32.const 2) (local.get $i)))))
      (if (f64.eq (local.get $x) (f64.const 1007)) (then (return (call $fail (i32.const 1) (local.get $i)))))
      (if (f64.eq (local.get $x) (f64.const 1008)) (then (return (call $fail (i32.const 0) (local.get $i)))))
      (if (f64.eq (local.get $x) (f64.const 1009)) (then (local.set $x (f64.const -0))))
      (f64.store (i32.add (local.get $out) (i32.shl (local.get $i) (i32.const 3)))
        (f64.mul (local.get $x)
          (f64.load (i32.add (local.get $b) (i32.shl (local.get $i) (i32.const 3))))))
      (i32.store (i32.add (local.get $offsets) (i32.shl (local.get $i) (i32.const 2)))
        (i32.shl (local.get $i) (i32.const 1)))
      ;; "ok"
      (i32.store16 (i32.add (local.get $text) (i32.shl (local.get $i) (i32.const 1))) (i32.const 0x6b6f))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $row)))
    (i32.store (i32.add (local.get $offsets) (i32.shl (local.get $rows) (i32.const 2)))
      (i32.shl (local.get $rows) (i32.const 1)))
    (local.set $i (i32.const 0))
    (block $done (loop $byte
      (br_if $done (i32.ge_u (local.get $i) (local.get $bytes)))
      (i32.store8 (i32.add (local.get $valid) (local.get $i))
        (i32.and (call $validity (local.get $ip) (local.get $i))
          (call $validity (i32.add (local.get $ip) (i32.const 40)) (local.get $i))))
      (local.set $i (i32.add (local.get $i) (i32.const 1)))
      (br $byte)))
    ;; column 0 at 1288: float64, valid
    (i32.store8 (i32.const 1288) (i32.const 0))
    (i32.store (i32.const 1292) (local.get $out))
    (i32.store (i32.const 1296) (local.get $rows))
    (i32.store8 (i32.const 1316) (i32.const 1))
    (i32.store (i32.const 1320) (local.get $valid))
    (i32.store (i32.const 1324) (local.get $bytes))
    ;; column 1 at 1328: text, no nulls
    (i32.store8 (i32.const 1328) (i32.const 4))
    (i32.store (i32.const 1332) (local.get $offsets))
    (i32.store (i32.const 1336) (i32.add (local.get $rows) (i32.const 1)))
    (i32.store (i32.const 1340) (local.get $text))
    (i32.store (i32.const 1344) (i32.shl (local.get $rows) (i32.const 1)))
    ;; ok(list of 2 columns)
    (i32.store8 (i32.const 1088) (i32.const 0))
    (i32.store (i32.const 1092) (i32.const 1288))
    (i32.store (i32.const 1096) (i32.const 2))
    END_HOOK
    (i32.const 1088))
)"#;
