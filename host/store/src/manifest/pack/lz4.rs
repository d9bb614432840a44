//! The subset of LZ4 frames that packs use, unpacked in place to known lengths.
//!
//! `lz4_flex` unpacks the blocks. Its frame reader is not used because it allocates and clears its own buffer per
//! frame: four megabytes, where a pack's buffer has a few hundred kilobytes.

use lz4_flex::block::{decompress_into, decompress_into_with_dict};

/// Start of a frame.
const MAGIC: [u8; 4] = 0x184D_2204_u32.to_le_bytes();

/// How far back a block can refer.
const WINDOW: usize = 64 << 10;

/// The accepted frame headers: flags, block size, and the checksum of both. Version 01, with linked or
/// independent blocks; without sizes, dictionaries or checksums, which this program does not write.
const HEADS: [([u8; 3], usize); 8] = [
    ([0x40, 0x40, 0xc0], 64 << 10),
    ([0x40, 0x50, 0x77], 256 << 10),
    ([0x40, 0x60, 0x96], 1 << 20),
    ([0x40, 0x70, 0xdf], 4 << 20),
    ([0x60, 0x40, 0x82], 64 << 10),
    ([0x60, 0x50, 0xfb], 256 << 10),
    ([0x60, 0x60, 0x51], 1 << 20),
    ([0x60, 0x70, 0x73], 4 << 20),
];

/// Flag for blocks that do not refer to earlier ones.
const INDEPENDENT: u8 = 0x20;

/// Unpacks one complete frame into `out`, which it must fill exactly. `Err` describes what is wrong.
pub(super) fn unpack(frame: &[u8], out: &mut [u8]) -> Result<(), String> {
    let no_frame = || "a buffer is not one complete LZ4 frame".to_owned();
    let fail = |e: &dyn std::fmt::Display| format!("a buffer cannot be unpacked: {e}");
    let length = out.len();
    let wrong = || format!("a buffer does not have the expected {length} bytes");
    let rest = frame.strip_prefix(&MAGIC).ok_or_else(no_frame)?;
    let (head, mut rest) = rest.split_first_chunk::<3>().ok_or_else(no_frame)?;
    let (_, most) = HEADS
        .iter()
        .find(|(known, _)| known == head)
        .ok_or_else(no_frame)?;
    let linked = head[0] & INDEPENDENT == 0;
    let mut at = 0;
    loop {
        let (word, blocks) = rest.split_first_chunk::<4>().ok_or_else(no_frame)?;
        let word = u32::from_le_bytes(*word);
        if word == 0 {
            return match (blocks.is_empty(), at == length) {
                (false, _) => Err(no_frame()),
                (true, false) => Err(wrong()),
                (true, true) => Ok(()),
            };
        }
        let size = usize::try_from(word & 0x7fff_ffff).map_err(|e| fail(&e))?;
        let (block, after) = blocks.split_at_checked(size).ok_or_else(no_frame)?;
        rest = after;
        if size > *most {
            return Err(fail(&"a block is larger than its frame allows"));
        }
        let (before, room) = out.split_at_mut(at);
        let to = room.len().min(*most);
        let room = &mut room[..to];
        // The highest bit marks an uncompressed block.
        at += if word >> 31 == 1 {
            room.get_mut(..size)
                .ok_or_else(wrong)?
                .copy_from_slice(block);
            size
        } else if linked {
            let from = before.len().saturating_sub(WINDOW);
            decompress_into_with_dict(block, room, &before[from..]).map_err(|e| fail(&e))?
        } else {
            decompress_into(block, room).map_err(|e| fail(&e))?
        };
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
    use proptest::prelude::*;

    use super::*;

    const SIZES: [BlockSize; 4] = [
        BlockSize::Max64KB,
        BlockSize::Max256KB,
        BlockSize::Max1MB,
        BlockSize::Max4MB,
    ];

    fn framed(raw: &[u8], mode: BlockMode, size: BlockSize) -> Vec<u8> {
        let info = FrameInfo::new().block_mode(mode).block_size(size);
        let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
        encoder.write_all(raw).unwrap();
        encoder.finish().unwrap()
    }

    /// Bytes that partly repeat.
    fn bytes(length: usize, seed: u64) -> Vec<u8> {
        let mut state = seed | 1;
        let next = |i: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            match i / 1_000 % 3 {
                0 => state.to_le_bytes()[0],
                1 => state.to_le_bytes()[0] & 1,
                _ => 7,
            }
        };
        (0..length).map(next).collect()
    }

    #[test]
    fn every_header_is_accepted() {
        for mode in [BlockMode::Linked, BlockMode::Independent] {
            for size in SIZES {
                // More than one block, for most sizes.
                let raw = bytes(1_200_000, 3);
                let frame = framed(&raw, mode, size);
                let mut out = vec![0; raw.len()];
                unpack(&frame, &mut out).unwrap();
                assert!(out == raw, "{mode:?} {size:?}");
                for other in [raw.len() - 1, raw.len() + 1] {
                    assert!(unpack(&frame, &mut vec![0; other]).is_err());
                }
                for i in 4..7 {
                    let mut frame = frame.clone();
                    frame[i] ^= 1;
                    assert!(unpack(&frame, &mut out).is_err());
                }
            }
        }
    }

    proptest! {
        #[test]
        fn a_frame_is_unpacked_and_no_part_of_it_is(length in 1..200_000_usize, seed in any::<u64>(), cut in any::<prop::sample::Index>(), linked in any::<bool>()) {
            let mode = if linked { BlockMode::Linked } else { BlockMode::Independent };
            let raw = bytes(length, seed);
            let frame = framed(&raw, mode, BlockSize::Auto);
            let mut out = vec![0; length];
            prop_assert_eq!(unpack(&frame, &mut out), Ok(()));
            prop_assert!(out == raw);
            prop_assert!(unpack(&frame[..cut.index(frame.len())], &mut out).is_err());
            prop_assert!(unpack(&[frame.as_slice(), b"x"].concat(), &mut out).is_err());
        }

        #[test]
        fn any_bytes_are_unpacked_without_a_panic(head in 0..8_usize, blocks in prop::collection::vec(any::<u8>(), 0..60)) {
            let frame = [MAGIC.as_slice(), &HEADS[head].0, &blocks].concat();
            let _ = unpack(&frame, &mut [0; 40]);
        }
    }
}
