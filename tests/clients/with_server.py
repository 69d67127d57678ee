#!/usr/bin/env python3
"""with_server.py [--agent] [FLAG... --] COMMAND...: runs it with CARAVEL_URL set to a server of the default model,
started with these flags too, and ends as it ends. With --agent both that server and one of the scripted agent (agent_model.py)
run, which ask for a key: CARAVEL_AGENT_URL, CARAVEL_KEY, and what the agent says as JSON in CARAVEL_AGENT."""

import json
import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))

from serving import Server  # noqa: E402

# The default model's template takes no tools: they are offered in the general form.
FLAGS = ["--kv-cache-memory", "256MiB", "--max-waiting-requests", "64"]


def with_agent(command):
    import agent_model
    from shown import KEY, Servers, Weather
    servers = Servers()
    servers.start()
    try:
        return subprocess.run(command, env={
            **os.environ, "CARAVEL_URL": servers.real.url, "CARAVEL_AGENT_URL": servers.agent.url, "CARAVEL_KEY": KEY,
            "CARAVEL_AGENT": json.dumps({"calls": [call for _, call in agent_model.CALLS], "answer": agent_model.ANSWER,
                                         "weatherSays": Weather.SAYS})}).returncode
    finally:
        servers.stop()


def main():
    command, flags = sys.argv[1:], []
    if command[0] == "--agent":
        return with_agent(command[1:])
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
