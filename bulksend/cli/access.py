"""The API key and the organization's id: where they are found, and how they are given."""

from __future__ import annotations

from bulksend.errors import UsageError

# API document, "HTTP Method & Headers" and "Request Body Definition".
_KEY_AT = "https://app.engagespark.com/account/profile/info"
_ORGANIZATION_AT = "https://app.engagespark.com/account/organization/info"

_KEY = (
    "put the key into the environment as BULKSEND_API_KEY, or name a file that holds it with --api-key-file, or a "
    "command that prints it with --api-key-command; it stands in your profile: Avatar icon > Profile > Info > API Key, "
    f"{_KEY_AT}"
)
_ORGANIZATION = (
    "give the organization's id with --org-id, or in the environment as BULKSEND_ORG_ID; it stands in your "
    f"organization's profile: {_ORGANIZATION_AT}"
)
_WITHOUT = "to try things out without, use --sandbox"


class NoKeyError(UsageError):
    """There is no API key; one that cannot be read, or can be none, is another matter."""


def missing(*, key: bool, organization: bool, can_rehearse: bool = True) -> UsageError:
    """What to say where one of them is missing, or both: all of it at once.

    Args:
        key: whether the key is.
        organization: whether the organization's id is.
        can_rehearse: whether the command can do without them.
    """
    names = [name for name, lacks in (("API key", key), ("organization id", organization)) if lacks]
    found = [where for where, lacks in ((_KEY, key), (_ORGANIZATION, organization)) if lacks]
    kind = UsageError if organization else NoKeyError
    return kind(f"there is no {' and no '.join(names)}: {'; '.join((*found, _WITHOUT) if can_rehearse else found)}")
