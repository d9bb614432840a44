//! Handwritten debug information, as fields of a module's text.

/// The range of every entry: from the first byte of the code on.
const LOW: u32 = 1;
const LENGTH: u32 = 0x00ff_ffff;

fn sections(info: &[u8], line: &[u8]) -> String {
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|b| format!("\\{b:02x}")).collect() };
    let mut all = String::new();
    for (name, bytes) in [
        (".debug_abbrev", ABBREV),
        (".debug_info", info),
        (".debug_line", line),
    ] {
        all += &format!("(@custom \"{name}\" \"{}\")\n", hex(bytes));
    }
    all
}

/// A unit (1), a function (2) and an inlined function (3), each with an address, a length and children; the unit
/// also says where its lines are.
const ABBREV: &[u8] = &[
    1, 0x11, 1, 0x11, 0x01, 0x12, 0x06, 0x10, 0x17, 0, 0, //
    2, 0x2e, 1, 0x11, 0x01, 0x12, 0x06, 0, 0, //
    3, 0x1d, 1, 0x11, 0x01, 0x12, 0x06, 0, 0, //
    0,
];

fn unit(inlined: usize) -> Vec<u8> {
    let entry = |code: u8| [&[code][..], &LOW.to_le_bytes(), &LENGTH.to_le_bytes()].concat();
    let mut body = vec![4, 0, 0, 0, 0, 0, 4];
    body.extend(entry(1));
    body.extend(0_u32.to_le_bytes());
    body.extend(entry(2));
    body.extend(entry(3).repeat(inlined));
    body.extend(vec![0; inlined + 2]);
    with_length(&body)
}

fn with_length(body: &[u8]) -> Vec<u8> {
    [&u32::try_from(body.len()).unwrap().to_le_bytes()[..], body].concat()
}

/// Maps all code to line 12 of `herd.rs`, after `more` rows of the table that say the same.
fn lines(more: usize) -> Vec<u8> {
    let mut header = vec![1, 1, 1, 0xfb, 14, 13, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1, 0];
    header.extend(b"herd.rs\0\0\0\0\0");
    let mut body = vec![4, 0];
    body.extend(with_length(&header));
    body.extend([0, 5, 2]);
    body.extend(LOW.to_le_bytes());
    // 11 lines forward, a row; more rows at the same place; the end.
    body.extend([3, 11, 1]);
    body.extend(vec![1; more]);
    body.extend([2, 0xff, 0xff, 0xff, 0x07, 0, 1, 1]);
    with_length(&body)
}

/// Debug information like a compiler's.
pub(crate) fn honest() -> String {
    sections(&unit(0), &lines(0))
}

/// 10,000 functions inlined in each other: a reader that follows them overflows its stack.
pub(crate) fn deep() -> String {
    sections(&unit(10_000), &lines(0))
}

/// A table of 4 million lines.
pub(crate) fn long() -> String {
    sections(&unit(0), &lines(4 << 20))
}
