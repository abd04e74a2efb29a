//! The decoder on recordings as they come: whole, lying, cut, foreign and hostile. All files are made here.

use callmark_audio::{Audio, AudioError, Limits, decode, decode_named};
use hound::{SampleFormat, WavSpec, WavWriter};
use std::io::Cursor;

/// A tone on the first channel, a slower one on the second, …
fn tone(channel: usize, n: usize, rate_hz: u32) -> f32 {
    0.5 * (std::f32::consts::TAU * 300.0 / (channel + 1) as f32 * n as f32 / rate_hz as f32).sin()
}

fn wav(channels: u16, rate_hz: u32, bits: u16, format: SampleFormat, frames: usize) -> Vec<u8> {
    let mut out = Cursor::new(Vec::new());
    let spec = WavSpec { channels, sample_rate: rate_hz, bits_per_sample: bits, sample_format: format };
    let mut writer = WavWriter::new(&mut out, spec).unwrap();
    for n in 0..frames {
        for channel in 0..usize::from(channels) {
            let value = tone(channel, n, rate_hz);
            match format {
                SampleFormat::Float => writer.write_sample(value).unwrap(),
                SampleFormat::Int => {
                    writer.write_sample((value * ((1u64 << (bits - 1)) - 1) as f32) as i32).unwrap();
                }
            }
        }
    }
    writer.finalize().unwrap();
    out.into_inner()
}

/// A RIFF file with any format chunk.
fn riff(format: &[u8], data: &[u8], data_size: u32) -> Vec<u8> {
    let mut out = b"RIFF".to_vec();
    out.extend_from_slice(&((4 + 8 + format.len() + 8 + data.len()) as u32).to_le_bytes());
    out.extend_from_slice(b"WAVEfmt ");
    out.extend_from_slice(&(format.len() as u32).to_le_bytes());
    out.extend_from_slice(format);
    out.extend_from_slice(b"data");
    out.extend_from_slice(&data_size.to_le_bytes());
    out.extend_from_slice(data);
    out
}

fn format_chunk(tag: u16, channels: u16, rate_hz: u32, bits: u16) -> Vec<u8> {
    let frame = channels * (bits / 8);
    let mut out = Vec::new();
    out.extend_from_slice(&tag.to_le_bytes());
    out.extend_from_slice(&channels.to_le_bytes());
    out.extend_from_slice(&rate_hz.to_le_bytes());
    out.extend_from_slice(&(rate_hz.wrapping_mul(u32::from(frame))).to_le_bytes());
    out.extend_from_slice(&frame.to_le_bytes());
    out.extend_from_slice(&bits.to_le_bytes());
    out
}

fn ok(bytes: &[u8]) -> Audio {
    decode(bytes, &Limits::default()).unwrap()
}

fn code(bytes: &[u8]) -> &'static str {
    let error = decode(bytes, &Limits::default()).unwrap_err();
    assert!(!error.hint().is_empty() && !error.to_string().is_empty());
    error.code()
}

fn assert_tone(audio: &Audio, tolerance: f32) {
    for (channel, samples) in audio.channels.iter().enumerate() {
        for (n, sample) in samples.iter().enumerate() {
            let wanted = tone(channel, n, audio.sample_rate_hz);
            assert!((sample - wanted).abs() <= tolerance, "channel {channel}, sample {n}: {sample} not {wanted}");
        }
    }
}

#[test]
fn pcm_of_every_width() {
    for (bits, format, tolerance) in [
        (8, SampleFormat::Int, 0.013),
        (16, SampleFormat::Int, 1e-4),
        (24, SampleFormat::Int, 1e-6),
        (32, SampleFormat::Int, 1e-6),
        (32, SampleFormat::Float, 0.0),
    ] {
        for channels in [1, 2, 3] {
            let audio = ok(&wav(channels, 8_000, bits, format, 800));
            assert_eq!((audio.channels.len(), audio.channels[0].len()), (usize::from(channels), 800));
            assert_eq!((audio.sample_rate_hz, audio.container, audio.duration_ms()), (8_000, "WAV", 100));
            assert_eq!(audio.warnings, Vec::<String>::new());
            assert_tone(&audio, tolerance);
        }
    }
}

/// ITU-T G.711 expansion, written from the recommendation: an independent check of the decoder.
fn mulaw(byte: u8) -> f32 {
    let byte = !byte;
    let magnitude = ((i32::from(byte & 0x0f) << 3) + 0x84) << ((byte >> 4) & 7);
    let value = magnitude - 0x84;
    (if byte & 0x80 != 0 { -value } else { value }) as f32 / 32_768.0
}

fn alaw(byte: u8) -> f32 {
    let byte = byte ^ 0x55;
    let (exponent, mantissa) = ((byte >> 4) & 7, i32::from(byte & 0x0f) << 4);
    let value = if exponent == 0 { mantissa + 8 } else { (mantissa + 0x108) << (exponent - 1) };
    (if byte & 0x80 != 0 { value } else { -value }) as f32 / 32_768.0
}

#[test]
fn g711_is_exact_for_all_codes() {
    let codes: Vec<u8> = (0..=255).collect();
    for (tag, expand, name) in [(7, mulaw as fn(u8) -> f32, "pcm_mulaw"), (6, alaw, "pcm_alaw")] {
        let audio = ok(&riff(&format_chunk(tag, 1, 8_000, 8), &codes, 256));
        assert_eq!(audio.codec, name);
        let wanted: Vec<f32> = codes.iter().map(|code| expand(*code)).collect();
        assert_eq!(audio.channels[0], wanted, "{name}");
    }
}

#[test]
fn lying_sizes_are_repaired() {
    let good = wav(2, 8_000, 16, SampleFormat::Int, 4_000);
    let whole = ok(&good);
    let data_at = good.windows(4).position(|w| w == b"data").unwrap();
    let with = |at: usize, size: u32| {
        let mut bytes = good.clone();
        bytes[at..at + 4].copy_from_slice(&size.to_le_bytes());
        ok(&bytes)
    };
    for (size, warned) in [(0, true), (u32::MAX, true), (u32::MAX - 1, true), (50_000, true)] {
        let audio = with(data_at + 4, size);
        assert_eq!(audio.channels, whole.channels, "data size {size}");
        assert_eq!(!audio.warnings.is_empty(), warned, "{:?}", audio.warnings);
    }
    // The outer size is of no use to anyone.
    for size in [0, 1, u32::MAX] {
        assert_eq!(with(4, size).channels, whole.channels, "RIFF size {size}");
    }
    // A-law and µ-law take the other path.
    let codes = [0x55u8; 1000];
    for size in [0, u32::MAX, 5_000] {
        let audio = ok(&riff(&format_chunk(6, 1, 8_000, 8), &codes, size));
        assert_eq!((audio.channels[0].len(), audio.warnings.len()), (1000, 1), "µ-law size {size}");
    }
}

#[test]
fn rf64_with_its_size_in_ds64() {
    let good = wav(1, 8_000, 16, SampleFormat::Int, 1_000);
    let mut bytes = b"RF64\xff\xff\xff\xffWAVEds64".to_vec();
    bytes.extend_from_slice(&28u32.to_le_bytes());
    bytes.extend_from_slice(&0u64.to_le_bytes());
    bytes.extend_from_slice(&2_000u64.to_le_bytes());
    bytes.extend_from_slice(&[0; 12]);
    bytes.extend_from_slice(&good[12..36]);
    bytes.extend_from_slice(b"data\xff\xff\xff\xff");
    bytes.extend_from_slice(&good[44..]);
    bytes.extend_from_slice(b"LIST\x04\0\0\0INFO");
    let audio = ok(&bytes);
    assert_eq!(audio.channels, ok(&good).channels);
    assert!(audio.warnings.is_empty(), "{:?}", audio.warnings);
}

#[test]
fn cut_files_give_what_is_there() {
    let good = wav(2, 8_000, 16, SampleFormat::Int, 4_000);
    let half = ok(&good[..good.len() / 2 + 1]);
    assert!((1_985..2_000).contains(&half.channels[0].len()), "{}", half.channels[0].len());
    assert_eq!(half.channels[0].len(), half.channels[1].len());
    assert!(half.warnings[0].contains("cut"), "{:?}", half.warnings);
    assert_tone(&half, 1e-4);
    // Every cut gives sound or an error that says why; none panics.
    for end in 0..200 {
        if let Err(error) = decode(&good[..end], &Limits::default()) {
            assert!(!error.to_string().is_empty());
        }
    }
}

#[test]
fn what_is_no_recording_is_named() {
    assert_eq!(code(b""), "empty");
    assert_eq!(code(b"<!DOCTYPE html><html><body>404 not found</body></html>"), "not_audio");
    assert_eq!(code(b"PK\x03\x04 and so on"), "not_audio");
    assert_eq!(code(&[0u8; 4096]), "not_audio");
    assert_eq!(code(b"#!SILK_V3<<<<"), "unsupported_container");
    assert_eq!(code(&wav(1, 8_000, 16, SampleFormat::Int, 0)), "no_samples");
    assert_eq!(code(&riff(&format_chunk(1, 0, 8_000, 16), &[0; 100], 100)), "bad_header");
    assert_eq!(code(&riff(&format_chunk(1, 1, 8_000, 7), &[0; 100], 100)), "bad_header");
    assert_eq!(code(&riff(&format_chunk(1, 1, 0, 16), &[0; 100], 100)), "sample_rate");
    assert_eq!(code(&riff(&format_chunk(1, 1, 4_000_000_000, 16), &[0; 100], 100)), "sample_rate");
    assert_eq!(code(&riff(&format_chunk(1, 255, 8_000, 16), &[0; 1020], 1020)), "limit");
    let error = decode(&riff(&format_chunk(0x45, 1, 8_000, 0), &[0; 650], 650), &Limits::default()).unwrap_err();
    assert_eq!(error, AudioError::UnsupportedCodec { container: "WAV", codec: "G.726".to_string() });
    assert!(error.hint().contains("ffmpeg"));
    assert_eq!(code(&riff(&format_chunk(0x31, 2, 8_000, 0), &[0; 650], 650)), "unsupported_codec");
}

#[test]
fn limits_hold() {
    let bytes = wav(2, 8_000, 16, SampleFormat::Int, 24_000);
    let limit = |limits: Limits| decode(&bytes, &limits).map(|_| ()).map_err(|error| error.code());
    assert_eq!(limit(Limits::default()), Ok(()));
    assert_eq!(limit(Limits { max_duration_s: 2, ..Limits::default() }), Err("limit"));
    assert_eq!(limit(Limits { max_duration_s: 3, ..Limits::default() }), Ok(()));
    assert_eq!(limit(Limits { max_channels: 1, ..Limits::default() }), Err("limit"));
    assert_eq!(limit(Limits { max_decoded_bytes: 191_999, ..Limits::default() }), Err("limit"));
    assert_eq!(limit(Limits { min_rate_hz: 8_001, ..Limits::default() }), Err("sample_rate"));
}

#[test]
fn samples_that_are_no_numbers_become_silence() {
    let mut data = Vec::new();
    for value in [0.25f32, f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -0.25] {
        data.extend_from_slice(&value.to_le_bytes());
    }
    let audio = ok(&riff(&format_chunk(3, 1, 8_000, 32), &data, 20));
    assert_eq!(audio.channels[0], [0.25, 0.0, 0.0, 0.0, -0.25]);
    assert!(audio.warnings[0].starts_with('3'), "{:?}", audio.warnings);
}

#[test]
fn flipped_bits_never_panic() {
    // A simple generator (Knuth's MMIX constants): the same damage in every run.
    let mut state = 7u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    let sources = [
        wav(2, 8_000, 16, SampleFormat::Int, 300),
        wav(1, 8_000, 32, SampleFormat::Float, 300),
        riff(&format_chunk(7, 1, 8_000, 8), &[0x7f; 300], 300),
        riff(&[&format_chunk(0x11, 1, 8_000, 4)[..], &[2, 0, 0xf9, 1]].concat(), &[1; 512], 512),
    ];
    for source in &sources {
        for _ in 0..500 {
            let mut bytes = source.clone();
            for _ in 0..1 + next() % 6 {
                let at = next() % bytes.len().min(80);
                bytes[at] ^= 1 << (next() % 8);
            }
            if let Ok(audio) = decode(&bytes, &Limits::default()) {
                assert!(audio.channels.iter().all(|c| c.len() == audio.channels[0].len() && !c.is_empty()));
            }
        }
    }
}

fn au(encoding: u32, channels: u32, size: u32, data: &[u8]) -> Vec<u8> {
    let mut out = b".snd".to_vec();
    for field in [24, size, encoding, 8_000, channels] {
        out.extend_from_slice(&field.to_be_bytes());
    }
    out.extend_from_slice(data);
    out
}

fn wave64(format: &[u8], data: &[u8], claimed: u64) -> Vec<u8> {
    let mut out = b"riff\x2e\x91\xcf\x11".to_vec();
    out.resize(40, 0);
    for (mark, body, size) in [(b"fmt ", format, format.len() as u64), (b"data", data, claimed)] {
        out.extend_from_slice(mark);
        out.extend_from_slice(&[0; 12]);
        out.extend_from_slice(&(size + 24).to_le_bytes());
        out.extend_from_slice(body);
        out.resize(out.len().next_multiple_of(8), 0);
    }
    out
}

#[test]
fn au_and_wave64_give_the_samples_of_the_wav() {
    let good = wav(2, 8_000, 16, SampleFormat::Int, 800);
    let (whole, data) = (ok(&good), &good[good.len() - 3_200..]);
    let swapped: Vec<u8> = data.chunks_exact(2).flat_map(|sample| [sample[1], sample[0]]).collect();
    let codes: Vec<u8> = (0..=255).collect();
    for size in [3_200, u32::MAX, 9_999] {
        let audio = ok(&au(3, 2, size, &swapped));
        assert_eq!((&audio.channels, audio.container), (&whole.channels, "AU"));
        assert_eq!(audio.warnings.is_empty(), size == 3_200, "{:?}", audio.warnings);
    }
    assert_eq!(ok(&au(1, 1, 256, &codes)).channels[0], codes.iter().map(|c| mulaw(*c)).collect::<Vec<_>>());
    assert_eq!(ok(&au(27, 1, 256, &codes)).channels[0], codes.iter().map(|c| alaw(*c)).collect::<Vec<_>>());
    assert_eq!(ok(&au(2, 1, 2, &[0x80, 0x40])).channels[0], [-1.0, 0.5]);
    assert_eq!((code(&au(23, 1, 8, &codes)), code(&au(3, 0, 8, &codes))), ("unsupported_codec", "bad_header"));
    let format = format_chunk(1, 2, 8_000, 16);
    for claimed in [3_200, 9_999] {
        let audio = ok(&wave64(&format, data, claimed));
        assert_eq!((&audio.channels, audio.container), (&whole.channels, "Wave64"));
        assert_eq!(audio.warnings.is_empty(), claimed == 3_200, "{:?}", audio.warnings);
    }
    // Every cut gives sound or an error; none panics.
    for file in [au(3, 2, 3_200, &swapped), wave64(&format, data, 3_200)] {
        for end in 1..file.len() {
            let _ = decode(&file[..end], &Limits::default());
        }
    }
}

/// A RIFX file: every number big-endian.
fn rifx(fields: &[(u32, usize)], data: &[u8], claimed: u32) -> Vec<u8> {
    let mut out = b"RIFX\0\0\0\0WAVELIST\0\0\0\x03abc\0fmt ".to_vec();
    out.extend((fields.iter().map(|(_, width)| width).sum::<usize>() as u32).to_be_bytes());
    fields.iter().for_each(|(field, width)| out.extend(&field.to_be_bytes()[4 - width..]));
    out.extend(b"data");
    out.extend(claimed.to_be_bytes());
    out.extend(data);
    out
}

#[test]
fn big_endian_wav_gives_the_samples_of_the_wav() {
    let fields =
        |tag, channels, bits| [(tag, 2), (channels, 2), (8_000, 4), (0, 4), (channels * bits / 8, 2), (bits, 2)];
    for (bits, format, tag) in [
        (8, SampleFormat::Int, 1),
        (16, SampleFormat::Int, 1),
        (24, SampleFormat::Int, 1),
        (32, SampleFormat::Float, 3),
    ] {
        let good = wav(2, 8_000, bits, format, 800);
        let width = usize::from(bits / 8);
        let mut data = good[good.len() - 1_600 * width..].to_vec();
        data.chunks_exact_mut(width).for_each(<[u8]>::reverse);
        let plain = fields(tag, 2, u32::from(bits)).to_vec();
        let size = data.len() as u32;
        let mut extensible = plain.clone();
        extensible[0].0 = 0xFFFE;
        extensible.extend([(22, 2), (bits.into(), 2), (3, 4), (tag, 4), (0x10, 4), (0x8000_00AA, 4), (0x0038_9B71, 4)]);
        for fields in [plain, extensible] {
            for claimed in [size, 0, u32::MAX, size + 9] {
                let audio = ok(&rifx(&fields, &data, claimed));
                assert_eq!((&audio.channels, audio.container), (&ok(&good).channels, "RIFX"), "{bits} bits");
                assert_eq!(audio.warnings.is_empty(), claimed == size, "{:?}", audio.warnings);
            }
        }
    }
    let codes: Vec<u8> = (0..=255).collect();
    let mu_law = ok(&rifx(&fields(7, 1, 8), &codes, 256));
    assert_eq!(mu_law.channels[0], codes.iter().map(|c| mulaw(*c)).collect::<Vec<_>>());
    assert_eq!(code(&rifx(&fields(0x11, 1, 4), &codes, 256)), "unsupported_codec");
    assert_eq!(code(&rifx(&fields(1, 0, 16), &codes, 256)), "bad_header");
    assert_eq!(code(b"RIFX\0\0\0\0WAVEdata\0\0\0\x04abcd"), "bad_header");
    assert_eq!(code(b"RIFX\0\0\0\0WAVEfmt \0\0\0\x02\0\x01"), "no_samples");
    let whole = rifx(&fields(1, 1, 16), &codes, 256);
    for end in 1..whole.len() {
        let _ = decode(&whole[..end], &Limits::default());
    }
}

#[test]
fn g711_may_have_a_longer_format_chunk() {
    for tag in [6, 7] {
        let format = [&format_chunk(tag, 1, 8_000, 8)[..], &[0; 4]].concat();
        assert_eq!(ok(&riff(&format, &[0x55; 800], 800)).channels[0].len(), 800, "codec {tag}");
    }
}

#[test]
fn a_reader_that_panics_costs_one_error() {
    // Packets of 2³² − 1 bytes: symphonia counts their bits in 32 bits.
    let mut bytes = b"caff\0\x01\0\0desc\0\0\0\0\0\0\0\x20".to_vec();
    bytes.extend(8_000f64.to_be_bytes());
    bytes.extend(b"ulaw\0\0\0\0");
    for field in [u32::MAX, 1, 1, 8] {
        bytes.extend(field.to_be_bytes());
    }
    bytes.extend(b"data");
    bytes.extend(i64::MAX.to_be_bytes());
    bytes.extend([0; 100]);
    let error = decode(&bytes, &Limits::default()).unwrap_err();
    assert!(error.to_string().contains("numbers that cannot be true"), "{error}");
}

#[test]
fn gsm_in_wav_is_repaired_and_trimmed() {
    let format = [&format_chunk(0x31, 1, 8_000, 0)[..], &[2, 0, 0x40, 1]].concat();
    let data = [0x5a; 65 * 3];
    let whole = ok(&riff(&format, &data, 195));
    assert_eq!((whole.channels[0].len(), whole.codec.as_str(), whole.warnings.len()), (960, "gsm", 0));
    for (bytes, size, samples, warnings) in [
        (195, 0, 960, 1),
        (195, u32::MAX, 960, 1),
        // The pad byte of an odd chunk is no sound.
        (196, u32::MAX, 960, 1),
        (195, 194, 800, 1),
        // Cut inside the second frame of a pair, and inside the first.
        (170, 195, 800, 2),
        (140, 195, 640, 2),
    ] {
        let audio = ok(&riff(&format, &[0x5a; 196][..bytes], size));
        let about = format!("{bytes} bytes, said to be {size}: {:?}", audio.warnings);
        assert_eq!((audio.channels[0].len(), audio.warnings.len()), (samples, warnings), "{about}");
        assert_eq!(audio.channels[0], whole.channels[0][..samples], "{about}");
    }
    for (promised, samples) in [(900u32, 900), (641, 641), (640, 960), (0, 960), (961, 960), (u32::MAX, 960)] {
        let mut bytes = riff(&format, &data, 195);
        let fact = [&b"fact\x04\0\0\0"[..], &promised.to_le_bytes()].concat();
        bytes.splice(40..40, fact);
        assert_eq!(ok(&bytes).channels[0].len(), samples, "fact says {promised}");
    }
    assert_eq!(code(&riff(&format, &[0; 20], 20)), "no_samples");
    let limits = Limits { max_decoded_bytes: 960 * 4 - 1, ..Limits::default() };
    assert_eq!(decode(&riff(&format, &data, 195), &limits).unwrap_err().code(), "limit");
}

fn named(bytes: &[u8], name: &str) -> Result<Audio, AudioError> {
    decode_named(bytes, name, &Limits::default())
}

/// 16-bit samples of a tone.
fn pcm(samples: usize) -> Vec<u8> {
    (0..samples).flat_map(|n| ((tone(0, n, 8_000) * 32_767.0) as i16).to_le_bytes()).collect()
}

#[test]
fn the_name_decides_only_where_the_content_does_not() {
    let audio = named(&pcm(8_000), "calls/2024/X.SLN").unwrap();
    assert_eq!((audio.container, audio.codec.as_str(), audio.channels[0].len()), ("headerless", "pcm_s16", 8_000));
    assert!(audio.warnings[0].contains("16-bit PCM at 8 kHz"), "{:?}", audio.warnings);
    assert_eq!(named(&pcm(8_000), "x.sln48").unwrap().sample_rate_hz, 48_000);
    // A mark wins over any name.
    let good = wav(2, 8_000, 16, SampleFormat::Int, 800);
    for name in ["x.gsm", "x.raw", "x.vox", "x"] {
        assert_eq!(named(&good, name).unwrap(), ok(&good), "{name}");
    }
    for (bytes, name, expected) in [
        (&pcm(8_000)[..], "x.wav", "not_audio"),
        (&pcm(8_000), "sln", "not_audio"),
        (&pcm(8_000), "x.gsm", "not_as_named"),
        (b"", "x.ul", "empty"),
        (b"\x01", "x.sln", "no_samples"),
        (b"\x01\x02", "x.gsm", "not_as_named"),
        ("Who called, and when? ".repeat(99).as_bytes(), "x.raw", "not_audio"),
        ("Wer rief an, und wann? \u{e4}".repeat(99).as_bytes(), "x.al", "not_audio"),
        (b"PK\x03\x04 and so on", "x.ul", "not_audio"),
        (b"II*\0 and so on", "x.raw", "not_audio"),
        (b"Gr\xfc\xdfe in Latin-1 ".repeat(99).as_slice(), "x.sln", "not_as_named"),
    ] {
        assert_eq!(named(bytes, name).unwrap_err().code(), expected, "{name}: {}", bytes.escape_ascii());
    }
}

#[test]
fn silence_that_looks_like_a_mark_is_silence() {
    // µ-law silence begins as MPEG audio does, idle A-law reads `UUU…`.
    for (byte, name) in [(0xff, "x.ul"), (0x7f, "x.ul"), (0x55, "x.al"), (0xd5, "x.al"), (0, "x.sln"), (0, "x.raw")] {
        let audio = named(&[byte; 4_000], name).unwrap();
        assert!(audio.channels[0].iter().all(|sample| sample.abs() < 0.001), "{byte:x} as {name}");
    }
    assert!(named(&[0x80, 0x08].repeat(2_000), "x.vox").is_ok());
}

#[test]
fn noise_under_any_name_is_refused() {
    let mut state = 5u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as u8
    };
    let mut noise: Vec<u8> = (0..200_000).map(|_| next()).collect();
    noise[0] = 1;
    for name in callmark_audio::headerless_endings().map(|ending| format!("x.{ending}")) {
        let result = named(&noise, &name);
        assert_eq!(result.as_ref().err().map(AudioError::code), Some("not_as_named"), "{name}");
    }
}

proptest::proptest! {
    /// Any bytes under any name, bare and in a WAV file: sound within the limits or an error.
    #[test]
    fn any_bytes_under_any_name(
        bytes in proptest::collection::vec(proptest::num::u8::ANY, 1..3_000),
        ending in 0usize..19,
        tag in proptest::sample::select(vec![0x31u16, 0x10, 0x17, 6, 7, 1]),
        size in proptest::num::u32::ANY,
    ) {
        let ending = callmark_audio::headerless_endings().nth(ending).unwrap();
        let limits = Limits { max_decoded_bytes: 16_000, ..Limits::default() };
        let files = [bytes.clone(), riff(&format_chunk(tag, 1, 8_000, 8), &bytes, size)];
        for file in files {
            if let Ok(audio) = decode_named(&file, &format!("x.{ending}"), &limits) {
                proptest::prop_assert!((1..=4_000).contains(&audio.channels[0].len()));
            }
        }
    }
}
