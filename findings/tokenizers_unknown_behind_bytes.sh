#!/usr/bin/env bash
# Hugging Face tokenizers 0.23.3, seen 2026-11-29.
#
# A BPE with byte_fallback whose vocabulary lacks one <0xNN> writes the unknown token of a character that needs it behind
# the bytes of the characters that follow, up to the next character with a token of its own: the order of the text is
# lost, and offsets with it. With fuse_unk, unknown characters with others between them become one token. (Gemma 1 and 2
# have no <0x09>.)
#
# Prints the tokens of "\tж" and of "\tж\ta" (ж is <0xD0> <0xB6>). Exits with 1 where they come in order.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet tokenizers==0.23.3
"$folder/venv/bin/python" - <<'PYTHON'
from tokenizers import Tokenizer, models

vocabulary = ["<unk>", "a"] + [f"<0x{byte:02X}>" for byte in range(256) if byte != 0x09]
tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate(vocabulary)}, [], unk_token="<unk>", fuse_unk=True,
                                 byte_fallback=True))
for text in ("\t\u0436", "\t\u0436\ta"):
    print(repr(text), tokenizer.encode(text).tokens)
raise SystemExit(tokenizer.encode("\t\u0436").tokens[0] == "<unk>")
PYTHON
