"""A local server that behaves as the API's document says: to try a campaign on, and to test against.

The way of a request: ``server`` takes it in, ``request`` reads its body, ``ledger`` decides what becomes
of it (with ``chance``, ``contacts`` and the phone's ``cap``), ``answers`` words the response, ``log`` notes it.
``listing`` is the API's message list.
"""

from __future__ import annotations

from bulksend.engagespark.sandbox.behaviour import SandboxOptions
from bulksend.engagespark.sandbox.log import Summary
from bulksend.engagespark.sandbox.server import Sandbox

__all__ = ["Sandbox", "SandboxOptions", "Summary"]
