// The official openai package of npm against `caravel serve` (CARAVEL_URL), as its users write it.
import assert from "node:assert/strict";
import test from "node:test";
import OpenAI from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import { agentUrl, answer, calls, key, modelOf, realUrl, runsNothing, shows, weatherSays } from "./shown.mjs";

const at = (url, apiKey = key) => new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0, timeout: 120000 });
const client = at(realUrl);
const model = (await client.models.list()).data[0].id;
const agent = at(agentUrl);
const agentModel = await modelOf(agentUrl);
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

shows("cancelled", ["by an `AbortController`"], async () => {
  const controller = new AbortController();
  const stream = await chat({ stream: true, max_tokens: 4000, ignore_eos: true }, { signal: controller.signal });
  let seen = 0;
  await assert.doesNotReject(async () => {
    for await (const _ of stream) if (++seen === 3) controller.abort();
  });
  assert.ok(await runsNothing(realUrl));
});

shows("errors", ["its exceptions by type, with `param`"], async () => {
  await assert.rejects(chat({ temperature: -1 }), (error) => {
    assert.ok(error instanceof OpenAI.BadRequestError);
    assert.equal(error.type, "invalid_request_error");
    assert.equal(error.param, "temperature");
    return true;
  });
  await assert.rejects(chat({ model: "no-such-model" }), OpenAI.NotFoundError);
  await assert.rejects(at(realUrl, "other").models.list(), OpenAI.AuthenticationError);
});

test("responses", async () => {
  const answer = await client.responses.create({ model, input: "What is 2+2?", max_output_tokens: 24 });
  assert.ok(answer.output_text.length > 0);
});

// Whole conversations with a model that calls by itself: what it answered goes back as the package gives it.
const ask = [{ role: "user", content: "What is the weather in Paris and in Rome?" }];
const fields = { model: agentModel, tools: [weather] };

async function finish(message) {
  const asked = message.tool_calls.map((call) => JSON.parse(call.function.arguments));
  assert.deepEqual(asked, calls);
  const results = message.tool_calls.map((call, i) => ({ role: "tool", tool_call_id: call.id, content: weatherSays[asked[i].city] }));
  const last = await agent.chat.completions.create({ ...fields, messages: [...ask, message, ...results] });
  assert.equal(last.choices[0].message.content, answer);
}

shows("tools", ["chat completions: the message sent back as it came"], async () =>
  finish((await agent.chat.completions.create({ ...fields, messages: ask })).choices[0].message));

shows("tools", ["the stream helper's"], async () => {
  const stream = agent.chat.completions.stream({ ...fields, messages: ask });
  await finish((await stream.finalChatCompletion()).choices[0].message);
});

shows("tools", ["`runTools`"], async () => {
  const asked = [];
  const run = (input) => (asked.push(input), weatherSays[input.city]);
  const tools = [{ type: "function", function: { ...weather.function, function: run, parse: JSON.parse } }];
  const runner = agent.chat.completions.runTools({ model: agentModel, messages: ask, tools });
  assert.equal(await runner.finalContent(), answer);
  assert.deepEqual(asked, calls);
});

shows("tools", ["responses: the items sent back as they came"], async () => {
  const tools = [{ type: "function", strict: true, ...weather.function }];
  const first = await agent.responses.create({ model: agentModel, input: ask, tools });
  const made = first.output.filter((item) => item.type === "function_call");
  assert.deepEqual(made.map((call) => JSON.parse(call.arguments)), calls);
  const results = made.map((call) => ({ type: "function_call_output", call_id: call.call_id, output: "Sunny" }));
  const last = await agent.responses.create({ model: agentModel, input: [...ask, ...first.output, ...results], tools });
  assert.equal(last.output_text, answer);
});

const Trip = z.object({
  number: z.uuid(),
  day: z.iso.date(),
  pet: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("cat"), lives: z.int().min(1).max(9) }),
    z.object({ kind: z.literal("dog"), trained: z.boolean() }),
  ]),
  stops: z.array(z.object({ city: z.string().max(12), country: z.string().regex(/^[A-Z]{2}$/) })).min(1).max(2),
  note: z.string().max(12).nullable(),
  code: z.string().startsWith("ab").max(8),
});

shows("structured", ["zod objects by `chat.completions.parse`", "and by `responses.parse`"], async () => {
  const said = await client.chat.completions.parse({ model, messages: [{ role: "user", content: "A trip, as JSON." }],
    response_format: zodResponseFormat(Trip, "trip"), max_tokens: 700, temperature: 0 });
  Trip.parse(said.choices[0].message.parsed);
  const other = await client.responses.parse({ model, input: "A trip, as JSON.", max_output_tokens: 700, temperature: 0,
    text: { format: zodTextFormat(Trip, "trip") } });
  Trip.parse(other.output_parsed);
});
