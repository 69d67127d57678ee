// What the suites of npm's clients share with those of Python's (shown.py): two servers, which with_server.py starts, and
// the record of what their tests show.
import fs from "node:fs";
import test, { after } from "node:test";

export const realUrl = process.env.CARAVEL_URL;
export const agentUrl = process.env.CARAVEL_AGENT_URL;
export const key = process.env.CARAVEL_KEY;
export const { calls, answer, weatherSays } = JSON.parse(process.env.CARAVEL_AGENT);

const get = (url) => fetch(url, { headers: { Authorization: `Bearer ${key}` } });
export const modelOf = async (url) => (await (await get(`${url}/v1/models`)).json()).data[0].id;

// Whether every request ends within five seconds: those that were cancelled go on for longer.
export async function runsNothing(url) {
  const running = async () =>
    Number(/^caravel:num_requests_running(?:\{.*\})? (\S+)$/m.exec(await (await get(`${url}/metrics`)).text())[1]);
  for (const end = Date.now() + 5000; (await running()) > 0 && Date.now() < end; ) await new Promise((r) => setTimeout(r, 20));
  return (await running()) === 0;
}

const shown = [];

// A test of what stands in its client's row of docs/clients.md, in this column.
export function shows(column, facts, body) {
  test(`${column}: ${facts.join("; ")}`, async () => {
    const entries = facts.map((fact) => ({ column, fact, passed: false }));
    shown.push(...entries);
    await body();
    for (const entry of entries) entry.passed = true;
  });
}
after(() => {
  if (process.env.CLIENT_RECORD) fs.writeFileSync(process.env.CLIENT_RECORD, JSON.stringify(shown));
});
