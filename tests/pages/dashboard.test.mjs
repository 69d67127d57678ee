/** The dashboard in headless Chromium, while the real server works. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Browser } from "./browser.mjs";
import { startServer } from "./server.mjs";

let browser, server;
before(async () => {
  server = await startServer(["--max-num-seqs", "8", "--max-model-len", "1024"]);
  browser = await Browser.launch(process.env.CHROMIUM);
});
after(async () => {
  await browser?.close();
  assert.equal(await server?.stop(), 0, "SIGTERM ends the server in order");
});

async function load(requests, tokens) {
  const { data } = await (await fetch(`${server.url}/v1/models`)).json();
  const answers = Array.from({ length: requests }, (_, i) =>
    fetch(`${server.url}/v1/completions`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        model: data[0].id,
        prompt: `${"A prefix that all of them share. ".repeat(12)}Request ${i}:`,
        max_tokens: tokens,
        ignore_eos: true,
      }),
    }).then((response) => response.json()),
  );
  return Promise.all(answers);
}

const used = () =>
  Number(/: ([\d,]+) in use/.exec(document.getElementById("blocks-summary").textContent)?.[1].replaceAll(",", ""));
const picture = (id) => document.getElementById(id).toDataURL();

test("block map, charts and figures move with the load", async () => {
  const page = await browser.newPage();
  await page.goto(`${server.url}/dashboard`);
  await page.until(
    () => document.getElementById("state").textContent === "live" && document.querySelectorAll(".tile").length === 6,
  );
  await page.until(new Function(`return (${used})() === 0`));
  const idle = { map: await page.evaluate(picture, "blocks"), batch: await page.evaluate(picture, "batch") };
  const done = load(6, 150);
  await page.until(new Function(`return (${used})() > 20`));
  const busy = await page.evaluate(picture, "blocks");
  assert.notEqual(busy, idle.map);
  await page.until(() => document.querySelectorAll(".holder").length > 1);
  await done;
  await page.until(new Function(`return (${used})() === 0`));
  assert.notEqual(await page.evaluate(picture, "blocks"), busy);
  assert.notEqual(await page.evaluate(picture, "batch"), idle.batch);
  assert.match((await page.texts("#blocks-summary"))[0], /[1-9]\d* free with a cached prefix/);
  assert.equal(await page.evaluate(() => document.querySelectorAll(".holder").length), 0);
  // Times of the finished requests.
  await page.until(() => /\d (ms|s)/.test(document.querySelector("#latency td").textContent));
  assert.deepEqual(page.problems, []);
  assert.deepEqual(
    page.requests.filter((url) => !url.startsWith(server.url) && url !== "about:blank"),
    [],
  );
  await page.close();
});

for (const dark of [false, true]) {
  test(`the legend has the colours of the blocks, ${dark ? "dark" : "light"}`, async () => {
    const page = await browser.newPage({ dark });
    await page.goto(`${server.url}/dashboard`);
    await page.until(() => document.getElementById("state").textContent === "live");
    // What of the legend is not among the map's colours: in one turn, so that both are of one moment.
    const strange = (names) => {
      const blank = (width, height) => {
        const canvas = document.createElement("canvas");
        [canvas.width, canvas.height] = [width, height];
        return canvas.getContext("2d", { willReadFrequently: true });
      };
      const paint = (color, alpha) => {
        const context = blank(1, 1);
        context.globalAlpha = alpha;
        context.fillStyle = color;
        context.fillRect(0, 0, 1, 1);
        return context.getImageData(0, 0, 1, 1).data.join();
      };
      const map = document.getElementById("blocks");
      const copy = blank(map.width, map.height);
      copy.drawImage(map, 0, 0);
      const { data } = copy.getImageData(0, 0, map.width, map.height);
      const seen = new Set();
      for (let i = 0; i < data.length; i += 4) seen.add(data.slice(i, i + 4).join());
      const style = getComputedStyle(document.getElementById("blocks-legend"));
      const value = (name) =>
        name === "free"
          ? getComputedStyle(document.querySelector(".key.free")).backgroundColor
          : style.getPropertyValue(name).trim();
      return names.filter((name) => !seen.has(paint(value(name), name === "--cached" ? Number(value("--dimmed")) : 1)));
    };
    const done = load(5, 100);
    await page.until(() => document.querySelectorAll(".holder").length > 2);
    assert.deepEqual(await page.evaluate(strange, ["--held-0", "--held-1", "--held-2", "--shared"]), []);
    await done;
    await page.until(new Function(`return (${used})() === 0`));
    assert.deepEqual(await page.evaluate(strange, ["--cached", "free"]), []);
    assert.deepEqual(page.problems, []);
    await page.close();
  });
}

test("pointing at a block tells what it holds", async () => {
  const page = await browser.newPage({ dark: true });
  await page.goto(`${server.url}/dashboard`);
  await page.until(() => document.querySelectorAll(".tile").length === 6);
  const at = await page.evaluate(() => {
    const box = document.getElementById("blocks").getBoundingClientRect();
    return { x: box.x + 2, y: box.y + 2 };
  });
  await page.mouse("mouseMoved", at);
  assert.match((await page.texts("#tip"))[0], /^Block 0\n/);
  await page.mouse("mouseMoved", { x: 2, y: 2 });
  assert.equal(await page.evaluate(() => document.getElementById("tip").hidden), true);
  assert.deepEqual(page.problems, []);
  await page.close();
});

test("a hidden tab asks for nothing, and goes on when it is seen again", async () => {
  const page = await browser.newPage();
  await page.goto(`${server.url}/dashboard`);
  await page.until(() => document.getElementById("state").textContent === "live");
  const setHidden = (hidden) =>
    page.evaluate((value) => {
      Object.defineProperty(document, "hidden", { configurable: true, get: () => value });
      document.dispatchEvent(new Event("visibilitychange"));
    }, hidden);
  await setHidden(true);
  assert.deepEqual(await page.texts("#state"), ["paused"]);
  const before = page.requests.length;
  await new Promise((resolve) => setTimeout(resolve, 2500));
  assert.equal(page.requests.length, before);
  await setHidden(false);
  await page.until(() => document.getElementById("state").textContent === "live");
  await page.close();
});

test("on a phone nothing is wider than the screen", async () => {
  const page = await browser.newPage({ width: 390, height: 844, mobile: true });
  await page.goto(`${server.url}/dashboard`);
  await page.until(() => document.querySelectorAll(".tile").length === 6);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 390));
  await page.close();
});
