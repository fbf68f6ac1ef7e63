"""A worker at its work: what it says meanwhile, and how it ends."""

from __future__ import annotations

import time

from rich.console import Console

from bulksend import campaign
from bulksend.campaign import CampaignEvent, Post, SendOptions, WorkBegun, WorkDealt, WorkEvent, WorkLeft
from bulksend.cli import codes
from bulksend.cli.advice import stop_words
from bulksend.cli.codes import ExitCode
from bulksend.cli.monitors import Monitors, watching
from bulksend.cli.sending import run_loop
from bulksend.cli.signals import stop_on_signals
from bulksend.cli.standing_view import end_words
from bulksend.cli.watch import Watch
from bulksend.cli.watch_options import WatchSettings
from bulksend.sending import Stop, Stopping
from bulksend.words import many, printable


def work(post: Post, how: SendOptions, out: Console, watched: WatchSettings) -> ExitCode:
    """Work at a post until somebody asks for the end, or nothing is left where that is meant."""
    monitors = watching(watched, out)
    with monitors.telling_of_work():
        why, sent = run_loop(_work(post, how, out, monitors))
    out.print(f"{many(sent, 'message')} sent by this worker{f': {printable(stop_words(why))}' if why else ''}.")
    code = ExitCode.OK if why is None else codes.of_stop(why)
    monitors.worked(code)
    return code


async def _work(post: Post, how: SendOptions, out: Console, monitors: Monitors) -> tuple[Stop | None, int]:
    stopping, watch = Stopping(), Watch(out, hides_progress=True)

    def tell(event: WorkEvent | CampaignEvent) -> None:
        monitors.hear(event)
        match event:
            case WorkBegun(run):
                _say(out, f"{run}: begun")
            case WorkDealt(shards, workers):
                _say(out, f"{shards} of 64 shards; {many(workers, 'worker')} at work")
            case WorkLeft(run, sent, end):
                _say(out, f"{run}: {many(sent, 'message')} sent{f'; {end_words(end)}' if end else ''}")
            case _:
                watch.hear(event)

    with stop_on_signals(stopping, watch.close):
        sent = await campaign.work(post, how, stopping, tell, monitors.listener)
    return stopping.why, sent


def _say(out: Console, words: str) -> None:
    out.print(f"{time.strftime('%H:%M:%S')} {printable(words)}", soft_wrap=True, highlight=False)
