// The official openai package of npm against `caravel serve` (CARAVEL_URL), as its users write it.
import assert from "node:assert/strict";
import test from "node:test";
import OpenAI from "openai";

const client = new OpenAI({ baseURL: `${process.env.CARAVEL_URL}/v1`, apiKey: "none", maxRetries: 0, timeout: 120000 });
const model = (await client.models.list()).data[0].id;
const messages = [{ role: "user", content: "What is 2+2?" }];
const chat = (fields, options) =>
  client.chat.completions.create({ model, messages, max_tokens: 24, temperature: 0, ...fields }, options);
const weather = {
  type: "function",
  function: {
    name: "get_weather",
    parameters: {
      type: "object",
      properties: { city: { type: "string", maxLength: 20 } },
      required: ["city"],
      additionalProperties: false,
    },
  },
};

test("chat, and the same streamed", async () => {
  const whole = (await chat({})).choices[0];
  assert.match(whole.message.content, /4/);
  let text = "";
  let reason = null;
  for await (const chunk of await chat({ stream: true })) {
    text += chunk.choices[0]?.delta?.content ?? "";
    reason = chunk.choices[0]?.finish_reason ?? reason;
  }
  assert.deepEqual([text, reason], [whole.message.content, whole.finish_reason]);
});

test("the stream helper", async () => {
  const stream = client.chat.completions.stream({ model, messages, max_tokens: 24, temperature: 0 });
  const final = await stream.finalChatCompletion();
  assert.equal(final.choices[0].message.content, (await chat({})).choices[0].message.content);
});

test("a forced tool call, whole and streamed", async () => {
  const fields = { tools: [weather], tool_choice: "required", parallel_tool_calls: false, max_tokens: 100 };
  const whole = (await chat(fields)).choices[0];
  assert.equal(whole.finish_reason, "tool_calls");
  assert.deepEqual(Object.keys(JSON.parse(whole.message.tool_calls[0].function.arguments)), ["city"]);
  let text = "";
  for await (const chunk of await chat({ ...fields, stream: true }))
    for (const call of chunk.choices[0]?.delta?.tool_calls ?? []) text += call.function?.arguments ?? "";
  assert.equal(text, whole.message.tool_calls[0].function.arguments);
});

test("structured output", async () => {
  const schema = {
    type: "object",
    properties: { name: { type: "string" }, age: { type: "integer", minimum: 0, maximum: 120 } },
    required: ["name", "age"],
    additionalProperties: false,
  };
  const answer = await client.chat.completions.parse({
    model,
    messages: [{ role: "user", content: "Make up a person, as JSON." }],
    response_format: { type: "json_schema", json_schema: { name: "person", strict: true, schema } },
    max_tokens: 200,
    temperature: 0,
  });
  const person = answer.choices[0].message.parsed;
  assert.deepEqual(Object.keys(person).sort(), ["age", "name"]);
  assert.ok(Number.isInteger(person.age));
});

test("embeddings, unpacked from base64", async () => {
  const packed = await client.embeddings.create({ model, input: "a cat" });
  const plain = await client.embeddings.create({ model, input: "a cat", encoding_format: "float" });
  assert.equal(packed.data[0].embedding.length, plain.data[0].embedding.length);
  assert.ok(Math.abs(packed.data[0].embedding[5] - plain.data[0].embedding[5]) < 1e-6);
});

test("an aborted stream frees its place", async () => {
  const controller = new AbortController();
  const stream = await chat({ stream: true, max_tokens: 4000, ignore_eos: true }, { signal: controller.signal });
  let seen = 0;
  await assert.doesNotReject(async () => {
    for await (const _ of stream) if (++seen === 3) controller.abort();
  });
  const running = async () => {
    const text = await (await fetch(`${process.env.CARAVEL_URL}/metrics`)).text();
    return Number(/^caravel:num_requests_running(?:\{.*\})? (\S+)$/m.exec(text)[1]);
  };
  for (const end = Date.now() + 5000; (await running()) > 0 && Date.now() < end; ) await new Promise((r) => setTimeout(r, 50));
  assert.equal(await running(), 0);
});

test("errors by type", async () => {
  await assert.rejects(chat({ temperature: -1 }), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.equal(error.type, "invalid_request_error");
    assert.equal(error.param, "temperature");
    return true;
  });
  await assert.rejects(chat({ model: "no-such-model" }), OpenAI.NotFoundError);
});

test("responses", async () => {
  const answer = await client.responses.create({ model, input: "What is 2+2?", max_output_tokens: 24 });
  assert.ok(answer.output_text.length > 0);
});
