#!/usr/bin/env python3
"""with_server.py [FLAG... --] COMMAND...: runs it with CARAVEL_URL set to a server of the default model, started with
these flags too, and ends as it ends."""

import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))

from serving import Server  # noqa: E402

# The default model's template takes no tools; forced calls and the instructions for free ones work all the same.
FLAGS = ["--tool-call-parser", "hermes", "--kv-cache-memory", "256MiB", "--max-waiting-requests", "64"]


def main():
    command, flags = sys.argv[1:], []
    if "--" in command:
        at = command.index("--")
        flags, command = command[:at], command[at + 1:]
    with Server(*FLAGS, *flags) as server:
        code = subprocess.run(command, env={**os.environ, "CARAVEL_URL": f"http://127.0.0.1:{server.port}"}).returncode
        stopped = server.stop()
        if stopped != 0:
            print(f"the server ended with {stopped}:\n{server.text()[-4000:]}", file=sys.stderr)
        return code or int(stopped != 0)


if __name__ == "__main__":
    sys.exit(main())
