/**
 * Conversations in this browser's localStorage: one entry each, and an index of all.
 *
 * @typedef {{tokens: number | null, seconds: number, toFirst: number | null}} AnswerStats times in seconds
 * @typedef {{content: string, reasoning: string, finish: string, error: string, stats: AnswerStats | null}} Answer
 *   finish: the API's, "repetition", "stopped" by the reader, or "" while it comes or where it failed
 * @typedef {{role: "user", content: string}} Question
 * @typedef {{role: "assistant", answers: Answer[], chosen: number}} Answers to one question; one is shown
 * @typedef {{id: string, title: string, updated: number, system: string, turns: (Question | Answers)[]}} Conversation
 * @typedef {{id: string, title: string, updated: number}} Summary
 */
const kIndex = "caravel.chats";
const kPrefix = "caravel.chat.";

/** Tells "change" when the list has changed, in this tab or another. */
export class ConversationStore extends EventTarget {
  constructor() {
    super();
    window.addEventListener("storage", (event) => event.key === kIndex && this.dispatchEvent(new Event("change")));
  }

  /** @returns {Summary[]} the newest first */
  list() {
    return read(kIndex, []).sort((a, b) => b.updated - a.updated);
  }

  /** @param {string} system @returns {Conversation} kept once it is saved */
  create(system) {
    // randomUUID is there on https and localhost alone.
    const id = Array.from(crypto.getRandomValues(new Uint8Array(8)), (byte) => byte.toString(16).padStart(2, "0")).join(
      "",
    );
    return { id, title: "", updated: Date.now(), system, turns: [] };
  }

  /** @param {string} id @returns {Conversation | null} */
  load(id) {
    return read(kPrefix + id, null);
  }

  /**
   * @param {Conversation} conversation
   * @returns {boolean} false where the browser has no room left
   */
  save(conversation) {
    try {
      localStorage.setItem(kPrefix + conversation.id, JSON.stringify(conversation));
      const { id, title, updated } = conversation;
      this.writeIndex([{ id, title, updated }, ...this.list().filter((other) => other.id !== id)]);
      return true;
    } catch {
      return false;
    }
  }

  /** @param {string} id @param {string} title */
  rename(id, title) {
    const conversation = this.load(id);
    if (conversation !== null) this.save({ ...conversation, title });
  }

  /** @param {string} id */
  remove(id) {
    localStorage.removeItem(kPrefix + id);
    this.writeIndex(this.list().filter((other) => other.id !== id));
  }

  writeIndex(list) {
    localStorage.setItem(kIndex, JSON.stringify(list));
    this.dispatchEvent(new Event("change"));
  }
}

function read(name, otherwise) {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** @returns {Answer} */
export function emptyAnswer() {
  return { content: "", reasoning: "", finish: "", error: "", stats: null };
}

/** The answer that is shown. @param {Answers} turn @returns {Answer} */
export function shownAnswer(turn) {
  return turn.answers[turn.chosen];
}

/**
 * As /v1/chat/completions takes it.
 * @param {Conversation} conversation
 * @param {number} turns how many of them
 */
export function apiMessages(conversation, turns = conversation.turns.length) {
  const messages = conversation.turns
    .slice(0, turns)
    .map((turn) =>
      turn.role === "user"
        ? { role: "user", content: turn.content }
        : { role: "assistant", content: shownAnswer(turn).content },
    );
  return conversation.system.trim() === "" ? messages : [{ role: "system", content: conversation.system }, ...messages];
}

/** A file for the reader: the messages in the API's form. @param {Conversation} conversation */
export function exportConversation(conversation) {
  const text = JSON.stringify({ title: conversation.title, messages: apiMessages(conversation) }, null, 2);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text + "\n"], { type: "application/json" }));
  link.download = `${
    conversation.title
      .replace(/[^\p{L}\p{N}]+/gu, "-")
      .replace(/^-+|-+$/g, "")
      .slice(0, 40) || "chat"
  }.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
