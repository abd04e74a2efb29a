-- Version 1. Units are in the names; every enum is its snake_case name; JSON columns are read back byte for byte.

-- (path, size, mtime, inode) -> hash of the bytes, so that unchanged files are not read again.
CREATE TABLE files (
  path TEXT PRIMARY KEY,
  size INTEGER NOT NULL,
  mtime_ns INTEGER NOT NULL,
  inode INTEGER NOT NULL,
  recording_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- The expensive result: what a recogniser made of a recording.
CREATE TABLE analyses (
  recording_id TEXT NOT NULL,
  model_key TEXT NOT NULL,
  transcript TEXT NOT NULL,
  PRIMARY KEY (recording_id, model_key)
) STRICT;

CREATE TABLE text_scores (
  call_id TEXT NOT NULL,
  models_hash TEXT NOT NULL,
  transcript_hash TEXT NOT NULL,
  sentiment TEXT NOT NULL,
  dimension INTEGER NOT NULL,
  embeddings BLOB NOT NULL,
  PRIMARY KEY (call_id, models_hash, transcript_hash)
) STRICT;

CREATE TABLE phrases (
  encoder_hash TEXT NOT NULL,
  text TEXT NOT NULL,
  embedding BLOB NOT NULL,
  PRIMARY KEY (encoder_hash, text)
) STRICT, WITHOUT ROWID;

-- One record per call. `record` is the whole truth; the other columns repeat it for filters and for people with SQL.
CREATE TABLE calls (
  call_id TEXT PRIMARY KEY,
  evaluation_key TEXT NOT NULL,
  record TEXT NOT NULL,
  rep_id TEXT,
  team TEXT,
  campaign TEXT,
  direction TEXT,
  call_type TEXT,
  language TEXT,
  start_ts TEXT,
  -- Civil date as written in start_ts; NULL when it has none.
  start_date TEXT,
  duration_ms INTEGER NOT NULL,
  status TEXT NOT NULL,
  reason TEXT,
  verdict TEXT,
  score_millipoints INTEGER,
  score_low_millipoints INTEGER,
  score_high_millipoints INTEGER,
  fatal_count INTEGER NOT NULL,
  scorecard TEXT NOT NULL,
  scorecard_version INTEGER NOT NULL,
  scorecard_hash TEXT NOT NULL
) STRICT;
CREATE INDEX calls_by_date ON calls (start_date);
CREATE INDEX calls_by_rep ON calls (rep_id, start_date);

CREATE TABLE turns (
  call_id TEXT NOT NULL REFERENCES calls ON DELETE CASCADE,
  turn INTEGER NOT NULL,
  role TEXT NOT NULL,
  begin_ms INTEGER NOT NULL,
  end_ms INTEGER NOT NULL,
  text TEXT NOT NULL,
  confidence_permille INTEGER NOT NULL,
  sentiment_milli INTEGER,
  PRIMARY KEY (call_id, turn)
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger (
  call_id TEXT NOT NULL REFERENCES calls ON DELETE CASCADE,
  row INTEGER NOT NULL,
  kind TEXT NOT NULL,
  requirement_id TEXT NOT NULL,
  version INTEGER NOT NULL,
  dimension TEXT NOT NULL,
  severity TEXT NOT NULL,
  result TEXT NOT NULL,
  points_millipoints INTEGER NOT NULL,
  possible_millipoints INTEGER NOT NULL,
  weight INTEGER NOT NULL,
  confidence_permille INTEGER NOT NULL,
  begin_ms INTEGER NOT NULL,
  end_ms INTEGER NOT NULL,
  quote TEXT NOT NULL,
  match_type TEXT NOT NULL,
  PRIMARY KEY (call_id, row)
) STRICT, WITHOUT ROWID;

-- Which recordings made which call, and where they lay when they were last seen.
CREATE TABLE recordings (
  recording_id TEXT NOT NULL,
  call_id TEXT NOT NULL REFERENCES calls ON DELETE CASCADE,
  path TEXT NOT NULL,
  file_name TEXT NOT NULL,
  PRIMARY KEY (recording_id, call_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX recordings_by_call ON recordings (call_id);
CREATE INDEX recordings_by_name ON recordings (file_name);

CREATE TABLE failures (
  key TEXT PRIMARY KEY,
  file_name TEXT NOT NULL,
  stage TEXT NOT NULL,
  cause TEXT NOT NULL,
  hint TEXT NOT NULL,
  program_version TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Append-only: a decision is never edited, a later one outranks it. Kept when the call's record is replaced.
CREATE TABLE reviews (
  review_id INTEGER PRIMARY KEY AUTOINCREMENT,
  call_id TEXT NOT NULL,
  requirement_id TEXT NOT NULL,
  reviewer TEXT NOT NULL,
  source TEXT NOT NULL,
  inclusion_permille INTEGER NOT NULL,
  blind INTEGER NOT NULL,
  decision TEXT NOT NULL,
  reason TEXT NOT NULL,
  appeal_of INTEGER REFERENCES reviews (review_id),
  final INTEGER NOT NULL,
  ts TEXT NOT NULL
) STRICT;
CREATE INDEX reviews_by_call ON reviews (call_id);
CREATE TRIGGER reviews_are_not_edited BEFORE UPDATE ON reviews
BEGIN SELECT RAISE(ABORT, 'reviews are append-only'); END;
CREATE TRIGGER reviews_are_not_deleted BEFORE DELETE ON reviews
BEGIN SELECT RAISE(ABORT, 'reviews are append-only'); END;
