"""Forty steps that somebody takes in the first hour, each with what must be seen. tests/newcomer/run takes them in a bare
Debian; by hand, in a folder of no importance: CARAVEL=build/release/caravel python3 tests/newcomer/steps.py
"""

import json
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))
from large_model_test import write_gguf

CARAVEL = Path(os.environ.get("CARAVEL", "build/release/caravel")).absolute()
SOURCE = Path(__file__).resolve().parents[2]
COLOURS = r"(?is)(red|blue|green|yellow|orange|purple|black|white).*(red|blue|green|yellow|orange|purple|black|white)"


@dataclass
class Step:
    what: str            # that somebody wants
    command: str         # as it is typed
    sees: str            # what both outputs together must match
    code: int = 0        # that it ends with
    seconds: float = 60  # at most
    files: dict = field(default_factory=dict)  # name -> text, made before


def rows(*objects):
    return "".join(json.dumps(each) + "\n" for each in objects)


TWENTY = [{"id": f"r{i}", "prompt": f"Number {i} and", "max_tokens": 4, "temperature": 0} for i in range(20)]
BROKEN = TWENTY[:3] + [{"id": f"bad{i}", "prompt": "x", "max_tokens": -1} for i in range(3)] + TWENTY[3:17]
MENDED = [{**row, "max_tokens": 4} for row in BROKEN]
EDITED = [{**MENDED[0], "prompt": "Another text and"}] + MENDED[1:]
BATCH = [{"custom_id": "a", "method": "POST", "url": "/v1/chat/completions",
          "body": {"model": "any", "messages": [{"role": "user", "content": "What is the capital of Japan?"}]}}]

STEPS = [
    # Who is it?
    Step("the version", "caravel --version", r"caravel \d+\.\d+"),
    Step("what there is", "caravel --help", r"(?s)serve.*generate.*chat.*score.*perplexity.*embed.*tokenize.*inspect"),
    Step("what there is, by typing nothing", "caravel", r"caravel --help", code=2),
    Step("one command's own flags", "caravel generate --help", r"(?s)--prompt.*--temperature.*--help-all"),
    Step("all of its flags", "caravel generate --help-all", r"(?s)--kv-cache-memory.*CARAVEL_KV_CACHE_MEMORY"),
    # Typing.
    Step("a misspelt command", "caravel genrate --prompt hi", r"'genrate'.*generate", code=2),
    Step("a misspelt flag", "caravel generate --prmpt hi", r"--prompt", code=2),
    Step("a misspelt model", "caravel inspect smolml2", r"smollm2", code=1),
    Step("Ollama's command", "caravel pull llama3", r"fetch_model|hf download", code=2),
    Step("Ollama's other command", "caravel run smollm2", r"caravel chat", code=2),
    Step("llama.cpp's flags", "caravel generate -m smollm2 -c 2048 -t 2 --prompt hi", r"\w"),
    Step("llama.cpp's flag for the devices", "caravel generate -ngl 99 --prompt hi", r"no GPUs", code=2),
    Step("llama.cpp's flag for the length", "caravel generate --n-predict 8 --prompt hi", r"--max-tokens", code=2),
    Step("llama.cpp's flag for the model", "caravel generate -m model.gguf --prompt hi", r"no model model.gguf", code=1),
    Step("transformers' flag", "caravel generate --max-new-tokens 8 --prompt hi", r"--max-tokens", code=2),
    Step("a model of the Hub that is not here", "caravel chat org/name", r"hf download org/name", code=1),
    Step("a text in the model's place", 'caravel generate "The sky is"', r"--prompt", code=2),
    # Answers.
    Step("a text that goes on", 'caravel generate --prompt "The three primary colors are"', COLOURS),
    Step("an answer", 'caravel generate --chat --prompt "What is the capital of Japan?"', r"Tokyo"),
    Step("an answer that is cut says so", 'caravel generate --prompt "1, 2, 3, 4," --ignore-eos', r"--max-tokens"),
    Step("a prompt from a pipe", "echo 'One, two, three,' | caravel generate --max-tokens 8 --temperature 0", r"four"),
    Step("JSON by a schema", "caravel generate --chat --prompt 'Describe a person' --json-schema 'my person.json'",
         r'\{\s*"name":', files={"my person.json": json.dumps(
             {"type": "object", "properties": {"name": {"type": "string", "maxLength": 20}}, "required": ["name"]})}),
    Step("token ids", "echo 'Grüße, 世界' | caravel tokenize --json", r"\[\d+"),
    # Files of requests.
    Step("a file with three bad rows", "caravel generate -i rows.jsonl -o out.jsonl", r"(?s)3 .*failed.*max_tokens", code=3,
         files={"rows.jsonl": rows(*BROKEN)}),
    Step("the rows mended", "caravel generate -i rows.jsonl -o out.jsonl && wc -l out.jsonl", r"20 out.jsonl",
         files={"rows.jsonl": rows(*MENDED)}),
    Step("a row edited", "grep -c 'r0' out.jsonl; cp out.jsonl before; caravel generate -i rows.jsonl -o out.jsonl; "
         "cmp before out.jsonl || echo changed", r"changed", files={"rows.jsonl": rows(*EDITED)}),
    Step("OpenAI's batch form", "caravel generate -i batch.jsonl -o answers.jsonl && cat answers.jsonl",
         r'"custom_id":\s*"a".*"status_code":\s*200.*Tokyo', files={"batch.jsonl": rows(*BATCH)}),
    Step("lines that are no JSON", "caravel generate -i broken.jsonl", r"(?s)2.*4", code=1,
         files={"broken.jsonl": '{"prompt": "a"}\n{"prompt": "b"\n{"prompt": "c"}\nd\n'}),
    Step("scores", "caravel score -i pairs.jsonl", r'"logprob":\s*-', files={
        "pairs.jsonl": rows({"prefix": "The capital of France is", "continuations": [" Paris", " Rome"]})}),
    Step("perplexity", "caravel perplexity --file text.txt --ctx-size 64", r"\d+\.\d+", files={
        "text.txt": (SOURCE / "README.md").read_text()[:6000]}),
    Step("embeddings", "caravel embed -i texts.txt -o vectors.npy && ls vectors.npy", r"vectors.npy", files={
        "texts.txt": "a cat\na dog\na car\n"}),
    # The model.
    Step("what the model is", "caravel inspect", r"(?s)SmolLM2|Smollm2.*temperature 0\.2"),
    Step("a model that is larger than memory", "caravel chat large.gguf", r"(?i)GiB.*(available|memory)", code=1, seconds=5),
    # The server.
    Step("the server's question", "ask '{\"messages\": [{\"role\": \"user\", \"content\": \"Give me three fruits.\"}]}'", r"(?i)apple|banana|orange"),
    Step("a call of a tool", "ask '" + json.dumps(
        {"messages": [{"role": "user", "content": "What is the weather in Paris?"}], "tool_choice": "required",
         "parallel_tool_calls": False,
         "tools": [{"type": "function", "function": {"name": "get_weather", "parameters": {
             "type": "object", "properties": {"city": {"enum": ["Paris", "Rome"]}}, "required": ["city"]}}}]}) + "'",
         r"(?s)get_weather.*Paris"),
    Step("a misspelt field", "ask '{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}], \"max_token\": 3}'",
         r"max_tokens"),
    Step("the page", "curl -sS $URL/", r"(?i)<!doctype html>"),
    # Installing.
    Step("completion in bash", "source <(caravel completion bash) && complete -p caravel", r"complete .*caravel"),
    Step("the manual", "caravel man | head -40", r"\.TH"),
]


class Terminal:
    """A chat at a pseudo terminal."""

    def __init__(self, folder, environment):
        self.pid, self.file = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execvpe("caravel", ["caravel", "chat", "--temperature", "0"], {**environment, "TERM": "xterm"})
        self.seen = ""

    def wait_for(self, pattern, seconds=60):
        """What came since the last wait, up to what the pattern matches."""
        deadline = time.monotonic() + seconds
        while (found := re.search(pattern, self.seen, re.DOTALL)) is None:
            if time.monotonic() > deadline:
                raise AssertionError(f"not seen: {pattern!r} in {self.seen[-500:]!r}")
            if select.select([self.file], [], [], 0.2)[0]:
                self.seen += os.read(self.file, 65536).decode(errors="replace")
        self.seen = self.seen[found.end():]

    def say(self, text):
        os.write(self.file, text.encode())


def talk(folder, environment):
    """The conversation: a block pasted, commands, a stop, leaving. Yields what each showed."""
    terminal = Terminal(folder, environment)
    terminal.wait_for(r"/help.*> ")
    terminal.say("What is the capital of Japan?\r")
    terminal.wait_for(r"Tokyo.*> ")
    yield "a question in the chat"
    terminal.say("\x1b[200~Which of these is a colour?\nred\ntable\x1b[201~\r")
    terminal.wait_for(r"> ")
    yield "a pasted block is one message"
    terminal.say("/sytem Be brief.\r")
    terminal.wait_for(r"/system.*> ")
    yield "a mistyped command is named"
    terminal.say("/set temperature 0.2\r")
    terminal.wait_for(r"0\.2.*> ")
    yield "/set"
    terminal.say("/save talk.json\r")
    terminal.wait_for(r"talk\.json.*> ")
    json.loads(Path(folder, "talk.json").read_text())
    yield "/save"
    terminal.say("Count from one to two hundred in words.\r")
    terminal.wait_for(r"\w+ \w+")
    time.sleep(0.5)
    terminal.say("\x03")
    terminal.wait_for(r"> ")
    yield "ctrl-C stops an answer"
    terminal.say("/exit\r")
    _, status = os.waitpid(terminal.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    yield "/exit"


def serve(environment, folder):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(["caravel", "serve", "--port", str(port)], env=environment, cwd=folder,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    server.stdout.readline()
    return server, f"http://127.0.0.1:{port}"


def take(step, folder, environment):
    for name, text in step.files.items():
        Path(folder, name).write_text(text)
    begin = time.monotonic()
    done = subprocess.run(["bash", "-c", step.command], cwd=folder, env=environment, text=True, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=step.seconds + 60)
    seconds = time.monotonic() - begin
    problems = []
    if done.returncode != step.code:
        problems.append(f"it ended with {done.returncode}, not {step.code}")
    if re.search(step.sees, done.stdout) is None:
        problems.append(f"not seen: {step.sees!r}")
    if seconds > step.seconds:
        problems.append(f"it took {seconds:.1f} s of {step.seconds:g}")
    return seconds, problems, done.stdout


def main():
    failed = number = 0

    def tell(what, seconds, problems, output=""):
        nonlocal failed, number
        number += 1
        print(f"{number:3} {'ok  ' if not problems else 'FAIL'} {seconds:6.2f} s  {what}", flush=True)
        if problems:
            failed += 1
            print("      " + "; ".join(problems) + "\n" + "\n".join("      | " + line for line in output.split("\n")[:20]))

    with tempfile.TemporaryDirectory(prefix="first hour ") as folder:  # with a space, as people have them
        folder = Path(folder)
        bin_folder = folder / "bin"
        bin_folder.mkdir()
        (bin_folder / "caravel").symlink_to(CARAVEL)
        (bin_folder / "ask").write_text(
            "#!/bin/sh\nexec curl -sS $URL/v1/chat/completions -H 'Content-Type: application/json' -d \"$1\"\n")
        (bin_folder / "ask").chmod(0o755)
        environment = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}"}
        write_gguf(folder / "large.gguf")
        server, environment["URL"] = serve(environment, folder)
        for step in STEPS:
            seconds, problems, output = take(step, folder, environment)
            tell(f"{step.what}: {step.command[:70]}", seconds, problems, output)
        begin = time.monotonic()
        server.send_signal(signal.SIGINT)
        code = server.wait(60)
        tell("ctrl-C ends the server", time.monotonic() - begin, [] if code == 0 else [f"it ended with {code}"])
        begin = time.monotonic()
        try:
            for what in talk(folder, environment):
                tell(what, time.monotonic() - begin, [])
                begin = time.monotonic()
        except (AssertionError, OSError) as error:
            tell("the chat", time.monotonic() - begin, [str(error)])
    print(f"{number - failed} of {number} steps show what they must")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
