from __future__ import annotations

import gc
from contextlib import ExitStack

from bulksend.campaign.collector import rare_collector


def test_the_last_of_several_sends_puts_the_collector_back() -> None:
    before = gc.get_threshold()
    first, second = ExitStack(), ExitStack()
    first.enter_context(rare_collector())
    second.enter_context(rare_collector())
    assert gc.get_threshold()[0] > before[0]
    first.close()
    assert gc.get_threshold()[0] > before[0]
    second.close()
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0
