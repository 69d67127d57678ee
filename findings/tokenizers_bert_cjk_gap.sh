#!/usr/bin/env bash
# pip's tokenizers (0.23.3), BertNormalizer and BertPreTokenizer, seen 2026-11-30.
#
# With handle_chinese_chars, BertNormalizer puts spaces around ideographs, so that each becomes a word of its own; BERT's
# own list of their blocks has 2B820 to 2CEAF (CJK extension E), without a gap. Here the block begins at 2B920: the 256
# ideographs before it stay glued to their neighbours, and a sentence of them becomes one word, which is unknown as a
# whole where each character would have its own piece. Those from 2B920 on, and of the other blocks, are spaced.
#
# Prints what becomes of a letter, an ideograph and a letter at both sides of each end. Exits with 1 where that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet tokenizers==0.23.3
venv/bin/python - <<'PYTHON'
import sys

from tokenizers.normalizers import BertNormalizer

normalizer = BertNormalizer(clean_text=False, handle_chinese_chars=True, strip_accents=False, lowercase=False)
expected = {0x2B81D: True, 0x2B820: False, 0x2B91F: False, 0x2B920: True, 0x2CEA1: True}
seen = {code: normalizer.normalize_str(f"a{chr(code)}b") == f"a {chr(code)} b" for code in expected}
for code, spaced in seen.items():
    print(f"U+{code:X}: {'spaced' if spaced else 'glued to its neighbours'}")
sys.exit(0 if seen == expected else 1)
PYTHON
