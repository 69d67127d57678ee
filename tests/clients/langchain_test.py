"""langchain-openai against `caravel serve`: chat completions and responses."""

import unittest

import openai
from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI

import agent_model
from rich_types import ORDER, Order, TRIP, Trip, check_order, check_trip
from shown import cancelled_task_frees, KEY, main, runs_nothing, Servers, shows, Weather

servers = Servers()
setUpModule, tearDownModule = servers.start, servers.stop
ASK = [SystemMessage("You know the weather."), HumanMessage("What is the weather in Paris and in Rome?")]


def chat(server, **more):
    return ChatOpenAI(**{"model": server.model, "base_url": f"{server.url}/v1", "api_key": KEY, "max_retries": 0,
                         "temperature": 0, **more})


def weather_tool():
    weather = Weather()

    @tool
    def get_weather(city: str, unit: str) -> str:
        """The weather of a city."""
        return weather.get_weather(city, unit)
    return weather, get_weather


class Tools(unittest.TestCase):
    def converse(self, llm, read):
        weather, function = weather_tool()
        bound = llm.bind_tools([function])
        first = read(bound, ASK)
        messages = [*ASK, first, *(function.invoke(call) for call in first.tool_calls)]
        self.assertEqual(agent_model.CALLS, weather.asked)
        self.assertTrue(all(isinstance(message, ToolMessage) for message in messages[-2:]))
        self.assertEqual(agent_model.ANSWER, read(bound, messages).text)

    @staticmethod
    def streamed(bound, messages):
        whole = None
        for chunk in bound.stream(messages):
            whole = chunk if whole is None else whole + chunk
        return whole

    @shows("tools", "`bind_tools`, whole and streamed")
    def test_chat_completions(self):
        self.converse(chat(servers.agent), lambda bound, messages: bound.invoke(messages))
        self.converse(chat(servers.agent, stream_usage=True), self.streamed)

    @shows("tools", "the same with `use_responses_api`")
    def test_responses(self):
        llm = chat(servers.agent, use_responses_api=True)
        self.converse(llm, lambda bound, messages: bound.invoke(messages))
        self.converse(llm, self.streamed)

    @shows("tools", "a call forced by name, and by `any`")
    def test_forced(self):
        _, function = weather_tool()
        for choice in ("get_weather", "any"):
            # The default model might go on for long within a text: the function's schema has no maxLength.
            (call,) = chat(servers.agent).bind_tools([function], tool_choice=choice,
                                                     parallel_tool_calls=False).invoke(ASK).tool_calls
            self.assertEqual(("get_weather", agent_model.CALLS[0][1]), (call["name"], call["args"]))


class Structured(unittest.TestCase):
    def answer(self, kind, ask, **more):
        return chat(servers.real, max_tokens=700).with_structured_output(kind, **more).invoke(ask)

    @shows("structured", "pydantic models by `json_schema`")
    def test_by_schema(self):
        check_trip(self, self.answer(Trip, TRIP, method="json_schema"))

    @shows("structured", "by `function_calling`")
    def test_by_function_calling(self):
        check_trip(self, self.answer(Trip, TRIP, method="function_calling"))
        check_order(self, self.answer(Order, ORDER, method="function_calling"))

    @shows("structured", "in a stream")
    def test_streamed(self):
        parts = list(chat(servers.real, max_tokens=700).with_structured_output(Trip).stream(TRIP))
        check_trip(self, parts[-1])


class Cancelled(unittest.TestCase):
    def long(self):
        return chat(servers.real, max_tokens=4000, extra_body={"ignore_eos": True})

    @shows("cancelled", "closed")
    def test_a_closed_stream(self):
        stream = self.long().stream("Hello")
        next(stream)
        stream.close()
        self.assertTrue(runs_nothing(servers.real))

    @shows("cancelled", "its task cancelled")
    def test_a_cancelled_task(self):
        self.assertTrue(cancelled_task_frees(servers.real, lambda: self.long().astream("Hello")))


class Errors(unittest.TestCase):
    @shows("errors", "`openai`'s exceptions by type")
    def test_by_type(self):
        for fields, kind, says in (({"top_p": 3.0}, openai.BadRequestError, "top_p"),
                                   ({"model": "nobody"}, openai.NotFoundError, "nobody"),
                                   ({"api_key": "other"}, openai.AuthenticationError, "key")):
            with self.subTest(fields=fields), self.assertRaises(kind) as raised:
                chat(servers.real, **fields).invoke("Hello")
            self.assertIn(says, str(raised.exception))


if __name__ == "__main__":
    main()
