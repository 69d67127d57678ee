#!/usr/bin/env python3
"""The GEMMs of gemm_bench.cc by torch (cuBLASLt), BF16: microseconds and the share of the read bandwidth.

    torch_gemm.py READ_GB_PER_S [TOKENS...]

As there, a graph has a launch for each of several copies of a weight, together far larger than the L2 cache, and is
replayed; gate and up are one product, without the activation. READ_GB_PER_S is what gemm_bench.cc prints first.
"""

import json
import sys

import torch

SHAPES = {
    "qkv": (6144, 4096),
    "attention output": (4096, 4096),
    "gate and up": (28672, 4096),
    "down": (4096, 14336),
    "head": (128256, 4096),
}
TOKENS = (1, 8, 16, 32, 64, 128, 256, 2048)
BEYOND_CACHES = 256 << 20
GRAPHS = 8


def time_of(weights: list, tokens: int) -> float:
    """Seconds of one product, the best of some replays."""
    out_rows, width = weights[0].shape
    inputs = torch.randn(tokens, width, device="cuda", dtype=torch.bfloat16)
    out = torch.empty(tokens, out_rows, device="cuda", dtype=torch.bfloat16)
    torch.matmul(inputs, weights[0].t(), out=out)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for weight in weights:
            torch.matmul(inputs, weight.t(), out=out)
    best = float("inf")
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    for repeat in range(6):
        begin.record()
        for _ in range(GRAPHS):
            graph.replay()
        end.record()
        end.synchronize()
        if repeat > 0:
            best = min(best, begin.elapsed_time(end) / 1e3 / GRAPHS / len(weights))
    return best


def main() -> None:
    read = float(sys.argv[1])
    for name, (rows, width) in SHAPES.items():
        count = max(2, -(-BEYOND_CACHES // (rows * width * 2)))
        weights = [torch.randn(rows, width, device="cuda", dtype=torch.bfloat16) for _ in range(count)]
        for tokens in map(int, sys.argv[2:]) if len(sys.argv) > 2 else TOKENS:
            seconds = time_of(weights, tokens)
            rate = rows * width * 2 / 1e9 / seconds
            figures = {
                "gemm": name,
                "tokens": tokens,
                "us": round(1e6 * seconds, 2),
                "gb_per_s": round(rate),
                "share_of_read": round(rate / read, 3),
                "tflop_per_s": round(2 * rows * width * tokens / 1e12 / seconds, 1),
            }
            print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    main()
