#!/usr/bin/env python3
"""`caravel serve` under load and faults.

  bench/serve_load.py [--short] [--only streams,faults,readers,mixed] [--json OUT]
                      [--seconds 60] [--model M | --tiny [NAME]]
CARAVEL in the environment is the binary.

  streams   2,000 streams of 32 tokens open at once: none may fail, memory may not grow with a second round of them;
            reports tokens/s, time to first token and between tokens
  faults    10,000 requests, one in ten broken: good ones are answered as they were before, broken ones with 4xx, and
            afterwards no block is held, no descriptor open, and the same requests are still answered the same
  readers   clients that read slowly, and some that never do, hold back nobody else; the slow get their whole answer,
            those that never read are dropped after the limit
  mixed     for so many seconds, requests of every kind to every endpoint, broken ones among them, by clients of every
            manner, in a KV cache too small for them: none gets a 5xx, none hangs, nothing is held afterwards. Made for
            a sanitizer's build (scripts/sanitize tsan --load 600); --tiny takes one of the tests' models (llama3, or
            the folder named), which makes hundreds of times as many steps in that time

Each section has a server of its own, ended by SIGTERM while streams run: they must end whole, its exit code must be 0,
and it may have reported nothing that a sanitizer finds. --short is the same in well under half a minute. Exits with 1
where a demand is not met. Standard library alone.
"""

import argparse
import asyncio
import json
import random
import re
import shutil
import statistics
import sys
import tempfile
import time

import request_mix
import serving
from serving import Answer, Server, ask, connect, drive, metrics, percentiles, request_bytes, settled

FLAGS = ["--max-waiting-requests", "4096", "--kv-cache-memory", "256MiB"]
# Blocks run out, some requests are refused with 429, and prompts come in chunks.
SCARCE = ["--max-waiting-requests", "32", "--swap-space", "32MiB", "--max-num-batched-tokens", "256",
          "--tool-call-parser", "hermes"]
BROKEN = 10     # one request in so many
PATIENCE = 660  # seconds: beyond what the server itself gives a request (--request-timeout); what takes longer hangs
report = {}
failures = []


def demand(holds, what):
    if not holds:
        failures.append(what)
    print(f"  {'ok  ' if holds else 'FAIL'} {what}", flush=True)


async def held_blocks(port):
    return (await metrics(port))["caravel:kv_cache_used_blocks"]


async def at_rest(server, descriptors):
    """Nothing runs, no block is held and no more descriptors are open than before."""
    async def idle():
        return await held_blocks(server.port) == 0 and server.descriptors() <= descriptors + 1  # this connection's own
    rest = await settled(idle, 20)
    demand(rest, f"at rest: {await held_blocks(server.port):.0f} blocks held, {server.descriptors()} descriptors "
                 f"({descriptors} before)")


# --- streams ----------------------------------------------------------------------------------------------------------


async def stream(port, number, tokens, gate):
    """(seconds to the first token, gaps between tokens, count of tokens, error) of one stream."""
    try:
        reader, writer = await connect(port)
        try:
            await gate.wait()
            start = time.monotonic()
            writer.write(request_bytes("/v1/completions", {
                "prompt": f"Item {number} of the list is", "max_tokens": tokens, "ignore_eos": True, "temperature": 0,
                "stream": True, "stream_options": {"include_usage": True}}))
            answer = await Answer(reader).head()
            if answer.status != 200:
                return None, [], 0, f"status {answer.status}: {(await answer.body())[:200]}"
            first, last, gaps, count = None, None, [], 0
            async for data in answer.events():
                now = time.monotonic()
                if data == b"[DONE]":
                    return first, gaps, count, None if count == tokens else f"{count} tokens of {tokens}"
                event = json.loads(data)
                if event.get("usage"):
                    count = event["usage"]["completion_tokens"]
                elif first is None:
                    first, last = now - start, now
                else:
                    gaps.append(now - last)
                    last = now
            return first, gaps, count, "ended without [DONE]"
        finally:
            writer.close()
    except (OSError, asyncio.IncompleteReadError, ValueError) as error:
        return None, [], 0, repr(error)


async def many_streams(server, count, tokens):
    gate = asyncio.Event()
    tasks = [asyncio.create_task(stream(server.port, number, tokens, gate)) for number in range(count)]
    await asyncio.sleep(0.5)  # connections are open before the first request leaves
    peak = 0
    start = time.monotonic()
    gate.set()
    pending = set(tasks)
    while pending:
        _, pending = await asyncio.wait(pending, timeout=0.5)
        peak = max(peak, server.memory_mib())
    seconds = time.monotonic() - start
    rows = [task.result() for task in tasks]
    errors = [row[3] for row in rows if row[3]]
    return {"streams": count, "tokens": tokens, "failed": len(errors), "errors": errors[:3],
            "seconds": round(seconds, 2), "output_tokens_per_second": round(sum(row[2] for row in rows) / seconds, 1),
            "first_token_ms": percentiles([row[0] for row in rows if row[0] is not None]),
            "between_tokens_ms": percentiles([gap for row in rows for gap in row[1]]),
            "memory_peak_mib": round(peak, 1), "memory_after_mib": round(server.memory_mib(), 1)}


async def streams(server, options):
    count, tokens = (64, 8) if options.short else (2000, 32)
    descriptors = server.descriptors()
    rounds = [await many_streams(server, count, tokens) for _ in range(2)]
    for one in rounds:
        print("  " + json.dumps(one), flush=True)
        demand(one["failed"] == 0, f"none of {count} streams fails {one['errors']}")
    first, second = rounds
    demand(second["memory_peak_mib"] <= 1.05 * first["memory_peak_mib"] + 8,
           f"memory is flat: {first['memory_peak_mib']} MiB at most, then {second['memory_peak_mib']}")
    await at_rest(server, descriptors)
    return rounds


# --- faults -----------------------------------------------------------------------------------------------------------


def good_request(number):
    prompts = ["The capital of France is", "One, two, three,", "Water boils at", "The sun rises in the", "Hello"]
    body = {"prompt": prompts[number % len(prompts)], "max_tokens": 3, "temperature": 0}
    kind = number % 3
    if kind == 1:
        return "/v1/completions", {**body, "logprobs": 1}
    if kind == 2:
        return "/v1/chat/completions", {"messages": [{"role": "user", "content": body.pop("prompt")}], **body}
    return "/v1/completions", body


def answer_of(body):
    """What must be alike each time: text, reason, log-probabilities."""
    choice = json.loads(body)["choices"][0]
    return json.dumps({key: choice.get(key) for key in ("text", "message", "finish_reason", "logprobs")},
                      sort_keys=True)


WRONG_FIELDS = [{"max_tokens": "many"}, {"temperature": {}}, {"prompt": 3.5}, {"prompt": [[-1]]}, {"n": -1},
                {"top_p": 2}, {"stop": [1]}, {"logit_bias": [1]}, {"stream": "yes"}, {"logprobs": 1e9},
                {"seed": "x"}, {"model": 7}, {"prompt": [10 ** 12]}, {"response_format": 3}]


async def broken(port, rng):
    """One broken request: (its kind, the status of the answer where one is due)."""
    kind = rng.choice(["bad json", "wrong type", "huge body", "half head", "dropped", "dropped answer", "deep", "utf-8",
                       "garbage", "bad chunk"])
    reader, writer = await connect(port)
    path, body = good_request(rng.randrange(100))
    try:
        due = True
        if kind == "bad json":
            text = json.dumps(body)
            writer.write(request_bytes(path, text[:rng.randrange(1, len(text))].encode()))
        elif kind == "wrong type":
            writer.write(request_bytes("/v1/completions", {"prompt": "x", "max_tokens": 1, **rng.choice(WRONG_FIELDS)}))
        elif kind == "huge body":
            writer.write(f"POST {path} HTTP/1.1\r\nHost: {serving.HOST}\r\nContent-Length: {1 << 40}\r\n\r\n".encode())
            writer.write(b" " * 65536)
        elif kind == "half head":
            whole = request_bytes(path, body)
            writer.write(whole[:rng.randrange(1, whole.index(b"\r\n\r\n"))])
            due = False
        elif kind == "dropped":
            whole = request_bytes(path, body)
            writer.write(whole[:rng.randrange(1, len(whole))])
            due = False
        elif kind == "dropped answer":
            writer.write(request_bytes("/v1/completions", {"prompt": "Long", "max_tokens": 64, "stream": True,
                                                           "ignore_eos": True}))
            await reader.read(rng.randrange(1, 2000))
            due = False
        elif kind == "deep":
            depth = 20000
            writer.write(request_bytes(path, b'{"prompt": ' + b"[" * depth + b"]" * depth + b"}"))
        elif kind == "utf-8":
            writer.write(request_bytes(path, b'{"prompt": "a\xff\xfe\xc0\x80", "max_tokens": 1}'))
        elif kind == "garbage":
            writer.write(bytes(rng.randrange(256) for _ in range(200)) + b"\r\n\r\n")
        else:
            writer.write(f"POST {path} HTTP/1.1\r\nHost: {serving.HOST}\r\nTransfer-Encoding: chunked\r\n\r\n"
                         "zz\r\n\r\n".encode())
        if not due:
            await writer.drain()
            return kind, None
        return kind, (await asyncio.wait_for(Answer(reader).head(), 60)).status
    except (ConnectionError, asyncio.IncompleteReadError):
        return kind, "closed"  # with bytes of ours unread, a close may overtake the answer
    finally:
        writer.close()


async def faults(server, options):
    count, clients = (200, 16) if options.short else (10000, 64)
    port = server.port
    kinds = 15  # different good requests
    expected = []
    for number in range(kinds):
        status, body = await ask(port, *good_request(number))
        demand(status == 200, f"good request {number} before the load: {status} {'' if status == 200 else body[:200]}")
        expected.append(answer_of(body))
    descriptors = server.descriptors()
    memory = server.memory_mib()
    wrong, statuses = [], {}
    numbers = iter(range(count))

    async def client(seed):
        rng = random.Random(seed)
        link = None
        for number in numbers:
            if number % BROKEN == BROKEN - 1:
                kind, status = await broken(port, rng)
                statuses.setdefault(kind, {}).setdefault(status, 0)
                statuses[kind][status] += 1
                continue
            which = rng.randrange(kinds)
            link = link or await connect(port)
            status, body = await ask(port, *good_request(which), link=link)
            if status != 200 or answer_of(body) != expected[which]:
                wrong.append((status, body[:300]))
        if link:
            link[1].close()

    start = time.monotonic()
    await asyncio.gather(*(client(seed) for seed in range(clients)))
    seconds = time.monotonic() - start
    demand(not wrong, f"all {count - count // BROKEN} good requests answered right {wrong[:2] or ''}")
    print(f"  {count} requests in {seconds:.1f} s; broken ones: {statuses}", flush=True)
    bad = {kind: got for kind, got in statuses.items()
           for status in got if status not in (None, "closed") and not 400 <= status < 500}
    demand(not bad, f"broken requests get 4xx {bad or ''}")
    closed = {kind: got["closed"] for kind, got in statuses.items() if "closed" in got and kind != "huge body"}
    demand(not closed, f"broken requests that were sent whole are answered before the close {closed or ''}")
    await at_rest(server, descriptors)
    for number in range(kinds):
        _, body = await ask(port, *good_request(number))
        if answer_of(body) != expected[number]:
            demand(False, f"good request {number} is answered the same afterwards")
    return {"requests": count, "seconds": round(seconds, 1), "broken": {k: {str(s): n for s, n in v.items()}
                                                                      for k, v in statuses.items()},
            "memory_before_mib": round(memory, 1), "memory_after_mib": round(server.memory_mib(), 1)}


# --- readers ----------------------------------------------------------------------------------------------------------


def fat_request(tokens):
    """A stream of some 3 KiB a token: more than the system's own buffers take."""
    return request_bytes("/v1/chat/completions", {
        "messages": [{"role": "user", "content": "Tell me a long story."}], "max_tokens": tokens, "ignore_eos": True,
        "temperature": 0, "stream": True, "logprobs": True, "top_logprobs": 20})


def story(events):
    return "".join(choice["delta"].get("content") or "" for event in events if event != b"[DONE]"
                   for choice in json.loads(event)["choices"])


async def fat_stream(port, tokens, pause):
    """The stream's text and how many events brought it, read with pauses where `pause` is not 0."""
    reader, writer = await connect(port, 4096 if pause else None)
    try:
        writer.write(fat_request(tokens))
        answer = await Answer(reader).head()
        events = []
        async for event in answer.events():
            events.append(event)
            await asyncio.sleep(pause)
        return story(events), len(events), events[-1] == b"[DONE]"
    finally:
        writer.close()


async def readers(server, options):
    tokens, others, limit = (400, 8, 3) if options.short else (1500, 16, 10)
    port = server.port
    descriptors = server.descriptors()
    whole, _, _ = await fat_stream(port, tokens, 0)
    gate = asyncio.Event()
    gate.set()

    async def pace():
        rows = await asyncio.gather(*(stream(port, number, 64, gate) for number in range(others)))
        demand(not any(row[3] for row in rows), f"{others} readers who are not slow get their answers")
        return [gap for row in rows for gap in row[1]]

    alone = await pace()
    slow = [asyncio.create_task(fat_stream(port, tokens, 0.02)) for _ in range(2)]
    silent = [await connect(port, 2048) for _ in range(2)]
    for _, writer in silent:
        writer.transport.pause_reading()
        writer.write(fat_request(4 * tokens))
    await asyncio.sleep(0.5)
    beside = await pace()
    rest = await asyncio.gather(*slow)
    for text, events, done in rest:
        demand(text == whole and done, f"a slow reader gets the whole answer ({events} events of {tokens} tokens)")
    # Four more sequences take part in each step; nobody waits for a reader.
    ratio = statistics.median(beside) / max(statistics.median(alone), 1e-6)
    demand(max(beside) < 2 and ratio < 4, f"between tokens of others: {percentiles(alone)} ms alone, "
                                          f"{percentiles(beside)} beside slow readers")

    async def dropped():
        return (await metrics(port)).get("caravel:http_dropped_slow_readers_total", 0) >= len(silent)
    demand(await settled(dropped, 20 * limit), "readers that never read are dropped")
    await at_rest(server, descriptors)
    for _, writer in silent:
        writer.transport.abort()
    return {"alone_ms": percentiles(alone), "beside_ms": percentiles(beside), "events": [row[1] for row in rest]}


# --- mixed ------------------------------------------------------------------------------------------------------------


async def mixed(server, options):
    seconds, clients = (5, 8) if options.short else (options.seconds, 40)
    port = server.port
    descriptors = server.descriptors()

    async def one(rng):
        """Whether it went as it should, and what it was."""
        if rng.randrange(BROKEN) == 0:
            kind, status = await broken(port, rng)
            return status in (None, "closed") or 400 <= status < 500, f"broken: {kind}", status, b""
        kind, status, body = await request_mix.request(port, rng)
        return status in (None, 200, 429), kind, status, body

    start = time.monotonic()
    counts, wrong = await drive(server, clients, start + seconds, one, PATIENCE, pause=0.5)
    taken = time.monotonic() - start
    for kind in sorted(counts):
        print(f"  {kind}: {counts[kind]}", flush=True)
    total = sum(sum(statuses.values()) for statuses in counts.values())
    demand(not wrong, f"{total} requests of {clients} clients in {taken:.1f} s go as they should, {len(wrong)} do not "
                      f"{wrong[:3] or ''}")
    if server.process.poll() is not None:
        demand(False, "the server is there until the end")
        return {"requests": total, "counts": counts}
    await at_rest(server, descriptors)
    figures = await metrics(port)
    engine = {name: figures[f"caravel:{name}"] for name in (
        "engine_steps_total", "generation_tokens_total", "prefix_cache_hits_total", "num_preemptions_total")}
    print(f"  {engine}", flush=True)
    return {"seconds": round(taken, 1), "requests": total, "counts": counts, **engine}


# --- all --------------------------------------------------------------------------------------------------------------


async def drained(server):
    """Ends the server while streams run."""
    count, tokens = 8, 16
    gate = asyncio.Event()
    gate.set()
    tasks = [asyncio.create_task(stream(server.port, number, tokens, gate)) for number in range(count)]

    async def all_begun():
        return (await metrics(server.port))["caravel:requests_in_flight"] == count or any(t.done() for t in tasks)
    await settled(all_begun, PATIENCE)
    code = await asyncio.to_thread(server.stop, PATIENCE)
    errors = [error for *_, error in await asyncio.gather(*tasks) if error]
    demand(not errors, f"SIGTERM leaves {count} streams to their end {errors[:3] or ''}")
    demand(code == 0, f"and ends the server with exit code 0 ({code})")


SECTIONS = {"streams": (streams, FLAGS), "faults": (faults, FLAGS), "readers": (readers, FLAGS),
            "mixed": (mixed, SCARCE)}


def tiny_model(name, folder):
    """A copy of one of the tests' models, whose context is made long enough for conversations with tools."""
    source = serving.ROOT / "tests/fixtures/models" / name
    target = shutil.copytree(source, f"{folder}/tiny")
    config = json.loads((source / "config.json").read_text())
    with open(f"{target}/config.json", "w") as out:
        json.dump({**config, "max_position_embeddings": 2048}, out)
    return target


def run(name, options):
    section, flags = SECTIONS[name]
    if name == "mixed":  # some 2,000 tokens of the tiny model, 700 of the default one
        flags = [*flags, "--kv-cache-memory", "512KiB" if options.tiny else "16MiB"]
    print(f"==> {name}", flush=True)
    before = len(failures)
    with Server(*flags, "--write-timeout", 3 if options.short else 10, model=options.model,
                timeout=PATIENCE) as server:
        asyncio.run(ask(server.port, "/v1/completions", {"prompt": "x", "max_tokens": 1}))  # what is made once, is
        report[name] = asyncio.run(section(server, options))
        if server.process.poll() is None:
            asyncio.run(drained(server))
        found = re.search(r"(ERROR|WARNING): \w+Sanitizer|runtime error:", server.text())
        demand(not found, "no sanitizer reports anything")
        if len(failures) > before:
            print(server.text()[found.start():][:20000] if found else server.text()[-4000:], file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--only", default=",".join(SECTIONS))
    parser.add_argument("--seconds", type=float, default=60)
    models = parser.add_mutually_exclusive_group()
    models.add_argument("--model")
    models.add_argument("--tiny", nargs="?", const="llama3", metavar="NAME")
    parser.add_argument("--json")
    options = parser.parse_args()
    serving.raise_descriptor_limit()
    with tempfile.TemporaryDirectory(prefix="caravel-load-") as folder:
        if options.tiny:
            options.model = tiny_model(options.tiny, folder)
        for name in options.only.split(","):
            run(name, options)
    if options.json:
        with open(options.json, "w") as out:
            json.dump({"sections": report, "failures": failures}, out, indent=1)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
