/** The chat page as its readers use it, in headless Chromium against the real server. */
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, test } from "node:test";

import { Browser } from "./browser.mjs";
import { startServer } from "./server.mjs";

let browser, server, page;
before(async () => {
  server = await startServer();
  browser = await Browser.launch(process.env.CHROMIUM);
});
after(async () => {
  await browser?.close();
  assert.equal(await server?.stop(), 0, "SIGTERM ends the server in order");
});
beforeEach(async () => {
  page = await browser.newPage();
  await page.goto(server.url);
});
afterEach(async () => {
  const foreign = page.requests.filter(
    (url) => !url.startsWith(server.url) && !/^(about|blob|data|devtools):/.test(url),
  );
  assert.deepEqual(foreign, [], "requests to other hosts");
  assert.deepEqual(page.problems, [], "console errors, exceptions and dialogs");
  await page.close();
});

async function ask(text) {
  await page.type(text);
  await page.press("Enter");
}

function answered(count = 1) {
  return page.until(
    (wanted) =>
      document.querySelectorAll(".answer .stats").length === wanted &&
      document.querySelector(".answer[aria-busy=true]") === null,
    count,
  );
}

/** The server's place is taken by one that gives this answer. */
function answerWith(deltas, { status = 200, error = null } = {}) {
  const events = deltas
    .map((delta) => ({ choices: [{ index: 0, delta, finish_reason: null }] }))
    .concat([{ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] }]);
  const stream = events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join("") + "data: [DONE]\n\n";
  page.intercept((url) =>
    !url.endsWith("/chat/completions")
      ? null
      : error
        ? {
            status,
            headers: { "Content-Type": "application/json" },
            body: JSON.stringify({ error: { message: error } }),
          }
        : { headers: { "Content-Type": "text/event-stream" }, body: stream },
  );
}

test("a question is typed and its answer streams in", async () => {
  await page.fill("setting-max_tokens", "60");
  await ask("Describe Paris, the capital of France, in a long paragraph."); // longer than a look takes
  const lengths = new Set();
  while (await page.evaluate(() => document.querySelector(".answer .stats") === null)) {
    lengths.add(await page.evaluate(() => document.querySelector(".answer .prose")?.textContent.length ?? 0));
  }
  assert.ok(lengths.size > 2, `lengths seen: ${[...lengths]}`);
  const [answer] = await page.texts(".answer .prose");
  assert.ok(answer.trim().length > 0);
  const [stats] = await page.texts(".stats");
  assert.match(stats, /tokens\/s.*to the first.*\d+ tokens/s);
  assert.deepEqual(await page.texts(".question-text"), [
    "Describe Paris, the capital of France, in a long paragraph.",
  ]);
  assert.ok(
    (await page.evaluate(() => document.getElementById("announcer").textContent)).includes(
      answer.slice(0, 20).split("\n")[0],
    ),
  );
});

test("Escape stops an answer, and the server with it", async () => {
  await page.fill("setting-max_tokens", "2000");
  await ask("Write a very long story about a ship that sails around the world, with many chapters.");
  await page.until(() => document.querySelector(".answer .prose")?.textContent.length > 10);
  await page.press("Escape");
  await answered();
  assert.match((await page.texts(".stats"))[0], /stopped/);
  const length = await page.evaluate(() => document.querySelector(".answer .prose").textContent.length);
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(await page.evaluate(() => document.querySelector(".answer .prose").textContent.length), length);
  assert.equal(await page.evaluate(() => document.activeElement.id), "question");
});

test("regenerate gives another answer beside the first", async () => {
  await page.fill("setting-max_tokens", "8");
  await ask("Say something.");
  await answered();
  const [first] = await page.texts(".answer .prose");
  await page.click('[aria-label="Regenerate the answer"]');
  await page.until(() => document.querySelector(".variants")?.innerText.includes("2 / 2"));
  await answered();
  await page.click('[aria-label="The answer before"]');
  assert.deepEqual(await page.texts(".answer .prose"), [first]);
  assert.equal((await page.texts(".question")).length, 1);
});

test("an edited question is asked again, and what followed is gone", async () => {
  await page.fill("setting-max_tokens", "8");
  await ask("First question");
  await answered(1);
  await ask("Second question");
  await answered(2);
  await page.click('.question [aria-label="Edit the question"]');
  await page.press("Control+a");
  await page.evaluate(() => document.activeElement.select());
  await page.type("Better question");
  await page.press("Enter");
  await page.until(() => document.querySelectorAll(".question").length === 1);
  await answered(1);
  assert.deepEqual(await page.texts(".question-text"), ["Better question"]);
});

test("a reload keeps the conversation; it can be renamed and deleted", async () => {
  await page.fill("setting-max_tokens", "8");
  await ask("Remember this");
  await answered();
  const [answer] = await page.texts(".answer .prose");
  await page.reload();
  assert.deepEqual(await page.texts(".question-text"), ["Remember this"]);
  assert.deepEqual(await page.texts(".answer .prose"), [answer]);
  assert.equal(await page.evaluate(() => document.getElementById("setting-max_tokens").value), "8");
  await page.evaluate(() => document.querySelector('[aria-label^="Rename"]').click());
  await page.type("Another name");
  await page.press("Enter");
  assert.deepEqual(await page.texts(".conversation-title"), ["Another name"]);
  await page.evaluate(() => document.querySelector('[aria-label^="Delete"]').click());
  await page.click("#confirm .danger-button");
  await page.until(() => document.querySelectorAll(".conversation").length === 0);
  assert.equal(
    await page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith("caravel.chat.")).length),
    0,
  );
  assert.deepEqual(await page.texts(".question"), []);
});

test("a hostile answer stays text", async () => {
  const hostile = [
    '<script>alert("script")</script>',
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(2))",
    "[click](data:text/html,<script>alert(3)</script>)",
    "![image](https://evil.example/pixel.png)",
    "<svg onload=alert(4)>",
    "[a](https://ok.example/?q=%22onmouseover=alert(5)//)",
    "`<iframe src=javascript:alert(6)>`",
    '<https://ok.example/"onclick="alert(7)>',
    '[x]: javascript:alert(8) "t"',
    "<style>body{display:none}</style>",
    "</div></article></main><h1>out</h1>",
    "| <b>t</b> |\n|---|\n| <img src=x onerror=alert(9)> |",
    '```html"><script>alert(10)</script>\n<script>alert(11)</script>\n```',
    "[x](vbscript:alert(12)) [y](https:javascript:alert(13)) [z](JAVASCRIPT&colon;alert(14))",
    "<base href=https://evil.example>",
    "<meta http-equiv=refresh content=0;url=https://evil.example>",
    "<form action=https://evil.example><button>x</button></form>",
  ].join("\n\n");
  answerWith(
    [...hostile].map((content) => ({ content })).concat([{ reasoning_content: "<img src=x onerror=alert(15)>" }]),
  );
  await ask("<img src=x onerror=alert(16)>");
  await answered();
  const seen = await page.evaluate(() => ({
    live: document.querySelectorAll(
      "#messages :is(script, img, iframe, style, base, meta, form, object, embed, [onerror], [onload], [onclick], [onmouseover])",
    ).length,
    links: Array.from(document.querySelectorAll("#messages a"), (link) => [link.protocol, link.rel, link.target]),
    text: document.querySelector(".answer").textContent,
    headings: document.querySelectorAll("#messages h1").length,
  }));
  assert.equal(seen.live, 0);
  assert.equal(seen.headings, 0);
  assert.ok(seen.links.length >= 2);
  for (const [protocol, rel, target] of seen.links) {
    assert.equal(protocol, "https:");
    assert.match(rel, /noopener/);
    assert.equal(target, "_blank");
  }
  for (const part of [
    '<script>alert("script")</script>',
    "[click](javascript:alert(2))",
    "<svg onload=alert(4)>",
    "alert(11)",
  ]) {
    assert.ok(seen.text.includes(part), part);
  }
  await page.evaluate(() => document.querySelector('[aria-label^="Rename"]').click());
  await page.type("<img src=x onerror=alert(17)>");
  await page.press("Enter");
  await page.reload();
  assert.equal(await page.evaluate(() => document.querySelectorAll("#messages img, nav img").length), 0);
  assert.ok((await page.texts(".conversation-title"))[0].includes("<img"));
});

test("markdown that grows is shown as the whole would be", async () => {
  const source =
    "# A\nfoo\n#\n#tag\n\n- a\n  - b\n\n    c\n- d\n\n```py\nx = 1\n\n```\ntext **bo** `c`\n\n|a|b|\n|-|-|\n|1|2|\n> q\nlazy\n\n1. x\n2. y\n\n---\nend *it";
  const [grown, whole] = await page.evaluate(async (text) => {
    const { MarkdownView } = await import("/web/markdown_view.js");
    const roots = [document.createElement("div"), document.createElement("div")];
    const view = new MarkdownView(roots[0]);
    for (let i = 1; i <= text.length; ++i) view.show(text.slice(0, i));
    new MarkdownView(roots[1]).show(text);
    return roots.map((root) => root.innerHTML);
  }, source);
  assert.equal(grown, whole);
  assert.match(whole, /<table>.*<blockquote>.*<hr>/s);
});

test("reasoning is folded, and code has a button that copies", async () => {
  answerWith([{ reasoning_content: "first I think" }, { content: "```js\nlet a = 1;\n```" }]);
  await ask("Think");
  await answered();
  assert.equal(await page.evaluate(() => document.querySelector(".reasoning").open), false);
  assert.ok(!(await page.texts(".answer"))[0].includes("first I think"));
  await page.evaluate(() => {
    navigator.clipboard.writeText = async (text) => {
      window.copied = text;
    };
  });
  await page.click(".copy-code");
  assert.equal(await page.until(() => window.copied), "let a = 1;");
});

test("an error is said, and can be tried again", async () => {
  await page.fill("setting-max_tokens", "8");
  answerWith([], { status: 429, error: "Too many requests wait." });
  await ask("Anybody there?");
  await page.until(() => document.querySelector(".failure")?.innerText.includes("Too many requests wait."));
  page.intercept(() => null);
  await page.click(".failure button");
  await answered();
  assert.equal(await page.evaluate(() => document.querySelector(".failure")), null);
  assert.ok((await page.texts(".answer .prose"))[0].length > 0);
  page.problems = page.problems.filter((problem) => !problem.includes("429"));
});

test("without a mouse: ask, regenerate, a new chat, settings, help", async () => {
  await page.fill("setting-max_tokens", "8");
  await ask("Only keys");
  await answered();
  for (
    let i = 0;
    i < 12 && !(await page.evaluate(() => document.activeElement.ariaLabel === "Regenerate the answer"));
    ++i
  ) {
    await page.press("Shift+Tab");
  }
  await page.press("Enter");
  await page.until(() => document.querySelector(".variants")?.innerText.includes("2 / 2"));
  await answered();
  await page.press("Control+,");
  assert.equal(await page.evaluate(() => document.activeElement.id), "system");
  await page.type("Be brief.");
  await page.press("Escape");
  assert.equal(await page.evaluate(() => document.getElementById("settings").hidden), true);
  await page.press("Control+Shift+O");
  assert.equal(await page.evaluate(() => document.activeElement.id), "question");
  assert.equal(await page.evaluate(() => document.querySelectorAll(".question").length), 0);
  await page.press("Tab");
  await page.evaluate(() => document.activeElement.blur());
  await page.press("?");
  assert.equal(await page.evaluate(() => document.getElementById("shortcuts").open), true);
  await page.press("Escape");
  await page.press("/");
  await page.type("line");
  await page.press("Shift+Enter");
  assert.equal(await page.evaluate(() => document.getElementById("question").value), "line\n");
});

test("the system prompt and the sampling controls are sent", async () => {
  await page.fill("system", "Be brief.");
  await page.fill("setting-temperature", "0.5");
  await page.fill("setting-seed", "7");
  await page.fill("setting-top_k", "40");
  await page.evaluate(() => {
    const real = window.fetch;
    window.fetch = (path, options) => {
      if (options?.body) window.sent = JSON.parse(options.body);
      return real(path, options);
    };
  });
  answerWith([{ content: "Yes." }]);
  await ask("Well?");
  await answered();
  const { messages, temperature, seed, top_k, top_p, stream, model } = await page.evaluate(() => window.sent);
  assert.deepEqual(messages, [
    { role: "system", content: "Be brief." },
    { role: "user", content: "Well?" },
  ]);
  assert.deepEqual([temperature, seed, top_k, top_p, stream], [0.5, 7, 40, undefined, true]);
  assert.equal(await page.evaluate(() => document.getElementById("model").value), model);
});

test("on a phone the conversations are a drawer, and nothing is wider than the screen", async () => {
  await page.close();
  page = await browser.newPage({ width: 390, height: 844, mobile: true, dark: true });
  await page.goto(server.url);
  answerWith([
    {
      content: `| ${"column | ".repeat(12)}\n|${"---|".repeat(12)}\n\n\`\`\`\n${"long ".repeat(60)}\n\`\`\`\n\n${"w".repeat(300)}`,
    },
  ]);
  await page.click("#question");
  await ask("Wide things");
  await answered();
  assert.ok(
    await page.evaluate(
      () => document.documentElement.scrollWidth <= 390 && document.getElementById("scroller").scrollWidth <= 390,
    ),
  );
  const shown = () => page.evaluate(() => document.getElementById("sidebar").getBoundingClientRect().width > 0);
  assert.equal(await shown(), false);
  await page.click("#open-sidebar");
  assert.equal(await shown(), true);
  assert.equal(await page.evaluate(() => document.querySelector("main").inert), true);
  await page.press("Escape");
  assert.equal(await shown(), false);
  assert.equal(
    await page.evaluate(
      () => getComputedStyle(document.body).colorScheme + getComputedStyle(document.body).backgroundColor,
    ),
    "light darkrgb(27, 26, 24)",
  );
});

test("the theme switch wins over the system and is kept", async () => {
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  await page.click("#theme");
  await page.click("#theme");
  const dark = await background();
  assert.notEqual(dark, light);
  await page.reload();
  assert.equal(await background(), dark);
});
