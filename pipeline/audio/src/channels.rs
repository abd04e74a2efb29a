//! What the channels of one recording have to do with each other, and how loud they are.

use callmark_core::transcript::Span;

/// Whether two channels can be taken for two speakers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelRelation {
    /// Two speakers, one on each.
    Separate,
    /// Each channel also carries the other speaker, quieter (joint stereo at a low bit rate, an echo).
    Leaking,
    /// The same sound on both: a mono recording in stereo clothes.
    Same,
}

/// Pearson correlation of two channels at the same moment, per mille (−1000…1000); 0 when one of them is silent.
///
/// Separate speakers give about 0; equal channels 1000; a leak of g (amplitude) in both directions about 2g / (1 + g²).
pub fn channel_correlation_permille(first: &[f32], second: &[f32]) -> i32 {
    let length = first.len().min(second.len());
    let (first, second) = (&first[..length], &second[..length]);
    let mean = |x: &[f32]| x.iter().map(|v| f64::from(*v)).sum::<f64>() / length.max(1) as f64;
    let (mean_first, mean_second) = (mean(first), mean(second));
    let (mut both, mut own_first, mut own_second) = (0.0f64, 0.0f64, 0.0f64);
    for (a, b) in first.iter().zip(second) {
        let (a, b) = (f64::from(*a) - mean_first, f64::from(*b) - mean_second);
        both += a * b;
        own_first += a * a;
        own_second += b * b;
    }
    let scale = (own_first * own_second).sqrt();
    // 1e-9: −90 dB full scale over the whole recording is silence.
    let silent = own_first.min(own_second) <= 1e-9 * length as f64;
    if silent || !scale.is_finite() { 0 } else { (both / scale * 1000.0).round() as i32 }
}

/// Judges a pair of channels: ≥ 950 ‰ is the same sound, ≥ 250 ‰ (a leak of about −18 dB both ways) leaks.
pub fn channel_relation(first: &[f32], second: &[f32]) -> ChannelRelation {
    // An inverted copy is a copy, too.
    match channel_correlation_permille(first, second).abs() {
        950.. => ChannelRelation::Same,
        250.. => ChannelRelation::Leaking,
        _ => ChannelRelation::Separate,
    }
}

/// Root-mean-square level of a span in hundredths of a decibel of full scale (0 = a full-scale square wave);
/// −10000 for digital silence and for a span without samples.
pub fn level_centi_dbfs(samples: &[f32], rate_hz: u32, span: Span) -> i32 {
    let index = |ms: i64| (ms.max(0) as u64 * u64::from(rate_hz) / 1000).min(samples.len() as u64) as usize;
    let part = samples.get(index(span.begin_ms)..index(span.end_ms)).unwrap_or(&[]);
    let power = part.iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>() / part.len().max(1) as f64;
    if power <= 1e-10 { -10_000 } else { (power.log10() * 1000.0).round() as i32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two unrelated sounds that do not need a random generator.
    fn sounds() -> (Vec<f32>, Vec<f32>) {
        let tone = |hz: f32| (0..16_000).map(move |n| 0.3 * (std::f32::consts::TAU * hz * n as f32 / 8_000.0).sin());
        (tone(440.0).collect(), tone(611.0).collect())
    }

    #[test]
    fn relations() {
        let (a, b) = sounds();
        let mix = |x: &[f32], y: &[f32], gain: f32| x.iter().zip(y).map(|(x, y)| x + gain * y).collect::<Vec<_>>();
        assert_eq!(channel_relation(&a, &b), ChannelRelation::Separate);
        assert_eq!(channel_relation(&a, &a), ChannelRelation::Same);
        let quieter: Vec<f32> = a.iter().map(|v| -0.1 * v).collect();
        assert_eq!(channel_relation(&a, &quieter), ChannelRelation::Same);
        // −10 dB each way: 2 · 0.316 / (1 + 0.1) = 0.575.
        let leak = channel_correlation_permille(&mix(&a, &b, 0.316), &mix(&b, &a, 0.316));
        assert!((565..=585).contains(&leak), "{leak}");
        assert_eq!(channel_relation(&mix(&a, &b, 0.316), &mix(&b, &a, 0.316)), ChannelRelation::Leaking);
        assert_eq!(channel_correlation_permille(&a, &vec![0.0; 16_000]), 0);
        // A constant offset on both is no common sound.
        let lifted = |x: &[f32]| x.iter().map(|v| v + 0.2).collect::<Vec<_>>();
        assert_eq!(channel_relation(&lifted(&a), &lifted(&b)), ChannelRelation::Separate);
        assert_eq!(channel_correlation_permille(&[], &[]), 0);
    }

    #[test]
    fn levels() {
        let (a, _) = sounds();
        // A sine of amplitude 0.3: 20 log10(0.3 / √2) = −13.47 dB.
        assert_eq!(level_centi_dbfs(&a, 8_000, Span { begin_ms: 0, end_ms: 2_000 }), -1_347);
        assert_eq!(level_centi_dbfs(&a, 8_000, Span { begin_ms: 5_000, end_ms: 6_000 }), -10_000);
        assert_eq!(level_centi_dbfs(&[0.0; 100], 8_000, Span { begin_ms: 0, end_ms: 10 }), -10_000);
        assert_eq!(level_centi_dbfs(&[1.0; 100], 8_000, Span { begin_ms: 5, end_ms: 2 }), -10_000);
    }
}
