//! The Merkle tree of RFC 6962 section 2.1 over SHA-256, with prefix 0x00 for leaves and 0x01 for nodes. Computes roots
//! and proofs that a leaf is in a tree or that a tree only grew, and checks proofs as in RFC 9162.

use sha2::{Digest as _, Sha256};

/// The hash of a node or leaf.
pub type Hash = [u8; 32];

/// The hash of one leaf.
#[must_use]
pub fn leaf(data: &[u8]) -> Hash {
    Sha256::new()
        .chain_update([0])
        .chain_update(data)
        .finalize()
        .into()
}

fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::new()
        .chain_update([1])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

/// The root over leaf hashes in order; for an empty list the hash of nothing.
#[must_use]
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Sha256::digest([]).into(),
        [one] => *one,
        many => {
            let (left, right) = many.split_at(split(many.len()));
            node(&root(left), &root(right))
        }
    }
}

/// From this number of leaves, another core hashes half of them: starting a thread costs as much as hashing some
/// hundred leaves.
const SPLIT: usize = 1 << 14;

/// The root over leaves computed from items, in order; uses several cores for many items.
#[must_use]
pub fn root_of<T: Sync>(of: &[T], leaf: &(dyn Fn(&T) -> Hash + Sync)) -> Hash {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    split_root(of, leaf, threads)
}

fn split_root<T: Sync>(of: &[T], leaf: &(dyn Fn(&T) -> Hash + Sync), threads: usize) -> Hash {
    if threads < 2 || of.len() < SPLIT {
        let leaves: Vec<Hash> = of.iter().map(leaf).collect();
        return root(&leaves);
    }
    // The left side is a power of two; the right side is the rest and can be small.
    let (left, right) = of.split_at(split(of.len()));
    let (left, right) = std::thread::scope(|scope| {
        let beside = scope.spawn(|| split_root(left, leaf, threads / 2));
        let right = split_root(right, leaf, threads - threads / 2);
        match beside.join() {
            Ok(left) => (left, right),
            // A panic of a thread is a bug in this program, so it continues as a panic.
            Err(panic) => std::panic::resume_unwind(panic),
        }
    });
    node(&left, &right)
}

/// The root over rows, which have no order: over their leaf hashes in ascending order.
#[must_use]
pub fn set_root(mut leaves: Vec<Hash>) -> Hash {
    leaves.sort_unstable();
    root(&leaves)
}

/// The largest power of two below `n`, where the RFC splits; `n` is at least 2.
fn split(n: usize) -> usize {
    1 << (usize::BITS - 1 - (n - 1).leading_zeros())
}

/// The sibling hashes on the path from a leaf to the root, from the bottom; `None` if there is no such leaf.
#[must_use]
pub fn inclusion(leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    if index >= leaves.len() {
        return None;
    }
    let (mut leaves, mut index, mut path) = (leaves, index, Vec::new());
    while leaves.len() > 1 {
        let at = split(leaves.len());
        let (left, right) = leaves.split_at(at);
        if index < at {
            path.push(root(right));
            leaves = left;
        } else {
            path.push(root(left));
            leaves = right;
            index -= at;
        }
    }
    path.reverse();
    Some(path)
}

/// Whether a path connects a leaf hash to a root (RFC 9162, 2.1.3.2).
#[must_use]
pub fn is_included(leaf: &Hash, index: u64, size: u64, path: &[Hash], expected: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node(sibling, &hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *expected
}

/// The hashes that prove that the tree over the first `old` leaves is a prefix of the whole tree; `None` if `old` is 0
/// or larger than the number of leaves.
#[must_use]
pub fn consistency(leaves: &[Hash], old: usize) -> Option<Vec<Hash>> {
    if old == 0 || old > leaves.len() {
        return None;
    }
    let (mut leaves, mut old, mut known, mut proof) = (leaves, old, true, Vec::new());
    while old < leaves.len() {
        let at = split(leaves.len());
        let (left, right) = leaves.split_at(at);
        if old <= at {
            proof.push(root(right));
            leaves = left;
        } else {
            proof.push(root(left));
            leaves = right;
            old -= at;
            known = false;
        }
    }
    if !known {
        proof.push(root(leaves));
    }
    proof.reverse();
    Some(proof)
}

/// Whether a proof shows that the tree with one root is a prefix of the tree with another (RFC 9162, 2.1.4.2).
#[must_use]
pub fn is_consistent(old: u64, new: u64, old_root: &Hash, new_root: &Hash, proof: &[Hash]) -> bool {
    if old == 0 || old >= new {
        return old == new && old != 0 && proof.is_empty() && old_root == new_root;
    }
    let mut hashes = proof.iter();
    // A complete subtree is itself the first node of the proof.
    let first = if old.is_power_of_two() {
        Some(old_root)
    } else {
        hashes.next()
    };
    let Some(first) = first else { return false };
    let (mut at, mut last) = (old - 1, new - 1);
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    let (mut before, mut after) = (*first, *first);
    for sibling in hashes {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            before = node(sibling, &before);
            after = node(sibling, &after);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            after = node(&after, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && before == *old_root && after == *new_root
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical::hex;
    use proptest::prelude::*;

    /// The leaves of Certificate Transparency's own test suite.
    fn leaves() -> Vec<Hash> {
        let data: [&[u8]; 8] = [
            b"",
            &[0x00],
            &[0x10],
            &[0x20, 0x21],
            &[0x30, 0x31],
            &[0x40, 0x41, 0x42, 0x43],
            &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
            &[
                0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d,
                0x6e, 0x6f,
            ],
        ];
        data.iter().map(|d| leaf(d)).collect()
    }

    fn hexes(path: &[Hash]) -> Vec<String> {
        path.iter().map(|h| hex(h)).collect()
    }

    #[test]
    fn many_leaves_have_the_same_root_on_any_number_of_cores() {
        let one = |n: &usize| leaf(&n.to_le_bytes());
        for count in [0, 1, SPLIT - 1, SPLIT, SPLIT + 1, 2 * SPLIT, 3 * SPLIT + 7] {
            let of: Vec<usize> = (0..count).collect();
            let expected = root(&of.iter().map(one).collect::<Vec<_>>());
            assert_eq!(root_of(&of, &one), expected);
            for threads in 1..6 {
                assert_eq!(
                    split_root(&of, &one, threads),
                    expected,
                    "{count} by {threads}"
                );
            }
        }
    }

    #[test]
    fn roots_agree_with_the_certificate_transparency_vectors() {
        let leaves = leaves();
        for (n, expected) in [
            (
                0,
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ),
            (
                1,
                "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            ),
            (
                2,
                "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            ),
            (
                3,
                "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            ),
            (
                8,
                "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
            ),
        ] {
            assert_eq!(hex(&root(&leaves[..n])), expected, "{n} leaves");
        }
    }

    #[test]
    fn inclusion_proofs_agree_with_the_certificate_transparency_vectors() {
        let vectors: [(usize, usize, &[&str]); 5] = [
            (0, 1, &[]),
            (
                0,
                8,
                &[
                    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
                ],
            ),
            (
                5,
                8,
                &[
                    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                ],
            ),
            (
                2,
                3,
                &["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
            ),
            (
                1,
                5,
                &[
                    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                ],
            ),
        ];
        for (index, size, expected) in vectors {
            let path = inclusion(&leaves()[..size], index).unwrap();
            assert_eq!(hexes(&path), expected, "leaf {index} of {size}");
        }
        assert_eq!(inclusion(&leaves(), 8), None);
    }

    #[test]
    fn consistency_proofs_agree_with_the_certificate_transparency_vectors() {
        let vectors: [(usize, usize, &[&str]); 4] = [
            (1, 1, &[]),
            (
                1,
                8,
                &[
                    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
                ],
            ),
            (
                6,
                8,
                &[
                    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                ],
            ),
            (
                2,
                5,
                &[
                    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                ],
            ),
        ];
        for (old, new, expected) in vectors {
            let proof = consistency(&leaves()[..new], old).unwrap();
            assert_eq!(hexes(&proof), expected, "{old} of {new}");
        }
        assert_eq!(consistency(&leaves(), 0), None);
        assert_eq!(consistency(&leaves(), 9), None);
    }

    #[test]
    fn rows_have_one_root_in_any_order() {
        let mut turned = leaves();
        turned.reverse();
        assert_eq!(set_root(turned), set_root(leaves()));
        assert_ne!(set_root(leaves()[1..].to_vec()), set_root(leaves()));
    }

    proptest! {
        #[test]
        fn every_proof_holds_and_no_other_leaf_size_or_root_does(size in 1_usize..70, pick in any::<prop::sample::Index>(), flip in any::<prop::sample::Index>()) {
            let leaves: Vec<Hash> = (0..size).map(|i| leaf(&i.to_be_bytes())).collect();
            let whole = root(&leaves);
            let index = pick.index(size);
            let path = inclusion(&leaves, index).unwrap();
            let (i, n) = (index as u64, size as u64);
            prop_assert!(is_included(&leaves[index], i, n, &path, &whole));
            prop_assert!(!is_included(&leaf(b"another"), i, n, &path, &whole));
            prop_assert!(!is_included(&leaves[index], i, n, &path, &leaves[index]) || size == 1);
            for other in 0..n {
                prop_assert!(other == i || !is_included(&leaves[index], other, n, &path, &whole));
            }
            let old = index + 1;
            let proof = consistency(&leaves, old).unwrap();
            let before = root(&leaves[..old]);
            prop_assert!(is_consistent(old as u64, n, &before, &whole, &proof));
            prop_assert!(!is_consistent(old as u64, n, &leaf(b"another"), &whole, &proof));
            prop_assert!(!is_consistent(old as u64, n, &before, &leaf(b"another"), &proof));
            if !proof.is_empty() {
                let mut changed = proof.clone();
                changed[flip.index(proof.len())][0] ^= 1;
                prop_assert!(!is_consistent(old as u64, n, &before, &whole, &changed));
                prop_assert!(!is_consistent(old as u64, n, &before, &whole, &proof[1..]));
            }
        }
    }
}
