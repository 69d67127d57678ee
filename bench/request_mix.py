"""Requests of every kind to every endpoint of `caravel serve`, and clients of every manner: whole and streamed answers,
slow readers, clients that go away. What they send is drawn from a random.Random, so a seed repeats it."""

import asyncio

from serving import Answer, ask, connect, request_bytes

SHARED = ("You are a careful assistant on a ship. You know the stars, the winds, the tides and every harbour of the "
          "coast, and you answer in one short sentence. ")  # so that the prefix cache has something to find
WORDS = "sea wind star harbour north cargo water night sail rope light captain island storm map".split()
WEATHER = {"type": "object", "properties": {"city": {"type": "string", "maxLength": 20},
                                            "unit": {"enum": ["celsius", "fahrenheit"]}},
           "required": ["city", "unit"], "additionalProperties": False}
DOCUMENTS = ["/health", "/ping", "/version", "/metrics", "/openapi.json", "/v1/models", "/", "/dashboard"]

# What the last event of a stream holds.
ENDS = {"/v1/completions": (b"data: [DONE]",), "/v1/chat/completions": (b"data: [DONE]",),
        "/v1/messages": (b"event: message_stop",),
        "/v1/responses": (b"event: response.completed", b"event: response.incomplete")}


def text(rng):
    words = " ".join(rng.choices(WORDS, k=rng.choice([2, 8, 8, 50])))
    return rng.choice(["", SHARED]) + words


def sampling(rng):
    return rng.choice([
        {"temperature": 0}, {"temperature": 0}, {"temperature": 1.2, "top_k": 40, "seed": rng.randrange(1 << 32)},
        {"temperature": 0.8, "top_p": 0.9, "min_p": 0.02}, {"repetition_penalty": 1.2, "presence_penalty": 0.5},
        {"frequency_penalty": 1, "logit_bias": {str(rng.randrange(100, 200)): -50}}, {"stop": ["e", "sea"]},
        {"ignore_eos": True, "min_tokens": 1}, {"bad_words": ["the"], "skip_special_tokens": False}])


def schema(rng):
    """Mostly a new one, to be compiled while others run."""
    return {"type": "object", "properties": {"name": {"type": "string", "maxLength": rng.randint(4, 12)},
                                             "age": {"type": "integer", "minimum": 0, "maximum": rng.randint(50, 150)},
                                             "kind": {"enum": rng.sample(WORDS, 3)}},
            "required": ["name", "age", "kind"], "additionalProperties": False}


def constraint(rng):
    return rng.choice([
        {"structured_outputs": {"json": schema(rng)}}, {"structured_outputs": {"choice": rng.sample(WORDS, 4)}},
        {"structured_outputs": {"regex": rf"\d{{{rng.randint(1, 5)}}}-[a-f]{{4}}"}},
        {"structured_outputs": {"grammar": f'root ::= ("{rng.choice(WORDS)}" | "no") " " [0-9]+'}},
        {"response_format": {"type": "json_object"}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "person", "schema": schema(rng)}}}])


def completion(rng):
    body = {"prompt": text(rng), "max_tokens": rng.randint(1, 16)}
    return "/v1/completions", {**body, **rng.choice([
        sampling(rng), sampling(rng), constraint(rng), {"n": 3, "temperature": 1}, {"logprobs": 5},
        {"echo": True, "logprobs": 2}, {"prompt": [text(rng), text(rng)]}, {"prompt": [[1, 2, 3], [4, 5]]},
        {"use_beam_search": True, "n": 2, "temperature": 0}, {"cache_salt": str(rng.randrange(4))},
        {"max_tokens": 48, "ignore_eos": True, "priority": rng.randrange(3)}])}


def chat(rng):
    body = {"messages": [{"role": "user", "content": text(rng)}], "max_tokens": rng.randint(1, 16)}
    tool = {"type": "function", "function": {"name": "get_weather", "parameters": WEATHER}}
    choice = rng.choice(["auto", "none", "required", {"type": "function", "function": {"name": "get_weather"}}])
    return "/v1/chat/completions", {**body, **rng.choice([
        sampling(rng), sampling(rng), constraint(rng), constraint(rng), {"n": 2, "temperature": 1},
        {"logprobs": True, "top_logprobs": 4}, {"tools": [tool], "tool_choice": choice, "max_tokens": 32},
        {"tools": [tool], "tool_choice": choice, "max_tokens": 32}])}


def response(rng):
    tool = {"type": "function", "name": "get_weather", "parameters": WEATHER}
    return "/v1/responses", {"input": text(rng), "max_output_tokens": rng.randint(1, 16), **rng.choice([
        {}, {"tools": [tool], "tool_choice": "required"},
        {"text": {"format": {"type": "json_schema", "name": "person", "schema": schema(rng)}}}])}


def message(rng):
    tool = {"name": "get_weather", "input_schema": WEATHER}
    return "/v1/messages", {"messages": [{"role": "user", "content": text(rng)}], "max_tokens": rng.randint(1, 16),
                            **rng.choice([{}, {"system": SHARED}, {"tools": [tool], "tool_choice": {"type": "any"}}])}


def whole(path, body, status, got):
    """The status and what was got, which has its end if it is a stream."""
    if status == 200 and body["stream"] and not any(end in got for end in ENDS[path]):
        raise ValueError(f"a stream of {path} ends with {got[-200:]}")
    return status, got


async def read_whole(port, path, body, rng):
    return whole(path, body, *await ask(port, path, body))


async def read_slowly(port, path, body, rng):
    reader, writer = await connect(port, 2048)
    try:
        writer.write(request_bytes(path, body))
        answer = await Answer(reader).head()
        got = b""
        async for piece in answer.pieces():
            got += piece
            await asyncio.sleep(rng.uniform(0, 0.1))
        return whole(path, body, answer.status, got)
    finally:
        writer.close()


async def go_away(port, path, body, rng):
    """At any moment: before the answer, within it, or without having read any of it."""
    reader, writer = await connect(port, 2048)
    try:
        writer.write(request_bytes(path, body))
        await writer.drain()
        if rng.random() < 0.3:
            writer.transport.pause_reading()
        elif rng.random() < 0.5:
            await reader.read(rng.randrange(1, 3000))
        await asyncio.sleep(rng.choice([0, 0.01, rng.uniform(0, 2)]))
        return None, b""
    finally:
        writer.transport.abort()


async def generating(port, rng):
    path, body = rng.choice([completion, completion, chat, chat, chat, response, message])(rng)
    body["stream"] = rng.random() < 0.6
    client = rng.choice([read_whole] * 6 + [read_slowly] + [go_away] * 2)
    status, got = await client(port, path, body, rng)
    return f"{path} {'streamed ' if body['stream'] else ''}{client.__name__}", status, got


async def other(port, rng):
    path, body = rng.choice([
        ("/v1/embeddings", {"input": [text(rng) for _ in range(rng.randint(1, 3))]}),
        ("/v1/score", {"prefix": SHARED, "continuations": [f" {word}" for word in rng.sample(WORDS, 3)]}),
        ("/tokenize", {"prompt": text(rng)}), ("/detokenize", {"tokens": rng.choices(range(100, 200), k=8)})])
    return path, *await ask(port, path, body)


async def documents(port, rng):
    path = rng.choice(DOCUMENTS)
    return path, *await ask(port, path, method="GET")


async def watch(port, rng):
    """The dashboard's events, for a while."""
    reader, writer = await connect(port)
    try:
        writer.write(request_bytes("/dashboard/events", b"", "GET"))
        answer = await Answer(reader).head()
        pieces = answer.pieces()
        for _ in range(rng.randint(1, 3)):
            await anext(pieces)
        return "/dashboard/events", answer.status, b""
    finally:
        writer.close()


async def request(port, rng):
    """One request of the mix: (its kind, status or None where the client did not stay for one, the answer's body)."""
    kind = rng.choices([generating, other, documents, watch], [70, 15, 12, 3])[0]
    return await kind(port, rng)
