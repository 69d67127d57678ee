"""`caravel generate --input` as its users meet it: files of rows, results, runs that are killed and go on.

Run by ctest with CARAVEL set to the binary; by hand: CARAVEL=build/release/caravel python3 tests/cli/batch_test.py
"""

import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from cli_test import CARAVEL, ENGINE, generate, json_lines, run

TINY = str(Path(__file__).resolve().parents[1] / "fixtures" / "models" / "llama")


class Batch(unittest.TestCase):
    """A folder with an input and an output."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.input = Path(self.folder.name, "in.jsonl")
        self.output = Path(self.folder.name, "out.jsonl")

    def write(self, *rows):
        self.input.write_text("".join(json.dumps(row) + "\n" for row in rows))

    def batch(self, *flags, code=0):
        """A run with a tiny model; what it told, without the lines of progress."""
        done = run("generate", TINY, "-i", str(self.input), "-o", str(self.output), "--kv-cache-memory", "8MiB",
                   "--max-tokens", "3", *flags, check=False)
        self.assertEqual(code, done.returncode, done.stderr)
        return [line for line in done.stderr.decode().splitlines() if not line.startswith("[")]

    def results(self):
        return json_lines(self.output.read_text())

    def write_rows(self, count, max_tokens):
        rows = [{"id": f"row-{i}", "prompt": f"Item {i}: write about the number {i}.", "max_tokens": max_tokens,
                 "ignore_eos": True} for i in range(count)]
        self.input.write_text("".join(json.dumps(row) + "\n" for row in rows))

    def start(self):
        return subprocess.Popen([CARAVEL, "generate", "-i", str(self.input), "-o", str(self.output),
                                 "--temperature", "0", *ENGINE], stderr=subprocess.DEVNULL)

    def wait_for_lines(self, count):
        deadline = time.monotonic() + 300  # under a sanitizer, on a busy machine, the first answers take a minute
        while time.monotonic() < deadline:
            if self.output.exists() and self.output.read_bytes().count(b"\n") >= count:
                return
            time.sleep(0.01)
        self.fail("no results came")


class Rows(Batch):
    def test_rows_of_every_form(self):
        self.input.write_text("\n".join(map(json.dumps, [
            {"id": "text", "prompt": "Hello", "max_tokens": 4},
            {"id": "ids", "prompt": [19556, 28], "max_tokens": 4},
            {"id": "chat", "messages": [{"role": "user", "content": "Say hi."}], "max_tokens": 4, "temperature": 0},
            {"id": 7, "prompt": "Hello", "n": 2, "temperature": 1, "max_tokens": 4, "logprobs": 2},
            {"id": "broken", "prompt": "Hello", "temperature": "hot"},
            {"id": "unknown", "prompt": "Hello", "temprature": 1},
            {"id": "long", "prompt": "word " * 9000},
            {"prompt": "Hello", "max_tokens": 4},
        ])))
        done = generate("-i", str(self.input), "-o", str(self.output), check=False)
        self.assertEqual(3, done.returncode)
        told = done.stderr.decode().splitlines()
        self.assertIn("caravel: 8 rows: 5 answered, 3 failed; ", told[-5])
        self.assertRegex(told[-5], r"; \d answers were cut \(finish_reason length\)")
        self.assertTrue(told[-4].startswith("caravel: line 5 (broken): Invalid type for 'temperature'"), told)
        self.assertTrue(told[-3].startswith("caravel: line 6 (unknown): "), told)
        self.assertTrue(told[-2].startswith("caravel: line 7 (long): "), told)
        self.assertIn(f"{self.output} has the error of each", told[-1])
        results = {}
        for line in json_lines(self.output.read_text()):
            results.setdefault(line["id"], []).append(line)
        self.assertEqual({"text", "ids", "chat", 7, "broken", "unknown", "long", "line-8"}, set(results))
        self.assertEqual(2, len(results[7]))
        self.assertIn("Invalid type for 'temperature'", results["broken"][0]["error"])
        self.assertIn("temprature", results["unknown"][0]["error"])
        self.assertRegex(results["long"][0]["error"], r"\d+ tokens")

    def test_goes_on_where_it_was_killed(self):
        self.write_rows(60, 24)
        generate("-i", str(self.input), "-o", str(self.output))
        expected = {line["id"]: line["text"] for line in json_lines(self.output.read_text())}
        self.assertEqual(60, len(expected))
        self.output.unlink()

        self.input.write_text(self.input.read_text())
        process = self.start()
        self.wait_for_lines(1)
        process.kill()
        process.wait()
        with self.output.open("ab") as file:
            file.write(b'{"id":"row-59","index":0,"te')  # what a crash in the middle of a write leaves
        generate("-i", str(self.input), "-o", str(self.output))
        lines = json_lines(self.output.read_text())
        self.assertEqual(60, len(lines))
        self.assertEqual(expected, {line["id"]: line["text"] for line in lines})

    def test_ordered_gives_the_same_bytes_stopped_or_not(self):
        rows = [{"id": f"row-{i}", "prompt": "One prefix, long enough that blocks of it are shared by all the rows. " * 4
                 + f"Item {i}:", "max_tokens": 24 - i % 20, "n": 1 + i % 5 // 4, "temperature": 1, "seed": i, "logprobs": 1,
                 "ignore_eos": True} for i in range(24)]
        tool = {"type": "function", "function": {"name": "add", "parameters": {
            "type": "object", "properties": {"a": {"type": "integer", "maximum": 9}}, "required": ["a"]}}}
        rows.append({"id": "tool", "messages": [{"role": "user", "content": "1 + 1?"}], "tools": [tool], "n": 1,
                     "tool_choice": "required", "parallel_tool_calls": False, "max_tokens": 60, "temperature": 0})
        self.input.write_text("".join(json.dumps(row) + "\n" for row in rows))
        generate("-i", str(self.input), "-o", str(self.output), "--ordered")
        whole = self.output.read_bytes()
        ids = [line["id"] for line in json_lines(whole)]
        self.assertEqual([row["id"] for row in rows for _ in range(row["n"])], ids)
        self.output.unlink()
        process = self.start()  # without it: that counts when all rows have run
        self.wait_for_lines(4)
        process.kill()
        process.wait()
        generate("-i", str(self.input), "-o", str(self.output), "--ordered")
        self.assertEqual(whole, self.output.read_bytes())
        done = generate("-i", str(self.input), "-o", "-", "--ordered", check=False)
        self.assertIn("--ordered", done.stderr.decode())
        self.assertNotEqual(0, done.returncode)

    def test_ctrl_c_keeps_what_has_finished(self):
        self.write_rows(400, 40)
        process = self.start()
        self.wait_for_lines(1)
        process.send_signal(signal.SIGINT)
        self.assertEqual(130, process.wait(60))
        self.assertLess(len(json_lines(self.output.read_text())), 400)

    def test_a_file_that_reaches_its_limit_is_an_error_and_its_rows_are_kept(self):
        self.write_rows(40, 4)
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY))
        done = subprocess.run([CARAVEL, "generate", "-i", str(self.input), "-o", str(self.output), *ENGINE],
                              capture_output=True, timeout=120, preexec_fn=limit)
        self.assertEqual(1, done.returncode)
        self.assertIn("out.jsonl: cannot write: File too large; results written before are kept", done.stderr.decode())
        self.assertGreater(len(json_lines(self.output.read_text())), 1)  # and no part of another
        generate("-i", str(self.input), "-o", str(self.output))
        self.assertEqual(40, len(json_lines(self.output.read_text())))

    def test_two_runs_do_not_write_to_one_file(self):
        self.write_rows(60, 24)
        process = self.start()
        self.wait_for_lines(1)
        done = generate("-i", str(self.input), "-o", str(self.output), check=False)
        self.assertEqual(1, done.returncode)
        self.assertIn("out.jsonl: another run is writing to it", done.stderr.decode())
        self.assertEqual(0, process.wait(120))
        self.assertEqual(60, len(json_lines(self.output.read_text())))

    def test_the_input_is_no_output(self):
        self.write_rows(2, 2)
        before = self.input.read_text()
        done = generate("-i", str(self.input), "-o", str(self.input), check=False)
        self.assertEqual(1, done.returncode)
        self.assertIn("the --output is the --input", done.stderr.decode())
        self.assertEqual(before, self.input.read_text())
        self.output.write_text(before)  # rows are no results
        done = generate("-i", str(self.input), "-o", str(self.output), check=False)
        self.assertIn("out.jsonl:1: no result of a row", done.stderr.decode())

    def test_a_foreign_file_and_an_empty_input_leave_the_output_as_it_is(self):
        self.write({"prompt": "a"}, {"prompt": "b"})
        for foreign in ('{"a": 1, "precious": [1,2,3]}', "a text", "a text\n"):
            self.output.write_text(foreign)
            self.assertIn("out.jsonl:1: no result of a row", self.batch(code=1)[0])
            self.assertEqual(foreign, self.output.read_text())
        self.output.unlink()
        self.batch()
        before = self.output.read_text()
        self.input.write_text("\n")
        self.assertIn("in.jsonl: there is no row in it, and nothing was run", self.batch(code=1)[0])
        self.assertEqual(before, self.output.read_text())

    def test_what_comes_to_nothing_leaves_no_file(self):
        self.write({"prompt": "a"})
        done = run("generate", "no-such-model", "-i", str(self.input), "-o", str(self.output), check=False)
        self.assertEqual(1, done.returncode)
        self.assertFalse(self.output.exists())

    def test_a_closed_standard_output_is_not_the_output(self):
        self.write({"id": "a", "prompt": "a"}, {"id": "b", "prompt": "b"})
        command = [CARAVEL, "generate", TINY, "-i", str(self.input), "-o", str(self.output), "--kv-cache-memory", "8MiB",
                   "--max-tokens", "3"]
        for _ in range(2):
            done = subprocess.run(["sh", "-c", '"$@" >&-', "sh", *command], stderr=subprocess.PIPE, timeout=60)
            self.assertEqual(0, done.returncode, done.stderr)
            self.assertEqual(["a", "b"], sorted(r["id"] for r in self.results()))
            with self.output.open("a") as file:
                file.write('{"id":"a","ind')

    def test_what_cannot_be_told_is_dropped_and_the_work_goes_on(self):
        prompts, pairs, texts = (Path(self.folder.name, name) for name in ("prompts", "pairs", "texts"))
        prompts.write_text('{"prompt": "Hello"}\n' * 20)
        pairs.write_text('{"prefix": "Hello", "continuations": [" there"]}\n' * 20)
        texts.write_text("Some words and others.\n" * 20)
        reading, closed = os.pipe()
        os.close(reading)
        full = os.open("/dev/full", os.O_WRONLY)
        for command, lines in ((["generate", "-i", str(prompts), "--max-tokens", "3"], 20),
                               (["score", "-i", str(pairs)], 20), (["embed", "-i", str(texts)], 20),
                               (["perplexity", "-f", str(texts), "-c", "16"], 2)):
            output = [] if command[0] == "perplexity" else ["-o", str(self.output)]
            for stderr in (full, closed):
                with self.subTest(command=command[0], stderr="full" if stderr == full else "closed"):
                    done = subprocess.run([CARAVEL, *command, TINY, *output, "--kv-cache-memory", "8MiB"], timeout=120,
                                          stdout=subprocess.PIPE, stderr=stderr)
                    self.assertEqual(0, done.returncode)
                    results = self.output.read_bytes() if output else done.stdout
                    self.assertEqual(lines, results.count(b"\n"))
                    self.output.unlink(missing_ok=True)
        os.close(closed)
        os.close(full)

    def test_an_output_that_is_taken_away_ends_the_run(self):
        for taken_away, part in ((Path.unlink, "somebody has deleted it"),
                                 (lambda path: path.rename(path.with_name("moved")), "somebody has renamed it"),
                                 (lambda path: os.truncate(path, 0), "somebody has cut it")):
            self.write_rows(200, 24)
            process = subprocess.Popen([CARAVEL, "generate", "-i", str(self.input), "-o", str(self.output),
                                        "--temperature", "0", *ENGINE], stderr=subprocess.PIPE)
            self.wait_for_lines(1)
            taken_away(self.output)
            _, errors = process.communicate(timeout=120)
            self.assertEqual(1, process.returncode)
            self.assertIn(part, errors.decode())

    def test_ordered_touches_no_other_file(self):
        self.write({"id": 1, "prompt": "a"}, {"id": 2, "prompt": "b"})
        other = self.output.with_name("out.jsonl.new")
        other.write_text("somebody's")
        self.batch("--ordered")
        self.assertEqual("somebody's", other.read_text())

    def test_a_reader_that_goes_hears_of_failures(self):
        self.write(*({"prompt": "a", "temprature": 1} for _ in range(3000)))
        read, write = os.pipe()
        process = subprocess.Popen([CARAVEL, "generate", TINY, "-i", str(self.input), "--kv-cache-memory", "8MiB"],
                                   stdout=write, stderr=subprocess.PIPE)
        os.close(write)
        os.read(read, 1)
        os.close(read)
        _, errors = process.communicate(timeout=60)
        self.assertEqual(3, process.returncode, errors)
        self.assertIn("nobody reads the results any more", errors.decode())
        self.assertRegex(errors.decode(), r"3000 rows: 0 answered, \d+ failed")
        self.assertNotIn("--retry-failed", errors.decode())

    def test_a_long_row_is_refused_at_once_and_others_run(self):
        self.write({"id": "long", "prompt": "wörd " * 2_000_000}, {"id": "chat", "messages": [
            {"role": "user", "content": "wörd " * 2_000_000}]}, {"id": "good", "prompt": "a"})
        begin = time.monotonic()
        told = " ".join(self.batch(code=3))
        self.assertLess(time.monotonic() - begin, 60)
        self.assertEqual(2, told.count("at least"), told)
        self.assertIn("1 answered, 2 failed", told)

    def test_no_rows_on_a_standard_input_that_cannot_be_read(self):
        for redirection, part in (("<.", "standard input: cannot read: Is a directory"),
                                  ("<&-", "standard input: cannot read: Bad file descriptor")):
            for args in (["generate", "-i", "-"], ["score", "-i", "-"], ["tokenize"], ["embed"], ["generate", "--chat"],
                         ["perplexity", "-f", "-"], ["chat"]):
                with self.subTest(args, at=redirection):
                    done = subprocess.run(["sh", "-c", f'"$@" {redirection}', "sh", CARAVEL, *args, TINY,
                                           *(["--kv-cache-memory", "8MiB"] if args != ["tokenize"] else [])],
                                          capture_output=True, timeout=60)
                    self.assertEqual(1, done.returncode, done.stderr)
                    self.assertIn(part, done.stderr.decode())

    def test_an_output_of_another_input_is_refused(self):
        self.write_rows(1, 2)
        self.output.write_text('{"id":"someone else\'s","finish_reason":"stop"}\n')
        done = generate("-i", str(self.input), "-o", str(self.output), check=False)
        self.assertEqual(1, done.returncode)
        self.assertIn("out.jsonl:1: the result of 'someone else's'", done.stderr.decode())
        self.assertEqual('{"id":"someone else\'s","finish_reason":"stop"}\n', self.output.read_text())

    def test_fields_and_ids(self):
        self.write({"id": 7, "prompt": "a", "logprobs": 1}, {"id": "7b", "prompt": "b"}, {"prompt": "c"},
                   {"id": 18446744073709551616, "prompt": "d"})
        self.batch()
        self.assertEqual([18446744073709551616, 7, "7b", "line-3"], sorted((r["id"] for r in self.results()), key=str))
        self.assertEqual(["id", "index", "text", "finish_reason", "logprobs", "usage", "digest"],
                         list(self.results()[0]))
        before = self.output.read_text()
        self.assertIn("4 rows: 0 answered, 4 before, 0 failed", self.batch()[-1])
        self.assertEqual(before, self.output.read_text())
        # What is asked for and was not there is made.
        self.assertIn("4 rows: 4 answered, 0 failed", " ".join(self.batch("--fields", "token_ids,usage")))
        self.assertEqual(4, len(self.results()))
        self.assertEqual(["id", "index", "token_ids", "finish_reason", "usage", "digest"], list(self.results()[0]))
        self.assertIn("4 before", " ".join(self.batch()))
        self.assertIn("--fields: tokens: give one of id, index, text", self.batch("--fields", "tokens", code=2)[0])

    def test_all_lines_that_cannot_be_read_are_told_at_once(self):
        self.input.write_text('\ufeff{"id": "a", "prompt": "a"}\r\nnot json\n\n{"id": "b", "prompt": "b"}\n{"id": \n'
                              '{"id": "a", "prompt": "c"}\n{"id": [1], "prompt": "d"}\n'
                              '{"custom_id": "e", "url": "/v1/completions", "body": {"prompt": "e"}}\n')
        told = self.batch(code=1)
        self.assertIn("in.jsonl: 5 lines cannot be used, and nothing was run", told[0])
        parts = ["in.jsonl:2: not a JSON object: ", "in.jsonl:5: not a JSON object: ",
                 "in.jsonl:6: the id 'a' stands on line 1 too", "in.jsonl:7: Invalid type for 'id'",
                 "in.jsonl:8: it is of OpenAI's batch form"]
        for part, line in zip(parts, told[1:], strict=True):
            self.assertIn(part, line)
        self.assertFalse(self.output.exists())
        self.input.write_text('{"prompt": "a"}\nnot json\n')
        (line,) = self.batch(code=1)
        self.assertTrue(line.startswith(f"caravel: {self.input}:2: not a JSON object"), line)
        self.input.write_text('[\n {"prompt": "a"}\n]\n')
        self.assertIn("it begins with a list", self.batch(code=1)[0])

    def test_failed_rows_wait_to_be_mended_or_asked_for(self):
        rows = [{"id": f"row-{i}", "prompt": f"{i} and"} for i in range(9)]
        for bad in (1, 4, 5, 6, 7, 8):
            rows[bad]["temprature"] = 1
        self.write(*rows)
        told = self.batch(code=3)
        self.assertIn("caravel: 9 rows: 3 answered, 6 failed; ", told[0])
        self.assertEqual([2, 5, 6, 7, 8], [int(re.search(r"line (\d+) \(row-", line)[1]) for line in told[1:6]])
        self.assertEqual("caravel: and 1 more", told[6])
        good = [line for line in self.output.read_text().splitlines() if '"error":' not in line]
        self.output.chmod(0o640)
        for i in (1, 5, 6, 7, 8):
            del rows[i]["temprature"]
        self.write(*rows)
        told = self.batch(code=3)
        self.assertIn("caravel: 9 rows: 5 answered, 3 before, 1 failed; ", told[0])
        self.assertIn("line 5 (row-4): ", told[1])
        self.assertIn("--retry-failed those that were not (1 failed before)", told[2])
        lines = self.output.read_text().splitlines()
        self.assertEqual(9, len(lines))
        self.assertEqual(good, [line for line in lines if line in good])  # what was good is untouched
        self.assertEqual(0o640, self.output.stat().st_mode & 0o777)
        self.assertIn("1 failed; ", self.batch("--retry-failed", code=3)[0])
        self.assertEqual(9, len(self.results()))
        del rows[4]["temprature"]
        self.write(*rows)
        self.assertIn("caravel: 9 rows: 1 answered, 8 before, 0 failed; ", self.batch("--retry-failed")[0])
        self.assertEqual({f"row-{i}" for i in range(9)}, {r["id"] for r in self.results() if "error" not in r})
        self.assertEqual([self.input.name, self.output.name], sorted(os.listdir(self.folder.name)))

    def test_edited_rows_are_run_again_and_others_are_not(self):
        rows = [{"id": "a", "prompt": "one"}, {"prompt": "two"}, {"prompt": "three"}, {"id": "b", "prompt": "four", "n": 2}]
        self.write(*rows)
        self.batch()
        before = {(r["id"], r["index"]): r["text"] for r in self.results()}
        rows[0]["prompt"] = "another"
        rows[2]["max_tokens"] = 5
        rows[3] = {"n": 2, "user": "nobody", "prompt": "four", "top_k": None, "id": "b"}  # the same to the answer
        self.write(*rows)
        told = self.batch()
        self.assertIn("2 of its 4 results are of rows, flags or a model that have changed since", told[0])
        self.assertIn("4 rows: 2 answered, 2 before, 0 failed", told[1])
        after = {(r["id"], r["index"]): r for r in self.results()}
        self.assertEqual(set(before), set(after))
        self.assertEqual(5, len(self.results()))
        self.assertEqual(5, after[("line-3", 0)]["usage"]["completion_tokens"])
        for kept in (("line-2", 0), ("b", 0), ("b", 1)):
            self.assertEqual(before[kept], after[kept]["text"])
        # Rows without ids are known wherever they stand, and lose a result that is nobody's.
        rows = [{"prompt": "new"}, {"prompt": "two"}, rows[0], rows[3]]
        self.write(*rows[:1], *rows[2:], rows[1])
        self.assertIn("4 rows: 1 answered, 3 before", self.batch()[-1])
        self.assertEqual({"line-1", "line-4", "a", "b"}, {r["id"] for r in self.results()})
        self.assertEqual([before[("line-2", 0)]], [r["text"] for r in self.results() if r["id"] == "line-4"])
        # A flag counts for the rows that do not say it themselves.
        self.write(*(rows[0], {**rows[2], "min_tokens": 1}, rows[3]))
        self.batch()
        self.assertIn("3 rows: 2 answered, 1 before, 0 failed", self.batch("--min-tokens", "1")[-1])
        self.assertIn("3 rows: 0 answered, 3 before", self.batch("--min-tokens", "1")[-1])
        self.assertEqual(4, len(self.results()))

    def test_old_results_stay_until_all_have_run(self):
        rows = [{"id": i, "prompt": f"{i}", "max_tokens": 2} for i in range(6)]
        self.write(*rows)
        generate("-i", str(self.input), "-o", str(self.output))
        before = self.output.read_text()
        for row in rows:
            row |= {"prompt": f"{row['id']}!", "max_tokens": 150 if row["id"] else 1, "ignore_eos": True}
        self.write(*rows)
        process = self.start()
        self.wait_for_lines(7)
        process.kill()
        process.wait()
        self.assertTrue(self.output.read_text().startswith(before))
        generate("-i", str(self.input), "-o", str(self.output))
        self.assertEqual(list(range(6)), sorted(r["id"] for r in self.results()))
        self.assertEqual({1, 150}, {r["usage"]["completion_tokens"] for r in self.results()})

    def test_results_of_earlier_versions_stand(self):
        old = {"id": "7", "index": 0, "text": "t", "token_ids": [1], "finish_reason": "stop", "logprobs": None, "usage":
               {"prompt_tokens": 1, "completion_tokens": 1, "cached_tokens": 0}}
        failed = {"id": "line-2", "index": 0, "text": "", "finish_reason": "error", "error": "line 2: so"}
        self.output.write_text("".join(json.dumps(line) + "\n" for line in (old, failed)))
        self.write({"id": 7, "prompt": "a"}, {"prompt": "b"})
        self.assertIn("2 rows: 1 answered, 1 before, 0 failed", self.batch()[-1])
        first, second = self.results()
        self.assertEqual(("7", "t"), (first["id"], first["text"]))
        self.assertEqual("line-2", second["id"])
        self.assertNotIn("error", second)


class OpenAi(Batch):
    """OpenAI's form of a batch, whose files vLLM's run-batch takes too."""

    CHAT = {"custom_id": "chat", "method": "POST", "url": "/v1/chat/completions", "body": {
        "model": "gpt-4o-mini", "messages": [{"role": "user", "content": "What is 2+2?"}], "temperature": 0,
        "max_completion_tokens": 24}}
    TEXT = {"custom_id": "text", "method": "POST", "url": "/v1/completions", "body": {
        "prompt": ["One, two, three,", "Red, green,"], "max_tokens": 4, "temperature": 0, "logprobs": 1}}
    EMBED = {"custom_id": 3, "method": "POST", "url": "/v1/embeddings", "body": {"input": "a text"}}

    def by_id(self):
        return {r["custom_id"]: r for r in self.results()}

    def test_answers_are_the_servers(self):
        streamed = json.loads(json.dumps(self.CHAT))
        streamed["custom_id"] = "streamed"
        streamed["body"] |= {"stream": True, "stream_options": {"include_usage": True}}
        self.write(self.CHAT, self.TEXT, self.EMBED, streamed)
        done = generate("-i", str(self.input), "-o", str(self.output))
        self.assertIn("4 rows: 4 answered, 0 failed", done.stderr.decode().splitlines()[-1])
        results = self.by_id()
        for result in results.values():
            self.assertEqual(["id", "custom_id", "response", "error"], list(result))
            self.assertEqual(["status_code", "request_id", "body"], list(result["response"]))
            self.assertEqual((200, None), (result["response"]["status_code"], result["error"]))
        chat = results["chat"]["response"]["body"]
        self.assertEqual("smollm2", chat["model"])
        self.assertEqual("chat.completion", chat["object"])
        self.assertIn("4", chat["choices"][0]["message"]["content"])
        self.assertEqual(chat["choices"], results["streamed"]["response"]["body"]["choices"])
        text = results["text"]["response"]["body"]
        self.assertEqual(("text_completion", 2), (text["object"], len(text["choices"])))
        self.assertEqual(4, len(text["choices"][1]["logprobs"]["tokens"]))
        (vector,) = results[3]["response"]["body"]["data"]
        self.assertEqual(576, len(vector["embedding"]))

    def test_every_refusal_is_a_line(self):
        body = {"prompt": "a", "ignore_eos": True}
        self.write({"custom_id": "method", "method": "GET", "url": "/v1/completions", "body": body},
                   {"custom_id": "url", "method": "POST", "url": "/v1/images", "body": body},
                   {"custom_id": "no body", "method": "POST", "url": "/v1/completions"},
                   {"custom_id": "field", "method": "POST", "url": "/v1/completions", "body": {"promt": "a"}},
                   {"custom_id": "good", "url": "/v1/completions", "body": body})
        told = self.batch(code=3)
        self.assertIn("5 rows: 1 answered, 4 failed", told[0])
        results = self.by_id()
        for name, part in (("method", "give \"POST\""), ("url", "/v1/chat/completions, /v1/completions"),
                           ("no body", "'body' is no object"), ("field", "prompt")):
            self.assertEqual(400, results[name]["response"]["status_code"])
            error = results[name]["response"]["body"]["error"]
            self.assertIn(part, error["message"])
            self.assertEqual({"code": error["code"], "message": error["message"]}, results[name]["error"])
        # The flag of the command, where the body does not say it.
        self.assertEqual(3, results["good"]["response"]["body"]["usage"]["completion_tokens"])
        self.write({"method": "POST", "url": "/v1/completions", "body": body})
        self.assertIn("in.jsonl:1: Missing required parameter: 'custom_id'", self.batch(code=1)[0])

    def test_goes_on_and_mends(self):
        rows = [{"custom_id": str(i), "method": "POST", "url": "/v1/completions", "body": {"prompt": f"{i}"}}
                for i in range(4)]
        rows[1]["body"]["promt"] = "a"
        self.write(*rows)
        self.batch(code=3)
        del rows[1]["body"]["promt"]
        rows[2]["body"]["prompt"] = "new"
        rows[3]["body"]["model"] = "another"  # says nothing of the answer
        self.write(*rows)
        self.assertIn("4 rows: 2 answered, 2 before, 0 failed", self.batch()[-1])
        self.assertEqual(4, len(self.results()))
        # What OpenAI and vLLM wrote of rows counts as done.
        self.output.write_text(json.dumps({"id": "batch_req_1", "custom_id": "0", "response": {
            "status_code": 200, "request_id": "r", "body": {}}, "error": None}) + "\n" + json.dumps({
                "id": "vllm-1", "custom_id": "1", "response": {"status_code": 400, "request_id": "r", "body": None},
                "error": {"error": {"message": "no"}}}) + "\n")
        self.assertIn("4 rows: 3 answered, 1 before, 0 failed", self.batch()[-1])
        self.assertIn("--fields: the rows are of OpenAI's", self.batch("--fields", "text", code=2)[0])

    def test_ordered_gives_the_same_bytes(self):
        tool = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {
            "a": {"type": "integer", "maximum": 9}}, "required": ["a"]}}}
        called = {"custom_id": "called", "method": "POST", "url": "/v1/chat/completions", "body": {
            "messages": [{"role": "user", "content": "1 + 1?"}], "tools": [tool], "tool_choice": "required",
            "parallel_tool_calls": False, "max_tokens": 60, "temperature": 0}}
        again = json.loads(json.dumps(self.CHAT)) | {"custom_id": "again"}
        self.write(called, self.CHAT, again, self.TEXT)
        generate("-i", str(self.input), "-o", str(self.output), "--ordered")
        whole = self.output.read_text()
        self.assertEqual(["called", "chat", "again", "text"], [r["custom_id"] for r in self.results()])
        self.output.write_text("".join(whole.splitlines(keepends=True)[1:3]))
        generate("-i", str(self.input), "-o", str(self.output), "--ordered")
        self.assertEqual(whole, self.output.read_text())
        self.assertRegex(whole, r'"id":"chatcmpl-\w{24}"')


if __name__ == "__main__":
    sys.exit(unittest.main())
