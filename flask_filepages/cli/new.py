"""``flask filepages new`` and ``init``."""

from __future__ import annotations

import json
import os
import re
import typing as t
from collections.abc import Callable

import click
from jinja2 import Environment
from jinja2 import PackageLoader

from ..errors import PatternError
from ..errors import TreeError
from ..routing import routes
from ..routing.converters import usable_matchers
from ..routing.files import Source
from ..routing.files import is_private
from ..routing.rules import FileRule
from ..routing.urls import collisions_with_app
from ..site import Site
from ..site import sites_of
from .app import load_app

_SUFFIX = "-tpl"
_EXAMPLES: t.Mapping[str | None, t.Any] = {
    "int": 1,
    "float": 1.5,
    "uuid": "12345678-1234-5678-1234-567812345678",
}
#: The kinds of files, and their suffixes.
_KINDS = {
    "endpoint": [".py"],
    "page": [".html"],
    "form": [".html", ".py"],
    "middleware": [".py"],
    "test": [],
}


def _kind_options(command: Callable[..., None]) -> Callable[..., None]:
    for kind in reversed(_KINDS):
        option: t.Any = {"flag_value": kind, "help": f"Write the {kind} of the route."}
        if kind == "endpoint":
            option["default"] = kind
        command = click.option(f"--{kind}", "kind", **option)(command)
    return command


@click.command()
@click.argument("route")
@_kind_options
@click.pass_context
def new(ctx: click.Context, route: str, kind: str) -> None:
    """Write the file of a route, and a test next to it.

    ROUTE is a route id, such as /posts/[id], or with several FilePages
    shop:/posts/[id]. A ROUTE that ends with a slash is the index of a folder. Without
    an option the file is an endpoint. No file is overwritten.
    """
    sites = sites_of(load_app(ctx))
    name, colon, path = route.rpartition(":/")
    site = sites.get(name) if colon else next(iter(sites.values()))
    if site is None:
        names = ", ".join(sites)
        raise click.UsageError(f"There is no FilePages named {name!r}, only {names}.")
    stem = _stem(path if colon else route, kind)
    try:
        rules = [] if kind == "middleware" else _rules(site, stem, kind)
    except (PatternError, TreeError) as error:
        raise click.ClickException(f"{error}\nNothing was written.") from error
    for file in _write(site.folder, _files(site, stem, kind, rules)):
        click.echo(f"Wrote {os.path.relpath(file)}")
    below = re.sub(r"\([^/]*\)/?", "", os.path.dirname(stem))
    urls = [rule.rule for rule in rules] or [f"all below {site.url_prefix}/{below}"]
    click.echo(f"URL: {', '.join(urls)}")


def _stem(path: str, kind: str) -> str:
    """Return the path of a file below the pages folder, without its suffix."""
    path = re.sub(r"\.(py|html)\Z", "", path.lstrip("/"))
    parts = path.split("/")
    names = parts if parts[-1] else parts[:-1]
    public = [name for name in names if name != ".well-known"]
    if "" in names or any(is_private(f"{name}.py") for name in public):
        raise click.UsageError(
            f"{path!r} has a segment that is empty or makes no route. Rename it."
        )
    if re.search(r"[?#%\s]", path):
        raise click.UsageError(
            f"{path!r} contains '?', '#', '%' or a space. Remove it."
        )
    if path in ("404", "500") and kind != "page":
        raise click.UsageError(f"Write the error page {path}.html with --page.")
    last = "_middleware" if kind == "middleware" else "index"
    return "/".join([*names, last] if names != parts or last[0] == "_" else parts)


def _rules(site: Site, stem: str, kind: str) -> list[FileRule]:
    """Return the rules of a new file.

    :raises PatternError: its name is not a route.
    :raises TreeError: another file or a view of the app has the same pattern.
    """
    file = f"{stem}.html" if kind == "page" else f"{stem}.py"
    source = Source(os.path.join(site.folder, file), file, stem)
    cache = routes.SegmentCache(usable_matchers(site.app.url_map))
    route = routes.make_route(routes.segments_of(source, cache))
    route.page, route.endpoint = (source, None) if kind == "page" else (None, source)
    route.prerender = site.settings.output != "server"
    bound = site.bind(route)
    rules = [FileRule(bound, pattern) for pattern in route.patterns]
    sources = [(one, one.source.stem if one.source else "") for one in site.tree.routes]
    if kind == "test" and stem not in [other for _, other in sources]:
        raise click.UsageError(f"There is no file for {route.id}. Write it first.")
    others = [one for one, other in sources if other != stem]
    faults = routes.find_collisions([*others, route])
    faults += collisions_with_app(site.app.url_map, site.name, rules)
    if faults and kind != "test":
        raise TreeError(site.folder, faults)
    return rules


def _files(site: Site, stem: str, kind: str, rules: list[FileRule]) -> dict[str, str]:
    """Return the new files below the pages folder, with their texts."""
    output = site.settings.output
    if kind == "form" and output == "static":
        raise click.UsageError("With FILEPAGES_OUTPUT = 'static' no form can be sent.")
    parts = rules[-1].route.params.values() if rules else ()
    params = {p.text: _EXAMPLES.get(p.matcher, "example") for p in parts}
    folder, name = os.path.split(stem)
    test = re.sub(r"\W+", "_", name, flags=re.ASCII).strip("_")
    pages = os.path.basename(site.folder)
    url = rules[-1].rule if rules else ""
    url = re.sub(r"<(?:\w+:)?([\w$]+)>", lambda found: str(params[found[1]]), url)
    values = {
        "name": name,
        "title": test.replace("_", " ").capitalize(),
        "params": json.dumps(params) if params else "",
        "output": output,
        "has_page": os.path.exists(os.path.join(site.folder, f"{stem}.html")),
        "example": json.dumps(url),
        "status": int(stem) if stem in ("404", "500") else 200,
        "folder": "" if pages == "pages" else f", folder={json.dumps(pages)}",
    }
    templates = {f"{name}{suffix}": f"{kind}{suffix}" for suffix in _KINDS[kind]}
    if kind == "page" and params and output != "server":
        templates[f"{name}.py"] = "paths.py"
    file = f"{test}_test.py"
    # A page may get an endpoint later, and the other way round.
    if kind == "test" or not os.path.exists(os.path.join(site.folder, folder, file)):
        is_code = kind == "endpoint" and values["has_page"]
        templates[file] = f"{'test' if is_code else kind}_test.py"
    get = _environment().get_template
    return {
        os.path.join(folder, file): get(f"new/{template}{_SUFFIX}").render(values)
        for file, template in templates.items()
    }


def _write(folder: str, texts: t.Mapping[str, str]) -> list[str]:
    """Write files, and return their paths.

    :raises click.ClickException: one exists. Then none is written.
    """
    files = {os.path.join(folder, name): text for name, text in texts.items()}
    for path in filter(os.path.lexists, files):
        raise click.ClickException(f"{os.path.relpath(path)} exists already.")
    try:
        for path, text in files.items():
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "x", encoding="utf-8", newline="\n") as file:
                file.write(text)
    except OSError as error:
        raise click.ClickException(f"{error.filename}: {error.strerror}.") from error
    return list(files)


def _environment() -> Environment:
    """Return the templates of new files. Their marks are not those of Jinja, because
    some of them are Jinja templates."""
    return Environment(
        *("<%", "%>", "<<", ">>"),
        loader=PackageLoader("flask_filepages.cli", "starters"),
        trim_blocks=True,
        keep_trailing_newline=True,
    )


@click.command()
@click.argument("kind", type=click.Choice(["blog", "api", "docs"]))
@click.argument("folder", default=".")
def init(kind: str, folder: str) -> None:
    """Write a small project that runs, tests and builds at once.

    FOLDER is the current one by default. No file is overwritten.
    """
    environment = _environment()
    names = [n for n in environment.list_templates() if n.startswith(f"{kind}/")]
    texts = {
        name.partition("/")[2].removesuffix(_SUFFIX): environment.get_template(name)
        for name in names
    }
    _write(os.path.abspath(folder), {n: one.render() for n, one in texts.items()})
    steps = [f"Wrote {len(names)} files. Next:"]
    steps += [] if folder == "." else [f"cd {folder}"]
    steps += ["pip install -r requirements.txt", "flask run --debug", "pytest"]
    click.echo("\n  ".join([*steps, "flask filepages build"]))
