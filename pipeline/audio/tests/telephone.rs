//! Opus, AMR and G.722: recordings encoded here, whole, cut and damaged.

use std::io::Cursor;

use audio_codec::Encoder;
use audio_codec::g722::G722Encoder;
use callmark_audio::{Audio, AudioError, Limits, clip, decode};
use codec_core::codecs::amr::AmrCodec;
use codec_core::{CodecConfig, FrameKind, VariableRateCodec};
use ogg::{PacketReader, PacketWriteEndInfo, PacketWriter};

/// A voice-like sound: a pitch that glides, with overtones, in syllables.
fn voice(samples: usize, rate_hz: u32) -> Vec<f32> {
    let mut phase = 0.0f32;
    (0..samples)
        .map(|n| {
            let t = n as f32 / rate_hz as f32;
            phase += std::f32::consts::TAU * 140.0 * (1.0 + 0.1 * (3.0 * t).sin()) / rate_hz as f32;
            let syllable = 0.5 - 0.5 * (std::f32::consts::TAU * 4.0 * t).cos();
            let overtones: f32 = (1..8u8).map(|k| (phase * f32::from(k)).sin() / f32::from(k)).sum();
            0.15 * syllable * overtones
        })
        .collect()
}

fn pcm(samples: &[f32]) -> Vec<i16> {
    samples.iter().map(|sample| (sample * 32_767.0) as i16).collect()
}

fn correlation(a: &[f32], b: &[f32]) -> f64 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum::<f64>();
    let length = a.len().min(b.len());
    dot(a, b) / (dot(&a[..length], &a[..length]) * dot(&b[..length], &b[..length])).sqrt().max(1e-12)
}

/// The best correlation when the decoded sound lags behind by up to so many samples.
fn matches(decoded: &[f32], original: &[f32], lag: usize) -> f64 {
    (0..=lag).map(|n| correlation(&decoded[n.min(decoded.len())..], original)).fold(-1.0, f64::max)
}

fn ok(bytes: &[u8]) -> Audio {
    decode(bytes, &Limits::default()).unwrap()
}

fn error(bytes: &[u8]) -> AudioError {
    let error = decode(bytes, &Limits::default()).unwrap_err();
    assert!(!error.hint().is_empty());
    error
}

fn warned(audio: &Audio, words: &str) -> bool {
    audio.warnings.iter().any(|warning| warning.contains(words))
}

/// Identification header and sound of an Ogg Opus file.
fn packets(ogg: &[u8]) -> (Vec<u8>, Vec<Vec<u8>>) {
    let mut reader = PacketReader::new(Cursor::new(ogg));
    let mut packets = Vec::new();
    while let Some(packet) = reader.read_packet().unwrap() {
        packets.push(packet.data);
    }
    let sound = packets.split_off(2);
    (packets.swap_remove(0), sound)
}

/// The same file with another identification header.
fn with_head(ogg: &[u8], change: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
    let mut reader = PacketReader::new(Cursor::new(ogg));
    let mut writer = PacketWriter::new(Vec::new());
    let mut first = true;
    while let Some(packet) = reader.read_packet().unwrap() {
        let (place, last, serial) = (packet.absgp_page(), packet.last_in_stream(), packet.stream_serial());
        let end = match (last, packet.last_in_page()) {
            (true, _) => PacketWriteEndInfo::EndStream,
            (_, true) => PacketWriteEndInfo::EndPage,
            _ => PacketWriteEndInfo::NormalPacket,
        };
        let mut data = packet.data;
        if first {
            change(&mut data);
        }
        first = false;
        writer.write_packet(data, serial, end, place).unwrap();
    }
    writer.into_inner()
}

fn element(id: &[u8], body: &[u8]) -> Vec<u8> {
    let size = (body.len() as u64 | 1 << 56).to_be_bytes();
    [id, &size, body].concat()
}

/// The sound of an Ogg Opus file of 20 ms packets as WebM; the last packet loses so many samples.
fn webm(ogg: &[u8], padding: u64, streamed: bool) -> Vec<u8> {
    let (head, sound) = packets(ogg);
    let audio = [element(&[0xB5], &48_000f64.to_be_bytes()), element(&[0x9F], &[1])].concat();
    let track = [
        element(&[0xD7], &[1]),
        element(&[0x73, 0xC5], &[1]),
        element(&[0x83], &[2]),
        element(&[0x86], b"A_OPUS"),
        element(&[0x63, 0xA2], &head),
        element(&[0xE1], &audio),
    ]
    .concat();
    let mut cluster = element(&[0xE7], &[0]);
    for (n, packet) in sound.iter().enumerate() {
        let block = [&[0x81][..], &(20 * n as u16).to_be_bytes(), &[0], packet].concat();
        if n + 1 == sound.len() {
            let nanoseconds = (padding * 1_000_000_000 / 48_000).to_be_bytes();
            let group = [element(&[0xA1], &block), element(&[0x75, 0xA2], &nanoseconds)].concat();
            cluster.extend(element(&[0xA0], &group));
        } else {
            cluster.extend(element(&[0xA3], &block));
        }
    }
    let info = [
        element(&[0x2A, 0xD7, 0xB1], &1_000_000u32.to_be_bytes()),
        element(&[0x4D, 0x80], b"callmark"),
        element(&[0x57, 0x41], b"callmark"),
    ]
    .concat();
    let content = [
        element(&[0x15, 0x49, 0xA9, 0x66], &info),
        element(&[0x16, 0x54, 0xAE, 0x6B], &element(&[0xAE], &track)),
        element(&[0x1F, 0x43, 0xB6, 0x75], &cluster),
    ]
    .concat();
    // A table that says where the tags are: behind the end of a file that was cut.
    let table = |place: usize| {
        let place = element(&[0x53, 0xAC], &(place as u32).to_be_bytes());
        let entry = [element(&[0x53, 0xAB], &[0x12, 0x54, 0xC3, 0x67]), place].concat();
        element(&[0x11, 0x4D, 0x9B, 0x74], &element(&[0x4D, 0xBB], &entry))
    };
    let tags = element(&[0x12, 0x54, 0xC3, 0x67], &[]);
    let body = [table(table(0).len() + content.len()), content, tags].concat();
    let mut segment = element(&[0x18, 0x53, 0x80, 0x67], &body);
    if streamed {
        segment[4..12].copy_from_slice(&[1, 255, 255, 255, 255, 255, 255, 255]);
    }
    [element(&[0x1A, 0x45, 0xDF, 0xA3], &element(&[0x42, 0x82], b"webm")), segment].concat()
}

fn pre_skip(ogg: &[u8]) -> usize {
    let (head, _) = packets(ogg);
    usize::from(u16::from_le_bytes([head[10], head[11]]))
}

fn every_third(samples: &[f32]) -> Vec<f32> {
    samples.iter().step_by(3).copied().collect()
}

#[test]
fn opus_in_ogg_has_its_exact_length() {
    for length in [1, 215, 320, 16_000, 48_123] {
        let sound = voice(length, 16_000);
        let audio = ok(&clip::ogg_opus(&sound).unwrap());
        assert_eq!((audio.container, audio.codec.as_str(), audio.sample_rate_hz), ("Ogg", "opus", 48_000));
        assert_eq!((audio.channels.len(), audio.channels[0].len()), (1, 3 * length));
        assert_eq!(audio.warnings, Vec::<String>::new());
        if length > 1000 {
            let heard = every_third(&audio.channels[0]);
            assert!(correlation(&heard, &sound) > 0.95, "{length} samples: {}", correlation(&heard, &sound));
            assert!(correlation(&heard, &sound) > correlation(&heard[32..], &sound), "right in time");
        }
    }
}

#[test]
fn opus_in_webm_has_its_exact_length() {
    let sound = voice(20_000, 16_000);
    let ogg = clip::ogg_opus(&sound).unwrap();
    let padding = packets(&ogg).1.len() * 960 - pre_skip(&ogg) - 60_000;
    for streamed in [false, true] {
        let audio = ok(&webm(&ogg, padding as u64, streamed));
        assert_eq!((audio.container, audio.codec.as_str()), ("Matroska/WebM", "opus"));
        assert_eq!(audio.warnings, Vec::<String>::new());
        assert_eq!(audio.channels, ok(&ogg).channels);
    }
}

#[test]
fn cut_opus_gives_what_is_there() {
    let ogg = clip::ogg_opus(&voice(80_000, 16_000)).unwrap();
    let audio = ok(&ogg[..ogg.len() / 2]);
    assert!((1_000..4_000).contains(&audio.duration_ms()) && !audio.warnings.is_empty(), "{:?}", audio.warnings);

    let whole = webm(&ogg, 0, false);
    let audio = ok(&whole[..whole.len() / 2]);
    assert!((2_000..3_000).contains(&audio.duration_ms()), "{}", audio.duration_ms());
    assert!(warned(&audio, "probably cut"), "{:?}", audio.warnings);
}

#[test]
fn the_opus_header_is_obeyed() {
    let ogg = clip::ogg_opus(&voice(16_000, 16_000)).unwrap();
    let plain = ok(&ogg).channels.swap_remove(0);
    // More than three packets.
    let skip = pre_skip(&ogg) + 3_000;
    let late = ok(&with_head(&ogg, |head| head[10..12].copy_from_slice(&(skip as u16).to_le_bytes())));
    assert_eq!(late.channels[0], plain[3_000..]);
    assert_eq!(late.warnings, Vec::<String>::new());
    // −6 dB.
    let quiet = ok(&with_head(&ogg, |head| head[16..18].copy_from_slice(&(-1536i16).to_le_bytes())));
    let ratio = quiet.channels[0][30_000] / plain[30_000];
    assert!((ratio - 0.501).abs() < 0.001, "{ratio}");

    let surround = with_head(&ogg, |head| {
        head[9] = 6;
        head[18] = 1;
        head.extend([4, 2, 0, 4, 1, 2, 3, 5]);
    });
    assert_eq!(error(&surround).to_string(), "Ogg holds Opus with 6 channels, which callmark does not decode");
}

/// An AMR file of one mode, and its sound.
fn amr(config: &CodecConfig, mode: u8, frames: usize) -> (Vec<u8>, Vec<f32>) {
    let mut codec = AmrCodec::new(config).unwrap();
    codec.set_mode(mode).unwrap();
    let wide = config.sample_rate.hz() == 16_000;
    let (length, mark) = if wide { (320, b"#!AMR-WB\n".as_slice()) } else { (160, b"#!AMR\n".as_slice()) };
    let sound = voice(frames * length, config.sample_rate.hz());
    let mut bytes = mark.to_vec();
    for samples in pcm(&sound).chunks(length) {
        let frame = codec.encode_frame(samples).unwrap();
        assert_eq!(frame.kind, FrameKind::Speech);
        bytes.push(frame.mode << 3 | 4);
        bytes.extend(frame.data);
    }
    (bytes, sound)
}

#[test]
fn amr_in_all_its_modes() {
    for (config, modes, rate_hz, container, name) in
        [(CodecConfig::amr_nb(), 8, 8_000, "AMR", "amr_nb"), (CodecConfig::amr_wb(), 9, 16_000, "AMR-WB", "amr_wb")]
    {
        for mode in 0..modes {
            let (bytes, sound) = amr(&config, mode, 50);
            let audio = ok(&bytes);
            assert_eq!((audio.container, audio.codec.as_str(), audio.sample_rate_hz), (container, name, rate_hz));
            assert_eq!((audio.channels.len(), audio.duration_ms()), (1, 1_000));
            assert_eq!(audio.warnings, Vec::<String>::new());
            let found = matches(&audio.channels[0], &sound, rate_hz as usize / 80);
            // AMR keeps what was said and not its wave form; noise would be near 0.
            assert!(found > 0.45, "{name}, mode {mode}: {found}");
        }
    }
}

#[test]
fn cut_and_damaged_amr() {
    let (bytes, _) = amr(&CodecConfig::amr_nb(), 7, 50);
    let cut = ok(&bytes[..bytes.len() - 3]);
    assert_eq!(cut.duration_ms(), 980);
    assert!(warned(&cut, "middle of its last frame"), "{:?}", cut.warnings);

    // 32 bytes a frame behind the mark of 6.
    let mut damaged = bytes.clone();
    damaged[6 + 10 * 32] = 0xFF;
    let audio = ok(&damaged);
    assert!((900..1_000).contains(&audio.duration_ms()), "{}", audio.duration_ms());
    assert!(warned(&audio, "belong to no frame"), "{:?}", audio.warnings);

    // Nothing was sent: the pause takes its time.
    let mut paused = bytes.clone();
    paused.extend([15 << 3 | 4; 10]);
    assert_eq!(ok(&paused).duration_ms(), 1_200);

    let noise: Vec<u8> = (0..4096u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    assert_eq!(error(&[b"#!AMR\n", noise.as_slice()].concat()).code(), "damaged");
    assert_eq!(error(b"#!AMR\n").code(), "no_samples");
    assert_eq!(error(b"#!AMR-WB\n\x04").code(), "no_samples");
    assert_eq!(error(b"#!AMR_MC1.0\n\0\0\0\x02").code(), "unsupported_codec");
    let limits = Limits { max_duration_s: 10, ..Limits::default() };
    assert_eq!(decode(&[b"#!AMR\n".as_slice(), &[0x7C; 5_000]].concat(), &limits).unwrap_err().code(), "limit");
}

fn g722(tag: u16, channels: u16, rate_hz: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"RIFF\0\0\0\0WAVEfmt \x12\0\0\0".to_vec();
    bytes.extend(tag.to_le_bytes());
    bytes.extend(channels.to_le_bytes());
    bytes.extend(rate_hz.to_le_bytes());
    bytes.extend(8_000u32.to_le_bytes());
    bytes.extend([1, 0, 4, 0, 0, 0]);
    bytes.extend(b"data");
    bytes.extend((data.len() as u32).to_le_bytes());
    bytes.extend(data);
    bytes
}

#[test]
fn g722_in_wav() {
    let sound = voice(16_000, 16_000);
    let data = G722Encoder::new().encode(&pcm(&sound));
    // Some headers give RTP's clock instead of the sample rate.
    for (tag, rate_hz) in [(0x28F, 16_000), (0x65, 16_000), (0x28F, 8_000)] {
        let audio = ok(&g722(tag, 1, rate_hz, &data));
        assert_eq!((audio.container, audio.codec.as_str(), audio.sample_rate_hz), ("WAV", "g722", 16_000));
        assert_eq!(audio.channels[0].len(), 16_000);
        assert_eq!(audio.warnings, Vec::<String>::new());
        let found = matches(&audio.channels[0], &sound, 40);
        assert!(found > 0.99, "{found}");
    }
    let whole = g722(0x28F, 1, 16_000, &data);
    let cut = ok(&whole[..whole.len() - 1_001]);
    assert_eq!(cut.channels[0].len(), 16_000 - 2 * 1_001);
    assert!(warned(&cut, "probably cut"));
    let stereo = error(&g722(0x28F, 2, 16_000, &data));
    assert_eq!(stereo.to_string(), "WAV holds G.722 with 2 channels, which callmark does not decode");
    let limits = Limits { max_decoded_bytes: 1_000, ..Limits::default() };
    assert_eq!(decode(&whole, &limits).unwrap_err().code(), "limit");
}

#[test]
fn damage_anywhere_never_panics() {
    let ogg = clip::ogg_opus(&voice(8_000, 16_000)).unwrap();
    let data = G722Encoder::new().encode(&pcm(&voice(4_000, 16_000)));
    let files = [
        webm(&ogg, 100, false),
        webm(&ogg, 100, true),
        amr(&CodecConfig::amr_nb(), 7, 20).0,
        amr(&CodecConfig::amr_wb(), 8, 20).0,
        g722(0x28F, 1, 16_000, &data),
        ogg,
    ];
    let mut state = 1u32;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    for file in &files {
        for round in 0..300 {
            let mut bytes = file.clone();
            for _ in 0..=round % 8 {
                let at = random(bytes.len());
                bytes[at] = random(256) as u8;
            }
            if round % 3 == 0 {
                bytes.truncate(random(bytes.len()));
            }
            if let Ok(audio) = decode(&bytes, &Limits::default()) {
                assert!(audio.channels.iter().flatten().all(|sample| sample.is_finite()));
            }
        }
    }
    // Frames of every kind that hold nothing but noise.
    for mark in [b"#!AMR\n".as_slice(), b"#!AMR-WB\n"] {
        for round in 0..200 {
            let mut bytes = mark.to_vec();
            for _ in 0..60 {
                let kind = random(16);
                let narrow = [12, 13, 15, 17, 19, 20, 26, 31, 5, 0, 0, 0, 0, 0, 0, 0];
                let wide = [17, 23, 32, 36, 40, 46, 50, 58, 60, 5, 0, 0, 0, 0, 0, 0];
                let length = if mark.len() == 6 { narrow[kind] } else { wide[kind] };
                bytes.push((kind << 3 | if round % 2 == 0 { 4 } else { random(2) * 4 }) as u8);
                bytes.extend((0..length).map(|_| random(256) as u8));
            }
            let _ = decode(&bytes, &Limits::default());
        }
    }
}
