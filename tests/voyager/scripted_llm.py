#!/usr/bin/env python3
"""An OpenAI-compatible endpoint that plays `caravel voyage` by rules, for tests and for what ablations are to show.

  tests/voyager/scripted_llm.py [--port 8000] [--seed 1] [--no-faults] [--no-mistakes]

It sees prompts alone, never the world, and is of bounded ability: it knows the tech tree of Minecraft
(scripted_knowledge.py), writes at most so many sub-steps by itself in one answer, calls skills that it is shown without
mistakes, and errs at written rates, less where the prompt tells it what went wrong (scripted_rates.py, set beforehand).
/v1/chat/completions (streamed or not), /v1/embeddings (hashed words), /v1/models; /counts says how often each mistake
was made. Only the standard library is needed.
"""

import argparse
import hashlib
import json
import math
import re
import socket
import struct
import sys
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from scripted_rates import FAULTS, RETRY_AFTER_SECONDS, SILENT_SECONDS
from scripted_reading import read_prompt
from scripted_roles import Roles

WIDTH = 128  # of embeddings


def drawn(*parts):
    """From 0 to 1, of a hash."""
    return int.from_bytes(hashlib.sha256("\0".join(map(str, parts)).encode()).digest()[:7], "big") / 2**56


def embedding(text):
    """A bag of words, each a hashed coordinate; camelCase and snake_case are several words."""
    vector = [0.0] * WIDTH
    for word in re.findall(r"[a-z0-9]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text).lower().replace("_", " ")):
        digest = hashlib.sha256(word.removesuffix("s").encode()).digest()
        vector[digest[0] % WIDTH] += 1 if digest[1] & 1 else -1
    vector[0] += 1e-3  # no text has none
    size = math.sqrt(sum(value * value for value in vector))
    return [value / size for value in vector]


class Scripted(ThreadingHTTPServer):
    """script: (role, seen) -> text, in place of the rules; or nothing from it, to go by them."""

    daemon_threads = True

    def __init__(self, port=0, seed=1, faults=FAULTS, mistakes=True, script=None):
        super().__init__(("127.0.0.1", port), Handler)
        self.seed, self.faults, self.mistakes, self.script = seed, faults, mistakes, script
        self.counts, self.attempts, self.lock, self.busy_seconds = Counter(), Counter(), threading.Lock(), 0.0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/v1"

    def count(self, what):
        with self.lock:
            self.counts[what] += 1

    def handle_error(self, request, client_address):
        if not isinstance(sys.exc_info()[1], OSError):  # else whoever asked is gone: killed, or out of patience
            super().handle_error(request, client_address)

    def fault(self, prompt):
        with self.lock:
            self.attempts[prompt] += 1
            attempt = self.attempts[prompt]
        roll = drawn(self.seed, "fault", prompt, attempt)
        for name, rate in self.faults.items():
            if roll < rate:
                self.count("fault " + name)
                return name
            roll -= rate
        return None

    def answer(self, messages, prompt):
        role, seen = read_prompt(messages)
        self.count("role " + role)
        text = self.script(role, seen) if self.script else None
        if text is None:
            draw = lambda label: drawn(self.seed, role, prompt, label)  # noqa: E731
            text = getattr(Roles(draw, self.count, self.mistakes), role)(seen)
        return text

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True, kwargs={"poll_interval": 0.05}).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def log_message(self, *_):
        pass

    def send(self, status, value, **headers):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, text in headers.items():
            self.send_header(name.replace("_", "-"), text)
        self.end_headers()
        self.wfile.write(body)

    def problem(self, status, message, **headers):
        self.send(status, {"error": {"message": message, "type": "server_error", "code": status}}, **headers)

    def do_GET(self):
        if self.path == "/v1/models":
            self.send(200, {"object": "list", "data": [{"id": "scripted", "object": "model", "owned_by": "tests"}]})
        elif self.path == "/counts":
            self.send(200, dict(sorted(self.server.counts.items())))
        else:
            self.problem(404, f"there is no {self.path}")

    def do_POST(self):
        start = time.perf_counter()
        try:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
            if self.path == "/v1/embeddings":
                self.embed(body)
            elif self.path == "/v1/chat/completions":
                self.chat(body)
            else:
                self.problem(404, f"there is no {self.path}")
        finally:
            with self.server.lock:
                self.server.busy_seconds += time.perf_counter() - start

    def embed(self, body):
        texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
        data = [{"object": "embedding", "index": i, "embedding": embedding(text)} for i, text in enumerate(texts)]
        words = sum(len(text.split()) for text in texts)
        self.send(200, {"object": "list", "model": "scripted", "data": data,
                        "usage": {"prompt_tokens": words, "total_tokens": words}})

    def chat(self, body):
        messages = [(message["role"], message["content"]) for message in body["messages"]]
        prompt = json.dumps(messages)
        fault = self.server.fault(prompt)
        if fault == "429":
            return self.problem(429, "too many requests", Retry_After=str(RETRY_AFTER_SECONDS))
        if fault == "500":
            return self.problem(500, "something broke")
        if fault == "silent":
            time.sleep(SILENT_SECONDS)
            return self.cut()
        text = self.server.answer(messages, prompt)
        usage = {"prompt_tokens": len(prompt.split()), "completion_tokens": len(text.split())}
        usage["total_tokens"] = sum(usage.values())
        if body.get("stream"):
            return self.stream(text, usage, fault == "cut")
        if fault == "cut":
            return self.cut()
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        self.send(200, {"id": "chatcmpl-1", "object": "chat.completion", "created": 0, "model": "scripted",
                        "choices": [choice], "usage": usage})

    def cut(self):
        """The connection ends at once, with nothing sent further."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def stream(self, text, usage, is_cut):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

        def event(data):
            line = f"data: {data}\n\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))

        def chunk(choices, **more):
            event(json.dumps({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 0, "model": "scripted",
                              "choices": choices, **more}))

        pieces = [text[i:i + 400] for i in range(0, len(text), 400)]
        for i, piece in enumerate(pieces):
            if is_cut and i >= len(pieces) // 2:
                self.wfile.flush()
                time.sleep(0.02)
                return self.cut()
            chunk([{"index": 0, "delta": {"content": piece}, "finish_reason": None}])
        chunk([{"index": 0, "delta": {}, "finish_reason": "stop"}])
        chunk([], usage=usage)
        event("[DONE]")
        self.wfile.write(b"0\r\n\r\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-faults", action="store_true", help="an endpoint that never fails")
    parser.add_argument("--no-mistakes", action="store_true", help="answers without mistakes")
    flags = parser.parse_args()
    server = Scripted(flags.port, flags.seed, {} if flags.no_faults else FAULTS, not flags.no_mistakes)
    print(f"caravel voyage --llm {server.url} --llm-model scripted", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
