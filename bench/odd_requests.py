"""Odd but legal requests to every endpoint of `caravel serve` that takes a body: the extremes of each field, alone and in
pairs. The fields and their limits are those of the server's own /openapi.json; what a schema cannot tell (regular
expressions, grammars, schemas, chats) is listed here. What is made is drawn from a random.Random, so a seed repeats it."""

import dataclasses
import json
import random
import string

MANY = 100_000  # entries of a list
LONG = 1_000_000  # characters of a text
WIDE = 20_000  # entries that are objects

# A small request to each endpoint, which a field's extreme is put into.
BASES = {
    "/v1/completions": {"prompt": "Once upon a time", "max_tokens": 32, "ignore_eos": True},
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 32, "ignore_eos": True},
    "/v1/responses": {"input": "Hello", "max_output_tokens": 32},
    "/v1/messages": {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 32},
    "/v1/messages/count_tokens": {"messages": [{"role": "user", "content": "Hello"}]},
    "/v1/embeddings": {"input": "Hello"},
    "/v1/score": {"prefix": "Hello", "continuations": [" there", " world"]},
    "/tokenize": {"prompt": "Hello"},
    "/detokenize": {"tokens": [100, 101]},
}

REGEXES = {
    "nested counts": r"([a-z ]{1,60}){1,60}",
    "nested counts of choices": r"(abcd|[a-z ]{1,60}){1,60}",
    "a choice in itself": r"(a|a|aa|aaa)*b",
    "an end that may begin anywhere": r"[ab]*a[ab]{18}",
    "many counts": r"(\w{0,50}\d{0,50}\s{0,50}){40}",
    "any letters, counted": r"\p{L}{1,500}",
    "a long count": r"[^\"]{0,5000}",
    "10,000 words": "|".join(f"w{i}" for i in range(10_000)),
    "deep parentheses": "(" * 200 + "a" + ")?" * 200,
}
GRAMMARS = {
    "864 places that may be empty": "root ::= a a a a a a a a a a a a\na ::= b? b? b? b? b? b?\nb ::= c? c? c? c?\n"
                                    'c ::= "x"? [a-z]? [ -~]?\n',
    "a sum read in many ways": 'root ::= e\ne ::= e "+" e | e "*" e | "(" e ")" | [0-9]\n',
    "parentheses": 'root ::= "(" root ")" | root root | "x"\n',
    "5,000 rules in a chain": "root ::= r0\n" + "".join(f'r{i} ::= "a"? r{i + 1}\n' for i in range(5_000))
                              + 'r5000 ::= "b"\n',
    "a rule of 20,000 words": "root ::= (" + " | ".join(f'"w{i}"' for i in range(20_000)) + ")+\n",
    "all of a rule's parts empty": 'root ::= n n n n n n n n n n n n n n n n "x"\nn ::= m*\nm ::= "y"?\n',
    "many repetitions": 'root ::= [a-z]{1,2000} | ([a-z]{1,20} " "){1,100}\n',
}


def nested(depth, inner):
    return inner if depth == 0 else {"type": "object", "properties": {"a": nested(depth - 1, inner)},
                                     "required": ["a"]}


SCHEMAS = {
    "an enum of 50,000": lambda: {"enum": [f"word {i}" for i in range(50_000)]},
    "1,000 properties, none required": lambda: {"type": "object", "additionalProperties": False, "properties":
                                                {f"p{i}": {"type": "integer"} for i in range(1_000)}},
    "30 deep": lambda: nested(30, {"type": "string"}),
    "itself": lambda: {"$ref": "#/$defs/t", "$defs": {"t": {"type": "object", "properties": {
        "l": {"$ref": "#/$defs/t"}, "r": {"$ref": "#/$defs/t"}}}}},
    "200 alternatives": lambda: {"anyOf": [{"type": "object", "properties": {f"k{i}": {"type": "string"}},
                                            "required": [f"k{i}"], "additionalProperties": False}
                                           for i in range(200)]},
    "two enums that both hold": lambda: {"allOf": [{"enum": [f"w{i}" for i in range(5_000)]},
                                                   {"enum": [f"w{i}" for i in range(2_500, 7_500)]}]},
    "items that differ": lambda: {"type": "array", "uniqueItems": True, "items": {"enum": list(range(200))},
                                  "minItems": 20, "maxItems": 100},
    "10,000 items at least": lambda: {"type": "array", "items": {"type": "integer"}, "minItems": 10_000},
    "a long text of a pattern": lambda: {"type": "string", "pattern": "^[a-z]+( [a-z]+)*$", "maxLength": 2_000},
    "numbers between": lambda: {"type": "number", "minimum": -12345.678, "maximum": 98765.4321, "multipleOf": 0.001},
    "what it is not": lambda: {"not": {"enum": [f"w{i}" for i in range(300)]}, "type": "string"},
    "names by pattern": lambda: {"type": "object", "patternProperties": {f"^{c}[a-z]*$": {"type": "integer"}
                                                                          for c in string.ascii_lowercase}},
}


def letters(rng, count):
    return "".join(rng.choices(string.ascii_lowercase, k=count))


def words(rng, count, length=12):
    return [letters(rng, length) for _ in range(count)]


TEXTS = {
    "a million of a letter": lambda rng: "a" * LONG,
    "a million spaces": lambda rng: " " * LONG,
    "200,000 words": lambda rng: " ".join(words(rng, 200_000, 5)),
    "a million digits": lambda rng: "".join(rng.choices(string.digits, k=LONG)),
    "300,000 rare characters": lambda rng: "".join(chr(rng.randrange(0x4E00, 0x2FFFF)) for _ in range(300_000)),
    "marks upon a letter": lambda rng: "e" + "\u0301" * 300_000,
    "4,000 words": lambda rng: " ".join(words(rng, 4_000, 6)),
}


@dataclasses.dataclass
class Extreme:
    """One value of one field: `make` builds it, since some are large."""
    field: str
    what: str
    make: object


def constraints():
    """Extremes of what an answer must look like, by the field that says so."""
    for name, regex in REGEXES.items():
        yield "structured_outputs", f"regex: {name}", lambda rng, r=regex: {"regex": r}
    for name, grammar in GRAMMARS.items():
        yield "structured_outputs", f"grammar: {name}", lambda rng, g=grammar: {"grammar": g}
    for name, schema in SCHEMAS.items():
        yield "structured_outputs", f"schema: {name}", lambda rng, s=schema: {"json": s()}
    yield "structured_outputs", "50,000 choices", lambda rng: {"choice": words(rng, 50_000)}


def chats(field):
    def turns(count, content="x"):
        return [{"role": ("user", "assistant")[i % 2], "content": content} for i in range(count)]

    def call(i):
        return {"id": f"c{i}", "type": "function", "function": {"name": "f", "arguments": json.dumps({"x": i})}}

    yield field, "100,000 turns", lambda rng: turns(MANY + 1)
    yield field, "300 turns", lambda rng: turns(301, "a few words of text")
    yield field, "a turn of 100,000 parts", lambda rng: [
        {"role": "user", "content": [{"type": "text", "text": "x"}] * MANY}]
    yield field, "a turn of a million letters", lambda rng: [{"role": "user", "content": "a" * LONG}]
    if field == "messages":
        yield field, "10,000 calls", lambda rng: [
            {"role": "user", "content": "x"}, {"role": "assistant", "tool_calls": [call(i) for i in range(10_000)]},
            *({"role": "tool", "tool_call_id": f"c{i}", "content": "y"} for i in range(10_000))]


def tools(path):
    def tool(i, schema):
        if path == "/v1/messages" or path.endswith("count_tokens"):
            return {"name": f"f{i}", "input_schema": schema}
        if path == "/v1/responses":
            return {"type": "function", "name": f"f{i}", "parameters": schema}
        return {"type": "function", "function": {"name": f"f{i}", "parameters": schema}}

    simple = {"type": "object", "properties": {"a": {"type": "string"}}}
    yield "tools", "5,000 tools", lambda rng: [tool(i, simple) for i in range(5_000)]
    yield "tools", "20 tools", lambda rng: [tool(i, simple) for i in range(20)]
    for name, schema in SCHEMAS.items():
        yield "tools", f"of a schema: {name}", lambda rng, s=schema: [
            tool(0, {"type": "object", "properties": {"a": s()}, "required": ["a"]})]


class OddRequests:
    def __init__(self, openapi, seed):
        self.schemas = openapi["components"]["schemas"]
        self.rng = random.Random(seed)
        self.fields = {}  # path -> [Extreme]
        for path, base in BASES.items():
            body = openapi["paths"][path]["post"]["requestBody"]["content"]["application/json"]["schema"]
            self.fields[path] = list(self.of_endpoint(path, self.resolve(body)))

    def resolve(self, schema):
        while "$ref" in schema:
            schema = self.schemas[schema["$ref"].rpartition("/")[2]]
        return schema

    def of_endpoint(self, path, schema):
        properties = schema["properties"]
        special = []
        if "structured_outputs" in properties:
            special += constraints()
        for field in ("messages", "input"):
            if field in properties and path not in ("/v1/embeddings", "/tokenize"):
                special += chats(field)
        if "tools" in properties and path != "/tokenize":
            special += tools(path)
        for field, what, make in special:
            yield Extreme(field, what, make)
        said = {"structured_outputs", "tools", "messages", "model", "tool_choice"}
        for field, rule in properties.items():
            if field not in said:
                found = list(self.extremes(rule))
                # A text without a description is a label: one long one tells as much as six.
                texts = () if "description" in rule else list(TEXTS)[1:]
                yield from (Extreme(field, what, make) for what, make in found if what not in texts)

    def extremes(self, schema, depth=0):
        """(What it is, how it is made) for values that this schema allows."""
        schema = self.resolve(schema)
        for alternative in schema.get("anyOf", schema.get("oneOf", [])):
            yield from self.extremes(alternative, depth)
        if "enum" in schema or "const" in schema:
            for value in schema.get("enum", [schema.get("const")]):
                yield repr(value), lambda rng, v=value: v
            return
        kinds = schema.get("type", [])
        for kind in [kinds] if isinstance(kinds, str) else kinds:
            yield from getattr(self, f"of_{kind}")(schema, depth)

    def of_null(self, schema, depth):
        return iter(())

    def of_boolean(self, schema, depth):
        yield "true", lambda rng: True
        yield "false", lambda rng: False

    def of_number(self, schema, depth):
        least = schema.get("minimum", schema.get("exclusiveMinimum", -1e9))
        most = schema.get("maximum", schema.get("exclusiveMaximum", 1e9))
        if "exclusiveMinimum" in schema:
            least += 1e-6
        if "exclusiveMaximum" in schema:
            most -= 1e-6
        for value in (least, most, (least + most) / 2):
            yield f"{value:g}", lambda rng, v=value: v

    def of_integer(self, schema, depth):
        for value in {schema.get("minimum", -(1 << 31)), schema.get("maximum", (1 << 31) - 1), 8, 128}:
            if schema.get("minimum", value) <= value <= schema.get("maximum", value):
                yield f"{value}", lambda rng, v=value: v

    def of_string(self, schema, depth):
        most = schema.get("maxLength", LONG)
        for what, make in TEXTS.items() if most == LONG else ():
            yield what, make
        yield f"{min(most, 64)} letters", lambda rng: letters(rng, min(most, 64))

    def of_array(self, schema, depth):
        items = self.resolve(schema.get("items", {"type": "string"}))
        kinds = items.get("type", [])
        most = schema.get("maxItems", MANY)
        if "string" in kinds:
            yield f"{most} texts", lambda rng: words(rng, most)
            yield "64 long texts", lambda rng: words(rng, min(most, 64), 10_000)
        elif "integer" in kinds:
            top = items.get("maximum", (1 << 31) - 1)
            yield f"{most} ids", lambda rng: [rng.randrange(min(top, 40_000)) for _ in range(most)]
            yield "4,000 ids", lambda rng: [rng.randrange(100, 40_000) for _ in range(min(most, 4_000))]
        elif depth < 3:
            for what, make in self.extremes(items, depth + 2):
                one = make(random.Random(0))
                count = max(1, min(most, WIDE, LONG // len(json.dumps(one))))
                yield f"{count} times {what}", lambda rng, m=make, c=count: [m(rng)] * c

    def of_object(self, schema, depth):
        properties = schema.get("properties", {})
        if depth < 2:
            for name, rule in properties.items():
                for what, make in self.extremes(rule, depth + 1):
                    yield f"{name}: {what}", lambda rng, n=name, m=make: {n: m(rng)}
        more = schema.get("additionalProperties")
        if more is True:
            yield f"{MANY} members", lambda rng: {f"k{i}": i for i in range(MANY)}
            yield "60 deep", lambda rng: nested(20, {})
        elif isinstance(more, dict) and "number" in self.resolve(more).get("type", []):
            yield "40,000 ids", lambda rng: {str(i): 1 for i in range(40_000)}

    def request(self, path, extremes):
        """(What it is, its path, its body.)"""
        body = dict(BASES[path])
        for extreme in extremes:
            body[extreme.field] = extreme.make(self.rng)
        if "prompt_components" in body or "tokens" in body and path == "/tokenize":
            body.pop("prompt", None)
        what = " and ".join(f"{extreme.field}: {extreme.what}" for extreme in extremes)
        return f"{path} {what}", path, body

    def alone(self):
        """Every extreme once, in a drawn order: lists of one."""
        every = [(path, [extreme]) for path, extremes in self.fields.items() for extreme in extremes]
        self.rng.shuffle(every)
        return every

    def pair(self):
        path = self.rng.choice(list(BASES))
        while True:
            pair = self.rng.sample(self.fields[path], 2)
            if pair[0].field != pair[1].field:
                return path, pair
