import assert from "node:assert/strict";
import { test } from "node:test";

import { LatencyWindow, percentile, readHistograms } from "../../src/server/web/pages/latency.js";

const kText = (counts) => `# TYPE caravel:time_to_first_token_seconds histogram
caravel:time_to_first_token_seconds_bucket{model_name="a b",le="0.1"} ${counts[0]}
caravel:time_to_first_token_seconds_bucket{model_name="a b",le="0.5"} ${counts[1]}
caravel:time_to_first_token_seconds_bucket{model_name="a b",le="+Inf"} ${counts[2]}
caravel:time_to_first_token_seconds_sum{model_name="a b"} 3
vllm:inter_token_latency_seconds_bucket{le="0.02",model_name="m"} 4
`;

test("histograms are read whatever prefix and labels they have", () => {
  const { first, between } = readHistograms(kText([1, 3, 4]));
  assert.deepEqual(
    [...first],
    [
      [0.1, 1],
      [0.5, 3],
      [Infinity, 4],
    ],
  );
  assert.deepEqual([...between], [[0.02, 4]]);
});

test("percentiles lie within their bucket, and at the last bound beyond it", () => {
  const after = new Map([
    [0.1, 10],
    [0.5, 20],
    [Infinity, 20],
  ]);
  assert.equal(percentile(new Map(), after, 0.5), 0.1);
  assert.ok(Math.abs(percentile(new Map(), after, 0.75) - 0.3) < 1e-9);
  assert.equal(
    percentile(
      new Map(),
      new Map([
        [0.1, 0],
        [Infinity, 5],
      ]),
      0.9,
    ),
    0.1,
  );
  assert.equal(percentile(after, after, 0.5), null);
});

test("a window is of what came within it", () => {
  const window = new LatencyWindow(60);
  window.add(kText([100, 100, 100]), 0);
  window.add(kText([100, 100, 100]), 10);
  window.add(kText([100, 200, 200]), 20);
  assert.ok(window.percentile("first", 0.5) > 0.1);
  window.add(kText([100, 200, 200]), 90);
  window.add(kText([300, 400, 400]), 100);
  assert.ok(window.percentile("first", 0.5) <= 0.1);
});
