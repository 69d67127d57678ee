// Vercel's AI SDK with @ai-sdk/openai-compatible against `caravel serve` (CARAVEL_URL: the default model, CARAVEL_AGENT_URL:
// the scripted agent of agent_model.py), with zod schemas.
import assert from "node:assert/strict";
import { APICallError, generateText, NoObjectGeneratedError, Output, stepCountIs, streamText, tool } from "ai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { z } from "zod";
import { agentUrl, answer, calls, key, modelOf, realUrl, runsNothing, shows, weatherSays } from "./shown.mjs";

const provider = (url, apiKey = key) =>
  createOpenAICompatible({ name: "caravel", baseURL: `${url}/v1`, apiKey, supportsStructuredOutputs: true });
const real = provider(realUrl)(await modelOf(realUrl));
const agent = provider(agentUrl)(await modelOf(agentUrl));
const quiet = { maxRetries: 0, onError: () => {} };

const weather = (asked) => ({
  get_weather: tool({
    description: "The weather of a city",
    inputSchema: z.object({ city: z.string().max(20), unit: z.enum(["celsius", "fahrenheit"]) }),
    execute: async (input) => {
      asked.push(input);
      return { says: weatherSays[input.city], at: "noon", wind: null };
    },
  }),
});
const ask = { prompt: "What is the weather in Paris and in Rome?", system: "You know the weather.", stopWhen: stepCountIs(4) };

const Trip = z.object({
  number: z.uuid(),
  day: z.iso.date(),
  leaves: z.iso.datetime(),
  unit: z.enum(["celsius", "fahrenheit"]),
  pet: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("cat"), lives: z.int().min(1).max(9) }),
    z.object({ kind: z.literal("dog"), trained: z.boolean() }),
  ]),
  stops: z.array(z.object({ city: z.string().max(12), country: z.string().regex(/^[A-Z]{2}$/) })).min(1).max(2),
  place: z.tuple([z.int().min(0).max(9), z.boolean()]),
  note: z.string().max(12).nullable(),
  seats: z.number().int().positive().lt(10).meta({ unit: "persons" }),
  step: z.number().multipleOf(5).min(0).max(20),
});
// Formats that zod writes beside a pattern, or that no standard names.
const Codes = z.object({
  address: z.ipv4(),
  mail: z.email().max(20),
  code: z.string().startsWith("ab").max(8),
  low: z.string().lowercase().max(8),
  word: z.base64url().max(8),
  hue: z.hex().max(6),
  stock: z.record(z.enum(["tea", "milk"]), z.boolean()),
  more: z.string().max(8).optional(),
  count: z.number().min(0).max(9).default(3),
});

shows("tools", ["`generateText` with `stopWhen`"], async () => {
  const asked = [];
  const result = await generateText({ model: agent, tools: weather(asked), ...ask, ...quiet });
  assert.deepEqual(asked, calls);
  assert.equal(result.text, answer);
  assert.equal(result.steps.length, 2);
});

shows("tools", ["`streamText` with `stopWhen`"], async () => {
  const asked = [];
  const result = streamText({ model: agent, tools: weather(asked), ...ask, ...quiet });
  let text = "";
  for await (const piece of result.textStream) text += piece;
  assert.deepEqual(asked, calls);
  assert.equal(text, answer);
});

shows("tools", ["a third turn on `response.messages`"], async () => {
  const user = { role: "user", content: ask.prompt };
  const first = await generateText({ model: agent, tools: weather([]), messages: [user], stopWhen: stepCountIs(4), ...quiet });
  const messages = [user, ...first.response.messages, { role: "user", content: "And now?" }];
  const again = await generateText({ model: agent, tools: weather([]), messages, stopWhen: stepCountIs(4), ...quiet });
  assert.equal(again.text, answer);
});

shows("tools", ["forced"], async () => {
  const asked = [];
  await generateText({ model: real, tools: weather(asked), prompt: "Weather?", toolChoice: "required", maxOutputTokens: 120,
                       temperature: 0, providerOptions: { caravel: { parallel_tool_calls: false } }, ...quiet });
  assert.equal(asked.length, 1);
});

for (const [fact, schema, prompt] of [["zod objects by `Output.object`", Trip, "Make up a short trip, as JSON."],
                                      ["zod's formats of texts", Codes, "Make up some codes, as JSON."]])
  shows("structured", [fact], async () => {
    const result = await generateText({ model: real, output: Output.object({ schema }), prompt, maxOutputTokens: 700,
                                        temperature: 0, ...quiet });
    schema.parse(result.output);
  });

shows("structured", ["in a stream"], async () => {
  const result = streamText({ model: real, output: Output.object({ schema: Trip }), prompt: "Make up a trip, as JSON.",
                              maxOutputTokens: 700, temperature: 0, ...quiet });
  let parts = 0;
  for await (const _ of result.partialOutputStream) ++parts;
  assert.ok(parts > 3);
  Trip.parse(await result.output);
});

shows("structured", ["`Output.array`, `Output.choice`"], async () => {
  const shared = { model: real, maxOutputTokens: 200, temperature: 0, ...quiet };
  const one = await generateText({ ...shared, output: Output.choice({ options: ["red", "green"] }), prompt: "A color?" });
  assert.ok(["red", "green"].includes(one.output));
  const element = z.object({ n: z.int().min(1).max(3), tags: z.array(z.enum(["a", "b"])).max(2) });
  try {
    const list = await generateText({ ...shared, output: Output.array({ element }), prompt: "Two of them, as JSON." });
    z.array(element).parse(list.output);
  } catch (error) {
    // A list without an end that maxOutputTokens cuts is right too; one of another form is not.
    if (!NoObjectGeneratedError.isInstance(error) || error.finishReason !== "length") throw error;
  }
});

shows("cancelled", ["by an `AbortSignal`"], async () => {
  const controller = new AbortController();
  const result = streamText({ model: real, prompt: "Hello", maxOutputTokens: 4000, abortSignal: controller.signal,
                              providerOptions: { caravel: { ignore_eos: true } }, ...quiet });
  for await (const part of result.fullStream) if (part.type === "text-delta") controller.abort();
  assert.ok(await runsNothing(realUrl));
});

shows("errors", ["`APICallError` with status and reason"], async () => {
  const other = provider(realUrl, "other")(real.modelId);
  const nobody = provider(realUrl)("nobody");
  for (const [model, fields, status, says] of [[real, { topP: 3 }, 400, /top_p/], [nobody, {}, 404, /nobody/],
                                               [other, {}, 401, /key/i]])
    await assert.rejects(generateText({ model, prompt: "Hello", maxOutputTokens: 9, ...fields, ...quiet }), (error) => {
      assert.ok(APICallError.isInstance(error));
      assert.equal(error.statusCode, status);
      assert.match(error.message, says);
      return true;
    });
});
