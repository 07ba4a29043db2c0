"""``FilePages``, the Flask extension."""

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

from .errors import LoadError
from .errors import SettingsError
from .handling import debug
from .handling.error_pages import register_error_handler
from .handling.templates import RENDERERS
from .handling.templates import PagesLoader
from .handling.templates import Renderer
from .prerendering.front import Front
from .prerendering.front import sent_endpoints
from .releases.release import Releases
from .routing.urls import RouteUrls
from .settings import Settings
from .site import Site
from .site import sites_of

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from flask.blueprints import BlueprintSetupState

    from .building.build import Build
    from .routing.routes import Route
    from .site import ListedPath

_NO_APP = "This FilePages has no app. Call init_app(app) first."
_prefix_re = re.compile(r"(?:/[^/<>]+)*")


class FilePages:
    """Turns a folder of an app into routes.

    :param app: the app, or ``None`` to call :meth:`init_app` later.
    :param folder: the pages folder, relative to the folder of the app's module.
    :param url_prefix: the prefix of all URLs, such as ``"/shop"``.
    :param name: the name of the blueprint, which must be unique in an app.
    :param renderers: ``{suffix: callable(context, template, data) -> str}`` for pages
        that are not ``.html``.

    :attr:`blueprint` is the Flask blueprint of all routes. Add hooks to it before
    :meth:`init_app`.
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
        if app is not None and not isinstance(app, Flask):
            raise TypeError(
                f"FilePages takes the app, not {app!r:.50}. Write FilePages(app), and"
                " name another folder than pages/ with FilePages(app, folder=...)."
            )
        if not _prefix_re.fullmatch(url_prefix):
            raise SettingsError(
                f"url_prefix is {url_prefix!r}. Write it as '/shop': with a slash at"
                " its start, none at its end, and no variables. For the root, leave it"
                " out."
            )
        for suffix in renderers or ():
            if not suffix.startswith("."):
                raise SettingsError(
                    f"renderers has the suffix {suffix!r}. Write {'.' + suffix!r}."
                )
        self.name = name
        self.folder = folder
        self.url_prefix = url_prefix
        self.renderers = {**RENDERERS, **(renderers or {})}
        self.blueprint = Blueprint(name, __name__)
        self.blueprint.record(self._register)
        t.cast(t.Any, self.blueprint).jinja_loader = PagesLoader(name)
        self._apps: weakref.WeakSet[Flask] = weakref.WeakSet()
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Add the routes of the folder to *app*.

        This does not import the files; :meth:`load` or the first request does. These
        settings are read here, once:

        ``FILEPAGES_SITE``
            the public URL of the site, such as ``"https://example.com"``; a path in it
            must equal ``APPLICATION_ROOT``
        ``FILEPAGES_TRAILING_SLASH``
            ``"ignore"`` (both forms work), ``"always"`` or ``"never"`` (the other form
            redirects: with 301 for ``GET``, otherwise with 308)
        ``FILEPAGES_REDIRECTS``
            ``{"/old/[slug]": "/new/[slug]"}``, or ``(target, status)``; they apply
            under the prefix of the app's first FilePages
        ``FILEPAGES_STRICT_RESPONSE``
            with ``False``, return values of handlers go through ``app.make_response``
        ``FILEPAGES_INVALID_STATUS``
            the status for content that a schema rejects: 400 or 422
        ``FILEPAGES_CHECK_ORIGIN``
            ``False`` allows cross-site ``POST`` and other unsafe requests from browsers
        ``FILEPAGES_TRUSTED_ORIGINS``
            origins that may send such requests, such as ``["https://app.example"]``
        ``FILEPAGES_OUTPUT``
            ``"server"`` (files run on each request unless they say
            ``prerender = True``), ``"hybrid"`` (a build stores them unless they say
            ``prerender = False``) or ``"static"`` (a build stores all of them);
            with ``prerender = "auto"`` a build stores the paths that a file lists, and
            all others run on each request
        ``FILEPAGES_BUILD_DIR``
            the build folder, by default ``"site"``, in the instance folder
        ``FILEPAGES_BUILD_FORMAT``
            the file names of pages: ``"directory"`` (``about/index.html``), ``"file"``
            (``about.html``) or ``"preserve"`` (like the source)
        ``FILEPAGES_FRONT``
            ``True`` sends stored responses before Flask sees the request, so none of
            the app's hooks run for them
        ``FILEPAGES_OPENAPI``
            where the OpenAPI document is served, such as ``"/openapi.json"``; its page
            is at the same path without ``.json`` (extra ``openapi``)
        ``FILEPAGES_OPENAPI_DOCUMENT``
            parts to add to the document, such as ``{"info": {"title": "Shop"}}``
        ``FILEPAGES_OPENAPI_CHANGE``
            a function that takes the document and may change it
        ``FILEPAGES_OPENAPI_GUARD``
            a decorator for the views of the document and its page, such as
            ``login_required``
        ``FILEPAGES_OPENAPI_PAGES``
            ``True`` adds routes with a template to the document
        ``FILEPAGES_DEV_HOSTS``
            the host names at which the development tools are served in debug mode,
            whatever the address of the client; by default they are served to this
            machine only

        :raises TreeError: if file names are wrong. It lists the errors of all names.
        :raises SettingsError: if a setting is wrong or the folder does not exist.
        """
        sites = sites_of(app)
        self._check_name(sites)
        if app.url_map.host_matching or "<" in app.url_map.default_subdomain:
            raise SettingsError(
                "The routes of FilePages have no host, so it cannot be used in an app"
                " with host_matching=True or a default subdomain with variables."
            )
        folder = os.path.realpath(os.path.join(app.root_path, self.folder))
        settings = Settings.from_config(app.config)
        if app.debug or debug.is_reloader_child():
            from .dev.tools import DevTools

            # Before discovery, so that renaming a faulty file restarts the server.
            DevTools.of(app, settings).watcher.add(folder, self.renderers)
        first = next(iter(sites.values()), None)
        build_folder = os.path.join(app.instance_path, settings.build_dir)
        site = Site(
            app,
            pages=self,
            folder=folder,
            settings=replace(settings, redirects={}) if first else settings,
            # All FilePages of an app share a build folder.
            releases=first.releases if first else Releases(build_folder, app.name),
        )
        folder = os.path.relpath(site.folder, os.path.realpath(app.root_path))
        site.releases.owner.trees[self.name] = [self.url_prefix, folder]
        if first is None and settings.openapi is not None:
            _serve_openapi(app, settings, settings.openapi)
        site.check_collisions()
        if first is None:
            app.url_build_error_handlers.append(RouteUrls(app, settings))
        for handler in app.url_build_error_handlers:
            if isinstance(handler, RouteUrls):
                handler.add(self.name, site.routes)
        if settings.front and site.prerendered:
            site.front = next((s.front for s in sites.values() if s.front), None)
            if site.front is None:
                site.front = Front(app, site.releases)
                app.wsgi_app = site.front  # type: ignore[method-assign]
        sites[self.name] = site
        app.register_blueprint(self.blueprint)
        self._apps.add(app)
        register_error_handler(app)

    def _check_name(self, sites: t.Mapping[str, Site]) -> None:
        other = sites.get(self.name)
        if other is None:
            return
        if other.pages is self:
            raise SettingsError(
                "This FilePages was added to the app before. FilePages(app) calls"
                " init_app(app) itself; call it only for FilePages()."
            )
        raise SettingsError(
            f"This app already has a FilePages named {self.name!r}. Give the second one"
            " another name: FilePages(app, folder=..., name='shop')."
        )

    def load(self, app: Flask | None = None) -> None:
        """Import all files of the folder, for *app* or for every app of this object.

        Call it on the last line of ``wsgi.py``, so that a broken file stops the server
        at startup. In debug mode it only logs the errors, because each file is loaded
        when it is first needed.

        :raises LoadError: if files could not be loaded. It lists all of them.
        :raises RuntimeError: if this object has no app.
        """
        apps = [app] if app is not None else list(self._apps)
        if not apps:
            raise RuntimeError(_NO_APP)
        for one in apps:
            site = sites_of(one)[self.name]
            try:
                site.load()
            except LoadError as error:
                if not one.debug:
                    raise
                one.logger.error("%s", error)
                continue
            if site.front is not None:
                names = sorted(sent_endpoints(one) & site.prerendered.keys())
                ids = ", ".join(site.prerendered[name].id for name in names)
                one.logger.info("The front sends the stored responses of: %s", ids)

    def build(self, app: Flask | None = None, **options: t.Any) -> Build:
        """Return a build of *app* with all of its FilePages. Iterating over it runs it.

        ::

            for page in filepages.build(out="public"):
                print(page.path, page.action)

        Each item is a :class:`~flask_filepages.building.report.PageResult`. After the
        last one the release is published, and ``build.report`` is complete.

        :param options: see :class:`~flask_filepages.building.build.Options`.
        :raises BuildError: if anything cannot be stored. It lists all errors, and
            nothing is published.
        :raises ReleaseError: if the build folder cannot be written.
        """
        from .building.build import Build
        from .building.build import Options

        return Build(app or self._only_app(), Options(**options))

    @property
    def routes(self) -> list[Route]:
        """The routes of the current app, the most specific first."""
        return self._current_site().tree.routes

    def paths(self) -> Iterator[ListedPath]:
        """Yield the paths of the current app that are known without a request: those of
        routes without params, and those that ``get_static_paths`` lists.

        :raises BuildError: if a ``get_static_paths`` failed.
        """
        return self._current_site().listed_paths()

    def _current_site(self) -> Site:
        app = current_app if has_app_context() else self._only_app()
        return sites_of(app)[self.name]

    def _only_app(self) -> Flask:
        apps = list(self._apps)
        if len(apps) != 1:
            raise RuntimeError(
                f"This FilePages serves {len(apps)} apps. Push the context of one, or"
                " pass it."
                if apps
                else _NO_APP
            )
        return apps[0]

    def _register(self, setup: BlueprintSetupState) -> None:
        site = sites_of(t.cast(Flask, setup.app)).get(self.name)
        if site is None:
            raise SettingsError(
                "Register the blueprint of a FilePages with FilePages.init_app(app),"
                " not with app.register_blueprint()."
            )
        site.register()


def _serve_openapi(app: Flask, settings: Settings, path: str) -> None:
    try:
        from .openapi.views import register
    except ImportError as error:
        raise SettingsError(
            f"FILEPAGES_OPENAPI needs the package {error.name}. Install the extra:"
            " Flask-Filepages[openapi]."
        ) from error
    register(app, settings, path)
