"""What the command line says of itself: --help, hints, variables of the environment, completions, the manual page.

Run by ctest with CARAVEL set to the binary; by hand: CARAVEL=build/release/caravel python3 tests/cli/help_test.py
"""

import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

CARAVEL = str(Path(os.environ.get("CARAVEL", "build/release/caravel")).resolve())
SOURCE = Path(__file__).resolve().parents[2]


def run(*args, env={}, stdin=""):
    return subprocess.run([CARAVEL, *args], input=stdin, capture_output=True, text=True, timeout=120,
                          env={**os.environ, **env})


def help_of(*args):
    done = run(*args)
    assert (done.returncode, done.stderr) == (0, ""), (args, done)
    return done.stdout


def commands(help_text):
    part = help_text.split("\nCommands:\n")[1].split("\n\n")[0] if "\nCommands:\n" in help_text else ""
    return re.findall(r"^  (\S+) ", part, re.MULTILINE)


def all_commands():
    found = []
    for name in commands(help_of("--help")):
        inner = commands(help_of(name, "--help"))
        found += [[name, each] for each in inner] or [[name]]
    return found


def rows(help_text):
    """{flag: (the value that it takes, what is said of it)}, by its last name."""
    found = {}
    for text in re.split(r"\n  (?=-)", help_text.split("\nOf any command:\n")[0]):
        if text.startswith("-"):
            text = " ".join(text.split("\n\n")[0].split())
            names = re.match(r"(?:-\S+, )*(-\S+)", text).group(1)
            value, said = re.match(r"(?:-[^\s,]+(?:, )?)+ ?((?:\{[\w,]+\}|JSON|[A-Z][A-Z_:,]*(?= |$))?)(.*)", text).groups()
            found[names] = (value, said)
    return found


class Help(unittest.TestCase):
    def test_commands_show_their_own_flags_and_leave_the_engines_to_help_all(self):
        names = all_commands()
        for name in (["serve"], ["generate"], ["chat"], ["score"], ["inspect"], ["bench", "latency"]):
            self.assertIn(name, names)
            short, whole = help_of(*name, "--help"), help_of(*name, "--help-all")
            self.assertNotIn("--max-num-batched-tokens", short)
            self.assertEqual(1, short.count("-h, --help"))
            self.assertIn("--help-all lists the engine's flags", short)
            self.assertIn("--max-num-batched-tokens", whole)
            self.assertIn("[CARAVEL_KV_CACHE_MEMORY]", whole)
            self.assertEqual(set(rows(short)) - set(rows(whole)), set())
        self.assertIn("Ends with 0", help_of("--help"))
        for name in names:
            self.assertIn(f"caravel {' '.join(name)} ", help_of("--help-all"))

    def test_what_a_command_does_not_use_is_not_offered(self):
        self.assertNotIn("--kv-cache-memory", help_of("tokenize", "--help-all"))
        self.assertNotIn("MODEL", help_of("bench", "memory", "--help-all").split("Of any command")[0])
        done = run("tokenize", "--kv-cache-memory", "1GiB")
        self.assertEqual(2, done.returncode)
        self.assertIn("'--kv-cache-memory' is a flag of caravel serve, ", done.stderr)
        self.assertIn("not of caravel tokenize", done.stderr)

    def test_values_and_defaults(self):
        serve = rows(help_of("serve", "--help-all"))
        for flag, value, default in [
                ("--port", "N", "8000"), ("--host", "TEXT", "127.0.0.1"), ("--prefix-cache-scope", "{all,key}", "all"),
                ("--log-format", "{text,json}", "text"), ("--max-body-size", "SIZE", "32MiB"),
                ("--max-answer-size", "SIZE", "256MiB"), ("--threads", "N", "0"), ("--swap-space", "SIZE", "256MiB"),
                ("--max-time-between-tokens", "NUMBER", "0"), ("--block-size", "{8,16,32,64,128}", "16"),
                ("--kv-cache-dtype", "{f32,f16,bf16,int8,fp8}", "f16"), ("--request-timeout", "N", "600")]:
            self.assertEqual(value, serve[flag][0], flag)
            self.assertIn(f"(default: {default})", serve[flag][1], flag)
        generate = rows(help_of("generate", "--help"))
        self.assertIn("(with --input)", generate["--output"][1])
        self.assertIn("(not with --components, --input, --prompt)", generate["--prompt-file"][1])
        self.assertIn("(default: 32,512)", rows(help_of("bench", "throughput", "--help"))["--input-range"][1])
        self.assertIn("(default: 8000)", rows(help_of("serve", "--port", "9", "--help"))["--port"][1])
        # 0 stands for no bound inside, and cannot be given.
        self.assertNotIn("default", rows(help_of("bench", "serve", "--help"))["--request-rate"][1])

    def test_every_number_and_choice_has_a_default_or_says_what_is_without_it(self):
        optional = {"--shots", "--seed", "--logprobs", "--prompt-logprobs", "--stop-token-ids", "--allowed-token-ids",
                    "--request-rate", "--max-concurrency", "--output-len", "--input-lens", "--input-range"}
        for name in all_commands():
            text = help_of(*name, "--help-all")
            self.assertNotRegex(text, r"\b(UINT|INT|FLOAT|ENUM|BOOLEAN|POSITIVE|NONNEGATIVE)\b")
            for flag, (value, said) in rows(text).items():
                if value and value not in ("TEXT", "JSON", "TOKEN_ID:BIAS") and flag not in optional:
                    self.assertRegex(said, "[Dd]efault", (name, flag))

    def test_lines_fit_a_terminal(self):
        for name in all_commands():
            for line in help_of(*name, "--help-all").splitlines():
                self.assertTrue(len(line) <= 100 or " " not in line.strip(), line)


class Hints(unittest.TestCase):
    def said(self, *args, code=2, env={}):
        done = run(*args, env=env)
        self.assertEqual(code, done.returncode, (args, done))
        self.assertEqual("", done.stdout)
        self.assertEqual(1, len(done.stderr.splitlines()), done.stderr)
        return done.stderr

    def test_flags_of_other_engines(self):
        for args, hint in [
                (["--n-predict", "16"], "use --max-tokens"), (["-no-cnv"], "leave it out"),
                (["--max-seq-len", "9"], "use --max-model-len"), (["-e"], "a shell writes a line break"),
                (["--chat", "-p", "hi", "--sistem", "Be brief"], "'--sistem'; the nearest is '--system'"),
                (["--chat", "-p", "hi", "--foo", "Be brief"], "no flag is called '--foo'"),
                (["-p", "x", "-ngl", "99"], "'-ngl': use --n-gpu-layers"), (["--parallel", "4"], "use --max-num-seqs"),
                (["--repeat-penalty", "1.1"], "use --repetition-penalty"), (["--jinja"], "as Jinja always"),
                (["--max-new-tokens", "9"], "use --max-tokens"), (["--max_new_tokens", "9"], "use --max-tokens"),
                (["--temp", "0"], "use --temperature"), (["-hf", "org/name"], "'hf download org/name'"),
                (["--do-sample"], "--temperature"), (["-fa"], "leave it out")]:
            with self.subTest(args):
                self.assertIn(hint, self.said("generate", *args))
        self.assertIn("it is --max-tokens of caravel generate, caravel chat", self.said("score", "-n", "8"))

    def test_the_model_may_be_a_flags_value(self):
        for args in (["-m", "none"], ["--model", "none"], ["--model=none"], ["none"]):
            self.assertIn("no model none: ", self.said("inspect", *args, code=1))
            self.assertIn("no model none: ", self.said("bench", "latency", *args, code=1))
        self.assertIn("takes one value", self.said("inspect", "none", "-m", "other"))
        self.assertIn("--max-model-len is 100000", self.said("generate", "-p", "a", "-c", "100000"))
        self.assertIn("--threads: x: give a whole number", self.said("generate", "-p", "a", "-t", "x"))

    def test_help_of_a_command_by_its_name(self):
        self.assertEqual(help_of("serve", "--help"), help_of("help", "serve"))
        self.assertEqual(help_of("bench", "latency", "--help"), help_of("help", "bench", "latency"))
        self.assertEqual(help_of("--help"), help_of("help"))
        for args in (["help", "gen"], ["gen", "--help"]):
            self.assertIn("no command is called 'gen'; the nearest is 'generate'", self.said(*args))
        self.assertIn("caravel completion bash", help_of("--help"))

    def test_what_was_probably_meant(self):
        with tempfile.TemporaryDirectory() as folder:
            text = Path(folder, "text.txt")
            text.write_text("a text")
            for args, hint, code in [
                    (["embed", "hello world"], "'hello world' is no model; what to work on is a file, --input FILE", 2),
                    (["chat", "smollm2", "hello"], "a message is typed once the chat has begun", 2),
                    (["smollm2"], "caravel chat smollm2 talks with the model, caravel serve smollm2 serves it", 2),
                    (["x.gguf"], "caravel chat x.gguf talks", 2),
                    (["tokenize", "hello"], "; the text comes on standard input" , 1),
                    (["perplexity", str(text)], f"stands in the place of MODEL: write --file {text}", 2)]:
                with self.subTest(args):
                    self.assertIn(hint, self.said(*args, code=code))

    def test_a_grammar_may_be_its_text(self):
        done = run("generate", "-p", "a", "--grammar", 'root ::= "yes"', "--max-tokens", "9", "--kv-cache-memory", "64MiB",
                   "--log-level", "error")
        self.assertEqual((0, "yes\n"), (done.returncode, done.stdout), done)

    def test_hints_name_what_there_is(self):
        source = (SOURCE / "src/cli/hints.cc").read_text()
        table = source[source.index("constexpr Hint kFlags"):source.index("constexpr std::string_view kTalk")]
        known = help_of("--help-all")
        used = set(re.findall(r'\{"[^"]+", "(-[^"]*)"', table))
        self.assertGreater(len(used), 15)
        for flag in used:
            self.assertRegex(known, rf"(?<![\w-]){re.escape(flag)}(?![\w-])")
        hidden = {"completion", "MODEL", "COMMAND"}
        for command in re.findall(r"caravel ([A-Za-z]+)", source):
            self.assertTrue(command in hidden or [command] in all_commands(), command)

    def test_commands(self):
        for args, hint in [
                (["gen", "-p", "hi"], "no command is called 'gen'; the nearest is 'generate'"),
                (["genarate", "--prompt", "hi"], "no command is called 'genarate'; the nearest is 'generate'"),
                (["server"], "the nearest is 'serve'"), (["run", "smollm2"], "'run': caravel chat MODEL talks"),
                (["pull", "smollm2"], "scripts/fetch_model"), (["list"], "models are files"), (["rm", "x"], "models are files"),
                (["ps"], "/dashboard"), (["show", "smollm2"], "caravel inspect MODEL"),
                (["complete"], "caravel generate --prompt"), (["finetune"], "there is no training yet"),
                (["zzz"], "no command is called 'zzz'; caravel --help lists"),
                (["voyage", "comapre", "run"], "no command is called 'comapre'; the nearest is 'compare'"),
                (["prospect", "selct", "run"], "no command is called 'selct'; the nearest is 'select'"),
                (["bench", "latancy"], "no command is called 'latancy'; the nearest is 'latency'"),
                (["-p", "hi"], "a command comes first"), (["--temperature", "1", "generate"], "stands before the command"),
                ([], "a command is missing: serve, generate, chat, "), (["bench"], "a command is missing: latency, ")]:
            with self.subTest(args):
                self.assertIn(hint, self.said(*args))

    def test_a_text_in_the_place_of_the_model(self):
        self.assertIn("MODEL: 'The sky is' is no model; a text to continue is given as --prompt \"TEXT\"",
                      self.said("generate", "The sky is"))
        self.assertIn("a text to continue is given as --prompt", self.said("generate", "The", "sky", "is"))

    def test_models(self):
        with tempfile.TemporaryDirectory() as home:
            env = {"HOME": home, "CARAVEL_CACHE": home, "HF_HUB_CACHE": home + "/hub", "HF_HOME": ""}
            self.assertIn("the nearest is 'smollm2'", self.said("inspect", "smolml2", code=1, env=env))
            self.assertIn("get it: hf download org/name", self.said("inspect", "org/name", code=1, env=env))
            Path(home, "mine.gguf").write_text("x")
            self.assertEqual("mine\n", run("completion", "models", env=env).stdout)

    def test_values(self):
        for args, problem in [
                (["--api-key"], "--api-key needs a value: TEXT"),
                (["--api-key", "--port", "80"], "--api-key needs a value, and --port is a flag"),
                (["--port", "1", "--port", "2"], "--port takes one value, and several are given")]:
            with self.subTest(args):
                self.assertIn(problem, self.said("serve", *args))
        self.assertIn("only one of --json-schema, --json-object", self.said("generate", "--regex", "a", "--choice", "b")
                      .replace(",--", ", --"))

    def test_what_the_model_or_the_machine_cannot_do_names_the_flag(self):
        for args, problem in [
                (["--max-model-len", "100000"], "--max-model-len is 100000; the model was made for contexts of up to 8192"),
                (["--regex", "(a"], "--regex: "), (["--json-schema", "{"], "--json-schema: "),
                (["--rope-scaling", "yarn"], "--rope-scaling: give none, or an object")]:
            with self.subTest(args):
                self.assertIn("caravel: " + problem, self.said("generate", "--prompt", "a", *args))
        known = re.search(r"there are (.*)\n", run("generate", "--isa", "avx512amx").stderr)
        if known:  # this machine has none
            self.assertIn("auto, portable", known.group(1))


class Variables(unittest.TestCase):
    def run_with(self, args, **env):
        return run(*args, env={"CARAVEL_" + name: value for name, value in env.items()})

    def test_they_give_flags(self):
        done = self.run_with(["generate"], PROMPT="1, 2, 3,", MAX_TOKENS="3", JSON="yes", MODEL="smollm2",
                             KV_CACHE_MEMORY="64MiB", LOG_LEVEL="error", IGNORE_EOS="false", STOP='["x", "y"]')
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertEqual(3, json.loads(done.stdout)["usage"]["completion_tokens"])
        done = self.run_with(["generate", "--max-tokens", "2"], PROMPT="1, 2, 3,", MAX_TOKENS="3", JSON="1",
                             KV_CACHE_MEMORY="64MiB", LOG_LEVEL="error")
        self.assertEqual(2, json.loads(done.stdout)["usage"]["completion_tokens"])

    def test_one_may_stand_for_a_flag_that_is_required(self):
        with tempfile.TemporaryDirectory() as folder:
            rows = Path(folder, "rows.jsonl")
            rows.write_text('{"prefix": "a", "continuations": [" b"]}\n')
            done = self.run_with(["score"], INPUT=str(rows), KV_CACHE_MEMORY="64MiB", LOG_LEVEL="error")
            self.assertEqual((0, ""), (done.returncode, done.stderr))
            self.assertIn("scores", done.stdout)
        self.assertIn("--input is required", run("score").stderr)

    def test_the_command_line_counts_for_more_and_a_file_for_less(self):
        with tempfile.TemporaryDirectory() as folder:
            config = Path(folder, "caravel.yaml")
            config.write_text("port: x\nmodel: no-such-model\n")
            done = self.run_with(["serve", "--config", str(config)])
            self.assertEqual((2, True), (done.returncode, ":1: --port: x: give a whole number" in done.stderr), done)
            config.write_text("port: 1\nmodel: no-such-model\n")
            done = self.run_with(["serve"], PORT="0", CONFIG=str(config))
            self.assertEqual((1, True), (done.returncode, "no model no-such-model" in done.stderr), done)
        done = self.run_with(["serve", "no-such-model", "--port", "0"], PORT="x")
        self.assertEqual((1, True), (done.returncode, "no model no-such-model" in done.stderr), done)
        # What the command line excludes is left out.
        done = self.run_with(["generate", "no-such-model", "--prompt-file", __file__], PROMPT="x", REGEX="a", SHOTS="2")
        self.assertEqual((1, True), (done.returncode, "no model no-such-model" in done.stderr), done)

    def test_what_is_wrong_names_them(self):
        for args, env, problem in [
                (["serve"], {"PORT": "http"}, "CARAVEL_PORT of the environment: --port: http: give a whole number"),
                (["generate"], {"JSON": "maybe"}, "CARAVEL_JSON of the environment: --json: maybe: give true or false"),
                (["generate"], {"PROMPT": "x", "INPUT": "y"}, "cannot be set together"),
                (["generate", "--output", "x", "--prompt", "y"], {"INPUT": "y"}, "--output requires --input"),
                (["inspect"], {"LOG_LEVEL": "loud"}, "CARAVEL_LOG_LEVEL of the environment: --log-level: loud: give one of")]:
            with self.subTest(env):
                done = self.run_with(args, **env)
                self.assertEqual(2, done.returncode, done)
                self.assertIn(problem, done.stderr)

        self.assertIn("CARAVEL_MODEL of the environment says it", self.run_with(["inspect"], MODEL="foo").stderr)

    def test_one_that_is_misspelt_is_told(self):
        for name, problem in [("MAX_TOKEN", "the nearest that does is CARAVEL_MAX_TOKENS"),
                              ("PARALLEL", "use --max-num-seqs")]:
            done = self.run_with(["inspect", "no-such-model"], **{name: "9"})
            self.assertIn(f"the variable CARAVEL_{name} says nothing", done.stderr)
            self.assertIn(problem, done.stderr)
        done = self.run_with(["inspect", "no-such-model"], SERVICE_PORT="9", PORT_80_TCP="x", HOME="/", VERSION="1")
        self.assertEqual(1, len(done.stderr.splitlines()), done)

    def test_a_service_of_that_name_is_no_port(self):
        done = self.run_with(["serve", "no-such-model"], PORT="tcp://10.0.0.1:8000")
        self.assertEqual((1, True), (done.returncode, "no model no-such-model" in done.stderr), done)

    def test_those_of_other_commands_do_no_harm(self):
        done = self.run_with(["inspect", "no-such-model"], PORT="x", INPUT="y", TEMPERATURE="z")
        self.assertEqual(1, done.returncode, done)


class ConfigFile(unittest.TestCase):
    def test_json_may_be_written_as_yaml(self):
        with tempfile.TemporaryDirectory() as folder:
            config = Path(folder, "caravel.yaml")
            config.write_text("model: smollm2\nport: 0\nrope-scaling: {rope_type: linear, factor: two}\n")
            done = run("serve", "--config", str(config))
            self.assertEqual(2, done.returncode, done)
            self.assertIn("--rope-scaling: ", done.stderr)
            self.assertIn("factor", done.stderr)
            for text, problem in [("prot: 1\n", ":1: no flag is called 'prot'; the nearest is 'port'"),
                                  ("\nparallel: 1\n", ":2: no flag is called 'parallel': use --max-num-seqs"),
                                  ("--port: 8123\n", ":1: '--port': flags stand here without their dashes: 'port'"),
                                  ("modle: x\n", ":1: no flag is called 'modle'; the nearest is 'model'"),
                                  ("model: [a, b]\n", ":1: --model takes one value"),
                                  ("model: x\n\tport: 1\n", ":2: a tab begins the line; YAML is indented with spaces"),
                                  ("port:\n", ":1: 'port' has no value"),
                                  ("host: ''\n", ":1: --host: '': give a text"),
                                  ("port: 1\n---\nport: 2\n", "has 2 documents"),
                                  ("port: " + "[" * 20000, "is nested too deeply"),
                                  ("port: [1, 2]\n", ":1: --port takes one value, and several are given"),
                                  ("port: {a: 1}\n", ":1: 'port' must be a value or a list of values"),
                                  ("log-prompts: maybe\n", ":1: --log-prompts: maybe: give true or false")]:
                config.write_text(text)
                done = run("serve", "--config", str(config))
                self.assertEqual((2, True), (done.returncode, problem in done.stderr), done)
            # What the command line says counts for more, and the file is checked all the same.
            config.write_text("port: x\n")
            self.assertIn(":1: --port: x: give", run("serve", "--config", str(config), "--port", "0").stderr)
            done = run("serve", "--config", str(config) + "x")
            self.assertEqual((2, True), (done.returncode, "--config: " in done.stderr), done)


class Completion(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.home = Path(self.folder.name)
        (self.home / "bin").mkdir()
        (self.home / "bin/caravel").symlink_to(CARAVEL)
        (self.home / "cache").mkdir()
        (self.home / "cache/mine.gguf").write_text("x")
        (self.home / "a file.txt").write_text("x")
        self.env = {**os.environ, "HOME": str(self.home), "CARAVEL_CACHE": str(self.home / "cache"), "TERM": "dumb",
                    "HF_HUB_CACHE": str(self.home / "hub"), "PATH": f"{self.home}/bin:{os.environ['PATH']}"}

    def script(self, shell):
        path = self.home / f"caravel.{shell}"
        path.write_text(help_of("completion", shell))
        return path

    def bash(self, *words):
        words = " ".join(f"'{word}'" for word in words)
        done = subprocess.run(["bash", "--norc", "-c", f"source '{self.script('bash')}'; COMP_WORDS=(caravel {words}); "
                               "COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _caravel; printf '%s\\n' \"${COMPREPLY[@]}\""],
                              capture_output=True, text=True, env=self.env, cwd=self.home)
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        return [line for line in done.stdout.splitlines() if line]

    def test_bash(self):
        self.assertEqual(["generate"], self.bash("gen"))
        self.assertIn("bench", self.bash(""))
        self.assertNotIn("completion", self.bash(""))
        self.assertEqual(["bash", "zsh", "fish", "models"], self.bash("completion", ""))
        self.assertEqual(["latency"], self.bash("bench", "la"))
        self.assertEqual(["--max-num-batched-tokens", "--max-num-seqs"], sorted(self.bash("serve", "--max-num")))
        self.assertIn("--base-url", self.bash("bench", "serve", "--"))
        self.assertNotIn("--host", self.bash("bench", "serve", "--"))
        self.assertEqual(["--goal", "--goal-attempts"], sorted(self.bash("voyage", "--goal")))
        self.assertEqual(["compare"], self.bash("voyage", "com"))
        self.assertEqual(["portable"], self.bash("serve", "--isa", "p"))
        self.assertEqual(["portable"], self.bash("serve", "--isa", "=", "p"))
        self.assertEqual(["bf16", "f16", "f32", "fp8", "int8"], sorted(self.bash("serve", "--kv-cache-dtype", "=")))
        self.assertEqual([], self.bash("serve", "--port", ""))
        self.assertEqual(["a file.txt"], self.bash("generate", "--prompt-file", "a"))
        self.assertIn("mine", self.bash("chat", ""))
        self.assertEqual(["mine"], self.bash("--log-level", "error", "chat", "--json", "m"))
        self.assertEqual(["bash", "fish", "models", "zsh"], sorted(
            re.search(r"\{(.*)\}", help_of("completion", "--help")).group(1).split(",")))

    @unittest.skipUnless(shutil.which("fish"), "there is no fish")
    def test_fish(self):
        def complete(line):
            done = subprocess.run(["fish", "--no-config", "-c", f"source '{self.script('fish')}'; complete -C '{line}'"],
                                  capture_output=True, text=True, env=self.env, cwd=self.home)
            self.assertEqual((0, ""), (done.returncode, done.stderr))
            return [each.split("\t")[0] for each in done.stdout.splitlines()]

        self.assertEqual(["generate"], complete("caravel gen"))
        self.assertEqual(["latency"], complete("caravel bench la"))
        self.assertEqual(["bash", "fish", "models", "zsh"], sorted(complete("caravel completion ")))
        self.assertEqual(["--max-num-batched-tokens", "--max-num-seqs"], sorted(complete("caravel serve --max-num")))
        self.assertEqual(["--base-url"], complete("caravel bench serve --base"))
        self.assertEqual([], complete("caravel bench serve --hos"))
        self.assertEqual(["--goal", "--goal-attempts"], sorted(complete("caravel voyage --goal")))
        self.assertEqual(["portable"], complete("caravel serve --isa p"))
        self.assertIn("mine", complete("caravel chat "))
        self.assertIn("a file.txt", [each.replace("\\", "") for each in complete("caravel generate --prompt-file a")])

    @unittest.skipUnless(shutil.which("zsh"), "there is no zsh")
    def test_zsh(self):
        """In a terminal: what stands in the line when the tabulator was pressed."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.home)
            os.execvpe("zsh", ["zsh", "-f", "-i"], self.env)
        self.addCleanup(os.close, terminal)

        def read_until(wanted, seconds=20):
            seen = b""
            deadline = time.monotonic() + seconds
            while wanted not in seen:
                self.assertLess(time.monotonic(), deadline, (wanted, seen))
                if select.select([terminal], [], [], 0.2)[0]:
                    seen += os.read(terminal, 4096)
            return seen

        script = self.script("zsh")
        os.write(terminal, f"PS1='%# '; autoload -Uz compinit; compinit -u -D; source {script}; print rea''dy\n".encode())
        read_until(b"ready")
        for line, end in [(b"caravel gen", b"generate"), (b"caravel bench la", b"latency"),
                          (b"caravel serve --max-num-s", b"--max-num-seqs"), (b"caravel serve --isa p", b"portable"),
                          (b"caravel serve --isa=p", b"--isa=portable"), (b"caravel bench serve --base", b"--base-url"),
                          (b"caravel completion f", b"fish"), (b"caravel generate --prompt-file a", b"a\\ file.txt"), (b"caravel chat mi", b"mine")]:
            os.write(terminal, line + b"\t")
            read_until(end)
            os.write(terminal, b"\x15")  # gives the line up
        os.write(terminal, b"\x15exit\n")
        os.waitpid(pid, 0)


class ManPage(unittest.TestCase):
    def setUp(self):
        self.page = help_of("man")

    def test_every_command_and_flag_has_its_place(self):
        for name in all_commands():
            self.assertIn(f".SS caravel {' '.join(name)}\n", self.page)
            for flag in rows(help_of(*name, "--help-all")):
                self.assertIn("\\fB" + flag.replace("-", "\\-") + "\\fR", self.page)

    @unittest.skipUnless(shutil.which("groff") or shutil.which("man"), "there is no man")
    def test_man_finds_nothing_wrong(self):
        with tempfile.NamedTemporaryFile("w", suffix=".1") as file:
            file.write(self.page)
            file.flush()
            done = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", file.name], capture_output=True, text=True,
                                  env={**os.environ, "MANWIDTH": "100", "MANPAGER": "cat", "LC_ALL": "C.UTF-8"})
        self.assertEqual((0, ""), (done.returncode, done.stderr))
        self.assertIn("--max-model-len", done.stdout)

    @unittest.skipUnless(shutil.which("mandoc"), "there is no mandoc")
    def test_mandoc_finds_nothing_wrong(self):
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning"], input=self.page, capture_output=True, text=True)
        said = [line for line in done.stdout.splitlines() if "missing date" not in line]  # the same page from each build
        self.assertEqual([], said)


if __name__ == "__main__":
    sys.exit(unittest.main())
