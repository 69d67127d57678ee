/** A report page (REPORT_PAGE writes it, with hostile strings everywhere) in headless Chromium. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";

import { Browser } from "./browser.mjs";

const kPlots = 5;
const folder = mkdtempSync(join(tmpdir(), "caravel-report-"));
const file = join(folder, "report.html");
const url = pathToFileURL(file).href;

let browser;
before(async () => {
  writeFileSync(file, execFileSync(process.env.REPORT_PAGE, { maxBuffer: 1 << 28 }));
  browser = await Browser.launch(process.env.CHROMIUM);
});
after(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true });
});

/** For each plot how many pixels differ from the page's ground, and how many different colours there are. */
function drawn() {
  return Array.from(document.querySelectorAll("canvas"), (canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const colors = new Set();
    let pixels = 0;
    for (let i = 0; i < data.length; i += 4) {
      if (data[i + 3] < 128) continue;
      ++pixels;
      colors.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
    }
    const box = canvas.getBoundingClientRect();
    return { pixels, colors: colors.size, width: box.width, height: box.height };
  });
}

async function open(options) {
  const page = await browser.newPage(options);
  await page.goto(url);
  await page.until(() => !document.querySelector(".drawing[hidden]"));
  return page;
}

async function assertSound(page) {
  assert.equal(await page.evaluate(() => window.owned), undefined, "a string of the data ran");
  assert.deepEqual(page.problems, []);
  assert.deepEqual(
    page.requests.filter((asked) => asked !== url && asked !== "about:blank" && !asked.startsWith("data:")),
    [],
  );
}

for (const [name, options] of [
  ["light", {}],
  ["dark", { dark: true }],
  ["a phone", { width: 390, height: 844, mobile: true }],
]) {
  test(`every plot draws something: ${name}`, async () => {
    const page = await open(options);
    const plots = await page.evaluate(drawn);
    assert.equal(plots.length, kPlots);
    for (const plot of plots) {
      assert.ok(plot.pixels > 3000 && plot.colors > 8, JSON.stringify(plot));
      assert.ok(plot.width > 300 && plot.height > 150, JSON.stringify(plot));
    }
    const widths = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
    assert.equal(widths[1], options.width ?? 1280);
    assert.ok(widths[0] <= widths[1], "nothing sticks out");
    await assertSound(page);
    await page.close();
  });
}

test("the axes hold every point, in whatever order they come", async () => {
  const page = await open({});
  const [low, high, points] = await page.evaluate(() => {
    const { scales, data } = Chart.getChart(document.querySelectorAll("canvas")[2]);
    const x = data.datasets.flatMap((one) => one.data.map((point) => point.x));
    return [Math.min(...x) - scales.x.min, scales.x.max - Math.max(...x), x.length];
  });
  assert.ok(low >= 0 && high >= 0, `${low}, ${high}`);
  assert.equal(points, 30_000);
  await page.close();
});

test("a change of theme is drawn", async () => {
  const page = await open({});
  const picture = () => document.querySelector("canvas").toDataURL();
  const light = await page.evaluate(picture);
  await page.send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: "dark" }] });
  await page.until((before) => document.querySelector("canvas").toDataURL() !== before, light);
  await assertSound(page);
  await page.close();
});

test("the keyboard steps through points and hides a series", async () => {
  const page = await open({});
  const told = (i) => page.evaluate((at) => document.querySelectorAll(".pointed")[at].textContent, i);
  const focus = (i) => page.evaluate((at) => document.querySelectorAll("canvas")[at].focus(), i);
  await focus(0);
  await page.press("End");
  assert.match(await told(0), /^server 0.*: 1,092 ms, 100 %$/s);
  await page.press("ArrowDown");
  assert.match(await told(0), /^server 1.*: 2,729\.9 ms, 100 %$/s);
  await page.press("Escape");
  assert.equal(await told(0), "");
  await focus(1);
  for (let i = 0; i < 4; ++i) await page.press("ArrowRight");
  assert.equal(await told(1), "few, again; running: 5 s, 3", "the gap is passed over");
  await focus(3);
  await page.press("ArrowDown");
  await page.press("ArrowDown");
  assert.equal(await told(3), "rewriting a text that the prompt gives; kept: 340; passed over: 410");
  await focus(4);
  await page.press("Home");
  assert.match(await told(4), /^[\d.]+ to [\d.]+ tokens; prompts.*: \d+; answers: \d+$/s);
  const before = await page.evaluate(() => document.querySelector("canvas").toDataURL());
  await page.evaluate(() => document.querySelector(".keys button").focus());
  await page.press("Space");
  assert.equal(await page.evaluate(() => document.querySelector(".keys button").getAttribute("aria-pressed")), "false");
  assert.notEqual(await page.evaluate(() => document.querySelector("canvas").toDataURL()), before);
  await assertSound(page);
  await page.close();
});

test("folds open, code scrolls inside its box, prompts break their lines", async () => {
  for (const options of [{}, { width: 390, height: 844, mobile: true }]) {
    const page = await open(options);
    const isShown = (selector) => page.evaluate((wanted) => document.querySelector(wanted).checkVisibility(), selector);
    assert.equal(await isShown(".code"), false);
    await page.click(".fold > summary");
    await page.until(() => document.querySelector(".code").checkVisibility());
    assert.equal(await isShown(".verbatim"), false);
    await page.click(".fold .fold > summary");
    await page.until(() => document.querySelector(".verbatim").checkVisibility());
    const [code, text, numbers] = await page.evaluate(() => {
      const sides = (selector) => {
        const { scrollWidth, clientWidth } = document.querySelector(selector);
        return { scrollWidth, clientWidth };
      };
      const tops = ["pre.numbers", ".code code"].map((one) => document.querySelector(one).getBoundingClientRect().height);
      return [sides(".code"), sides(".verbatim"), tops];
    });
    assert.ok(code.scrollWidth > code.clientWidth, JSON.stringify(code));
    assert.ok(text.scrollWidth <= text.clientWidth, JSON.stringify(text));
    assert.ok(Math.abs(numbers[0] - numbers[1]) < 8, `numbers stand beside their lines: ${numbers}`);
    assert.match((await page.texts(".verbatim"))[0], /^\nA prompt/);
    const widths = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
    assert.ok(widths[0] <= widths[1], `nothing sticks out: ${widths}`);
    await assertSound(page);
    await page.close();
  }
});

test("a picture is drawn", async () => {
  const page = await open({});
  const size = await page.evaluate(() => {
    const image = document.querySelector(".picture img");
    return [image.naturalWidth, image.naturalHeight];
  });
  assert.deepEqual(size, [320, 200]);
  await page.close();
});

test("without scripts the figures are there", async () => {
  const page = await browser.newPage();
  await page.send("Emulation.setScriptExecutionDisabled", { value: true });
  await page.send("Page.navigate", { url });
  // The page's own functions cannot be asked, and its nodes get other numbers when it has been read to its end.
  const count = async (selector) => {
    for (;;) {
      try {
        const { root } = await page.send("DOM.getDocument");
        return (await page.send("DOM.querySelectorAll", { nodeId: root.nodeId, selector })).nodeIds.length;
      } catch (error) {
        if (!error.message.includes("node with given id")) throw error;
      }
    }
  };
  while ((await count("main ~ script")) === 0) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(await count("details[open] table"), kPlots);
  assert.equal(await count(".fold .fold .verbatim"), 1, "what is folded is there");
  assert.equal(await count(".drawing:not([hidden])"), 0);
  await page.close();
});
