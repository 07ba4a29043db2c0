"""``python -m demo_app``: build the demo and serve it on 127.0.0.1."""

from __future__ import annotations

import os

from werkzeug.serving import make_server

from demo_app import create_app
from demo_app import filepages


def main() -> None:
    port = int(os.environ.get("PORT", "5000"))
    site = os.environ.get("DEMO_SITE", f"http://127.0.0.1:{port}")
    # The stored pages contain the address, so each port has its own build folder.
    config = {"FILEPAGES_SITE": site, "FILEPAGES_BUILD_DIR": f"site-{port}"}
    app = create_app(config)
    for _ in filepages.build(app):
        pass
    server = make_server("127.0.0.1", port, app, threaded=True)
    print(f"The demo is at http://127.0.0.1:{server.server_port}/", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    main()
