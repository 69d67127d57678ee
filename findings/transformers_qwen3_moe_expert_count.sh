#!/usr/bin/env bash
# transformers 5.24.0, the number of experts in the config.json of a Qwen3-MoE, seen 2026-11-30.
#
# Qwen3MoeConfig takes num_experts, as Qwen's published config.json files spell it, and as Qwen2MoeConfig writes it. What
# its save_pretrained writes has num_local_experts instead, and no num_experts. Who reads config.json by the name that
# the published files have finds no number of experts in a model that was saved again, such as a fine-tuned one; both
# names have to be known.
#
# Prints what either class writes for six experts. Exits with 1 where that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet transformers==5.24.0
venv/bin/python - <<'PYTHON'
import json
import sys

import transformers

written = {}
for config in (transformers.Qwen2MoeConfig, transformers.Qwen3MoeConfig):
    config(num_experts=6).save_pretrained("saved")
    with open("saved/config.json") as file:
        names = [name for name, value in json.load(file).items() if value == 6 and "experts" in name]
    written[config.__name__] = names
    print(f"{config.__name__}: six experts are written as {', '.join(names)}")
sys.exit(written != {"Qwen2MoeConfig": ["num_experts"], "Qwen3MoeConfig": ["num_local_experts"]})
PYTHON
