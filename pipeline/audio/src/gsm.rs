//! GSM 06.10 full rate (13 kbit/s, "GSM" of voice mail and recorders) → samples, in the integers of the standard.
//!
//! Written from ETSI EN 300 961 (GSM 06.10), whose section numbers stand beside the steps. A frame of 260 bits becomes 160
//! samples: a coarse residual (regular pulses, section 5.3.2) on top of a repetition of the residual one pitch period
//! earlier, shaped by a lattice filter of the mouth's resonances. Every addition saturates and every product rounds as
//! the standard says, so that all decoders give equal bits. Decoder homing frames are not treated apart.

/// Samples of one frame: 20 ms at the codec's 8 kHz.
const FRAME_SAMPLES: usize = 160;
/// Samples of one block of a WAV file.
pub(crate) const PAIR_SAMPLES: usize = 2 * FRAME_SAMPLES;
/// Samples of one sub-frame: each has a pitch and pulses of its own.
const SUBFRAME_SAMPLES: usize = 40;
/// How far back the residual is kept; the longest pitch period.
const LONGEST_LAG: usize = 120;
const SHORTEST_LAG: usize = 40;
const PULSES: usize = 13;

/// How frames are laid into bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// 33 bytes a frame, a mark of four bits (0xD) before it, most significant bit first (RFC 3551, 4.5.8).
    Marked,
    /// 65 bytes for two frames, no mark, least significant bit first (Microsoft, WAV tag 0x31).
    Pairs,
}

impl Framing {
    const fn block_bytes(self) -> usize {
        match self {
            Framing::Marked => 33,
            Framing::Pairs => 65,
        }
    }

    /// The frames that a block of so many bytes holds; a pair that was cut may still have its first.
    const fn frames_in(self, bytes: usize) -> usize {
        match self {
            Framing::Marked => bytes / 33,
            Framing::Pairs => bytes * 8 / 260,
        }
    }

    /// Samples that so many bytes hold.
    pub const fn samples_in(self, bytes: usize) -> usize {
        let rest = bytes % self.block_bytes();
        let blocks = bytes / self.block_bytes();
        (blocks * self.frames_in(self.block_bytes()) + self.frames_in(rest)) * FRAME_SAMPLES
    }
}

/// What bytes of GSM frames gave.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Decoded {
    pub samples: Vec<i16>,
    /// Frames without their mark; they are silence.
    pub bad_frames: usize,
    /// The last frame is not whole; it is left out.
    pub is_cut: bool,
}

/// Decodes frame after frame. Needs two bytes of memory for each of [`Framing::samples_in`].
pub(crate) fn decode(bytes: &[u8], framing: Framing) -> Decoded {
    let mut decoder = Decoder::new();
    let mut samples = Vec::with_capacity(framing.samples_in(bytes.len()));
    let mut bad_frames = 0;
    for block in bytes.chunks(framing.block_bytes()) {
        let mut bits = Bits { bytes: block, at: 0, framing };
        for _ in 0..framing.frames_in(block.len()) {
            if framing == Framing::Marked && bits.take(4) != 0xD {
                bad_frames += 1;
                samples.extend([0; FRAME_SAMPLES]);
            } else {
                samples.extend(decoder.frame(&mut bits));
            }
        }
    }
    // A chunk of RIFF is padded to an even size: one byte too many is no sound that was lost.
    let rest = bytes.len() % framing.block_bytes();
    let is_cut = if framing == Framing::Pairs { rest > 1 } else { rest > 0 };
    Decoded { samples, bad_frames, is_cut }
}

/// Reads a frame's parameters one after the other.
struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    framing: Framing,
}

impl Bits<'_> {
    /// The next parameter of `width` bits, at most 7.
    fn take(&mut self, width: usize) -> i16 {
        let mut value = 0;
        for place in 0..width {
            // Behind the end, which no caller reaches, there are zeros.
            let byte = self.bytes.get(self.at / 8).copied().unwrap_or(0);
            match self.framing {
                Framing::Marked => value = value << 1 | i16::from(byte >> (7 - self.at % 8) & 1),
                Framing::Pairs => value |= i16::from(byte >> (self.at % 8) & 1) << place,
            }
            self.at += 1;
        }
        value
    }
}

/// How one of the eight log-area ratios is coded (tables 4.1 and 4.2).
struct RatioCode {
    width: usize,
    lowest: i16,
    offset: i16,
    /// 1/A of the standard, times 32768·2.
    inverse_scale: i16,
}

const fn ratio(width: usize, lowest: i16, offset: i16, inverse_scale: i16) -> RatioCode {
    RatioCode { width, lowest, offset, inverse_scale }
}

const RATIOS: [RatioCode; 8] = [
    ratio(6, -32, 0, 13_107),
    ratio(6, -32, 0, 13_107),
    ratio(5, -16, 2_048, 13_107),
    ratio(5, -16, -2_560, 13_107),
    ratio(4, -8, 94, 19_223),
    ratio(4, -8, -1_792, 17_476),
    ratio(3, -4, -341, 31_454),
    ratio(3, -4, -1_144, 29_708),
];
/// Gain of the repetition (table 4.3b, QLB).
const LAG_GAINS: [i16; 4] = [3_277, 11_469, 21_299, 32_767];
/// Mantissas of a sub-frame's largest pulse (table 4.6, FAC).
const MANTISSAS: [i16; 8] = [18_431, 20_479, 22_527, 24_575, 26_623, 28_671, 30_719, 32_767];
/// 0.86: undoes the encoder's pre-emphasis.
const DE_EMPHASIS: i16 = 28_180;

/// A rounded product of two fractions of 32768 (`mult_r`, section 5.1); −1 · −1 saturates.
fn product(a: i16, b: i16) -> i16 {
    ((i32::from(a) * i32::from(b) + 16_384) >> 15).min(32_767) as i16
}

/// What one frame leaves for the next.
struct Decoder {
    /// The residual: what the longest pitch reaches back to, then the sub-frame at work.
    residual: [i16; LONGEST_LAG + SUBFRAME_SAMPLES],
    lag: usize,
    /// Log-area ratios of the frame before.
    ratios: [i16; 8],
    /// Memory of the lattice filter.
    lattice: [i16; 9],
    last: i16,
}

impl Decoder {
    fn new() -> Decoder {
        Decoder { residual: [0; 160], lag: SHORTEST_LAG, ratios: [0; 8], lattice: [0; 9], last: 0 }
    }

    fn frame(&mut self, bits: &mut Bits) -> [i16; FRAME_SAMPLES] {
        let ratios = std::array::from_fn(|index| log_area_ratio(bits.take(RATIOS[index].width), &RATIOS[index]));
        let mut samples = [0; FRAME_SAMPLES];
        for subframe in samples.chunks_exact_mut(SUBFRAME_SAMPLES) {
            let (lag, gain) = (bits.take(7) as usize, bits.take(2));
            let pulses = pulses(bits);
            self.repeat(lag, LAG_GAINS[gain as usize], &pulses);
            subframe.copy_from_slice(&self.residual[LONGEST_LAG..]);
            self.residual.copy_within(SUBFRAME_SAMPLES.., 0);
        }
        self.synthesize(&ratios, &mut samples);
        self.ratios = ratios;
        for sample in &mut samples {
            // Section 5.3.5: de-emphasis, then 13 bits in 16.
            self.last = sample.saturating_add(product(self.last, DE_EMPHASIS));
            *sample = self.last.saturating_add(self.last) & !7;
        }
        samples
    }

    /// Long-term synthesis (section 5.3.2): the residual one pitch period ago, with the pulses on it.
    fn repeat(&mut self, lag: usize, gain: i16, pulses: &[i16; SUBFRAME_SAMPLES]) {
        // A lag that no encoder writes means that the frame was damaged; the last good one is the best guess.
        if (SHORTEST_LAG..=LONGEST_LAG).contains(&lag) {
            self.lag = lag;
        }
        for (place, pulse) in (LONGEST_LAG..).zip(pulses) {
            self.residual[place] = pulse.saturating_add(product(gain, self.residual[place - self.lag]));
        }
    }

    /// Short-term synthesis (sections 5.3.3 and 5.3.4): the residual through the lattice, whose coefficients glide from the
    /// last frame's to this one's within the first 40 samples.
    fn synthesize(&mut self, ratios: &[i16; 8], samples: &mut [i16; FRAME_SAMPLES]) {
        let mixed = |before: fn(i16) -> i16, now: fn(i16) -> i16| {
            std::array::from_fn(|i| before(self.ratios[i]).saturating_add(now(ratios[i])))
        };
        // Each part is rounded down by itself.
        let three_quarters = |x: i16| (x >> 2).saturating_add(x >> 1);
        let parts: [(usize, [i16; 8]); 4] = [
            (13, mixed(three_quarters, |now| now >> 2)),
            (14, mixed(|before| before >> 1, |now| now >> 1)),
            (13, mixed(|before| before >> 2, three_quarters)),
            (120, *ratios),
        ];
        let mut rest = &mut samples[..];
        for (count, ratios) in parts {
            let (part, behind) = rest.split_at_mut(count);
            let reflections = ratios.map(reflection);
            part.iter_mut().for_each(|sample| *sample = self.filter(&reflections, *sample));
            rest = behind;
        }
    }

    fn filter(&mut self, reflections: &[i16; 8], residual: i16) -> i16 {
        let mut sample = residual;
        for stage in (0..8).rev() {
            sample = sample.saturating_sub(product(reflections[stage], self.lattice[stage]));
            self.lattice[stage + 1] = self.lattice[stage].saturating_add(product(reflections[stage], sample));
        }
        self.lattice[0] = sample;
        sample
    }
}

/// Section 5.3.1 (as 5.2.8): the coded number of a log-area ratio → the ratio.
fn log_area_ratio(coded: i16, code: &RatioCode) -> i16 {
    let scaled = ((coded + code.lowest) << 10).saturating_sub(code.offset << 1);
    let half = product(code.inverse_scale, scaled);
    half.saturating_add(half)
}

/// Section 5.2.9.2: a log-area ratio → the filter's reflection coefficient, by three straight lines.
fn reflection(ratio: i16) -> i16 {
    let size = ratio.saturating_abs();
    let coefficient = match size {
        ..11_059 => size << 1,
        11_059..20_070 => size + 11_059,
        20_070.. => (size >> 2).saturating_add(26_112),
    };
    if ratio < 0 { -coefficient } else { coefficient }
}

/// Sections 5.2.15 to 5.2.17: thirteen pulses at every third place, scaled by the largest.
fn pulses(bits: &mut Bits) -> [i16; SUBFRAME_SAMPLES] {
    let (grid, largest) = (bits.take(2) as usize, bits.take(6));
    let mut exponent = if largest > 15 { (largest >> 3) - 1 } else { 0 };
    let mut mantissa = largest - (exponent << 3);
    if mantissa == 0 {
        (exponent, mantissa) = (-4, 7);
    } else {
        while mantissa <= 7 {
            mantissa = mantissa << 1 | 1;
            exponent -= 1;
        }
        mantissa -= 8;
    }
    // The exponent is −4 to 6.
    let shift = 6 - exponent;
    let half = if shift > 0 { 1 << (shift - 1) } else { 0 };
    let mut out = [0; SUBFRAME_SAMPLES];
    for pulse in 0..PULSES {
        let level = ((bits.take(3) << 1) - 7) << 12;
        out[grid + 3 * pulse] = product(MANTISSAS[mantissa as usize], level).saturating_add(half) >> shift;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn blocks_hold_frames() {
        for (framing, bytes, frames) in [
            (Framing::Marked, 0, 0),
            (Framing::Marked, 32, 0),
            (Framing::Marked, 70, 2),
            (Framing::Pairs, 32, 0),
            (Framing::Pairs, 33, 1),
            (Framing::Pairs, 64, 1),
            (Framing::Pairs, 65 + 33, 3),
        ] {
            assert_eq!(framing.samples_in(bytes), frames * FRAME_SAMPLES, "{framing:?}, {bytes} bytes");
        }
    }

    #[test]
    fn frames_without_their_mark_are_silence() {
        let decoded = decode(&[[0xff; 33], [0xd5; 33], [0x00; 33]].concat(), Framing::Marked);
        assert_eq!((decoded.bad_frames, decoded.is_cut), (2, false));
        assert!(decoded.samples[..160].iter().chain(&decoded.samples[320..]).all(|sample| *sample == 0));
        assert!(decoded.samples[160..320].iter().any(|sample| *sample != 0));
    }

    proptest! {
        #[test]
        fn any_bytes_give_their_number_of_samples(bytes in prop::collection::vec(any::<u8>(), 0..2_000)) {
            for framing in [Framing::Marked, Framing::Pairs] {
                let decoded = decode(&bytes, framing);
                prop_assert_eq!(decoded.samples.len(), framing.samples_in(bytes.len()));
                prop_assert!(decoded.samples.iter().all(|sample| sample & 7 == 0));
            }
        }

        /// Frames that carry their mark, so that every parameter takes every value.
        #[test]
        fn both_framings_say_the_same(bits in prop::collection::vec(any::<bool>(), 520 * 3)) {
            let (mut marked, mut pairs) = (Vec::new(), vec![0u8; 65 * 3]);
            // Parameters are read in the standard's order; only the order of the bits within them differs.
            let widths: Vec<usize> = [6, 6, 5, 5, 4, 4, 3, 3]
                .into_iter()
                .chain((0..4).flat_map(|_| [7, 2, 2, 6].into_iter().chain([3; 13])))
                .collect();
            let mut at = 0;
            for frame in bits.chunks_exact(260) {
                let mut out = vec![true, true, false, true];
                let mut rest = frame;
                for width in &widths {
                    let (parameter, behind) = rest.split_at(*width);
                    out.extend(parameter);
                    for bit in parameter.iter().rev() {
                        pairs[at / 8] |= u8::from(*bit) << (at % 8);
                        at += 1;
                    }
                    rest = behind;
                }
                marked.extend(out.chunks(8).map(|byte| byte.iter().fold(0u8, |sum, bit| sum << 1 | u8::from(*bit))));
            }
            prop_assert_eq!(decode(&marked, Framing::Marked), decode(&pairs, Framing::Pairs));
        }
    }
}
