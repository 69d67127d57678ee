"""`caravel perplexity` against perplexities that transformers' logits give (tests/fixtures/make_perplexity.py), and as a
person meets it.

Run by ctest with CARAVEL set to the binary; by hand: CARAVEL=build/release/caravel python3 tests/cli/perplexity_test.py
"""

import json
import math
import os
import pty
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

CARAVEL = os.environ.get("CARAVEL", "build/release/caravel")
ROOT = Path(__file__).resolve().parents[2]
TEXT = str(ROOT / "LICENSE")
MODELS = ROOT / "tests" / "fixtures" / "models"
EXPECTED = json.loads((ROOT / "tests" / "fixtures" / "perplexity.json").read_text())
ENGINE = ["--kv-cache-memory", "256MiB"]


def run(*args, stdin=b"", code=0):
    done = subprocess.run([CARAVEL, "perplexity", *args], input=stdin, capture_output=True, timeout=300)
    if done.returncode != code:
        raise AssertionError(f"caravel perplexity {' '.join(args)} gave {done.returncode}: {done.stderr.decode()}")
    return done


def measure(*args, stdin=b""):
    return json.loads(run(*args, "--json", stdin=stdin).stdout)


class AgainstTransformers(unittest.TestCase):
    """Tiny random models; weights and KV cache in f32."""

    def check(self, name, case, *flags):
        expected = EXPECTED[name][case]
        ours = measure(str(MODELS / name), "--file", TEXT, "--kv-cache-dtype", "f32", "--kv-cache-memory", "16MiB",
                       *flags)
        self.assertEqual(expected["tokens_predicted"], ours["tokens_predicted"])
        self.assertEqual(ours["windows_total"], ours["windows_done"])
        for key in ("perplexity", "standard_error"):
            if key in expected:
                self.assertAlmostEqual(1, ours[key] / expected[key], delta=1e-5, msg=f"{name}, {case}: {key}")
        if "documented" in expected:  # whose weights matter the more, the smaller the windows are
            self.assertAlmostEqual(1, ours["perplexity"] / expected["documented"], delta=3e-3)

    def test_sliding_windows(self):
        for name in EXPECTED:
            with self.subTest(name):
                self.check(name, "sliding 64 24", "--windows", "transformers", "-c", "64", "--stride", "24")
                self.check(name, "sliding 50 50", "--windows", "transformers", "-c", "50")

    def test_llama_cpps_windows(self):
        for name in EXPECTED:
            with self.subTest(name):
                self.check(name, "llama.cpp 64", "--ctx-size", "64")
                self.check(name, "llama.cpp 101", "--windows", "llama.cpp", "--ctx-size", "101")
                self.check(name, "llama.cpp 200 100", "--ctx-size", "200", "--ppl-stride", "100")

    def test_the_text_is_read_as_each_of_them_reads_it(self):
        # transformers takes the last line break for a part of the text, llama.cpp's --file does not.
        text = Path(TEXT).read_bytes().rstrip(b"\n")
        flags = [str(MODELS / "llama"), "--file", "-", "--kv-cache-memory", "16MiB", "-c", "64"]
        self.assertEqual(measure(*flags, stdin=text), measure(*flags, stdin=text + b"\n"))
        sliding = [measure(*flags, "--windows", "transformers", stdin=text + end)["tokens"] for end in (b"", b"\n")]
        self.assertEqual(1, sliding[1] - sliding[0])


class RealModel(unittest.TestCase):
    def test_equals_the_log_probabilities_of_prompts(self):
        text = Path(TEXT).read_text().strip()
        done = subprocess.run([CARAVEL, "tokenize", "--json", "--no-special"], input=text.encode(), capture_output=True)
        ids = json.loads(done.stdout)["token_ids"]
        chunks = [ids[i: i + 256] for i in range(0, len(ids) - 255, 256)][:4]
        with tempfile.TemporaryDirectory() as folder:
            rows = Path(folder, "rows.jsonl")
            rows.write_text("".join(json.dumps({"id": str(i), "prompt": chunk, "max_tokens": 0, "prompt_logprobs": 0}) +
                                    "\n" for i, chunk in enumerate(chunks)))
            results = subprocess.run([CARAVEL, "generate", "-i", str(rows), "-o", "-", *ENGINE], capture_output=True)
        nll = [-one["logprob"] for line in results.stdout.splitlines()
               for one in json.loads(line)["prompt_logprobs"][128:]]
        self.assertEqual(4 * 127, len(nll))
        ours = measure("--file", "-", "-c", "256", "--chunks", "4", *ENGINE, stdin=text.encode())
        self.assertEqual(len(nll), ours["tokens_predicted"])
        self.assertAlmostEqual(sum(nll) / len(nll), ours["mean_nll"], delta=1e-6)

    def test_more_context_predicts_better_and_the_answer_says_what_was_counted(self):
        short = measure("--file", TEXT, "--windows", "transformers", "-c", "64", "--stride", "32", *ENGINE)
        long = measure("--file", TEXT, "--windows", "transformers", "-c", "1024", "--stride", "512", *ENGINE)
        self.assertLess(long["perplexity"], short["perplexity"])
        self.assertEqual(long["tokens"] - 1, long["tokens_predicted"])
        self.assertAlmostEqual(math.exp(long["mean_nll"]), long["perplexity"], places=6)
        text = run("--file", TEXT, "--windows", "transformers", "-c", "1024", *ENGINE).stdout.decode()
        self.assertIn(f"Final estimate: PPL = {long['perplexity']:.4f} +/- {long['standard_error']:.5f}\n", text)
        self.assertIn(f"{long['tokens_predicted']} of the text's {long['tokens']} tokens", text)
        self.assertIn("as transformers counts them", text)


class Refusals(unittest.TestCase):
    def refused(self, code, *args, stdin=b""):
        lines = run(*args, stdin=stdin, code=code).stderr.decode().strip().splitlines()
        self.assertEqual(1, len(lines), lines)
        return lines[0]

    def test_say_what_is_wrong(self):
        self.assertIn("--file is required", self.refused(2))
        self.assertIn("none.txt", self.refused(1, "--file", "none.txt"))
        self.assertIn("one of llama.cpp, transformers", self.refused(2, "--file", TEXT, "--windows", "lm-eval"))
        self.assertIn("--stride 600: is more than a window's 512", self.refused(2, "--file", TEXT, "--stride", "600"))
        self.assertIn("windows of 512 tokens are longer than --max-model-len 100",
                      self.refused(2, "--file", TEXT, "--max-model-len", "100"))
        self.assertIn("too few for a window of 512", self.refused(1, "--file", "-", *ENGINE, stdin=b"Short."))
        self.assertIn("has 0 tokens", self.refused(1, "--file", "-", "--windows", "transformers", *ENGINE))
        self.assertIn("--ctx-size 8193: windows of 8193 tokens; the model was made for contexts of up to 8192 tokens",
                      self.refused(2, "--file", TEXT, "-c", "8193"))


class Terminal(unittest.TestCase):
    def test_shows_how_far_it_is_and_ctrl_c_keeps_the_estimate(self):
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write(Path(TEXT).read_text() * 40)
            file.flush()
            parent, child = pty.openpty()
            process = subprocess.Popen([CARAVEL, "perplexity", "--file", file.name, *ENGINE], stdout=subprocess.PIPE,
                                       stderr=child)
            os.close(child)
            shown = b""
            while b"2/" not in shown:
                shown += os.read(parent, 4096)
            process.send_signal(signal.SIGINT)
            out, _ = process.communicate(timeout=60)
            os.close(parent)
        self.assertEqual(130, process.returncode)
        self.assertRegex(shown, rb"\[[#.]{30}\] \d+/\d+  \d+ tokens/s")
        self.assertRegex(out.decode(), r"^Estimate after \d+ of \d+ windows: PPL = \d+\.\d{4} \+/- ")


    def test_ctrl_c_before_the_first_window_says_so(self):
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write(Path(TEXT).read_text() * 40)
            file.flush()
            process = subprocess.Popen([CARAVEL, "perplexity", "--file", file.name, "-c", "8192",
                                        "--kv-cache-memory", "512MiB"],
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            first = process.stderr.readline()
            process.send_signal(signal.SIGINT)
            out, errors = process.communicate(timeout=120)
        self.assertRegex(first.decode(), r"^\[\.{30}\] 0/\d+$")
        self.assertEqual((130, b""), (process.returncode, out))
        self.assertIn(b"interrupted before the first of", errors.splitlines()[-1])


if __name__ == "__main__":
    sys.exit(unittest.main())
