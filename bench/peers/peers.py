"""What the comparisons share: where the programs and models are, llama.cpp's server, transformers' model."""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
CARAVEL = ROOT / "build/release/caravel"
LLAMA_BIN = ROOT / "build/peers/llama.cpp/build/bin"
CACHE = pathlib.Path(os.environ.get("CARAVEL_CACHE") or pathlib.Path.home() / ".cache/caravel")
MODELS = {
    "smollm2": CACHE / "SmolLM2-135M-Instruct.Q4_1.gguf",
    "gemma3-270m": CACHE / "gemma-3-270m-q4_k_m.gguf",
}


def post(port, path, body, timeout=600):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return json.load(answer)


@contextlib.contextmanager
def llama_server(model, *flags):
    """llama-server on a free port of the loopback address; gives the port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([str(LLAMA_BIN / "llama-server"), "-m", str(model), "--host", "127.0.0.1", "--port",
                                str(port), "--no-webui", *flags], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=1) as answer:
                    if answer.status == 200:
                        break
            except OSError:
                if time.monotonic() > deadline or process.poll() is not None:
                    raise RuntimeError("llama-server did not start") from None
                time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait()


def llama_tokens(port, text):
    """Ids as llama.cpp makes them, with the beginning-of-sequence token where the model wants one."""
    return post(port, "/tokenize", {"content": text, "add_special": True, "parse_special": True})["tokens"]


def load_transformers(model):
    """The dequantised weights in float32."""
    import torch
    from transformers import AutoModelForCausalLM

    path = MODELS[model]
    loaded = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32,
                                                  attn_implementation="eager")
    return loaded.eval()


def caravel_generate(model, rows, *flags):
    """Results of `caravel generate` for JSONL rows, by id."""
    done = subprocess.run([str(CARAVEL), "generate", str(model), "--input", "-", *flags],
                          input="\n".join(map(json.dumps, rows)), capture_output=True, text=True, check=True)
    return {line["id"]: line for line in map(json.loads, done.stdout.splitlines())}
