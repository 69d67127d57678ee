"""What the suites of Python clients share: two servers, a tool, and the record of what their tests show, from which
table.py checks docs/clients.md."""

import asyncio
import inspect
import json
import os
import pathlib
import sys
import tempfile
import time
import unittest
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))

import agent_model  # noqa: E402
from serving import Server  # noqa: E402
from with_server import FLAGS  # noqa: E402

KEY = "key"


class Servers:
    """One server of the default model and one of the scripted agent (agent_model.py). Both ask for KEY."""

    def start(self):
        self.folder = tempfile.TemporaryDirectory(prefix="caravel-agent-")
        agent_model.write(self.folder.name)
        self.real = Server(*FLAGS, "--api-key", KEY)
        self.agent = Server("--api-key", KEY, "--kv-cache-memory", "64MiB", model=self.folder.name)
        self.real.url, self.agent.url = (f"http://127.0.0.1:{server.port}" for server in (self.real, self.agent))
        self.real.model, self.agent.model = model_of(self.real), model_of(self.agent)

    def stop(self):
        ends = [(server.stop(), server.text()) for server in (self.real, self.agent)]
        for server in (self.real, self.agent):
            server.__exit__()
        self.folder.cleanup()
        for code, log in ends:
            assert code == 0, f"a server ended with {code}:\n{log[-3000:]}"


def get(server, path):
    request = urllib.request.Request(f"{server.url}{path}", headers={"Authorization": f"Bearer {KEY}"})
    with urllib.request.urlopen(request) as answer:
        return answer.read().decode()


def model_of(server):
    return json.loads(get(server, "/v1/models"))["data"][0]["id"]


def running(server):
    return sum(float(line.rpartition(" ")[2]) for line in get(server, "/metrics").splitlines()
               if line.startswith("caravel:num_requests_running"))


def runs_nothing(server, seconds=5):
    """Whether every request of the server's ends within so many seconds: those that were cancelled go on for longer."""
    end = time.monotonic() + seconds
    while running(server) and time.monotonic() < end:
        time.sleep(0.02)
    return running(server) == 0


def cancelled_task_frees(server, stream):
    """Whether nothing runs at the server once a task that reads stream() (an asynchronous iterator, or what gives one
    when awaited) was cancelled after the first piece."""
    async def read(seen):
        try:
            pieces = stream()
            async for _ in await pieces if inspect.isawaitable(pieces) else pieces:
                seen.set()
        finally:
            seen.set()

    async def run():
        seen = asyncio.Event()
        task = asyncio.create_task(read(seen))
        await seen.wait()
        # Again and again: asyncio.wait_for of Python 3.11 drops a cancellation that meets a piece already there.
        while not task.done():
            task.cancel()
            await asyncio.sleep(0.01)
        assert task.cancelled(), task.exception() or "the stream ended before its task was cancelled"
        return await asyncio.to_thread(runs_nothing, server)
    return asyncio.run(run())


# An answer that would go on for longer than any test: what a cancelled stream asks for.
LONG = {"max_tokens": 4000, "extra_body": {"ignore_eos": True}}


class Weather:
    """The tool that the scripted agent calls; keeps what it was asked."""

    SCHEMA = {"type": "object", "properties": {"city": {"type": "string", "maxLength": 20},
                                               "unit": {"enum": ["celsius", "fahrenheit"]}},
              "required": ["city", "unit"], "additionalProperties": False}
    SAYS = {"Paris": "Sunny, 20 °C", "Rome": "Rain, 15 °C"}

    def __init__(self):
        self.asked = []

    def get_weather(self, city: str, unit: str) -> str:
        """The weather of a city."""
        self.asked.append(("get_weather", {"city": city, "unit": unit}))
        return self.SAYS[city]


def shows(column, *facts):
    """Marks a test: what stands in its client's row of docs/clients.md, in the column of tools, structured answers,
    cancelled streams or errors."""
    assert column in ("tools", "structured", "cancelled", "errors"), column

    def mark(test):
        test.shows = [*getattr(test, "shows", []), *((column, fact) for fact in facts)]
        return test
    return mark


class _Result(unittest.TextTestResult):
    def __init__(self, *arguments, **more):
        super().__init__(*arguments, **more)
        self.shown = []

    def startTest(self, test):
        super().startTest(test)
        self.passed = False

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed = True

    def stopTest(self, test):
        super().stopTest(test)
        for column, fact in getattr(getattr(test, test._testMethodName, None), "shows", []):
            self.shown.append({"column": column, "fact": fact, "passed": self.passed})


def main():
    """unittest.main, which also writes what the tests showed to the file CLIENT_RECORD."""
    program = unittest.main(module="__main__", exit=False, testRunner=unittest.TextTestRunner(resultclass=_Result))
    if record := os.environ.get("CLIENT_RECORD"):
        pathlib.Path(record).write_text(json.dumps(program.result.shown))
    sys.exit(not program.result.wasSuccessful())
