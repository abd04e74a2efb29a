//! Recordings with nothing but the tones of the network: left unscored, each with its reason.

use std::path::Path;

use crate::harness::Place;

const RATE_HZ: u32 = 8_000;

/// Two channels of 8 kHz: the rep's is quiet, the other has tones (frequencies in Hz, length in ms), over and over.
fn recording(folder: &Path, name: &str, tones: &[(&[f64], u32)], times: usize) {
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: RATE_HZ,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(folder.join(name), spec).unwrap();
    for (frequencies, ms) in std::iter::repeat_n(tones, times).flatten() {
        for i in 0..ms * RATE_HZ / 1000 {
            let at = |hz: &f64| (std::f64::consts::TAU * hz * f64::from(i) / f64::from(RATE_HZ)).sin() * 2_000.0;
            writer.write_sample(0_i16).unwrap();
            writer.write_sample(frequencies.iter().map(at).sum::<f64>() as i16).unwrap();
        }
    }
    writer.finalize().unwrap();
}

#[test]
fn ringing_busy_and_fax_are_reasons_of_their_own() {
    let place = Place::new();
    let night = place.folder.path().join("night");
    std::fs::create_dir(&night).unwrap();
    let (ringing, busy, calling): (&[f64], &[f64], &[f64]) = (&[440.0, 480.0], &[480.0, 620.0], &[1100.0]);
    recording(&night, "a.wav", &[(ringing, 2_000), (&[], 4_000)], 4);
    recording(
        &night,
        "b.wav",
        &[(ringing, 2_000), (&[], 4_000), (ringing, 2_000), (&[], 2_000), (busy, 500), (&[], 500)],
        1,
    );
    recording(&night, "c.wav", &[(busy, 500), (&[], 500)], 8);
    recording(&night, "d.wav", &[(calling, 500), (&[], 3_000)], 4);
    recording(&night, "e.wav", &[(&[], 8_000)], 1);
    let names = "file,call_id\na.wav,a\nb.wav,b\nc.wav,c\nd.wav,d\ne.wav,e\n";
    std::fs::write(night.join("metadata.csv"), names).unwrap();
    let summary = place.run_on(&[&night], &[]).expect(0).json();
    let reasons: Vec<String> = place
        .table("calls.csv")
        .into_iter()
        .map(|call| format!("{} {} {}", call["call_id"], call["status"], call["reason"]))
        .collect();
    let expected = [
        "a unscored not_answered",
        "b unscored not_answered",
        "c unscored busy",
        "d unscored fax",
        "e unscored no_conversation",
    ];
    assert_eq!(reasons, expected, "{summary}");
    let report = std::fs::read_to_string(place.out().join("report.html")).unwrap();
    assert!(report.contains("not answered") && report.contains("line busy") && report.contains("fax"));
}
