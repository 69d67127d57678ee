#!/usr/bin/env bash
# pip's tokenizers (0.23.3), BertPreTokenizer and BertNormalizer, seen 2026-11-30.
#
# The pre-tokenizer makes each punctuation mark a word of its own. What a mark is comes from tables of Unicode 8 (2015):
# marks that came later, as those of medieval texts, of Adlam or of other scripts, stay glued to the word before them,
# which is then unknown as a whole. The same package's lower case knows letters of Unicode 17 (2025): the two halves of
# one tokenizer are ten years apart. Python's unicodedata calls all of these marks punctuation.
#
# Prints, for marks by the version that they came with, whether they are split off. Exits with 1 where that changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet tokenizers==0.23.3
venv/bin/python - <<'PYTHON'
import sys
import unicodedata

from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

marks = {0x2E42: ("7", True), 0x111DB: ("8", True), 0x2E43: ("9", False), 0x1E95E: ("9", False), 0x2E49: ("10", False),
         0x2E4A: ("11", False), 0x2E4F: ("12", False)}
splitter = BertPreTokenizer()
wrong = []
for code, (version, expected) in marks.items():
    words = [word for word, _ in splitter.pre_tokenize_str(f"a{chr(code)}")]
    split = words == ["a", chr(code)]
    print(f"U+{code:X}, Unicode {version}, {unicodedata.category(chr(code))}: {'split off' if split else words}")
    if split != expected:
        wrong.append(code)
lower = BertNormalizer(clean_text=False, handle_chinese_chars=False, strip_accents=False, lowercase=True)
newest = lower.normalize_str(chr(0x16EA0))
print(f"U+16EA0, a letter of Unicode 17, in lower case: U+{ord(newest):X}")
sys.exit(1 if wrong or ord(newest) != 0x16EA0 + 27 else 0)
PYTHON
