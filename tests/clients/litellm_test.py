"""litellm against `caravel serve`: as an OpenAI server, as vLLM, and through its form of Anthropic's messages."""

import json
import os
import unittest

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else importing it asks the network for prices

import litellm  # noqa: E402

import agent_model  # noqa: E402
from rich_types import ORDER, Order, TRIP, Trip, check_order, check_trip  # noqa: E402
from shown import cancelled_task_frees, KEY, LONG, main, runs_nothing, Servers, shows, Weather  # noqa: E402

servers = Servers()
setUpModule, tearDownModule = servers.start, servers.stop
litellm.suppress_debug_info = True

TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": Weather.SCHEMA}}
ASK = [{"role": "user", "content": "What is the weather in Paris and in Rome?"}]


def at(server, provider="openai"):
    return {"model": f"{provider}/{server.model}", "api_base": f"{server.url}/v1", "api_key": KEY, "max_retries": 0}


class Tools(unittest.TestCase):
    def converse(self, first, provider="openai"):
        weather, messages = Weather(), [*ASK, first]
        self.assertEqual(2, len({call.id for call in first.tool_calls}))
        for call in first.tool_calls:
            said = weather.get_weather(**json.loads(call.function.arguments))
            messages.append({"role": "tool", "tool_call_id": call.id, "name": call.function.name, "content": said})
        self.assertEqual(agent_model.CALLS, weather.asked)
        answer = litellm.completion(**at(servers.agent, provider), messages=messages, tools=[TOOL])
        self.assertEqual(agent_model.ANSWER, answer.choices[0].message.content)

    @shows("tools", "chat completions, the message sent back as it came")
    def test_the_message_itself_goes_back(self):
        self.converse(litellm.completion(**at(servers.agent), messages=ASK, tools=[TOOL]).choices[0].message)

    @shows("tools", "as `hosted_vllm`")
    def test_as_a_server_of_vllm(self):
        fields = at(servers.agent, "hosted_vllm")
        self.converse(litellm.completion(**fields, messages=ASK, tools=[TOOL]).choices[0].message, "hosted_vllm")

    @shows("tools", "a stream put together by `stream_chunk_builder`")
    def test_a_stream_is_put_together(self):
        chunks = list(litellm.completion(**at(servers.agent), messages=ASK, tools=[TOOL], stream=True))
        self.converse(litellm.stream_chunk_builder(chunks, messages=ASK).choices[0].message)

    @shows("tools", "forced")
    def test_forced(self):
        answer = litellm.completion(**at(servers.real), messages=ASK, tools=[TOOL], max_tokens=120, temperature=0,
                                    tool_choice={"type": "function", "function": {"name": "get_weather"}})
        (call,) = answer.choices[0].message.tool_calls
        self.assertEqual({"city", "unit"}, set(json.loads(call.function.arguments)))


class Structured(unittest.TestCase):
    def answer(self, ask, kind):
        answer = litellm.completion(**at(servers.real), messages=[{"role": "user", "content": ask}], max_tokens=700,
                                    temperature=0, response_format=kind)
        return kind.model_validate_json(answer.choices[0].message.content)

    @shows("structured", "pydantic models as `response_format`")
    def test_pydantic_models(self):
        check_trip(self, self.answer(TRIP, Trip))

    @shows("structured", "a schema as it is")
    def test_a_schema(self):
        schema = {"type": "json_schema", "json_schema": {"name": "order", "schema": Order.model_json_schema()}}
        answer = litellm.completion(**at(servers.real), messages=[{"role": "user", "content": ORDER}], max_tokens=700,
                                    temperature=0, response_format=schema)
        check_order(self, Order.model_validate_json(answer.choices[0].message.content))


class Cancelled(unittest.TestCase):
    @shows("cancelled", "closed")
    def test_a_closed_stream(self):
        stream = litellm.completion(**at(servers.real), messages=ASK, stream=True, **LONG)
        next(stream)
        stream.close()
        self.assertTrue(runs_nothing(servers.real))

    @shows("cancelled", "its task cancelled")
    def test_a_cancelled_task(self):
        self.assertTrue(cancelled_task_frees(servers.real, lambda: litellm.acompletion(
            **at(servers.real), messages=ASK, stream=True, **LONG)))


class Errors(unittest.TestCase):
    @shows("errors", "`BadRequestError`", "`NotFoundError`", "`AuthenticationError`", "`ContextWindowExceededError`")
    def test_by_type(self):
        for fields, kind, says in (({"temperature": -1}, litellm.BadRequestError, "temperature"),
                                   ({"model": "openai/nobody"}, litellm.NotFoundError, "nobody"),
                                   ({"api_key": "other"}, litellm.AuthenticationError, "key"),
                                   ({"messages": [{"role": "user", "content": "word " * 20000}]},
                                    litellm.ContextWindowExceededError, "")):
            with self.subTest(fields=str(fields)[:60]), self.assertRaises(kind) as raised:
                litellm.completion(**{**at(servers.real), "messages": ASK, **fields})
            self.assertIn(says, str(raised.exception))


if __name__ == "__main__":
    main()
