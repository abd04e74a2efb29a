//! `callmark bench store`: made-up calls put straight into a new store, scored, with embeddings and sentiment: thousands in minutes,
//! for load tests of `score` and of the scorecard commands.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, bail};
use callmark_core::recording::sha256_hex;
use callmark_core::redaction;
use callmark_core::transcript::TurnScores;
use callmark_models::text_encoder::{EncoderPool, TurnText};
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
    let encoders = TextEncoders::open(&install, rayon::current_num_threads(), &mut warnings);
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
    let reader = Reader { encoders: &encoders, known: Mutex::default() };
    let mut written = Written { reps: maker.reps(), ..Written::default() };
    let all: Vec<u64> = (0..args.calls).collect();
    for group in all.chunks(GROUP) {
        let scored = group.par_iter().map(|index| {
            let mut made = maker.call(*index)?;
            redaction::redact(&mut made.transcript, &config.redaction.entities);
            let call = reader.analysed(made)?;
            let key = analyst.evaluation_key(&call);
            Ok((analyst.evaluate(&call), key, call))
        });
        for (record, key, call) in scored.collect::<Result<Vec<_>>>()? {
            if let Some(hash) = &call.encoder_hash {
                let transcript = transcript_hash(&call.transcript);
                store.put_text_scores(&call.call_id, hash, &transcript, &call.scores).map_err(explain)?;
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

/// What the text models say, read once per sentence of the generator instead of once per turn.
struct Reader<'a> {
    encoders: &'a TextEncoders,
    known: Mutex<HashMap<&'static str, TurnText>>,
}

impl Reader<'_> {
    fn analysed(&self, call: MadeCall) -> Result<Analysed> {
        let pool = self.encoders.of(call.transcript.language);
        let turns = call.transcript.turns.len();
        let scores = match pool {
            Some(pool) => {
                let read: Result<Vec<TurnText>> = call.templates.iter().map(|t| self.read(pool, t)).collect();
                let (sentiment, embeddings) = read?.into_iter().map(|t| (Some(t.sentiment), Some(t.embedding))).unzip();
                TurnScores { sentiment, embeddings }
            }
            None => TurnScores { sentiment: vec![None; turns], embeddings: vec![None; turns] },
        };
        Ok(Analysed {
            recording_ids: vec![sha256_hex(call.call_id.as_bytes())],
            models: [("recogniser".to_string(), sha256_hex(b"none: made-up calls"))].into(),
            configuration: String::new(),
            reviews: vec![],
            encoder_hash: pool.map(|pool| pool.encoder_hash().to_string()),
            call_id: call.call_id,
            metadata: call.metadata,
            transcript: call.transcript,
            scores,
        })
    }

    fn read(&self, pool: &EncoderPool, template: &'static str) -> Result<TurnText> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(text) = known().get(template) {
            return Ok(text.clone());
        }
        // A slot's name says about as much as what fills it.
        let text = template.replace(['{', '}'], "");
        let read = pool.encode(&[&text])?.into_iter().next().unwrap_or_else(|| unreachable!("one result per text"));
        known().insert(template, read.clone());
        Ok(read)
    }
}
