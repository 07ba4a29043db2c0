"""``python -m demo_app``: serve the demo on 127.0.0.1."""

from __future__ import annotations

import os

from werkzeug.serving import make_server

from demo_app import create_app


def main() -> None:
    port = int(os.environ.get("PORT", "5000"))
    server = make_server("127.0.0.1", port, create_app(), threaded=True)
    print(f"The demo is at http://127.0.0.1:{server.server_port}/", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    main()
