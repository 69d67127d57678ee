/**
 * Takes the README's pictures of the pages, on a quiet machine:
 *   CARAVEL=build/release/caravel CHROMIUM=chromium node tests/pages/screenshots.mjs
 */
import { writeFileSync } from "node:fs";

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

const browser = await Browser.launch(process.env.CHROMIUM ?? "chromium");
try {
  for (const [picture, flags] of [[chat, []], [dashboard, ["--max-num-seqs", "16", "--kv-cache-memory", "384MiB"]]]) {
    const server = await startServer(flags);
    try {
      await picture(browser, server);
    } finally {
      await server.stop();
    }
  }
} finally {
  await browser.close();
}
