#!/usr/bin/env python3
"""Llama-3.1-8B's shapes with random weights by transformers, with a static cache and torch.compile, beside llama_8b.py.

    transformers_8b.py [BATCH,CONTEXT ...]      else 1,2048 8,2048 64,1024

Both draw greedily. A decode step is (time of 256 output tokens - time of 128) / 128, of prompts 192 tokens shorter than
the context, as in shapes.py; `generate` compiles the decoder's step by itself where the cache is static. The first token
is that of `generate` with one token, which transformers does not compile. Medians of three, after what compiles.
"""

import json
import statistics
import sys
import time

import torch
import transformers

import llama_8b


def seconds(model, prompts, tokens):
    """Of an answer of so many tokens to each prompt, once everything is compiled."""
    times = []
    for _ in range(5):
        torch.cuda.synchronize()
        begun = time.monotonic()
        out = model.generate(input_ids=prompts, attention_mask=torch.ones_like(prompts), max_new_tokens=tokens,
                             min_new_tokens=tokens, do_sample=False, cache_implementation="static", pad_token_id=0)
        torch.cuda.synchronize()
        times.append(time.monotonic() - begun)
        assert out.shape[1] == prompts.shape[1] + tokens
    return statistics.median(times[2:])


def main():
    wanted = [tuple(map(int, each.split(","))) for each in sys.argv[1:]] or [(1, 2048), (8, 2048), (64, 1024)]
    torch.manual_seed(1)
    torch.set_default_dtype(torch.bfloat16)
    with torch.device("cuda"), torch.no_grad():
        model = transformers.LlamaForCausalLM(transformers.LlamaConfig(**llama_8b.CONFIG)).eval()
        print(json.dumps({"transformers": transformers.__version__, "torch": torch.__version__,
                          "attention": model.config._attn_implementation}), flush=True)
        for batch, context in wanted:
            prompts = torch.randint(2, llama_8b.VOCAB, (batch, context - 192))
            step = (seconds(model, prompts, 256) - seconds(model, prompts, 128)) / 128
            print(json.dumps({"figure": "decode step", "batch": batch, "context": context,
                              "ms": round(step * 1000, 3)}), flush=True)
        for tokens in (2048, 8192):
            first = seconds(model, torch.randint(2, llama_8b.VOCAB, (1, tokens)), 1)
            print(json.dumps({"figure": "first token", "prompt": tokens, "ms": round(first * 1000, 1)}), flush=True)


if __name__ == "__main__":
    main()
