#!/usr/bin/env python3
"""`caravel serve` against llama-server under the same load, and against `caravel bench throughput`.

  bench/serve_peers.py [--rounds 3] [--format Q4_1] [--without-amx] [--json OUT]
                                                            (bench/peers/setup first; CARAVEL: the binary)

32 streams at once, prompts of 32 to 512 tokens, 128 tokens out, the servers in turn within each round, since a shared
machine's speed can halve for seconds; medians and the median of the rounds' ratios are shown. Then what an idle server
costs, and how soon after its command it is ready. Prints Markdown.
"""

import argparse
import asyncio
import json
import os
import pathlib
import random
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "peers"))

import peers  # noqa: E402
import serving  # noqa: E402
from serving import Answer, Server, connect, request_bytes  # noqa: E402

THREADS = len(os.sched_getaffinity(0))
STREAMS, OUTPUT = 32, 128
IDLE_SECONDS = 10


def load():
    rng = random.Random(1)
    return [[rng.randrange(100, 49152) for _ in range(rng.randint(32, 512))] for _ in range(STREAMS)]


async def one_stream(port, path, body, gate):
    """Seconds to the first event, and the last ones with data."""
    reader, writer = await connect(port)
    try:
        await gate.wait()
        start, first, last = time.monotonic(), None, []
        writer.write(request_bytes(path, body))
        answer = await Answer(reader).head()
        assert answer.status == 200, await answer.body()
        async for data in answer.events():
            first = first or time.monotonic() - start
            last = last[-2:] + [data]
        return first, last
    finally:
        writer.close()


async def all_streams(port, path, bodies):
    gate = asyncio.Event()
    tasks = [asyncio.create_task(one_stream(port, path, body, gate)) for body in bodies]
    await asyncio.sleep(0.2)
    start = time.monotonic()
    gate.set()
    rows = await asyncio.gather(*tasks)
    return time.monotonic() - start, [row[0] for row in rows], [row[1] for row in rows]


def figures(seconds, firsts):
    return {"output_tokens_per_second": STREAMS * OUTPUT / seconds, "first_token_seconds": statistics.median(firsts)}


def caravel(model, prompts):
    with Server(*peers.CARAVEL_FLAGS, model=model) as server:
        # The first request of a process finds pages that nobody has touched: not what is compared.
        bodies = [{"prompt": [prompt[0]], "max_tokens": 1} for prompt in prompts[:1]]
        asyncio.run(all_streams(server.port, "/v1/completions", bodies))
        bodies = [{"prompt": prompt, "max_tokens": OUTPUT, "ignore_eos": True, "temperature": 0, "stream": True,
                   "stream_options": {"include_usage": True}} for prompt in prompts]
        seconds, firsts, lasts = asyncio.run(all_streams(server.port, "/v1/completions", bodies))
        for last in lasts:
            usage = next(json.loads(data)["usage"] for data in last if b'"completion_tokens"' in data)
            assert usage["completion_tokens"] == OUTPUT, usage
        return figures(seconds, firsts)


def llama(model, prompts):
    with peers.llama_server(model, "-t", str(THREADS), "-np", str(STREAMS), "-c", "20480") as (port, _):
        peers.post(port, "/completion", {"prompt": prompts[0][:8], "n_predict": 1})
        bodies = [{"prompt": prompt, "n_predict": OUTPUT, "ignore_eos": True, "temperature": 0, "cache_prompt": False,
                   "stream": True} for prompt in prompts]
        seconds, firsts, lasts = asyncio.run(all_streams(port, "/completion", bodies))
        for last in lasts:
            assert json.loads(last[-1])["tokens_predicted"] == OUTPUT
        return figures(seconds, firsts)


def throughput(model, prompts):
    lengths = ",".join(str(len(prompt)) for prompt in prompts)
    done = subprocess.run([str(serving.CARAVEL), "bench", "throughput", str(model), "--input-lens", lengths,
                           "--output-len", str(OUTPUT), "--json", *peers.CARAVEL_FLAGS], capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    return {"output_tokens_per_second": result["output_tokens_per_second"],
            "first_token_seconds": result["median_first_token_seconds"]}


def idle_and_start(model, rounds):
    ready, used = [], []
    for _ in range(rounds):
        with Server(*peers.CARAVEL_FLAGS, model=model) as server:
            ready.append(server.ready_seconds)
            time.sleep(1)
            before = server.processor_seconds()
            time.sleep(IDLE_SECONDS)
            used.append(server.processor_seconds() - before)
    return ready, used


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--format", default="Q4_1", help="a row of bench/peers/cpu.py's formats")
    parser.add_argument("--without-amx", action="store_true", help="neither Caravel nor llama.cpp uses AMX")
    parser.add_argument("--json")
    options = parser.parse_args()
    if options.without_amx:
        peers.leave_amx_out()
    model, prompts = peers.model_file(options.format), load()
    sides = {"caravel serve": caravel, "llama-server": llama, "caravel bench throughput": throughput}
    rows = {name: [] for name in sides}
    for number in range(options.rounds):
        for name, measure in sides.items():
            rows[name].append(measure(model, prompts))
            print(f"round {number}: {name}: {rows[name][-1]}", file=sys.stderr, flush=True)
    ready, used = idle_and_start(model, options.rounds)
    print(f"| {STREAMS} streams, {options.format} | output tokens/s | median first token, s |\n| --- | --- | --- |")
    for name, got in rows.items():
        print(f"| {name} | {statistics.median(row['output_tokens_per_second'] for row in got):.1f} | "
              f"{statistics.median(row['first_token_seconds'] for row in got):.2f} |")
    for other in list(sides)[1:]:
        ratio = lambda key: statistics.median(a[key] / b[key] for a, b in zip(rows["caravel serve"], rows[other]))
        print(f"| serve / {other.removeprefix('caravel ')} | {ratio('output_tokens_per_second'):.2f} | "
              f"{ratio('first_token_seconds'):.2f} |")
    print(f"\nReady {statistics.median(ready):.2f} s after the command; {statistics.median(used):.2f} s of processor "
          f"time in {IDLE_SECONDS} s without a request.")
    if options.json:
        with open(options.json, "w") as out:
            json.dump({"rounds": rows, "ready_seconds": ready, "idle_processor_seconds": used}, out, indent=1)


if __name__ == "__main__":
    main()
