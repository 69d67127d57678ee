/** The engine's events, for as long as the page is seen: reconnects by itself, and rests while the tab is hidden. */
import { request } from "./api.js";
import { readEvents } from "./sse.js";

const kFirstWait = 500; // milliseconds to the first new attempt; each later one waits twice as long
const kLongestWait = 8_000;

/** @typedef {"connecting" | "live" | "paused" | "reconnecting"} FeedState */

export class Feed {
  /**
   * @param {{onEvent: (event: any) => void, onState: (state: FeedState) => void,
   *   onStart: () => void, onKeyWanted: (message: string) => Promise<boolean>}} handlers
   *   onStart: the next event tells everything again
   */
  constructor(handlers) {
    this.handlers = handlers;
    this.controller = null;
    this.wait = kFirstWait;
    document.addEventListener("visibilitychange", () => (document.hidden ? this.pause() : this.start()));
    if (document.hidden) this.pause();
    else this.start();
  }

  pause() {
    this.controller?.abort();
    this.controller = null;
    this.handlers.onState("paused");
  }

  async start() {
    if (this.controller !== null) return;
    const controller = new AbortController();
    this.controller = controller;
    this.handlers.onState("connecting");
    while (this.controller === controller) {
      try {
        const response = await request("/dashboard/events", { signal: controller.signal });
        this.handlers.onStart();
        await readEvents(response, (data) => this.take(data));
      } catch (error) {
        if (error.name === "AbortError") return;
        if (error.status === 401 && (await this.handlers.onKeyWanted(error.message))) continue;
      }
      if (this.controller !== controller) return;
      this.handlers.onState("reconnecting");
      await new Promise((resolve) => setTimeout(resolve, this.wait));
      this.wait = Math.min(2 * this.wait, kLongestWait);
    }
  }

  take(data) {
    this.wait = kFirstWait;
    this.handlers.onState("live");
    this.handlers.onEvent(JSON.parse(data));
  }
}
