"""A send waits for another run of its account that lives in a database, as it does for one in a file."""

from __future__ import annotations

import threading

import pytest
from planned import plan_in_database
from runfiles import number, pending

from bulksend.campaign import held_account
from bulksend.campaign.events import AccountBusy
from bulksend.engagespark import Target
from bulksend.errors import AccountBusyError, OwnedError
from bulksend.model import Endpoint
from bulksend.runs.places import DatabaseRun

TARGET = Target("https://x.test", 1, Endpoint.CONTACT, "key")


def test_it_waits_until_the_other_run_is_through_or_for_as_long_as_it_may(database: str) -> None:
    rows = [pending(1, number(1))]
    with (
        plan_in_database(DatabaseRun(database, "june"), rows) as june,
        plan_in_database(DatabaseRun(database, "july"), rows) as july,
    ):
        heard: list[object] = []
        journal = june.journal()
        with pytest.raises(AccountBusyError), held_account(TARGET, july, heard.append, wait=False):
            pass
        waited = "waited for as long as it may be"
        with (
            pytest.raises(OwnedError, match=waited),
            held_account(TARGET, july, heard.append, wait=True, limit_s=0.0),
        ):
            pass
        assert heard == []
        threading.Timer(0.7, journal.close).start()
        with held_account(TARGET, july, heard.append, wait=True):
            assert any(isinstance(each, AccountBusy) for each in heard)
            with pytest.raises(AccountBusyError):
                june.claim_account()
            july.journal().close()
        june.claim_account()
