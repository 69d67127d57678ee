"""pydantic-ai against `caravel serve`, through its models for chat completions, responses and Anthropic's messages."""

import asyncio
import unittest

from anthropic import AsyncAnthropic
from pydantic_ai import Agent, ModelHTTPError, NativeOutput, ToolOutput
from pydantic_ai.models.anthropic import AnthropicModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.anthropic import AnthropicProvider
from pydantic_ai.providers.openai import OpenAIProvider

import agent_model
from rich_types import ORDER, Order, TRIP, Trip, check_order, check_trip
from shown import cancelled_task_frees, KEY, main, runs_nothing, Servers, shows, Weather

servers = Servers()
setUpModule, tearDownModule = servers.start, servers.stop
ASK = "What is the weather in Paris and in Rome?"


def chat(server, name=None, key=KEY):
    return OpenAIChatModel(name or server.model, provider=OpenAIProvider(base_url=f"{server.url}/v1", api_key=key))


def responses(server):
    return OpenAIResponsesModel(server.model, provider=OpenAIProvider(base_url=f"{server.url}/v1", api_key=KEY))


def messages(server):
    client = AsyncAnthropic(base_url=server.url, api_key=KEY, max_retries=0)
    # By itself it asks only models named claude-... for schemas.
    return AnthropicModel(server.model, provider=AnthropicProvider(anthropic_client=client),
                          profile={"supports_json_schema_output": True})


class Tools(unittest.TestCase):
    def converse(self, model, run):
        weather = Weather()
        agent = Agent(model, instructions="You know the weather.", tools=[weather.get_weather])
        self.assertEqual(agent_model.ANSWER, run(agent))
        self.assertEqual(sorted(map(str, agent_model.CALLS)), sorted(map(str, weather.asked)))

    def both(self, make):
        self.converse(make(servers.agent), lambda agent: agent.run_sync(ASK).output)

        async def streamed(agent):
            async with agent.run_stream(ASK) as result:
                return [text async for text in result.stream_text(debounce_by=None)][-1]
        self.converse(make(servers.agent), lambda agent: asyncio.run(streamed(agent)))

    @shows("tools", "`OpenAIChatModel`, whole and streamed")
    def test_chat(self):
        self.both(chat)

    @shows("tools", "`OpenAIResponsesModel`, whole and streamed")
    def test_responses(self):
        self.both(responses)

    @shows("tools", "`AnthropicModel`, whole and streamed")
    def test_messages(self):
        self.both(messages)

    @shows("tools", "a third turn on the history of the first two")
    def test_a_history(self):
        for make in (chat, responses, messages):
            with self.subTest(make=make.__name__):
                agent = Agent(make(servers.agent), tools=[Weather().get_weather])
                first = agent.run_sync(ASK)
                again = agent.run_sync("And now?", message_history=first.all_messages())
                self.assertEqual(agent_model.ANSWER, again.output)


class Structured(unittest.TestCase):
    def answer(self, output, ask, make=chat):
        agent = Agent(make(servers.real), output_type=output, retries=0)
        return agent.run_sync(ask, model_settings={"temperature": 0, "max_tokens": 700}).output

    @shows("structured", "`ToolOutput`")
    def test_by_a_forced_call(self):
        check_trip(self, self.answer(ToolOutput(Trip), TRIP))
        check_order(self, self.answer(ToolOutput(Order), ORDER))

    @shows("structured", "`NativeOutput`")
    def test_by_schema(self):
        check_trip(self, self.answer(NativeOutput(Trip), TRIP))
        check_order(self, self.answer(NativeOutput(Order), ORDER))

    @shows("structured", "`NativeOutput` through responses and messages")
    def test_by_schema_elsewhere(self):
        check_trip(self, self.answer(NativeOutput(Trip), TRIP, responses))
        # AnthropicModel itself refuses recursive schemas.
        check_order(self, self.answer(NativeOutput(Order), ORDER, messages))

    @shows("structured", "a union of models")
    def test_a_union(self):
        self.assertIsInstance(self.answer([Trip, Order], TRIP), (Trip, Order))


class Cancelled(unittest.TestCase):
    def settings(self):
        return {"max_tokens": 4000, "extra_body": {"ignore_eos": True}}

    @shows("cancelled", "by `cancel()`")
    def test_by_cancel(self):
        async def run():
            async with Agent(chat(servers.real)).run_stream("Hello", model_settings=self.settings()) as result:
                async for _ in result.stream_text(debounce_by=None):
                    await result.cancel()
                    break
                return await asyncio.to_thread(runs_nothing, servers.real)
        self.assertTrue(asyncio.run(run()))

    async def pieces(self):
        async with Agent(chat(servers.real)).run_stream("Hello", model_settings=self.settings()) as result:
            async for text in result.stream_text(debounce_by=None):
                yield text

    @shows("cancelled", "its task cancelled")
    def test_a_cancelled_task(self):
        self.assertTrue(cancelled_task_frees(servers.real, self.pieces))


class Errors(unittest.TestCase):
    @shows("errors", "`ModelHTTPError` with status and body")
    def test_by_status(self):
        for model, settings, status, says in (
                (chat(servers.real), {"top_p": 3.0}, 400, "top_p"),
                (chat(servers.real, name="nobody"), {}, 404, "nobody"),
                (chat(servers.real, key="other"), {}, 401, "key"),
                (messages(servers.real), {"top_p": 3.0}, 400, "top_p")):
            with self.subTest(says=says), self.assertRaises(ModelHTTPError) as raised:
                Agent(model).run_sync("Hello", model_settings=settings)
            self.assertEqual(status, raised.exception.status_code)
            self.assertIn(says, str(raised.exception))


if __name__ == "__main__":
    main()
