/** Answers that come: one at most for each conversation, also for those that are not shown. */
import { ApiError, streamChat } from "./api.js";
import { askKey } from "./dialogs.js";
import { apiMessages, shownAnswer } from "./store.js";

const kSaveEvery = 1000; // milliseconds, so that a reload in the middle loses little

/** @typedef {import("./store.js").Conversation} Conversation */

export class Answering {
  /**
   * @param {import("./store.js").ConversationStore} store
   * @param {{request: () => Promise<object>, onProgress: (conversation: Conversation) => void,
   *   onEnd: (conversation: Conversation) => void}} handlers request: the fields beside the messages
   */
  constructor(store, handlers) {
    this.store = store;
    this.handlers = handlers;
    /** @type {Map<string, {conversation: Conversation, controller: AbortController}>} */
    this.runs = new Map();
  }

  /** @param {string} id */
  has(id) {
    return this.runs.has(id);
  }

  /** The conversation as the answer in work sees it. @param {string} id */
  conversation(id) {
    return this.runs.get(id)?.conversation ?? null;
  }

  /** @param {string} id */
  stop(id) {
    this.runs.get(id)?.controller.abort();
  }

  /** Stops, and keeps nothing of it. @param {string} id */
  forget(id) {
    this.stop(id);
    this.runs.delete(id);
  }

  /** Fills the shown answer of the last turn. @param {Conversation} conversation */
  async run(conversation) {
    const controller = new AbortController();
    const answer = shownAnswer(conversation.turns.at(-1));
    const messages = apiMessages(conversation, conversation.turns.length - 1);
    let saved = performance.now();
    const take = (progress) => {
      answer.content = progress.content;
      answer.reasoning = progress.reasoning;
      answer.finish = progress.finish;
      answer.stats = { tokens: progress.tokens, seconds: progress.seconds, toFirst: progress.toFirst };
      if (performance.now() - saved > kSaveEvery) {
        saved = performance.now();
        this.store.save(conversation);
      }
      this.handlers.onProgress(conversation);
    };
    const run = { conversation, controller };
    this.runs.set(conversation.id, run);
    try {
      while (!(await this.attempt(messages, controller, answer, take)));
    } finally {
      // Another run may have taken its place, or the conversation may be gone.
      if (this.runs.get(conversation.id) === run) {
        this.runs.delete(conversation.id);
        conversation.updated = Date.now();
        if (!this.store.save(conversation) && answer.error === "") {
          answer.error = "The browser has no room left to keep this conversation: export it, or delete others.";
        }
        this.handlers.onEnd(conversation);
      }
    }
  }

  /** @returns {Promise<boolean>} false: to be tried again, with another key */
  async attempt(messages, controller, answer, take) {
    try {
      const body = { ...(await this.handlers.request()), messages };
      take(await streamChat(body, controller.signal, take));
    } catch (error) {
      if (error.name === "AbortError") {
        answer.finish = "stopped";
      } else if (error instanceof ApiError && error.status === 401 && (await askKey(error.message))) {
        return false;
      } else {
        answer.error = error.message;
      }
    }
    return true;
  }
}
