-- Version 2: full-text search, forgetting and purging, and calls without the weight of their records.

-- A call's columns lie apart from its record, so that filters and lists do not read through it.
-- `call_no` stays when the call gets another id; the search index uses it.
CREATE TABLE calls_2 (
  call_id TEXT PRIMARY KEY,
  call_no INTEGER NOT NULL UNIQUE,
  evaluation_key TEXT NOT NULL,
  rep_id TEXT,
  customer_id TEXT,
  team TEXT,
  campaign TEXT,
  direction TEXT,
  call_type TEXT,
  language TEXT,
  medium TEXT NOT NULL,
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
  scorecard_hash TEXT NOT NULL,
  -- 1: the words are gone, scores and times are kept (`purge --keep scores`).
  words_purged INTEGER NOT NULL DEFAULT 0
) STRICT;
INSERT INTO calls_2
  SELECT call_id, rowid, evaluation_key, rep_id,
    CASE WHEN json_valid(record) THEN json_extract(record, '$.metadata.customer_id') END,
    team, campaign, direction, call_type, language,
    coalesce(CASE WHEN json_valid(record) THEN json_extract(record, '$.transcript.medium') END, 'speech'),
    start_ts, start_date, duration_ms, status, reason, verdict, score_millipoints, score_low_millipoints,
    score_high_millipoints, fatal_count, scorecard, scorecard_version, scorecard_hash, 0
  FROM calls;

-- The whole truth about a call; the columns of `calls` repeat parts of it.
CREATE TABLE records (
  call_no INTEGER PRIMARY KEY REFERENCES calls (call_no) ON DELETE CASCADE,
  record TEXT NOT NULL
) STRICT;
INSERT INTO records SELECT rowid, record FROM calls;

-- What the rep tables need of a call, so that they do not read through the records of all nights. Made from the record; a
-- missing line, or one of another version, is made again when it is read.
CREATE TABLE summaries (
  call_no INTEGER PRIMARY KEY REFERENCES calls (call_no) ON DELETE CASCADE,
  version INTEGER NOT NULL,
  summary TEXT NOT NULL
) STRICT;

DROP TABLE calls;
ALTER TABLE calls_2 RENAME TO calls;
CREATE INDEX calls_by_date ON calls (start_date);
CREATE INDEX calls_by_rep ON calls (rep_id, start_date);
CREATE INDEX calls_by_customer ON calls (customer_id);
CREATE INDEX files_by_recording ON files (recording_id);

-- Words of the turns, folded by src/search.rs; no text is stored a second time. The rowid is call_no * 2^20 + turn, the
-- column is the role. Written in the transaction that writes `turns`. `ascii` splits at spaces only: the folding has already
-- made the words. `secure-delete` takes a forgotten word out of the index itself, not only out of its answers.
CREATE VIRTUAL TABLE search USING fts5 (rep, customer, unknown, content = '', columnsize = 0, tokenize = 'ascii');
INSERT INTO search (search, rank) VALUES ('secure-delete', 1);

-- What was forgotten or purged is not taken in again. `key` is a hash of the call id or of the recording id.
CREATE TABLE tombstones (
  key TEXT PRIMARY KEY,
  -- forgotten: nothing is left; words_purged: scores and times are kept.
  kind TEXT NOT NULL,
  date TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Reviews stay append-only, with one exception: the call that a decision is about gets another id, loses its words, or is
-- forgotten. The store then writes the old and the new id here, changes the rows, and takes the line away again, in one
-- transaction. Only the id may change, the reason may only become empty, and a forgotten call's decisions keep the result
-- that they were about (`result`), so that the precision of requirements stays known.
CREATE TABLE review_moves (
  call_id TEXT NOT NULL,
  new_call_id TEXT NOT NULL,
  PRIMARY KEY (call_id, new_call_id)
) STRICT, WITHOUT ROWID;
ALTER TABLE reviews ADD COLUMN result TEXT;
DROP TRIGGER reviews_are_not_edited;
CREATE TRIGGER reviews_are_not_edited BEFORE UPDATE ON reviews
WHEN NOT (
  EXISTS (SELECT 1 FROM review_moves WHERE call_id = old.call_id AND new_call_id = new.call_id)
  AND new.reason IN (old.reason, '')
  AND new.review_id = old.review_id AND new.requirement_id = old.requirement_id AND new.reviewer = old.reviewer
  AND new.source = old.source AND new.inclusion_permille = old.inclusion_permille AND new.blind = old.blind
  AND new.decision = old.decision AND new.appeal_of IS old.appeal_of AND new.final = old.final AND new.ts = old.ts
)
BEGIN SELECT RAISE(ABORT, 'reviews are append-only'); END;
