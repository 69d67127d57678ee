"""instructor against `caravel serve`: over openai's client and anthropic's, in the modes that fit such a server."""

import json
import typing
import unittest

import anthropic
import instructor
import openai
from instructor.core.exceptions import InstructorRetryException
from pydantic import BaseModel, Field

import agent_model
from rich_types import ORDER, Order, STOP, Stop, TRIP, Trip, check_order, check_trip
from shown import cancelled_task_frees, KEY, main, Servers, shows, Weather

servers = Servers()
setUpModule, tearDownModule = servers.start, servers.stop
ASK = [{"role": "user", "content": "What is the weather in Paris and in Rome?"}]


class get_weather(BaseModel):  # instructor names the function after the class
    """The weather of a city."""

    city: typing.Annotated[str, Field(max_length=20)]
    unit: typing.Literal["celsius", "fahrenheit"]


class Noted(BaseModel):
    note: typing.Annotated[str, Field(max_length=3000)]


def over_openai(server, mode=instructor.Mode.TOOLS, kind=openai.OpenAI, **more):
    client = kind(**{"base_url": f"{server.url}/v1", "api_key": KEY, "max_retries": 0, **more})
    return instructor.from_openai(client, mode=mode, model=server.model)


def over_anthropic(server, mode=instructor.Mode.ANTHROPIC_TOOLS):
    client = anthropic.Anthropic(base_url=server.url, api_key=KEY, max_retries=0)
    return instructor.from_anthropic(client, mode=mode, model=server.model)


class Tools(unittest.TestCase):
    def finish(self, call, raw):
        """The second turn, by the client beneath: instructor itself ends with the typed call."""
        self.assertIsInstance(call, get_weather)
        self.assertEqual(agent_model.CALLS[0][1], call.model_dump())
        weather, messages = Weather(), [*ASK, raw]
        for made in raw.tool_calls:
            said = weather.get_weather(**json.loads(made.function.arguments))
            messages.append({"role": "tool", "tool_call_id": made.id, "content": said})
        tool = {"type": "function", "function": {"name": "get_weather", "parameters": Weather.SCHEMA}}
        answer = over_openai(servers.agent).client.chat.completions.create(model=servers.agent.model, messages=messages,
                                                                           tools=[tool])
        self.assertEqual(agent_model.ANSWER, answer.choices[0].message.content)

    @shows("tools", "a call as `response_model`, its result sent back")
    def test_a_typed_call(self):
        call, completion = over_openai(servers.agent).create_with_completion(
            messages=ASK, response_model=get_weather, parallel_tool_calls=False)
        self.finish(call, completion.choices[0].message)

    @shows("tools", "several by `PARALLEL_TOOLS`")
    def test_several_calls(self):
        client = over_openai(servers.agent, instructor.Mode.PARALLEL_TOOLS)
        calls = list(client.create(messages=ASK, response_model=typing.Iterable[get_weather]))
        self.assertEqual([call for _, call in agent_model.CALLS], [call.model_dump() for call in calls])


class Structured(unittest.TestCase):
    fields = {"temperature": 0, "max_tokens": 700, "max_retries": 0}

    def both(self, client, more):
        check_trip(self, client.create(messages=[{"role": "user", "content": TRIP}], response_model=Trip, **more))
        check_order(self, client.create(messages=[{"role": "user", "content": ORDER}], response_model=Order, **more))

    @shows("structured", "`TOOLS`")
    def test_by_tools(self):
        self.both(over_openai(servers.real), self.fields)

    @shows("structured", "`JSON_SCHEMA`")
    def test_by_schema(self):
        self.both(over_openai(servers.real, instructor.Mode.JSON_SCHEMA), self.fields)

    @shows("structured", "`TOOLS` over `anthropic`")
    def test_by_tools_of_anthropic(self):
        self.both(over_anthropic(servers.real), {"max_tokens": 700, "max_retries": 0, "extra_body": {"temperature": 0}})

    @shows("structured", "`create_partial`")
    def test_in_parts(self):
        # Of a type of texts alone: instructor reads parts strictly (a list is no tuple), and what it makes of a
        # discriminator, pydantic refuses.
        parts = list(over_openai(servers.real).create_partial(messages=[{"role": "user", "content": STOP}],
                                                              response_model=Stop, **self.fields))
        self.assertGreater(len(parts), 3)
        self.assertIsInstance(Stop.model_validate(parts[-1].model_dump()), Stop)


class Cancelled(unittest.TestCase):
    fields = {"messages": [{"role": "user", "content": "Write a long note."}], "response_model": Noted,
              "max_tokens": 4000, "max_retries": 0, "extra_body": {"min_tokens": 3000}}

    # Of the asynchronous client: the other one reads a stream to its end before it gives out the first part.
    @shows("cancelled", "partial answers, its task cancelled")
    def test_a_cancelled_task(self):
        client = over_openai(servers.real, kind=openai.AsyncOpenAI)
        self.assertTrue(cancelled_task_frees(servers.real, lambda: client.create_partial(**self.fields)))


class Errors(unittest.TestCase):
    @shows("errors", "`InstructorRetryException` with the server's reason")
    def test_by_reason(self):
        for client, fields, says in ((over_openai(servers.real), {"top_p": 3}, "top_p"),
                                     (over_openai(servers.real), {"model": "nobody"}, "nobody"),
                                     (over_openai(servers.real, api_key="other"), {}, "key"),
                                     (over_anthropic(servers.real), {"max_tokens": 9, "extra_body": {"top_p": 3}}, "top_p: ")):
            with self.subTest(says=says), self.assertRaises(InstructorRetryException) as raised:
                client.create(messages=ASK, response_model=get_weather, max_retries=0, **fields)
            self.assertIn(says, str(raised.exception))


if __name__ == "__main__":
    main()
