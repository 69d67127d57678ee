/** Drives headless Chromium by the DevTools protocol over a pipe: nothing beside Node and the browser is needed. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const kTimeout = 60_000; // milliseconds; machines that run many tests at once are slow

export class Browser {
  /** @param {string} executable */
  static async launch(executable) {
    const profile = mkdtempSync(join(tmpdir(), "caravel-pages-"));
    const child = spawn(
      executable,
      [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-extensions",
        "--disable-background-networking",
        "--disable-component-update",
        "--remote-debugging-pipe",
        `--user-data-dir=${profile}`,
        "about:blank",
      ],
      { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] },
    );
    return new Browser(child, profile);
  }

  constructor(child, profile) {
    this.child = child;
    this.profile = profile;
    this.next = 1;
    this.pending = new Map();
    /** @type {Map<string, Page>} by session */
    this.pages = new Map();
    let rest = "";
    child.stdio[4].setEncoding("utf8");
    child.stdio[4].on("data", (text) => {
      const messages = (rest + text).split("\0");
      rest = messages.pop();
      for (const message of messages) this.take(JSON.parse(message));
    });
  }

  take(message) {
    if (message.id === undefined) {
      this.pages.get(message.sessionId)?.take(message.method, message.params);
      return;
    }
    const { resolve, reject, method } = this.pending.get(message.id);
    this.pending.delete(message.id);
    if (message.error) reject(new Error(`${method}: ${message.error.message}`));
    else resolve(message.result);
  }

  /** @returns {Promise<any>} */
  send(method, params = {}, sessionId = undefined) {
    const id = this.next++;
    this.child.stdio[3].write(JSON.stringify({ id, method, params, sessionId }) + "\0");
    return new Promise((resolve, reject) => this.pending.set(id, { resolve, reject, method }));
  }

  /** A page with storage of its own. @param {{width?: number, height?: number, mobile?: boolean, dark?: boolean}} options */
  async newPage({ width = 1280, height = 832, mobile = false, dark = false } = {}) {
    const { browserContextId } = await this.send("Target.createBrowserContext");
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank", browserContextId });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page(this, sessionId, targetId);
    this.pages.set(sessionId, page);
    for (const domain of ["Page", "Runtime", "Network", "Log"]) await page.send(`${domain}.enable`);
    await page.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile });
    await page.send("Emulation.setEmulatedMedia", {
      features: [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }],
    });
    if (mobile) await page.send("Emulation.setTouchEmulationEnabled", { enabled: true });
    // From the beginning: enabled later, it may not yet hold for the next request.
    await page.send("Fetch.enable", { patterns: [{ urlPattern: "*/v1/*" }] });
    return page;
  }

  async close() {
    await this.send("Browser.close").catch(() => {});
    await new Promise((resolve) => (this.child.exitCode === null ? this.child.once("exit", resolve) : resolve()));
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

const kKeys = {
  Enter: [13, "\r"],
  Tab: [9],
  Escape: [27],
  End: [35],
  Home: [36],
  ArrowLeft: [37],
  ArrowUp: [38],
  ArrowRight: [39],
  ArrowDown: [40],
  Backspace: [8],
  Space: [32, " "],
};
const kModifiers = { Alt: 1, Control: 2, Meta: 4, Shift: 8 };

export class Page {
  constructor(browser, sessionId, targetId) {
    this.browser = browser;
    this.sessionId = sessionId;
    this.targetId = targetId;
    this.problems = []; // console errors, exceptions, dialogs
    this.requests = []; // URLs
    /** @type {(url: string) => {status?: number, headers?: Record<string, string>, body: string} | null} */
    this.answerer = () => null;
  }

  send(method, params = {}) {
    return this.browser.send(method, params, this.sessionId);
  }

  take(method, params) {
    if (method === "Runtime.exceptionThrown") {
      this.problems.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
    } else if (method === "Runtime.consoleAPICalled" && ["error", "warning"].includes(params.type)) {
      this.problems.push(params.args.map((argument) => argument.value ?? argument.description).join(" "));
    } else if (method === "Log.entryAdded" && ["error", "warning"].includes(params.entry.level)) {
      this.problems.push(`${params.entry.text} ${params.entry.url ?? ""}`);
    } else if (method === "Page.javascriptDialogOpening") {
      this.problems.push(`dialog: ${params.message}`);
      this.send("Page.handleJavaScriptDialog", { accept: false });
    } else if (method === "Network.requestWillBeSent") {
      this.requests.push(params.request.url);
    } else if (method === "Fetch.requestPaused") {
      this.answer(params);
    }
  }

  /** Lets a function answer requests in the server's place; null lets one through. */
  intercept(answerer) {
    this.answerer = answerer;
  }

  answer({ requestId, request }) {
    const answer = this.answerer(request.url);
    if (answer === null) return this.send("Fetch.continueRequest", { requestId });
    const headers = Object.entries(answer.headers ?? {}).map(([name, value]) => ({ name, value }));
    return this.send("Fetch.fulfillRequest", {
      requestId,
      responseCode: answer.status ?? 200,
      responseHeaders: headers,
      body: Buffer.from(answer.body).toString("base64"),
    });
  }

  async goto(url) {
    await this.send("Page.navigate", { url });
    await this.until(() => document.readyState === "complete" && location.href !== "about:blank");
  }

  async reload() {
    await this.evaluate(() => (window.old = true));
    await this.send("Page.reload");
    await this.until(() => document.readyState === "complete" && !window.old);
  }

  /** Runs a function in the page. @returns {Promise<any>} */
  async evaluate(body, ...values) {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", {
      expression: `(${body})(...${JSON.stringify(values)})`,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /** Waits until a function of the page gives something true. */
  async until(body, ...values) {
    const end = Date.now() + kTimeout;
    for (;;) {
      const value = await this.evaluate(body, ...values).catch((error) => {
        if (!/context|navigat/i.test(error.message)) throw error; // it is loading
      });
      if (value) return value;
      if (Date.now() > end) throw new Error(`waited in vain for ${body}`);
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
  }

  /** @param {string} selector @returns {Promise<string[]>} texts of all that match */
  texts(selector) {
    return this.evaluate((wanted) => Array.from(document.querySelectorAll(wanted), (node) => node.innerText), selector);
  }

  async click(selector) {
    const at = await this.until((wanted) => {
      const node = document.querySelector(wanted);
      node?.scrollIntoView({ block: "nearest" });
      const box = node?.getBoundingClientRect();
      return box?.width > 0 && { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    }, selector);
    await this.mouse("mouseMoved", at);
    await this.mouse("mousePressed", at);
    await this.mouse("mouseReleased", at);
  }

  mouse(type, { x, y }) {
    const button = type === "mouseMoved" ? "none" : "left";
    return this.send("Input.dispatchMouseEvent", { type, x, y, button, clickCount: button === "left" ? 1 : 0 });
  }

  /** Sets an input's value as its user would, but at once. */
  fill(id, value) {
    return this.evaluate(
      (name, text) => {
        const input = document.getElementById(name);
        input.value = text;
        input.dispatchEvent(new Event("input"));
      },
      id,
      value,
    );
  }

  /** As one paste or one swipe of a keyboard would. */
  type(text) {
    return this.send("Input.insertText", { text });
  }

  /** @param {string} combination such as "Control+Shift+O" */
  async press(combination) {
    const parts = combination.split("+");
    const key = parts.pop();
    const modifiers = parts.reduce((sum, name) => sum + kModifiers[name], 0);
    const [code, text] = kKeys[key] ?? [key.toUpperCase().charCodeAt(0), modifiers & 6 ? undefined : key];
    const event = { key: key === "Space" ? " " : key, code: key, windowsVirtualKeyCode: code, modifiers };
    await this.send("Input.dispatchKeyEvent", { ...event, type: text === undefined ? "rawKeyDown" : "keyDown", text });
    await this.send("Input.dispatchKeyEvent", { ...event, type: "keyUp" });
  }

  /** @returns {Promise<Buffer>} a PNG */
  async screenshot() {
    const { data } = await this.send("Page.captureScreenshot", { format: "png" });
    return Buffer.from(data, "base64");
  }

  close() {
    return this.browser.send("Target.closeTarget", { targetId: this.targetId });
  }
}
