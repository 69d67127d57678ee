"""The official openai package against `caravel serve`, as its users write it."""

import base64
import contextlib
import json
import math
import struct
import threading
import time
import unittest
import urllib.request

import openai
from pydantic import BaseModel, Field

import agent_model
from rich_types import ORDER, Order, TRIP, Trip, check_order, check_trip
from shown import cancelled_task_frees, KEY, LONG, main, runs_nothing, Server, Servers, shows, Weather
from with_server import FLAGS

WEATHER = {"type": "function", "function": {
    "name": "get_weather", "description": "The weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string", "maxLength": 20},
                                                    "unit": {"enum": ["celsius", "fahrenheit"]}},
                   "required": ["city", "unit"], "additionalProperties": False}}}
TIME = {"type": "function", "function": {"name": "get_time"}}
ASK = [{"role": "user", "content": "What is 2+2?"}]


servers = Servers()


class Person(BaseModel):
    name: str
    age: int


def setUpModule():
    global server, client, model
    servers.start()
    server = Server(*FLAGS, "--api-key", "first", "--api-key", "second", "--api-key", KEY)
    server.url = f"http://127.0.0.1:{server.port}"
    client = openai.OpenAI(base_url=f"{server.url}/v1", api_key="second", max_retries=0, timeout=120)
    model = client.models.list().data[0].id


def tearDownModule():
    code, log = server.stop(), server.text()
    server.__exit__()
    servers.stop()
    assert code == 0, f"the server ended with {code}:\n{log[-3000:]}"


def joined(stream):
    """Content, calls as [name, arguments], and the reason of a streamed chat answer."""
    content, calls, reason = "", {}, None
    for chunk in stream:
        for choice in chunk.choices:
            content += choice.delta.content or ""
            reason = choice.finish_reason or reason
            for call in choice.delta.tool_calls or []:
                whole = calls.setdefault(call.index, ["", ""])
                whole[0] += call.function.name or ""
                whole[1] += call.function.arguments or ""
    return content, [calls[index] for index in sorted(calls)], reason


class Chat(unittest.TestCase):
    def chat(self, **fields):
        return client.chat.completions.create(**{"model": model, "messages": ASK, "max_tokens": 24, "temperature": 0,
                                                 **fields})

    def test_an_answer(self):
        answer = self.chat()
        self.assertIn("4", answer.choices[0].message.content)
        self.assertEqual("assistant", answer.choices[0].message.role)
        self.assertEqual(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens)

    def test_a_streamed_answer_joined_is_the_unstreamed_one(self):
        answer = self.chat().choices[0]
        content, _, reason = joined(self.chat(stream=True))
        self.assertEqual((answer.message.content, answer.finish_reason), (content, reason))

    def test_the_stream_helper_and_usage(self):
        with client.chat.completions.stream(model=model, messages=ASK, max_tokens=24, temperature=0,
                                            stream_options={"include_usage": True}) as stream:
            events = list(stream)
            final = stream.get_final_completion()
        self.assertIn("content.delta", {event.type for event in events})
        self.assertEqual(self.chat().choices[0].message.content, final.choices[0].message.content)
        self.assertGreater(final.usage.completion_tokens, 0)

    def test_n_answers_and_seeds(self):
        fields = {"n": 3, "temperature": 1.5, "seed": 7, "max_tokens": 12}
        first, again = self.chat(**fields), self.chat(**fields)
        texts = [choice.message.content for choice in first.choices]
        self.assertEqual([0, 1, 2], [choice.index for choice in first.choices])
        self.assertEqual(texts, [choice.message.content for choice in again.choices])
        self.assertGreater(len(set(texts)), 1)
        self.assertNotEqual(texts, [c.message.content for c in self.chat(**{**fields, "seed": 8}).choices])

    def test_stop_strings_and_length(self):
        whole = self.chat().choices[0].message.content
        word = whole.split()[2]
        cut = self.chat(stop=[word]).choices[0]
        self.assertEqual((whole.split(word)[0], "stop"), (cut.message.content, cut.finish_reason))
        self.assertEqual("length", self.chat(max_completion_tokens=2, max_tokens=openai.omit).choices[0].finish_reason)

    def test_logprobs(self):
        answer = self.chat(logprobs=True, top_logprobs=3, max_tokens=6).choices[0]
        tokens = answer.logprobs.content
        self.assertEqual(answer.message.content, b"".join(bytes(token.bytes) for token in tokens).decode())
        for token in tokens:
            self.assertEqual(3, len(token.top_logprobs))
            self.assertEqual(token.token, token.top_logprobs[0].token)  # greedy
            self.assertLessEqual(sum(math.exp(top.logprob) for top in token.top_logprobs), 1.0001)
        streamed = [token.logprob for chunk in self.chat(logprobs=True, top_logprobs=3, max_tokens=6, stream=True)
                    for choice in chunk.choices if choice.logprobs for token in choice.logprobs.content]
        self.assertEqual([token.logprob for token in tokens], streamed)

    def test_extra_fields_of_vllm(self):
        answer = self.chat(extra_body={"top_k": 1, "min_tokens": 20, "ignore_eos": True, "return_token_ids": True},
                           temperature=1)
        self.assertEqual("length", answer.choices[0].finish_reason)
        self.assertEqual(24, len(answer.choices[0].token_ids))

    def test_content_in_parts_and_system_messages(self):
        system = {"role": "system", "content": "You are terse."}
        parts = [system, {"role": "user", "content": [{"type": "text", "text": "What is 2+2?"}]}]
        whole = self.chat(messages=[system, *ASK])
        answer = self.chat(messages=parts)
        self.assertEqual(whole.choices[0].message.content, answer.choices[0].message.content)
        self.assertEqual(whole.usage.prompt_tokens, answer.usage.prompt_tokens)
        self.assertNotEqual(self.chat().usage.prompt_tokens, answer.usage.prompt_tokens)


class Tools(unittest.TestCase):
    def call(self, **fields):
        return client.chat.completions.create(**{
            "model": model, "messages": [{"role": "user", "content": "What is the weather in Paris in celsius?"}],
            "tools": [WEATHER, TIME], "max_tokens": 120, "temperature": 0, **fields})

    def check(self, message):
        self.assertTrue(message.tool_calls)
        for call in message.tool_calls:
            self.assertTrue(call.id)
            arguments = json.loads(call.function.arguments)
            if call.function.name == "get_weather":
                self.assertEqual({"city", "unit"}, set(arguments))
                self.assertIn(arguments["unit"], ("celsius", "fahrenheit"))
            else:
                self.assertEqual(("get_time", {}), (call.function.name, arguments))

    def test_a_named_tool_is_called(self):
        for name in ("get_weather", "get_time"):
            choice = self.call(tool_choice={"type": "function", "function": {"name": name}}).choices[0]
            self.check(choice.message)
            self.assertEqual([name], [call.function.name for call in choice.message.tool_calls])
            self.assertEqual("tool_calls", choice.finish_reason)

    def test_a_required_call(self):
        choice = self.call(tool_choice="required", parallel_tool_calls=False).choices[0]
        self.check(choice.message)
        self.assertEqual(1, len(choice.message.tool_calls))
        self.assertEqual("tool_calls", choice.finish_reason)
        self.assertFalse(choice.message.content)

    def test_streamed_calls_are_the_unstreamed_ones(self):
        for tool_choice in ("required", "auto", {"type": "function", "function": {"name": "get_weather"}}):
            whole = self.call(tool_choice=tool_choice).choices[0]
            content, calls, reason = joined(self.call(tool_choice=tool_choice, stream=True))
            expected = [[c.function.name, c.function.arguments] for c in whole.message.tool_calls or []]
            self.assertEqual((whole.message.content or "", expected, whole.finish_reason), (content, calls, reason))

    def test_arguments_stream_in_pieces(self):
        pieces = [call.function.arguments for chunk in self.call(tool_choice="required", stream=True)
                  for choice in chunk.choices for call in choice.delta.tool_calls or [] if call.function.arguments]
        self.assertGreater(len(pieces), 2)

    def test_none_calls_nothing(self):
        self.assertFalse(self.call(tool_choice="none").choices[0].message.tool_calls)

    def test_results_of_calls_are_taken(self):
        first = self.call(tool_choice="required", parallel_tool_calls=False).choices[0].message
        call = first.tool_calls[0]
        messages = [{"role": "user", "content": "What is the weather?"}, first.model_dump(exclude_none=True),
                    {"role": "tool", "tool_call_id": call.id, "content": "Sunny, 20 degrees"}]
        self.assertTrue(self.call(messages=messages, tool_choice="none").choices[0].message.content)

    def test_a_streamed_message_is_taken_back_as_it_is(self):
        with client.chat.completions.stream(
                model=model, messages=[{"role": "user", "content": "What is the weather in Paris?"}], tools=[WEATHER],
                tool_choice="required", parallel_tool_calls=False, max_tokens=120, temperature=0) as stream:
            message = stream.get_final_completion().choices[0].message
        call = message.tool_calls[0]
        result = {"role": "tool", "tool_call_id": call.id, "content": "Sunny, 20 degrees"}
        for said in (message, message.model_dump(), {**message.model_dump(), "provider_specific_fields": {"a": 1}}):
            messages = [{"role": "user", "content": "What is the weather in Paris?"}, said, result]
            self.assertTrue(self.call(messages=messages, tool_choice="none").choices[0].message.content)

    def test_wrong_choices_are_refused(self):
        for fields in ({"tool_choice": {"type": "function", "function": {"name": "rm"}}}, {"tool_choice": "maybe"},
                       {"tools": [], "tool_choice": "required"}, {"tools": [{"type": "function"}]}):
            with self.assertRaises(openai.BadRequestError):
                self.call(**fields)


class Agent(unittest.TestCase):
    """Whole conversations with a model that calls by itself: what it answered goes back as the package gives it."""

    ask = [{"role": "user", "content": "What is the weather in Paris and in Rome?"}]
    tool = {"type": "function", "function": {"name": "get_weather", "parameters": Weather.SCHEMA}}

    def setUp(self):
        self.client = openai.OpenAI(base_url=f"{servers.agent.url}/v1", api_key=KEY, max_retries=0, timeout=60)

    def finish(self, message, back=None):
        weather, messages = Weather(), [*self.ask, back or message]
        self.assertEqual(2, len({call.id for call in message.tool_calls}))
        for call in message.tool_calls:
            said = weather.get_weather(**json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "content": said})
        self.assertEqual(agent_model.CALLS, weather.asked)
        answer = self.client.chat.completions.create(model=servers.agent.model, messages=messages, tools=[self.tool])
        self.assertEqual(agent_model.ANSWER, answer.choices[0].message.content)

    @shows("tools", "chat completions: the message sent back as it came, and its `model_dump()`")
    def test_chat_completions(self):
        answer = self.client.chat.completions.create(model=servers.agent.model, messages=self.ask, tools=[self.tool])
        message = answer.choices[0].message
        self.finish(message)
        self.finish(message, message.model_dump())

    @shows("tools", "the stream helper's")
    def test_the_stream_helper(self):
        with self.client.chat.completions.stream(model=servers.agent.model, messages=self.ask,
                                                 tools=[self.tool]) as stream:
            message = stream.get_final_completion().choices[0].message
        self.finish(message)

    @shows("tools", "`pydantic_function_tool`")
    def test_typed_arguments(self):
        class GetWeather(BaseModel):
            city: str = Field(max_length=20)
            unit: str
        tool = openai.pydantic_function_tool(GetWeather, name="get_weather")
        message = self.client.chat.completions.parse(model=servers.agent.model, messages=self.ask,
                                                     tools=[tool]).choices[0].message
        self.assertEqual("Paris", message.tool_calls[0].function.parsed_arguments.city)
        self.finish(message)

    @shows("tools", "responses: the items sent back as they came, and their `model_dump()`")
    def test_responses(self):
        tool = {"type": "function", **self.tool["function"]}
        first = self.client.responses.create(model=servers.agent.model, input=self.ask, tools=[tool])
        for back in (first.output, [item.model_dump() for item in first.output]):
            weather, items = Weather(), [*self.ask, *back]
            for call in first.output:
                if call.type == "function_call":
                    said = weather.get_weather(**json.loads(call.arguments))
                    items.append({"type": "function_call_output", "call_id": call.call_id, "output": said})
            self.assertEqual(agent_model.CALLS, weather.asked)
            answer = self.client.responses.create(model=servers.agent.model, input=items, tools=[tool])
            self.assertEqual(agent_model.ANSWER, answer.output_text)


class Rich(unittest.TestCase):
    fields = {"temperature": 0, "max_tokens": 700}

    @shows("structured", "pydantic models by `chat.completions.parse`")
    def test_chat_completions(self):
        for ask, kind, check in ((TRIP, Trip, check_trip), (ORDER, Order, check_order)):
            with self.subTest(kind=kind.__name__):
                answer = client.chat.completions.parse(model=model, messages=[{"role": "user", "content": ask}],
                                                       response_format=kind, **self.fields)
                check(self, answer.choices[0].message.parsed)

    @shows("structured", "in a stream")
    def test_streamed(self):
        with client.chat.completions.stream(model=model, messages=[{"role": "user", "content": TRIP}],
                                            response_format=Trip, **self.fields) as stream:
            check_trip(self, stream.get_final_completion().choices[0].message.parsed)

    @shows("structured", "by `responses.parse`")
    def test_responses(self):
        answer = client.responses.parse(model=model, input=TRIP, text_format=Trip, max_output_tokens=700, temperature=0)
        check_trip(self, answer.output_parsed)


class StructuredOutput(unittest.TestCase):
    ask = [{"role": "user", "content": "Make up a person. Answer in JSON with name and age."}]

    def test_parse_into_a_model(self):
        answer = client.chat.completions.parse(model=model, messages=self.ask, response_format=Person, max_tokens=200,
                                               temperature=0)
        self.assertIsInstance(answer.choices[0].message.parsed, Person)

    def test_a_schema_streamed(self):
        with client.chat.completions.stream(model=model, messages=self.ask, response_format=Person, max_tokens=200,
                                            temperature=0) as stream:
            for _ in stream:
                pass
            self.assertIsInstance(stream.get_final_completion().choices[0].message.parsed, Person)

    def test_a_json_object(self):
        text = client.chat.completions.create(model=model, messages=self.ask, response_format={"type": "json_object"},
                                              max_tokens=300, temperature=0).choices[0]
        if text.finish_reason == "stop":
            self.assertIsInstance(json.loads(text.message.content), dict)

    def test_choices_and_expressions(self):
        for fields, right in (({"choice": ["red", "green"]}, lambda text: text in ("red", "green")),
                              ({"regex": r"\d{3}-\d{4}"}, lambda text: len(text) == 8 and text[3] == "-")):
            answer = client.chat.completions.create(model=model, messages=self.ask, max_tokens=20,
                                                    extra_body={"structured_outputs": fields})
            self.assertTrue(right(answer.choices[0].message.content), answer.choices[0].message.content)

    def test_a_schema_that_cannot_be_enforced_is_refused(self):
        schema = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": {"type": "strange"}}}
        with self.assertRaises(openai.BadRequestError):
            client.chat.completions.create(model=model, messages=self.ask, response_format=schema)


class Completions(unittest.TestCase):
    def complete(self, **fields):
        return client.completions.create(**{"model": model, "prompt": "One, two, three,", "max_tokens": 8,
                                            "temperature": 0, **fields})

    def test_text_ids_and_lists(self):
        text = self.complete().choices[0].text
        self.assertIn("four", text)
        both = self.complete(prompt=["One, two, three,", "Red, green,"]).choices
        self.assertEqual([0, 1], [choice.index for choice in both])
        self.assertEqual(text, both[0].text)
        self.assertEqual(text, "".join(chunk.choices[0].text for chunk in self.complete(stream=True) if chunk.choices))

    def test_echo_with_logprobs(self):
        answer = self.complete(echo=True, logprobs=2, max_tokens=0).choices[0]
        self.assertEqual("One, two, three,", answer.text)
        logprobs = answer.logprobs
        self.assertEqual("One, two, three,", "".join(logprobs.tokens))
        self.assertIsNone(logprobs.token_logprobs[0])
        self.assertTrue(all(value <= 0 for value in logprobs.token_logprobs[1:]))
        self.assertEqual(0, logprobs.text_offset[0])

    def test_logit_bias(self):
        answer = self.complete(logit_bias={"260": 100}, max_tokens=3, extra_body={"return_token_ids": True})
        self.assertEqual([260, 260, 260], answer.choices[0].token_ids)


class Embeddings(unittest.TestCase):
    def test_base64_is_the_clients_default_and_equals_floats(self):
        texts = ["a cat", "a dog"]
        packed = client.embeddings.create(model=model, input=texts)  # asks for base64 and unpacks it
        plain = client.embeddings.create(model=model, input=texts, encoding_format="float")
        for one, other in zip(packed.data, plain.data):
            self.assertEqual(len(one.embedding), len(other.embedding))
            for a, b in zip(one.embedding, other.embedding):
                self.assertAlmostEqual(a, b, places=6)
        raw = json.loads(client.embeddings.with_raw_response.create(model=model, input="a cat",
                                                                    encoding_format="base64").text)
        data = base64.b64decode(raw["data"][0]["embedding"])
        self.assertAlmostEqual(plain.data[0].embedding[0], struct.unpack("<f", data[:4])[0], places=6)
        self.assertGreater(plain.usage.prompt_tokens, 0)

    def test_a_list_of_ids_is_one_input(self):
        self.assertEqual(1, len(client.embeddings.create(model=model, input=[1, 2, 3]).data))
        self.assertEqual(2, len(client.embeddings.create(model=model, input=[[1, 2], [3]]).data))


class Responses(unittest.TestCase):
    def test_an_answer_and_its_stream(self):
        fields = {"model": model, "input": "What is 2+2?", "max_output_tokens": 24, "temperature": 0}
        answer = client.responses.create(**fields)
        self.assertIn("4", answer.output_text)
        text, kinds = "", []
        for event in client.responses.create(**fields, stream=True):
            kinds.append(event.type)
            if event.type == "response.output_text.delta":
                text += event.delta
        self.assertEqual(answer.output_text, text)
        self.assertEqual("response.created", kinds[0])
        self.assertIn(kinds[-1], ("response.completed", "response.incomplete"))

    def test_logprobs(self):
        fields = {"model": model, "input": "What is 2+2?", "max_output_tokens": 6, "temperature": 0,
                  "include": ["message.output_text.logprobs"], "top_logprobs": 3}
        answer = client.responses.create(**fields)
        tokens = answer.output[0].content[0].logprobs
        self.assertEqual(answer.output_text, b"".join(bytes(token.bytes) for token in tokens).decode())
        self.assertEqual([3] * 6, [len(token.top_logprobs) for token in tokens])
        streamed = [token.logprob for event in client.responses.create(**fields, stream=True)
                    if event.type == "response.output_text.delta" for token in event.logprobs]
        self.assertEqual([token.logprob for token in tokens], streamed)
        with self.assertRaises(openai.BadRequestError) as raised:
            client.responses.create(**{**fields, "include": []})
        self.assertEqual("top_logprobs", raised.exception.param)

    def test_parse_into_a_model(self):
        answer = client.responses.parse(model=model, input="Make up a person.", text_format=Person,
                                        max_output_tokens=200, temperature=0)
        self.assertIsInstance(answer.output_parsed, Person)

    def test_a_forced_tool(self):
        tool = {"type": "function", **WEATHER["function"]}
        answer = client.responses.create(model=model, input="Weather in Paris?", tools=[tool], tool_choice="required",
                                         parallel_tool_calls=False, max_output_tokens=120)
        (call,) = [item for item in answer.output if item.type == "function_call"]
        self.assertEqual("get_weather", call.name)
        self.assertEqual({"city", "unit"}, set(json.loads(call.arguments)))

    def test_dumped_items_are_taken_back(self):
        tool = {"type": "function", **WEATHER["function"]}
        first = client.responses.create(model=model, input="Weather in Paris?", tools=[tool], tool_choice="required",
                                        parallel_tool_calls=False, max_output_tokens=120)
        (call,) = [item for item in first.output if item.type == "function_call"]
        result = {"type": "function_call_output", "call_id": call.call_id, "output": "Sunny"}
        question = {"role": "user", "content": "Weather in Paris?"}
        for said in ([item.model_dump() for item in first.output], first.output):
            second = client.responses.create(model=model, input=[question, *said, result], tools=[tool],
                                             max_output_tokens=16)
            self.assertTrue(second.output)


class Errors(unittest.TestCase):
    @shows("errors", "its exceptions by type, with `param`")
    def test_by_type(self):
        create = client.chat.completions.create
        for fields, kind, param in (
                ({"temperature": -1}, openai.BadRequestError, "temperature"),
                ({"max_tokens": "many"}, openai.BadRequestError, "max_tokens"),
                ({"messages": "hi"}, openai.BadRequestError, "messages"),
                ({"n": 0}, openai.BadRequestError, "n"),
                ({"model": "no-such-model"}, openai.NotFoundError, "model")):
            with self.subTest(fields=fields), self.assertRaises(kind) as raised:
                create(**{"model": model, "messages": ASK, **fields})
            self.assertEqual("invalid_request_error", raised.exception.type)
            self.assertTrue(str(raised.exception.param).startswith(param), raised.exception.param)

    def test_keys(self):
        for key in ("third", "fir"):
            with self.assertRaises(openai.AuthenticationError):
                client.with_options(api_key=key).models.list()
        self.assertTrue(client.with_options(api_key="first").models.list().data)

    def test_a_model_that_is_there_and_one_that_is_not(self):
        self.assertEqual(model, client.models.retrieve(model).id)
        with self.assertRaises(openai.NotFoundError):
            client.models.retrieve("no-such-model")

    def test_a_prompt_beyond_the_context(self):
        with self.assertRaises(openai.BadRequestError):
            client.completions.create(model=model, prompt=[5] * 100000)

    def test_time_outs_reach_the_caller(self):
        with self.assertRaises(openai.APITimeoutError):
            client.with_options(timeout=0.2).completions.create(model=model, prompt="x", max_tokens=4000,
                                                                extra_body={"ignore_eos": True})


class Load(unittest.TestCase):
    @shows("cancelled", "chat completions and responses, closed")
    def test_closed_streams(self):
        ask = {"model": model, "stream": True, "extra_body": {"ignore_eos": True}}
        for make in (lambda: client.chat.completions.create(messages=ASK, max_tokens=4000, **ask),
                     lambda: client.responses.create(input="Hello", max_output_tokens=4000, **ask)):
            stream = make()
            next(iter(stream))
            stream.close()
            self.assertTrue(runs_nothing(server))

    @shows("cancelled", "a task cancelled")
    def test_a_cancelled_task(self):
        asynchronous = openai.AsyncOpenAI(base_url=f"{server.url}/v1", api_key="second", max_retries=0)
        self.assertTrue(cancelled_task_frees(server, lambda: asynchronous.chat.completions.create(
            model=model, messages=ASK, stream=True, **LONG)))

    def test_a_cancelled_stream_frees_its_place(self):
        stream = client.completions.create(model=model, prompt="x", max_tokens=4000, stream=True,
                                           extra_body={"ignore_eos": True})
        next(iter(stream))
        stream.close()
        deadline = time.monotonic() + 5
        while (running := self.running()) > 0 and time.monotonic() < deadline:
            time.sleep(0.05)
        self.assertEqual(0, running)

    def running(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics") as answer:  # asks for no key
            lines = answer.read().decode().splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith("caravel:num_requests_running"))

    def test_what_finds_no_place_is_tried_again(self):
        # One place to run and one to wait: with four at once some are answered 429, and the client tries those again.
        with Server("--max-num-seqs", "1", "--max-waiting-requests", "1") as small:
            patient = openai.OpenAI(base_url=f"http://127.0.0.1:{small.port}/v1", api_key="none", max_retries=200)
            done = []

            def ask():
                answer = patient.completions.create(model=model, prompt="x", max_tokens=200,
                                                    extra_body={"ignore_eos": True})
                done.append(answer.usage.completion_tokens)
            threads = [threading.Thread(target=ask) for _ in range(4)]
            hasty = []
            for thread in threads:
                thread.start()
            while not hasty and any(thread.is_alive() for thread in threads):
                with contextlib.suppress(openai.RateLimitError):
                    patient.with_options(max_retries=0).completions.create(model=model, prompt="x", max_tokens=1)
                    continue
                hasty.append(1)
            for thread in threads:
                thread.join()
            self.assertEqual([200] * 4, done)
            self.assertTrue(hasty, "nothing was ever answered 429")


if __name__ == "__main__":
    main()
