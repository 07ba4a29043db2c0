"""The tables, and one session for each request."""

from __future__ import annotations

import datetime as dt
import os

from flask import Flask
from flask import current_app
from flask import g
from sqlalchemy import ForeignKey
from sqlalchemy import create_engine
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm import Mapped
from sqlalchemy.orm import Session
from sqlalchemy.orm import mapped_column
from sqlalchemy.orm import relationship

from demo_app.lib.text import summary


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC).replace(tzinfo=None, microsecond=0)


class Base(DeclarativeBase):
    pass


class Post(Base):
    __tablename__ = "post"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    body: Mapped[str]
    published: Mapped[dt.datetime] = mapped_column(default=now)
    comments: Mapped[list[Comment]] = relationship(
        back_populates="post", cascade="all, delete-orphan", order_by="Comment.id"
    )

    @property
    def summary(self) -> str:
        """The first sentence."""
        return summary(self.body)


class Comment(Base):
    __tablename__ = "comment"

    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("post.id"))
    author: Mapped[str]
    text: Mapped[str]
    post: Mapped[Post] = relationship(back_populates="comments")


class Message(Base):
    __tablename__ = "message"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    text: Mapped[str]
    received: Mapped[dt.datetime] = mapped_column(default=now)


class Event(Base):
    __tablename__ = "event"

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    payload: Mapped[str]


class Database:
    """Gives the session of the current app context."""

    def init_app(self, app: Flask) -> None:
        os.makedirs(os.path.dirname(app.config["DATABASE"]), exist_ok=True)
        engine = create_engine(f"sqlite:///{app.config['DATABASE']}")
        Base.metadata.create_all(engine)
        app.extensions["demo_engine"] = engine
        app.teardown_appcontext(self._close)

    @property
    def session(self) -> Session:
        if "demo_session" not in g:
            g.demo_session = Session(current_app.extensions["demo_engine"])
        session: Session = g.demo_session
        return session

    def _close(self, error: BaseException | None) -> None:
        session: Session | None = g.pop("demo_session", None)
        if session is not None:
            session.close()


db = Database()
