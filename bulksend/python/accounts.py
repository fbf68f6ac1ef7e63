"""Whose account a campaign is sent from."""

from __future__ import annotations

from typing import NoReturn

from bulksend.engagespark import DEFAULT_BASE_URL, Target
from bulksend.errors import UsageError
from bulksend.model import Endpoint
from bulksend.runs import Address

_REHEARSED = 1  # any organization's id will do


class Account:
    """Whose account it is, and its API key. The key is in no repr, pickle, run or log.

    Args:
        org_id: the organization's id.
        api_key: the secret.
        base_url: the API's address: https, or http on this machine.

    Raises:
        UsageError: one of them cannot be used; the key is not shown.
    """

    __slots__ = ("_api_key", "base_url", "org_id")

    def __init__(self, org_id: int, api_key: str, base_url: str = DEFAULT_BASE_URL) -> None:
        if type(org_id) is not int or org_id < 1:
            raise UsageError("the organization's id is a number from 1 on")
        if not (api_key and api_key.isascii() and api_key.isprintable() and " " not in api_key):
            raise UsageError("the API key is empty, or holds spaces or other characters that no key has")
        self.org_id = org_id
        self.base_url = base_url.rstrip("/")
        self._api_key = api_key
        Target(self.base_url, org_id, Endpoint.CONTACT, api_key)  # is its address fit for use?

    @classmethod
    def rehearsal(cls) -> Account:
        """Nobody's: what is sent goes to a private sandbox that lives as long as the send, and reaches no phone."""
        account = object.__new__(cls)
        account.org_id, account.base_url, account._api_key = _REHEARSED, "", ""
        return account

    @property
    def is_rehearsal(self) -> bool:
        """Whether nothing that is sent there reaches a phone."""
        return not self.base_url

    @property
    def address(self) -> Address:
        """The same, without the key."""
        return Address(self.org_id, self.base_url)

    def target(self, endpoint: str) -> Target | None:
        """Where messages go; None for a private sandbox."""
        if self.is_rehearsal:
            return None
        return Target(self.base_url, self.org_id, Endpoint(endpoint), self._api_key)

    def __repr__(self) -> str:
        return "Account.rehearsal()" if self.is_rehearsal else f"Account({self.org_id}, base_url={self.base_url!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an Account holds an API key, and is not pickled: make it where it is used")
