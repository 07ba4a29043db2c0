"""Astro's server endpoints for Flask: a ``pages/`` folder is the app's routes.

::

    app = Flask(__name__)
    pages = FilePages(app)      # serves ./pages beside this module
"""

from .context import Context
from .errors import BodyAlreadyReadError
from .errors import CookieError
from .errors import FilePagesError
from .errors import LoadError
from .errors import NotAResponseError
from .errors import ParamError
from .errors import PatternError
from .errors import SettingsError
from .errors import TreeError
from .errors import UnsafeRedirectError
from .extension import FilePages

__all__ = [
    "BodyAlreadyReadError",
    "Context",
    "CookieError",
    "FilePages",
    "FilePagesError",
    "LoadError",
    "NotAResponseError",
    "ParamError",
    "PatternError",
    "SettingsError",
    "TreeError",
    "UnsafeRedirectError",
]
