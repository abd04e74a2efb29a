//! `callmark review`: a decision about one ledger row, appended to the store; the call is scored again with it at once.

use anyhow::{Result, bail};
use callmark_core::record::{Decision, Outcome, ReviewSource, RowKind};
use callmark_core::redaction::redact_text;
use callmark_store::NewReview;

use crate::FINISHED;
use crate::cli::{Common, ReviewArgs, Source};
use crate::commands::score::Rescorer;
use crate::commands::{existing_store, explain, find_one};
use crate::config::Config;
use crate::install::Install;
use crate::render::call_page;

pub fn review(args: &ReviewArgs, common: &Common) -> Result<u8> {
    let store = existing_store(common)?;
    let store = store.as_ref();
    let call_id = find_one(store, &args.call)?;
    let Some(stored) = store.get_call(&call_id).map_err(explain)? else { bail!("the call {call_id} is gone") };
    let decision = match (args.agree, args.overturn, args.comment) {
        (true, ..) => Decision::Agree,
        (_, true, _) => Decision::Overturn,
        (_, _, true) => Decision::Comment,
        _ => {
            print!("{}", call_page::review_list(&stored.record, &store.reviews(&call_id).map_err(explain)?));
            return Ok(FINISHED);
        }
    };
    let (Some(requirement), Some(by)) = (&args.requirement, &args.by) else {
        bail!(
            "a decision needs a requirement and --by NAME\nhint: `callmark review {call_id}` lists the rows that can be reviewed"
        );
    };
    if stored.words_purged {
        bail!(
            "the words of the call {call_id} were purged\nhint: nothing is left by which its findings could be reviewed"
        );
    }
    let reviewable = |r: Outcome| {
        matches!(r, Outcome::Missed | Outcome::Violated | Outcome::Met | Outcome::Unknown | Outcome::Clear)
    };
    let rows = &stored.record.evaluation.ledger;
    if !rows.iter().any(|row| row.kind == RowKind::Item && &row.requirement_id == requirement && reviewable(row.result))
    {
        bail!(
            "the call {call_id} has no reviewable ledger row `{requirement}`\nhint: `callmark review {call_id}` lists them"
        );
    }
    let config = Config::load(common)?;
    let new = NewReview {
        call_id: call_id.clone(),
        requirement_id: requirement.clone(),
        reviewer: by.clone(),
        source: match args.source {
            Source::Flag => ReviewSource::Flag,
            Source::Audit => ReviewSource::Audit,
            Source::Appeal => ReviewSource::Appeal,
        },
        inclusion_permille: 1000,
        blind: false,
        decision,
        reason: redact_text(args.reason.as_deref().unwrap_or_default(), &config.redaction.entities),
        appeal_of: args.appeal_of,
        is_final: decision != Decision::Comment,
        ts: jiff::Timestamp::now().to_string(),
    };
    let mut warnings = Vec::new();
    let rescorer = Rescorer::open(args.scorecard.as_deref(), &config, &Install::find()?, store, &mut warnings)?;
    for warning in &warnings {
        eprintln!("warning: {warning}");
    }
    let evaluation = &stored.record.evaluation;
    if rescorer.scorecard_hash(&stored.record) != Some(evaluation.scorecard_hash.as_str()) {
        bail!(
            "the call was scored with {} v{}, which is not the scorecard that it would get now\nhint: give the scorecard that it was scored with: --scorecard FILE",
            evaluation.scorecard,
            evaluation.scorecard_version
        );
    }
    let appended = store.append_review(&new).map_err(explain)?;
    let before = stored.record.evaluation.score;
    // The precision of a fatal may change with this decision: other calls follow at the next `score` or `run`.
    let after = match rescorer.rescore(&call_id, store)? {
        Some(new) => {
            store.put_call(&new.record, &new.key, &[]).map_err(explain)?;
            new.record.evaluation.score
        }
        None => None,
    };
    if !common.quiet {
        let points = |score: Option<i64>| score.map_or("–".to_string(), call_page::points);
        println!("review {} stored; score {} → {}", appended.review_id, points(before), points(after.or(before)));
    }
    Ok(FINISHED)
}
