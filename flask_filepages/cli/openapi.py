"""``flask filepages openapi``."""

from __future__ import annotations

import json
import typing as t
from collections.abc import Iterator

import click

from .app import counted
from .app import load_app
from .app import to_json

_YAML_SUFFIXES = (".yaml", ".yml")
_LONGEST = 60


@click.command()
@click.option(
    "--out", metavar="FILE", type=click.Path(dir_okay=False), help="Write to a file."
)
@click.option("--yaml", "as_yaml", is_flag=True, help="Write YAML instead of JSON.")
@click.option(
    "--check",
    "saved",
    metavar="FILE",
    type=click.Path(dir_okay=False),
    help="Compare with a file; exit with 1 if it is out of date.",
)
@click.pass_context
def openapi(
    ctx: click.Context, out: str | None, as_yaml: bool, saved: str | None
) -> None:
    """Print the OpenAPI document of the endpoints.

    It needs the extra: Flask-Filepages[openapi]. What the document cannot contain is
    printed to stderr.
    """
    if saved is not None and (out is not None or as_yaml):
        raise click.UsageError("--check writes nothing. Leave out --out and --yaml.")
    app = load_app(ctx)
    try:
        from ..openapi.document import describe
    except ImportError as error:
        raise click.ClickException(
            f"This needs the package {error.name}. Install the extra:"
            " Flask-Filepages[openapi]."
        ) from error
    document, left_out = describe(app)
    for line in left_out:
        click.secho(line, fg="yellow", err=True)
    if saved is not None:
        _check(ctx, document, saved)
        return
    if as_yaml or (out or "").endswith(_YAML_SUFFIXES):
        import yaml

        text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True)
    else:
        text = to_json(document)
    if out is None:
        click.echo(text.rstrip("\n"))
        return
    try:
        with open(out, "w", encoding="utf-8", newline="\n") as file:
            file.write(f"{text.rstrip()}\n")
    except OSError as error:
        raise click.ClickException(f"{out}: {error.strerror}.") from error
    click.echo(f"Wrote {out}: {counted(len(document.get('paths', ())), 'path')}.")


def _check(ctx: click.Context, document: dict[str, t.Any], saved: str) -> None:
    """Compare *document* with the file *saved*, and print every difference."""
    found = list(_differences(_read(saved), document))
    if not found:
        click.echo(f"{saved} is up to date.")
        return
    for line in found:
        click.echo(line)
    click.secho(
        f"{saved} is out of date. Write it with: flask filepages openapi --out {saved}",
        fg="red",
        err=True,
    )
    ctx.exit(1)


def _differences(old: t.Any, new: t.Any, where: str = "") -> Iterator[str]:
    """Yield a line for each difference: ``+ paths /posts post`` is only in *new*, ``-``
    only in *old*, and ``~ info version: "1" -> "2"`` in both.

    :param where: the place of both in their documents.
    """
    if isinstance(old, dict) and isinstance(new, dict):
        for key in old | new:
            place = f"{where} {key}"
            if key not in new:
                yield f"-{place}"
            elif key not in old:
                yield f"+{place}"
            else:
                yield from _differences(old[key], new[key], place)
    elif isinstance(old, list) and isinstance(new, list):
        yield from (f"-{where}: {_shown(one)}" for one in old if one not in new)
        yield from (f"+{where}: {_shown(one)}" for one in new if one not in old)
        is_same = all(one in new for one in old) and all(one in old for one in new)
        if is_same and old != new:
            yield f"~{where}: {_shown(old)} -> {_shown(new)}"
    elif old != new or type(old) is not type(new):
        yield f"~{where}: {_shown(old)} -> {_shown(new)}"


def _shown(value: t.Any) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _read(path: str) -> t.Any:
    """Return the content of a JSON or YAML file.

    :raises click.ClickException: it is neither, or cannot be read.
    """
    import yaml

    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
        try:
            return json.loads(text)
        except json.JSONDecodeError:
            return yaml.safe_load(text)
    except OSError as error:
        raise click.ClickException(
            f"{path}: {error.strerror}. Write it with: flask filepages openapi --out"
            f" {path}"
        ) from error
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise click.ClickException(
            f"{path} is neither JSON nor YAML: {error}"
        ) from error
