-- Version 8: what journeys look at in a call (core::journey::CallTalk), so that they do not search the records of all nights for phrases each time. Made from
-- the record when journeys are; a line of another version, or of another evaluation than the call has now, does not count.
CREATE TABLE talks (
  call_no INTEGER PRIMARY KEY REFERENCES calls (call_no) ON DELETE CASCADE,
  version TEXT NOT NULL,
  evaluation_key TEXT NOT NULL,
  talk TEXT NOT NULL
) STRICT;
