"""The tables of what outlives runs: what an account knows of phones and contacts, its history, and who opted out.

Phones and texts of messages stand in history as 64-bit hashes, made with the account's key or, where they were brought
from files, with the key of those. Times are of the database's clock, in seconds since 1970.
"""

from __future__ import annotations

OUTLIVING = """
CREATE TABLE account_number (        -- of contacts, as any answer told it
    account integer NOT NULL REFERENCES account ON DELETE CASCADE,
    contact bigint NOT NULL,
    phone text COLLATE "C" NOT NULL,
    PRIMARY KEY (account, contact)
);
CREATE INDEX account_number_of_phone ON account_number (account, phone);
CREATE TABLE active (                -- the runs that are being sent, and those of whoever was cut off
    account integer NOT NULL REFERENCES account ON DELETE CASCADE,
    key text COLLATE "C" NOT NULL,   -- see `bulksend.runs.finding`
    run text COLLATE "C" NOT NULL,   -- where it is; of one in this database its name behind a #
    PRIMARY KEY (account, key)
);
CREATE TABLE recent (                -- what counts against a phone's cap
    account integer NOT NULL REFERENCES account ON DELETE CASCADE,
    key text COLLATE "C" NOT NULL,   -- of the run that sent it
    phone text COLLATE "C",
    contact bigint,
    parts integer NOT NULL,
    messages integer NOT NULL,
    ended_at double precision NOT NULL
);
CREATE INDEX recent_of_account ON recent (account, ended_at);
CREATE TABLE landed (                -- what was sent to contacts out of other shards than those of their phones
    account integer NOT NULL REFERENCES account ON DELETE CASCADE,
    shard smallint NOT NULL,         -- the phone's, whose owner is to know it
    sent_for smallint NOT NULL,      -- the shard out of which it was sent,
    epoch bigint NOT NULL,           -- and its epoch then
    run bigint NOT NULL,
    phone text COLLATE "C" NOT NULL,
    parts integer NOT NULL,
    messages integer NOT NULL,
    ended_at double precision NOT NULL,
    moved bigint[] NOT NULL,         -- the run's rows that came to the phone's shard with it
    told_in xid8 NOT NULL DEFAULT pg_current_xact_id()  -- the transaction that tells it
);
CREATE INDEX landed_of_account ON landed (account, told_in);
CREATE TABLE quiet (                 -- nobody knows what was sent shortly before
    account integer NOT NULL REFERENCES account ON DELETE CASCADE,
    since double precision NOT NULL
);
CREATE TABLE brought (               -- histories that were brought from files
    account integer NOT NULL REFERENCES account ON DELETE CASCADE,
    name text COLLATE "C" NOT NULL,
    key bytea NOT NULL,              -- of its hashes
    PRIMARY KEY (account, name)
);
CREATE TABLE command (               -- that sent, or was about to
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account integer NOT NULL REFERENCES account ON DELETE CASCADE,
    run text COLLATE "C" NOT NULL,   -- as in active
    plan_id text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    began_at double precision NOT NULL,  -- when somebody gave it
    sends_since double precision NOT NULL,
    is_open boolean NOT NULL,        -- what it sent is not known here yet
    brought text COLLATE "C",        -- from which files, and its number there
    UNIQUE (account, brought)
);
CREATE INDEX command_of_plan ON command (account, plan_id);
CREATE TABLE got (                   -- which phone got which text
    account integer NOT NULL REFERENCES account ON DELETE CASCADE,
    phone bigint NOT NULL,
    text bigint NOT NULL,
    command integer NOT NULL,
    row bigint NOT NULL,
    in_doubt boolean NOT NULL,
    PRIMARY KEY (account, phone, text, command, row)
);
CREATE TABLE told_run (              -- whose receipts were fetched
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account integer NOT NULL REFERENCES account ON DELETE CASCADE,
    plan_id text COLLATE "C" NOT NULL,
    sent_at double precision NOT NULL,  -- when the last message was sent of which it was told
    UNIQUE (account, plan_id)
);
CREATE TABLE reached_by (
    phone bigint NOT NULL,
    run integer NOT NULL REFERENCES told_run ON DELETE CASCADE,
    reached boolean NOT NULL,        -- whether any message of the run reached it
    PRIMARY KEY (phone, run)
);
CREATE TABLE optout_list (           -- by its row those who add to a list do so one after another
    account integer PRIMARY KEY REFERENCES account ON DELETE CASCADE,
    last bigint NOT NULL             -- the number of whoever was added last
);
CREATE TABLE optout (
    account integer NOT NULL REFERENCES optout_list ON DELETE CASCADE,
    id bigint NOT NULL,              -- in the order in which they were committed, so that nobody is missed
    phone text COLLATE "C",          -- the one number that stands for a phone, or
    contact bigint,                  -- a contact
    recipient text COLLATE "C" NOT NULL,  -- the same as it was given
    reason text COLLATE "C" NOT NULL,
    since double precision NOT NULL,
    PRIMARY KEY (account, id),
    UNIQUE (account, phone),
    UNIQUE (account, contact)
);
CREATE TABLE reservation (           -- the run that sends a text to a phone
    account integer NOT NULL REFERENCES account ON DELETE CASCADE,
    phone bigint NOT NULL,           -- see `hashed`; a contact's id as long as its number is not known
    text bigint NOT NULL,
    run bigint NOT NULL,
    began_at double precision NOT NULL,  -- when somebody gave its command
    rows integer NOT NULL,           -- so many of its rows are sent, may be, or are under way
    spared integer NOT NULL,         -- so many equal ones of it were left out for what history holds
    PRIMARY KEY (account, phone, text)
);
CREATE FUNCTION hashed(key bytea, kind text, value text) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT ('x' || left(encode(sha256(key || convert_to(kind || value, 'UTF8')), 'hex'), 16))::bit(64)::bigint
$$;
"""
