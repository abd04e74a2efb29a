-- Version 9: how the model that read the sentiment takes account of the same party's other turns, as JSON of core's SentimentContext. NULL: each turn stands
-- alone (all that was stored before; another encoder's hash goes with the first context, so such calls are read again). The column `sentiment` is of each
-- turn alone in any case.
ALTER TABLE text_scores ADD COLUMN sentiment_context TEXT;
