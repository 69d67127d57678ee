/** The server's own endpoints, as these pages use them. */
import { readEvents } from "./sse.js";

const kKeyName = "caravel.api_key";

/** What the server, or the network, said instead of an answer. */
export class ApiError extends Error {
  /** @param {number} status 0: no answer at all */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** Kept for this tab alone. */
export const apiKey = {
  get: () => sessionStorage.getItem(kKeyName) ?? "",
  set: (key) => sessionStorage.setItem(kKeyName, key),
};

/**
 * @param {string} path
 * @param {RequestInit} options
 * @returns {Promise<Response>} of status 200
 */
export async function request(path, options = {}) {
  const key = apiKey.get();
  const headers = { ...options.headers, ...(key ? { Authorization: `Bearer ${key}` } : {}) };
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, "The server cannot be reached.");
  }
  if (response.ok) return response;
  throw new ApiError(response.status, await errorText(response));
}

async function errorText(response) {
  const text = await response.text().catch(() => "");
  try {
    return JSON.parse(text).error.message;
  } catch {
    return `The server answered ${response.status} ${response.statusText}`.trim();
  }
}

/**
 * The models, and what is drawn with where a request leaves it open.
 * @returns {Promise<{id: string, defaults: Record<string, number | null>}[]>}
 */
export async function listModels() {
  const models = await (await request("/v1/models")).json();
  return models.data.map((model) => ({ id: model.id, defaults: model.default_sampling_params ?? {} }));
}

/**
 * @typedef {{content: string, reasoning: string, finish: string, tokens: number | null, seconds: number,
 *   toFirst: number | null}} Progress an answer so far; times in seconds
 */

/**
 * Asks for an answer and tells how far it is whenever something came.
 * @param {object} body of /v1/chat/completions
 * @param {AbortSignal} signal
 * @param {(progress: Progress) => void} onProgress
 * @returns {Promise<Progress>} the whole
 */
export async function streamChat(body, signal, onProgress) {
  const begin = performance.now();
  const progress = { content: "", reasoning: "", finish: "", tokens: null, seconds: 0, toFirst: null };
  const response = await request("/v1/chat/completions", {
    method: "POST",
    signal,
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...body, stream: true, stream_options: { include_usage: true } }),
  });
  let complete = false;
  await readEvents(response, (data) => {
    if (data === "[DONE]") {
      complete = true;
      return;
    }
    const event = JSON.parse(data);
    if (event.error) throw new ApiError(event.error.code ?? 500, event.error.message);
    if (event.usage) progress.tokens = event.usage.completion_tokens;
    const choice = event.choices?.[0];
    if (choice === undefined) return;
    const content = choice.delta?.content ?? "";
    const reasoning = choice.delta?.reasoning_content ?? choice.delta?.reasoning ?? "";
    if (content || reasoning) {
      progress.seconds = (performance.now() - begin) / 1000;
      progress.toFirst ??= progress.seconds;
    }
    progress.content += content;
    progress.reasoning += reasoning;
    progress.finish = choice.finish_reason ?? progress.finish;
    if (choice.stop_reason === "repetition_detected") progress.finish = "repetition";
    onProgress(progress);
  });
  if (!complete && progress.finish === "") throw new ApiError(0, "The connection ended before the answer did.");
  return progress;
}
