-- Version 6: the performance tables, and the sums that they are made of. src/sqlite/performance.rs makes and reads all of it; the
-- tables themselves (rep_period_rows and others, with the columns of core) are made by the first refresh.

-- What core::performance::sums keeps of a period of a kind: a binary form that only callmark reads, with the version in
-- performance_state.
CREATE TABLE period_sums (
  kind TEXT NOT NULL,
  period TEXT NOT NULL,
  sums BLOB NOT NULL,
  PRIMARY KEY (kind, period)
) STRICT;

-- One line while sums and tables are those of all calls but for what `unsummed` says; none before the first refresh. `basis`
-- says what they were made with: another one, and they are made again.
CREATE TABLE performance_state (
  line INTEGER PRIMARY KEY CHECK (line = 1),
  basis TEXT NOT NULL
) STRICT;

-- Calls whose summary is another one than when the sums were made, with the one that the sums hold (NULL: none), without the
-- call's id: when the call is forgotten, nothing here says which one it was.
CREATE TABLE unsummed (
  call_no INTEGER PRIMARY KEY,
  former TEXT
) STRICT;

-- The first change since the last refresh names what the sums hold; later ones change nothing. (Not OR IGNORE: a trigger takes
-- over the conflict clause of the statement that fires it.)
CREATE TRIGGER summaries_are_added AFTER INSERT ON summaries
WHEN EXISTS (SELECT 1 FROM performance_state)
BEGIN
  INSERT INTO unsummed SELECT new.call_no, NULL
    WHERE NOT EXISTS (SELECT 1 FROM unsummed WHERE call_no = new.call_no);
END;
CREATE TRIGGER summaries_are_changed AFTER UPDATE ON summaries
WHEN old.summary <> new.summary AND EXISTS (SELECT 1 FROM performance_state)
BEGIN
  INSERT INTO unsummed SELECT old.call_no, json_set(old.summary, '$.call_id', '')
    WHERE NOT EXISTS (SELECT 1 FROM unsummed WHERE call_no = old.call_no);
END;
CREATE TRIGGER summaries_are_removed AFTER DELETE ON summaries
WHEN EXISTS (SELECT 1 FROM performance_state)
BEGIN
  INSERT INTO unsummed SELECT old.call_no, json_set(old.summary, '$.call_id', '')
    WHERE NOT EXISTS (SELECT 1 FROM unsummed WHERE call_no = old.call_no);
END;

-- Summaries are read by day without the rows of `calls`.
DROP INDEX calls_by_date;
CREATE INDEX calls_by_date ON calls (start_date, call_no);
