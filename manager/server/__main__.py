"""Serves one of the front's two applications.

python -m manager.server web|tokens [--host HOST] [--port PORT] [--workers N]
"""

import argparse

from manager.server import early_signals


def main() -> None:
    early_signals.hold()
    from manager.server.serving import serve  # noqa: PLC0415 (loads for a while)

    parser = argparse.ArgumentParser(prog="python -m manager.server")
    parser.add_argument("application", choices=("web", "tokens"))
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--workers", type=int, default=1)
    wanted = parser.parse_args()
    serve(f"manager.server.{wanted.application}:application", wanted.host, wanted.port, wanted.workers)


if __name__ == "__main__":
    main()
