"""What becomes of a send: the sandbox's decisions, without a clock, a socket or a file of their own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from random import Random

from bulksend.engagespark.sandbox import answers
from bulksend.engagespark.sandbox.answers import Error, Message, Response
from bulksend.engagespark.sandbox.behaviour import SandboxOptions
from bulksend.engagespark.sandbox.cap import PhoneCap
from bulksend.engagespark.sandbox.chance import Chance
from bulksend.engagespark.sandbox.contacts import Contacts
from bulksend.engagespark.sandbox.request import SendRequest, parse
from bulksend.model import Endpoint, PhoneNumber

_COUNTER = re.compile(r"[0-9]{4,18}")


class Ledger:
    """The organization behind the API: its contacts, messages and money.

    Attributes:
        messages: all accepted messages and those that came in, oldest first; number ``n`` (``Message.counter``) stands
            at ``n - 1``.
        contacts: the organization's contacts.
        balance_micro: what is left to spend.
    """

    __slots__ = ("_by_dedup", "_cap", "_chance", "_options", "balance_micro", "contacts", "messages")

    def __init__(self, options: SandboxOptions, rng: Random) -> None:
        self._options = options
        self._chance = Chance(options, rng)
        self._cap = PhoneCap(options.cap_count, options.cap_window_s)
        self._by_dedup: dict[str, Message] = {}
        self.messages: list[Message] = []
        self.contacts = Contacts()
        self.balance_micro = options.balance_micro

    @property
    def worst(self) -> int:
        """The most SMS that were accepted for one capped number within any window."""
        return self._cap.worst

    def accept(self, body: Mapping[str, object], wall_s: float, endpoint: Endpoint = Endpoint.CONTACT) -> Response:
        """Decide on one send that arrives at ``wall_s`` (since 1970); times must not go back from call to call.

        Failures by chance come first, as a CDN or a broken service does not read what it fails.
        """
        delay_s = self._chance.delay_s()
        status = self._chance.failure()
        if status is not None:
            return answers.failure(status, legacy=self._options.legacy, delay_s=delay_s)
        request = parse(body, endpoint, self._options)
        response = request if isinstance(request, Error) else self._decide(request, wall_s, endpoint)
        if isinstance(response, Error):
            number = "" if isinstance(request, Error) else self._number(request) or ""
            return answers.refusal(response, legacy=self._options.legacy, number=number, delay_s=delay_s)
        return replace(response, delay_s=delay_s)

    def receive(self, number: str, text: str, wall_s: float) -> Message:
        """Take in what a phone sends to the organization at ``wall_s`` (since 1970)."""
        counter = len(self.messages) + 1
        message = Message(
            message_id=answers.message_id(wall_s, self._options.org_id, counter),
            counter=counter,
            created=wall_s,
            number=number,
            contact_id=self.contacts.find_or_create(number),
            sender="",
            text=text,
            parts=1,
            price_micro=0,
            client_dedup=None,
            client_ref=None,
            client_push_url=None,
            lost=False,
            is_incoming=True,
        )
        self.messages.append(message)
        return message

    def find(self, message_id: str) -> Message | None:
        """Look up an accepted message by its id."""
        counter = message_id.rpartition("-")[2]
        if _COUNTER.fullmatch(counter) is None or not 0 < int(counter) <= len(self.messages):
            return None
        message = self.messages[int(counter) - 1]
        return message if message.message_id == message_id else None

    def _decide(self, request: SendRequest, wall_s: float, endpoint: Endpoint) -> Response | Error:
        number = self._number(request)
        if number is None:
            return Error.CONTACT
        original = self._by_dedup.get(request.client_dedup) if request.client_dedup else None
        if original is not None:
            return Response(409, answers.duplicate_fields(original), message=original, number=number)
        price_micro = request.parts * self._per_part(number)
        if price_micro > self.balance_micro + self._options.recharge_micro:
            return Error.FUNDS
        message = self._send(request, number, price_micro, wall_s, endpoint)
        answered = not self._chance.loses_answer()
        return Response(200, answers.sent_fields(message), message=message, number=number, answered=answered)

    def _send(self, request: SendRequest, number: str, price_micro: int, wall_s: float, endpoint: Endpoint) -> Message:
        counter = len(self.messages) + 1
        message = Message(
            message_id=answers.message_id(wall_s, self._options.org_id, counter),
            counter=counter,
            created=wall_s,
            number=number,
            contact_id=self._contact_id(request, number, endpoint),
            sender=request.sender,
            text=request.text,
            parts=request.parts,
            price_micro=price_micro,
            client_dedup=request.client_dedup,
            client_ref=request.client_ref,
            client_push_url=request.client_push_url,
            lost=self._cap.loses(number, request.parts, wall_s),
            undelivered=self._chance.undelivered(),
            receipt_at=wall_s + self._options.receipt_delay_s,
        )
        self.messages.append(message)
        if price_micro > self.balance_micro:
            self.balance_micro += self._options.recharge_micro
        self.balance_micro -= price_micro
        if message.client_dedup is not None:
            self._by_dedup[message.client_dedup] = message
        return message

    def _per_part(self, number: str) -> int:
        rate = self._options.rates.per_part(PhoneNumber(number))
        return self._options.price_micro_per_part if rate is None else rate

    def _number(self, request: SendRequest) -> str | None:
        """Find the phone of a request's recipient; None for an unknown contact."""
        if request.contact_id is None:
            return request.number
        return self.contacts.number(request.contact_id)

    def _contact_id(self, request: SendRequest, number: str, endpoint: Endpoint) -> int:
        """Find or make the contact of a recipient; the twin for bare numbers has none."""
        if request.contact_id is not None:
            return request.contact_id
        return 0 if endpoint is Endpoint.PHONENUMBER else self.contacts.find_or_create(number)
