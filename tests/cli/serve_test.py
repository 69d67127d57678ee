"""`caravel serve` as its users meet it: the real binary and the real default model, over real sockets.

Run by ctest with CARAVEL set to the binary; by hand: CARAVEL=build/release/caravel python3 tests/cli/serve_test.py
"""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

CARAVEL = os.environ.get("CARAVEL", "build/release/caravel")
ENGINE = ["--kv-cache-memory", "64MiB"]
QUESTION = [{"role": "user", "content": "What is 2+2?"}]


class Server:
    """A running server. Its standard error is collected."""

    def __init__(self, *flags, env=None):
        self.process = subprocess.Popen([CARAVEL, "serve", "--port", "0", *ENGINE, *flags], stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env={**os.environ, **(env or {})})
        self.log = []
        self.reader = threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True)
        self.reader.start()
        line = self.process.stdout.readline()
        match = re.search(r"https?://\S+:(\d+)", line)
        if not match:
            self.process.wait(30)
            self.reader.join(5)
            raise AssertionError(f"no address in {line!r}: {''.join(self.log)}")
        self.port = int(match.group(1))

    def processor_seconds(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mib(self):
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024

    def connect(self, timeout=120):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def request(self, method, path, body=None, headers=None):
        connection = self.connect()
        with contextlib.closing(connection):
            data = json.dumps(body) if isinstance(body, (dict, list)) else body
            connection.request(method, path, data, {"Content-Type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()

    def post(self, path, body, headers=None):
        status, _, answer = self.request("POST", path, body, headers)
        return status, json.loads(answer)

    def stop(self, number=signal.SIGTERM, timeout=60):
        """The exit code."""
        self.process.send_signal(number)
        return self.wait(timeout)

    def wait(self, timeout=60):
        code = self.process.wait(timeout)
        self.reader.join(5)
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(30)
        self.reader.join(5)
        self.process.stdout.close()
        self.process.stderr.close()


def fails(*flags, port="0", env=None):
    """Standard error of a server that does not start."""
    done = subprocess.run([CARAVEL, "serve", "--port", port, *flags], capture_output=True, text=True, timeout=60,
                          env={**os.environ, **(env or {})})
    if done.returncode == 0:
        raise AssertionError("it started")
    return done.stderr


def events(answer):
    """The data of server-sent events, parsed, as they come."""
    for line in answer:
        if line.startswith(b"data: ") and line.strip() != b"data: [DONE]":
            yield json.loads(line[6:])


class Running(unittest.TestCase):
    """Tests that share one server."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server("--served-model-name", "smol", "--log-format", "json")

    @classmethod
    def tearDownClass(cls):
        cls.server.__exit__()

    def test_chat_answers(self):
        status, answer = self.server.post("/v1/chat/completions",
                                          {"messages": QUESTION, "max_tokens": 24, "temperature": 0})
        self.assertEqual(200, status, answer)
        self.assertIn("4", answer["choices"][0]["message"]["content"])
        self.assertEqual("smol", answer["model"])

    def test_a_stream_joined_is_the_whole_answer(self):
        body = {"messages": QUESTION, "max_tokens": 24, "temperature": 0}
        _, whole = self.server.post("/v1/chat/completions", body)
        connection = self.server.connect()
        with contextlib.closing(connection):
            connection.request("POST", "/v1/chat/completions", json.dumps({**body, "stream": True}))
            answer = connection.getresponse()
            self.assertTrue(answer.getheader("Content-Type").startswith("text/event-stream"))
            deltas = [chunk["choices"][0]["delta"].get("content") or "" for chunk in events(answer) if chunk["choices"]]
        self.assertGreater(len(deltas), 3)
        self.assertEqual(whole["choices"][0]["message"]["content"], "".join(deltas))

    def test_score_and_tokenize(self):
        status, answer = self.server.post("/v1/score", {"prefix": "The capital of France is",
                                                        "continuations": [" Paris", " a banana"]})
        self.assertEqual(200, status, answer)
        paris, banana = (item["logprob"] for item in answer["data"])
        self.assertGreater(paris, banana)
        _, tokens = self.server.post("/tokenize", {"messages": QUESTION})
        _, text = self.server.post("/detokenize", {"tokens": tokens["tokens"]})
        self.assertIn("What is 2+2?", text["prompt"])
        self.assertEqual(tokens["count"], len(tokens["tokens"]))

    def test_errors_have_openais_form(self):
        for method, path, body, expected in [("GET", "/nowhere", None, 404), ("GET", "/v1/completions", None, 405),
                                             ("POST", "/v1/completions", "{", 400),
                                             ("POST", "/v1/completions", {"prompt": 1.5}, 400),
                                             ("POST", "/v1/completions", {"prompt": "a", "model": "other"}, 404)]:
            status, _, answer = self.server.request(method, path, body)
            self.assertEqual(expected, status, (path, body, answer))
            self.assertEqual({"message", "type", "param", "code"}, set(json.loads(answer)["error"]))

    def test_what_other_servers_have_is_said_where_it_is_here(self):
        for path, hint in [("/api/chat", "at /v1/chat/completions here"), ("/api/tags", "at /v1/models here"),
                           ("/chat/completions", "It is /v1/chat/completions here: the base URL ends in /v1"),
                           ("/v1/v1/models", "It is /v1/models here"), ("/v1/", "at /v1/models here"),
                           ("/v1/tokenize", "It is /tokenize here"),
                           ("/v1/completions/", "It is /v1/completions, without a slash at its end")]:
            status, _, answer = self.server.request("POST", path, {})
            self.assertEqual(404, status, path)
            self.assertIn(hint, json.loads(answer)["error"]["message"])
        status, headers, _ = self.server.request("GET", "/dashboard/")
        self.assertEqual((308, "/dashboard"), (status, headers["Location"]))
        _, _, answer = self.server.request("POST", "/v1/completions", {"prompt": "a", "model": "other"})
        self.assertRegex(json.loads(answer)["error"]["message"], "'other' does not exist. This server has '.*smol.*'")
        for field, hint in [("num_ctx", "--max-model-len"), ("options", "beside the other fields"),
                            ("format", "response_format"), ("num_predict", "max_tokens"), ("keep_alive", "leave it out")]:
            _, _, answer = self.server.request("POST", "/v1/completions", {"prompt": "a", field: "x"})
            self.assertIn(hint, json.loads(answer)["error"]["message"])

    def test_numbers_are_as_short_as_they_are(self):
        answer = self.server.post("/v1/responses", {"input": "a", "max_output_tokens": 1, "temperature": 0.2})[1]
        self.assertEqual("0.2", json.dumps(answer["temperature"]))
        self.assertNotIn("0.1000000", self.server.request("GET", "/openapi.json")[2].decode())

    def test_probes_and_documents(self):
        self.assertEqual(200, self.server.request("GET", "/health")[0])
        self.assertIn("version", json.loads(self.server.request("GET", "/version")[2]))
        document = json.loads(self.server.request("GET", "/openapi.json")[2])
        self.assertEqual("3.1.0", document["openapi"])
        self.server.post("/v1/completions", {"prompt": "a", "max_tokens": 1})
        metrics = self.server.request("GET", "/metrics")[2].decode()
        self.assertRegex(metrics, r'caravel:generation_tokens_total\{model_name="smol"\} [1-9]')
        self.assertIn(b"<html", self.server.request("GET", "/")[2].lower())
        self.assertIn(b"<html", self.server.request("GET", "/dashboard")[2].lower())

    def test_a_foreign_host_is_refused(self):
        self.assertEqual(403, self.server.request("GET", "/v1/models", headers={"Host": "evil.example"})[0])

    def test_each_request_is_one_json_line_without_the_prompt(self):
        self.server.post("/v1/completions", {"prompt": "a secret word", "max_tokens": 3, "ignore_eos": True},
                         headers={"X-Request-Id": "logged-1"})
        deadline = time.monotonic() + 10
        while not any("logged-1" in line for line in self.server.log) and time.monotonic() < deadline:
            time.sleep(0.05)
        (line,) = [json.loads(line) for line in self.server.log if "logged-1" in line]
        self.assertEqual(("POST", "/v1/completions", 200), (line["method"], line["path"], line["status"]))
        self.assertEqual((3, "length"), (line["completion_tokens"], line["finish_reason"]))
        self.assertNotIn("secret", "".join(self.server.log))

    def test_a_client_that_goes_away_is_cancelled(self):
        connection = self.server.connect()
        connection.request("POST", "/v1/completions",
                           json.dumps({"prompt": "Once", "max_tokens": 1500, "ignore_eos": True, "stream": True}))
        connection.getresponse().readline()
        connection.sock.shutdown(socket.SHUT_RDWR)
        connection.close()
        running = re.compile(r'caravel:num_requests_running\{[^}]*\} (\d+)')
        deadline = time.monotonic() + 30
        while int(running.search(self.server.request("GET", "/metrics")[2].decode()).group(1)) > 0:
            self.assertLess(time.monotonic(), deadline, "it is still running")
            time.sleep(0.05)

    def test_a_text_that_cannot_fit_is_refused_before_it_is_tokenized(self):
        before = self.server.processor_seconds()
        for path, body in (("/v1/completions", {"prompt": "some words " * 1_000_000}),
                           ("/v1/chat/completions",
                            {"messages": [{"role": "user", "content": "some words " * 1_000_000}]})):
            status, answer = self.server.post(path, body)
            self.assertEqual((400, "context_length_exceeded"), (status, answer["error"]["code"]))
            self.assertIn("your prompt has at least ", answer["error"]["message"])
        if "TSAN_OPTIONS" not in os.environ and "ASAN_OPTIONS" not in os.environ:
            self.assertLess(self.server.processor_seconds() - before, 1.0)  # tokenizing one takes more

    def test_what_a_large_preparation_took_is_given_back(self):
        status, _ = self.server.post("/v1/completions", {"prompt": "a", "max_tokens": 1})
        self.assertEqual(200, status)
        before = self.server.memory_mib()
        turns = [{"role": ("user", "assistant")[i % 2], "content": "x"} for i in range(60_001)]  # not too long by bytes
        status, answer = self.server.post("/v1/chat/completions", {"messages": turns, "max_tokens": 1})
        self.assertEqual((400, "context_length_exceeded"), (status, answer["error"]["code"]))
        deadline = time.monotonic() + 20
        while self.server.memory_mib() > before + 48:
            self.assertLess(time.monotonic(), deadline, f"{self.server.memory_mib() - before:.0f} MiB are kept")
            time.sleep(0.1)

    def test_idle_it_uses_no_processor(self):
        time.sleep(0.3)
        before = self.server.processor_seconds()
        time.sleep(2)
        self.assertLessEqual(self.server.processor_seconds() - before, 0.02)


class WhatRequestsLeaveOpen(unittest.TestCase):
    QUESTION = {"messages": [{"role": "user", "content": "Give me three fruits."}]}

    def drawn_with(self, server):
        return json.loads(server.request("GET", "/v1/models")[2])["data"][0]["default_sampling_params"]

    def test_is_the_models_card_and_then_the_engines_own(self):
        with Server() as server:
            self.assertEqual({"max_tokens": None, "temperature": 0.2, "top_k": 40, "top_p": 0.9, "min_p": 0.05,
                              "repetition_penalty": 1, "repetition_window": 256}, self.drawn_with(server))
            for _ in range(5):
                _, answer = server.post("/v1/chat/completions", self.QUESTION)
                (choice,) = answer["choices"]
                self.assertEqual("stop", choice["finish_reason"])
                self.assertRegex(choice["message"]["content"].lower(), "apple|banana|orange")

    def test_flags_count_for_more(self):
        with Server("--override-generation-config", '{"temperature": 0.9, "top_k": 7, "max_new_tokens": 3}',
                    "--temperature", "0", "--repetition-window", "0") as server:
            drawn = self.drawn_with(server)
            self.assertEqual([0, 7, 3, 0], [drawn[name] for name in ("temperature", "top_k", "max_tokens",
                                                                     "repetition_window")])
            texts = set()
            for _ in range(3):
                _, answer = server.post("/v1/chat/completions", self.QUESTION)
                self.assertEqual(3, answer["usage"]["completion_tokens"])
                texts.add(answer["choices"][0]["message"]["content"])
            self.assertEqual(1, len(texts))
            _, answer = server.post("/v1/chat/completions", {**self.QUESTION, "max_tokens": 4})
            self.assertEqual(4, answer["usage"]["completion_tokens"])

    def test_an_answer_that_goes_round_is_ended(self):
        with Server() as server:
            _, answer = server.post("/v1/chat/completions", {**self.QUESTION, "allowed_token_ids": [100]})
            self.assertEqual(256, answer["usage"]["completion_tokens"])
            self.assertEqual(["length", "repetition_detected"],
                             [answer["choices"][0][name] for name in ("finish_reason", "stop_reason")])

    def test_what_is_wrong_is_named(self):
        for value, problem in (("{", "JSON object"), ("[]", "JSON object"), ('{"temprature": 1}', "'temprature'"),
                               ('{"top_p": 2}', "'top_p'"), ('{"temperature": 5}', "'temperature'"),
                               ('{"top_k": 2, "top_k": 3}', "top_k")):
            line = fails("--override-generation-config", value)
            self.assertIn(problem, line)
            self.assertEqual(1, line.count("\n"), line)


class Keys(unittest.TestCase):
    def test_from_flags_a_file_and_the_environment(self):
        with tempfile.TemporaryDirectory() as folder:
            keys = Path(folder) / "keys"
            keys.write_text("from-file\n\n  other \n")
            with Server("--api-key", "one", "--api-key", "two", "--api-key-file", str(keys),
                        env={"CARAVEL_API_KEY": "from-environment"}) as server:
                for key in ["one", "two", "from-file", "other", "from-environment"]:
                    status, _, _ = server.request("GET", "/v1/models", headers={"Authorization": f"Bearer {key}"})
                    self.assertEqual(200, status, key)
                self.assertEqual(200, server.request("GET", "/v1/models", headers={"x-api-key": "two"})[0])
                self.assertEqual(401, server.request("GET", "/v1/models")[0])
                self.assertEqual(401, server.request("GET", "/v1/models", headers={"Authorization": "Bearer on"})[0])
                self.assertEqual(200, server.request("GET", "/health")[0])

    def test_no_key_at_all_is_never_meant(self):
        with tempfile.TemporaryDirectory() as folder:
            keys = Path(folder) / "keys"
            keys.write_text("\n")
            self.assertIn("no key", fails("--api-key-file", str(keys)))
        self.assertIn("CARAVEL_API_KEY", fails(env={"CARAVEL_API_KEY": ""}))
        self.assertIn("--api-key-file: ''", fails("--api-key-file", ""))
        self.assertIn("CARAVEL_API_KEY_FILE", fails(env={"CARAVEL_API_KEY_FILE": ""}))

    def test_a_public_address_without_one_is_warned_of(self):
        with Server("--host", "0.0.0.0") as server:
            server.stop()
            self.assertIn("no key", "".join(server.log))
        with Server("--host", "0.0.0.0", "--api-key", "one") as server:
            server.stop()
            self.assertNotIn("no key", "".join(server.log))


class Signals(unittest.TestCase):
    def stream(self, server, tokens):
        connection = server.connect()
        connection.request("POST", "/v1/completions", json.dumps(
            {"prompt": "Once upon a time", "max_tokens": tokens, "ignore_eos": True, "stream": True, "temperature": 0}))
        answer = connection.getresponse()
        return connection, events(answer)

    def test_sigterm_and_a_closed_terminal_let_streams_end(self):
        for numbers in ((signal.SIGTERM,), (signal.SIGHUP, signal.SIGHUP)):
            with self.subTest(numbers), Server() as server:
                connection, chunks = self.stream(server, 300)
                next(chunks)
                for number in numbers:
                    server.process.send_signal(number)
                    time.sleep(0.05)
                rest = list(chunks)
                connection.close()
                self.assertEqual("length", rest[-1]["choices"][0]["finish_reason"])
                self.assertEqual(0, server.wait())

    def test_under_nohup_the_terminal_may_close(self):
        before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self.addCleanup(signal.signal, signal.SIGHUP, before)
        with Server() as server:
            server.process.send_signal(signal.SIGHUP)
            time.sleep(0.2)
            self.assertEqual(200, server.request("GET", "/health")[0])
            self.assertEqual(0, server.stop())

    def test_an_idle_server_ends_at_once(self):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            with Server() as server:
                idle = server.connect()
                idle.request("GET", "/health")
                idle.getresponse().read()  # and the connection stays open
                start = time.monotonic()
                self.assertEqual(0, server.stop(number))
                self.assertLess(time.monotonic() - start, 20)
                idle.close()

    def test_a_second_signal_does_not_wait(self):
        with Server() as server:
            connection, chunks = self.stream(server, 2000)
            next(chunks)
            server.process.send_signal(signal.SIGTERM)
            next(chunks)
            time.sleep(0.2)
            self.assertEqual(130, server.stop())
            connection.close()


    def test_what_still_runs_at_the_drains_end_is_told(self):
        with Server("--drain-timeout", "1") as server:
            connection, chunks = self.stream(server, 5000)
            next(chunks)
            whole = server.connect()
            whole.request("POST", "/v1/completions", json.dumps(
                {"prompt": "Once upon a time", "max_tokens": 5000, "ignore_eos": True}))
            time.sleep(0.5)
            server.process.send_signal(signal.SIGTERM)
            rest = list(chunks)
            connection.close()
            self.assertIn("shutting down", rest[-1]["error"]["message"])
            answer = whole.getresponse()
            self.assertEqual(503, answer.status)
            self.assertIn("shutting down", json.loads(answer.read())["error"]["message"])
            whole.close()
            self.assertEqual(0, server.wait())


class JsonLog(unittest.TestCase):
    def test_every_line_is_one_object(self):
        with Server("--host", "0.0.0.0", "--log-format", "json") as server:
            server.post("/v1/completions", {"prompt": "a", "max_tokens": 1})
            self.assertEqual(0, server.stop())
            lines = [json.loads(line) for line in server.log]
        self.assertTrue(all(line["time"].endswith("Z") for line in lines), lines)
        told = {line["level"]: line["message"] for line in lines if "message" in line}
        self.assertIn("no key", told["warning"])
        self.assertIn("no request was running", told["info"])
        self.assertEqual(["/v1/completions"], [line["path"] for line in lines if "path" in line])

    def test_so_is_why_it_does_not_start(self):
        line = json.loads(fails("--log-format", "json", "--chat-template", "nowhere.jinja"))
        self.assertEqual("error", line["level"])
        self.assertIn("no such file", line["message"])


class Flags(unittest.TestCase):
    def config(self, text):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = Path(folder.name) / "caravel.yaml"
        path.write_text(text)
        return str(path)

    def test_a_file_of_flags_and_the_command_line_wins(self):
        path = self.config("served-model-name: [from-file, alias]\nmax_model_len: 512\nmax-num-seqs: 4\n"
                           "enable-prefix-caching: false\napi-key: k\n")
        with Server("--config", path, "--max-model-len", "256") as server:
            _, _, body = server.request("GET", "/v1/models", headers={"x-api-key": "k"})
            models = json.loads(body)["data"]
            self.assertEqual("from-file", models[0]["id"])
            self.assertEqual(256, models[0]["max_model_len"])

    def test_wrong_ones_are_named(self):
        self.assertIn("nearest is 'max-num-seqs'", fails("--config", self.config("max-num-seq: 4\n")))
        self.assertIn("caravel.yaml:2", fails("--config", self.config("port: 0\nnothing: 4\n")))
        self.assertIn("--max-num-seqs", fails("--config", self.config("max-num-seqs: many\n")))
        self.assertIn("value or a list", fails("--config", self.config("api-key: {a: b}\n")))
        self.assertIn("caravel.yaml:2", fails("--config", self.config("a: [\n")))
        self.assertIn("--max-num-seqs: 0: give a whole number, 1 to 1048576", fails("--max-num-seqs", "0"))
        self.assertIn("--nonsense", fails("--nonsense"))
        self.assertIn("caravel: --port: hello: give a whole number, 0 to 65535", fails(port="hello"))
        self.assertIn("caravel.yaml:1: --max-num-seqs: many: give a whole number, 1 to 1048576",
                      fails("--config", self.config("max-num-seqs: many\n")))
        self.assertIn("caravel.yaml:2: --max-num-seqs: 0: give a whole number, 1 to 1048576",
                      fails("--config", self.config("host: 127.0.0.1\nmax-num-seqs: 0\n")))
        self.assertIn("caravel.yaml:2: 'max_num_seqs' stands in the file twice",
                      fails("--config", self.config("max-num-seqs: 2\nmax_num_seqs: 4\n")))
        self.assertNotIn("nearest", fails("--config", self.config("foo: 1\n")))
        self.assertIn("'log_level' is given on the command line alone", fails("--config", self.config("log_level: info\n")))
        self.assertIn("'tensor-parallel-size': several devices are not there yet",
                      fails("--config", self.config("tensor-parallel-size: 2\n")))
        self.assertIn("--seed", fails("--seed", "18446744073709551616"))
        self.assertIn("--ssl-keyfile", fails("--ssl-certfile", "cert.pem"))
        self.assertIn("nope: no such file", fails("--ssl-certfile", "nope", "--ssl-keyfile", "nope"))
        self.assertIn("JSON list", fails("--allowed-origins", "[1"))
        self.assertIn("no such file", fails("--chat-template", "nowhere.jinja"))
        self.assertIn("f32,f16,bf16,int8,fp8", fails("--kv-cache-dtype", "fp4").replace(" ", ""))

    def test_those_that_cannot_work_are_refused(self):
        for flags in (["--host", ""], ["--config", ""], ["--ssl-certfile", ""], ["--temperature", "5"],
                      ["--max-body-size", "0"], ["--served-model-name", ""], ["--allowed-host", ""],
                      ["--allowed-origins", "foo"], ["--allowed-origins", "https://a.example/"],
                      ["--allowed-origins", "https://A.example"], ["--allowed-origins", "a.example:80"],
                      ["--allowed-origins", '["https://a.example", "https://"]']):
            line = fails(*flags)
            self.assertTrue(line.startswith(f"caravel: {flags[0]}"), line)
            self.assertEqual(1, line.count("\n"), line)

    def test_an_address_in_use_is_named(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = str(taken.getsockname()[1])
            self.assertIn(port, fails(port=port))

    def test_vllms_forms(self):
        with Server("--allowed-origins", '["https://a.example"]', "--vllm-metric-names", "--seed", "3",
                    "--chat-template", "{{ messages[0].content }}", "--disable-log-requests", "--swap-space", "1",
                    "--kv-cache-dtype", "bfloat16", "--tool-call-parser", "llama3_json") as server:
            _, headers, metrics = server.request("GET", "/metrics", headers={"Origin": "https://a.example"})
            self.assertIn(b"vllm:num_requests_running", metrics)
            self.assertEqual("https://a.example", headers["Access-Control-Allow-Origin"])
            _, tokens = server.post("/tokenize", {"messages": [{"role": "user", "content": "hello"}]})
            _, plain = server.post("/tokenize", {"prompt": "hello", "add_special_tokens": False})
            self.assertEqual(plain["tokens"], tokens["tokens"])
            server.stop()
            self.assertNotIn("/tokenize", "".join(server.log))

    @unittest.skipIf("TSAN_OPTIONS" in os.environ, "under ThreadSanitizer it takes seconds")
    def test_it_is_ready_within_a_second_of_work(self):
        # Processor time: the machine's other work is not the server's.
        with Server() as server:
            self.assertLess(server.processor_seconds(), 1.0)


class Tools(unittest.TestCase):
    """The default model's template knows no tools."""

    TOOL = {"type": "object", "properties": {"city": {"enum": ["Paris", "Rome"]}}, "required": ["city"],
            "additionalProperties": False}

    def test_they_are_offered_in_every_api_and_results_are_taken(self):
        tools = [{"type": "function", "function": {"name": "get_weather", "parameters": self.TOOL}}]
        question = {"role": "user", "content": "What is the weather in Paris?"}
        with Server() as server:
            def ask(path, body):
                status, answer = server.post(path, body)
                self.assertEqual(200, status, answer)
                return answer

            ask("/v1/chat/completions", {"messages": [question], "tools": tools, "max_tokens": 8})
            body = {"messages": [question], "tools": tools, "tool_choice": "required", "parallel_tool_calls": False,
                    "max_tokens": 60, "temperature": 0}
            message = ask("/v1/chat/completions", body)["choices"][0]["message"]
            (call,) = message["tool_calls"]
            self.assertIn(json.loads(call["function"]["arguments"])["city"], ("Paris", "Rome"))
            history = [question, message, {"role": "tool", "tool_call_id": call["id"], "content": "Sunny"}]
            ask("/v1/chat/completions", {"messages": history, "tools": tools, "max_tokens": 8})
            tokens = ask("/tokenize", {"messages": history, "tools": tools})["tokens"]
            prompt = ask("/detokenize", {"tokens": tokens})["prompt"]
            self.assertIn('<tool_call>\n{"name": "get_weather", "arguments": ' + call["function"]["arguments"], prompt)
            self.assertIn("<|im_start|>user\n<tool_response>\nSunny\n</tool_response><|im_end|>", prompt)

            flat = [{"type": "function", "name": "get_weather", "parameters": self.TOOL}]
            (item,) = ask("/v1/responses", {"input": "Weather?", "tools": flat, "tool_choice": "required",
                                            "parallel_tool_calls": False, "max_output_tokens": 60})["output"]
            self.assertIn(json.loads(item["arguments"])["city"], ("Paris", "Rome"))
            (block,) = ask("/v1/messages", {
                "messages": [question], "tools": [{"name": "get_weather", "input_schema": self.TOOL}],
                "tool_choice": {"type": "any", "disable_parallel_tool_use": True}, "max_tokens": 60})["content"]
            self.assertIn(block["input"]["city"], ("Paris", "Rome"))


if __name__ == "__main__":
    unittest.main()
