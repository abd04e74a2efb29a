-- What callmark does not find out itself: rows of call logs and sales systems, and what trainers plan.

-- One imported row: its id is the source's own, so that importing a file twice changes nothing. `row` is JSON.
CREATE TABLE activity (
    source TEXT NOT NULL,
    row_id TEXT NOT NULL,
    rep_id TEXT NOT NULL,
    -- Civil date, YYYY-MM-DD.
    day TEXT NOT NULL,
    row TEXT NOT NULL,
    PRIMARY KEY (source, row_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX activity_by_day ON activity (day, rep_id);

-- What happened to coaching plans, in order; a plan is what its events make of it. Events are only appended.
CREATE TABLE coaching (
    event_id INTEGER PRIMARY KEY AUTOINCREMENT,
    plan_id TEXT NOT NULL,
    event TEXT NOT NULL
) STRICT;
CREATE INDEX coaching_by_plan ON coaching (plan_id);
CREATE TRIGGER coaching_is_append_only BEFORE UPDATE ON coaching
BEGIN SELECT RAISE(ABORT, 'coaching events are append-only'); END;
