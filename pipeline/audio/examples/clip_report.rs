//! Cuts whole recordings into clips of 10 s and prints what that costs; `--out FOLDER` keeps the clips as Opus and WAV.
//!
//!     cargo run --release -p callmark-audio --example clip_report -- [--out FOLDER] FILE…
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::time::{Duration, Instant};

use callmark_audio::clip::{ClipSource, ogg_opus, wav};
use callmark_audio::{Limits, decode};
use callmark_core::transcript::Span;

const CLIP_MS: i64 = 10_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut files: Vec<String> = std::env::args().skip(1).collect();
    let out = (files.first().is_some_and(|first| first == "--out") && files.len() > 2).then(|| files.remove(1));
    files.retain(|file| file != "--out");
    let (mut clips, mut sound_ms, mut opus_bytes, mut wav_bytes) = (0u64, 0i64, 0usize, 0usize);
    let (mut opening, mut encoding) = (Duration::ZERO, Duration::ZERO);
    for file in &files {
        let bytes = std::fs::read(file)?;
        let began = Instant::now();
        let source = ClipSource::new(decode(&bytes, &Limits::default())?);
        opening += began.elapsed();
        for begin_ms in (0..source.duration_ms()).step_by(CLIP_MS as usize) {
            let began = Instant::now();
            let samples = source.cut(Span { begin_ms, end_ms: begin_ms + CLIP_MS });
            let opus = ogg_opus(&samples)?;
            encoding += began.elapsed();
            let plain = wav(&samples)?;
            clips += 1;
            sound_ms += samples.len() as i64 / 16;
            opus_bytes += opus.len();
            wav_bytes += plain.len();
            if let Some(folder) = &out {
                let stem = Path::new(file).file_stem().unwrap_or_default().to_string_lossy();
                std::fs::write(Path::new(folder).join(format!("{stem}-{begin_ms}.opus")), opus)?;
                std::fs::write(Path::new(folder).join(format!("{stem}-{begin_ms}.wav")), plain)?;
            }
        }
    }
    let seconds = sound_ms as f64 / 1000.0;
    let ms = |time: Duration, by: f64| time.as_secs_f64() * 1000.0 / by;
    println!("{} recordings, {clips} clips, {seconds:.1} s", files.len());
    println!("decode and level   {:.1} ms a recording", ms(opening, files.len().max(1) as f64));
    println!(
        "cut and encode     {:.1} ms a clip, {:.2} ms a second",
        ms(encoding, clips.max(1) as f64),
        ms(encoding, seconds)
    );
    println!("Opus {:.0} bytes a second, WAV {:.0}", opus_bytes as f64 / seconds, wav_bytes as f64 / seconds);
    Ok(())
}
