//! `callmark bench store`: made-up calls put straight into a new store, scored, with embeddings and sentiment: thousands in minutes,
//! for load tests of `score` and of the scorecard commands.

use anyhow::{Result, bail};
use callmark_core::recording::sha256_hex;
use callmark_core::redaction;
use callmark_store::RecordingLink;
use rayon::prelude::*;

use crate::FINISHED;
use crate::analysis::{Analysed, Analyst};
use crate::call::transcript_hash;
use crate::cli::{Common, StoreBenchArgs};
use crate::commands::explain;
use crate::config::Config;
use crate::install::Install;
use crate::night_generator::stored::{MadeCall, Maker, Shape};
use crate::text_encoders::TextEncoders;

/// Calls that are made before they are written.
const GROUP: usize = 256;

/// What was written.
#[derive(Debug, Default, serde::Serialize)]
struct Written {
    calls: u64,
    reps: usize,
    turns: usize,
    words: usize,
    size_bytes: u64,
}

pub fn run(args: &StoreBenchArgs, common: &Common) -> Result<u8> {
    let Some(url) = &common.store else {
        bail!("made-up calls need a store of their own\nhint: give --store FILE, a new one");
    };
    let store = callmark_store::open(url).map_err(explain)?;
    if store.statistics().map_err(explain)?.calls > 0 {
        bail!("{url} holds calls already\nhint: give --store FILE, a new one");
    }
    let (config, install) = (Config::load(common)?, Install::find()?);
    let mut warnings = Vec::new();
    let mut analyst = Analyst::load(args.scorecard.as_deref(), &config, &install)?;
    let encoders = TextEncoders::open(&install, &config, rayon::current_num_threads(), &mut warnings)?;
    encoders.prepare_phrases(&mut analyst, store.as_ref())?;
    analyst.remember_scorecards(store.as_ref())?;
    for warning in &warnings {
        eprintln!("warning: {warning}");
    }
    let maker = Maker::new(Shape {
        seed: args.seed,
        calls: args.calls,
        turns: args.turns as usize,
        words: args.words as usize,
        languages: super::languages(&args.language)?,
        last_day: args.last_day,
    });
    let mut written = Written { reps: maker.reps(), ..Written::default() };
    let all: Vec<u64> = (0..args.calls).collect();
    for group in all.chunks(GROUP) {
        let scored = group.par_iter().map(|index| {
            let mut made = maker.call(*index)?;
            redaction::redact(&mut made.transcript, &config.redaction.entities);
            let call = analysed(&encoders, made)?;
            let key = analyst.evaluation_key(&call);
            Ok((analyst.evaluate(&call), key, call))
        });
        for (record, key, call) in scored.collect::<Result<Vec<_>>>()? {
            if let Some(models) = &call.text_models {
                let transcript = transcript_hash(&call.transcript);
                store.put_text_scores(&call.call_id, &models.key(), &transcript, &call.scores).map_err(explain)?;
            }
            let path = format!("made-up/{}.wav", call.call_id);
            let link = RecordingLink { recording_id: call.recording_ids[0].clone(), path };
            store.put_call(&record, &key, &[link]).map_err(explain)?;
            written.calls += 1;
            written.turns += record.transcript.turns.len();
            written.words += record.transcript.turns.iter().map(|t| t.words.len()).sum::<usize>();
        }
    }
    written.size_bytes = store.statistics().map_err(explain)?.size_bytes;
    if args.json {
        println!("{}", serde_json::to_string(&written)?);
    } else if !common.quiet {
        println!(
            "{url}: {} calls of {} reps, {} turns, {} words, {:.0} MB",
            written.calls,
            written.reps,
            written.turns,
            written.words,
            written.size_bytes as f64 / 1e6
        );
    }
    Ok(FINISHED)
}

fn analysed(encoders: &TextEncoders, call: MadeCall) -> Result<Analysed> {
    // A slot's name says about as much as what fills it, and the text models remember a text that came before: each sentence of the
    // generator is read once instead of once per turn.
    let mut read = call.transcript.clone();
    for (turn, template) in read.turns.iter_mut().zip(&call.templates) {
        turn.text = template.replace(['{', '}'], "");
    }
    let (scores, text_models) = encoders.scores(&read, None)?;
    Ok(Analysed {
        recording_ids: vec![sha256_hex(call.call_id.as_bytes())],
        models: [("recogniser".to_string(), sha256_hex(b"none: made-up calls"))].into(),
        configuration: String::new(),
        reviews: vec![],
        text_models,
        call_id: call.call_id,
        metadata: call.metadata,
        transcript: call.transcript,
        scores,
    })
}
