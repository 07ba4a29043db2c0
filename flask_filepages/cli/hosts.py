"""``flask filepages preview``, ``export`` and ``deploy-config``."""

from __future__ import annotations

import os
import typing as t

import click

from .app import load_app
from .app import load_sites
from .app import to_json

if t.TYPE_CHECKING:
    from ..hosts.published import LeftOut


def _fail(ctx: click.Context, error: Exception, *, as_json: bool) -> t.NoReturn:
    """Print an error, as JSON if a program reads it, and exit with 1."""
    if as_json:
        click.echo(to_json({"error": str(error)}))
        ctx.exit(1)
    raise click.ClickException(str(error))


@click.command()
@click.argument("folder", required=False)
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=int, default=4321, show_default=True)
@click.pass_context
def preview(ctx: click.Context, folder: str | None, host: str, port: int) -> None:
    """Serve the app with the current release, as in production.

    With FOLDER, which `flask filepages export` wrote, serve only its files, as a plain
    host would.

    This is for looking at the site. Use a real server, such as gunicorn, to publish it.
    """
    from werkzeug.serving import run_simple

    # In debug, no release is served.
    os.environ["FLASK_DEBUG"] = "0"
    app = load_app(ctx)
    app.debug = app.testing = False
    releases = load_sites(app)[0].releases
    if folder is not None:
        if not os.path.isdir(folder):
            raise click.ClickException(
                f"{folder} is not a folder. Run `flask filepages export {folder}`"
                " first."
            )
        from ..hosts.preview import PlainHost

        run_simple(host, port, PlainHost.of(app, folder), threaded=True)
        return
    if releases.current() is None:
        raise click.ClickException(
            f"{releases.folder} has no release. Run `flask filepages build` first."
        )
    run_simple(host, port, app, threaded=True)


@click.command()
@click.argument("folder")
@click.option(
    "--host",
    type=click.Choice(["plain", "netlify", "cloudflare", "github-pages"]),
    default="plain",
    show_default=True,
    help="The host for which the folder is written.",
)
@click.option("--force", is_flag=True, help="Write to a folder that is not empty.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def export(
    ctx: click.Context, folder: str, host: str, force: bool, as_json: bool
) -> None:
    """Write the current release to FOLDER, as it is uploaded to a host of files.

    Netlify and Cloudflare Pages get _headers and _redirects, GitHub Pages gets
    .nojekyll. What the host cannot send as the app does is listed. Files of the last
    export that are not part of the site any more are deleted, and no others.
    """
    from ..errors import ReleaseError
    from ..hosts.export import export as write

    app = load_app(ctx)
    load_sites(app)
    try:
        done = write(app, folder, host, force=force)
    except (ReleaseError, OSError) as error:
        _fail(ctx, error, as_json=as_json)
    left_out = [one._asdict() for one in done.left_out]
    if as_json:
        names = ("folder", "host", "release", "files", "written", "removed")
        told = {name: getattr(done, name) for name in names}
        click.echo(to_json({**told, "left_out": left_out}))
        return
    _show_left_out(done.left_out)
    click.echo(
        f"{done.files:,} files for {host} in {done.folder}: {done.written:,} written,"
        f" {done.removed:,} removed."
    )
    click.echo(f"Upload this folder, or look at it: flask filepages preview {folder}")


@click.command("deploy-config")
@click.argument("server", type=click.Choice(["nginx", "caddy"]))
@click.option(
    "--upstream",
    metavar="URL",
    help="Pass requests that no file matches to the app at this URL.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def deploy_config(
    ctx: click.Context, server: str, upstream: str | None, as_json: bool
) -> None:
    """Print the configuration of nginx or Caddy for the current release.

    The server then sends the same status and header fields as the app, and a new
    release as soon as it is published. What it does not send is listed on stderr.
    """
    from ..errors import ReleaseError
    from ..hosts.deploy_config import write_config

    app = load_app(ctx)
    load_sites(app)
    try:
        config, left_out = write_config(app, server, upstream)
    except (ReleaseError, OSError) as error:
        _fail(ctx, error, as_json=as_json)
    if as_json:
        told = [one._asdict() for one in left_out]
        click.echo(to_json({"config": config, "left_out": told}))
        return
    _show_left_out(left_out)
    click.echo(config, nl=False)


def _show_left_out(left_out: list[LeftOut]) -> None:
    for name, why in left_out:
        click.secho(f"{name}: {why}.", fg="yellow", err=True)
