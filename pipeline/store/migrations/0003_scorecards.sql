-- Version 3: what the stored evaluations were made with, so that a re-score judges anew only what changed.

-- Hash of a scorecard -> fingerprints of its items, as JSON that the store does not read. Rows are never changed.
CREATE TABLE scorecards (
  hash TEXT PRIMARY KEY,
  fingerprints TEXT NOT NULL
) STRICT, WITHOUT ROWID;
