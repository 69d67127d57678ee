#!/usr/bin/env python3
"""`caravel serve` in control groups of little memory, under bench/serve_load.py's mixed load and beyond.

  bench/serve_memory.py [--limits 300,500,1000,2000] [--seconds 20] [--clients 24] [--model M]
CARAVEL in the environment is the binary.

For each limit (MB) a server with its own choice of sizes is started in a group of that limit, of version 1 or 2,
whichever is mounted and may be written. It must never be killed, answer nothing with a 5xx, answer long prompts that
differ (so that every block of the KV cache is touched), chats without max_tokens, long bodies and rows of
log-probabilities with 200, 400, 413 or 429, still be healthy afterwards, and end with 0 on SIGTERM. Exits with 1 where
a demand is not met; with 77, saying why, where no group can be made. Standard library alone.
"""

import argparse
import asyncio
import contextlib
import os
import pathlib
import random
import re
import signal
import sys
import time

import request_mix
import serving
from serving import ask, drive

FLAGS = ["--tool-call-parser", "hermes"]
LEAVES = 15     # seconds after which a client of a chat without max_tokens has had enough
PATIENCE = 660  # seconds: beyond what the server itself gives a request (--request-timeout)
failures = []


def demand(holds, what):
    if not holds:
        failures.append(what)
    print(f"  {'ok  ' if holds else 'FAIL'} {what}", flush=True)


class Group:
    """A control group of a limit, below this process' own."""

    def __init__(self, limit):
        self.folder = None
        problems = []
        for version, mount, own in self.places():
            folder = mount / own.lstrip("/") / f"caravel-memory-{os.getpid()}"
            try:
                folder.mkdir()
                self.folder, self.version = folder, version
                (folder / ("memory.limit_in_bytes" if version == 1 else "memory.max")).write_text(str(limit))
                with contextlib.suppress(OSError):  # where there is swap, it would hide what is measured
                    (folder / ("memory.swappiness" if version == 1 else "memory.swap.max")).write_text("0")
                return
            except OSError as error:
                problems.append(str(error))
                self.remove()
        raise OSError("; ".join(problems) or "no memory controller is mounted")

    @staticmethod
    def places():
        mounts = {}
        for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
            fields, _, rest = line.partition(" - ")
            kind, _, options = rest.split(" ")
            if kind == "cgroup2":
                mounts[2] = pathlib.Path(fields.split(" ")[4])
            elif kind == "cgroup" and "memory" in options.split(","):
                mounts[1] = pathlib.Path(fields.split(" ")[4])
        for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if "memory" in controllers.split(",") and 1 in mounts:
                yield 1, mounts[1], path
            elif not controllers and 2 in mounts:
                yield 2, mounts[2], path

    def enter(self):
        (self.folder / "cgroup.procs").write_text(str(os.getpid()))

    def number(self, *names):
        for name in names:
            with contextlib.suppress(OSError):
                return int((self.folder / name).read_text())
        return 0

    def peak_mb(self):
        return self.number("memory.max_usage_in_bytes", "memory.peak") / 1e6

    def kills(self):
        for name in ("memory.oom_control", "memory.events"):
            with contextlib.suppress(OSError):
                found = re.search(r"^oom_kill (\d+)", (self.folder / name).read_text(), re.M)
                return int(found[1]) if found else 0
        return 0

    def remove(self):
        if self.folder is None:
            return
        for _ in range(50):
            with contextlib.suppress(OSError):
                self.folder.rmdir()
                return
            time.sleep(0.1)


def long_chat(rng):
    """A prompt of thousands of tokens that no other has: every block that it takes is written."""
    words = " ".join(str(rng.randrange(10 ** 9)) for _ in range(rng.choice([100, 300, 600])))
    return "/v1/chat/completions", {"messages": [{"role": "user", "content": words}], "max_tokens": 4}


def endless_chat(rng):
    return "/v1/chat/completions", {"messages": [{"role": "user", "content": request_mix.text(rng)}],
                                    "temperature": 1, "n": rng.choice([1, 1, 3])}


def long_body(rng):
    size = rng.choice([50_000, 300_000, 2_000_000, 8_000_000])
    return "/tokenize", {"prompt": rng.choice([" ", "sea ", "7"]) * (size // 4)}


def rows(rng):
    words = " ".join(rng.choices(request_mix.WORDS, k=rng.choice([20, 200, 1000])))
    return "/v1/completions", {"prompt": words, "max_tokens": 1, "n": rng.choice([1, 4, 16]), "temperature": 1,
                               "prompt_logprobs": rng.choice([0, 5, 128])}


def one_more_schema(rng):
    return "/v1/completions", {"prompt": "x", "max_tokens": 30,
                               "structured_outputs": {"regex": f"[a-z ]{{1,{rng.randint(40, 400)}}}[0-9]{{3}}"}}


async def load(server, seconds, clients):
    port = server.port

    async def one(rng):
        if rng.random() < 0.7:
            kind, status, body = await request_mix.request(port, rng)
            return status in (None, 200, 429), kind, status, body
        make = rng.choice([long_chat, long_chat, endless_chat, long_body, rows, one_more_schema])
        path, body = make(rng)
        try:
            status, got = await asyncio.wait_for(ask(port, path, body), LEAVES if make is endless_chat else PATIENCE)
        except asyncio.TimeoutError:
            if make is endless_chat:
                return True, make.__name__, None, b""
            raise
        return status in (200, 400, 413, 429), make.__name__, status, got

    return await drive(server, clients, time.monotonic() + seconds, one, PATIENCE, pause=0.2)


async def chats_are_answered(server):
    """Without max_tokens, and with more than any context holds."""
    for more in ({}, {"max_tokens": 10 ** 6}, {"n": 2}):
        body = {"messages": [{"role": "user", "content": "hi"}], "temperature": 0, **more}
        try:
            status, got = await ask(server.port, "/v1/chat/completions", body)
        except OSError as error:
            status, got = f"{error!r}, server's exit code {server.process.poll()}", server.text()[-300:]
        demand(status == 200, f"a chat with {more or 'no max_tokens'}: {status} {'' if status == 200 else got[:200]}")


def run(limit, options):
    print(f"{limit} MB", flush=True)
    group = Group(limit * 1_000_000)
    server = None
    try:
        server = serving.Server(*FLAGS, model=options.model, timeout=120, in_child=group.enter)
        said = [line for line in server.text().splitlines() if "context" in line]
        for line in said:
            print(f"  {line}", flush=True)
        asyncio.run(chats_are_answered(server))
        counts, wrong = asyncio.run(load(server, options.seconds, options.clients))
        for kind in sorted(counts):
            print(f"  {kind}: {counts[kind]}", flush=True)
        total = sum(sum(statuses.values()) for statuses in counts.values())
        demand(not wrong, f"{total} requests go as they should, {len(wrong)} do not {wrong[:3] or ''}")
        alive = server.process.poll() is None
        demand(alive and group.kills() == 0, f"it was not killed: peak {group.peak_mb():.0f} MB of {limit}")
        if alive:
            demand(asyncio.run(serving.settled(lambda: health(server.port), 30)), "it is healthy afterwards")
            print(f"  {server.memory_mib():.0f} MiB resident at the end", flush=True)
            code = server.stop()
            demand(code == 0, f"it ends with 0: {code}")
        else:
            demand(server.process.returncode != -signal.SIGKILL, f"it ended with {server.process.returncode}")
    finally:
        if server is not None:
            server.__exit__()
        group.remove()


async def health(port):
    status, _ = await ask(port, "/health", method="GET")
    return status == 200


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--limits", default="300,500,1000,2000")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--clients", type=int, default=24)
    parser.add_argument("--model")
    options = parser.parse_args()
    try:
        Group(1 << 30).remove()
    except OSError as error:
        print(f"no control group can be made here: {error}")
        return 77
    serving.raise_descriptor_limit()
    for limit in options.limits.split(","):
        run(int(limit), options)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
