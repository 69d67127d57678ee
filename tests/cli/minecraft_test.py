"""`caravel voyage --world minecraft`: the real binary and the real world, with the scripted endpoint
(tests/voyager/scripted_llm.py): from empty hands to stone tools, gone on with after it was killed and replayed by another
clock, on a server that runs already, and what is refused.

Run by ctest with CARAVEL set to the binary; by hand: CARAVEL=build/release/caravel python3 tests/cli/minecraft_test.py
"""

import json
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

from cli_test import CARAVEL, json_lines

ROOT = Path(__file__).resolve().parents[2]
WORLD = ROOT / "worlds" / "minecraft"
NODE = WORLD / "node_modules" / ".bin" / "node"
sys.path.insert(0, str(ROOT / "tests" / "voyager"))

from scripted_llm import Scripted  # noqa: E402

if not (WORLD / "node_modules" / ".installed-lock.json").exists():
    print("minecraft: skipped: its packages are not there (scripts/install_packages --world minecraft)")
    sys.exit(77)


class Minecraft(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.out = Path(folder.name) / "run"
        self.server = Scripted(faults={}, mistakes=False)
        self.server.__enter__()
        self.addCleanup(self.server.__exit__)

    def command(self, *flags):
        return [CARAVEL, "voyage", "--llm", self.server.url, "--llm-model", "scripted", "--embedder", "endpoint", "--plain",
                "--out", str(self.out), *map(str, flags)]

    def voyage(self, *flags, code=0):
        done = subprocess.run(self.command(*flags), capture_output=True, timeout=500)
        self.assertEqual(code, done.returncode, done.stderr.decode()[-3000:])
        return done.stderr.decode()

    def events(self, kind):
        return [event for event in json_lines((self.out / "events.jsonl").read_bytes()) if event["type"] == kind]

    def test_one_task(self):
        (self.out.parent / "tasks.txt").write_text("Mine 1 wood log\n")
        self.voyage("--world", "minecraft", "--seed", 3, "--tasks", self.out.parent / "tasks.txt")
        self.assertTrue({event["name"] for event in self.events("item")} & {"oak_log", "birch_log"})

    def assert_map(self, out):
        self.assertEqual(b"\x89PNG\r\n\x1a\n", (out / "map.png").read_bytes()[:8])
        self.assertIn("What the player has seen of the world from above", (out / "report.html").read_text())

    def test_from_wood_to_stone_tools_and_on_after_a_kill_and_again_by_another_clock(self):
        first = subprocess.Popen(self.command("--world", "minecraft", "--seed", 3, "--goal", "Craft 1 stone pickaxe"),
                                 stderr=subprocess.PIPE, text=True)
        lines = []
        for line in first.stderr:  # the first task that was done
            lines.append(line)
            if line.startswith("    critic: done"):
                break
        time.sleep(2)
        first.send_signal(signal.SIGKILL)
        first.communicate()
        done = subprocess.run([CARAVEL, "voyage", "--out", str(self.out), "--resume", "--plain"], capture_output=True,
                              timeout=500)
        said = "".join(lines) + done.stderr.decode()
        self.assertEqual(0, done.returncode, said[-4000:])
        tools = {"crafting_table", "wooden_pickaxe", "cobblestone", "stone_pickaxe"}
        self.assertLessEqual(tools, {event["name"] for event in self.events("item")}, said[-4000:])
        self.assert_map(self.out)
        self.assertTrue(list((self.out / "skills" / "code").glob("*.js")))
        self.assertIn("stone_pickaxe", (self.out / "report.html").read_text())

        asked = sum(self.server.counts.values())
        again = self.out.parent / "again"
        replay = subprocess.run([CARAVEL, "voyage", "--replay", str(self.out), "--clock", "5", "--out", str(again), "--plain"],
                                capture_output=True, timeout=900)
        said = replay.stderr.decode()
        self.assertEqual(0, replay.returncode, said[-4000:])
        self.assertIn("this world is not the same twice", said)
        events = json_lines((again / "events.jsonl").read_bytes())
        self.assertLessEqual(tools, {event["name"] for event in events if event["type"] == "item"}, said[-4000:])
        self.assertEqual(asked, sum(self.server.counts.values()))
        self.assert_map(again)

    def test_a_server_that_runs_already(self):
        server = subprocess.Popen([NODE, WORLD / "server" / "main.js", "--seed", "3", "--port", "0", "--difficulty",
                                   "peaceful"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(server.stdout.close)
        self.addCleanup(server.wait)
        self.addCleanup(server.stdin.close)
        port = json.loads(server.stdout.readline())["port"]
        (self.out.parent / "tasks.txt").write_text("Mine 1 wood log\n")
        self.voyage("--world", f"127.0.0.1:{port}", "--tasks", self.out.parent / "tasks.txt", "--skills",
                    WORLD / "test" / "skill_library" / "skill")
        self.assertTrue({event["name"] for event in self.events("item")} & {"oak_log", "birch_log"})
        self.assert_map(self.out)
        self.assertTrue((self.out / "skills" / "code" / "craftStoneTools.js").exists())  # of the library, in Voyager's layout

    def test_refused(self):
        self.assertIn("there are mini, minecraft and HOST:PORT", self.voyage("--world", "moon", code=1))
        self.assertIn("--clock: the time of the world 'mini' is its own", self.voyage("--clock", "4", code=2))
        self.assertIn("127.0.0.1:1: nobody listens there", self.voyage("--world", "127.0.0.1:1", code=1))
        self.assertIn("it speaks version 1.20.4, and this bot 1.19.2", self.turned_away('{"text":"Outdated client! Please use 1.20.4"}'))
        self.assertIn("multiplayer.disconnect.unverified_username",
                      self.turned_away('{"translate":"multiplayer.disconnect.unverified_username"}'))
        self.assertIn("the connection has ended", self.turned_away(None))

    def turned_away(self, component):
        """By a server that answers with this and hangs up, or with nothing: what is said of it."""
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def answer():
            connection = listener.accept()[0]
            connection.recv(1000)
            if component:
                text = component.encode()
                packet = bytes([0, len(text)]) + text  # login's disconnect; lengths under 128 are one byte
                connection.sendall(bytes([len(packet)]) + packet)
                time.sleep(1)
            connection.close()

        threading.Thread(target=answer, daemon=True).start()
        return self.voyage("--world", f"127.0.0.1:{listener.getsockname()[1]}", code=1)


if __name__ == "__main__":
    unittest.main()
