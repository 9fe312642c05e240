"""python -m bench.setup: make what is missing and print where it is."""
from __future__ import annotations

import argparse
import dataclasses
import shlex
import sys

from bench.errors import SetupError
from bench.setup import prepare


def main() -> int:
    """Return the exit status: 0, or 3 when something could not be had."""
    parser = argparse.ArgumentParser(prog="python -m bench.setup", description=__doc__)
    parser.add_argument("--tests", action="store_true", help="also install what only `make test` needs")
    parser.add_argument("--bench", action="store_true", help="also install what only `make bench` needs")
    parser.add_argument("--quiet", action="store_true", help="do not print where everything lies")
    arguments = parser.parse_args()
    try:
        artefacts = prepare(tests=arguments.tests, bench=arguments.bench)
    except SetupError as e:
        print(f"set-up: {e}", file=sys.stderr)
        return 3
    if not arguments.quiet:
        for field in dataclasses.fields(artefacts):
            value = getattr(artefacts, field.name)
            print(f"{field.name:<15} {shlex.join(value) if isinstance(value, tuple) else value}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
