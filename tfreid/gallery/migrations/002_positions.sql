-- Positions, of models whose images are compared by reconstruction; beta is that of the model.

ALTER TABLE gallery ADD beta double precision CHECK (beta > 0);

CREATE TABLE positions (
  image bigint PRIMARY KEY REFERENCES image ON DELETE CASCADE,
  positions bytea NOT NULL,  -- half precision, one position after the other
  foreground bytea NOT NULL  -- single precision, a weight of each
);
-- Such numbers do not get smaller, and no sample of them is kept among the statistics.
ALTER TABLE positions ALTER positions SET STORAGE EXTERNAL, ALTER positions SET STATISTICS 0,
  ALTER foreground SET STORAGE EXTERNAL, ALTER foreground SET STATISTICS 0;
