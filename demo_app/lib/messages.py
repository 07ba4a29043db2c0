"""Messages from the contact form, and events from webhooks."""

from __future__ import annotations

import hashlib
import hmac

from sqlalchemy import select

from demo_app.lib.database import Event
from demo_app.lib.database import Message
from demo_app.lib.database import db


def receive(email: str, text: str) -> Message:
    message = Message(email=email, text=text)
    db.session.add(message)
    db.session.commit()
    return message


def newest(count: int) -> list[Message]:
    query = select(Message).order_by(Message.id.desc()).limit(count)
    return list(db.session.scalars(query))


def signature(secret: str, body: bytes) -> str:
    """Return the signature of a webhook's body, as its sender computes it."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def is_signed(secret: str, body: bytes, given: str) -> bool:
    expected = signature(secret, body)
    # As bytes, because a client may send a text that is not ASCII.
    return hmac.compare_digest(expected.encode(), given.encode())


def record(kind: str, payload: str) -> Event:
    event = Event(kind=kind, payload=payload)
    db.session.add(event)
    db.session.commit()
    return event
