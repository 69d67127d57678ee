"""`caravel score` as its users meet it: log-probabilities, bad rows, runs that are stopped and go on.

Run by ctest with CARAVEL set to the binary; by hand: CARAVEL=build/release/caravel python3 tests/cli/score_test.py
"""

import json
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from cli_test import CARAVEL, ENGINE, generate, json_lines, run

PAIR = {"prefix": "The capital of France is", "continuations": [" Paris", " Rome"]}


class Score(unittest.TestCase):
    def score(self, *rows):
        return json_lines(run("score", "-i", "-", *ENGINE, stdin="\n".join(map(json.dumps, rows))).stdout)

    def test_texts_split_as_lm_eval_does(self):
        (row,) = self.score({"id": 3, "prefix": "The capital of France is ", "continuations": ["Paris", "Berlin"]})
        self.assertEqual(3, row["id"])
        paris, berlin = row["scores"]
        self.assertEqual(" Paris", "".join(paris["tokens"]))
        self.assertGreater(paris["logprob"], berlin["logprob"])
        self.assertAlmostEqual(paris["logprob"], sum(paris["token_logprobs"]), places=4)

    def test_equals_the_prompts_logprobs(self):
        text = "The quick brown fox jumps over the lazy dog"
        (answer,) = json_lines(generate("--prompt", text, "--max-tokens", "0", "--prompt-logprobs", "0",
                                        "--json").stdout)
        expected = [t["logprob"] for t in answer["prompt_logprobs"]]
        ids = json.loads(run("tokenize", "--json", stdin=text).stdout)["token_ids"]
        for split in (1, 4, len(ids) - 1):
            (row,) = self.score({"prefix": ids[:split], "continuations": [ids[split:]]})
            self.assertEqual(expected[split - 1:], row["scores"][0]["token_logprobs"])


class Rows(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.input = Path(folder.name, "pairs.jsonl")
        self.output = Path(folder.name, "scores.jsonl")

    def write(self, *rows):
        self.input.write_text("".join(json.dumps(row) + "\n" for row in rows))

    def score(self, *flags, code=0):
        done = run("score", "-i", str(self.input), "-o", str(self.output), *ENGINE, *flags, check=False)
        self.assertEqual(code, done.returncode, done.stderr)
        return [line for line in done.stderr.decode().splitlines() if not line.startswith("[")]

    def results(self):
        return json_lines(self.output.read_text())

    def test_a_bad_row_is_a_result_and_the_others_are_scored(self):
        self.write(PAIR, {"id": "near", "prefix": "a", "continuation": [" b"]}, {"prefix": "a", "continuations": ["b"]},
                   {"id": "last", **PAIR})
        told = self.score(code=3)
        self.assertIn("4 rows: 2 answered, 2 failed; ", told[0])
        self.assertIn("line 2 (near): Missing required parameter: 'continuations'", told[1])
        self.assertIn("Did you mean 'continuations'?", told[1])
        self.assertIn("line 3: Invalid 'continuations.0': a continuation adds no token to the prefix: the number of "
                      "tokens is 1 with it and 1 without. Begin the continuation with a space", told[2])
        self.assertEqual(["line-1", "near", "line-3", "last"], [r["id"] for r in self.results()])
        self.assertEqual(self.results()[0]["scores"], self.results()[3]["scores"])
        self.assertEqual([], self.results()[1]["scores"])
        self.assertIn("'continuation'", self.results()[1]["error"])
        # To standard output there are the results, and what went wrong.
        done = run("score", "-i", "-", *ENGINE, stdin=json.dumps(PAIR))
        self.assertEqual((b"", 1), (done.stderr, len(json_lines(done.stdout))))
        done = run("score", "-i", "-", *ENGINE, stdin='{"prefix": "a"}\n', check=False)
        self.assertEqual(3, done.returncode)
        self.assertIn("line 1: Missing required parameter: 'continuations'", done.stderr.decode())
        self.assertNotIn("--retry-failed", done.stderr.decode())

    def test_rows_are_mended_and_go_on(self):
        rows = [{"id": i, "prefix": f"{i} and", "continuations": [f" {i + 1}"]} for i in range(6)]
        bad = {**rows[2], "prefixx": 1}
        self.write(*rows[:2], bad, *rows[3:])
        self.score(code=3)
        before = {r["id"]: r["scores"] for r in self.results()}
        self.assertEqual(list(range(6)), list(before))
        self.write(*rows)
        self.assertIn("6 rows: 1 answered, 5 before, 0 failed", self.score()[-1])
        self.assertEqual(list(range(6)), [r["id"] for r in self.results()])  # in the order of the rows
        self.assertEqual({**before, 2: self.results()[2]["scores"]}, {r["id"]: r["scores"] for r in self.results()})
        self.assertIn("6 rows: 0 answered, 6 before", self.score()[-1])
        # Windows count where they are asked for.
        self.assertIn("6 rows: 6 answered, 0 failed", self.score("--windows", "--stride", "100")[-1])

    def test_what_cannot_be_run_leaves_the_results(self):
        self.write(PAIR)
        self.score()
        before = self.output.read_text()
        for args, code in ((["no-such-model"], 1), (["--kv-cache-memory", "100TiB"], 1), (["--stride", "5"], 2),
                           (["--windows", "--max-model-len", "1"], 2)):
            done = run("score", *args, "-i", str(self.input), "-o", str(self.output), check=False)
            self.assertEqual(code, done.returncode, done.stderr)
            self.assertEqual(before, self.output.read_text())
        self.assertIn("the context is 1 token", done.stderr.decode())
        for content in ("", "not json\n"):
            self.input.write_text(content)
            self.score(code=1)
            self.assertEqual(before, self.output.read_text())
        self.write(PAIR)
        self.output.write_text("somebody's notes\n")
        self.assertIn("no result of a row", self.score(code=1)[0])
        self.assertEqual("somebody's notes\n", self.output.read_text())

    def test_ctrl_c_keeps_what_was_scored(self):
        self.write(*({"id": i, "prefix": f"{i}: " + "word " * 200, "continuations": [f" {i}"]} for i in range(400)))
        process = subprocess.Popen([CARAVEL, "score", "-i", str(self.input), "-o", str(self.output), *ENGINE],
                                   stderr=subprocess.PIPE)
        deadline = time.monotonic() + 300
        while not self.output.exists() or b"\n" not in self.output.read_bytes():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        self.assertEqual(130, process.returncode)
        self.assertIn("interrupted; the same command goes on", errors.decode())
        kept = [r["id"] for r in self.results()]
        self.assertEqual(list(range(len(kept))), kept)
        self.assertLess(len(kept), 400)


if __name__ == "__main__":
    sys.exit(unittest.main())
