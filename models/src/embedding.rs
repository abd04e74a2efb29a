//! From an encoder's unit vector to the int8 embedding that records keep.

use callmark_core::transcript::Embedding;

/// Rounds a unit vector to int8 (× 127, nearest, ties away from zero). NaN becomes 0.
pub fn quantise(unit: &[f32]) -> Embedding {
    // `as` saturates and turns NaN into 0.
    Embedding(unit.iter().map(|x| (x * 127.0).round().clamp(-127.0, 127.0) as i8).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn components_are_rounded_and_clamped() {
        assert_eq!(quantise(&[0.0, 1.0, -1.0, 0.5, 1.5, f32::NAN]).0, [0, 127, -127, 64, 127, 0]);
    }
}
