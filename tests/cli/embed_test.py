"""`caravel embed`: lines in, JSONL or .npy out, and the same numbers as the server's.

Run by ctest with CARAVEL set to the binary; by hand: CARAVEL=build/release/caravel python3 tests/cli/embed_test.py
"""

import ast
import json
import math
import os
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

CARAVEL = os.environ.get("CARAVEL", "build/release/caravel")
ENGINE = ["--kv-cache-memory", "256MiB"]
TEXTS = ["The cat sat on the mat.", "A cat is sitting on a rug.", "Grüße, 世界", "Interest rates rose in March."]


def run(*args, stdin=b"", code=0):
    done = subprocess.run([CARAVEL, "embed", *args], input=stdin, capture_output=True, timeout=120)
    if done.returncode != code:
        raise AssertionError(f"caravel embed {' '.join(args)} gave {done.returncode}: {done.stderr.decode()}")
    return done


def lines(texts):
    return "".join(text + "\n" for text in texts).encode()


def rows(data):
    return [json.loads(line) for line in data.splitlines()]


def read_npy(data):
    """As the format's description has it; returns the header's dictionary and the rows."""
    assert data[:8] == b"\x93NUMPY\x01\x00", data[:8]
    (length,) = struct.unpack("<H", data[8:10])
    header = ast.literal_eval(data[10: 10 + length].decode())
    count, width = header["shape"]
    assert len(data) == 10 + length + 4 * count * width
    values = struct.unpack(f"<{count * width}f", data[10 + length:])
    return header, [values[i * width: (i + 1) * width] for i in range(count)]


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b)) / math.sqrt(sum(x * x for x in a) * sum(y * y for y in b))


class Embed(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_jsonl_of_standard_input(self):
        done = run(*ENGINE, stdin=lines(TEXTS))
        self.assertEqual(b"", done.stderr)
        answers = rows(done.stdout)
        self.assertEqual([0, 1, 2, 3], [answer["index"] for answer in answers])
        for answer in answers:
            self.assertAlmostEqual(1, math.sqrt(sum(x * x for x in answer["embedding"])), places=5)
            self.assertGreater(answer["usage"]["prompt_tokens"], 1)
        cats = cosine(answers[0]["embedding"], answers[1]["embedding"])
        self.assertGreater(cats, cosine(answers[0]["embedding"], answers[3]["embedding"]))

    def test_a_text_alone_has_the_same_numbers(self):
        together = rows(run(*ENGINE, stdin=lines(TEXTS)).stdout)
        for text, answer in zip(TEXTS, together):
            (alone,) = rows(run(*ENGINE, stdin=text.encode()).stdout)  # without a line's end
            self.assertEqual(answer["embedding"], alone["embedding"])

    def test_npy_holds_the_same_rows(self):
        texts = self.folder / "texts.txt"
        texts.write_bytes(lines(TEXTS).replace(b"\n", b"\r\n"))
        output = self.folder / "out.npy"
        run("-i", str(texts), "-o", str(output), *ENGINE)
        header, matrix = read_npy(output.read_bytes())
        self.assertEqual({"descr": "<f4", "fortran_order": False, "shape": (4, 576)}, header)
        self.assertEqual(0, (len(output.read_bytes()) - 4 * 4 * 576) % 64)
        expected = rows(run(*ENGINE, stdin=lines(TEXTS)).stdout)
        for row, answer in zip(matrix, expected):
            self.assertEqual(struct.pack("<576f", *answer["embedding"]), struct.pack("<576f", *row))
        piped = run("-i", str(texts), "--format", "npy", *ENGINE).stdout
        self.assertEqual(output.read_bytes(), piped)
        try:
            import numpy
        except ImportError:
            return
        self.assertEqual((4, 576), numpy.load(output).shape)

    def test_as_the_model_has_them(self):
        (scaled,) = rows(run(*ENGINE, stdin=b"Hello there").stdout)
        (as_is,) = rows(run("--no-normalize", *ENGINE, stdin=b"Hello there").stdout)
        length = math.sqrt(sum(x * x for x in as_is["embedding"]))
        self.assertNotAlmostEqual(1, length, places=1)
        for a, b in zip(scaled["embedding"], as_is["embedding"]):
            self.assertAlmostEqual(a, b / length, places=6)

    def test_a_line_that_cannot_be_embedded_is_named_before_anything_is_written(self):
        texts = self.folder / "texts.txt"
        output = self.folder / "out.jsonl"
        older = '{"index":0,"embedding":[1.0],"usage":{"prompt_tokens":2}}\n'
        output.write_text(older)
        for content, expected in [("a\n\nb\n", f"{texts}:2: is empty"), ("", f"{texts}: is empty"),
                                  ("a\n" + "long " * 600, f"{texts}:2: has 601 tokens; the context is 512")]:
            with self.subTest(expected):
                texts.write_text(content)
                done = run("-i", str(texts), "-o", str(output), "--max-model-len", "512", *ENGINE, code=1)
                self.assertIn(expected, done.stderr.decode())
                self.assertEqual(1, len(done.stderr.splitlines()))
                self.assertEqual(older, output.read_text())

    def test_ctrl_c_keeps_the_rows_of_jsonl_and_the_file_that_was_there(self):
        texts = self.folder / "texts.txt"
        texts.write_bytes(lines(TEXTS * 5000))
        older = {"out.npy": b"\x93NUMPY older", "older.jsonl": b'{"index":0,"embedding":[1.0]}\n'}
        for name in ("out.jsonl", "older.jsonl", "out.npy"):
            output = self.folder / name
            if name in older:
                output.write_bytes(older[name])
            process = subprocess.Popen([CARAVEL, "embed", "-i", str(texts), "-o", str(output), *ENGINE],
                                       stderr=subprocess.PIPE)
            while b"/20000" not in process.stderr.readline():  # the first line of progress: it has begun
                pass
            while name == "out.jsonl" and (not output.exists() or output.stat().st_size < 10000):  # a row has more
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
            self.assertEqual(130, process.returncode)
            if name in older:
                self.assertIn(b"nothing was written" if name == "out.npy" else b"older.jsonl is as it was", errors)
                self.assertEqual(older[name], output.read_bytes())
            else:
                self.assertTrue(0 < len(rows(output.read_bytes())) < 20000)
        self.assertEqual(["older.jsonl", "out.jsonl", "out.npy", "texts.txt"], sorted(os.listdir(self.folder)))

    def test_an_npy_file_is_whole_or_as_it_was(self):
        texts = self.folder / "texts.txt"
        texts.write_bytes(lines(TEXTS))
        output = self.folder / "out.npy"
        older = b"\x93NUMPY older"
        output.write_bytes(older)
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY))
        done = subprocess.run([CARAVEL, "embed", "-i", str(texts), "-o", str(output), *ENGINE], capture_output=True,
                              timeout=120, preexec_fn=limit)
        self.assertEqual(1, done.returncode)
        self.assertIn(b"out.npy: cannot write: File too large; it is as it was", done.stderr)
        self.assertEqual(older, output.read_bytes())
        for name in ("new.npy", "new.jsonl"):
            run("no-such-model", "-i", str(texts), "-o", str(self.folder / name), code=1)
        self.assertEqual(["out.npy", "texts.txt"], sorted(os.listdir(self.folder)))
        self.assertIn(b"none/a.npy: cannot write", run("-i", str(texts), "-o", str(self.folder / "none/a.npy"),
                                                       code=1).stderr)

    def test_a_file_that_is_mounted_by_itself_is_written_over(self):
        texts, output, mounted = (self.folder / name for name in ("texts.txt", "out.npy", "mounted.npy"))
        texts.write_bytes(lines(TEXTS))
        mounted.touch()
        output.touch()
        command = f'mount --bind "{mounted}" "{output}" && exec "$@"'
        done = subprocess.run(["unshare", "--map-root-user", "--mount", "sh", "-c", command, "sh", CARAVEL, "embed",
                               "-i", str(texts), "-o", str(output), *ENGINE], capture_output=True, timeout=120)
        if b"unshare" in done.stderr or b"mount" in done.stderr.split(b"caravel: ")[0]:
            self.skipTest(f"nothing can be mounted here: {done.stderr.decode()}")
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertEqual((4, 576), read_npy(mounted.read_bytes())[0]["shape"])
        self.assertEqual(["mounted.npy", "out.npy", "texts.txt"], sorted(os.listdir(self.folder)))

    def test_what_was_not_meant_is_told(self):
        rows = b'{"text": "hello"}\n'
        self.assertIn(b"its lines look like JSON", run(*ENGINE, stdin=rows).stderr)
        self.assertIn(b"--output v.csv: embeddings are written as .npy or .jsonl", run("-o", "v.csv", stdin=rows,
                                                                                      code=2).stderr)
        done = run("--max-model-len", "512", *ENGINE, stdin=b"word " * 5_000_000, code=1)
        self.assertIn(b"has at least", done.stderr)

    def test_what_holds_no_embeddings_is_no_output(self):
        texts = self.folder / "texts.txt"
        texts.write_text("a\nb\n")
        model = self.folder / "model.gguf"
        notes = self.folder / "keep.txt"
        model.write_bytes(b"GGUF\x03\0\0\0")
        notes.write_text('{"index": "mine"}\n')
        for path in (model, notes):
            for form in ("npy", "jsonl"):
                before = path.read_bytes()
                done = run(str(model), "-i", str(texts), "-o", str(path), "--format", form, code=1)
                self.assertIn(f"{path.name}: is there and holds no embeddings".encode(), done.stderr)
                self.assertEqual(before, path.read_bytes())
        output = self.folder / "out.jsonl"
        for _ in range(2):  # its own it may replace
            run("-i", str(texts), "-o", str(output), *ENGINE)
            self.assertEqual(2, len(rows(output.read_bytes())))
        run("-i", str(texts), "-o", str(output), "--format", "npy", *ENGINE)
        self.assertEqual((2, 576), read_npy(output.read_bytes())[0]["shape"])

    def test_the_input_is_no_output(self):
        texts = self.folder / "texts.txt"
        texts.write_text("a\n")
        self.assertIn(b"the --output is the --input", run("-i", str(texts), "-o", str(texts), code=1).stderr)
        self.assertEqual("a\n", texts.read_text())


if __name__ == "__main__":
    sys.exit(unittest.main())
