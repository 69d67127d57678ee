"""`caravel prospect` as its users meet it: whole runs, runs that are stopped, killed, spread and merged, what goes wrong.
One long file, since most of its tests look at the same few runs.

Run by ctest with CARAVEL set to the binary; by hand: CARAVEL=build/release/caravel python3 tests/cli/prospect_test.py
"""

import csv
import json
import math
import os
import random
import re
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from contextlib import closing
from pathlib import Path

from cli_test import CARAVEL, ENGINE, json_lines

SOURCE = Path(__file__).resolve().parents[2]
TINY = str(SOURCE / "tests/fixtures/models/llama")  # random weights, 256 tokens of context, ChatML
OTHER_TINY = str(SOURCE / "tests/fixtures/models/qwen3")
SMALL = ["--threads", "1", "--kv-cache-memory", "8MiB"]
RUN_FILES = ["scores.jsonl", "gains.npy", "tasks.jsonl", "run.json"]
APPLICATION = 0x43764773  # of a store of scores


def some_words(draw, least, most):
    return " ".join("".join(draw.choices("abcdefghij", k=draw.randint(1, 5))) for _ in range(draw.randint(least, most)))


def some_rows(count, seed=1, name="r"):
    draw = random.Random(seed)
    return [{"id": f"{name}{i}", "instruction": some_words(draw, 2, 5),
             "input": some_words(draw, 1, 3) if i % 3 == 0 else "", "output": some_words(draw, 1, 4)}
            for i in range(count)]


def read_gains(path):
    """A list of rows of floats."""
    data = path.read_bytes()
    size = struct.unpack("<H", data[8:10])[0]
    rows, columns = map(int, re.search(rb"'shape': \((\d+), (\d+)\)", data[10:10 + size]).groups())
    values = struct.unpack(f"<{rows * columns}f", data[10 + size:])
    return [values[i * columns:(i + 1) * columns] for i in range(rows)]


def stored(path):
    """How many scores stand."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as store:
        return store.execute("SELECT count(*) FROM score").fetchone()[0]


def work(done):
    """Pairs computed, and found in the store."""
    computed, found = re.search(r"(\d+) pairs of candidate and task computed.*?(\d+) found in the store",
                                done.stderr.decode()).groups()
    return int(computed), int(found)


def problems_in(told):
    """The lines that are neither bars nor what was begun."""
    return [line for line in told.splitlines() if not re.match(r"\[|caravel: \d+ candidates, ", line)]


class Prospect(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.out = self.folder / "run"
        self.data = self.write("data.json", some_rows(12))
        self.tasks = self.write("tasks.json", some_rows(6, 2, "t"))

    def write(self, name, rows):
        (self.folder / name).write_text(json.dumps(rows, ensure_ascii=False))
        return str(self.folder / name)

    def prospect(self, *args, code=0, **kwargs):
        done = subprocess.run([CARAVEL, "prospect", *map(str, args)], capture_output=True, timeout=120, **kwargs)
        self.assertEqual(code, done.returncode, (args, done.stderr.decode()))
        return done

    def command(self, out=None, model=TINY):
        return ["score", "--data", self.data, "--tasks", self.tasks, "--out", out or self.out, "--model", model, *SMALL]

    def score(self, *flags, out=None, model=TINY, **kwargs):
        return self.prospect(*self.command(out, model), *flags, **kwargs)

    def problem(self, *args, code=1, **kwargs):
        """What is told: one line, but for bars and what was begun."""
        done = self.prospect(*args, code=code, **kwargs)
        lines = problems_in(done.stderr.decode())
        self.assertEqual((1, b""), (len(lines), done.stdout), lines)
        self.assertTrue(lines[0].startswith("caravel: "), lines[0])
        return lines[0]

    def report(self):
        self.prospect("report", self.out)
        text = (self.out / "report.html").read_text()
        self.assertIsNone(re.search(r">[^<]*\b(nan|-?inf)\b", text.split("<script")[0]))
        return text

    def scores(self, out=None):
        return json_lines(((out or self.out) / "scores.jsonl").read_text())

    def bytes_of(self, out, names=RUN_FILES):
        return {name: (out / name).read_bytes() for name in names}

    def check_run(self, out, rows, tasks):
        """What belongs together in a run's files; returns the scores."""
        scores = self.scores(out)
        gains = read_gains(out / "gains.npy")
        self.assertEqual((rows, rows), (len(scores), len(gains)))
        self.assertEqual(tasks, len(json_lines((out / "tasks.jsonl").read_text())))
        for score, row in zip(scores, gains):
            self.assertEqual(tasks, len(row))
            known = [gain for gain in row if not math.isnan(gain)]
            if "problem" in score:
                self.assertEqual({"id", "row", "problem"}, set(score))
                continue
            self.assertEqual(score["tasks"], len(known))
            self.assertEqual(score["wins"], sum(gain > 0 for gain in known))
            self.assertAlmostEqual(score["gs"], score["wins"] / score["tasks"])
            self.assertAlmostEqual(score["gain"], sum(known) / len(known), places=5)
            low, high = score["interval"]
            self.assertTrue(0 <= low <= score["gs"] <= high <= 1)
        return scores


class Runs(Prospect):
    def check_whole_run(self, out, rows, tasks, threshold=0.5):
        self.assertLessEqual({*RUN_FILES, "scores.db", "selected.json", "dropped.jsonl", "report.html"},
                             {file.name for file in out.iterdir()})
        scores = self.check_run(out, rows, tasks)
        selected = json.loads((out / "selected.json").read_text())
        dropped = json_lines((out / "dropped.jsonl").read_text())
        self.assertEqual(rows, len(selected) + len(dropped))
        self.assertEqual(sum(s.get("gs", -1) >= threshold for s in scores), len(selected))
        self.assertTrue(all(row["gs"] >= threshold for row in selected))
        self.assertTrue(all(row["why"] for row in dropped))
        info = json.loads((out / "run.json").read_text())
        self.assertEqual(rows, info["data"]["rows"])
        return scores

    def test_alone_it_shows_what_it_does(self):
        done = self.prospect("run", "--model", TINY, *SMALL, cwd=self.folder)
        scores = self.check_whole_run(self.folder / "prospect", 200, 12)
        told = done.stderr.decode()
        self.assertIn("200 candidates, 12 tasks: prospect", told)
        self.assertIn("of 200 rows selected: prospect/selected.json", told)
        self.assertIn("prospect/report.html: open it in a browser", told)
        # So small a context holds few of the rows beside a task.
        self.assertTrue(any("longer than the context of 256 tokens" in s.get("problem", "") for s in scores))
        self.assertGreater(sum("gs" in s for s in scores), 10)

    def test_the_default_model(self):
        rows = json.loads((SOURCE / "examples/instructions.json").read_text())[:6]
        data = self.write("six.json", rows)
        self.prospect("run", "--data", data, "--random", 4, "--out", self.out, "--details", *ENGINE)
        scores = self.check_whole_run(self.out, 6, 4)
        # Nobody is scored on itself, and each has what others select by.
        self.assertEqual(4, sum(s["tasks"] == 3 for s in scores))
        for score in scores:
            self.assertGreater(score["perplexity"], 1)
            self.assertGreater(score["ifd"], 0)
            self.assertGreater(score["answer_tokens"], 3)
        details = json_lines((self.out / "details.jsonl").read_text())
        self.assertEqual(sum(s["tasks"] for s in scores), len(details))
        for score in scores:
            wins = [d for d in details if d["id"] == score["id"] and d["one_shot"] > d["zero_shot"]]
            self.assertEqual(score["wins"], len(wins))

    def test_rows_from_standard_input(self):
        rows = json.dumps(some_rows(8)).encode()
        self.prospect("run", "--data", "-", "--random", 3, "--out", self.out, "--model", TINY, *SMALL, input=rows)
        self.check_whole_run(self.out, 8, 3)
        self.assertIn("--data", self.problem("select", self.out, "--threshold", 0.5, input=b""))
        self.prospect("select", self.out, "--threshold", 0.5, "--data", "-", input=rows)

    def test_tasks_are_chosen_by_what_rows_are_like(self):
        # Two groups of rows: a task of each.
        vectors = [[1, 0.01 * i] if i % 2 else [0.01 * i, 1] for i in range(12)]
        header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (12, 2), }"
        header += b" " * (63 - (len(header) + 10) % 64) + b"\n"
        (self.folder / "e.npy").write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header +
                                            struct.pack("<24f", *sum(vectors, [])))
        chosen = self.folder / "chosen.json"
        choose = ["tasks", "--data", self.data, "--embeddings", self.folder / "e.npy", "--kmeans", 2]
        self.prospect(*choose, "-o", chosen)
        rows = json.loads(chosen.read_text())
        self.assertEqual([0, 1], sorted(int(row["id"][1:]) % 2 for row in rows))
        self.assertEqual(chosen.read_bytes(), self.prospect(*choose, "--threads", 1).stdout)
        self.tasks = str(chosen)
        self.score()
        self.assertEqual([1, 1], sorted(s["tasks"] for s in self.scores())[:2])
        self.assertIn("has 12 rows, and 6 rows", self.problem(
            "tasks", "--data", self.write("six.json", some_rows(6)), "--embeddings", self.folder / "e.npy", "--kmeans",
            2))
        # As many diverse rows as are asked for, offline.
        self.prospect("select", self.out, "--threshold", 0, "--diverse", 2, "--embeddings", self.folder / "e.npy")
        selected = json.loads((self.out / "selected.json").read_text())
        self.assertEqual([0, 1], sorted(int(row["id"][1:]) % 2 for row in selected))

    def test_conversations_have_the_mean_of_their_turns(self):
        turns = [("user", "aa bb"), ("assistant", "cc"), ("user", "dd"), ("assistant", "ee ff")]
        whole = {"id": "both", "messages": [{"role": role, "content": text} for role, text in turns]}
        first = {"id": "first", "messages": whole["messages"][:2]}
        self.data = str(self.folder / "data.jsonl")
        Path(self.data).write_text("".join(json.dumps(row) + "\n" for row in (first, whole)))
        self.score("--details")
        one, both = self.check_turns(self.scores())
        self.assertEqual(6, one["tasks"])
        self.assertEqual(12, both["tasks"])
        details = json_lines((self.out / "details.jsonl").read_text())
        of_turns = [[d["one_shot"] > d["zero_shot"] for d in details if d["id"] == "both" and d["turn"] == turn]
                    for turn in (1, 2)]
        self.assertEqual([6, 6], [len(turn) for turn in of_turns])
        self.assertAlmostEqual(both["gs"], (sum(of_turns[0]) + sum(of_turns[1])) / 12)
        self.assertEqual(one["wins"], sum(of_turns[0]))

    def test_a_candidate_is_not_scored_on_what_is_said_in_it(self):
        turns = [{"role": role, "content": text} for role, text in
                 (("user", "ab"), ("assistant", "cd"), ("user", "ef"), ("assistant", "gh"))]
        self.data = self.tasks = self.write("both.json", [{"id": "c", "messages": turns},
                                                          {"id": "d", "messages": turns[2:]}])
        self.score("--details")
        pairs = {(line["id"], line.get("turn"), line["task"]) for line in json_lines((self.out / "details.jsonl").read_text())}
        self.assertEqual({("c", 1, "c#2"), ("c", 1, "d"), ("c", 2, "d"), ("d", None, "c#1"), ("d", None, "c#2")}, pairs)

    def check_turns(self, scores):
        self.assertEqual(["first", "both"], [s["id"] for s in scores])
        return scores


    def test_an_estimate_is_near_what_it_takes(self):
        self.data = self.write("data.json", some_rows(60, 4))
        told = self.score("--estimate").stderr.decode()
        tokens = int(re.search(r"60 candidates, 6 tasks: (\d+) tokens; ", told).group(1))
        self.assertRegex(told, r"\d+ s at \d+ tokens a second; [\d.]+ .iB of memory")
        self.assertFalse((self.out / "scores.jsonl").exists())
        taken = self.score(out=self.folder / "whole").stderr.decode()
        taken = int(re.search(r"\((\d+) tokens in all\)", taken).group(1))
        self.assertLess(abs(tokens - taken), 0.2 * taken)


class Selecting(Prospect):
    # What a machine without any model has.
    OFFLINE = {**os.environ, "CARAVEL_CACHE": "/nonexistent", "HOME": "/nonexistent"}

    def select(self, *flags, **kwargs):
        self.prospect("select", self.out, *flags, env=self.OFFLINE, **kwargs)
        return [row["id"] for row in json.loads((self.out / "selected.json").read_text())]

    def test_any_number_of_times_without_the_model(self):
        model = self.folder / "model"
        shutil.copytree(TINY, model)
        self.score(model=model)
        model.rename(self.folder / "elsewhere")
        before = self.bytes_of(self.out)
        scores = {s["id"]: s for s in self.scores()}
        order = sorted(scores, key=lambda id: (-scores[id]["gs"], -scores[id]["gain"]))
        in_file = lambda ids: [id for id in scores if id in set(ids)]
        for _ in range(2):
            for threshold in (0, 1 / 3, 0.5, 5 / 6, 1):
                taken = self.select("--threshold", threshold)
                self.assertEqual([id for id in scores if scores[id]["gs"] >= threshold - 1e-9], taken)
                dropped = json_lines((self.out / "dropped.jsonl").read_text())
                self.assertEqual(sorted(scores), sorted(taken + [row["id"] for row in dropped]))
            self.assertEqual(in_file(order[:5]), self.select("--top-k", 5))
            self.assertEqual(in_file(order[:12]), self.select("--top-k", 500))
            self.assertEqual(in_file(order[:3]), self.select("--top", "25%"))
            self.assertEqual(in_file(order[:1]), self.select("--top", "1%"))
            self.assertEqual(before, self.bytes_of(self.out))
        taken = json.loads((self.out / "selected.json").read_text())
        for row in taken:
            self.assertEqual({k: scores[row["id"]][k] for k in ("gs", "wins", "tasks", "gain")},
                             {k: row[k] for k in ("gs", "wins", "tasks", "gain")})
        # Elsewhere, or to standard output, the run's own stays.
        self.prospect("select", self.out, "--top-k", 2, "-o", self.folder / "two.json", env=self.OFFLINE)
        to_stdout = self.prospect("select", self.out, "--top-k", 2, "-o", "-", env=self.OFFLINE).stdout
        self.assertEqual((self.folder / "two.json").read_bytes(), to_stdout)
        self.assertEqual(taken, json.loads((self.out / "selected.json").read_text()))
        self.prospect("report", self.out, env=self.OFFLINE)

    def test_forms_stay_as_they_were(self):
        rows = some_rows(6)
        messages = [{"id": row["id"], "source": [1, {"a": None}],
                     "messages": [{"role": "user", "content": row["instruction"]},
                                  {"role": "assistant", "content": row["output"]}]} for row in rows]
        files = {"alpaca.json": json.dumps(rows), "messages.jsonl": "".join(json.dumps(m) + "\n" for m in messages)}
        with open(self.folder / "rows.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, ["id", "instruction", "input", "output", "note"], delimiter=";")
            writer.writeheader()
            writer.writerows({**row, "note": 'say "x";\nand more'} for row in rows)
        files["rows.csv"] = (self.folder / "rows.csv").read_text()
        for name, content in files.items():
            (self.folder / name).write_text(content, newline="")
            self.data = str(self.folder / name)
            self.score(out=self.folder / name[:3])
            suffix = name.split(".")[1]
            self.prospect("select", self.folder / name[:3], "--top-k", 3)
            text = (self.folder / name[:3] / f"selected.{suffix}").read_text()
            gs = {s["id"]: s["gs"] for s in self.scores(self.folder / name[:3])}
            if suffix == "json":
                selected, whole = json.loads(text), rows
            elif suffix == "jsonl":
                selected, whole = json_lines(text), messages
            else:
                whole = [{**row, "note": 'say "x";\nand more'} for row in rows]
                with open(self.folder / name[:3] / "selected.csv", newline="") as file:
                    selected = list(csv.DictReader(file, delimiter=";"))
            self.assertEqual(3, len(selected))
            by_id = {row["id"]: row for row in whole}
            for row in selected:
                self.assertAlmostEqual(gs[row["id"]], float(row["gs"]))
                self.assertEqual(by_id[row["id"]], {key: row[key] for key in by_id[row["id"]]})
            # What was selected can be scored again, and is replaced by the new scores.
            self.data = str(self.folder / name[:3] / f"selected.{suffix}")
            self.score(out=self.folder / "again")
            self.assertEqual([row["id"] for row in selected], [s["id"] for s in self.scores(self.folder / "again")])

    def test_of_near_duplicates_the_best_is_taken(self):
        rows = some_rows(4)
        words = " ".join(f"word{i}" for i in range(15))
        rows += [{"id": f"d{i}", "instruction": words, "input": "", "output": f"{i}"} for i in range(3)]
        self.data = self.write("data.json", rows)
        self.score()
        self.assertEqual(7, len(self.select("--threshold", 0)))
        taken = self.select("--threshold", 0, "--drop-near-duplicates", "--likeness", 0.6)
        self.assertEqual(1, sum(id.startswith("d") for id in taken))
        self.assertEqual(4, sum(id.startswith("r") for id in taken))

    def test_rows_that_were_decided_early_are_told_of(self):
        self.tasks = self.write("tasks.json", some_rows(10, 3, "t"))
        self.score("--decide", 0.5)
        partial = sum("bounds" in s for s in self.scores())
        self.assertGreater(partial, 0)
        told = self.prospect("select", self.out, "--threshold", 0.5).stderr.decode()
        self.assertNotIn("estimate", told)
        told = self.prospect("select", self.out, "--threshold", 0.7).stderr.decode()
        self.assertIn(f"{partial} of 12 rows were scored by --decide 0.5 and not on all tasks", told)


class GoingOn(Prospect):
    """Runs that end before their end, and several at once."""

    def setUp(self):
        super().setUp()
        self.data = self.write("data.json", some_rows(60, 4))
        self.tasks = self.write("tasks.json", some_rows(12, 5, "t"))
        self.pairs = 60 * 12

    def test_killed_at_any_moment_it_goes_on(self):
        whole = self.folder / "whole"
        begin = time.monotonic()
        self.assertEqual((self.pairs, 0), work(self.score(out=whole)))
        seconds = time.monotonic() - begin
        expected = self.bytes_of(whole)
        draw = random.Random(6)
        killed_with = []
        for _ in range(20):
            before = self.pairs_stored()
            process = subprocess.Popen([CARAVEL, "prospect", *map(str, self.command())], stderr=subprocess.DEVNULL)
            try:
                process.wait(draw.uniform(0, 1.1 * seconds))
            except subprocess.TimeoutExpired:
                process.kill()
            if process.wait() == 0:
                self.assertEqual(expected, self.bytes_of(self.out))
                shutil.rmtree(self.out)  # the next one begins anew
                continue
            self.assertEqual(-signal.SIGKILL, process.returncode)
            killed_with.append(self.pairs_stored())
            self.assertGreaterEqual(killed_with[-1], before, "what stood stands")
        # What stands now is not computed again, and nothing else is missing.
        found = self.pairs_stored()
        done = self.score()
        self.assertEqual((self.pairs - found, found), work(done))
        self.assertEqual(expected, self.bytes_of(self.out))
        self.assertTrue(any(0 < count < self.pairs for count in killed_with), killed_with)
        self.assertEqual((0, self.pairs), work(self.score()))
        self.assertEqual(expected, self.bytes_of(self.out))

    def pairs_stored(self):
        """Those of a candidate are written at once; none has as many as it has tasks, but for the answers alone, which
        come when all candidates are done."""
        if not (self.out / "scores.db").exists():
            return 0
        try:
            with closing(sqlite3.connect(f"file:{self.out / 'scores.db'}?mode=ro", uri=True, timeout=30)) as store:
                counts = store.execute("SELECT count(*) FROM score GROUP BY model, prefix HAVING count(*) = 12")
                return min(12 * len(counts.fetchall()), self.pairs)
        except sqlite3.OperationalError:
            return 0  # there are no tables yet

    def test_parts_make_the_whole(self):
        whole = self.folder / "whole"
        self.score(out=whole)
        parts = [self.folder / f"part{i}" for i in range(3)]
        for i, part in enumerate(parts):
            self.score("--shard", f"{i}/3", out=part)
            self.assertEqual(list(range(i + 1, 61, 3)), [s["row"] for s in self.scores(part)])
        merged = self.folder / "merged"
        told = self.prospect("merge", "-o", merged, *parts).stderr.decode()
        self.assertIn("60 of 60 rows", told)
        names = ["scores.jsonl", "gains.npy", "tasks.jsonl"]
        self.assertEqual(self.bytes_of(whole, names), self.bytes_of(merged, names))
        self.assertEqual(json.loads((whole / "run.json").read_text()), json.loads((merged / "run.json").read_text()))
        # A run there finds all of it.
        self.assertEqual((0, self.pairs), work(self.score(out=merged)))
        self.prospect("select", merged, "--threshold", 0.5)
        self.prospect("report", merged)
        # Without one of them it says so; twice the same, or parts of two runs, are none.
        told = self.prospect("merge", "-o", self.folder / "two", *parts[:2]).stderr.decode()
        self.assertIn("40 of 60 rows", told)
        self.assertIn("of the run's 3 parts 2/3 are not among these", told)
        self.assertIn("was scored in", self.problem("merge", "-o", self.folder / "x", parts[0], parts[0]))
        self.score("--shard", "1/3", "--seed", 9, out=self.folder / "seed")
        self.assertIn("are no parts of one run", self.problem("merge", "-o", self.folder / "x", parts[0],
                                                               self.folder / "seed"))
        self.assertFalse((self.folder / "x" / "run.json").exists())

    def test_a_part_may_have_no_row(self):
        self.data = self.write("data.json", some_rows(3))
        parts = [self.folder / f"part{i}" for i in range(5)]
        for i, part in enumerate(parts):
            self.score("--shard", f"{i}/5", out=part)
        self.assertEqual([], self.scores(parts[4]))
        self.prospect("merge", "-o", self.out, *parts)
        self.check_run(self.out, 3, 12)
        told = self.prospect("select", parts[4], "--threshold", 0.5).stderr.decode()
        self.assertIn("no row is left", told)
        self.assertEqual([], json.loads((parts[4] / "selected.json").read_text()))
        self.prospect("report", parts[4])

    def test_two_at_once_share_a_store(self):
        whole = self.folder / "whole"
        self.score(out=whole)
        expected = self.bytes_of(whole)
        store = self.folder / "shared.db"
        outs = [self.out, self.folder / "other", self.out]  # two even in one folder
        running = [subprocess.Popen([CARAVEL, "prospect", *map(str, self.command(out)), "--store", str(store)],
                                    stderr=subprocess.PIPE) for out in outs]
        for process, out in zip(running, outs):
            _, errors = process.communicate(timeout=120)
            self.assertEqual(0, process.returncode, errors)
        for out in outs:
            self.assertEqual(expected, self.bytes_of(out))
            self.assertFalse((out / "scores.db").exists())
        self.assertEqual(stored(whole / "scores.db"), stored(store))
        self.assertEqual((0, self.pairs), work(self.score("--store", store)))

    def test_ctrl_c_says_how_to_go_on(self):
        self.data = self.write("data.json", some_rows(300, 4))
        self.pairs = 300 * 12
        whole = self.folder / "whole"
        self.score(out=whole)
        process = subprocess.Popen([CARAVEL, "prospect", *map(str, self.command())], stderr=subprocess.PIPE)
        deadline = time.monotonic() + 60
        while not (self.out / "scores.db").exists() or self.pairs_stored() == 0:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        self.assertEqual(130, process.returncode)
        self.assertIn(f"interrupted: what was scored stands in {self.out}/scores.db, and the same command goes on",
                      errors.decode())
        self.assertFalse((self.out / "run.json").exists())
        self.assertIn("there is no finished run", self.problem("select", self.out, "--threshold", 0.5))
        computed, found = work(self.score())
        self.assertEqual(self.pairs, computed + found)
        self.assertGreater(found, 0)
        self.assertEqual(self.bytes_of(whole), self.bytes_of(self.out))


class LessWork(Prospect):
    def setUp(self):
        super().setUp()
        self.data = self.write("data.json", some_rows(24, 7))
        self.tasks = self.write("tasks.json", some_rows(16, 8, "t"))
        self.whole = self.folder / "whole"
        self.score(out=self.whole)
        self.all = {s["id"]: s for s in self.check_run(self.whole, 24, 16)}

    def check_spared(self, done):
        """What is told of the pairs is what the scores have; returns the pairs."""
        used = sum(s.get("tasks", 0) for s in self.scores())
        self.assertEqual(used, sum(work(done)))
        early, percent = re.search(r"; (\d+) of 24 candidates were decided early, which spared (\d+) % of all pairs",
                                   done.stderr.decode()).groups()
        self.assertEqual(sum("bounds" in s for s in self.scores()), int(early))
        self.assertAlmostEqual(100 * (1 - used / 384), int(percent), delta=0.51)
        return used

    def check_estimates(self, said):
        """Says it of as many as it is true of, above the scores."""
        early = sum("bounds" in s for s in self.scores())
        above = self.report().split("How they are distributed")[0]
        self.assertEqual(early > 0, f"{early} of 24 {said}" in above)

    def test_decide_is_exact(self):
        for threshold in (0.5, 0.75):
            used = self.check_spared(self.score("--decide", threshold, "--store", self.folder / f"{threshold}.db"))
            self.assertLess(used, 384)
            scores = self.check_run(self.out, 24, 16)
            for score in scores:
                whole = self.all[score["id"]]
                self.assertEqual(whole["gs"] >= threshold, score["gs"] >= threshold)
                low, high = score.get("bounds", [score["gs"]] * 2)
                self.assertTrue(low <= whole["gs"] <= high)
            self.prospect("select", self.out, "--threshold", threshold)
            self.assertEqual([id for id, s in self.all.items() if s["gs"] >= threshold],
                             [row["id"] for row in json.loads((self.out / "selected.json").read_text())])
            self.check_estimates(f"rows were scored by --decide {threshold} and not on all tasks")

    def test_race_is_mostly_right(self):
        self.check_spared(self.score("--race", 0.5, "--risk", 0.2))
        scores = self.check_run(self.out, 24, 16)
        wrong = sum((self.all[s["id"]]["gs"] >= 0.5) != (s["gs"] >= 0.5) for s in scores)
        self.assertLessEqual(wrong, 12)
        self.check_estimates("rows were scored by --race 0.5 and not on all tasks")

    def test_halving_keeps_so_many(self):
        done = self.score("--halving", 3)
        # All on 8 tasks, half of them on 16.
        self.assertEqual(24 * 8 + 12 * 8, self.check_spared(done))
        self.assertEqual((24 * 8 + 12 * 8, 0), work(done))
        scores = self.check_run(self.out, 24, 16)
        self.assertEqual(12, sum(s["tasks"] == 16 for s in scores))
        self.prospect("select", self.out, "--top-k", 3)
        self.assertEqual(3, len(json.loads((self.out / "selected.json").read_text())))
        why = [row["why"] for row in json_lines((self.out / "dropped.jsonl").read_text())]
        self.assertEqual(12, sum("halving left it behind after 8 tasks" in w for w in why))
        self.check_estimates("rows were left behind by --halving 3")
        self.assertEqual((0, 24 * 8 + 12 * 8), work(self.score("--halving", 3)))

    def test_a_sieve_leaves_the_best(self):
        self.score("--sieve", OTHER_TINY, "--sieve-keep", "25%")
        scores = self.check_run(self.out, 24, 16)
        self.assertEqual(6, sum("gs" in s for s in scores))
        self.assertEqual(18, sum("the sieve qwen3 gives it" in s.get("problem", "") for s in scores))
        # What is left is scored as without it.
        for score in scores:
            if "gs" in score:
                self.assertEqual(self.all[score["id"]], score)
        # And they are the best of the sieve's own run.
        self.score(out=self.folder / "sieve", model=OTHER_TINY)
        sieve = {s["id"]: s for s in self.scores(self.folder / "sieve")}
        best = sorted(sieve, key=lambda id: (-sieve[id]["gs"], -sieve[id]["gain"]))[:6]
        self.assertEqual(sorted(best), sorted(s["id"] for s in scores if "gs" in s))
        self.prospect("select", self.out, "--threshold", 0)
        self.assertEqual(6, len(json.loads((self.out / "selected.json").read_text())))
        html = self.report()
        self.assertTrue(f"--sieve {OTHER_TINY} scored first" in html)
        # One reason, whatever it gave to each.
        self.assertTrue('<td class="long">the sieve qwen3 gives it … which is not among its best 25%</td>'
                        '<td class="figure">18</td>' in html)


class WhatGoesWrong(Prospect):
    def test_data_that_cannot_be_used(self):
        def refusal(content, *flags):
            path = self.folder / "bad"
            path.write_bytes(content)
            line = self.problem("score", "--data", path, "--tasks", self.tasks, "--out", self.out, "--model", TINY,
                                *flags)
            self.assertIn(str(path), line)
            self.assertFalse(self.out.exists())
            return line

        self.assertIn("the keys foo, bar", refusal(b'{"foo": 1, "bar": 2}\n'))
        self.assertIn("Parquet", refusal(b"PAR1" + bytes(100) + b"PAR1"))
        self.assertIn("UTF-16", refusal("[]".encode("utf-16")))
        refusal(b"")
        refusal(b"[]")
        refusal(b"\x00\x01\x02")
        refusal(b'{"instruction": "a", "output": "b"}\n', "--columns", "instruction=question")
        missing = self.folder / "missing"
        self.assertIn(str(missing), self.problem("score", "--data", missing, "--tasks", self.tasks, "--out", self.out))
        # And so are tasks.
        empty = self.write("none.json", [])
        self.assertIn(empty, self.problem("score", "--data", self.data, "--tasks", empty, "--out", self.out))
        far = self.write("far.json", [{"instruction": "a", "output": "b " * 400}])
        done = self.prospect("score", "--data", self.data, "--tasks", far, "--out", self.out, "--model", TINY, *SMALL,
                             code=1)
        self.assertIn("none of the 1 tasks can be scored: its ", done.stderr.decode().splitlines()[-1])

    def test_rows_that_are_wrong_are_told_and_the_others_scored(self):
        rows = some_rows(4)
        lines = [json.dumps(row) for row in rows]
        lines[1:1] = ['{"instruction": "a", "output": ""}', '{"instruction": ', lines[0],
                      '{"instruction": "a", "output": NaN}']
        (self.folder / "data.jsonl").write_text("\n".join(lines))
        self.data = str(self.folder / "data.jsonl")
        told = self.score().stderr.decode()
        for line in (2, 3, 4, 5):
            self.assertRegex(told, rf"data\.jsonl:{line}: .*: the row is left out")
        scores = self.check_run(self.out, 4, 6)
        self.assertEqual([1, 6, 7, 8], [s["row"] for s in scores])

    def test_what_is_read_is_not_replaced(self):
        self.out.mkdir()
        for name, flag in (("scores.jsonl", "--data"), ("tasks.jsonl", "--tasks"), ("details.jsonl", "--data")):
            file = self.out / name
            shutil.copy(self.data, file)
            command = self.command()
            command[command.index(flag) + 1] = file
            self.assertIn(f"its own {flag}", self.problem(*command))
            self.assertEqual(Path(self.data).read_text(), file.read_text())
            self.assertIn("which no run made", self.problem(*self.command()))
            file.unlink()
        (self.out / "run.json").write_text('{"mine": 1}')
        self.assertIn("which no run made", self.problem(*self.command()))
        self.assertEqual('{"mine": 1}', (self.out / "run.json").read_text())
        (self.out / "run.json").unlink()
        self.score()
        for name in ("scores.jsonl", "run.json", "gains.npy"):
            before = (self.out / name).read_bytes()
            self.assertIn("is the run's own", self.problem("select", self.out, "--top-k", 1, "-o", self.out / name))
            self.assertEqual(before, (self.out / name).read_bytes())
        other = self.folder / "other"
        self.score("--shard", "0/2", out=other)
        self.assertIn("one of the parts", self.problem("merge", "-o", other, other))

    def test_other_scores_leave_no_old_selection(self):
        self.score("--details")
        self.prospect("select", self.out, "--threshold", 0)
        self.prospect("report", self.out)
        names = ["selected.json", "dropped.jsonl", "report.html", "details.jsonl"]
        self.score("--details")
        self.assertTrue(all((self.out / name).exists() for name in names), "the scores are the same")
        self.tasks = self.write("tasks.json", some_rows(4, 9, "t"))
        self.score()
        self.assertEqual([], [name for name in names if (self.out / name).exists()])

    def test_files_of_two_runs_are_none(self):
        other = self.folder / "other"
        self.score("--seed", 2)
        self.tasks = self.write("tasks.json", some_rows(6, 9, "t"))
        self.score(out=other)
        for name in ("tasks.jsonl", "gains.npy", "scores.jsonl"):
            before = (self.out / name).read_bytes()
            shutil.copy(other / name, self.out / name)
            self.assertIn("is not what run.json was written with", self.problem("select", self.out, "--top-k", 1))
            (self.out / name).write_bytes(before)
        self.prospect("select", self.out, "--top-k", 1)

    def test_names_of_outputs_say_their_form(self):
        self.score()
        lines = self.folder / "best.jsonl"
        self.prospect("select", self.out, "--top-k", 2, "-o", lines)
        self.assertEqual(2, len(json_lines(lines.read_text())))
        self.assertFalse((self.out / "dropped.jsonl").exists())
        self.assertIn("which is JSON", self.problem("select", self.out, "--top-k", 2, "-o", self.folder / "best.csv"))

    def test_data_that_changed_since(self):
        self.score()
        before = Path(self.data).read_bytes()
        Path(self.data).write_bytes(before + b"\n")
        self.assertIn("it was changed since", self.problem("select", self.out, "--threshold", 0.5))
        self.assertIn("it was changed since", self.problem("report", self.out))
        (self.folder / "kept.json").write_bytes(before)
        self.prospect("select", self.out, "--threshold", 0.5, "--data", self.folder / "kept.json")
        Path(self.data).unlink()
        self.assertIn(self.data, self.problem("select", self.out, "--threshold", 0.5))
        self.prospect("report", self.out, "--data", self.folder / "kept.json")

    def test_a_run_that_is_damaged(self):
        self.score()
        lines = (self.out / "scores.jsonl").read_text().splitlines()
        for broken in (lines[:3], lines[:2] + ["{}"], lines[:2] + ["not json"]):
            (self.out / "scores.jsonl").write_text("\n".join(broken))
            self.assertIn("scores.jsonl: is not what run.json was written with",
                          self.problem("select", self.out, "--threshold", 0.5))
        for broken in ("", "[]", "{}", '{"data": 3}'):
            (self.out / "scores.jsonl").write_text("\n".join(lines))
            (self.out / "run.json").write_text(broken)
            self.assertIn("run.json", self.problem("select", self.out, "--threshold", 0.5))
            self.assertIn("run.json", self.problem("report", self.out))
            self.assertIn("run.json", self.problem("merge", "-o", self.folder / "x", self.out))
        self.score()  # mends it
        self.prospect("select", self.out, "--threshold", 0.5)

    def test_a_store_of_another_version(self):
        self.out.mkdir()
        with closing(sqlite3.connect(self.out / "scores.db")) as store:
            store.executescript(f"CREATE TABLE other (a); PRAGMA application_id = {APPLICATION};"
                                "PRAGMA user_version = 99;")
        before = (self.out / "scores.db").read_bytes()
        self.assertIn("scores.db: is of version 99", self.problem(*self.command()))
        self.assertEqual(before, (self.out / "scores.db").read_bytes())
        (self.folder / "text.db").write_text("notes\n" * 1000)
        self.assertIn("text.db: is no database", self.problem(*self.command(), "--store", self.folder / "text.db"))
        self.assertEqual("notes\n" * 1000, (self.folder / "text.db").read_text())

    def test_a_folder_that_may_not_be_written_to(self):
        (self.folder / "closed").mkdir()
        (self.folder / "closed").chmod(0o555)
        as_nobody = {}
        if os.geteuid() == 0:
            as_nobody = {"user": 65534, "group": 65534, "extra_groups": []}
            self.folder.chmod(0o755)
            try:
                readable = subprocess.run([CARAVEL, "--version"], capture_output=True, **as_nobody).returncode == 0
            except PermissionError:
                readable = False
            if not readable:
                self.skipTest("nobody but root may run the program where it lies")
        for out in ("closed", "closed/run"):
            line = self.problem(*self.command(self.folder / out), **as_nobody)
            self.assertIn("closed", line)
            self.assertIn("ermission denied", line)

    def test_a_full_disk(self):
        whole = self.folder / "whole"
        self.data = self.write("data.json", some_rows(60, 4))
        self.score(out=whole)
        disk = self.folder / "disk"
        disk.mkdir()
        self.out = disk / "run"
        command = " ".join([CARAVEL, "prospect", *map(str, self.command())])
        script = (f"mount -t tmpfs -o size=600k tmpfs {disk} || exit 77\n"
                  f"{command} && exit 2\n echo === >&2\n"
                  f"mount -o remount,size=10m {disk} && {command} && cp -r {self.out} {self.folder}/kept")
        try:
            done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, timeout=120)
        except FileNotFoundError:
            self.skipTest("there is no unshare")
        if done.returncode in (1, 77) and b"===" not in done.stderr:
            self.skipTest(f"may not mount a small disk here: {done.stderr.decode()}")
        told, went_on = done.stderr.decode().split("===")
        lines = problems_in(told)
        self.assertEqual(1, len(lines), lines)
        self.assertRegex(lines[0], "caravel: .*scores.db: .*(no room is left|No space left)")
        self.assertEqual(0, done.returncode, went_on)
        done.stderr = went_on.encode()
        computed, found = work(done)
        self.assertEqual(360, computed + found)
        self.assertGreater(found, 0, "what was written before the disk was full is not lost")
        self.assertEqual(self.bytes_of(whole), self.bytes_of(self.folder / "kept"))

    def test_a_model_that_changed_under_the_same_name(self):
        model = self.folder / "model"
        shutil.copytree(TINY, model)
        self.assertEqual((72, 0), work(self.score(model=model)))
        first = self.bytes_of(self.out)
        weights = model / "model.safetensors"
        before = weights.read_bytes()
        begin = 8 + struct.unpack("<Q", before[:8])[0]
        values = struct.unpack(f"<{(len(before) - begin) // 4}f", before[begin:])
        weights.write_bytes(before[:begin] + struct.pack(f"<{len(values)}f", *(1.25 * value for value in values)))
        self.assertEqual((72, 0), work(self.score(model=model)))
        self.assertNotEqual(first, self.bytes_of(self.out))
        weights.write_bytes(before)
        self.assertEqual((0, 72), work(self.score(model=model)))
        self.assertEqual(first, self.bytes_of(self.out))

    def test_flags_that_change_what_a_model_says(self):
        self.assertEqual((72, 0), work(self.score()))
        first = self.bytes_of(self.out)
        for flags in (["--kv-cache-dtype", "f32"],
                      ["--rope-scaling", '{"rope_type": "linear", "factor": 2.0}']):
            self.assertEqual((72, 0), work(self.score(*flags)), flags)
            self.assertEqual((0, 72), work(self.score(*flags)), flags)
        self.assertEqual((0, 72), work(self.score()))
        self.assertEqual(first, self.bytes_of(self.out))

    def test_flags_that_are_wrong(self):
        self.score("--no-baselines")
        before = self.bytes_of(self.out)
        score = self.command()
        for flags, told in ((["--shard", "4/4"], "--shard"), (["--shard", "1"], "--shard"),
                            (["--shard", "-1/2"], "--shard"), (["--shard", "0/0"], "--shard"),
                            (["--shard", "0/2", "--halving", "3"], "goes with neither"),
                            (["--decide", "2"], "--decide"), (["--decide", "-0.1"], "--decide"),
                            (["--decide", "nan"], "--decide"), (["--race", "1.5"], "--race"),
                            (["--race", "0.5", "--risk", "0"], "--risk"), (["--race", "0.5", "--risk", "1"], "--risk"),
                            (["--risk", "0.1"], "--race"), (["--race", "0.5", "--decide", "0.5"], "--decide"),
                            (["--halving", "0"], "--halving"), (["--halving", "2", "--decide", "0.5"], "--decide"),
                            (["--sieve-keep", "10%"], "--sieve"), (["--compat", "paper"], "--compat"),
                            (["--sieve", OTHER_TINY, "--sieve-keep", "0%"], "--sieve-keep"),
                            (["--seed", "-1"], "--seed"), (["--store", ""], "--store"), (["--columns", "a"], "column")):
            self.assertIn(told, self.problem(*score, *flags, code=2), flags)
        for args, told in ((["score", "--data", self.data, "--out", self.out], "--tasks"),
                           (["score", "--data", self.data, "--tasks", self.tasks], "--out"),
                           (["tasks", "--data", self.data], "--kmeans"),
                           (["tasks", "--data", self.data, "--kmeans", "0"], "--kmeans"),
                           (["tasks", "--data", self.data, "--random", "0"], "--random"),
                           (["tasks", "--data", self.data, "--random", "2", "--kmeans", "2"], "--kmeans"),
                           (["run", "--tasks", self.tasks, "--random", "3"], "--random"),
                           (["select", self.out], "--threshold"),
                           (["select", "--threshold", "0.5"], "RUN"),
                           (["select", self.out, "--threshold", "2"], "--threshold"),
                           (["select", self.out, "--threshold", "0.5", "--top-k", "3"], "--top-k"),
                           (["select", self.out, "--top-k", "0"], "--top-k"),
                           (["select", self.out, "--top", "0%"], "--top"),
                           (["select", self.out, "--top", "101%"], "--top"),
                           (["select", self.out, "--top", "many"], "--top"),
                           (["select", self.out, "--threshold", "0.5", "--likeness", "0.5"], "--drop-near"),
                           (["select", self.out, "--threshold", "0", "--drop-near-duplicates", "--likeness", "2"],
                            "--likeness"),
                           (["select", self.out, "--threshold", "0", "--drop-near-duplicates", "--likeness", "0"],
                            "--likeness"),
                           (["select", self.out, "--threshold", "0.5", "--diverse", "0"], "--diverse"),
                           (["merge", "-o", self.out], "PART"), ([], "")):
            self.assertIn(told, self.problem(*args, code=2), args)
        self.assertEqual(before, self.bytes_of(self.out))
        # At the ends of what they may be.
        for flags in (["--threshold", "0", "--drop-near-duplicates", "--likeness", "0.001"],
                      ["--threshold", "1", "--drop-near-duplicates", "--likeness", "1"], ["--top", "100%"]):
            self.prospect("select", self.out, *flags)
        for flags in (["--decide", "0"], ["--decide", "1"], ["--race", "0"], ["--race", "1"], ["--halving", "1000"],
                      ["--shard", "0/1"]):
            self.score(*flags)

    def test_what_is_not_there_or_does_not_fit(self):
        for args, told in ((["select", self.folder / "none", "--threshold", "0.5"], "there is no finished run"),
                           (["report", self.folder / "none"], "there is no finished run"),
                           (["merge", "-o", self.out, self.folder / "none"], "there is no finished run"),
                           (self.command(model="no-such-model"), "no-such-model"),
                           (self.command() + ["--template", self.folder / "none.yaml"], "none.yaml"),
                           (self.command(model=str(SOURCE / "tests/fixtures/models/gemma3")) + ["--template", "chat"],
                            "template")):
            self.assertIn(told, self.problem(*args), args)
        file = self.folder / "file"
        file.write_text("a file")
        for out in (file, file / "run"):
            self.assertIn(str(out), self.problem(*self.command(out)))
        self.assertEqual("a file", file.read_text())
        self.assertIn("none/x.db", self.problem(*self.command(), "--store", self.folder / "none/x.db"))
        self.assertIn(str(self.folder), self.problem("score", "--data", self.folder, "--tasks", self.tasks, "--out",
                                                     self.out))
        for content, told in (("primary_content: do it", "{instruction}"),
                              ("primary_content: '{instruction}'\ncue: '{output}'", "{output}, which nothing fills"), ("cue: x", "primary_content"),
                              ("primary_content: '{instruction}'\nexamples: [{input: a, output: b}]", "have 1 examples"),
                              ("a: [", "t.yaml")):
            (self.folder / "t.yaml").write_text(content)
            self.assertIn(told, self.problem(*self.command(), "--template", self.folder / "t.yaml"))

    def test_templates(self):
        (self.folder / "t.yaml").write_text('primary_content: "Q: {instruction}\\n\\nT: {input}"\ncue: "A:"\n')
        seen = set()
        for template in ("chat", self.folder / "t.yaml"):
            self.assertEqual((72, 0), work(self.score("--template", template)))
            seen.add((self.out / "gains.npy").read_bytes())
            self.check_run(self.out, 12, 6)
        self.assertEqual((0, 72), work(self.score()), "chat is what the model has")
        # A cut of answers that have no 200 tokens, and no start token to drop: the same scores.
        self.assertEqual((0, 72), work(self.score("--compat", "original")))
        self.assertEqual(2, len(seen))


class Reports(Prospect):
    SECTIONS = ["What is worth training on", "Golden scores", "How they are distributed", "From the best to the worst",
                "What each threshold leaves", "Tasks", "How many candidates help with each task", "Examples", "The best",
                "The worst"]
    OF_BASELINES = ["Beside other measures", "Rank correlation with the golden score", "Golden score and length",
                    "Golden score and IFD"]

    def table(self, html, title):
        """The cells of its rows."""
        body = html.split(f"<caption>{title}</caption>")[1].split("</table>")[0]
        return [re.findall(r"<td[^>]*>([^<]*)</td>", row) for row in body.split("<tr>")[2:]]

    def plots(self, html):
        return json.loads(re.search(r'id="plots">(.*?)</script>', html, re.S).group(1))

    def check(self, html, with_baselines):
        for section in self.SECTIONS:
            self.assertTrue(section in html, section)
        for section in self.OF_BASELINES:
            self.assertEqual(with_baselines, section in html, section)

    def test_has_every_section(self):
        self.score()
        html = self.report()
        self.check(html, True)
        bars = self.plots(html)[2]["bars"]
        for row in json.loads(Path(self.tasks).read_text()):
            self.assertTrue(f'{row["id"]}</td>' in html)
            self.assertTrue(any(bar.startswith(f'{row["id"]}: {row["instruction"]}') for bar in bars))
        for what in (f"{self.data}: 12 rows", f"6, from {self.tasks}", "answer tokens"):
            self.assertTrue(what in html, what)
        self.assertTrue(html == self.report(), "twice the same")
        self.score("--no-baselines")
        html = self.report()
        self.check(html, False)
        self.assertFalse("answer tokens" in html.split("<script")[0])

    def test_scores_are_counted_alike(self):
        self.score()
        html = self.report()
        scores = sorted((s["gs"] for s in self.scores()), reverse=True)
        histogram, curve = self.plots(html)[:2]
        self.assertEqual("ranking", curve["kind"])
        self.assertEqual([[i + 1, score] for i, score in enumerate(scores)],
                         [point[:2] for point in curve["series"][0]["points"]])
        self.assertEqual([scores.count(i / 6) for i in range(7)],
                         [point[1] for point in histogram["series"][0]["points"]], "each score has its bar")
        for threshold, rows, *_ in self.table(html, "What each threshold leaves"):
            self.assertEqual(sum(score >= float(threshold) for score in scores), int(rows))

    def test_best_and_worst(self):
        for count, best in ((12, 6), (3, 2), (30, 8)):
            self.data = self.write("data.json", some_rows(count))
            self.score()
            html = self.report()
            shown = [self.table(html, title) for title in ("The best", "The worst")]
            self.assertEqual([best, min(8, count - best)], [len(rows) for rows in shown])
            self.assertEqual(set(), {row[0] for row in shown[0]} & {row[0] for row in shown[1]})
            scores = {s["id"]: s for s in self.scores()}
            for id, golden, interval, *_ in shown[0] + shown[1]:
                score = scores[id]
                self.assertEqual(f'{score["gs"]:.3f} ({score["wins"]} of {score["tasks"]})', golden)
                self.assertEqual("{:.2f} to {:.2f}".format(*score["interval"]), interval)

    def test_a_conversation_shows_its_first_turn(self):
        turns = [("user", "one"), ("assistant", "two"), ("user", "three"), ("assistant", "four")]
        self.data = self.write("data.json", [{"messages": [{"role": role, "content": text} for role, text in turns]}])
        self.score()
        self.assertTrue("(the first of 2 turns; the score is the mean of theirs)\none\n→ two</td>" in self.report())

    def test_rows_without_a_score(self):
        long = [{"id": f"long{i}", "instruction": f"{i} " * 300, "output": "y"} for i in range(3)]
        self.data = self.write("data.json", some_rows(4) + long + some_rows(1))
        self.score()
        html = self.report()
        self.check(html, True)
        self.assertTrue("4, and 3 without a score" in html)
        self.assertTrue(f"{self.data}: 7 of 8 rows" in html)
        self.assertEqual([["it says the same as row 1 on line 1", "1"]],
                         self.table(html, "Rows left out when the data were read"))
        [[why, count]] = self.table(html, "Candidates without a score")
        self.assertIn("longer than the context of 256 tokens", why)
        self.assertEqual("3", count)
        self.assertEqual(3, sum("problem" in s for s in self.check_run(self.out, 7, 6)))
        # Where none has one there is no run.
        self.data = self.write("data.json", long)
        self.out = self.folder / "none"
        self.assertIn("no candidate could be scored", self.score(code=1).stderr.decode())
        self.assertFalse((self.out / "run.json").exists())

    def test_one_row_and_one_task(self):
        self.data = self.write("data.json", some_rows(1))
        self.tasks = self.write("tasks.json", some_rows(1, 2, "t"))
        self.score()
        html = self.report()
        self.assertEqual(1, len(self.table(html, "The best")))
        self.assertFalse("The worst" in html)

    def test_what_rows_say_is_text(self):
        rows = some_rows(3)
        rows[0]["instruction"] = "</script><script>alert(1)</script> <b>&amp; ü 🙂"
        rows[0]["output"] = "\u2028 é" * 30
        self.data = self.write("data.json", rows)
        self.score()
        self.assertFalse("<script>alert" in self.report())


if __name__ == "__main__":
    sys.exit(unittest.main())
