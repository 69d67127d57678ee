import assert from "node:assert/strict";
import { test } from "node:test";

import { SseParser, readEvents } from "../../src/server/web/pages/sse.js";

function parse(pieces) {
  const events = [];
  const parser = new SseParser((data, event) => events.push([event, data]));
  for (const piece of pieces) parser.feed(piece);
  return events;
}

const kStream =
  ': comment\r\ndata: {"a": 1}\r\n\r\nevent: named\rdata:two\rdata: lines\r\rid: 7\ndata\n\ndata: [DONE]\n\ndata: cut off';
const kEvents = [
  ["message", '{"a": 1}'],
  ["named", "two\nlines"],
  ["message", ""],
  ["message", "[DONE]"],
];

test("events are the same wherever the stream is cut", () => {
  assert.deepEqual(parse([kStream]), kEvents);
  assert.deepEqual(parse([...kStream]), kEvents);
  for (let i = 0; i <= kStream.length; ++i)
    assert.deepEqual(parse([kStream.slice(0, i), kStream.slice(i)]), kEvents, `cut at ${i}`);
});

test("characters that packets cut in two are put together", async () => {
  const bytes = new TextEncoder().encode("data: Grüße, 世界 🚢\n\n");
  const events = [];
  const body = new ReadableStream({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  await readEvents(new Response(body), (data) => events.push(data));
  assert.deepEqual(events, ["Grüße, 世界 🚢"]);
});
