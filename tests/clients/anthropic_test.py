"""The official anthropic package against /v1/messages of `caravel serve`."""

import pathlib
import sys
import unittest

import anthropic

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))

from serving import Server  # noqa: E402
from with_server import FLAGS  # noqa: E402

WEATHER = {"name": "get_weather", "description": "The weather of a city",
           "input_schema": {"type": "object", "properties": {"city": {"type": "string", "maxLength": 20}},
                            "required": ["city"], "additionalProperties": False}}


def setUpModule():
    global server, client, model
    server = Server(*FLAGS, "--api-key", "key")
    client = anthropic.Anthropic(base_url=f"http://127.0.0.1:{server.port}", api_key="key", max_retries=0, timeout=120)
    model = client.models.list().data[0].id if hasattr(client, "models") else "default"


def tearDownModule():
    code, log = server.stop(), server.text()
    server.__exit__()
    assert code == 0, f"the server ended with {code}:\n{log[-3000:]}"


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

    def test_tokens_are_counted_as_an_answer_counts_them(self):
        said = {key: value for key, value in fields(system="You are terse.", tools=[WEATHER]).items()
                if key not in ("max_tokens", "extra_body")}
        count = client.messages.count_tokens(**said).input_tokens
        usage = client.messages.create(**fields(**said)).usage
        self.assertEqual(usage.input_tokens + usage.cache_read_input_tokens, count)

    def test_errors_by_type(self):
        with self.assertRaises(anthropic.BadRequestError) as raised:
            client.messages.create(**fields(temperature=-3))
        self.assertEqual("invalid_request_error", raised.exception.body["error"]["type"])
        with self.assertRaises(anthropic.AuthenticationError):
            client.with_options(api_key="other").messages.create(**fields())
        with self.assertRaises(anthropic.NotFoundError):
            client.messages.create(**fields(model="no-such-model"))


if __name__ == "__main__":
    unittest.main()
