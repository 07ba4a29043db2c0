"""``FilePages``: a Flask app serves its pages folder."""

from __future__ import annotations

import os
import re
import typing as t
import weakref
from dataclasses import replace

from flask import Blueprint
from flask import Flask
from flask import current_app
from flask import has_app_context

from . import page_reads
from . import reads
from .errors import LoadError
from .errors import SettingsError
from .handling import debug as devtools
from .handling.error_pages import register_error_answers
from .handling.templates import RENDERERS
from .handling.templates import PagesLoader
from .handling.templates import Renderer
from .prerendering.front import Front
from .releases.release import Releases
from .routing.urls import make_build_error_handler
from .settings import Settings
from .site import PagesState
from .site import states
from .survey import listed_paths

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.blueprints import BlueprintSetupState

    from .building.build import Build
    from .routing.routes import Route
    from .survey import ListedPath

_prefix_re = re.compile(r"(?:/[^/<>]+)*")


def _unguarded(app: Flask) -> set[str]:
    """Return the endpoint names of stored routes without middleware that runs for each
    answer that is sent. Their files are loaded for that."""
    names = set()
    for state in states(app).values():
        if state.stored:
            state.load()
        names |= {name for name, one in state.stored.items() if not one.live.guards}
    return names


def _names(app: Flask) -> dict[str, t.Collection[str]]:
    return {name: state.routes for name, state in states(app).items()}


class FilePages:
    """Turns a folder of an app into routes.

    :param app: the app, or ``None`` to call :meth:`init_app` later.
    :param folder: the folder, relative to where the app's module lies.
    :param url_prefix: goes before all its URLs, such as ``"/shop"``.
    :param name: tells several of one app apart; also the blueprint's name.
    :param renderers: ``{suffix: callable(context, template, data) -> str}`` for
        more kinds of pages than ``.html``.

    :attr:`blueprint` is the Flask blueprint of all its routes; hooks can be added
    to it before :meth:`init_app`.
    """

    def __init__(
        self,
        app: Flask | None = None,
        *,
        folder: str = "pages",
        url_prefix: str = "",
        name: str = "filepages",
        renderers: t.Mapping[str, Renderer] | None = None,
    ) -> None:
        if not _prefix_re.fullmatch(url_prefix):
            raise SettingsError(
                f"url_prefix is {url_prefix!r}; write it as '/shop': a slash first,"
                " none at the end, no variables."
            )
        self.name = name
        self.folder = folder
        self.url_prefix = url_prefix
        self.renderers = {**RENDERERS, **(renderers or {})}
        self.blueprint = Blueprint(name, __name__)
        self.blueprint.record(self._register)
        # Made from a template folder otherwise, when it is first asked for.
        vars(self.blueprint)["jinja_loader"] = PagesLoader(name, self._folder_in)
        self._apps: weakref.WeakSet[Flask] = weakref.WeakSet()
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Add the routes of the folder to *app*.

        No file of the folder is run; that happens in :meth:`load`, or at the first
        request. Settings, read here and not again:

        ``FILEPAGES_SITE``
            the public address of the site, such as ``"https://example.com"``
        ``FILEPAGES_TRAILING_SLASH``
            ``"ignore"`` (both forms answer), ``"always"`` or ``"never"`` (the other
            form redirects: 301 for ``GET``, else 308)
        ``FILEPAGES_REDIRECTS``
            ``{"/old/[slug]": "/new/[slug]"}``, or ``(target, status)``; they belong
            to the first FilePages of the app
        ``FILEPAGES_STRICT_RESPONSE``
            ``False`` passes what a handler returns through ``app.make_response``
        ``FILEPAGES_CHECK_ORIGIN``
            ``False`` lets pages of other sites make a visitor's browser send ``POST``
            and other requests that change something
        ``FILEPAGES_TRUSTED_ORIGINS``
            origins that may do that, such as ``["https://app.example"]``
        ``FILEPAGES_OUTPUT``
            ``"server"`` (files are run on each request unless they say
            ``prerender = True``), ``"hybrid"`` (they are stored by a build unless they
            say ``prerender = False``) or ``"static"`` (all of them are)
        ``FILEPAGES_BUILD_DIR``
            where builds lie, ``"dist"`` beside the instance folder by default
        ``FILEPAGES_BUILD_FORMAT``
            the files of pages: ``"directory"`` (``about/index.html``), ``"file"``
            (``about.html``) or ``"preserve"`` (as the source lies)
        ``FILEPAGES_FRONT``
            whether stored answers are sent before Flask sees the request: ``"auto"``
            (where nothing would notice), ``True`` or ``False``

        :raises TreeError: with all faults of all file names.
        :raises SettingsError: a setting means nothing, or there is no folder.
        """
        known = states(app)
        if self.name in known:
            raise SettingsError(
                f"This app has a FilePages named {self.name!r} already. Give the"
                " second one a name: FilePages(app, folder=..., name='shop')."
            )
        if app.url_map.host_matching or "<" in app.url_map.default_subdomain:
            raise SettingsError(
                "FilePages answers on every host. An app with host_matching=True, or a"
                " default subdomain with variables, cannot have one."
            )
        # First: what is wrong with a name is mended by a rename, which is to be seen.
        folder = os.path.realpath(os.path.join(app.root_path, self.folder))
        devtools.watch(folder)
        settings = Settings.from_config(app.config)
        if known:
            settings = replace(settings, redirects={})
        # Names and sources of all files are compared by each build anyway.
        with reads.paused():
            state = PagesState(
                app,
                name=self.name,
                folder=folder,
                url_prefix=self.url_prefix,
                settings=settings,
                renderers=self.renderers,
                releases=self._releases(app, settings, known),
            )
        state.check_collisions()
        known[self.name] = state
        app.register_blueprint(self.blueprint)
        self._apps.add(app)
        if len(known) == 1:
            build = make_build_error_handler(app, lambda: _names(app), settings.site)
            app.url_build_error_handlers.append(build)
        register_error_answers(app, lambda: states(app).values())
        state.front = next((one.front for one in known.values() if one.front), None)
        if state.stored and state.front is None:
            state.front = Front(
                *(app, app.wsgi_app, state.releases, settings.front),
                lambda: _unguarded(app),
            )
            t.cast(t.Any, app).wsgi_app = state.front

    def _releases(
        self, app: Flask, settings: Settings, known: t.Mapping[str, PagesState]
    ) -> Releases:
        """Return what is served of the build folder; it is one for the whole app."""
        for state in known.values():
            return state.releases
        beside = os.path.dirname(app.instance_path)
        return Releases(os.path.join(beside, settings.build_dir))

    def load(self, app: Flask | None = None) -> None:
        """Import all files of the folder, in *app* or in every app it was added to.

        Written as the last line of ``wsgi.py`` it lets a server with a broken file
        fail at its start instead of at its first request. In debug it only logs what
        is broken: each file is loaded anew when it is first asked for.

        :raises LoadError: names every file that could not be loaded, and why.
        """
        for one in [app] if app is not None else list(self._apps):
            try:
                states(one)[self.name].load()
            except LoadError as error:
                if not one.debug:
                    raise
                one.logger.error("%s", error)

    def build(self, app: Flask | None = None, **options: t.Any) -> Build:
        """Return a build of *app*, of all its FilePages; iterating over it does it.

        ::

            for page in pages.build(out="dist"):
                print(page.path, page.action)

        Each page is a :class:`~flask_filepages.reports.PageResult`. When the iteration
        ends, the release is published, and ``build.report`` says what was done. What
        was read before is not known, so nothing of the last release is kept; the
        command ``flask filepages build`` does keep it.

        :param options: those of :class:`~flask_filepages.build.Options`.
        :raises BuildError: with everything that cannot be stored; nothing is published.
        :raises ReleaseError: the build folder cannot be written.
        """
        from .building.build import Build
        from .building.build import Options

        return Build(app or self._only_app(), Options(**options))

    @property
    def routes(self) -> list[Route]:
        """The routes of the current app, the most specific first."""
        state = states(self._current_app())[self.name]
        return [live.route for live in state.routes.values()]

    def paths(self) -> Iterator[ListedPath]:
        """Yield the paths of the current app that are known without a request: those of
        routes without params, and what ``get_static_paths`` lists. For a sitemap.

        :raises BuildError: a ``get_static_paths`` failed.
        """
        return listed_paths(states(self._current_app())[self.name])

    def read_bytes(self, path: str | os.PathLike[str]) -> bytes:
        """Return what is in a file. In a build the page that is rendered depends on it,
        and no other page does; so do not keep it for others.

        :param path: relative to where the app's module lies.
        :raises OSError: it cannot be read.
        """
        full = os.path.join(self._current_app().root_path, path)
        try:
            with reads.paused(), open(full, "rb") as file:
                data = file.read()
        except OSError:
            page_reads.note_file(full, None)
            raise
        page_reads.note_file(full, data)
        return data

    def read_text(self, path: str | os.PathLike[str], encoding: str = "utf-8") -> str:
        """Return the text of a file; see :meth:`read_bytes`.

        :raises UnicodeDecodeError: it is not in *encoding*.
        """
        return self.read_bytes(path).decode(encoding)

    def _current_app(self) -> Flask:
        if has_app_context():
            return t.cast(t.Any, current_app)._get_current_object()  # type: ignore[no-any-return]
        return self._only_app()

    def _only_app(self) -> Flask:
        apps = list(self._apps)
        if len(apps) != 1:
            raise RuntimeError(
                f"This FilePages belongs to {len(apps)} apps, so it cannot tell which"
                " is meant. Name it, or push its app context."
            )
        return apps[0]

    def _register(self, setup: BlueprintSetupState) -> None:
        state = states(t.cast(Flask, setup.app)).get(self.name)
        if state is None:
            raise SettingsError(
                "The blueprint of a FilePages is registered by FilePages.init_app(app),"
                " not by app.register_blueprint()."
            )
        state.register()

    def _folder_in(self, app: t.Any) -> str | None:
        state = states(app).get(self.name) if app is not None else None
        return state.folder if state is not None else None
