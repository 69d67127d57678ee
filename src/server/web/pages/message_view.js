/** Questions and answers on the page. */
import { copyFrom, element, icon, iconButton } from "./dom.js";
import { MarkdownView } from "./markdown_view.js";
import { shownAnswer } from "./store.js";

/** @typedef {import("./store.js").Question} Question @typedef {import("./store.js").Answers} Answers */

export class QuestionView {
  /**
   * @param {Question} turn
   * @param {(text: string) => void} onEdit
   */
  constructor(turn, onEdit) {
    this.turn = turn;
    this.onEdit = onEdit;
    this.node = element("article.message.question", { "aria-label": "You" });
    this.show();
  }

  show() {
    const copy = iconButton("copy", "Copy the question", () => copyFrom(this.turn.content, copy));
    this.node.replaceChildren(
      element("div.question-text", {}, this.turn.content),
      element(
        "div.message-bar",
        {},
        copy,
        iconButton("pencil", "Edit the question", () => this.edit()),
      ),
    );
  }

  edit() {
    const area = element("textarea", { "aria-label": "Edit the question" });
    const form = element(
      "form.edit-box",
      {
        onsubmit: (event) => {
          event.preventDefault();
          if (area.value.trim() !== "") this.onEdit(area.value.trim());
        },
      },
      area,
      element(
        "div",
        {},
        element("button.quiet-button", { type: "button", onclick: () => this.cancel() }, "Cancel"),
        element("button.main-button", { type: "submit" }, "Ask again"),
      ),
    );
    area.value = this.turn.content;
    area.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        event.stopPropagation();
        this.cancel();
      } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        form.requestSubmit();
      }
    });
    this.node.replaceChildren(form);
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
  }

  cancel() {
    this.show();
    this.node.querySelector('[aria-label="Edit the question"]').focus();
  }
}

export class AnswerView {
  /**
   * @param {Answers} turn
   * @param {{onRegenerate: () => void, onChoose: (index: number) => void}} handlers
   */
  constructor(turn, handlers) {
    this.turn = turn;
    this.handlers = handlers;
    this.prose = element("div.prose");
    this.markdown = new MarkdownView(this.prose);
    this.reasoningText = element("div.reasoning-text");
    this.reasoningLabel = element("span");
    this.reasoning = element(
      "details.reasoning",
      { hidden: true },
      element("summary", {}, icon("right"), this.reasoningLabel),
      this.reasoningText,
    );
    this.waiting = element(
      "div.waiting",
      { role: "img", "aria-label": "Waiting for the answer" },
      element("i"),
      element("i"),
      element("i"),
    );
    this.end = element("div");
    this.node = element(
      "article.message.answer",
      { "aria-label": "Answer" },
      this.reasoning,
      this.prose,
      this.waiting,
      this.end,
    );
  }

  /** @param {boolean} running whether the shown answer still comes */
  show(running) {
    const answer = shownAnswer(this.turn);
    this.node.setAttribute("aria-busy", String(running));
    this.markdown.show(answer.content);
    this.prose.hidden = answer.content === "";
    this.reasoning.hidden = answer.reasoning === "";
    if (this.reasoningText.textContent !== answer.reasoning) this.reasoningText.textContent = answer.reasoning;
    this.reasoningLabel.textContent = running && answer.content === "" ? "Thinking…" : "Thoughts";
    this.waiting.hidden = !running || answer.content !== "" || answer.reasoning !== "";
    this.end.replaceChildren(...(running ? [] : this.endNodes(answer)));
  }

  /** @param {import("./store.js").Answer} answer */
  endNodes(answer) {
    const { content, reasoning, finish } = answer;
    const lost = content === "" && reasoning === "" && finish === ""; // the page was closed before it came
    const error = answer.error || (lost ? "The answer was interrupted." : "");
    const failure =
      error &&
      element(
        "div.failure",
        { role: "alert" },
        icon("alert"),
        element("span", {}, error),
        element("button", { type: "button", onclick: this.handlers.onRegenerate }, "Retry"),
      );
    const copy = iconButton("copy", "Copy the answer", () => copyFrom(answer.content, copy));
    const bar = element(
      "div.message-bar",
      {},
      content !== "" && copy,
      iconButton("retry", "Regenerate the answer", this.handlers.onRegenerate),
      this.turn.answers.length > 1 && this.variantsNode(),
      statsNode(answer),
    );
    if (!failure) return [bar];
    return content === "" && this.turn.answers.length === 1 ? [failure] : [failure, bar];
  }

  variantsNode() {
    const { chosen, answers } = this.turn;
    const step = (name, label, index) =>
      iconButton(name, label, () => this.handlers.onChoose(index), { disabled: index < 0 || index >= answers.length });
    return element(
      "span.variants",
      { role: "group", "aria-label": "Answers to this question" },
      step("left", "The answer before", chosen - 1),
      `${chosen + 1} / ${answers.length}`,
      step("right", "The answer after", chosen + 1),
    );
  }
}

/** @param {import("./store.js").Answer} answer */
function statsNode(answer) {
  const { tokens, seconds, toFirst } = answer.stats ?? { tokens: null, seconds: 0, toFirst: null };
  const parts = [];
  const decode = seconds - (toFirst ?? 0);
  if (tokens !== null && tokens > 1 && decode > 0) parts.push(`${significant((tokens - 1) / decode)} tokens/s`);
  if (toFirst !== null) parts.push(`${duration(toFirst)} to the first`);
  if (tokens !== null) parts.push(`${tokens.toLocaleString("en")} ${tokens === 1 ? "token" : "tokens"}`);
  if (answer.finish === "length") parts.push("cut at the limit of tokens");
  if (answer.finish === "repetition") parts.push("ended: it went round in a circle");
  if (answer.finish === "stopped") parts.push("stopped");
  return element("span.stats", {}, ...parts.map((part) => element("span", {}, part)));
}

function significant(value) {
  return value >= 100 ? Math.round(value).toLocaleString("en") : value.toPrecision(value >= 10 ? 3 : 2);
}

function duration(seconds) {
  return seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${significant(seconds)} s`;
}
