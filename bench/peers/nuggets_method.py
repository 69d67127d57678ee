"""The published method of Nuggets (Li et al., ACL 2024), written from its description, with transformers.

For a candidate z and a task t of question q and answer a, the zero-shot score is the mean log-probability of a's tokens
given q, the one-shot score the same with z, question and answer, in front; the golden score of z is the share of tasks
whose one-shot score is strictly greater. Natural logarithms.

The sequences are made of parts that are encoded apart, without the tokenizer's special tokens, and concatenated:

  zero-shot          front + task + answer
  one-shot           front + z + task + answer

`front` holds the start token, where the tokenizer adds one to a text, and what a template writes before the first turn;
it is the same in both. `task` and `answer` are the same ids in both scores and behind every z; no end token is added
behind the scored answer. An input of white space counts as empty; nothing else is stripped.

Template "alpaca": a prompt is

  Below is an instruction that describes a task. Write a response that appropriately completes the request.

  ### Instruction:
  {instruction}

  ### Input:
  {input}

  ### Response:

with a line break at its end, and without the part of the input where it is empty. `task` is the task's prompt, `z` the
prompt of z, its answer and a blank line (two line breaks).

Template "chat": the model's chat template. The question is the instruction, and the input a blank line below it. `z` ends
where the rendered turns of z end if the rendering with the task's turn behind them begins so, else behind z's answer;
`task` is the rest, with the generation prompt. `front` is what the task's own rendering has before `task`: in SmolLM2 the
default system prompt, which the template writes where the first message is not the system's.

compat "original" follows the published code: of the scored answer the first 200 tokens are taken, and the start token,
where the tokenizer adds one, stands in the one-shot sequence alone.

A z has no score on its own row nor on a task with the same question and answer. Nothing is truncated.
"""

import copy
import json
import os
from dataclasses import dataclass, field

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache

PREAMBLE = ("Below is an instruction that describes a task. Write a response that appropriately completes the request."
            "\n\n")
ORIGINAL_ANSWER_TOKENS = 200
HEAD_ROWS = 512  # of the vocabulary's width at a time, so that they stay small


@dataclass(frozen=True)
class Row:
    instruction: str
    input: str
    output: str


def read_rows(path):
    """Alpaca JSON, or JSONL of the same keys or of self-instruct's (`instances`, of which the first counts)."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    rows = json.loads(text) if text.lstrip().startswith("[") else [json.loads(line) for line in text.splitlines()]
    rows = [{**row, **row["instances"][0]} if "instances" in row else row for row in rows]
    inputs = [row.get("input") or "" for row in rows]
    return [Row(row["instruction"], given if given.strip() else "", row["output"]) for row, given in zip(rows, inputs)]


class AlpacaTemplate:
    front = ""

    def task(self, row):
        given = f"### Input:\n{row.input}\n\n" if row.input else ""
        return f"{PREAMBLE}### Instruction:\n{row.instruction}\n\n{given}### Response:\n"

    def demonstration(self, row):
        return f"{self.task(row)}{row.output}\n\n"


class ChatTemplate:
    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        probe, answered, asked = Row("Zq", "", "Za"), self.turns(Row("Zq", "", "Za")), self.turns(Row("Tq", "", ""))[:1]
        whole, shown, alone = self.render(answered + asked, True), self.render(answered), self.render(asked, True)
        if not whole.startswith(shown):
            shown = shown[: shown.rindex(probe.output) + len(probe.output)]
        task = whole[len(shown):]
        self.front = alone.removesuffix(task)
        if not whole.startswith(shown) or not alone.endswith(task) or not shown.startswith(self.front):
            raise ValueError(f"the chat template does not write turns one behind the other: {whole!r}, {alone!r}")
        self.dropped = self.render(answered)[len(shown):]

    @staticmethod
    def turns(row):
        question = f"{row.instruction}\n\n{row.input}" if row.input else row.instruction
        return [{"role": "user", "content": question}, {"role": "assistant", "content": row.output}]

    def render(self, messages, generation_prompt=False):
        return self.tokenizer.apply_chat_template(messages, add_generation_prompt=generation_prompt, tokenize=False)

    def task(self, row):
        return self.render(self.turns(row)[:1], True).removeprefix(self.front)

    def demonstration(self, row):
        return self.render(self.turns(row)).removeprefix(self.front).removesuffix(self.dropped)

    def check(self, z, task):
        """That the parts are the whole rendering, for a pair."""
        whole = self.render(self.turns(z) + self.turns(task)[:1], True)
        if whole != self.front + self.demonstration(z) + self.task(task):
            raise ValueError(f"the chat template writes {z} otherwise where {task} follows")


@dataclass(frozen=True)
class Task:
    row: Row
    prompt: list  # token ids
    answer: list


@dataclass(frozen=True)
class Candidate:
    row: Row
    prefix: list  # token ids: front and z


@dataclass
class Prompts:
    """Rows as token ids."""
    tokenizer: object
    template_name: str  # "alpaca" or "chat"
    original: bool = False
    front: list = field(init=False)       # of a one-shot sequence
    zero_front: list = field(init=False)  # of a zero-shot one

    def __post_init__(self):
        self.template = AlpacaTemplate() if self.template_name == "alpaca" else ChatTemplate(self.tokenizer)
        self.special = set(self.tokenizer.all_special_tokens)
        plain, whole = self.encode("a"), self.tokenizer.encode("a")
        start = whole[: next(at for at in range(len(whole)) if whole[at: at + len(plain)] == plain)]
        written = self.encode(self.template.front)
        # What a chat template writes is not written twice.
        self.front = written if self.template_name == "chat" else start + written
        begins = bool(start) and self.front[: len(start)] == start
        self.zero_front = self.front[len(start):] if self.original and begins else self.front

    def encode(self, text):
        return self.tokenizer.encode(text, add_special_tokens=False) if text else []

    def check(self, row):
        for text in (row.instruction, row.input, row.output):
            if any(token in text for token in self.special):
                raise ValueError(f"a special token is written in {row}: the sides may read it differently")

    def task(self, row):
        self.check(row)
        answer = self.encode(row.output)
        if not answer:
            raise ValueError(f"an answer without a token: {row}")
        return Task(row, self.encode(self.template.task(row)), answer[:ORIGINAL_ANSWER_TOKENS] if self.original else answer)

    def candidate(self, row):
        self.check(row)
        return Candidate(row, self.front + self.encode(self.template.demonstration(row)))


def comparable(z, tasks):
    """The tasks that z is scored on."""
    return [number for number, task in enumerate(tasks) if task.row != z.row]


class Scorer:
    """Scores by a causal model, several tasks in a batch of sequences that are padded at their ends."""

    def __init__(self, folder, dtype=torch.float32, batch=16):
        self.model = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, attn_implementation="sdpa").eval()
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.batch = batch
        self.context = self.model.config.get_text_config().max_position_embeddings

    def batches(self, tasks):
        """Numbers of tasks, those of similar length together, so that little is padded."""
        order = sorted(range(len(tasks)), key=lambda number: len(tasks[number].prompt) + len(tasks[number].answer))
        return [order[begin: begin + self.batch] for begin in range(0, len(order), self.batch)]

    def scores(self, method, prefix, tasks):
        """The mean log-probability of each task's answer behind a prefix of token ids. method: a function below."""
        longest = max((len(task.prompt) + len(task.answer) for task in tasks), default=0)
        if len(prefix) + longest > self.context:
            raise ValueError(f"{len(prefix) + longest} tokens are more than the context of {self.context}")
        found = [0.0] * len(tasks)
        with torch.inference_mode():
            state = prefix_cache(self.model, prefix) if method is shared_prefix and prefix else None
            for numbers in self.batches(tasks):
                batch = [tasks[number] for number in numbers]
                for number, score in zip(numbers, method(self.model, prefix, batch, state)):
                    found[number] = score
        return found

    def zero_shot(self, method, prompts, tasks):
        return self.scores(method, prompts.zero_front, tasks)

    def one_shot(self, method, candidate, tasks):
        """{number of the task: score}, of those that the candidate is scored on."""
        numbers = comparable(candidate, tasks)
        return dict(zip(numbers, self.scores(method, candidate.prefix, [tasks[number] for number in numbers])))


def padded(sequences):
    """[sequences, longest]; what is padded behind a sequence is seen by none of its own tokens."""
    longest = max(map(len, sequences))
    return torch.tensor([sequence + [0] * (longest - len(sequence)) for sequence in sequences])


def whole_sequences(model, prefix, tasks, _):
    """As the description has it: the logits of whole sequences, of which those of the answers count."""
    ids = padded([prefix + task.prompt + task.answer for task in tasks])
    labels = torch.full_like(ids, -100)
    for row, task in enumerate(tasks):
        begin = len(prefix) + len(task.prompt)
        labels[row, begin: begin + len(task.answer)] = torch.tensor(task.answer)
    logits = model(ids, use_cache=False).logits[:, :-1]
    losses = torch.nn.functional.cross_entropy(logits.flatten(0, 1).float(), labels[:, 1:].flatten(), ignore_index=-100,
                                               reduction="none").view(len(tasks), -1)
    return [-float(row.sum()) / len(task.answer) for row, task in zip(losses, tasks)]


def answer_means(model, hidden, begins, tasks, dtype=torch.float32):
    """The means, with the LM head at the answers' places alone. hidden: [tasks, tokens, width] after the final norm;
    begins: where in it the first token of each answer is predicted."""
    rows = torch.cat([hidden[row, begin: begin + len(task.answer)]
                      for row, (begin, task) in enumerate(zip(begins, tasks))])
    wanted = torch.tensor([token for task in tasks for token in task.answer])
    found = []
    for states, tokens in zip(rows.split(HEAD_ROWS), wanted.split(HEAD_ROWS)):
        logits = model.lm_head(states).to(dtype)
        found.append(logits.gather(1, tokens[:, None])[:, 0] - logits.logsumexp(1))
    return [float(part.mean()) for part in torch.cat(found).split([len(task.answer) for task in tasks])]


def answers_alone(model, prefix, tasks, _, dtype=torch.float32):
    """whole_sequences with the LM head where it is needed, and without each answer's last token, which predicts
    nothing."""
    hidden = model.model(padded([prefix + task.prompt + task.answer[:-1] for task in tasks]),
                         use_cache=False).last_hidden_state
    return answer_means(model, hidden, [len(prefix) + len(task.prompt) - 1 for task in tasks], tasks, dtype)


def exact(model, prefix, tasks, _):
    """answers_alone with softmax and mean in double: what comparisons are held to."""
    return answers_alone(model, prefix, tasks, None, torch.float64)


def prefix_cache(model, prefix):
    cache = DynamicCache(config=model.config)
    model.model(torch.tensor([prefix]), past_key_values=cache, use_cache=True)
    return cache


def shared_prefix(model, prefix, tasks, state):
    """answers_alone helped by transformers' own cache: the prefix is computed once, and its entries are repeated over
    each batch of tasks. By copy and batch_repeat_interleave: a DynamicCache that is rebuilt from its entries forgets
    how long a prefix was of which windows keep a part (findings/transformers_cache_from_data.sh)."""
    if state is None:
        return answers_alone(model, prefix, tasks, None)
    cache = copy.deepcopy(state)
    cache.batch_repeat_interleave(len(tasks))
    hidden = model.model(padded([task.prompt + task.answer[:-1] for task in tasks]), past_key_values=cache,
                         use_cache=True).last_hidden_state
    return answer_means(model, hidden, [len(task.prompt) - 1 for task in tasks], tasks)


def multiplies_bf16():
    """Whether the processor multiplies BF16 in hardware."""
    with open("/proc/cpuinfo") as file:
        return bool({"avx512_bf16", "amx_bf16"} & set(file.read().split()))


def use_threads(count=None):
    torch.set_num_threads(count or len(os.sched_getaffinity(0)))
