"""`caravel score --windows`: texts that are longer than the context.

Run by ctest with CARAVEL set to the binary; by hand: CARAVEL=build/release/caravel python3 tests/cli/score_windows_test.py
"""

import json
import os
import subprocess
import sys
import unittest
from pathlib import Path

CARAVEL = os.environ.get("CARAVEL", "build/release/caravel")
TEXT = (Path(__file__).resolve().parents[2] / "LICENSE").read_text()
ENGINE = ["--kv-cache-memory", "256MiB", "--max-model-len", "128"]


def run(command, *args, stdin=b"", code=0):
    done = subprocess.run([CARAVEL, command, *args], input=stdin, capture_output=True, timeout=120)
    if done.returncode != code:
        raise AssertionError(f"caravel {command} {' '.join(args)} gave {done.returncode}: {done.stderr.decode()}")
    return done


def score(row, *args):
    return json.loads(run("score", "-i", "-", *ENGINE, *args, stdin=json.dumps(row).encode()).stdout)["scores"]


class ScoreWindows(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ids = json.loads(run("tokenize", "--json", stdin=TEXT.encode()).stdout)["token_ids"][:500]

    def test_without_windows_a_long_text_is_refused(self):
        row = {"prefix": self.ids[:10], "continuations": [self.ids[10:]]}
        done = run("score", "-i", "-", *ENGINE, stdin=json.dumps(row).encode(), code=3)
        self.assertIn("line 1: a prefix of 10 tokens with a continuation of 490 is longer than max_model_len, which is 128",
                      done.stderr.decode())

    def test_each_token_is_scored_once_from_its_window(self):
        row = {"prefix": self.ids[:10], "continuations": [self.ids[10:]]}
        (whole,) = score(row, "--windows", "--stride", "48")
        self.assertEqual(self.ids[10:], whole["token_ids"])
        self.assertAlmostEqual(sum(whole["token_logprobs"]), whole["logprob"], places=3)
        expected = []
        for begin in range(0, 500, 48):
            end = min(begin + 128, 500)
            first = 10 + len(expected)
            window = {"prefix": self.ids[begin:first], "continuations": [self.ids[first:end]]}
            expected += score(window)[0]["token_logprobs"]
            if end == 500:
                break
        self.assertEqual(expected, whole["token_logprobs"])

    def test_the_default_stride_is_half_of_the_context(self):
        row = {"prefix": TEXT[:2000], "continuations": [TEXT[2000:3000], " short"]}
        self.assertEqual(score(row, "--windows", "--stride", "64"), score(row, "--windows"))

    def test_what_fits_is_scored_as_without_windows(self):
        row = {"prefix": "The capital of France is", "continuations": [" Paris", " Rome"]}
        self.assertEqual(score(row), score(row, "--windows"))

    def test_flags_that_cannot_be_meant(self):
        row = json.dumps({"prefix": [1], "continuations": [[2]]}).encode()
        self.assertIn(b"--stride 128: must be less than a window, which is the context of 128 tokens",
                      run("score", "-i", "-", "--windows", "--stride", "128", *ENGINE, stdin=row, code=2).stderr)
        self.assertIn(b"--windows", run("score", "-i", "-", "--stride", "12", *ENGINE, stdin=row, code=2).stderr)


if __name__ == "__main__":
    sys.exit(unittest.main())
