"""The tables of what holds for all processes that send a run, or for an account: money, errors, stops and pauses.

Times are of the database's clock, in seconds since 1970.
"""

from __future__ import annotations

LIMITING = """
CREATE TABLE bound (                 -- what limits a run; whoever begins or ends messages of it locks this first
    run bigint PRIMARY KEY REFERENCES run ON DELETE CASCADE,
    cost_left bigint,                -- micro-USD, what is held taken off; NULL: it may cost anything
    dearest_part bigint,             -- micro-USD, as far as anything is known
    most_errors integer,             -- NULL: any number of rows may end unsent
    is_percent boolean,              -- of the rows done
    done bigint NOT NULL,            -- rows, those that ended unsent among them
    bad bigint NOT NULL              -- these
) WITH (fillfactor = 50);
CREATE TABLE price (                 -- of a part, as answers told it
    run bigint NOT NULL REFERENCES run ON DELETE CASCADE,
    kind text COLLATE "C" NOT NULL,  -- see `bulksend.sending.kind_of`
    part bigint NOT NULL,            -- the dearest, micro-USD
    is_known boolean NOT NULL,       -- whether an answer told it since the run was opened
    first bigint,                    -- the row that went alone to find out, last
    PRIMARY KEY (run, kind)
);
CREATE TABLE stop (                  -- why a run ends, for all who send it
    run bigint PRIMARY KEY REFERENCES run ON DELETE CASCADE,
    reason text COLLATE "C" NOT NULL,  -- see `bulksend.sending.Stop`
    says text COLLATE "C" NOT NULL,
    unsent bigint NOT NULL,
    done bigint NOT NULL,
    allowed text COLLATE "C"         -- NULL: it does not end for errors
);
CREATE TABLE pacing (                -- what an account's server was found to allow
    account integer PRIMARY KEY REFERENCES account ON DELETE CASCADE,
    free_at double precision NOT NULL DEFAULT 0,  -- what was asked for by now may have started
    quiet_until double precision NOT NULL DEFAULT 0,  -- it asks to be left alone
    absences bigint NOT NULL DEFAULT 0  -- so often anybody found it away
) WITH (fillfactor = 50);
"""
