"""llama-index-llms-openai-like against `caravel serve`."""

import asyncio
import gc
import unittest

import openai
from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.llms import ChatMessage
from llama_index.core.prompts import PromptTemplate
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai_like import OpenAILike

import agent_model
from rich_types import ORDER, Order, TRIP, Trip, check_order, check_trip
from shown import cancelled_task_frees, KEY, main, runs_nothing, Servers, shows, Weather

servers = Servers()
setUpModule, tearDownModule = servers.start, servers.stop
PARALLEL = {"allow_parallel_tool_calls": True}
HELLO = ChatMessage(role="user", content="Hello")
ASK = "What is the weather in Paris and in Rome?"


def model(server, **more):
    return OpenAILike(**{"model": server.model, "api_base": f"{server.url}/v1", "api_key": KEY, "max_retries": 0,
                         "is_chat_model": True, "is_function_calling_model": True, "temperature": 0,
                         "context_window": 8192, **more})


def weather_tool():
    weather = Weather()
    return weather, FunctionTool.from_defaults(weather.get_weather, name="get_weather")


class Tools(unittest.TestCase):
    def converse(self, read):
        weather, tool = weather_tool()
        llm = model(servers.agent)
        first = read(llm, [tool], [ChatMessage(role="user", content=ASK)])
        messages = [ChatMessage(role="user", content=ASK), first.message]
        for call in llm.get_tool_calls_from_response(first):
            result = tool(**call.tool_kwargs)
            messages.append(ChatMessage(role="tool", content=str(result),
                                        additional_kwargs={"tool_call_id": call.tool_id}))
        self.assertEqual(agent_model.CALLS, weather.asked)
        self.assertEqual(agent_model.ANSWER, read(llm, [tool], messages).message.content)

    @shows("tools", "`chat_with_tools`")
    def test_whole(self):
        self.converse(lambda llm, tools, messages: llm.chat_with_tools(tools, chat_history=messages, **PARALLEL))

    @shows("tools", "`stream_chat_with_tools`")
    def test_streamed(self):
        self.converse(lambda llm, tools, messages: list(
            llm.stream_chat_with_tools(tools, chat_history=messages, **PARALLEL))[-1])

    @shows("tools", "`FunctionAgent`")
    def test_an_agent(self):
        weather, tool = weather_tool()

        async def run():
            return await FunctionAgent(tools=[tool], llm=model(servers.agent), allow_parallel_tool_calls=True).run(ASK)
        self.assertEqual(agent_model.ANSWER, str(asyncio.run(run())))
        self.assertEqual(sorted(map(str, agent_model.CALLS)), sorted(map(str, weather.asked)))


class Structured(unittest.TestCase):
    @shows("structured", "`structured_predict` by a forced call")
    def test_by_a_call(self):
        llm = model(servers.real, max_tokens=700)
        check_trip(self, llm.structured_predict(Trip, PromptTemplate(TRIP)))
        check_order(self, llm.structured_predict(Order, PromptTemplate(ORDER)))

    @shows("structured", "by `should_use_structured_outputs`")
    def test_by_schema(self):
        llm = model(servers.real, max_tokens=700, should_use_structured_outputs=True)
        check_trip(self, llm.structured_predict(Trip, PromptTemplate(TRIP)))

    @shows("structured", "`as_structured_llm`")
    def test_a_structured_llm(self):
        llm = model(servers.real, max_tokens=700).as_structured_llm(Trip)
        check_trip(self, llm.complete(TRIP).raw)


class Cancelled(unittest.TestCase):
    def long(self):
        return model(servers.real, max_tokens=4000, additional_kwargs={"extra_body": {"ignore_eos": True}})

    @shows("cancelled", "closed, when the garbage is collected")
    def test_a_closed_stream(self):
        stream = self.long().stream_chat([HELLO])
        next(stream)
        stream.close()
        del stream
        gc.collect()  # the package leaves the connection in a cycle of references
        self.assertTrue(runs_nothing(servers.real))

    @shows("cancelled", "its task cancelled")
    def test_a_cancelled_task(self):
        self.assertTrue(cancelled_task_frees(servers.real, lambda: self.long().astream_chat([HELLO])))


class Errors(unittest.TestCase):
    @shows("errors", "`openai`'s exceptions by type")
    def test_by_type(self):
        for fields, kind, says in (({"additional_kwargs": {"top_p": 3}}, openai.BadRequestError, "top_p"),
                                   ({"model": "nobody"}, openai.NotFoundError, "nobody"),
                                   ({"api_key": "other"}, openai.AuthenticationError, "key")):
            with self.subTest(fields=fields), self.assertRaises(kind) as raised:
                model(servers.real, **fields).chat([HELLO])
            self.assertIn(says, str(raised.exception))


if __name__ == "__main__":
    main()
