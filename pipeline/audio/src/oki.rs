//! OKI/Dialogic ADPCM (`.vox`; WAV tags 0x10 and 0x17): four bits a sample, no header, no blocks.
//!
//! Written from Dialogic's "Dialogic ADPCM Algorithm" (1988): each code moves the sample by an odd number of eighths of a
//! step, and the step grows with large codes and shrinks with small ones. 12-bit samples, here in the upper bits of 16; what
//! goes beyond is held at the 16-bit limits, as SoX does.

/// Samples of one byte.
pub(crate) const SAMPLES_A_BYTE: usize = 2;

/// Steps in units of a 12-bit sample; each is a tenth larger than the one before.
const STEPS: [i32; 49] = [
    16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97, 107, 118, 130, 143, 157, 173, 190,
    209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724, 796, 876, 963, 1060, 1166, 1282, 1411, 1552,
];
/// How many places the step moves after a code, by the code's size.
const MOVES: [i32; 8] = [-1, -1, -1, -1, 2, 4, 6, 8];

/// Decodes bytes, upper half first, into two samples each. Every byte is valid.
pub(crate) fn decode(bytes: &[u8]) -> Vec<i16> {
    let (mut sample, mut step_at) = (0i32, 0i32);
    let codes = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let mut samples = Vec::with_capacity(bytes.len() * SAMPLES_A_BYTE);
    samples.extend(codes.map(|code| {
        let size = i32::from(code & 7);
        // Eighths are cut off in 12 bits, before the four lower bits come behind.
        let change = ((STEPS[step_at as usize] * (2 * size + 1)) >> 3) << 4;
        let moved = if code & 8 == 0 { sample + change } else { sample - change };
        sample = moved.clamp(i32::from(i16::MIN), i32::from(i16::MAX));
        step_at = (step_at + MOVES[size as usize]).clamp(0, STEPS.len() as i32 - 1);
        sample as i16
    }));
    samples
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn codes_move_by_eighths_of_the_step() {
        // Step 16: one eighth up, one eighth down; then fifteen eighths, after which the step is the ninth, 34.
        assert_eq!(decode(&[0x08, 0x70]), [2 << 4, 0, 30 << 4, (30 + 4) << 4]);
    }

    proptest! {
        #[test]
        fn any_bytes_give_two_samples_each(bytes in prop::collection::vec(any::<u8>(), 0..4_000)) {
            prop_assert_eq!(decode(&bytes).len(), 2 * bytes.len());
        }
    }
}
