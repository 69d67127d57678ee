"""Runs the commands of README.md as they stand there, and reads the answers for sense.

Run by ctest with CARAVEL set to the binary; by hand: CARAVEL=build/release/caravel python3 tests/docs/readme_test.py
"""

import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

README = Path(__file__).parents[2] / "README.md"
CARAVEL = Path(os.environ.get("CARAVEL", "build/release/caravel")).absolute()
COLOURS = r"(?is)(red|blue|green|yellow|orange|purple|black|white).*(red|blue|green|yellow|orange|purple|black|white)"
FRUITS = r"(?is)(apple|banana|orange|grape|berr|peach|pear|mango).*(apple|banana|orange|grape|berr|peach|pear|mango)"
PERSON = {"type": "object", "properties": {"name": {"type": "string", "maxLength": 30},
                                           "age": {"type": "integer", "minimum": 0, "maximum": 120}},
          "required": ["name", "age"], "additionalProperties": False}
FILES = {
    "person.json": json.dumps(PERSON),
    "requests.jsonl": json.dumps({"id": "a", "prompt": "The capital of France is", "max_tokens": 8}) + "\n",
    "pairs.jsonl": json.dumps({"prefix": "The capital of France is", "continuations": [" Paris", " Rome"]}) + "\n",
    "text.txt": README.read_text()[:6000],
    "texts.txt": "a cat\na dog\na car\n",
}

# What the output of the command that has this in it must match. Each command of the README has one, or stands in UNTRIED.
EXPECTED = {
    'caravel generate --prompt "The three primary colors are"': COLOURS,
    "What is the capital of Japan?": r"Tokyo",
    'caravel generate --prompt "Once upon a time"': r'(?s)("text": ?".{20,}){3}',
    'caravel generate --chat --prompt "Describe a person"': r'^\{\s*"name": ?"[^"]*", ?\s*"age": ?\d+\s*\}$',
    "caravel generate --input": r"^$",
    "caravel score": r'"logprob": ?-',
    "caravel perplexity": r"\d+\.\d+",
    "caravel embed": r"^$",
    'echo "Grüße, 世界" | caravel tokenize': r'"count": ?\d+|\[\d+, ?\d+',
    "caravel inspect": r"(?s)SmolLM2|Smollm2.*KV cache",
    '"name": "get_weather"': r'get_weather.*"city.{1,6}(Paris|Rome)',
}
UNTRIED = {
    "caravel chat": "a terminal: tests/cli/cli_test.py",
    "caravel prospect": "takes minutes: tests/cli/prospect_test.py runs it with a tiny model",
    "caravel voyage": "takes minutes, or a server: tests/cli/voyage_test.py has each of them",
    "caravel bench latency": "takes a quiet machine: bench/",
    "caravel serve": "tests/cli/serve_test.py; one of them is what the curl commands call",
    "git clone": "CI itself",
    "make ": "CI itself",
    "cd ": "CI itself",
}


def blocks(language):
    found = re.findall(r"^```(\w*)\n(.*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)
    return [text for name, text in found if name == language]


def commands():
    """Those of the shell blocks, without the comments behind them; one goes on until its quotes are closed."""
    for block in blocks(""):
        block = re.sub(r" +#.*$", "", block, flags=re.MULTILINE).replace("\\\n", " ")
        command = ""
        for line in block.split("\n"):
            command += ("\n" if command else "") + line
            if command.count("'") % 2 == 0:
                if re.match(r"(caravel|curl|echo|git|make|cd) ", command):
                    yield command.strip()
                command = ""


def expectation(command):
    found = [key for key in EXPECTED if key in command]
    return EXPECTED[max(found, key=len)] if found else None


class Readme(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        for name, text in FILES.items():
            Path(cls.folder.name, name).write_text(text)
        bin_folder = Path(cls.folder.name, "bin")
        bin_folder.mkdir()
        (bin_folder / "caravel").symlink_to(CARAVEL)
        cls.environment = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}"}
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            cls.port = free.getsockname()[1]
        cls.server = subprocess.Popen(["caravel", "serve", "--port", str(cls.port), "--kv-cache-memory", "256MiB"],
                                      env=cls.environment, cwd=cls.folder.name, stdout=subprocess.PIPE,
                                      stderr=subprocess.DEVNULL, text=True)
        cls.server.stdout.readline()  # it is ready

    @classmethod
    def tearDownClass(cls):
        cls.server.terminate()
        cls.server.wait(60)
        cls.server.stdout.close()
        cls.folder.cleanup()

    def shell(self, command):
        done = subprocess.run(["bash", "-c", command.replace("localhost:8000", f"localhost:{self.port}")],
                              env=self.environment, cwd=self.folder.name, capture_output=True, text=True, timeout=300)
        self.assertEqual(0, done.returncode, f"{command}\n{done.stderr}")
        return done.stdout

    def test_every_command_runs_and_its_answer_makes_sense(self):
        tried = 0
        for command in commands():
            with self.subTest(command):
                if command.startswith(tuple(UNTRIED)):
                    continue
                rule = expectation(command)
                self.assertIsNotNone(rule, "the README has a command that this test does not know")
                self.assertRegex(self.shell(command).strip(), rule)
                tried += 1
        self.assertGreaterEqual(tried, len(EXPECTED))

    def test_the_python_client(self):
        (block,) = blocks("python")
        try:
            import openai  # noqa: F401
        except ImportError:
            self.skipTest("the package openai is not installed")
        script = block.replace("localhost:8000", f"localhost:{self.port}")
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=300)
        self.assertEqual(0, done.returncode, done.stderr)
        self.assertRegex(done.stdout, FRUITS)

    def test_its_questions_are_answered_each_time(self):
        """What a newcomer asks first, by defaults alone: short, and about the question."""
        for question, rule in (("Give me three fruits.", FRUITS), ("What is the capital of Japan?", "Tokyo")):
            for _ in range(8):
                body = json.dumps({"messages": [{"role": "user", "content": question}]})
                answer = json.loads(self.shell(
                    f"curl -sS localhost:8000/v1/chat/completions -H 'Content-Type: application/json' -d '{body}'"))
                self.assertEqual("stop", answer["choices"][0]["finish_reason"])
                self.assertLess(answer["usage"]["completion_tokens"], 400)
                self.assertRegex(answer["choices"][0]["message"]["content"], rule)


if __name__ == "__main__":
    unittest.main()
