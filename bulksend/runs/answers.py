"""What a run keeps of what the API said of a message."""

from __future__ import annotations

from bulksend.model import Answer


def named(answer: Answer) -> dict[str, object]:
    """Its values by the API's names (API document, response body); the cost stands beside them."""
    return {
        "messageId": answer.message_id,
        "estimateParts": answer.estimate_parts,
        "estimateMicro": answer.estimate_micro,
        "estimate": answer.estimate,
        "deliveryDeadline": answer.delivery_deadline,
        "to": answer.to,
        "contactId": answer.contact_id,
    }
