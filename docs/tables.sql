-- Loads an export of callmark (CSV) into PostgreSQL for Metabase, Superset and others:
--   callmark export tables && cd tables && psql DATABASE -f …/docs/tables.sql
-- What was loaded before is replaced. One statement a line. docs/tables.md says what each column holds.

DROP SCHEMA IF EXISTS callmark CASCADE;
CREATE SCHEMA callmark;
CREATE TABLE callmark.calls ("call_id" text, "rep_id" text, "team" text, "campaign" text, "direction" text, "call_type" text, "start_ts" text, "tz" text, "duration_ms" bigint, "language" text, "role_method" text, "role_confidence" numeric(18,3), "recogniser_confidence" numeric(18,3), "rep_talk_permille" bigint, "customer_talk_permille" bigint, "silence_ms" bigint, "unexcused_silence_ms" bigint, "interruptions_rep" bigint, "interruptions_customer" bigint, "pace_rep" bigint, "pace_customer" bigint, "pace_unit" text, "longest_monologue_ms" bigint, "questions_rep" bigint, "patience_ms" bigint, "sentiment_customer" numeric(18,3), "sentiment_customer_q1" numeric(18,3), "sentiment_customer_q2" numeric(18,3), "sentiment_customer_q3" numeric(18,3), "sentiment_customer_q4" numeric(18,3), "sentiment_customer_shift" numeric(18,3), "score" numeric(18,3), "score_low" numeric(18,3), "score_high" numeric(18,3), "status" text, "reason" text, "verdict" text, "fatal_count" bigint, "scorecard" text, "scorecard_version" bigint, "scorecard_hash" text, "model_hash" text);
\copy callmark.calls FROM 'calls.csv' WITH (FORMAT csv, HEADER true)
CREATE TABLE callmark.turns ("call_id" text, "turn" bigint, "role" text, "begin_ms" bigint, "end_ms" bigint, "text" text, "confidence" numeric(18,3), "sentiment" numeric(18,3), "acts" text, "flags" text);
\copy callmark.turns FROM 'turns.csv' WITH (FORMAT csv, HEADER true)
CREATE TABLE callmark.ledger ("call_id" text, "requirement_id" text, "version" bigint, "dimension" text, "result" text, "points" numeric(18,3), "possible" numeric(18,3), "weight" bigint, "confidence" numeric(18,3), "begin_ms" bigint, "end_ms" bigint, "quote" text, "match_type" text);
\copy callmark.ledger FROM 'ledger.csv' WITH (FORMAT csv, HEADER true)
CREATE TABLE callmark.reviews ("review_id" bigint, "call_id" text, "requirement_id" text, "reviewer" text, "source" text, "inclusion_permille" bigint, "blind" boolean, "decision" text, "reason" text, "appeal_of" bigint, "final" boolean, "ts" text);
\copy callmark.reviews FROM 'reviews.csv' WITH (FORMAT csv, HEADER true)
CREATE TABLE callmark.rep_period ("rep_id" text, "team" text, "period_kind" text, "period" text, "n_scored" bigint, "n_unscored" bigint, "n_pending" bigint, "n_failed" bigint, "mean" numeric(18,3), "shrunk" numeric(18,3), "low" numeric(18,3), "high" numeric(18,3), "rank_low" bigint, "rank_high" bigint, "flags_per_call" numeric(18,3), "trend" numeric(18,3), "trend_low" numeric(18,3), "trend_high" numeric(18,3), "top3" text, "scorecard_versions" text, "warnings" text);
\copy callmark.rep_period FROM 'rep_period.csv' WITH (FORMAT csv, HEADER true)
CREATE TABLE callmark.rep_dimension ("rep_id" text, "team" text, "period_kind" text, "period" text, "dimension" text, "n" bigint, "mean_permille" bigint, "shrunk_permille" bigint, "low_permille" bigint, "high_permille" bigint, "team_permille" bigint, "reliability_permille" bigint, "trend_permille" bigint, "trend_low_permille" bigint, "trend_high_permille" bigint, "trend_significant" boolean);
\copy callmark.rep_dimension FROM 'rep_dimension.csv' WITH (FORMAT csv, HEADER true)
CREATE TABLE callmark.team_period ("team" text, "period_kind" text, "period" text, "reps" bigint, "n_scored" bigint, "n_unscored" bigint, "n_pending" bigint, "n_failed" bigint, "mean" numeric(18,3), "adjusted" numeric(18,3), "low" numeric(18,3), "high" numeric(18,3), "between_rep_sd" numeric(18,3), "pass_permille" bigint, "pass_low_permille" bigint, "pass_high_permille" bigint, "flags_per_call" numeric(18,3), "fatals" bigint, "trend" numeric(18,3), "trend_low" numeric(18,3), "trend_high" numeric(18,3), "scorecard_versions" text, "warnings" text);
\copy callmark.team_period FROM 'team_period.csv' WITH (FORMAT csv, HEADER true)
CREATE TABLE callmark.requirement_period ("requirement_id" text, "team" text, "period_kind" text, "period" text, "n" bigint, "pass_permille" bigint, "pass_low_permille" bigint, "pass_high_permille" bigint, "violations" bigint, "unknown" bigint, "judged" bigint, "precision_permille" bigint, "precision_low_permille" bigint, "precision_high_permille" bigint, "losing_calls" bigint, "lost" numeric(18,3), "lost_per_call" numeric(18,3));
\copy callmark.requirement_period FROM 'requirement_period.csv' WITH (FORMAT csv, HEADER true)
CREATE TABLE callmark.hour_weekday ("team" text, "period_kind" text, "period" text, "weekday" bigint, "hour" bigint, "n" bigint, "mean" numeric(18,3), "shrunk" numeric(18,3), "low" numeric(18,3), "high" numeric(18,3), "dip" boolean);
\copy callmark.hour_weekday FROM 'hour_weekday.csv' WITH (FORMAT csv, HEADER true)

CREATE VIEW callmark.rep_month AS SELECT rep_id, team, period AS month, n_scored, shrunk AS score, low, high, rank_low, rank_high, trend, trend_low, trend_high FROM callmark.rep_period WHERE period_kind = 'month';
CREATE VIEW callmark.points_lost AS SELECT requirement_id, dimension, count(*) AS calls, sum(possible - points) AS points_lost FROM callmark.ledger WHERE result IN ('missed', 'violated') GROUP BY requirement_id, dimension;
CREATE VIEW callmark.flagged_moments AS SELECT l.call_id, c.rep_id, c.team, c.start_ts, l.requirement_id, l.begin_ms, l.end_ms, l.quote, l.confidence FROM callmark.ledger l JOIN callmark.calls c ON c.call_id = l.call_id WHERE l.result IN ('missed', 'violated');
CREATE VIEW callmark.why_unscored AS SELECT status, coalesce(reason, '') AS reason, count(*) AS calls FROM callmark.calls GROUP BY status, coalesce(reason, '');
