"""The database: many runs of many accounts in one PostgreSQL schema, each the only truth of what happened to it.

Times are seconds since 1970. Texts compare by code points (``COLLATE "C"``), as they do in a run file. An empty number
of a row and an empty contact mean that it has no recipient; at most one of the two is told.
"""

from __future__ import annotations

from bulksend.runs import life
from bulksend.runs.postgres.limiting import LIMITING
from bulksend.runs.postgres.outliving import OUTLIVING
from bulksend.runs.states import State

SCHEMA = "bulksend"
VERSION = 1
SHARDS = 64
"""Into so many parts an account's phones are dealt; it never changes, for a phone must stay in its part."""

OF_ROWS = ("send", "number", "message", "repeat", "copy", "carried", "receipt")
"""The tables of a run's rows. To have each row see that its run is there costs more than to write the row: so whoever
removes a run removes what it has in these, see `bulksend.runs.postgres.naming`."""

_KEY = "decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex')"
_FIRST = f"""
CREATE TABLE installation (          -- one row: whose data these are
    version integer NOT NULL,
    system_identifier bigint NOT NULL,  -- of the cluster that has them
    timeline integer NOT NULL        -- on which it went: another one may have lost commits
);
CREATE TABLE account (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE,  -- see `bulksend.runs.accounts`: the same however its address is spelled
    mark text COLLATE "C" NOT NULL DEFAULT gen_random_uuid()::text,  -- tells what it remembers from all others
    key bytea NOT NULL DEFAULT {_KEY},  -- of its hashes
    changes bigint NOT NULL DEFAULT 0,  -- of its history
    held integer NOT NULL DEFAULT 0, -- so many requests at once were well
    rate double precision NOT NULL DEFAULT 0,  -- so many messages a second were let through; 0: not known
    rate_at double precision NOT NULL DEFAULT 0  -- when that was found
);
CREATE TABLE shard (                 -- a part of an account's phones, and which process sends to them
    account integer NOT NULL REFERENCES account ON DELETE CASCADE,
    no smallint NOT NULL,
    epoch bigint NOT NULL DEFAULT 0, -- how often it was taken over
    owner text COLLATE "C",          -- see `bulksend.runs.owner.Owner`, as JSON; NULL: nobody has it
    lease_until timestamptz,         -- so long its owner has it unless renewed
    PRIMARY KEY (account, no)
);
CREATE TABLE run (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" UNIQUE,    -- NULL: a plan that is not whole yet
    account integer REFERENCES account,  -- NULL: of none, such as a rehearsal's
    planned_at double precision NOT NULL,
    lines bytea,                     -- see `bulksend.planning.Lines`; NULL: not known
    epoch bigint NOT NULL DEFAULT 0, -- how often it was taken over
    lease_until timestamptz,         -- so long its owner, or whoever plans it, has it unless renewed; NULL: nobody has
    opened bigint,                   -- the epoch under which workers send it; NULL, or another: they do not
    opened_at double precision       -- since when they may
);
CREATE TABLE worker (                -- a process that works on an account's runs beside others
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account integer NOT NULL REFERENCES account ON DELETE CASCADE,
    owner text COLLATE "C" NOT NULL, -- see `bulksend.runs.owner.Owner`, as JSON: that of its shards
    run bigint REFERENCES run ON DELETE SET NULL,  -- on which it is at work; NULL: on none
    seen_until timestamptz NOT NULL  -- so long it is taken to live unless it says so again
);
CREATE TABLE fact (                  -- what a run keeps of itself as a whole
    run bigint NOT NULL REFERENCES run ON DELETE CASCADE,
    name text COLLATE "C" NOT NULL,
    value text COLLATE "C" NOT NULL, -- JSON
    PRIMARY KEY (run, name)
);
CREATE TABLE message (
    run bigint NOT NULL,
    row bigint NOT NULL,
    status text COLLATE "C" NOT NULL,  -- pending, invalid or skipped: what the plan says
    phone text COLLATE "C",          -- the number it goes to, or
    contact bigint,                  -- the contact
    shard smallint,                  -- which part of the account's phones; a contact's by its id until its number is
                                     -- known, then by that; NULL: no recipient
    sender text COLLATE "C",
    text text COLLATE "C" NOT NULL,
    encoding text COLLATE "C",
    parts integer NOT NULL,
    price bigint,                    -- micro-USD, NULL: no rate known
    error text COLLATE "C" NOT NULL,
    cells text COLLATE "C" NOT NULL, -- the row's own cells, a JSON array
    PRIMARY KEY (run, row)
);
CREATE INDEX message_of_shard ON message (run, shard, row) WHERE status = 'pending';
CREATE INDEX message_of_contact ON message (run, contact) WHERE contact IS NOT NULL;
CREATE TABLE repeat (                -- the rows of recipients that occur more than once
    run bigint NOT NULL,
    phone text COLLATE "C",
    contact bigint,
    row bigint NOT NULL,
    parts integer NOT NULL,
    PRIMARY KEY (run, row)
);
CREATE INDEX repeat_of_phone ON repeat (run, phone);
CREATE INDEX repeat_of_contact ON repeat (run, contact);
CREATE TABLE copy (                  -- the rows that have recipient, sender and text of earlier ones
    run bigint NOT NULL,
    row bigint NOT NULL,
    copy integer NOT NULL,           -- of how many
    PRIMARY KEY (run, row)
);
CREATE TABLE carried (               -- rows whose message was sent before the input was changed
    run bigint NOT NULL,
    row bigint NOT NULL,
    status text COLLATE "C",         -- what the input says, NULL: it has no such row
    phone text COLLATE "C",
    contact bigint,
    sender text COLLATE "C",
    text text COLLATE "C",
    PRIMARY KEY (run, row)
);
CREATE TABLE send (
    run bigint NOT NULL,
    row bigint NOT NULL,
    state text COLLATE "C" NOT NULL, -- see `bulksend.runs.states`, also for the next two but one
    attempts integer NOT NULL,
    started_at double precision NOT NULL,  -- of the last attempt
    ended_at double precision,
    doubt_since double precision,    -- when the first attempt began that may have been accepted; NULL: none may
    decision text COLLATE "C",       -- what somebody decided about the doubt; NULL: nothing
    ticket bigint,                   -- of the last intent, counted from 1 by each owner
    epoch bigint,                    -- under which it was committed
    shard smallint,                  -- for which: that of the phone as far as that was known then
    proof integer NOT NULL DEFAULT 0,  -- see `bulksend.sending.Proof`; of all attempts that may have been accepted
    http_status integer,
    answer jsonb,                    -- what the API said, an object with the API's names
    charged bigint,                  -- micro-USD
    error text COLLATE "C",
    held bigint,                     -- micro-USD, of the run's budget, as long as it is under way or in doubt
    bad boolean,                     -- whether it counts as an error, where these are limited
    PRIMARY KEY (run, row)
);
CREATE INDEX send_unfinished ON send (run, row) WHERE {life.is_to_send()};
CREATE INDEX send_in_doubt ON send (run, row) WHERE state = '{State.UNKNOWN}';
CREATE INDEX send_not_sent ON send (run, row) WHERE {life.is_not_sent()};
CREATE INDEX send_in_flight ON send (run, row) WHERE state = '{State.IN_FLIGHT}';
CREATE TABLE number (                -- learned from answers
    run bigint NOT NULL,
    contact bigint NOT NULL,
    phone text COLLATE "C" NOT NULL,
    PRIMARY KEY (run, contact)
);
CREATE TABLE receipt (
    run bigint NOT NULL,
    row bigint NOT NULL,
    to_telco boolean,                -- NULL: not told
    to_phone text COLLATE "C" NOT NULL,  -- see `bulksend.model.Reached`
    error text COLLATE "C" NOT NULL,
    charged bigint,                  -- micro-USD, NULL: not told
    PRIMARY KEY (run, row)
);
"""

MIGRATIONS = (_FIRST + OUTLIVING + LIMITING,)
"""What brings a schema from each version to the next, the first from nothing; each runs in one transaction."""
