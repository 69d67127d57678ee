#!/usr/bin/env bash
# transformers 5.24.0, a gpt-oss whose config.json has "rope_scaling": null, seen 2026-11-30.
#
# Up to transformers 4.57, GptOssConfig(rope_scaling=None) is a model whose rotary positions are not scaled, and its
# config.json has "rope_scaling": null. 5.24 reads that null as no value, and no value as gpt-oss's own: YaRN by 32. It
# says nothing, so a model that was trained with the first computes something else with the second. Other classes read the
# null as no scaling. To have none, rope_parameters={"rope_type": "default", "rope_theta": ...} has to be given.
#
# Prints what 4.57.6 saves, and what either reads, of a gpt-oss and of a Llama. Exits with 1 where that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
for version in 4.57.6 5.24.0; do
  python3 -m venv "$version"
  "$version/bin/pip" install --quiet "transformers==$version"
done

4.57.6/bin/python - <<'PYTHON'
import transformers

for config in (transformers.GptOssConfig, transformers.LlamaConfig):
    config(rope_scaling=None, rope_theta=10000.0, max_position_embeddings=4096).save_pretrained(config.model_type)
PYTHON

cat > read.py <<'PYTHON'
import transformers

for name in ("gpt_oss", "llama"):
    config = transformers.AutoConfig.from_pretrained(name)
    rope = getattr(config, "rope_parameters", None) or config.rope_scaling or {}
    print(f"{name}: {rope.get('rope_type', 'default')}, factor {rope.get('factor')}")
PYTHON
changed=0
expect() {  # VERSION WHAT-IT-READS
  local got
  got=$("$1/bin/python" read.py)
  printf 'transformers %s reads\n%s\n' "$1" "$got"
  [[ "$got" == "$2" ]] || { printf 'CHANGED: was\n%s\n' "$2"; changed=1; }
}
for name in gpt_oss llama; do
  printf '%s/config.json has %s\n' "$name" "$(grep -o '"rope_scaling": [^,]*' "$name/config.json")"
done
expect 4.57.6 $'gpt_oss: default, factor None\nllama: default, factor None'
expect 5.24.0 $'gpt_oss: yarn, factor 32.0\nllama: default, factor None'
exit $changed
