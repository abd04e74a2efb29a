//! `callmark roles`: who is who in a stored call, why, and a person's decision about it: appended as a review, and the call is
//! scored again with it at once, from its stored transcript.

use anyhow::{Result, anyhow, bail};
use callmark_core::acts::ActLexicon;
use callmark_core::record::{CallRecord, Decision, ReviewSource};
use callmark_core::redaction::redact_text;
use callmark_core::roles::RoleAssignment;
use callmark_store::NewReview;

use crate::FINISHED;
use crate::cli::{Common, RolesArgs};
use crate::commands::score::Rescorer;
use crate::commands::{existing_store, explain, find_one};
use crate::config::Config;
use crate::install::Install;
use crate::render::{call_page, outputs};

pub fn roles(args: &RolesArgs, common: &Common) -> Result<u8> {
    // `--set` also sets keys of the configuration, which never begin with a channel's number.
    let (given, keys): (Vec<String>, Vec<String>) =
        common.set.iter().cloned().partition(|set| set.starts_with(|c: char| c.is_ascii_digit()));
    let common = &Common { set: keys, ..common.clone() };
    let set = match given.as_slice() {
        [] => None,
        [one] => Some(RoleAssignment::parse(one).map_err(|e| anyhow!("--set {one}: {e}"))?),
        _ => bail!("roles are set once\nhint: --set 0=rep,1=customer"),
    };
    if set.is_some() && (args.swap || args.keep) {
        bail!("--set, --swap and --keep exclude each other");
    }
    if set.is_some() && args.by.is_none() {
        bail!("a decision about roles needs --by NAME");
    }
    let store = existing_store(common)?;
    let store = store.as_ref();
    let call_id = find_one(store, &args.call)?;
    let stored = store.get_call(&call_id).map_err(explain)?.ok_or_else(|| anyhow!("the call {call_id} is gone"))?;
    if set.is_none() && !args.swap && !args.keep {
        print!("{}", explanation(&stored.record));
        return Ok(FINISHED);
    }
    if stored.words_purged {
        bail!("the words of the call {call_id} were purged\nhint: nothing is left that could be scored again");
    }
    let hint = "`callmark show` prints the call; a mono call whose speakers were not told apart has no roles to give";
    let now = RoleAssignment::of(&stored.record.transcript).map_err(|e| anyhow!("{call_id}: {e}\nhint: {hint}"))?;
    let wanted = match set {
        Some(set) => set,
        None if args.swap => now.swapped(),
        None => now,
    };
    // Tried on a copy first: what does not fit the call must not become a review.
    wanted
        .apply(&mut stored.record.transcript.clone())
        .map_err(|e| anyhow!("{call_id}: {e}\nhint: `callmark roles {call_id}` prints its channels"))?;
    let mut warnings = Vec::new();
    let config = Config::load(common)?;
    let rescorer = Rescorer::open(args.scorecard.as_deref(), &config, &Install::find()?, store, &mut warnings)?;
    for warning in &warnings {
        eprintln!("warning: {warning}");
    }
    if rescorer.is_chosen_by_hand(&stored.record) {
        let evaluation = &stored.record.evaluation;
        bail!(
            "the call was scored with {} v{}, which is not the scorecard that it would get now\nhint: give the scorecard that it was scored with: --scorecard FILE",
            evaluation.scorecard,
            evaluation.scorecard_version
        );
    }
    let appended = store
        .append_review(&NewReview {
            call_id: call_id.clone(),
            requirement_id: wanted.review_id(),
            reviewer: args.by.clone().unwrap_or_else(|| "–".into()),
            source: ReviewSource::Flag,
            inclusion_permille: 1000,
            blind: false,
            decision: if args.keep { Decision::Agree } else { Decision::Overturn },
            reason: redact_text(args.reason.as_deref().unwrap_or_default(), &config.redaction.entities),
            appeal_of: None,
            is_final: true,
            ts: jiff::Timestamp::now().to_string(),
        })
        .map_err(explain)?;
    let before = stored.record.evaluation.score;
    let mut after = before;
    if let Some(new) = rescorer.rescore(&call_id, store)? {
        store.put_call(&new.record, &new.key, &[]).map_err(explain)?;
        after = new.record.evaluation.score;
        if let Some(out) = &args.out {
            outputs::prepare_folder(out)?;
            outputs::write_call(out, &new.record)?;
        }
    }
    if !common.quiet {
        let points = |score: Option<i64>| score.map_or("–".to_string(), call_page::points);
        println!(
            "review {} stored: {wanted}; score {} → {}\nto undo: callmark roles {call_id} --swap --by NAME",
            appended.review_id,
            points(before),
            points(after)
        );
    }
    Ok(FINISHED)
}

/// Who is who and every piece of evidence with its moment.
fn explanation(record: &CallRecord) -> String {
    let transcript = &record.transcript;
    let said = RoleAssignment::of(transcript).map_or("not told apart".to_string(), |roles| roles.to_string());
    let confidence = f64::from(transcript.role_confidence_permille) / 1000.0;
    let method = outputs::snake(&transcript.role_method);
    let mut out = format!("{}  {said}  by {method} ({confidence:.3})\n", record.call_id);
    out.push_str(&call_page::role_evidence(record, ActLexicon::built_in(), usize::MAX));
    out
}
