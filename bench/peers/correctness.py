#!/usr/bin/env python3
"""Correct to the token, up to near-ties: Caravel against transformers (dequantised weights, float32) and llama.cpp.

For each model, over the prompts of prompts.txt: greedy answers of 64 tokens. Where an answer first differs from
transformers', the place is a tie when transformers' own logits of the two tokens lie within --tie of each other; what
differs elsewhere is an error. llama.cpp is held to the same measure. Then, teacher-forced over --tokens tokens of text:
how often the most likely token is transformers', and the mean Kullback-Leibler divergence from transformers.

  build/peers/venv/bin/python bench/peers/correctness.py [--model smollm2] [--text FILE] [--json OUT]
"""

import argparse
import json
import subprocess
import sys

import numpy as np
import torch

import peers

LOGITS = peers.ROOT / "build/release/tests/peers/logits_check"


def greedy_transformers(model, ids, count):
    """The greedy continuation and the logits of each of its places."""
    tokens, logits = list(ids), []
    past = None
    feed = torch.tensor([ids])
    with torch.no_grad():
        for _ in range(count):
            out = model(feed, past_key_values=past, use_cache=True)
            past = out.past_key_values
            logits.append(out.logits[0, -1].numpy())
            tokens.append(int(logits[-1].argmax()))
            feed = torch.tensor([[tokens[-1]]])
    return tokens[len(ids):], logits


def first_difference(reference, logits, answer):
    """None when equal, else (place, the gap between the reference's logits of both tokens)."""
    for place, (ours, theirs) in enumerate(zip(answer, reference)):
        if ours != theirs:
            return place, float(logits[place][theirs] - logits[place][ours])
    return None


def compare_greedy(name, count, tie):
    prompts = [line.rstrip("\n").replace("\\n", "\n") for line in open(peers.ROOT / "bench/peers/prompts.txt")]
    path = peers.MODELS[name]
    with peers.llama_server(path, "-t", "2", "-np", "1", "-c", "2048") as (port, _):
        ids = [peers.llama_tokens(port, prompt) for prompt in prompts]
        llama = [peers.post(port, "/completion", {"prompt": prompt, "n_predict": count, "temperature": 0, "seed": 1,
                                                  "samplers": ["top_k"], "top_k": 1, "ignore_eos": True,
                                                  "return_tokens": True, "cache_prompt": False})["tokens"]
                 for prompt in ids]
    rows = [{"id": str(i), "prompt": prompt, "max_tokens": count, "ignore_eos": True} for i, prompt in enumerate(ids)]
    ours = peers.caravel_generate(path, rows, "--temperature", "0")
    model = peers.load_transformers(name)
    report = {"prompts": len(prompts), "tokens": count, "tie_threshold": tie, "caravel": [], "llama.cpp": []}
    for i, prompt in enumerate(ids):
        reference, logits = greedy_transformers(model, prompt, count)
        for peer, answer in (("caravel", ours[str(i)]["token_ids"]), ("llama.cpp", llama[i])):
            difference = first_difference(reference, logits, answer)
            if difference:
                report[peer].append({"prompt": prompts[i], "place": difference[0], "gap": round(difference[1], 4)})
    del model
    return report


def compare_distributions(name, text, count, window):
    path = peers.MODELS[name]
    with peers.llama_server(path, "-t", "2", "-np", "1", "-c", "512") as (port, _):
        ids = peers.llama_tokens(port, text)[: count]
    model = peers.load_transformers(name)
    agree = total = 0
    divergence = 0.0
    ours_nll = theirs_nll = 0.0
    dump = subprocess.Popen([str(LOGITS), str(path), str(window)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    vocab = model.config.vocab_size
    for begin in range(0, len(ids), window):
        chunk = ids[begin: begin + window]
        dump.stdin.write(np.array([len(chunk), *chunk], dtype=np.int32).tobytes())
        dump.stdin.flush()
        with torch.no_grad():
            theirs = torch.log_softmax(model(torch.tensor([chunk])).logits[0], -1)
        raw = dump.stdout.read(len(chunk) * vocab * 4)
        ours = torch.log_softmax(torch.from_numpy(np.frombuffer(raw, dtype=np.float32).reshape(len(chunk), vocab).copy()),
                                 -1)
        agree += int((ours.argmax(-1) == theirs.argmax(-1)).sum())
        divergence += float((theirs.exp() * (theirs - ours)).sum())
        target = torch.tensor(chunk[1:]).unsqueeze(-1)
        ours_nll -= float(ours[:-1].gather(1, target).sum())
        theirs_nll -= float(theirs[:-1].gather(1, target).sum())
        total += len(chunk)
    dump.stdin.close()
    dump.wait()
    predicted = total - (total + window - 1) // window
    return {"tokens": total, "top1_agreement": agree / total, "mean_kl": divergence / total,
            "perplexity_caravel": float(np.exp(ours_nll / predicted)),
            "perplexity_transformers": float(np.exp(theirs_nll / predicted))}


def default_text():
    data = peers.ROOT.parent / "shared/data/gsm8k_test.jsonl"
    if data.exists():
        rows = [json.loads(line) for line in open(data)]
        return "\n\n".join(f"{row['question']}\n{row['answer']}" for row in rows)
    return "\n\n".join(path.read_text() for path in sorted(peers.ROOT.glob("**/*.md"))) + (peers.ROOT / "LICENSE").read_text()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=peers.MODELS, action="append")
    parser.add_argument("--max-tokens", type=int, default=64)
    parser.add_argument("--tie", type=float, default=0.35)
    parser.add_argument("--tokens", type=int, default=20000)
    parser.add_argument("--window", type=int, default=512)
    parser.add_argument("--text", help="a file to teacher-force; default: GSM8K where it is, else the project's own docs")
    parser.add_argument("--json", help="where to write the whole report")
    args = parser.parse_args()
    text = open(args.text).read() if args.text else default_text()
    reports, failed = {}, False
    for name in args.model or peers.MODELS:
        greedy = compare_greedy(name, args.max_tokens, args.tie)
        forced = compare_distributions(name, text, args.tokens, args.window)
        reports[name] = {"greedy": greedy, "teacher_forced": forced}
        print(f"{name}: greedy, {greedy['prompts']} prompts x {args.max_tokens} tokens, against transformers F32")
        for peer in ("caravel", "llama.cpp"):
            ties = [d for d in greedy[peer] if d["gap"] <= args.tie]
            errors = [d for d in greedy[peer] if d["gap"] > args.tie]
            worst = max((d["gap"] for d in greedy[peer]), default=0.0)
            print(f"  {peer:10} {greedy['prompts'] - len(greedy[peer])} equal, {len(ties)} part at a near-tie, "
                  f"{len(errors)} wrong; widest gap {worst:.3f}")
            if peer == "caravel":
                failed |= bool(errors)
        print(f"  teacher-forced, {forced['tokens']} tokens: top-1 agreement {forced['top1_agreement']:.4f}, mean KL "
              f"{forced['mean_kl']:.6f}, perplexity {forced['perplexity_caravel']:.4f} "
              f"(transformers {forced['perplexity_transformers']:.4f})")
    if args.json:
        json.dump(reports, open(args.json, "w"), indent=1)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
