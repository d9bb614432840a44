//! The distance of two numbers in units in the last place.

/// How many float64 values lie from one number to the other (units in the last place): 1 for
/// neighbours. Both are finite.
#[must_use]
#[expect(clippy::expect_used, reason = "there are fewer than 2^64 numbers")]
pub(super) fn ulps(a: f64, b: f64) -> u64 {
    // The bits of positive floats count upwards like integers; negative ones are mirrored.
    let rank = |x: f64| {
        let bits = x.to_bits();
        if bits >> 63 == 1 {
            -i128::from(bits & !(1 << 63))
        } else {
            i128::from(bits)
        }
    };
    u64::try_from((rank(a) - rank(b)).unsigned_abs()).expect("fewer than 2^64 numbers")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_one_apart_also_across_zero() {
        assert_eq!(ulps(1.0, 1.0), 0);
        assert_eq!(ulps(1.0, 1.0 + f64::EPSILON), 1);
        assert_eq!(ulps(-f64::from_bits(1), f64::from_bits(1)), 2);
        assert_eq!(ulps(0.0, -0.0), 0);
        assert!(ulps(f64::MAX, f64::MIN) > 1 << 62);
    }
}
