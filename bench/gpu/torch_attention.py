#!/usr/bin/env python3
"""Attention of a layer of Llama-3.1-8B by PyTorch, beside gpu_attention_bench: the same figures of its fused kernels.

    torch_attention.py

Decode reads keys and values that lie in order, without blocks; each call has a cache of its own, together far larger
than the L2 cache.
"""

import json
import statistics

import torch
import torch.nn.functional as F

HEADS, KV_HEADS, HEAD_DIM = 32, 8, 128
BEYOND_CACHES = 256 << 20


def seconds(call, copies):
    """Of one call: the median of replays of a graph that has a call for each copy."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for copy in range(min(copies, 2)):
            call(copy)
    torch.cuda.synchronize()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for copy in range(copies):
            call(copy)
    times = []
    for _ in range(8):
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        graph.replay()
        end.record()
        torch.cuda.synchronize()
        times.append(begin.elapsed_time(end) / 1e3 / copies)
    return statistics.median(times[1:])


def random(*shape):
    return torch.randn(*shape, device="cuda", dtype=torch.bfloat16)


def main():
    torch.manual_seed(1)
    for batch in (1, 8, 64):
        for context in (1024, 4096, 8192):
            bytes_read = batch * context * KV_HEADS * HEAD_DIM * 4
            copies = max(2, -(-BEYOND_CACHES // bytes_read))
            q = random(batch, HEADS, 1, HEAD_DIM)
            kv = [(random(batch, KV_HEADS, context, HEAD_DIM), random(batch, KV_HEADS, context, HEAD_DIM))
                  for _ in range(copies)]
            time = seconds(lambda i: F.scaled_dot_product_attention(q, *kv[i], enable_gqa=True), copies)
            print(json.dumps({"attention": "decode", "batch": batch, "context": context, "us": round(1e6 * time, 2),
                              "gb_per_s": round(bytes_read / 1e9 / time)}), flush=True)
            del kv
    for context in (2048, 8192):
        q = random(1, HEADS, context, HEAD_DIM)
        k, v = random(1, HEADS, context, HEAD_DIM), random(1, HEADS, context, HEAD_DIM)
        products = 4 * context * (context + 1) / 2 * HEADS * HEAD_DIM
        for name in ("FLASH_ATTENTION", "CUDNN_ATTENTION"):
            try:
                with torch.nn.attention.sdpa_kernel(getattr(torch.nn.attention.SDPBackend, name)):
                    time = seconds(lambda _: F.scaled_dot_product_attention(q, k, v, is_causal=True), 4)
            except RuntimeError as error:
                print(json.dumps({"attention": "prefill", "by": name, "error": str(error).splitlines()[0]}), flush=True)
                continue
            print(json.dumps({"attention": "prefill", "by": name, "context": context, "us": round(1e6 * time, 2),
                              "tflop_per_s": round(products / 1e12 / time, 1)}), flush=True)


if __name__ == "__main__":
    main()
