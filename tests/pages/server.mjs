/** The server under test: `caravel serve` on a free port, or the one that CARAVEL_URL names. */
import { spawn } from "node:child_process";
import { createServer } from "node:net";

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}

/** @param {string[]} flags @returns {Promise<{url: string, stop: () => Promise<number | null>}>} stop: its exit code */
export async function startServer(flags = []) {
  if (process.env.CARAVEL_URL) return { url: process.env.CARAVEL_URL, stop: async () => 0 };
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(process.env.CARAVEL, ["serve", "--host", "127.0.0.1", "--port", String(port), ...flags], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += text));
  const ended = new Promise((resolve) => child.once("exit", resolve));
  for (const end = Date.now() + 120_000; ;) {
    if (
      await fetch(`${url}/health`).then(
        (response) => response.ok,
        () => false,
      )
    )
      break;
    if (child.exitCode !== null || Date.now() > end) throw new Error(`caravel serve does not answer:\n${output}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { url, stop: () => (child.kill("SIGTERM"), ended) };
}
