"""Why the API's list could not be looked in, as people see it: that is never told as nothing there."""

from __future__ import annotations

from bulksend.engagespark import Looked

WHY_NOT = {
    Looked.IN_PART: "The API's list could be read only in part",
    Looked.NO_SUCH: "This server has no list of messages to look in",
    Looked.REFUSED: "The API's list could not be read: the server refused the key (check the API key and --org-id)",
    Looked.WITHHELD: "The API's list could not be read: the server does not show it to this key (check --org-id)",
    Looked.NOT_REACHED: "The API's list could not be read: the server did not answer",
    Looked.NOT_UNDERSTOOD: "The API's list could not be read: what the server answered is none",
}
