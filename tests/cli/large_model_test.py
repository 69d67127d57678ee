"""Models that are larger than memory: described at once, refused at once. Their weights are a hole in a file.

Run by ctest with CARAVEL set to the binary; by hand: CARAVEL=build/release/caravel python3 tests/cli/large_model_test.py
"""

import json
import os
import resource
import struct
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

CARAVEL = os.environ.get("CARAVEL", "build/release/caravel")
FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "models"
SANITIZED = "ASAN_OPTIONS" in os.environ or "TSAN_OPTIONS" in os.environ  # slow, and large
HIDDEN, KV, WIDE, VOCABULARY = 8192, 1024, 28672, 32000
LAYER_BYTES = 2 * (2 * HIDDEN * HIDDEN + 2 * HIDDEN * KV + 3 * HIDDEN * WIDE)


def available():
    (line,) = [line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemAvailable:")]
    return int(line.split()[1]) << 10


LAYERS = max(33, 2 * available() // LAYER_BYTES + 1)  # 57 GB, or twice what there is


def tensors():
    """Name here, name in a folder, shape with the inputs last; all of two bytes an element."""
    yield "token_embd", "model.embed_tokens", (VOCABULARY, HIDDEN)
    yield "output_norm", "model.norm", (HIDDEN,)
    yield "output", "lm_head", (VOCABULARY, HIDDEN)
    for i in range(LAYERS):
        for ours, theirs, shape in (("attn_norm", "input_layernorm", (HIDDEN,)),
                                    ("attn_q", "self_attn.q_proj", (HIDDEN, HIDDEN)),
                                    ("attn_k", "self_attn.k_proj", (KV, HIDDEN)),
                                    ("attn_v", "self_attn.v_proj", (KV, HIDDEN)),
                                    ("attn_output", "self_attn.o_proj", (HIDDEN, HIDDEN)),
                                    ("ffn_norm", "post_attention_layernorm", (HIDDEN,)),
                                    ("ffn_gate", "mlp.gate_proj", (WIDE, HIDDEN)),
                                    ("ffn_up", "mlp.up_proj", (WIDE, HIDDEN)),
                                    ("ffn_down", "mlp.down_proj", (HIDDEN, WIDE))):
            yield f"blk.{i}.{ours}", f"model.layers.{i}.{theirs}", shape


def size_of(shape):
    size = 2
    for extent in shape:
        size *= extent
    return size


def text(value):
    return struct.pack("<Q", len(value)) + value.encode()


def write_gguf(path):
    def pair(key, kind, payload):
        return text(key) + struct.pack("<I", kind) + payload

    def texts(values):
        return struct.pack("<IQ", 8, len(values)) + b"".join(map(text, values))

    number = lambda value: struct.pack("<I", value)
    pairs = [pair("general.architecture", 8, text("llama")), pair("llama.block_count", 4, number(LAYERS)),
             pair("llama.context_length", 4, number(4096)), pair("llama.embedding_length", 4, number(HIDDEN)),
             pair("llama.feed_forward_length", 4, number(WIDE)), pair("llama.attention.head_count", 4, number(64)),
             pair("llama.attention.head_count_kv", 4, number(8)),
             pair("llama.attention.layer_norm_rms_epsilon", 6, struct.pack("<f", 1e-5)),
             pair("tokenizer.ggml.model", 8, text("gpt2")), pair("tokenizer.ggml.pre", 8, text("gpt-2")),
             pair("tokenizer.ggml.tokens", 9, texts(["a", "b", "ab"])),
             pair("tokenizer.ggml.merges", 9, texts(["a b"])), pair("tokenizer.ggml.eos_token_id", 4, number(0))]
    entries, offset = [], 0
    for name, _, shape in tensors():
        inner_first = tuple(reversed(shape))
        entries.append(text(name + ".weight") + struct.pack(f"<I{len(shape)}QIQ", len(shape), *inner_first, 1, offset))
        offset += (size_of(shape) + 31) // 32 * 32
    header = b"GGUF" + struct.pack("<IQQ", 3, len(entries), len(pairs)) + b"".join(pairs + entries)
    path.write_bytes(header + bytes(-len(header) % 32))
    os.truncate(path, path.stat().st_size + offset)


def write_folder(path):
    path.mkdir()
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (path / name).write_bytes((FIXTURES / "llama" / name).read_bytes())
    config = json.loads((FIXTURES / "llama" / "config.json").read_text())
    config |= {"hidden_size": HIDDEN, "intermediate_size": WIDE, "num_attention_heads": 64, "num_key_value_heads": 8,
               "head_dim": 128, "vocab_size": VOCABULARY, "num_hidden_layers": LAYERS}
    (path / "config.json").write_text(json.dumps(config))
    places, header, offset = {}, {}, 0

    def finish():
        name = f"model-{len(set(places.values())) + 1:05}.safetensors"
        data = json.dumps(header).encode()
        data += b" " * (-len(data) % 8)
        (path / name).write_bytes(struct.pack("<Q", len(data)) + data)
        os.truncate(path / name, 8 + len(data) + offset)
        places.update(dict.fromkeys(header, name))

    for _, name, shape in tensors():
        size = size_of(shape)
        header[name + ".weight"] = {"dtype": "BF16", "shape": shape, "data_offsets": [offset, offset + size]}
        offset += size
        if offset > 5 << 30:
            finish()
            header, offset = {}, 0
    if header:
        finish()
    (path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))


class Run:
    """A command that has ended: what it said, and what it took."""

    def __init__(self, *args, addresses=None):
        limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (addresses, addresses))
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            begin = time.monotonic()
            child = subprocess.Popen([CARAVEL, *args], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                     preexec_fn=limit if addresses else None)
            _, status, usage = os.wait4(child.pid, 0)
            self.seconds = time.monotonic() - begin
            child.returncode = self.code = os.waitstatus_to_exitcode(status)
            self.processor_seconds = usage.ru_utime + usage.ru_stime
            self.peak = usage.ru_maxrss << 10
            out.seek(0)
            err.seek(0)
            self.out, self.err = out.read().decode(), err.read().decode()


class LargeModel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.models = (Path(cls.folder.name, "large.gguf"), Path(cls.folder.name, "shards"))
        try:
            write_gguf(cls.models[0])
            write_folder(cls.models[1])
        except OSError as error:
            raise unittest.SkipTest(f"the file system has no holes: {error}")

    def described(self, model, **limits):
        done = Run("inspect", "--json", str(model), **limits)
        self.assertEqual(0, done.code, done.err)
        return json.loads(done.out)

    def test_inspect_describes_what_does_not_fit(self):
        for model in self.models:
            info = self.described(model)
            plan = info["memory"]["plan"]
            self.assertEqual(LAYERS, info["layers"])
            self.assertFalse(plan["fits"])
            self.assertGreater(plan["weights"], LAYERS * LAYER_BYTES)
            self.assertLess(plan["weights"], sum(size_of(shape) for _, _, shape in tensors()) * 1.01)
            self.assertGreater(plan["needed"], plan["available"])
            self.assertIn("What fits: ", info["memory"]["shortage"])
            shown = Run("inspect", str(model))
            self.assertEqual((0, ""), (shown.code, shown.err))
            self.assertIn("missing", shown.out)
            self.assertIn("it does not fit: ", shown.out)

    def test_a_smaller_type_that_is_named_would_fit(self):
        for model in self.models:
            info = self.described(model)
            plan, shortage = info["memory"]["plan"], info["memory"]["shortage"]
            if "the model as Q" not in shortage:
                self.assertIn("a model of at most ", shortage)
                continue
            about = float(shortage.split("its weights take about ")[1].split(" GiB")[0]) * (1 << 30)
            self.assertLess(about, plan["available"] - plan["activations"] - plan["program"])

    def test_whoever_opens_it_is_refused_in_one_line(self):
        for model in map(str, self.models):
            for args in (["generate", model, "--prompt", "a"], ["chat", model], ["serve", model, "--port", "0"]):
                done = Run(*args)
                self.assertEqual((1, "", 1), (done.code, done.out, len(done.err.splitlines())), done.err)
                for part in (model, "the model needs ", "are available (", "its weights take ", "What fits: "):
                    self.assertIn(part, done.err)
                if not SANITIZED:
                    self.assertLess(done.peak, 150 << 20)
                    self.assertLess(done.processor_seconds, 1)

    @unittest.skipIf(SANITIZED, "its own addresses are more")
    def test_under_ulimit_v_it_is_described_and_refused_alike(self):
        for model in self.models:
            info = self.described(model, addresses=1 << 30)
            self.assertIn("ulimit -v: 1.0 GiB", info["memory"]["plan"]["bound_by"])
            self.assertFalse(info["memory"]["plan"]["fits"])
            done = Run("generate", str(model), "--prompt", "a", addresses=1 << 30)
            self.assertEqual(1, done.code)
            self.assertIn("ulimit -v: 1.0 GiB", done.err)
            self.assertIn("the model needs ", done.err)


@unittest.skipIf(SANITIZED, "slow, and large")
class Cost(unittest.TestCase):
    """What `inspect` takes depends on the size of headers, not on that of weights."""

    def test_a_large_model(self):
        with tempfile.TemporaryDirectory() as folder:
            model = Path(folder, "large.gguf")
            try:
                write_gguf(model)
            except OSError as error:
                self.skipTest(f"the file system has no holes: {error}")
            self.assert_little(str(model))

    def test_the_default_model(self):
        self.assert_little("smollm2")

    def assert_little(self, model):
        runs = [Run("inspect", model) for _ in range(3)]
        self.assertEqual([0, 0, 0], [done.code for done in runs], runs[0].err)
        self.assertLess(min(done.processor_seconds for done in runs), 0.2)
        self.assertLess(max(done.peak for done in runs), 100 << 20)

    def test_an_answer_stays_within_the_plan(self):
        flags = ["smollm2", "--kv-cache-memory", "64MiB"]
        plan = json.loads(Run("inspect", "--json", *flags).out)["memory"]["plan"]
        done = Run("generate", *flags, "--prompt", "one two three " * 300, "--max-tokens", "4")
        self.assertEqual(0, done.code, done.err)
        self.assertLess(done.peak, plan["weights"] + plan["activations"] + plan["program"] + plan["kv_cache"])
        self.assertGreater(done.peak, plan["weights"])


if __name__ == "__main__":
    unittest.main()
