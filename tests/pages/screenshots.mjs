/**
 * Takes the README's pictures of the pages, on a quiet machine:
 *   CARAVEL=build/release/caravel CHROMIUM=chromium node tests/pages/screenshots.mjs [chat] [dashboard] [voyage]
 */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

import { Browser } from "./browser.mjs";
import { startServer } from "./server.mjs";

const docs = new URL("../../docs/", import.meta.url);
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

async function openPage(browser, url, height) {
  const page = await browser.newPage({ height });
  await page.send("Emulation.setScrollbarsHidden", { hidden: true });
  await page.goto(url);
  return page;
}

async function chat(browser, server) {
  const page = await openPage(browser, server.url, 860);
  const questions = ["Name three rivers in Portugal.", "Write a Python function that counts the vowels in a string."];
  await page.fill("setting-temperature", "0");
  await page.fill("setting-max_tokens", "400");
  for (const [i, question] of questions.entries()) {
    if (i > 0) await page.press("Control+Shift+O");
    await page.type(question);
    await page.press("Enter");
    await page.until(() => document.querySelectorAll(".answer .stats").length === 1);
  }
  await pause(500);
  writeFileSync(new URL("chat.png", docs), await page.screenshot());
  await page.close();
}

/** Conversations of three kinds, each kind with a beginning of its own, come in one after the other for a minute. */
async function load(url, seconds) {
  const answers = [];
  for (let i = 0, end = Date.now() + 1000 * seconds; Date.now() < end; ++i) {
    const topic = ["the sea", "old maps", "the stars"][i % 3];
    const body = {
      prompt: `${`A story about ${topic} that sailors tell. `.repeat(14 + (i % 3) * 8)}Telling ${i}:`,
      max_tokens: 100 + 40 * (i % 5),
      ignore_eos: true,
      temperature: 0.8,
    };
    answers.push(
      fetch(`${url}/v1/completions`, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      }).then((response) => response.json()),
    );
    await pause(230);
  }
  return Promise.all(answers);
}

async function dashboard(browser, server) {
  const page = await openPage(browser, `${server.url}/dashboard`, 1120);
  const answers = load(server.url, 62);
  await pause(61_000);
  writeFileSync(new URL("dashboard.png", docs), await page.screenshot());
  await answers;
  await page.close();
}

/** Runs a program to its end. */
async function run(program, flags) {
  const child = spawn(program, flags, { stdio: "inherit" });
  const code = await new Promise((resolve) => child.once("exit", resolve));
  if (code !== 0) throw new Error(`${program} ${flags.join(" ")} ended with ${code}`);
}

/** A voyage with the scripted model, and its page from the top to the map, somewhat shortened. */
async function voyage(browser) {
  const folder = mkdtempSync(join(tmpdir(), "caravel-voyage-"));
  const port = "18453";
  const script = fileURLToPath(new URL("../voyager/scripted_llm.py", import.meta.url));
  const endpoint = spawn("python3", [script, "--port", port, "--no-faults"], { stdio: "ignore" });
  try {
    await pause(1500);
    const out = join(folder, "run");
    const llm = ["--llm", `http://127.0.0.1:${port}/v1`, "--llm-model", "scripted"];
    await run(process.env.CARAVEL, ["voyage", ...llm, "--out", out, "--iterations", "60", "--plain"]);
    const page = await openPage(browser, pathToFileURL(join(out, "report.html")).href, 1120);
    await page.until(() => !document.querySelector(".drawing[hidden]"));
    await page.evaluate(() => {
      document.querySelector(".headlines + .text").hidden = true; // what it carries
      document.querySelector(".picture img").style.maxHeight = "18rem";
    });
    await pause(300);
    const [x, y, width, height] = await page.evaluate(() => {
      const main = document.querySelector("main").getBoundingClientRect();
      const end = Array.from(document.querySelectorAll("h2")).find((one) => one.textContent === "Tasks");
      return [main.x, 0, main.width, end.getBoundingClientRect().top - 16];
    });
    const clip = { x, y, width, height, scale: 1 };
    const { data } = await page.send("Page.captureScreenshot", { format: "png", captureBeyondViewport: true, clip });
    writeFileSync(new URL("voyage.png", docs), Buffer.from(data, "base64"));
    await page.close();
  } finally {
    endpoint.kill();
    rmSync(folder, { recursive: true });
  }
}

/** A picture of a server's page. */
function served(picture, flags) {
  return async (browser) => {
    const server = await startServer(flags);
    try {
      await picture(browser, server);
    } finally {
      await server.stop();
    }
  };
}

const pictures = {
  chat: served(chat, []),
  dashboard: served(dashboard, ["--max-num-seqs", "16", "--kv-cache-memory", "384MiB"]),
  voyage,
};
const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(pictures);
const browser = await Browser.launch(process.env.CHROMIUM ?? "chromium");
try {
  for (const name of wanted) await pictures[name](browser);
} finally {
  await browser.close();
}
