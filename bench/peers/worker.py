"""One peer that keeps its model loaded: worker.py transformers|vllm. For each line on stdin, the lengths of the prompts of
a batch, it measures a prefill of 512 tokens, a decode of 128 (of 32 for transformers), and, in vLLM, the batch with 128
tokens out; the figures go to stdout as "@{...}", and "@{}" when it is ready. The weights are the default model's,
dequantised: float32 for transformers, bfloat16 for vLLM.
"""

import json
import random
import sys
import time

import peers


def random_ids(count):
    return [random.randrange(100, 49152) for _ in range(count)]


def transformers():
    import torch

    model = peers.load_transformers("smollm2", attention="sdpa")

    @torch.inference_mode()
    def measure(lengths):
        ids = torch.tensor([random_ids(512)])
        start = time.monotonic()
        model(ids, use_cache=True, logits_to_keep=1)
        prefill = 512 / (time.monotonic() - start)
        state = model(ids[:, :1], use_cache=True)
        start = time.monotonic()
        for _ in range(32):
            token = state.logits[:, -1:].argmax(-1)
            state = model(token, past_key_values=state.past_key_values, use_cache=True)
        return {"prefill_tokens_per_second": prefill, "decode_tokens_per_second": 32 / (time.monotonic() - start)}

    return measure


def vllm():
    import torch
    from vllm import LLM, SamplingParams

    folder = peers.PEERS / "models/smollm2-bf16"
    if not (folder / "config.json").exists():
        peers.save_dequantised(peers.load_transformers("smollm2").to(torch.bfloat16), folder)
    # Without the last it wants 92 % of the memory to be free.
    engine = LLM(str(folder), skip_tokenizer_init=True, dtype="bfloat16", max_model_len=1024, max_num_seqs=32,
                 gpu_memory_utilization=0.3)

    def seconds(prompts, output_len):
        params = SamplingParams(temperature=0, max_tokens=output_len, min_tokens=output_len, ignore_eos=True,
                                detokenize=False)
        start = time.monotonic()
        engine.generate([{"prompt_token_ids": ids} for ids in prompts], params, use_tqdm=False)
        return time.monotonic() - start

    def measure(lengths):
        prefill = 512 / seconds([random_ids(512)], 1)
        decode = 128 / (seconds([random_ids(1)], 129) - seconds([random_ids(1)], 1))
        batch = 128 * len(lengths) / seconds([random_ids(length) for length in lengths], 128)
        return {"prefill_tokens_per_second": prefill, "decode_tokens_per_second": decode,
                "output_tokens_per_second": batch}

    return measure


def main():
    measure = {"transformers": transformers, "vllm": vllm}[sys.argv[1]]()
    print("@{}", flush=True)
    for line in sys.stdin:
        print("@" + json.dumps(measure(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
