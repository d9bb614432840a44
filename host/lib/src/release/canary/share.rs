//! Decides which boundaries take part in a canary.
//!
//! A boundary's position is the first 8 bytes of SHA-256(`provender.canary-share.v1` LF boundary id), read as a
//! big-endian number and divided by 2^64. It takes part in a canary of P percent if its position times 100 is
//! below P. The position depends only on the id. So the same boundaries take part every day and under every
//! release, and a larger share includes all boundaries of a smaller one.

use provender_domain::canonical::Digest;
use provender_domain::ids::BoundaryId;

/// Whether a boundary takes part in a canary of this share (percent, 1 to 100).
#[must_use]
pub(crate) fn takes_part(boundary_id: &BoundaryId, share: u32) -> bool {
    let digest = Digest::of_bytes(format!("provender.canary-share.v1\n{boundary_id}").as_bytes());
    let mut first = [0_u8; 8];
    for (to, from) in first.iter_mut().zip(digest.bytes()) {
        *to = *from;
    }
    // position · 100 < share, in integers.
    (u128::from(u64::from_be_bytes(first)) * 100) >> 64 < u128::from(share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_a_subset_of_every_larger_one_and_as_large_as_it_says() {
        let ids: Vec<BoundaryId> = (0..10_000)
            .map(|i| BoundaryId::unchecked(format!("pasture-{i}")))
            .collect();
        let of = |share| ids.iter().filter(|id| takes_part(id, share)).count();
        assert_eq!((of(0), of(100)), (0, 10_000));
        for share in [1, 5, 20, 50, 99] {
            let expected = i64::from(share) * 100;
            let found = i64::try_from(of(share)).unwrap();
            // Five standard deviations of a binomial distribution with n = 10,000.
            assert!((found - expected).abs() < 250, "{share}: {found}");
            assert!(
                ids.iter()
                    .filter(|id| takes_part(id, share))
                    .all(|id| takes_part(id, share + 1))
            );
        }
    }

    #[test]
    fn the_recipe_never_changes() {
        let smallest = |id: &str| {
            let id = BoundaryId::unchecked(id);
            (0..=100).find(|s| takes_part(&id, *s)).unwrap()
        };
        let places: Vec<u32> = ["north", "creek", "mesa", "home"].map(smallest).to_vec();
        assert_eq!(places, [52, 29, 95, 73]);
    }
}
