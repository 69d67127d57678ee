#!/usr/bin/env python3
"""The same tokens as the others: Caravel's tokenizers against llama.cpp and Hugging Face `tokenizers`.

Every model is given as NAME=PATH of a GGUF file or of a folder with a tokenizer.json. Over the texts of
tests/fixtures/tokenizers/texts.json (some thirty scripts, emoji, code, control characters) and thousands of generated
ones, it counts the texts whose ids differ from
  * --llama-tokenize's (a GGUF file; one call a text, so the generated ones go as one text),
  * `tokenizers`' for a folder, or for a GGUF file with a byte-level vocabulary (but for texts with a byte that the
    vocabulary lacks: there `tokenizers` and llama.cpp differ, and Caravel does as llama.cpp; and but for texts that
    `tokenizers` normalises by an older Unicode),
  * FILE.out, where llama.cpp's FILE.inp and FILE.out lie beside FILE.
Texts that do not decode to themselves are counted too.

  bench/peers/tokenizer_check.py --check build/release/tests/peers/tokenizer_check smollm2=model.gguf qwen3=folder
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import unicodedata

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEPARATOR = "\n__ggml_vocab_test__\n"  # of llama.cpp's .inp files


def generated(count, seed):
    """Texts that no person writes: words of many scripts, runs of white space and marks, random characters."""
    rng = random.Random(seed)
    data = json.loads((ROOT / "tests/fixtures/tokenizers/texts.json").read_text())
    words = [word for text in data["prose"] + data["cases"] for word in text.split(" ") if word]
    assigned = [chr(c) for c in range(0x110000) if unicodedata.category(chr(c)) not in ("Cn", "Cs", "Co")]
    low = [c for c in assigned if ord(c) < 0x3000]
    marks = [c for c in low if unicodedata.category(c) in ("Mn", "Mc", "Me")]
    spaces = [" ", " ", " ", "  ", "   ", "\n", "\n\n", "\t", "\r\n", " \n", "\u00a0", "\u3000", "\u2003", "\u0085",
              "\u2028", "\u200b", ""]
    ascii_chars = [chr(c) for c in range(128)]

    def text(kind):
        n = rng.randint(1, 40)
        if kind == 0:
            return "".join(rng.choice(words) + rng.choice(spaces) for _ in range(n))
        if kind == 1:
            return "".join(rng.choice(assigned) for _ in range(n))
        if kind == 2:
            return "".join(rng.choice(low) + rng.choice(["", "", rng.choice(marks), rng.choice(spaces)])
                           for _ in range(n))
        if kind == 3:
            return "".join(rng.choice(ascii_chars) for _ in range(n))
        if kind == 4:
            return "".join(rng.choice(spaces) * rng.randint(1, 12) + rng.choice(["", "x", "1", "."]) for _ in range(n))
        return "".join(rng.choice([rng.choice(words), str(rng.randint(0, 10 ** 9)),
                                   rng.choice("'\"()[]{}<>.,;:!?-_/\\"),
                                   rng.choice(["'s", "'T", "'ll", "'RE", "'\u017f"])]) for _ in range(n))

    return [text(i % 6) for i in range(count)]


def ours(check, path, texts):
    run = subprocess.run([check, path], input="".join(json.dumps(text) + "\n" for text in texts), capture_output=True,
                         text=True)
    if run.returncode:
        raise SystemExit(run.stderr.strip())
    return [json.loads(line) for line in run.stdout.split("\n") if line], run.stderr.strip()


def llama_ids(program, path, text):
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        command = [program, "-m", path, "-f", file.name, "--ids", "--no-bos", "--no-escape", "--log-disable"]
        out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return json.loads(out[out.rindex("["):])


def gguf_as_hugging_face(path):
    """A `tokenizers` object of a byte-level GGUF vocabulary with GPT-2's splitting, else None."""
    from gguf import GGUFReader
    from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers
    fields = GGUFReader(path).fields
    read = lambda key: fields["tokenizer.ggml." + key].contents() if "tokenizer.ggml." + key in fields else None
    if read("model") != "gpt2" or read("pre") not in ("gpt-2", "smollm", "starcoder", "refact", "command-r"):
        return None
    tokens = read("tokens")
    tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)},
                                     [tuple(merge.split(" ", 1)) for merge in read("merges")]))
    steps = [pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)]
    if read("pre") != "gpt-2":
        steps.insert(0, pre_tokenizers.Digits(individual_digits=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    types = read("token_type")
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False)
                                  for t, kind in zip(tokens, types) if kind == 3])
    return tokenizer


def same_nfc(peer, text):
    """Whether `tokenizers`, whose Unicode tables are older, normalises the text as Python does."""
    return peer.normalizer is None or peer.normalizer.normalize_str(text) in (
        unicodedata.normalize("NFC", text), text.replace(" ", "\u2581"))


def report(what, texts, got, expected):
    bad = [i for i in range(len(texts)) if got[i] != expected[i]]
    print(f"  {what}: {len(texts)} texts, {len(bad)} differ")
    for i in bad[:3]:
        a, b = got[i], expected[i]
        place = next((k for k, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
        print(f"    {texts[i][:80]!r} at token {place}: {a[place:place + 6]} against {b[place:place + 6]}")
    return len(bad)


def compare(path, args, texts, curated):
    failures = 0
    inp = pathlib.Path(str(path) + ".inp")
    if inp.exists():
        known = inp.open(encoding="utf-8", newline="").read().split(SEPARATOR)
        expected = [[int(n) for n in line.split()] for line in open(str(path) + ".out")]
        known = known[:len(expected)]
        results, _ = ours(args.check, path, known)
        failures += report(".out", known, [r["ids"] for r in results], expected)
    results, speed = ours(args.check, path, texts)
    got = [r["ids"] for r in results]
    print("  " + speed)
    print(f"  decoding: {sum(r['text'] != t for r, t in zip(results, texts))} of {len(texts)} texts change")
    folder = pathlib.Path(path).is_dir()
    if folder:
        from tokenizers import Tokenizer
        peer = Tokenizer.from_file(str(pathlib.Path(path) / "tokenizer.json"))
    else:
        peer = gguf_as_hugging_face(path)
    if peer is not None:
        expected = [e.ids for e in peer.encode_batch(texts, add_special_tokens=False)]
        whole = [i for i in range(len(texts)) if results[i]["text"] == texts[i] or folder and same_nfc(peer, texts[i])]
        failures += report("tokenizers", [texts[i] for i in whole], [got[i] for i in whole],
                           [expected[i] for i in whole])
    if args.llama_tokenize and not folder:
        some = [t for t in curated if t and "\0" not in t] + ["\n".join(t for t in texts if "\0" not in t)]
        results, _ = ours(args.check, path, some)
        failures += report("llama-tokenize", some, [r["ids"] for r in results],
                           [llama_ids(args.llama_tokenize, path, t) for t in some])
    return failures


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", default=str(ROOT / "build/release/tests/peers/tokenizer_check"))
    parser.add_argument("--llama-tokenize")
    parser.add_argument("--count", type=int, default=6000, help="generated texts")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("models", nargs="+", metavar="NAME=PATH")
    args = parser.parse_args()
    data = json.loads((ROOT / "tests/fixtures/tokenizers/texts.json").read_text())
    curated = data["prose"] + data["cases"]
    texts = curated + generated(args.count, args.seed)
    failures = 0
    for model in args.models:
        name, _, path = model.partition("=")
        print(name)
        failures += compare(path, args, texts, curated)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
