#!/usr/bin/env python3
"""What a few odd but legal requests do to everybody else on a `caravel serve`.

  bench/serve_abuse.py [--only CASE] [--clients 8] [--victim-tokens 300] [--model M] [--json FILE]
  bench/serve_abuse.py --odd SECONDS [--seed 1] [--clients 2] [--model M] [--json FILE]
CARAVEL in the environment is the binary.

Each case runs twice on one server: its requests as they are, and the same without their odd field. Beside them a victim
streams, and /health is asked ten times a second. Printed are the victim's 50th and 99th percentile and longest time
between tokens in both, the slowest /health, the largest resident memory beyond that of the idle server, and the
processor time that the server takes in the seconds after all clients have left. Exits with 1 where the victim's p99
is more than 2 times that beside the plain requests (and above 20 ms), /health takes more than 50 ms, memory grows by
more than 512 MiB, or more than 0.5 s of processor time is taken after all have left.

--odd looks for what is not among the cases: for so many seconds it sends bench/odd_requests.py's extremes of every field,
alone first and then in pairs, to a server with --max-time-between-tokens 0.1, beside a victim that never ends, and prints
the worst ten by each column. A client leaves after 10 s. Exits with 1 where a request got a 5xx other than 503, a connection was closed without an answer, or the
server ended. Standard library alone.
"""

import argparse
import asyncio
import collections
import contextlib
import json
import multiprocessing
import random
import statistics
import string
import sys
import time

import odd_requests
import serving
from serving import Answer, connect, request_bytes

random.seed(11)
NESTED = "(abcd%s|[a-z ]{1,60}){1,60}"
OPTIONS = """root ::= a a a a a a a a a a a a
a ::= b? b? b? b? b? b?
b ::= c? c? c? c?
c ::= "%s"? [a-z]? [ -~]?
"""
REACH = {"ratio": 2.0, "health": 0.050, "memory": 512, "after": 0.5}


def words(count, length=30):
    return ["".join(random.choices(string.ascii_lowercase, k=length)) for _ in range(count)]


def answer(**fields):
    return "/v1/completions", {"prompt": "Once upon a time", "max_tokens": 120, "ignore_eos": True, "temperature": 0,
                               **fields}


def odd_letter(i):
    return chr(ord("a") + i % 26)


# name -> (what it is, seconds after which its clients leave (None: they stay), request number i)
CASES = {
    "bad-words": ("100,000 bad words, by clients that leave after a second", 1.0,
                  lambda i: answer(bad_words=words(100_000))),
    "enums": ("an enum of 50,000 texts, by clients that leave after a second", 1.0,
              lambda i: answer(structured_outputs={"json": {"enum": words(50_000)}})),
    "tokenize": ("30 MB to tokenize, by clients that leave after a second", 1.0,
                 lambda i: ("/tokenize", {"prompt": " " * 30_000_000})),
    "messages": ("100,000 messages, by clients that leave after a second", 1.0,
                 lambda i: ("/v1/chat/completions",
                            {"messages": [{"role": "user", "content": "x"}] * 100_000, "max_tokens": 1})),
    "nested-regex": ("a regular expression of nested counts", None,
                     lambda i: answer(structured_outputs={"regex": NESTED % odd_letter(i)})),
    "options": ("a grammar of 864 optional places", None,
                lambda i: answer(structured_outputs={"grammar": OPTIONS % odd_letter(i)})),
    "prompt-logprobs": ("128 log-probabilities for each of 5,000 tokens of the prompt", None,
                        lambda i: answer(prompt=" ".join(words(1_400, 8)), prompt_logprobs=128, max_tokens=1)),
}
ODD = ("bad_words", "structured_outputs", "prompt_logprobs")


def plain(case, i):
    """The same request without its odd field."""
    path, body = CASES[case][2](i)
    if case in ("tokenize", "messages"):
        return answer()
    return path, {name: value for name, value in body.items() if name not in ODD}


async def stream(port, body, gaps):
    reader, writer = await connect(port)
    try:
        writer.write(request_bytes("/v1/completions", {**body, "stream": True}))
        reply = await Answer(reader).head()
        last = None
        async for event in reply.events():
            if event == b"[DONE]":
                break
            now = time.monotonic()
            if last is not None:
                gaps.append(now - last)
            last = now
    finally:
        writer.close()


async def one_client(port, data, leaves):
    with contextlib.suppress(OSError, asyncio.TimeoutError, asyncio.IncompleteReadError):
        reader, writer = await connect(port)
        try:
            writer.write(data)
            await asyncio.wait_for(read_whole(reader), leaves or 300)
        finally:
            writer.transport.abort()


async def read_whole(reader):
    return await (await Answer(reader).head()).body()


async def watch(port, slowest, stop):
    while not stop.is_set():
        begin = time.monotonic()
        try:
            reader, writer = await connect(port)
            writer.write(request_bytes("/health", b"", "GET", "Connection: close\r\n"))
            await asyncio.wait_for(read_whole(reader), 60)
            writer.close()
        except (OSError, asyncio.TimeoutError):
            pass
        slowest.append(time.monotonic() - begin)
        await asyncio.sleep(0.1)


async def victim(port, tokens):
    """Its gaps between tokens, and the slowest /health meanwhile."""
    gaps, slowest, stop = [], [], asyncio.Event()
    watcher = asyncio.create_task(watch(port, slowest, stop))
    await stream(port, {"prompt": "The sea", "max_tokens": tokens, "ignore_eos": True, "temperature": 0}, gaps)
    stop.set()
    await watcher
    return gaps, max(slowest)


def be_victim(port, tokens, pipe):
    pipe.send(asyncio.run(victim(port, tokens)))


async def all_clients(server, bodies, leaves):
    """The largest resident memory meanwhile."""
    most, stop = [server.memory_mib()], asyncio.Event()

    async def weigh():
        while not stop.is_set():
            most.append(server.memory_mib())
            await asyncio.sleep(0.05)

    weigher = asyncio.create_task(weigh())
    await asyncio.gather(*(one_client(server.port, data, leaves) for data in bodies))
    stop.set()
    await weigher
    return max(most)


def round_of(server, requests, leaves, tokens):
    """The victim's gaps, the slowest /health and the largest resident memory beside these requests. The victim has a
    process of its own, so that it does not wait for what its neighbours send."""
    bodies = [request_bytes(path, body) for path, body in requests]
    mine, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=be_victim, args=(server.port, tokens, theirs))
    process.start()
    time.sleep(0.5)
    most = asyncio.run(all_clients(server, bodies, leaves))
    gaps, health = mine.recv()
    process.join()
    return gaps, health, most


def shares(gaps):
    ordered = sorted(gaps)
    return {"p50": statistics.median(ordered), "p99": ordered[int(0.99 * (len(ordered) - 1))], "max": ordered[-1]}


def measure(server, case, clients, tokens):
    what, leaves, _ = CASES[case]
    make = CASES[case][2]
    idle = server.memory_mib()
    # Those that go away are replaced by nobody: plain ones stay as long as they do.
    usual, _, _ = round_of(server, [plain(case, i) for i in range(clients)], leaves, tokens)
    gaps, health, most = round_of(server, [make(i) for i in range(clients)], leaves, tokens)
    time.sleep(0.2)
    before = server.processor_seconds()
    time.sleep(3)
    after = server.processor_seconds() - before
    return {"case": case, "what": what, "usual": shares(usual), "beside": shares(gaps), "health": health,
            "memory": most - idle, "after": after}


def verdicts(row):
    ratio = row["beside"]["p99"] / row["usual"]["p99"]
    return {"ratio": ratio <= REACH["ratio"] or row["beside"]["p99"] <= 0.020, "health": row["health"] <= REACH["health"],
            "memory": row["memory"] <= REACH["memory"], "after": row["after"] <= REACH["after"]}


async def endless_victim(port, pipe):
    """Streams one answer after the other; at every message of the pipe, what happened since the last one."""
    gaps, slowest = [], []

    async def tell():
        while True:
            if await asyncio.to_thread(pipe.poll, 1):
                pipe.recv()
                pipe.send((list(gaps), list(slowest)))
                gaps.clear()
                slowest.clear()

    async def talk():
        while True:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await stream(port, {"prompt": "The sea", "max_tokens": 200, "ignore_eos": True}, gaps)

    await asyncio.gather(tell(), talk(), watch(port, slowest, asyncio.Event()))


def be_endless_victim(port, pipe):
    asyncio.run(endless_victim(port, pipe))


async def odd_client(port, data, leaves, outcomes):
    """Appends (status or what went wrong, seconds until the answer was whole)."""
    begin = time.monotonic()
    reader, writer = await connect(port)
    try:
        async with asyncio.timeout(leaves):
            writer.write(data)
            answer = await Answer(reader).head()
            async for _ in answer.pieces():
                pass
            status = answer.status
    except TimeoutError:
        status = "left"
    except (OSError, asyncio.IncompleteReadError, ValueError) as error:
        status = repr(error)
    finally:
        writer.transport.abort()
    outcomes.append((status, time.monotonic() - begin))


async def beside(server, data, clients):
    """(Outcomes, largest resident memory) of so many clients that send the same."""
    outcomes, most, done = [], [server.memory_mib()], asyncio.Event()

    async def weigh():
        while not done.is_set() and server.process.poll() is None:
            most.append(server.memory_mib())
            await asyncio.sleep(0.02)

    weigher = asyncio.create_task(weigh())
    await asyncio.gather(*(odd_client(server.port, data, 10, outcomes) for _ in range(clients)))
    done.set()
    await weigher
    return outcomes, max(most)


COLUMNS = {"longest": ("victim's longest gap, ms", 1e3), "p99": ("victim's p99, ms", 1e3), "health": ("/health, ms", 1e3),
           "memory": ("memory beyond that before, MiB", 1), "kept": ("memory kept after it, MiB", 1),
           "after": ("processors taken afterwards, beyond the victim's", 1), "waits": ("until its answer was whole, s", 1)}


def processors_taken(server, seconds):
    before = server.processor_seconds()
    time.sleep(seconds)
    return (server.processor_seconds() - before) / seconds


def look_for_odd(server, seconds, seed, clients):
    """Rows of what was measured, and what went wrong."""
    status, text = asyncio.run(serving.ask(server.port, "/openapi.json", method="GET"))
    requests = odd_requests.OddRequests(json.loads(text), seed)
    alone = collections.deque(requests.alone())
    mine, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=be_endless_victim, args=(server.port, theirs), daemon=True)
    process.start()
    time.sleep(2)
    usual = processors_taken(server, 2)
    rows, wrong, end = [], [], time.monotonic() + seconds
    while time.monotonic() < end and server.process.poll() is None:
        what, path, body = requests.request(*(alone.popleft() if alone else requests.pair()))
        data = request_bytes(path, body)
        mine.send("go on")
        mine.recv()
        memory = server.memory_mib()
        outcomes, most = asyncio.run(beside(server, data, clients))
        mine.send("go on")
        gaps, health = mine.recv()
        if server.process.poll() is not None:
            wrong.append(f"the server ended: {what}")
            break
        after = max(0, processors_taken(server, 0.4) - usual)
        wrong += [f"{status}: {what}" for status, _ in outcomes
                  if isinstance(status, str) and status != "left" or status in (500, 502, 504)]
        gaps = gaps or [0]
        rows.append({"what": what, "statuses": [str(status) for status, _ in outcomes], **shares(gaps),
                     "longest": max(gaps), "health": max(health, default=0), "memory": most - memory,
                     "kept": server.memory_mib() - memory, "after": after, "waits": max(s for _, s in outcomes)})
    process.kill()
    return rows, wrong


def print_worst(rows, wrong):
    print(f"{len(rows)} requests", flush=True)
    for column, (title, scale) in COLUMNS.items():
        print(f"\n| {title} | answer | request |\n| ---: | --- | --- |")
        for row in sorted(rows, key=lambda row: -row[column])[:10]:
            print(f"| {scale * row[column]:.2f} | {' '.join(sorted(set(row['statuses'])))} | {row['what'][:150]} |")
    for line in wrong:
        print(f"WRONG {line[:300]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=CASES, help="one case")
    parser.add_argument("--odd", type=float, metavar="SECONDS", help="look for odd requests for so long")
    parser.add_argument("--seed", type=int, default=1, help="of --odd")
    parser.add_argument("--clients", type=int, help="8, or 2 with --odd")
    parser.add_argument("--victim-tokens", type=int, default=300)
    parser.add_argument("--model")
    parser.add_argument("--json", help="file for the figures")
    arguments = parser.parse_args()
    serving.raise_descriptor_limit()
    if arguments.odd:
        with serving.Server("--kv-cache-memory", "256MiB", "--max-time-between-tokens", "0.1",
                            model=arguments.model) as server:
            rows, wrong = look_for_odd(server, arguments.odd, arguments.seed, arguments.clients or 2)
        print_worst(rows, wrong)
        if arguments.json:
            with open(arguments.json, "w") as file:
                json.dump(rows, file, indent=1)
        sys.exit(1 if wrong else 0)
    rows, failed = [], False
    print("| case | p50 / p99 / max beside plain ones, ms | beside these | p99, times | /health, ms | memory, MiB | after, s |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for case in [arguments.only] if arguments.only else CASES:
        with serving.Server("--kv-cache-memory", "256MiB", model=arguments.model) as server:
            asyncio.run(stream(server.port, {"prompt": "The sea", "max_tokens": 20}, []))  # what is made once
            row = measure(server, case, arguments.clients or 8, arguments.victim_tokens)
        met = verdicts(row)
        failed = failed or not all(met.values())
        rows.append(row)
        usual, beside = ("{p50:.1f} / {p99:.1f} / {max:.1f}".format(**{k: 1e3 * v for k, v in row[side].items()})
                         for side in ("usual", "beside"))
        mark = {name: "" if holds else " (!)" for name, holds in met.items()}
        print(f"| {case} | {usual} | {beside} | {row['beside']['p99'] / row['usual']['p99']:.2f}{mark['ratio']} | "
              f"{1e3 * row['health']:.0f}{mark['health']} | {row['memory']:.0f}{mark['memory']} | "
              f"{row['after']:.2f}{mark['after']} |", flush=True)
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump(rows, file, indent=1)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
