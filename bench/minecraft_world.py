#!/usr/bin/env python3
"""The Minecraft world beside a plain one: time to an iron pickaxe, time to the first observation, memory of its processes.

    bench/minecraft_world.py OTHER [--rounds N] [--lanes N] [--clock RATE] [--seeds 1,2,3]

OTHER is the folder of a flying-squid server with a plugin (server.js, survival.js, worldgen.js), a bot that goes for an
iron pickaxe by itself (techtree.js) and a preload that scales the clock of both (timewarp.js), with its npm packages in
the versions of worlds/minecraft/package-lock.json and mineflayer-tool. Both sides have the same Node, the one that
worlds/minecraft has, and the same bot, and run in turn, a server and a bot at a time. Several lanes do so beside each
other, where there are cores for two processes each.

- pickaxe: seconds from the bot's start until it holds the pickaxe, by its own log; a bot that gives up counts as failed.
- start: seconds from the server's start until a bot has its first columns, which is started when the server is ready;
  on our side the same with the bridge in the bot's place, which has then observed as well.
- memory: the largest sum of the processes' PSS while the bot goes for the pickaxe, without that of whole `caravel`.

Then `caravel voyage` itself with a scripted endpoint, where a binary is named (CARAVEL): server, bridge and skill child
while it goes for a stone pickaxe.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
OURS = ROOT / "worlds" / "minecraft"
NODE = OURS / "node_modules" / ".bin" / "node"
FLAGS = ["--max-semi-space-size=2"]  # src/minecraft/installation.cc
FIRST_PORT = 25571
VERSION = "1.19.2"
LONGEST = 300  # seconds of a bot

# Sends a bot to the port that is meant, whichever script makes it, and tells when it has its first columns.
PROBE = """
const Module = require('node:module')
const load = Module._load
Module._load = function (name, ...rest) {
  const loaded = load.call(this, name, ...rest)
  if (name === 'mineflayer' && !loaded.isProbed) {
    loaded.isProbed = true
    const create = loaded.createBot
    loaded.createBot = options => {
      const bot = create({ ...options, port: Number(process.env.PORT) })
      bot.once('spawn', () => bot.waitForChunksToLoad().then(() => console.log('SEES')))
      return bot
    }
  }
  return loaded
}
"""


def pss(pid):
    """KiB; 0: it has ended."""
    try:
        text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return int(re.search(r"^Pss:\s+(\d+)", text, re.M).group(1))


class Lines:
    """A process whose lines are read, each with the time that it came at."""

    def __init__(self, command, cwd=None, env=None, stdin=subprocess.PIPE):
        self.begin = time.monotonic()
        self.process = subprocess.Popen([str(word) for word in command], cwd=cwd, env={**os.environ, **(env or {})}, stdin=stdin,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.pid = self.process.pid
        self.lines = []
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append((time.monotonic(), line.rstrip("\n")))

    def wait_for(self, pattern, seconds=LONGEST):
        """When a line had it; None: it has ended, or none came."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            has_ended = self.process.poll() is not None and not self.thread.is_alive()
            for at, line in list(self.lines):
                if re.search(pattern, line):
                    return at
            if has_ended:
                return None
            time.sleep(0.01)
        return None

    def stop(self):
        if self.process.stdin:
            self.process.stdin.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.thread.join()


class Memory(threading.Thread):
    """The largest sum of what some processes hold, in KiB."""

    def __init__(self, find):
        super().__init__(daemon=True)
        self.find, self.most, self.parts, self.is_over = find, 0, [], threading.Event()
        self.start()

    def run(self):
        while not self.is_over.wait(0.2):
            parts = {name: pss(pid) for name, pid in self.find()}
            if sum(parts.values()) > self.most:
                self.most, self.parts = sum(parts.values()), parts

    def stop(self):
        self.is_over.set()
        self.join()


class Side:
    def __init__(self, name, server, cwd, env, ready):
        self.name, self.command, self.cwd, self.env, self.ready = name, server, cwd, env, ready

    def serve(self, seed, port):
        here = {"SEED": seed, "PORT": port}
        server = Lines([here.get(word, word) for word in self.command], self.cwd, self.env)
        if server.wait_for(self.ready, 60) is None:
            sys.exit(f"{self.name}: the server does not start: {server.lines[-3:]}")
        return server


def one_round(side, bot_command, other, env, seed, port):
    server = side.serve(seed, port)
    bot = Lines(bot_command, other, {**env, "PORT": str(port)})
    memory = Memory(lambda: [("server", server.pid), ("bot", bot.pid)])
    sees = bot.wait_for("^SEES$", 60)
    bot.wait_for(r"s (DONE|FAILED|GLOBAL TIMEOUT)")
    memory.stop()
    found = {"start": sees - server.begin if sees else None, "memory": memory.most / 1024, "parts": memory.parts}
    for _, line in bot.lines:
        reached = re.match(r"([\d.]+)s IRON PICKAXE", line)
        if reached:
            found["pickaxe"] = float(reached.group(1))
        if re.search("FAILED|TIMEOUT|UNCAUGHT", line):
            found["why"] = line[:200]
    bot.stop()
    server.stop()
    return found


def our_start(side, seed, clock, port):
    """Until the bridge has observed."""
    server = side.serve(seed, port)
    bridge = Lines([NODE, *FLAGS, OURS / "bridge" / "main.js", "--port", port, "--clock", clock])
    at = bridge.wait_for('"observation"', 60)
    seconds = at - server.begin
    bridge.stop()
    server.stop()
    return seconds


def children_of(pid):
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError, IndexError):
            continue
        if parent == pid:
            found.append((int(folder.name), words))
    return found


def node_processes(pid):
    """(name, process) of a caravel's, the skill's child beneath its sandboxes too."""
    names = {b"server/main.js": "server", b"bridge/main.js": "bridge", b"skills/child.js": "skill"}
    found, waiting = [], [pid]
    while waiting:
        for child, words in children_of(waiting.pop()):
            waiting.append(child)
            for script, name in names.items():
                if any(word.endswith(script) for word in words) and b"node" in words[0]:
                    found.append((name, child))
    return found


def whole_voyage(caravel, clock):
    """The node processes of a run from empty hands to a stone pickaxe: MiB at most, and of which."""
    sys.path.insert(0, str(ROOT / "tests" / "voyager"))
    from scripted_llm import Scripted
    with Scripted(faults={}, mistakes=False) as server, tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen([caravel, "voyage", "--llm", server.url, "--llm-model", "scripted", "--embedder", "endpoint",
                                    "--plain", "--out", folder + "/run", "--world", "minecraft", "--seed", "3", "--clock",
                                    str(clock), "--goal", "Craft 1 stone pickaxe"], stderr=subprocess.DEVNULL)
        memory = Memory(lambda: node_processes(process.pid))
        process.wait()
        memory.stop()
    return memory.most / 1024, {name: kib / 1024 for name, kib in memory.parts.items()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("other", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--lanes", type=int, default=1, help="rounds at a time")
    parser.add_argument("--clock", type=float, default=10)
    parser.add_argument("--seeds", default="42,7,3,1,2", help="of both worlds, one after the other")
    arguments = parser.parse_args()
    other, clock, rounds = arguments.other.resolve(), f"{arguments.clock:g}", arguments.rounds
    for needed in (other / "techtree.js", other / "node_modules" / "mineflayer-tool", NODE):
        if not needed.exists():
            sys.exit(f"{needed} is not there")
    seeds = arguments.seeds.split(",")
    rows, bridges = {"theirs": [], "ours": []}, []
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(arguments.lanes) as lanes:
        probe = pathlib.Path(folder) / "probe.js"
        probe.write_text(PROBE)
        warp = {"WARP": clock}
        sides = [Side("theirs", [NODE, "-r", "./timewarp.js", "server.js", VERSION, "PORT", "SEED", "./survival.js"], other, warp, "^READY"),
                 Side("ours", [NODE, *FLAGS, OURS / "server" / "main.js", "--seed", "SEED", "--clock", clock, "--port", "PORT"],
                      None, None, '"port"')]
        bot = [NODE, "-r", "./timewarp.js", "-r", probe, "--max-old-space-size=1500", "techtree.js"]

        def work(number):
            seed, port = seeds[number % len(seeds)], FIRST_PORT + number
            for side in sides:
                row = one_round(side, bot, other, warp, seed, port)
                rows[side.name].append(row)
                parts = ", ".join(f"{name} {kib / 1024:.0f}" for name, kib in row["parts"].items())
                print(f"{side.name:6} seed {seed:>3}: pickaxe {row.get('pickaxe', 'failed: ' + row.get('why', '?'))}, "
                      f"start {row['start'] or 0:.2f} s, {row['memory']:.0f} MiB ({parts})", flush=True)
            bridges.append(our_start(sides[1], seed, clock, port))

        for one in [lanes.submit(work, number) for number in range(rounds)]:
            one.result()
    print(f"\n{f'clock {clock}x, {rounds} rounds in turn, medians':55} {'theirs':>8} {'ours':>7} {'ratio':>7}")
    middle = {side: {key: statistics.median(found) for key in ("pickaxe", "start", "memory")
                     if (found := [row[key] for row in rows[side] if row.get(key)])} for side in rows}
    reached = {side: sum("pickaxe" in row for row in rows[side]) for side in rows}
    for key, name in (("pickaxe", f"s to the iron pickaxe ({reached['theirs']} and {reached['ours']} of {rounds} came to it)"),
                      ("start", "s from the server's start to a bot's first columns"), ("memory", "MiB of server and bot at most")):
        if key in middle["theirs"] and key in middle["ours"]:
            tell(name, middle["theirs"][key], middle["ours"][key])
    tell("s to our bridge's first observation", middle["theirs"]["start"], statistics.median(bridges))
    if os.environ.get("CARAVEL"):
        most, parts = whole_voyage(os.environ["CARAVEL"], clock)
        tell("MiB of a voyage's Node processes at most", middle["theirs"]["memory"], most)
        print("    " + json.dumps({name: round(mib, 1) for name, mib in parts.items()}))


def tell(name, theirs, ours):
    print(f"{name:55} {theirs:8.2f} {ours:7.2f} {ours / theirs:7.2f}")


main()
