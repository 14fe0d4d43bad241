-- An enrolment asks whether one of its pictures is stored as another person's.

CREATE INDEX ON image (sha256);
