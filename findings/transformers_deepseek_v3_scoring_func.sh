#!/usr/bin/env bash
# transformers 5.24.0 and llama.cpp (as llama-cpp-python 0.3.36 carries it), the router of a DeepSeek-V3, seen 2026-11-30.
#
# The router of DeepSeek-V3 takes a sigmoid of its logits. The published config.json says so ("scoring_func": "sigmoid");
# DeepseekV3Config has no such field, as its model knows no other router, and so the config.json of a model that was made
# with it has none. (A published one that was read and saved again keeps its own.) llama.cpp has one architecture for
# DeepSeek-V2, whose router takes a softmax, and DeepSeek-V3: its converter writes expert_gating_func only where
# config.json has the name, and its reader takes softmax where the file has none. So who builds a small DeepSeek-V3 with
# transformers and converts it gets, without a word, a model with another router. "scoring_func" has to be given to the
# config as an additional argument.
#
# Prints what the converter writes of the router of a small model saved with and without that argument, and what the
# reader's source does where it is missing. Exits with 1 where that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet torch==2.13.0
venv/bin/pip install --quiet transformers==5.24.0 scikit-build-core==0.11.6
venv/bin/pip download --quiet --no-deps --no-build-isolation --no-binary llama-cpp-python llama-cpp-python==0.3.36
tar -xzf llama_cpp_python-0.3.36.tar.gz
source=$folder/llama_cpp_python-0.3.36/vendor/llama.cpp

PYTHONPATH=$source:$source/gguf-py venv/bin/python - <<'PYTHON'
import json
import logging
import pathlib
import sys

import gguf
import transformers
from conversion import get_model_class

logging.disable(logging.WARNING)
transformers.logging.disable_progress_bar()
written = []
for arguments in ({}, {"scoring_func": "sigmoid"}):
    config = transformers.DeepseekV3Config(
        vocab_size=97, hidden_size=32, intermediate_size=64, moe_intermediate_size=16, num_hidden_layers=2,
        first_k_dense_replace=1, num_attention_heads=2, num_key_value_heads=2, n_routed_experts=8, n_group=2, topk_group=1,
        num_experts_per_tok=2, kv_lora_rank=16, q_lora_rank=16, qk_nope_head_dim=16, qk_rope_head_dim=8, v_head_dim=16,
        num_nextn_predict_layers=0, **arguments)
    transformers.DeepseekV3ForCausalLM(config).save_pretrained("saved")
    with open("saved/config.json") as file:
        saved = json.load(file)
    converter = get_model_class(saved["architectures"][0])(
        pathlib.Path("saved"), gguf.LlamaFileType.ALL_F32, pathlib.Path("saved.gguf"))
    converter.prepare_tensors()
    converter.set_gguf_parameters()
    value = converter.gguf_writer.kv_data[0].get("deepseek2.expert_gating_func")
    written.append((saved.get("scoring_func"), value and gguf.ExpertGatingFuncType(value.value).name))
    print(f"DeepseekV3Config({arguments or ''}): config.json has scoring_func {written[-1][0]}, "
          f"the converter writes expert_gating_func {written[-1][1]}")
sys.exit(written != [(None, None), ("sigmoid", "SIGMOID")])
PYTHON

reader=$(grep -A 10 'expert_gating_func == LLAMA_EXPERT_GATING_FUNC_TYPE_NONE' "$source/src/models/deepseek2.cpp")
printf 'The reader, where there is none:\n%s\n' "$reader"
grep -q 'LLAMA_EXPERT_GATING_FUNC_TYPE_SOFTMAX' <<<"$reader"
