import asyncio
import datetime as dt

from flask import Response
from marshmallow import fields

from flask_filepages import Context
from flask_filepages import responds

prerender = False


@responds({"time": fields.DateTime(required=True)})
async def GET(context: Context) -> Response:
    """Return the time.

    The endpoint is async, and waits for two things at once.
    """
    await asyncio.gather(asyncio.sleep(0.001), asyncio.sleep(0.001))
    return context.json({"time": dt.datetime.now(dt.UTC).isoformat()})
