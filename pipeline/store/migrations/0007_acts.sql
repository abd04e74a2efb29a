-- Version 7: what the head of a text model heard of dialogue acts, as JSON of core's ActReadings. NULL: no head has read the call (all that
-- was stored before; another encoder's hash goes with the first head, so such calls are read again).
ALTER TABLE text_scores ADD COLUMN acts TEXT;
