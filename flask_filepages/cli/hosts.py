"""``flask filepages preview``, ``export`` and ``deploy-config``."""

from __future__ import annotations

import os
import typing as t

import click

from .app import load_app
from .app import not_empty
from .app import reporting
from .app import to_json

if t.TYPE_CHECKING:
    from ..hosts.published import LeftOut


@click.command()
@click.argument("folder", required=False)
@click.option(
    "--host", default="127.0.0.1", show_default=True, help="The address to listen on."
)
@click.option(
    "--port", type=int, default=4321, show_default=True, help="The port to listen on."
)
@click.pass_context
def preview(ctx: click.Context, folder: str | None, host: str, port: int) -> None:
    """Serve the app with the current release, as in production.

    With FOLDER, which `flask filepages export` wrote, serve only its files, as a plain
    host would. Files that only a host reads, such as _headers, have no effect.

    This is for looking at the site. Use a real server, such as gunicorn, to publish it.
    """
    from werkzeug.middleware.dispatcher import DispatcherMiddleware
    from werkzeug.serving import run_simple
    from werkzeug.utils import redirect

    from ..site import sites_of

    # In debug, no release is served.
    os.environ["FLASK_DEBUG"] = "0"
    app = load_app(ctx)
    app.debug = app.testing = False
    site = next(iter(sites_of(app).values()))
    root = site.settings.root
    if folder is not None:
        if not os.path.isdir(folder):
            raise click.ClickException(
                f"{folder} is not a folder. Run `flask filepages export {folder}`"
                " first."
            )
        from ..hosts.preview import plain_host

        run_simple(host, port, plain_host(folder, root), threaded=True)
        return
    site.releases.build_folder.release()  # There must be one.
    start = redirect(f"{root}/")
    served = DispatcherMiddleware(start, {root: app}) if root else app
    run_simple(host, port, served, threaded=True)


@click.command()
@click.argument("folder", callback=not_empty)
@click.option(
    "--host",
    type=click.Choice(["plain", "netlify", "cloudflare", "github-pages"]),
    default="plain",
    show_default=True,
    help="The host for which the folder is written.",
)
@click.option(
    "--force",
    is_flag=True,
    help="Write to a folder that is not empty. Files of the same name are overwritten.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_context
def export(
    ctx: click.Context, folder: str, host: str, force: bool, as_json: bool
) -> None:
    """Write the current release to FOLDER, ready to upload to a host of files.

    Run `flask filepages build` first. Netlify and Cloudflare Pages get _headers and
    _redirects, GitHub Pages gets .nojekyll. What the host cannot send as the app does
    is listed. Files of the last export that are gone from the site are deleted, and no
    others.
    """
    from ..hosts.export import export as write

    with reporting(ctx, as_json=as_json):
        app = load_app(ctx)
        done = write(app, folder, host, force=force)
    if as_json:
        left_out = [one._asdict() for one in done.left_out]
        click.echo(to_json({**done._asdict(), "left_out": left_out}))
        return
    _show_left_out("The folder", done.left_out)
    click.echo(
        f"{done.files:,} files for {host} in {done.folder}: {done.written:,} written,"
        f" {done.removed:,} removed."
    )
    if not done.files:
        click.echo("There is nothing to upload.")
        return
    look = f"look at its files with `flask filepages preview {folder}`"
    click.echo(f"Next: upload the folder, or {look}.")


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

    For example: flask filepages deploy-config nginx > site.conf

    The server then sends the same status and header fields as the app, and a new
    release as soon as it is published. Print it again after a change of routes, header
    fields or redirects. What it does not send is listed on stderr.
    """
    from ..hosts.deploy_config import write_config

    with reporting(ctx, as_json=as_json):
        app = load_app(ctx)
        config, left_out = write_config(app, server, upstream)
    if as_json:
        told = [one._asdict() for one in left_out]
        click.echo(to_json({"config": config, "left_out": told}))
        return
    _show_left_out("The server", left_out)
    click.echo(config, nl=False)


def _show_left_out(what: str, left_out: list[LeftOut]) -> None:
    if left_out:
        title = f"{what} lacks these, or sends them in another way than the app:"
        click.secho(title, fg="yellow", err=True)
    for name, why in left_out:
        click.secho(f"  {name}: {why}.", fg="yellow", err=True)
