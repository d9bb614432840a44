-- Schema 4: which ledger this is. One row, made with the table and never changed; no entry's hash covers it. The
-- id is kept twice, so that a changed bit of it breaks a check that every audit asks for.

CREATE TABLE identity (
  one  INTEGER PRIMARY KEY CHECK (one = 1),
  id   BLOB NOT NULL CHECK (length(id) = 16),
  copy BLOB NOT NULL CHECK (copy = id)
) STRICT;

-- Materialized: otherwise each use would draw bits of its own.
WITH drawn (id) AS MATERIALIZED (SELECT randomblob(16))
INSERT INTO identity (one, id, copy) SELECT 1, id, id FROM drawn;

CREATE TRIGGER identity_guard BEFORE INSERT ON identity
WHEN EXISTS (SELECT 1 FROM identity)
BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: identity'); END;
CREATE TRIGGER identity_no_update BEFORE UPDATE ON identity BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: identity'); END;
CREATE TRIGGER identity_no_delete BEFORE DELETE ON identity BEGIN SELECT RAISE(ABORT, 'IMMUTABLE: identity'); END;
