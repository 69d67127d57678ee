"""What the comparisons share: where the programs and models are, llama.cpp's server, the other engines' workers."""

import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
CARAVEL = ROOT / "build/release/caravel"
PEERS = ROOT / "build/peers"
PYTHON = PEERS / "venv/bin/python"
VLLM_PYTHON = PEERS / "vllm-venv/bin/python"
LLAMA_TOOLS = PEERS / "llama.cpp/build/bin"
LLAMA_BIN = LLAMA_TOOLS  # what is measured
CARAVEL_FLAGS = []
LLAMA_BLAS_BIN = PEERS / "llama.cpp/build-openblas/bin"
CACHE = pathlib.Path(os.environ.get("CARAVEL_CACHE") or pathlib.Path.home() / ".cache/caravel")
MODELS = {
    "smollm2": CACHE / "SmolLM2-135M-Instruct.Q4_1.gguf",
    "gemma3-270m": CACHE / "gemma-3-270m-q4_k_m.gguf",
}
# What random_model.py makes, by row of the tables.
RANDOM_MODELS = {"Llama 3.2 1B shapes Q4_K_M": "llama-3.2-1b", "OLMoE 1B-7B shapes Q4_K_M": "olmoe-1b-7b",
                 "gpt-oss 20B shapes MXFP4": "gpt-oss-20b"}


def leave_amx_out():
    """Both sides on a machine with AMX as on one without."""
    global LLAMA_BIN
    LLAMA_BIN = PEERS / "llama.cpp/build-no-amx/bin"
    CARAVEL_FLAGS[:] = ["--isa", "avx512vnni"]


class Absent(Exception):
    """What a figure needs is not on this machine; says what, and how to get it."""


def model_file(name):
    """A GGUF file for a row of the tables, made under build/peers/models where it is not there. Throws Absent."""
    for row, model in (("Q4_1", "smollm2"), ("Gemma 3 270M Q4_K_M", "gemma3-270m")):
        if name == row:
            if not MODELS[model].exists():
                raise Absent(f"{MODELS[model]} is not there (scripts/fetch_model {model})")
            return MODELS[model]
    file = PEERS / f"models/{name.replace(' ', '-')}.gguf"
    if file.exists():
        return file
    tool = PYTHON if name in RANDOM_MODELS else LLAMA_TOOLS / "llama-quantize"
    if not tool.exists():
        raise Absent(f"{file} is not there, nor {tool} to make it (bench/peers/setup)")
    print(f"    making {file.name}", file=sys.stderr)
    file.parent.mkdir(parents=True, exist_ok=True)
    if name in RANDOM_MODELS:
        subprocess.run([str(tool), str(ROOT / "bench/peers/random_model.py"), RANDOM_MODELS[name], str(file)],
                       check=True)
    else:
        half = file.with_suffix(".part")
        subprocess.run([str(tool), "--allow-requantize", str(MODELS["smollm2"]), str(half), name],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        half.rename(file)
    return file


def post(port, path, body, timeout=600):
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return json.load(answer)


@contextlib.contextmanager
def llama_server(model, *flags):
    """llama-server on a free port of the loopback address; gives the port and its process id."""
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
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()


def llama_tokens(port, text):
    """Ids as llama.cpp makes them, with the beginning-of-sequence token where the model wants one."""
    return post(port, "/tokenize", {"content": text, "add_special": True, "parse_special": True})["tokens"]


def load_transformers(model, attention="eager"):
    """The dequantised weights in float32."""
    import torch
    from transformers import AutoModelForCausalLM

    path = MODELS[model]
    loaded = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32,
                                                  attn_implementation=attention)
    return loaded.eval()


def save_dequantised(model, folder):
    """What load_transformers gave, as a Hugging Face folder; the tokenizer is not among it."""
    model.hf_quantizer = None  # which else refuses to save what is no longer quantised
    del model.config.quantization_config
    model.save_pretrained(folder)


def write_dequantised(model, folder):
    """The weights in float32 and the tokenizer as a Hugging Face folder, which every side can load. Does nothing twice."""
    if (folder / "ready").exists():
        return
    from transformers import AutoTokenizer

    path = MODELS[model]
    AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name).save_pretrained(folder)
    save_dequantised(load_transformers(model), folder)
    (folder / "ready").touch()


def caravel_generate(model, rows, *flags):
    """Results of `caravel generate` for JSONL rows, by id."""
    done = subprocess.run([str(CARAVEL), "generate", str(model), "--input", "-", *flags],
                          input="\n".join(map(json.dumps, rows)), capture_output=True, text=True, check=True)
    return {line["id"]: line for line in map(json.loads, done.stdout.splitlines())}


class Worker:
    """Another engine in a process of its own (worker.py), which loads the model once and measures when told to."""

    def __init__(self, python, engine, lengths):
        start = time.monotonic()
        self.process = subprocess.Popen([str(python), str(ROOT / "bench/peers/worker.py"), engine],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        text=True)
        self.lengths = lengths
        self.read()
        self.ready_seconds = time.monotonic() - start

    def read(self):
        for line in self.process.stdout:  # engines print what they like; ours begin with a mark
            if line.startswith("@"):
                return json.loads(line[1:])
        raise RuntimeError(f"{self.process.args} ended with {self.process.wait()}")

    def measure(self):
        self.process.stdin.write(json.dumps(self.lengths) + "\n")
        self.process.stdin.flush()
        return self.read()

    def close(self):
        self.process.stdin.close()
        self.process.wait()
