"""The official anthropic package against /v1/messages of `caravel serve`."""

import json
import unittest

import anthropic

import agent_model
from rich_types import ORDER, Order, TRIP, Trip, check_order, check_trip
from shown import cancelled_task_frees, KEY, main, runs_nothing, Servers, shows, Weather

WEATHER = {"name": "get_weather", "description": "The weather of a city",
           "input_schema": {"type": "object", "properties": {"city": {"type": "string", "maxLength": 20}},
                            "required": ["city"], "additionalProperties": False}}


servers = Servers()
tearDownModule = servers.stop


def client_of(server, kind=anthropic.Anthropic, **more):
    return kind(**{"base_url": server.url, "api_key": KEY, "max_retries": 0, "timeout": 120, **more})


def setUpModule():
    global client, model
    servers.start()
    client, model = client_of(servers.real), servers.real.model


def fields(temperature=0, **more):
    return {"model": model, "max_tokens": 24, "extra_body": {"temperature": temperature},
            "messages": [{"role": "user", "content": "What is 2+2?"}], **more}


class Messages(unittest.TestCase):
    def test_an_answer(self):
        answer = client.messages.create(**fields())
        self.assertEqual(("message", "assistant"), (answer.type, answer.role))
        self.assertIn("4", answer.content[0].text)
        self.assertIn(answer.stop_reason, ("end_turn", "max_tokens"))
        self.assertGreater(answer.usage.input_tokens, 0)
        self.assertGreater(answer.usage.output_tokens, 0)

    def test_a_streamed_answer_joined_is_the_unstreamed_one(self):
        answer = client.messages.create(**fields())
        with client.messages.stream(**fields()) as stream:
            text = "".join(stream.text_stream)
            final = stream.get_final_message()
        self.assertEqual(answer.content[0].text, text)
        self.assertEqual((answer.stop_reason, answer.usage.output_tokens), (final.stop_reason, final.usage.output_tokens))

    def test_system_stop_and_parts(self):
        whole = client.messages.create(**fields(system="You are terse.")).content[0].text
        word = whole.split()[1]
        cut = client.messages.create(**fields(
            system=[{"type": "text", "text": "You are terse."}], stop_sequences=[word],
            messages=[{"role": "user", "content": [{"type": "text", "text": "What is 2+2?"}]}]))
        self.assertEqual(("stop_sequence", word), (cut.stop_reason, cut.stop_sequence))

    def test_forced_tools_whole_and_streamed(self):
        forced = fields(tools=[WEATHER], max_tokens=100,
                        tool_choice={"type": "tool", "name": "get_weather", "disable_parallel_tool_use": True})
        answer = client.messages.create(**forced)
        (use,) = [block for block in answer.content if block.type == "tool_use"]
        self.assertEqual(("tool_use", "get_weather", {"city"}), (answer.stop_reason, use.name, set(use.input)))
        with client.messages.stream(**forced) as stream:
            for _ in stream:
                pass
            final = stream.get_final_message()
        self.assertEqual([use.input], [block.input for block in final.content if block.type == "tool_use"])

    def test_results_of_tools_are_taken(self):
        answer = client.messages.create(**fields(messages=[
            {"role": "user", "content": "Weather in Paris?"},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "get_weather",
                                               "input": {"city": "Paris"}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "Sunny"}]}],
            tools=[WEATHER]))
        self.assertTrue(answer.content)

    def test_dumped_blocks_are_taken_back(self):
        said = fields(tools=[WEATHER], max_tokens=100)
        first = client.messages.create(**said, tool_choice={"type": "any", "disable_parallel_tool_use": True})
        (use,) = [block for block in first.content if block.type == "tool_use"]
        result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": use.id, "content": "Sunny"}]}
        for content in ([block.model_dump() for block in first.content], first.content):
            messages = [*said["messages"], {"role": "assistant", "content": content}, result]
            self.assertTrue(client.messages.create(**{**said, "messages": messages}).content)

    def test_the_form_of_an_answer(self):
        schema = {"type": "object", "properties": {"sum": {"enum": [3, 4, 5]}}, "required": ["sum"],
                  "additionalProperties": False}
        answer = client.messages.create(**fields(output_config={
            "effort": "low", "format": {"type": "json_schema", "schema": schema}}))
        self.assertIn(json.loads(answer.content[0].text)["sum"], (3, 4, 5))

    def test_what_agents_send_along(self):
        answer = client.beta.messages.create(**fields(
            betas=["context-management-2025-06-27"], context_management={"edits": [{"type": "clear_tool_uses_20250919"}]},
            metadata={"user_id": "u"}, service_tier="auto", thinking={"type": "disabled"},
            system=[{"type": "text", "text": "You are terse.", "cache_control": {"type": "ephemeral"}}],
            tools=[{**WEATHER, "eager_input_streaming": True, "defer_loading": False, "strict": True}]))
        self.assertTrue(answer.content)

    def test_tokens_are_counted_as_an_answer_counts_them(self):
        said = {key: value for key, value in fields(system="You are terse.", tools=[WEATHER]).items()
                if key not in ("max_tokens", "extra_body")}
        count = client.messages.count_tokens(**said).input_tokens
        usage = client.messages.create(**fields(**said)).usage
        self.assertEqual(usage.input_tokens + usage.cache_read_input_tokens, count)

    @shows("errors", "its exceptions by type")
    def test_errors_by_type(self):
        with self.assertRaises(anthropic.BadRequestError) as raised:
            client.messages.create(**fields(temperature=-3))
        self.assertEqual("invalid_request_error", raised.exception.body["error"]["type"])
        with self.assertRaises(anthropic.AuthenticationError):
            client.with_options(api_key="other").messages.create(**fields())
        with self.assertRaises(anthropic.NotFoundError):
            client.messages.create(**fields(model="no-such-model"))


class Agent(unittest.TestCase):
    """Whole conversations with a model that calls by itself: what it answered goes back as the package gives it."""

    ask = {"role": "user", "content": "What is the weather in Paris and in Rome?"}
    tool = {"name": "get_weather", "input_schema": Weather.SCHEMA}

    def finish(self, content, back=None):
        weather, results = Weather(), []
        for block in content:
            if block.type == "tool_use":
                said = weather.get_weather(**block.input)
                results.append({"type": "tool_result", "tool_use_id": block.id,
                                "content": [{"type": "text", "text": said}]})
        self.assertEqual(agent_model.CALLS, weather.asked)
        messages = [self.ask, {"role": "assistant", "content": back or content}, {"role": "user", "content": results}]
        answer = client_of(servers.agent).messages.create(model=servers.agent.model, max_tokens=200, tools=[self.tool],
                                                          messages=messages)
        self.assertEqual(agent_model.ANSWER, answer.content[0].text)

    @shows("tools", "the content sent back as it came, and its `model_dump()`")
    def test_whole(self):
        answer = client_of(servers.agent).messages.create(model=servers.agent.model, max_tokens=200, tools=[self.tool],
                                                          messages=[self.ask])
        self.finish(answer.content)
        self.finish(answer.content, [block.model_dump() for block in answer.content])

    @shows("tools", "the stream helper's")
    def test_streamed(self):
        with client_of(servers.agent).messages.stream(model=servers.agent.model, max_tokens=200, tools=[self.tool],
                                                      messages=[self.ask]) as stream:
            self.finish(stream.get_final_message().content)

    @shows("tools", "`beta.messages.tool_runner`")
    def test_the_tool_runner(self):
        weather = Weather()

        @anthropic.beta_tool
        def get_weather(city: str, unit: str) -> str:
            """The weather of a city."""
            return weather.get_weather(city, unit)
        runner = client_of(servers.agent).beta.messages.tool_runner(model=servers.agent.model, max_tokens=200,
                                                                    tools=[get_weather], messages=[self.ask])
        self.assertEqual(agent_model.ANSWER, runner.until_done().content[0].text)
        self.assertEqual(agent_model.CALLS, weather.asked)


class Rich(unittest.TestCase):
    @shows("structured", "pydantic models by `messages.parse`")
    def test_parsed(self):
        for ask, kind, check in ((TRIP, Trip, check_trip), (ORDER, Order, check_order)):
            with self.subTest(kind=kind.__name__):
                answer = client.messages.parse(**fields(messages=[{"role": "user", "content": ask}], max_tokens=700),
                                               output_format=kind)
                check(self, answer.parsed_output)

    @shows("structured", "a schema in `output_config`")
    def test_a_schema(self):
        answer = client.messages.create(**fields(messages=[{"role": "user", "content": TRIP}], max_tokens=700),
                                        output_config={"format": {"type": "json_schema",
                                                                  "schema": Trip.model_json_schema()}})
        check_trip(self, Trip.model_validate_json(answer.content[0].text))


class Cancelled(unittest.TestCase):
    long = {"max_tokens": 4000, "messages": [Agent.ask], "extra_body": {"ignore_eos": True}}

    @shows("cancelled", "closed")
    def test_a_closed_stream(self):
        with client.messages.stream(model=model, **self.long) as stream:
            next(iter(stream.text_stream))
        self.assertTrue(runs_nothing(servers.real))

    @shows("cancelled", "its task cancelled")
    def test_a_cancelled_task(self):
        asynchronous = client_of(servers.real, anthropic.AsyncAnthropic)
        self.assertTrue(cancelled_task_frees(
            servers.real, lambda: asynchronous.messages.create(model=model, stream=True, **self.long)))


if __name__ == "__main__":
    main()
