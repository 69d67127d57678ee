"""The command line as its users meet it: the real binary, the real default model, files, pipes.

Run by ctest with CARAVEL set to the binary; by hand: CARAVEL=build/release/caravel python3 tests/cli/cli_test.py
"""

import json
import os
import pty
import re
import resource
import select
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

CARAVEL = os.path.abspath(os.environ.get("CARAVEL", "build/release/caravel"))
# Two programs of the test run share two cores; none of these tests measures speed.
ENGINE = ["--kv-cache-memory", "256MiB"]  # one sequence of full length, and some


def run(*args, stdin="", check=True, timeout=120):
    done = subprocess.run([CARAVEL, *args], input=stdin.encode() if isinstance(stdin, str) else stdin,
                          capture_output=True, timeout=timeout)
    if check and done.returncode != 0:
        raise AssertionError(f"caravel {' '.join(args)} gave {done.returncode}: {done.stderr.decode()}")
    return done


def generate(*args, **kwargs):
    """Greedy, so that answers are the same each time, unless a temperature is given."""
    greedy = [] if "--temperature" in args else ["--temperature", "0"]
    return run("generate", *args, *greedy, *ENGINE, **kwargs)


def json_lines(data):
    return [json.loads(line) for line in data.splitlines()]


class Generate(unittest.TestCase):
    def test_plain_text_is_the_json_answers_text(self):
        args = ["--prompt", "The three primary colors are", "--max-tokens", "24"]
        plain = generate(*args).stdout.decode()
        (answer,) = json_lines(generate(*args, "--json").stdout)
        self.assertEqual(plain.rstrip("\n"), answer["text"].rstrip("\n"))
        self.assertIn("red", plain.lower())
        self.assertEqual(24, answer["usage"]["completion_tokens"])
        self.assertNotIn("token_ids", answer)  # as in the results of --input
        (picked,) = json_lines(generate(*args, "--json", "--fields", "token_ids").stdout)
        self.assertEqual(24, len(picked["token_ids"]))
        self.assertIn("--fields", generate(*args, "--fields", "token_ids", check=False).stderr.decode())
        self.assertEqual("length", answer["finish_reason"])

    def test_an_answer_that_was_cut_says_so(self):
        ask = ["--prompt", "1, 2, 3, 4,", "--json", "--ignore-eos", "--temperature", "0.2"]
        done = generate(*ask)
        (answer,) = json_lines(done.stdout)
        self.assertEqual(256, answer["usage"]["completion_tokens"])
        self.assertIn("cut after 256 tokens; --max-tokens N", done.stderr.decode())
        self.assertEqual(b"", generate(*ask, "--max-tokens", "8").stderr)  # as was asked

    def test_an_answer_that_goes_round_is_ended(self):
        ask = ["--chat", "--prompt", "Go on: la la la la la la la la la la", "--json"]
        done = generate(*ask, "--allowed-token-ids", "100", "--repetition-window", "40")
        (answer,) = json_lines(done.stdout)
        self.assertEqual(40, answer["usage"]["completion_tokens"])
        self.assertEqual("length", answer["finish_reason"])
        self.assertIn("went round in a circle", done.stderr.decode())

    def test_what_requests_leave_open_is_shown(self):
        shown = run("inspect", *ENGINE).stdout.decode()
        self.assertRegex(shown, r"sampling +temperature 0\.2, top_k 40, top_p 0\.9, min_p 0\.05, repetition_penalty 1,")
        self.assertIn("the model's card: temperature, top_p", shown)

    def test_prompt_from_standard_input(self):
        flag = generate("--prompt", "One, two, three,", "--max-tokens", "8").stdout
        self.assertEqual(flag, generate("--max-tokens", "8", stdin="One, two, three,").stdout)

    def test_chat_frames_the_prompt_and_stops(self):
        (answer,) = json_lines(generate("--chat", "--temperature", "0", "--prompt", "What is 2+2?",
                                        "--json").stdout)
        self.assertIn("4", answer["text"])
        self.assertEqual("stop", answer["finish_reason"])
        self.assertNotIn("<|im_end|>", answer["text"])

    def test_a_seed_repeats_and_n_differ(self):
        args = ["--prompt", "Once upon a time", "--temperature", "1", "--seed", "7", "-n", "3", "--max-tokens", "16",
                "--json"]
        first, second = json_lines(generate(*args).stdout), json_lines(generate(*args).stdout)
        self.assertEqual([a["text"] for a in first], [a["text"] for a in second])
        self.assertEqual(3, len({a["text"] for a in first}))

    def test_beams_are_ordered_and_at_least_as_likely_as_greedy(self):
        args = ["--prompt", "The sun rises in the", "--max-tokens", "8", "--ignore-eos", "--logprobs", "0", "--json"]
        total = lambda answer: sum(t["logprob"] for t in answer["logprobs"])
        (greedy,) = json_lines(generate(*args).stdout)
        beams = json_lines(generate(*args, "-n", "3", "--beams", "4").stdout)
        self.assertEqual(3, len(beams))
        self.assertGreaterEqual(total(beams[0]), total(greedy) - 1e-4)
        self.assertGreaterEqual(total(beams[0]), total(beams[1]))

    def test_logprobs_of_the_prompt_and_the_answer(self):
        (answer,) = json_lines(generate("--prompt", "Paris is the capital of", "--max-tokens", "2", "--logprobs", "3",
                                        "--prompt-logprobs", "0", "--json").stdout)
        self.assertEqual(answer["usage"]["prompt_tokens"] - 1, len(answer["prompt_logprobs"]))
        for token in answer["logprobs"]:
            self.assertEqual(3, len(token["top_logprobs"]))
            self.assertAlmostEqual(token["logprob"], token["top_logprobs"][0]["logprob"], places=5)

    def test_stop_strings_end_the_answer_and_are_not_shown(self):
        (answer,) = json_lines(generate("--prompt", "1, 2, 3, 4, 5, 6,", "--stop", "9", "--json").stdout)
        self.assertEqual("stop", answer["finish_reason"])
        self.assertNotIn("9", answer["text"])
        self.assertIn("8", answer["text"])

    def test_a_flag_of_several_values_leaves_the_model_alone(self):
        plain = generate("--prompt", "1, 2, 3,", "--max-tokens", "12", "--stop", "6", "--stop", "8").stdout
        self.assertEqual(plain, generate("--prompt", "1, 2, 3,", "--max-tokens", "12", "--stop", "6", "--stop", "8",
                                         "smollm2").stdout)
        self.assertNotIn(b"6", plain)

    def test_prompt_components(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "prompt.yaml")
            path.write_text("instruction: Answer with one word.\n"
                            "examples:\n- {input: The opposite of hot, output: cold}\n"
                            "- {input: The opposite of big, output: small}\n"
                            "primary_content: The opposite of up\n")
            self.assertIn("down", generate("--components", str(path), "--max-tokens", "6").stdout.decode().lower())


class Constrained(unittest.TestCase):
    SCHEMA = {"type": "object", "properties": {"name": {"type": "string", "maxLength": 20},
                                               "age": {"type": "integer", "minimum": 0, "maximum": 120}},
              "required": ["name", "age"]}

    def test_json_that_fits_its_schema(self):
        (answer,) = json_lines(generate("--chat", "--prompt", "Describe a person.", "--json-schema",
                                        json.dumps(self.SCHEMA), "--json").stdout)
        person = json.loads(answer["text"])
        self.assertEqual({"name", "age"}, set(person))
        self.assertLessEqual(len(person["name"]), 20)
        self.assertTrue(0 <= person["age"] <= 120)
        self.assertEqual("stop", answer["finish_reason"])

    def test_regex_choice_and_grammar(self):
        ask = ["--chat", "--prompt", "Is the sky blue?"]
        text = lambda *args: generate(*ask, *args).stdout.decode().rstrip("\n")
        self.assertRegex(text("--regex", "[A-Z][a-z]{2,9}, 20[0-9]{2}"), r"^[A-Z][a-z]{2,9}, 20[0-9]{2}$")
        self.assertIn(text("--choice", "yes", "--choice", "no"), ["yes", "no"])
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "sum.gbnf"
            path.write_text('root ::= n "+" n\nn ::= [0-9]{1,2}')
            self.assertRegex(text("--grammar", str(path)), r"^\d{1,2}\+\d{1,2}$")

    def test_rows_and_refusals(self):
        rows = [{"id": "a", "prompt": "x", "structured_outputs": {"choice": ["left", "right"]}},
                {"id": "b", "prompt": "x", "response_format": {"type": "json_schema", "json_schema": {
                    "name": "n", "schema": {"type": "integer", "maximum": 9, "minimum": 1}}}},
                {"id": "c", "prompt": "x", "structured_outputs": {"json": {"uniqueItems": True}}}]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "rows.jsonl"
            path.write_text("".join(json.dumps(row) + "\n" for row in rows))
            done = generate("--input", str(path), check=False)
            self.assertEqual(3, done.returncode)
            answers = {a["id"]: a for a in json_lines(done.stdout)}
        self.assertIn(answers["a"]["text"], ["left", "right"])
        self.assertIn(answers["b"]["text"], list("123456789"))
        self.assertIn("'uniqueItems' at #", answers["c"]["error"])

    def test_flags_that_contradict_each_other(self):
        done = generate("--prompt", "x", "--regex", "a", "--choice", "b", check=False)
        self.assertNotEqual(0, done.returncode)
        done = generate("--prompt", "x", "--regex", "(?=a)", check=False)
        self.assertEqual(2, done.returncode)
        self.assertIn("nothing can match it", done.stderr.decode())


class Errors(unittest.TestCase):
    def assert_one_line(self, done, code=1):
        self.assertEqual(code, done.returncode, done.stderr)
        lines = done.stderr.decode().strip().splitlines()
        self.assertEqual(1, len(lines), lines)
        return lines[0]

    def test_one_clear_line(self):
        self.assertIn("no-such-model", self.assert_one_line(run("inspect", "no-such-model", check=False)))
        with tempfile.TemporaryDirectory() as folder:
            broken = Path(folder, "broken.gguf")
            broken.write_bytes(b"GGUF\x03\0\0\0" + b"\xff" * 64)
            self.assertIn("broken.gguf", self.assert_one_line(run("inspect", str(broken), check=False)))
            unwritable = Path(folder, "none", "out.jsonl")
            rows = Path(folder, "in.jsonl")
            rows.write_text('{"prompt": "a", "max_tokens": 1}\n')
            self.assertIn("cannot write", self.assert_one_line(
                generate("-i", str(rows), "-o", str(unwritable), check=False)))
        self.assertIn("--max-model-len", self.assert_one_line(
            generate("--prompt", "a", "--max-model-len", "1000000000", check=False), code=2))

    def test_usage_errors_are_one_line_and_exit_with_two(self):
        for args, expected in [
                (["--temperature", "hot"], "--temperature: hot: give a number, at least 0, at most 2"),
                (["--temperature", "-1"], "--temperature: -1: give a number, at least 0, at most 2"),
                (["--temperature", "nan"], "--temperature: nan: give a number, at least 0, at most 2"),
                (["--top-p", "2"], "--top-p: 2: give a number, at least 0, at most 1"),
                (["--typical-p", "0"], "--typical-p: 0: give a number, more than 0, at most 1"),
                (["--max-tokens", "99999999999"], "--max-tokens: 99999999999: give a whole number, 0 to 2147483647"),
                (["--max-tokens", "1.5"], "--max-tokens: 1.5: give a whole number, 0 to 2147483647"),
                (["--seed", "18446744073709551616"],
                 "--seed: 18446744073709551616: give a whole number, 0 to 18446744073709551615"),
                (["--seed", "-1"], "--seed: -1: give a whole number, 0 to 18446744073709551615"),
                (["--threads", "1.5"], "--threads: 1.5: give a whole number, 0 to 1024"),
                (["--kv-cache-memory", "-1"], "--kv-cache-memory: -1: give a size, such as 512MiB or 2GiB"),
                (["--kv-cache-memory", "16EiB"], "--kv-cache-memory: 16EiB: give a size, such as 512MiB or 2GiB"),
                (["--preemption", "never"], "--preemption: never: give one of auto, recompute, swap"),
                (["--logit-bias", "x"], "--logit-bias 'x': give TOKEN_ID:BIAS"),
                (["--prompt-file", "y"], "--prompt and --prompt-file cannot be given together"),
                (["--max-num-seq", "4"], "no flag is called '--max-num-seq'; the nearest is '--max-num-seqs'"),
                (["--zzzzzzzz"], "no flag is called '--zzzzzzzz'; caravel generate --help-all lists what there is"),
                (["--ngl", "99"], "no flag is called '--ngl': use --n-gpu-layers"),
                (["--device", "gpu"], "--device: gpu: give auto, cpu, cuda or cuda:N"),
                (["--gpu-memory-utilization", "1.5"], "--gpu-memory-utilization: 1.5: give a number"),
                (["--dtype=float16"], "no flag is called '--dtype': weights keep the type of their file"),
                (["smollm2", "stray"], "'stray' has no meaning here"),
                (["--enable-prefix-caching", "--no-enable-prefix-caching"],
                 "--enable-prefix-caching is given twice, or beside its opposite"),
                (["-n", "-1"], "-n: -1: give a whole number, 1 to 2147483647; it counts answers, and --max-tokens bounds"),
                (["-n", "1000"], "-n is 1000; the engine runs 64 sequences at once (--max-num-seqs)"),
                (["--beams", "3", "-n", "5"], "--beams is 3; it must be at least n, which is 5"),
                (["--kv-cache-memory", "2"], "--kv-cache-memory: 2: give a unit, as in 2GiB or 2MiB: a bare number"),
                (["--chat-template", "{{"], "--chat-template, line 1: a tag has no end"),
                (["--log-level", "loud"], "--log-level: loud: give one of trace, debug, info, warning, error, off")]:
            with self.subTest(args):
                line = self.assert_one_line(run("generate", "--prompt", "a", *args, check=False), code=2)
                self.assertIn("caravel: " + expected, line)
        too_small = self.assert_one_line(run("generate", "-p", "a", "--kv-cache-memory", "1KiB", check=False))
        self.assertRegex(too_small, r"--kv-cache-memory is 1024 bytes, which hold 0 blocks .*: give \d+ bytes or more")
        stray = self.assert_one_line(run("completion", "bash", "zsh", check=False), code=2)
        self.assertIn("'zsh' has no meaning here; caravel completion", stray)
        with tempfile.TemporaryDirectory() as folder:
            loop = Path(folder, "loop.gguf")
            loop.symlink_to("loop.gguf")
            self.assertTrue(self.assert_one_line(run("inspect", str(loop), check=False)).endswith(
                "loop.gguf: it is a link that leads to nothing"))
        self.assertIn("caravel: a command is missing", self.assert_one_line(run(check=False), code=2))
        self.assertIn("caravel: no command is called 'generat'",
                      self.assert_one_line(run("generat", check=False), code=2))
        self.assertIn("caravel: --input is required", self.assert_one_line(run("score", check=False), code=2))
        self.assertIn("Ends with 0", run("--help").stdout.decode())

    def test_nothing_behind_an_equals_sign_is_the_empty_text(self):
        with tempfile.TemporaryDirectory() as folder:
            victim = Path(folder, "victim")
            victim.write_text("a\n")
            for command, flag, word in (("embed", "--output", str(victim)), ("serve", "--api-key", "smollm2"),
                                        ("generate", "--max-tokens", "--json"), ("perplexity", "--file", "x")):
                with self.subTest(flag):
                    line = self.assert_one_line(run(command, f"{flag}=", word, check=False), code=2)
                    self.assertEqual(line, self.assert_one_line(run(command, flag, "", word, check=False), code=2))
            self.assertEqual("a\n", victim.read_text())
        args = ["--temperature", "0", "--max-tokens", "4", "--chat", "--prompt", "Hi", *ENGINE]
        self.assertEqual(run("generate", "--system", "", *args).stdout, run("generate", "--system=", *args).stdout)
        written = run("generate", "--max-tokens", "1", "--prompt", "--stop=", "--json", *ENGINE)  # it is the prompt
        self.assertEqual(3, json_lines(written.stdout)[0]["usage"]["prompt_tokens"])

    def test_the_greatest_seed_is_its_own(self):
        ask = lambda seed: generate("--prompt", "Once", "--temperature", "1", "--max-tokens", "12", "--seed", seed).stdout
        self.assertNotEqual(ask("18446744073709551615"), ask("18446744073709551614"))

    def test_a_full_disk_is_said(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([CARAVEL, "generate", "--prompt", "a", "--max-tokens", "2", *ENGINE], stdout=full,
                                  stderr=subprocess.PIPE, timeout=60)
        self.assertTrue(self.assert_one_line(done).endswith("standard output: cannot write: No space left on device"))

    def test_help_that_cannot_be_written_is_an_error(self):
        with open("/dev/full", "wb") as full:
            for args in (["--help"], ["--version"], ["generate", "--help-all"]):
                done = subprocess.run([CARAVEL, *args], stdout=full, stderr=subprocess.PIPE, timeout=60)
                self.assertIn("No space left", self.assert_one_line(done))

    def test_an_empty_name_of_a_file_is_no_name(self):
        for args in (["generate", "-i", ""], ["generate", "-i", "x", "-o", ""], ["generate", "--prompt-file", ""],
                     ["score", "-i", ""], ["embed", "-i", ""], ["embed", "-o", ""], ["perplexity", "-f", ""], ["generate", "--chat-template", ""],
                     ["serve", "--chat-template-traits", ""], ["inspect", "--rope-scaling", ""]):
            with self.subTest(args):
                self.assertIn("leave the flag out", self.assert_one_line(run(*args, check=False), code=2))
        for args in (["generate", "", "-p", "x"], ["generate", "-m", "", "-p", "x"], ["inspect", ""], ["tokenize", ""],
                     ["chat", "--model="]):
            with self.subTest(args):
                self.assertIn("MODEL: '': give a model, or leave it out",
                              self.assert_one_line(run(*args, check=False), code=2))

    def test_rows_are_not_written_over_the_data_nor_over_another_file(self):
        with tempfile.TemporaryDirectory() as folder:
            data, model, chosen = (Path(folder, name) for name in ("data.csv", "model.gguf", "chosen.csv"))
            data.write_text("instruction,output\nSay one,one\nSay two,two\n")
            model.write_bytes(b"GGUF\x03\0\0\0")
            choose = lambda output: run("prospect", "tasks", "--data", str(data), "--random", "1", "-o", str(output),
                                        check=False)
            before = data.read_bytes()
            self.assertIn("the --output is the --data", self.assert_one_line(choose(data)))
            self.assertIn("model.gguf: is there and holds no rows", self.assert_one_line(choose(model)))
            self.assertEqual((before, b"GGUF\x03\0\0\0"), (data.read_bytes(), model.read_bytes()))
            for _ in range(2):
                self.assertEqual(0, choose(chosen).returncode)
            self.assertEqual(2, chosen.read_text().count("\n"))

    def test_a_named_pipe_is_no_model(self):
        with tempfile.TemporaryDirectory() as folder:
            pipe = Path(folder, "model.gguf")
            os.mkfifo(pipe)
            self.assertIn("not a regular file", self.assert_one_line(run("inspect", str(pipe), check=False, timeout=20)))

    def test_a_closed_pipe_ends_silently(self):
        read, write = os.pipe()
        process = subprocess.Popen([CARAVEL, "generate", "--prompt", "a", "--max-tokens", "500", "--ignore-eos",
                                    *ENGINE], stdout=write, stderr=subprocess.PIPE)
        os.close(write)
        os.read(read, 1)
        os.close(read)
        _, errors = process.communicate(timeout=60)
        self.assertEqual((0, b""), (process.returncode, errors))


class Tokenize(unittest.TestCase):
    def test_round_trip_and_special_tokens(self):
        text = "<|im_start|>Grüße, 世界! 🚢"
        parsed = json.loads(run("tokenize", "--json", stdin=text).stdout)
        plain = json.loads(run("tokenize", "--json", "--no-special", stdin=text).stdout)
        self.assertEqual("<|im_start|>", parsed["tokens"][0])
        self.assertGreater(len(plain["token_ids"]), len(parsed["token_ids"]))

    def test_broken_utf8_is_replaced(self):
        done = run("tokenize", "--json", stdin=b"a\xffb")
        whole = run("tokenize", "--json", stdin="a\ufffdb")
        self.assertEqual((whole.stdout, b""), (done.stdout, whole.stderr))
        self.assertIn("standard input: is not UTF-8 in 1 place, the first on line 1; each is read as U+FFFD",
                      done.stderr.decode())

    def test_every_command_that_reads_a_text_says_that_it_is_broken(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "latin1.txt")
            path.write_bytes("Grüße\n\n".encode() + "schöne Grüße, und viele andere mehr".encode("latin-1") + b" \xe4\xb8")
            for args in (["perplexity", "-c", "8", "-f"], ["generate", "--max-tokens", "1", "--prompt-file"]):
                done = run(*args, str(path), *ENGINE)
                self.assertIn("latin1.txt: is not UTF-8 in 4 places, the first on line 3", done.stderr.decode())
            path.write_bytes(path.read_bytes().replace(b"\n\n", b"\n"))
            self.assertIn(b"in 4 places, the first on line 2", run("embed", "-i", str(path), *ENGINE).stderr)


class Inspect(unittest.TestCase):
    def test_memory_adds_up(self):
        info = json.loads(run("inspect", "--json", *ENGINE).stdout)
        self.assertEqual(30, info["layers"])
        self.assertEqual(info["kv_cache"]["tokens"], info["kv_cache"]["blocks"] * info["kv_cache"]["block_size"])
        self.assertEqual(info["memory"]["kv_pool_bytes"],
                         info["kv_cache"]["tokens"] * info["kv_cache"]["bytes_per_token"])
        self.assertLessEqual(info["memory"]["kv_pool_bytes"], 256 << 20)
        plan = info["memory"]["plan"]
        parts = ["weights", "activations", "program", "bodies", "grammars", "logprobs", "swap", "kv_cache", "left"]
        self.assertEqual(plan["available"], sum(plan[part] for part in parts))
        self.assertEqual(info["memory"]["weight_bytes"], plan["weights"])
        self.assertEqual(info["memory"]["activation_bytes"], plan["activations"])
        self.assertEqual(256 << 20, plan["kv_cache"])
        self.assertEqual((8192, 8192), (plan["max_model_len"], info["max_model_len"]))
        self.assertIn("Q4_1", run("inspect", *ENGINE).stdout.decode())

    def test_experts_are_shown(self):
        model = str(Path(__file__).parents[1] / "fixtures/models/qwen2_moe.gguf")
        shown = run("inspect", model).stdout.decode()
        self.assertIn("experts       6, each 32 wide, 2 for each token, and beside them 64 wide for all tokens", shown)
        self.assertRegex(shown, r"parameters    0\.1 million, 0\.0 million of them for each token")
        info = json.loads(run("inspect", "--json", model).stdout)
        self.assertEqual({"count": 6, "per_token": 2, "intermediate_size": 32, "shared_intermediate_size": 64},
                         info["experts"])
        self.assertLess(info["active_parameters"], info["parameters"])
        self.assertLess(info["memory"]["token_weight_bytes"], info["memory"]["weight_bytes"])
        self.assertIsNone(json.loads(run("inspect", "--json", *ENGINE).stdout)["experts"])

    def test_dummy_weights_need_no_files(self):
        fixture = Path(__file__).parents[1] / "fixtures/models/llama"
        with tempfile.TemporaryDirectory() as folder:
            for name in ("config.json", "tokenizer.json"):
                shutil.copy(fixture / name, folder)
            dummy = ["--load-format", "dummy", "--dummy-dtype", "q8_0"]
            info = json.loads(run("inspect", "--json", *dummy, folder).stdout)
            self.assertEqual({"Q8_0", "F32"}, {weights["type"] for weights in info["weights"]})
            self.assertIn("--load-format", [decision["flag"] for decision in info["decisions"]])
            self.assertTrue(generate("--prompt", "hello", "--max-tokens", "3", *dummy, folder).stdout)
            bench = run("bench", "throughput", "--json", "--num-prompts", "2", "--input-lens", "5,9", "--output-len", "3",
                        *dummy, folder)
            self.assertEqual(6, json.loads(bench.stdout)["output_tokens"])
            of_type = ["--dummy-dtype", "Q4_K"]
            for given, code, message in (([], 1, "no model.safetensors"), (of_type, 2, "--load-format must be dummy"),
                                         ([*dummy[:2], *of_type], 2, "--dummy-dtype is Q4_K, whose blocks are 256 elements")):
                done = run("inspect", *given, folder, check=False)
                self.assertEqual(code, done.returncode)
                self.assertIn(message, done.stderr.decode())
                self.assertEqual(1, done.stderr.decode().count("\n"))

    def test_windows_and_embeddings_add_up_for_a_reader(self):
        models = Path(__file__).parents[1] / "fixtures/models"
        shown = run("inspect", str(models / "gpt_oss")).stdout.decode()
        cache = json.loads(run("inspect", "--json", str(models / "gpt_oss")).stdout)["kv_cache"]
        self.assertEqual(cache["tokens"], cache["blocks"] // cache["groups"] * cache["block_size"])
        self.assertIn(f"{cache['blocks']} blocks, each of 16 tokens in one of {cache['groups']} groups of layers; ", shown)
        self.assertIn(f"{cache['tokens']} tokens fit, and more where layers have windows", shown)
        self.assertIn("of them for each token, all of the embedding counted", shown)
        self.assertIn("of weights; of an embedding that is no LM head, a row", shown)

    def test_a_context_that_nobody_gave_is_not_what_is_told_of(self):
        model = str(Path(__file__).parents[1] / "fixtures/models/llama")
        for args, message in (
                (["bench", "latency", "--depth", "300"], "813 tokens of context, for --depth 300 and then --input-len 512 "
                 "or --output-len 128; the model was made for contexts of up to 256 tokens"),
                (["bench", "latency", "--max-model-len", "300"], "--max-model-len is 300; the model was made for"),
                (["perplexity", "-f", __file__], "windows of 512 tokens (--ctx-size gives others); the model was made for "
                 "contexts of up to 256 tokens")):
            done = run(*args, model, check=False)
            self.assertEqual(2, done.returncode, done.stderr)
            self.assertIn(message, done.stderr.decode())
            self.assertEqual(1, done.stderr.decode().count("\n"))

    def test_a_small_pool_lowers_the_context_and_says_so(self):
        done = run("inspect", "--json", "--kv-cache-memory", "64MiB")
        info = json.loads(done.stdout)
        self.assertEqual(info["kv_cache"]["tokens"], info["max_model_len"])
        self.assertEqual(8192, info["memory"]["plan"]["full_model_len"])
        self.assertIn(f"the context is {info['max_model_len']} tokens, not 8192", done.stderr.decode())
        self.assertIn("the context was lowered", run("inspect", "--kv-cache-memory", "64MiB").stdout.decode())
        refused = run("inspect", "--kv-cache-memory", "64MiB", "--max-model-len", "8192", check=False)
        self.assertEqual(1, refused.returncode)
        self.assertIn("--max-model-len is 8192, for which the KV cache needs", refused.stderr.decode())

    def test_more_swap_space_than_there_is_takes_a_share(self):
        plan = json.loads(run("inspect", "--json", "--swap-space", "9999999").stdout)["memory"]["plan"]
        self.assertGreater(plan["swap"], 0)
        self.assertLess(plan["swap"], plan["available"] / 4)

    def test_ulimit_is_seen(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
        done = subprocess.run([CARAVEL, "inspect", "--json"], capture_output=True, timeout=120, preexec_fn=limit)
        self.assertEqual(0, done.returncode, done.stderr)
        plan = json.loads(done.stdout)["memory"]["plan"]
        self.assertIn("ulimit -v: 1.0 GiB", plan["bound_by"])
        self.assertLess(plan["available"], 1 << 30)

    def test_what_was_decided_is_said_with_its_reason_and_flag(self):
        rows = {row["what"]: row for row in json.loads(run("inspect", "--json", *ENGINE).stdout)["decisions"]}
        self.assertIn("<|im_end|>", rows["end of generation"]["value"])
        self.assertIn("tokenizer.ggml.bos_token_id", rows["beginning of sequence"]["why"])
        self.assertEqual("--chat-template", rows["chat template"]["flag"])
        self.assertEqual("none", rows["rotary scaling"]["value"])
        self.assertIn("8192", rows["context"]["value"])
        given = json.loads(run("inspect", "--json", "--tool-call-parser", "mistral", *ENGINE).stdout)["decisions"]
        (calls,) = [row for row in given if row["what"] == "tool calls"]
        self.assertEqual(("mistral", "given"), (calls["value"], calls["why"]))
        text = run("inspect", *ENGINE).stdout.decode()
        self.assertIn("decided from the files, and why", text)
        self.assertIn("otherwise by --tool-call-parser", text)
        self.assertEqual("--rope-scaling", rows["rotary scaling"]["flag"])
        self.assertTrue(rows["beginning of sequence"]["flag"].startswith("--add-bos-token"))

    def test_the_beginning_of_sequence_and_the_rotary_scaling_are_overridden(self):
        models = Path(__file__).resolve().parents[1] / "fixtures" / "models"
        yarn = '{"rope_type":"yarn","factor":4.0,"original_max_position_embeddings":128}'
        for model in ("llama", "llama.gguf"):
            flags = (str(models / model), "--kv-cache-memory", "8MiB")
            given = json.loads(run("inspect", "--json", *flags, "--rope-scaling", yarn, "--add-bos-token", "yes").stdout)
            rows = {row["what"]: row for row in given["decisions"]}
            self.assertEqual("given", rows["rotary scaling"]["why"])
            self.assertIn("yarn, factor 4 over 128 tokens", rows["rotary scaling"]["value"])
            self.assertEqual(512, given["model_max_position"])
            self.assertEqual("given", rows["beginning of sequence"]["why"])
            self.assertIn(", put before", rows["beginning of sequence"]["value"])
            for add, count in (("auto", 2), ("yes", 3), ("no", 2)):
                ids = json.loads(run("tokenize", "--json", flags[0], "--add-bos-token", add, stdin="hi").stdout)["token_ids"]
                self.assertEqual(count, len(ids), (model, add))
        for flag, value, part in (("--rope-scaling", "yarn", "--rope-scaling: give none"),
                                  ("--rope-scaling", '{"rope_type":"linear"}', "linear needs a factor"),
                                  ("--add-bos-token", "maybe", "--add-bos-token")):
            done = run("generate", *flags, "--prompt", "a", flag, value, check=False)
            self.assertNotEqual(0, done.returncode)
            self.assertIn(part, done.stderr.decode())
            if flag == "--rope-scaling":
                self.assertEqual(1, len(done.stderr.decode().splitlines()), done.stderr)


class Folders(unittest.TestCase):
    """A folder that lacks what it needs says so at the start, whoever opens it."""

    def setUp(self):
        fixtures = Path(__file__).resolve().parents[1] / "fixtures" / "models"
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        for file in (fixtures / "llama").iterdir():
            shutil.copy(file, self.folder)

    def refused(self, *args, stdin=""):
        done = run(*args, check=False, stdin=stdin)
        self.assertEqual((1, b""), (done.returncode, done.stdout), args)
        self.assertEqual(1, len(done.stderr.decode().splitlines()), done.stderr)
        return done.stderr.decode()

    def test_without_tokenizer_json(self):
        (self.folder / "tokenizer.json").unlink()
        (self.folder / "tokenizer.model").write_text("x")
        rows = self.folder / "rows.jsonl"
        rows.write_text('{"prompt": "a"}\n')
        model = str(self.folder)
        for args in (["serve", model, "--port", "0"], ["generate", model, "--prompt", "a"], ["chat", model],
                     ["tokenize", model], ["generate", model, "-i", str(rows), "-o", "-"], ["inspect", model]):
            message = self.refused(*args)
            self.assertIn("no tokenizer.json", message)
            self.assertIn("tokenizer.model", message)

    def test_a_template_that_cannot_be_read_is_blamed_itself(self):
        config = self.folder / "tokenizer_config.json"
        config.write_text(json.dumps({**json.loads(config.read_text()), "chat_template": "{% if %}"}))
        done = run("generate", str(self.folder), "--chat", "--prompt", "a", check=False)
        self.assertEqual(1, done.returncode)
        warning, refusal = done.stderr.decode().splitlines()
        self.assertIn("its chat template cannot be used", warning)
        self.assertIn("The model's chat template cannot be used", refusal)
        (row,) = [row for row in json.loads(run("inspect", "--json", str(self.folder)).stdout)["decisions"]
                  if row["what"] == "chat template"]
        self.assertEqual("none", row["value"])
        self.assertIn("expected an expression", row["why"])


class Chat(unittest.TestCase):
    def test_a_system_prompt(self):
        ask = lambda *args: generate("--chat", "--prompt", "Who are you?", "--temperature", "0", "--max-tokens", "12",
                                     *args).stdout
        self.assertNotEqual(ask(), ask("--system", "You are a pirate. Say arr."))
        self.assertEqual(2, generate("--prompt", "a", "--system", "b", check=False).returncode)

    def test_remembers_until_reset(self):
        lines = "Hello there.\n/stats\nGo on.\n/stats\n/reset\nHello there.\n/stats\n"
        done = run("chat", "--temperature", "0", "--max-tokens", "12", *ENGINE, stdin=lines)
        first, second, third = re.findall(r"last answer: (\d+) prompt tokens \((\d+) cached\)", done.stderr.decode())
        self.assertGreater(int(second[0]), int(first[0]))
        self.assertGreater(int(second[1]), 0)
        self.assertEqual(first[0], third[0])
        answers = done.stdout.decode().splitlines()
        self.assertEqual(answers[0], answers[-1])

    def test_ctrl_c_stops_the_answer_and_not_the_program(self):
        pid, terminal = pty.fork()
        if pid == 0:
            os.execv(CARAVEL, [CARAVEL, "chat", "--temperature", "0", "--max-tokens", "2000", "--ignore-eos", *ENGINE])
        self.addCleanup(os.close, terminal)
        seen = b""

        def read_until(done, seconds=30):
            nonlocal seen
            deadline = time.monotonic() + seconds
            while not done(seen):
                self.assertLess(time.monotonic(), deadline, seen)
                if select.select([terminal], [], [], 0.2)[0]:
                    seen += os.read(terminal, 4096)

        read_until(lambda text: b"> " in text)
        os.write(terminal, b"a line that is given up")
        read_until(lambda text: b"given up" in text)
        mark = len(seen)
        os.write(terminal, b"\x03")
        read_until(lambda text: b"> " in text[mark:])
        os.write(terminal, b"Tell me a long story.\n")
        start = len(seen)
        read_until(lambda text: len(text) > start + 100)
        os.write(terminal, b"\x03")
        mark = len(seen)
        read_until(lambda text: text[mark:].rstrip(b" ").endswith(b">"))
        os.write(terminal, b"/exit\n")
        try:
            while os.read(terminal, 4096):
                pass
        except OSError:
            pass
        self.assertEqual(0, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


if __name__ == "__main__":
    sys.exit(unittest.main())
