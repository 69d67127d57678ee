#!/usr/bin/env bash
# transformers' DynamicCache (5.24.0, torch 2.13.0), seen 2026-11-29.
#
# A cache of a prefix is repeated over a batch by copy.deepcopy and batch_repeat_interleave, or, without copying, by
# building a DynamicCache from the entries of the first with their tensors expanded. For a model whose layers have full
# attention alone both are right. For one with sliding windows (Gemma 3), whose layers keep the window's entries only, the
# second says nothing and computes something else: a layer counts the tokens that it is given, not those that it had seen,
# so that the cache's length, and with it positions and mask of what follows, are those of a prefix as long as the window.
#
# Prints the length of each cache after a prefix of 21 tokens, where a window has 8, and how far the logits of what follows
# are from those of the whole text in one piece. Exits with 1 where the second way becomes right, or is refused.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet torch==2.13.0
"$folder/venv/bin/pip" install --quiet transformers==5.24.0
"$folder/venv/bin/python" - <<'PYTHON'
import copy

import torch
from transformers import DynamicCache, Gemma3ForCausalLM, Gemma3TextConfig

torch.manual_seed(0)
torch.set_num_threads(1)
config = Gemma3TextConfig(vocab_size=97, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
                          num_key_value_heads=2, head_dim=8, sliding_window=8, pad_token_id=0, bos_token_id=1,
                          eos_token_id=2, layer_types=["sliding_attention", "full_attention"])
model = Gemma3ForCausalLM(config).eval()
prefix, rest = torch.randint(3, 97, (1, 21)), torch.randint(3, 97, (3, 13))
with torch.inference_mode():
    whole = model(torch.cat([prefix.expand(3, -1), rest], 1)).logits[:, prefix.shape[1]:]
    computed = DynamicCache(config=config)
    model(prefix, cache=computed, use_cache=True)
    repeated = copy.deepcopy(computed)
    repeated.batch_repeat_interleave(3)
    entries = ((keys.expand(3, -1, -1, -1), values.expand(3, -1, -1, -1), *window) for keys, values, *window in computed)
    rebuilt = DynamicCache(entries, config=config)
    errors = {}
    for name, cache in (("repeated", repeated), ("rebuilt", rebuilt)):
        length = cache.get_seq_length()
        errors[name] = float((model(rest, cache=cache, use_cache=True).logits - whole).abs().max())
        print(f"{name}: {length} tokens, logits {errors[name]:.7f} away")
raise SystemExit(errors["repeated"] > 1e-5 or errors["rebuilt"] < 1e-3)
PYTHON
