#!/usr/bin/env bash
# pip's anthropic (2.14.0), its beta.messages.tool_runner against a server of one's own, seen 2026-11-29.
#
# Without being asked to, the tool runner has its conversation kept by the server: its requests go to
# /v1/messages?beta=true with a field `thread` and a beta named message-threads in their header. A server that refuses
# the field with a plain invalid_request_error, as any that checks its fields does, ends the run with BadRequestError;
# messages.create and messages.stream of the same client work there. The runner sends the whole conversation instead,
# without the field, if the error also has `details` whose `error_code` is thread_unsupported_request; the message and
# the status alone make no difference.
#
# Prints what a small server of Python's library gets in both cases, and how the run ends. Exits with 1 where that
# changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet anthropic==2.14.0
venv/bin/python - <<'PYTHON'
import http.server
import json
import sys
import threading

import anthropic

seen = []
details = None


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        seen.append({"thread": "thread" in body,
                     "beta": "message-threads" in self.headers.get("anthropic-beta", ""),
                     "turns": len(body["messages"])})
        if "thread" in body:
            error = {"type": "invalid_request_error", "message": "thread: not served here"}
            if details:
                error["details"] = details
            self.answer(400, {"type": "error", "error": error})
        else:
            self.answer(200, {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn",
                              "stop_sequence": None, "content": [{"type": "text", "text": "done"}],
                              "usage": {"input_tokens": 1, "output_tokens": 1}})

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
client = anthropic.Anthropic(base_url=f"http://127.0.0.1:{server.server_port}", api_key="none", max_retries=0)


@anthropic.beta_tool
def clock(zone: str) -> str:
    """The time in a zone."""
    return "noon"


def run():
    seen.clear()
    runner = client.beta.messages.tool_runner(model="m", max_tokens=9, tools=[clock],
                                              messages=[{"role": "user", "content": "What time is it?"}])
    try:
        return runner.until_done().content[0].text
    except anthropic.BadRequestError as error:
        return type(error).__name__


plain = (run(), list(seen))
details = {"error_code": "thread_unsupported_request", "unsupported": ["thread"]}
detailed = (run(), list(seen))
print("refused plainly:   ", *plain)
print("with those details:", *detailed)
first = {"thread": True, "beta": True, "turns": 1}
expected = (("BadRequestError", [first]), ("done", [first, {**first, "thread": False, "beta": detailed[1][-1]["beta"]}]))
sys.exit(0 if (plain, detailed) == expected else 1)
PYTHON
