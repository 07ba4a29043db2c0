"""Messages from the contact form, and events from webhooks."""

from __future__ import annotations

import hashlib
import hmac
import re
import typing as t

from demo_app.lib.database import Event
from demo_app.lib.database import Message
from demo_app.lib.database import db


def check(form: t.Mapping[str, str]) -> dict[str, str]:
    """Return what is wrong with a filled-in contact form, by field."""
    errors = {}
    if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", form.get("email", "")):
        errors["email"] = "Please give an address we can answer."
    if len(form.get("text", "").strip()) < 10:
        errors["text"] = "Please write at least ten characters."
    return errors


def receive(email: str, text: str) -> Message:
    message = Message(email=email, text=text)
    db.session.add(message)
    db.session.commit()
    return message


def signature(secret: str, body: bytes) -> str:
    """Return the signature of a webhook's body, as its sender computes it."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def is_signed(secret: str, body: bytes, given: str) -> bool:
    return hmac.compare_digest(signature(secret, body), given)


def record(kind: str, payload: str) -> Event:
    event = Event(kind=kind, payload=payload)
    db.session.add(event)
    db.session.commit()
    return event
