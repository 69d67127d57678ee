"""`caravel voyage` as its users meet it: the real binary, with a scripted endpoint (tests/voyager/scripted_llm.py) and
once with the real default model: whole runs, runs that are killed, replayed, bounded, refused, and what goes wrong.

Run by ctest with CARAVEL set to the binary; by hand: CARAVEL=build/release/caravel python3 tests/cli/voyage_test.py
"""

import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path
from unittest import mock

from cli_test import CARAVEL, json_lines

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "voyager"))

from scripted_llm import Handler, Scripted  # noqa: E402

FILES = ["report.html", "map.png", "events.jsonl", "calls.jsonl", "voyage.db", "skills/skills.json"]
QUICK = ["--iterations", "8"]


def contents(out):
    """What two equal runs have the same of: all that is written, but for times and for what was tried again."""
    found = {}
    for path in sorted(out.rglob("*")):
        name = str(path.relative_to(out))
        if name.startswith(("skills/", "events.jsonl", "map.png")) and path.is_file():
            found[name] = path.read_bytes()
    found["calls.jsonl"] = [{key: value for key, value in call.items() if key not in ("seconds", "retries")}
                            for call in json_lines((out / "calls.jsonl").read_bytes())]
    return found


class Voyage(unittest.TestCase):
    maxDiff = 2000

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.out = self.folder / "run"

    def serve(self, **how):
        server = Scripted(**{"faults": {}, **how})
        server.__enter__()
        self.addCleanup(server.__exit__)
        return server

    def command(self, server, *flags, out=None):
        url = server if isinstance(server, str) else server.url
        return [CARAVEL, "voyage", "--llm", url, "--llm-model", "scripted", "--embedder", "endpoint", "--plain", "--out",
                str(out or self.out), *map(str, flags)]

    def resumed(self):
        return [CARAVEL, "voyage", "--out", str(self.out), "--resume", "--plain"]

    def caravel(self, *args, code=0, timeout=120):
        done = subprocess.run([CARAVEL, "voyage", *map(str, args)], capture_output=True, timeout=timeout)
        self.assertEqual(code, done.returncode, (args, done.stderr.decode()[-1500:]))
        return done

    def voyage(self, server, *flags, out=None, code=0, timeout=120):
        return self.caravel(*self.command(server, *flags, out=out)[2:], code=code, timeout=timeout)

    def problem(self, *args, code=1):
        """The one line that it is refused with."""
        lines = self.caravel(*args, code=code).stderr.decode().splitlines()
        self.assertTrue(lines and lines[-1].startswith("caravel: "), lines)
        return lines[-1]

    def iterations(self, out=None):
        return self.events("iteration", out)

    def events(self, kind, out=None):
        return [line for line in json_lines(((out or self.out) / "events.jsonl").read_bytes()) if line["type"] == kind]


    # What a newcomer meets.

    def test_a_run_leaves_what_it_found(self):
        server = self.serve()
        done = self.voyage(server, "--iterations", "12")
        for name in FILES:
            self.assertGreater((self.out / name).stat().st_size, 0, name)
        self.assertEqual(b"\x89PNG\r\n\x1a\n", (self.out / "map.png").read_bytes()[:8])
        begun = self.iterations()
        self.assertEqual(12, len(begun))
        self.assertGreater(sum(line["success"] for line in begun), 6, begun)
        skills = json.loads((self.out / "skills/skills.json").read_text())
        self.assertIn("craftPlanks", skills)
        self.assertIn("craftItem", skills["craftPlanks"]["code"])
        self.assertEqual(skills["craftPlanks"]["code"].rstrip(),
                         (self.out / "skills/code/craftPlanks.lua").read_text().rstrip())
        self.assertIn(str(self.out), done.stderr.decode() + done.stdout.decode())
        page = (self.out / "report.html").read_text()
        for word in ("craftPlanks", "crafting_table", "Mine 1 wood log"):
            self.assertIn(word, page)
        self.assertIsNone(re.search(r"(?:src|href)=\"https?://", page.split("<script")[0]))
        calls = json_lines((self.out / "calls.jsonl").read_bytes())
        self.assertEqual(sum(server.counts[f"role {role}"] for role in
                             ("propose", "questions", "answer", "action", "describe", "critic")), len(calls))

    def test_a_folder_that_is_there_is_left_alone(self):
        server = self.serve()
        self.voyage(server, "--iterations", "1")
        before = contents(self.out)
        self.assertIn("--resume", self.problem(*self.command(server)[2:], code=2))
        self.assertEqual(before, contents(self.out))
        other = self.folder / "other"
        other.mkdir()
        (other / "notes.txt").write_text("mine")
        self.problem(*self.command(server, out=other)[2:], code=2)
        self.assertEqual(["notes.txt"], os.listdir(other))
        (self.out / "voyage.db").write_bytes(b"")
        self.assertIn("report.html", self.problem(*self.command(server)[2:], code=2))
        for words in (["compare", other], ["report", other], ["--replay", other, "--out", self.folder / "new"]):
            told = self.problem(*words, code=2)
            self.assertIn("no run is there", told)
            self.assertNotIn("--resume", told)
        self.assertIn(f"{self.out}/skills", self.problem(*self.command(server, "--skills", self.out, out=other)[2:], code=2))

    def test_the_same_seed_and_answers_give_the_same_bytes(self):
        runs = []
        for name in ("one", "two"):
            self.voyage(self.serve(), *QUICK, out=self.folder / name)
            runs.append(contents(self.folder / name))
        self.assertEqual(*runs)

    def test_tasks_of_a_file(self):
        tasks = self.folder / "tasks.txt"
        tasks.write_text("Mine 3 wood log\nCraft 8 planks\n")
        server = self.serve(mistakes=False)
        self.assertIn("[1/2] Mine 3 wood log", self.voyage(server, "--tasks", tasks).stderr.decode())
        self.assertEqual(["Mine 3 wood log", "Craft 8 planks"], [line["task"] for line in self.iterations()])
        self.assertEqual(0, server.counts["role propose"])

    def test_a_goal_is_reached_and_one_that_cannot_be_is_given_up(self):
        self.voyage(self.serve(mistakes=False), "--goal", "craft a wooden pickaxe")
        self.assertTrue(all(line["success"] for line in self.iterations()[-1:]), self.iterations())
        out = self.folder / "moon"
        server = self.serve(mistakes=False)
        told = self.voyage(server, "--goal", "craft a moon", "--goal-attempts", "2", out=out, code=1).stderr.decode()
        self.assertIn("given up", told)
        self.assertEqual(2, server.counts["role decompose"])

    def test_skills_of_an_earlier_run_are_called(self):
        first = self.folder / "first"
        self.voyage(self.serve(mistakes=False), "--iterations", "6", out=first)
        self.voyage(self.serve(mistakes=False), "--iterations", "6", "--seed", "7", "--skills", first / "skills")
        used = {name for step in self.events("step") for name in step["skills_used"]}
        self.assertTrue(used & set(json.loads((first / "skills/skills.json").read_text())), used)

    def test_stopped_while_skills_are_imported_it_goes_on(self):
        self.voyage(self.serve(mistakes=False), "--iterations", "6", out=self.folder / "first")
        skills = self.folder / "first/skills"
        begin = ["--iterations", "2", "--seed", "7", "--skills", skills]
        self.voyage(self.serve(mistakes=False), *begin, out=self.folder / "whole")
        embed, held = Handler.embed, threading.Event()

        def embed_three(handler, body):
            with handler.server.lock:
                handler.server.counts["embedded"] += 1
            if handler.server.counts["embedded"] > 3:
                held.wait(60)
            embed(handler, body)

        for sign in (signal.SIGINT, signal.SIGKILL):
            out = self.folder / sign.name
            held.clear()
            with mock.patch.object(Handler, "embed", embed_three):
                server = self.serve(mistakes=False)
                process = subprocess.Popen(self.command(server, *begin, out=out), stderr=subprocess.PIPE)
                while server.counts["embedded"] < 4 and process.poll() is None:
                    time.sleep(0.02)
                process.send_signal(sign)
                told = process.communicate(timeout=30)[1].decode()
                held.set()
                self.assertIn("skill 1 of ", told)
                self.assertEqual(sign == signal.SIGINT, (out / "report.html").exists(), told)
                self.assertEqual(sign == signal.SIGINT, "report.html: open it" in told, told)
            self.caravel("--out", out, "--resume", "--plain", "--llm", self.serve(mistakes=False).url, "--llm-model", "scripted")
            self.assertEqual(contents(self.folder / "whole"), contents(out))

    def test_what_links_in_a_run_lead_to_is_left_alone(self):
        server = self.serve(mistakes=False)
        self.voyage(server, "--iterations", "3")
        self.voyage(server, "--iterations", "2", out=self.folder / "other")
        page, skills = (self.out / "report.html").read_bytes(), (self.out / "skills/skills.json").read_bytes()
        other = self.folder / "other"
        theirs = {path: path.read_bytes() for path in other.rglob("*") if path.is_file()}
        code = next((self.out / "skills/code").iterdir())
        for link, target in ((self.out / "report.html", other / "report.html"), (self.out / "map.png", other / "map.png"),
                             (self.out / "calls.jsonl", other / "calls.jsonl"), (code, other / "skills/skills.json")):
            link.unlink()
            link.symlink_to(target)
        self.caravel("report", self.out)
        (self.out / "skills").rename(self.folder / "moved")
        (self.out / "skills").symlink_to(other / "skills")
        self.caravel("report", self.out)
        self.assertEqual(theirs, {path: path.read_bytes() for path in other.rglob("*") if path.is_file()})
        self.assertEqual((page, skills), ((self.out / "report.html").read_bytes(), (self.out / "skills/skills.json").read_bytes()))
        self.assertFalse(any(path.is_symlink() for path in self.out.rglob("*")))
        (self.folder / "link.html").symlink_to(other / "report.html")
        self.assertIn("a run's own page", self.problem("compare", self.out, "--out", self.folder / "link.html", code=2))
        (self.folder / "notes.html").write_text("mine")
        self.assertIn("holds no page;", self.problem("compare", self.out, "--out", self.folder / "notes.html", code=1))

    def test_compare(self):
        for name, flags in (("whole", []), ("bare", ["--without", "skills,critic"])):
            self.voyage(self.serve(), *QUICK, *flags, out=self.folder / name)
        own = self.folder / "whole" / "report.html"
        before = own.read_bytes()
        self.assertIn("a run's own page", self.problem("compare", self.folder / "bare", "--out", own, code=2))
        self.assertEqual(before, own.read_bytes())
        page = self.folder / "compare.html"
        done = self.caravel("compare", self.folder / "whole", self.folder / "bare", "--out", page)
        for text in (done.stdout.decode(), page.read_text()):
            self.assertIn("whole", text)
            self.assertIn("bare", text)

    # Stopped, and gone on with.

    def test_killed_ten_times_and_resumed_is_as_one_run(self):
        flags = ["--iterations", "14"]
        whole = self.folder / "whole"
        start = time.monotonic()
        self.voyage(self.serve(), *flags, out=whole)
        span = time.monotonic() - start
        server = self.serve()
        draw, kills = random.Random(5), 0
        while kills < 10:
            command = self.resumed() if kills else self.command(server, *flags)
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                # The first time it is let get as far as to have a run at all.
                process.wait(draw.uniform(0.02, span / 8) if kills else span / 4)
                self.assertEqual(0, process.returncode)
                break  # it got to its end before it was killed so often
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                kills += 1
        self.assertGreater(kills, 2)
        if process.returncode:
            self.caravel(*self.resumed()[2:])
        self.assertEqual(contents(whole), contents(self.out))
        self.assertEqual([], list_children_of_nobody())

    def test_an_interrupted_run_says_how_to_go_on(self):
        server = self.serve()
        process = subprocess.Popen(self.command(server, "--iterations", "100"), stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE)
        while server.counts["role action"] < 4 and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        told = process.communicate(timeout=30)[1].decode()
        self.assertEqual(130, process.returncode, told)
        self.assertEqual(1, told.count("ends with what is under way; ctrl-C again ends at once"))
        self.assertIn("--resume", told)
        self.assertTrue((self.out / "report.html").exists())
        again = self.folder / "again"
        self.assertIn("ends behind call", self.caravel("--replay", self.out, "--out", again, "--plain", code=1).stderr.decode())
        asked = sum(many for name, many in server.counts.items() if name.startswith("role"))
        self.caravel(*self.resumed()[2:], "--budget", f"calls={asked + 3}")
        self.assertEqual(asked + 3, len(json_lines((self.out / "calls.jsonl").read_bytes())))
        self.assertIn("--iterations 1: the run has come to task", self.problem(*self.resumed()[2:], "--iterations", "1", code=2))
        self.assertIn("with a larger --budget", self.caravel(*self.resumed()[2:]).stderr.decode())
        self.assertEqual(asked + 3, len(json_lines((self.out / "calls.jsonl").read_bytes())), "it keeps to its budget")
        self.caravel("--replay", self.out, "--out", self.folder / "bounded", "--plain")
        told = self.caravel(*self.resumed()[2:], "--budget", f"calls={asked + 100},minutes=1e-6").stderr.decode()
        self.assertIn("--resume goes on\n", told, "the same budget will do")

    def test_a_run_that_goes_on_names_the_task_that_it_is_in(self):
        server = self.serve(script=lambda role, seen: (time.sleep(60) or "") if role == "action" else None)
        process = subprocess.Popen(self.command(server), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        heading = next(line for line in process.stderr if line.startswith(b"[1/"))
        while server.counts["role action"] == 0:
            time.sleep(0.02)
        process.kill()
        process.communicate()
        process = subprocess.Popen(self.resumed(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.assertEqual(heading, next(line for line in process.stderr if line.startswith(b"[")))
        process.kill()
        process.communicate()

    def test_replayed_without_a_model(self):
        with Scripted(faults={}) as server:
            self.voyage(server, *QUICK)
        again = self.folder / "again"
        self.caravel("--replay", self.out, "--out", again, "--plain")
        self.assertEqual(contents(self.out), contents(again))

    # Bounds.

    def test_budgets(self):
        for budget, most in (("calls=7", 7), ("tokens=3000", 60)):
            out = self.folder / budget
            server = self.serve()
            told = self.voyage(server, "--iterations", "100", "--budget", budget, out=out).stderr.decode()
            self.assertIn("budget", told)
            asked = sum(many for name, many in server.counts.items() if name.startswith("role"))
            self.assertTrue(0 < asked <= most, (budget, asked))
            self.assertTrue((out / "report.html").exists())
        self.assertIn("--price", self.problem(*self.command("http://127.0.0.1:1/v1", "--budget", "cost=1")[2:], code=2))
        for budget in ("calls=0x", "calls", "hours=3", "minutes=-1"):
            self.assertIn("--budget", self.problem(*self.command("http://127.0.0.1:1/v1", "--budget", budget)[2:], code=2))

    # An endpoint that fails.

    def test_an_endpoint_that_stumbles_is_asked_again(self):
        server = self.serve(faults={"429": 0.04, "500": 0.04, "cut": 0.04, "silent": 0.02})
        self.voyage(server, *QUICK)
        self.assertGreater(sum(many for name, many in server.counts.items() if name.startswith("fault")), 1)
        steady = self.folder / "steady"
        self.voyage(self.serve(), *QUICK, out=steady)
        self.assertEqual(contents(steady), contents(self.out))
        self.assertTrue([call for call in json_lines((self.out / "calls.jsonl").read_bytes()) if call["retries"]])

    def test_an_endpoint_that_fails_for_good_is_told_of(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            down = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
        self.assertRegex(self.problem(*self.command(down, "--llm-retries", "1")[2:]), r"refused|connect")
        for fault, told in (("429", "too many requests"), ("500", "something broke")):
            server = self.serve(faults={fault: 1})
            self.assertIn(told, self.problem(*self.command(server, "--llm-retries", "1", out=self.folder / fault)[2:]))

    def test_an_endpoint_that_is_down_at_the_start_is_told_of_at_once(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            process = subprocess.Popen([CARAVEL, "voyage", "--llm", f"http://127.0.0.1:{closed.getsockname()[1]}/v1", "--out",
                                        str(self.out)], stderr=subprocess.PIPE)
            told = process.stderr.readline().decode()
            process.kill()
            process.communicate()
        self.assertIn("tried again in", told)

    # Code that means harm, and code that is none.

    def test_hostile_code_ends_in_an_error_that_its_author_sees(self):
        mark = self.folder / "mark"
        codes = [f'os.execute("touch {mark}")', f'io.open("{mark}", "w"):write("x")', "while true do end",
                 'local t = {} while true do t[#t + 1] = ("x"):rep(1000000) end', "os.exit(0)",
                 f'require("os").rename("/etc/hostname", "{mark}")', "local function f() return f() + 1 end f()",
                 'while true do bot:chat(("x"):rep(1000)) end',
                 "local function g() coroutine.wrap(g)() end g()", 'load("while true do end")()']
        asked = []

        def script(role, seen):
            if role == "propose":
                return '{"reasoning": "-", "task": "Mine 1 dirt"}'
            if role == "action":
                asked.append(seen.error)
                return f"```lua\nfunction mineDirt(bot)\n  {codes[(len(asked) - 1) % len(codes)]}\nend\n```"
            return None

        before = set(os.listdir(self.folder))
        self.voyage(self.serve(script=script), "--iterations", str(len(codes)), "--rounds", "1")
        steps = self.events("step")
        self.assertEqual(len(codes), len(steps))
        for code, step in zip(codes, steps):
            self.assertTrue(step["error"], code)
        self.assertEqual(before | {"run"}, set(os.listdir(self.folder)))

    def test_answers_that_are_none_do_not_stop_it(self):
        texts = ["", "I cannot help with that.", "{" * 500, '{"task": 7}', '{"reasoning": "-", "task": ""}', "\u0000\u001b[2J",
                 "```lua\nfunction (", "x" * 100_000, '[[["task"]]]', "```lua\n```"]
        count = [0]

        def script(role, seen):
            count[0] += 1
            return texts[count[0] % len(texts)]

        self.voyage(self.serve(script=script), "--iterations", "4")
        self.assertEqual(4, len(self.iterations()))
        self.assertNotIn(b"\x1b", (self.out / "report.html").read_bytes())

    # The engine in this process.

    def test_the_default_model_has_eight_tasks(self):
        process = subprocess.Popen([CARAVEL, "voyage", "--plain", "--out", str(self.out), "--max-model-len", "2048"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        told = [process.stderr.readline().decode() for _ in range(3)]
        process.kill()
        process.communicate()
        self.assertIn("caravel: 8 tasks: a model of 135M parameters reaches little; --llm URL takes a larger one", told[0])
        self.assertTrue(told[2].startswith("[1/8] "), told)

    def test_the_default_model_in_this_process(self):
        self.caravel("--plain", "--out", self.out, "--iterations", "1", "--rounds", "1", "--max-tokens", "96",
                     "--max-model-len", "2048", timeout=180)
        self.assertEqual(1, len(self.iterations()))
        self.assertTrue((self.out / "report.html").exists())


def list_children_of_nobody():
    """Sandboxes that outlived who made them."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            parent = int((process / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue
        if parent == 1 and any(word.startswith(b"sandbox-") for word in words[1:2]) and CARAVEL.encode() in words[0]:
            found.append(process.name)
    return found


if __name__ == "__main__":
    unittest.main()
