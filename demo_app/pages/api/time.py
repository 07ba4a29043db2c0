import asyncio
import datetime as dt

from flask import Response

from flask_filepages import Context

prerender = False


async def GET(context: Context) -> Response:
    """An async endpoint: two waits at once."""
    await asyncio.gather(asyncio.sleep(0.001), asyncio.sleep(0.001))
    return context.json({"time": dt.datetime.now(dt.UTC).isoformat()})
