#!/usr/bin/env python3
"""Random tokenizer.json files, all kinds of components combined, read by Caravel and by Hugging Face `tokenizers`.

Each tokenizer is a small BPE of characters or bytes with random merges, normalizers, pre-tokenizers, added tokens of all
flags, byte fallback with or without gaps, unknown tokens, post-processors and decoders. Ids (plain and with special
tokens) and decoded texts (of the ids, and of ids at random) must be the same. A component that Caravel does not support
must be refused by its name.

  bench/peers/random_tokenizers.py [--tokenizers 500] [--texts 40] [--seed 1] [--golden FILE]

--golden writes a few of them, with what `tokenizers` says, for tests/format/tokenizer_golden_test.cc.
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

ROOT = pathlib.Path(__file__).resolve().parents[2]
LETTERS = list("aaabbbccdeAB12.,-_\n\t") + ["\u00e9", "\u00f1", "e\u0301", "\u4e2d", "\u0436", "\ufb01", "\U0001f600"]
MARKS = ["\u2581", "\u2581", "\u2581", "_"]
BEHAVIORS = ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]
PATTERNS = ["-", "ab", ".", Regex(r"\d+"), Regex(r"[a-c]+"), Regex(r"\s+"), Regex(r" ?\p{L}+|\s+(?!\S)|\s+")]
UNSUPPORTED = {
    "normalizer": [normalizers.Lowercase(), normalizers.Strip(), normalizers.Replace(Regex("a+"), "b"), normalizers.NFD()],
    "pre_tokenizer": [pre_tokenizers.Punctuation(), pre_tokenizers.WhitespaceSplit()],
    "decoder": [decoders.CTC(), decoders.BPEDecoder()],
    "post_processor": [processors.RobertaProcessing(("a", 0), ("a", 0))],
}


def choose(rng, *weighted):
    """One of (weight, value) pairs."""
    return rng.choices([value for _, value in weighted], [weight for weight, _ in weighted])[0]


def random_model(rng, is_bytes, mark):
    symbols = sorted(pre_tokenizers.ByteLevel.alphabet()) if is_bytes else sorted({c for x in LETTERS for c in x} | {mark, " "})
    if rng.random() < 0.7:
        for _ in range(rng.randint(1, 4)):
            symbols.remove(rng.choice(symbols))
    unknown = choose(rng, (2, None), (3, "<unk>"))
    fallback = rng.random() < 0.5
    vocabulary = ["<unk>"] + symbols
    if fallback or rng.random() < 0.2:
        missing = set(choose(rng, (2, []), (2, [0xC3]), (1, [0x09, 0xD0]), (1, list(range(256)))))
        vocabulary += [f"<0x{byte:02X}>" for byte in range(256) if byte not in missing]
    # Merges of what texts are made of, so that they happen.
    spelled = lambda text: pre_tokenizers.ByteLevel(False, use_regex=False).pre_tokenize_str(text)[0][0]
    known = [c for c in (spelled(" ab\u00e9c1") if is_bytes else f"{mark}{mark}abc1e ") if c in symbols]
    known += [token for token in ("<unk>", "<0xC3>", "<0xA9>") if token in vocabulary and rng.random() < 0.2]
    merges = []
    for _ in range(rng.randint(0, 14)):
        left, right = rng.choice(known), rng.choice(known)
        if len(left + right) < 12 and (left, right) not in merges:
            merges.append((left, right))
            known.append(left + right)
            if left + right not in vocabulary:
                vocabulary.append(left + right)
    if rng.random() < 0.3:
        vocabulary += [word for word in ("abc", "ba", mark + "ba") if word not in vocabulary]  # no merge makes them
    return models.BPE({token: i for i, token in enumerate(vocabulary)}, merges, unk_token=unknown,
                      fuse_unk=rng.random() < 0.5, byte_fallback=fallback, ignore_merges=rng.random() < 0.3)


def random_normalizer(rng, mark):
    steps = []
    for _ in range(choose(rng, (3, 0), (3, 1), (2, 2), (1, 3))):
        steps.append(rng.choice([
            normalizers.NFC(), normalizers.NFKC(), normalizers.Prepend(mark), normalizers.Prepend(mark),
            normalizers.Replace(" ", mark), normalizers.Replace(" ", mark), normalizers.Replace("b", "a"),
            normalizers.Replace("-", "ab"), normalizers.Replace("ab", "c"), normalizers.Replace("d", "")]))
    return normalizers.Sequence(steps) if len(steps) != 1 else steps[0]


def random_pre_tokenizer(rng, is_bytes, mark, has_mark):
    steps = []
    for _ in range(choose(rng, (3, 0), (2, 1), (1, 2))):
        steps.append(rng.choice([
            pre_tokenizers.Digits(rng.random() < 0.5),
            pre_tokenizers.Split(rng.choice(PATTERNS), rng.choice(BEHAVIORS), invert=rng.random() < 0.2)]))
    if is_bytes:
        steps.append(pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=rng.random() < 0.5))
    elif not has_mark or rng.random() < 0.4:
        space = pre_tokenizers.Metaspace(mark, rng.choice(["always", "first", "never"]), rng.random() < 0.5)
        steps.insert(rng.randint(0, len(steps)), space)
    return pre_tokenizers.Sequence(steps) if len(steps) != 1 else steps[0]


def random_decoder(rng, is_bytes, mark):
    if is_bytes:
        return decoders.ByteLevel()
    space, strip = decoders.Replace(mark, " "), decoders.Strip(" ", rng.randint(1, 2), 0)
    meta = decoders.Metaspace(mark, rng.choice(["always", "first", "never"]), rng.random() < 0.5)
    return rng.choice([
        decoders.Sequence([space, decoders.ByteFallback(), decoders.Fuse(), strip]),
        decoders.Sequence([space, decoders.ByteFallback(), decoders.Fuse()]),
        decoders.Sequence([decoders.ByteFallback(), decoders.Fuse()]),
        decoders.Sequence([space, decoders.Fuse(), strip]),
        decoders.Sequence([decoders.Strip(mark, 1, 1), decoders.Replace("e", "xy"), decoders.Fuse()]),
        meta, decoders.Sequence([meta, decoders.Fuse()]), decoders.Sequence([meta, decoders.ByteFallback()]),
        decoders.Fuse()])


def add_tokens(rng, tokenizer, mark):
    normalizer = tokenizer.normalizer
    contents = ["<s>", "</s>", "[X]", "ab", "b", "aba", " c", "1", "\n", "  ", "a b", "<unk>", "[X] ", "caf", mark + "b"]
    for content in rng.sample(contents, rng.randint(0, 7)):
        normal = normalizer.normalize_str(content) if normalizer is not None else content
        if normal == "":
            continue
        special = content.isascii() and mark not in content and rng.random() < 0.5  # no decoder changes its name
        # A special token whose normal form differs tokenizers takes for no special one where it decodes.
        normalized = rng.random() < 0.5 and not (special and normal != content)
        token = AddedToken(content, single_word=rng.random() < 0.2, lstrip=rng.random() < 0.2, rstrip=rng.random() < 0.2,
                           normalized=normalized, special=special)
        tokenizer.add_special_tokens([token]) if special else tokenizer.add_tokens([token])


def random_post_processor(rng, tokenizer):
    names = [token for token in tokenizer.get_vocab() if not any(c in token for c in " :$\n\t")]
    template = lambda: [rng.choice(names) for _ in range(rng.randint(0, 2))]
    first, last = template(), template()
    one = processors.TemplateProcessing(single=first + ["$A"] + last, special_tokens=[
        (name, tokenizer.token_to_id(name)) for name in {*first, *last}])
    return choose(rng, (2, None), (2, one), (1, processors.Sequence([processors.ByteLevel(), one])))


def random_tokenizer(rng):
    is_bytes = rng.random() < 0.35
    mark = rng.choice(MARKS)
    tokenizer = Tokenizer(random_model(rng, is_bytes, mark))
    tokenizer.normalizer = random_normalizer(rng, mark)
    has_mark = "String(\" \")" in str(tokenizer.normalizer)
    tokenizer.pre_tokenizer = random_pre_tokenizer(rng, is_bytes, mark, has_mark)
    tokenizer.decoder = random_decoder(rng, is_bytes, mark)
    add_tokens(rng, tokenizer, mark)
    post = random_post_processor(rng, tokenizer)
    if post is not None:
        tokenizer.post_processor = post
    return Tokenizer.from_str(tokenizer.to_str())  # as the file says it


def random_texts(rng, tokenizer, count):
    words = list(tokenizer.get_added_tokens_decoder().values())
    words = [token.content for token in words] + ["hello", " a", "  ", "\u2581", "_", " ", " ", "\r\n", "\x01", "\u00a0"]
    return ["".join(rng.choice(words) if rng.random() < 0.3 else rng.choice(LETTERS + [" "] * 6)
                    for _ in range(rng.randint(0, 16))) for _ in range(count)]


def expected(tokenizer, text):
    """What `tokenizers` says of a text or of ids; None where it gives up."""
    try:
        if isinstance(text, list):
            return {"text": tokenizer.decode(text, skip_special_tokens=False), "shown": tokenizer.decode(text)}
        ids = tokenizer.encode(text, add_special_tokens=False).ids
        return {"ids": ids, "text": tokenizer.decode(ids, skip_special_tokens=False), "shown": tokenizer.decode(ids),
                "with_special": tokenizer.encode(text).ids}
    except BaseException as error:  # a panic of Rust's is no Exception
        if isinstance(error, KeyboardInterrupt):
            raise
        return None


def random_ids(rng, tokenizer):
    """No <0xNN>: of bytes that are no character `tokenizers` makes a U+FFFD each."""
    names = {i: name for name, i in tokenizer.get_vocab().items()}
    ids = [i for i, name in names.items() if not name.startswith("<0x")]
    return [rng.choice(ids) for _ in range(rng.randint(0, 8))]


def ours(check, tokenizer, inputs, folder):
    (folder / "tokenizer.json").write_text(tokenizer if isinstance(tokenizer, str) else tokenizer.to_str())
    run = subprocess.run([check, folder], input="".join(json.dumps(text) + "\n" for text in inputs), capture_output=True,
                         text=True)
    return None if run.returncode else [json.loads(line) for line in run.stdout.split("\n") if line], run.stderr


def refusals(check, rng, folder):
    """Every component that Caravel lacks, in a tokenizer that it could read without; returns what it did not refuse."""
    bad = []
    for place, components in UNSUPPORTED.items():
        for component in components:
            whole = json.loads(random_tokenizer(rng).to_str())
            whole[place] = json.loads(component.__getstate__())
            result, message = ours(check, json.dumps(whole), [], folder)
            name = "regular expression" if whole[place]["type"] == "Replace" else whole[place]["type"]
            if result is not None or name not in message or "not supported" not in message:
                bad.append(f"{place} {name}: {message.strip() or 'taken'}")
    return bad


def golden(rng, path, tokenizers, texts):
    """Small ones: without 256 bytes' tokens, or with few texts."""
    entries = []
    while len(entries) < tokenizers:
        tokenizer = random_tokenizer(rng)
        if tokenizer.get_vocab_size() > 120 and len(entries) % 6:
            continue
        cases = [(text, expected(tokenizer, text)) for text in random_texts(rng, tokenizer, texts)]
        entries.append({"tokenizer": json.loads(tokenizer.to_str()),
                        "cases": [{"of": text, **result} for text, result in cases if result is not None]})
    path.write_text("[\n" + ",\n".join(json.dumps(entry, separators=(",", ":")) for entry in entries) + "\n]\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", default=str(ROOT / "build/release/tests/peers/tokenizer_check"))
    parser.add_argument("--tokenizers", type=int, default=500)
    parser.add_argument("--texts", type=int, default=40, help="of each")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=5, help="differences to print")
    parser.add_argument("--golden", type=pathlib.Path)
    args = parser.parse_args()
    if args.golden:
        return golden(random.Random(args.seed), args.golden, args.tokenizers, args.texts)
    compared = given_up = differ = 0
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for number in range(args.tokenizers):
            rng = random.Random(f"{args.seed} {number}")
            tokenizer = random_tokenizer(rng)
            inputs = random_texts(rng, tokenizer, args.texts) + [random_ids(rng, tokenizer) for _ in range(args.texts // 4)]
            results, message = ours(args.check, tokenizer, inputs, folder)
            if results is None:
                sys.exit(f"tokenizer {number} is refused: {message}\n{tokenizer.to_str()[:2000]}")
            for text, got in zip(inputs, results):
                want = expected(tokenizer, text)
                given_up += want is None
                compared += want is not None
                if want is None or all(got[key] == want[key] for key in want):
                    continue
                differ += 1
                if differ <= args.show:
                    whole = json.loads(tokenizer.to_str())
                    parts = {key: whole[key] for key in ("normalizer", "pre_tokenizer", "decoder", "post_processor")}
                    parts["added"] = [{k: v for k, v in token.items() if v is not False} for token in whole["added_tokens"]]
                    parts["model"] = {k: v for k, v in whole["model"].items() if k not in ("vocab", "type")}
                    print(f"tokenizer {number}: {json.dumps(parts, ensure_ascii=False)}\n  {text!r}", file=sys.stderr)
                    for key in want:
                        if got[key] != want[key]:
                            spell = lambda ids: [tokenizer.id_to_token(i) for i in ids] if isinstance(ids, list) else ids
                            print(f"    {key}: {spell(got[key])!r} against {spell(want[key])!r}", file=sys.stderr)
        taken = refusals(args.check, random.Random(args.seed), folder)
    print(f"{args.tokenizers} tokenizers, {compared} texts, {differ} differ; tokenizers itself gives up on {given_up}; "
          f"{len(taken)} components not refused by name")
    for line in taken:
        print("  " + line)
    sys.exit(1 if differ or taken else 0)


if __name__ == "__main__":
    main()
