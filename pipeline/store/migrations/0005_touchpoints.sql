-- What sales systems say happened with opportunities. One imported row may be several kinds; a row that comes again replaces the former.
CREATE TABLE touchpoints (
    source TEXT NOT NULL,
    row_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    opportunity_id TEXT,
    customer_id TEXT,
    rep_id TEXT NOT NULL,
    -- Civil date, or date and time: YYYY-MM-DD[THH:MM:SS].
    at TEXT NOT NULL,
    value_milli INTEGER,
    -- The wording of a proposal, redacted.
    text TEXT NOT NULL,
    PRIMARY KEY (source, row_id, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX touchpoints_by_time ON touchpoints (at);
CREATE INDEX touchpoints_by_customer ON touchpoints (customer_id);
