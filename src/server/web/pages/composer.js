/** The field where questions are typed; its button sends, or stops while an answer comes. */
import { byId, icon } from "./dom.js";

export class Composer {
  /** @param {{onSend: (text: string) => void, onStop: () => void, onEditLast: () => void}} handlers */
  constructor(handlers) {
    this.handlers = handlers;
    this.area = byId("question");
    this.button = byId("send");
    this.running = false;
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      if (this.running) handlers.onStop();
      else this.send();
    });
    this.area.addEventListener("input", () => this.fit());
    this.area.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      if (!this.running) this.send();
    } else if (event.key === "ArrowUp" && this.area.value === "") {
      event.preventDefault();
      this.handlers.onEditLast();
    }
  }

  send() {
    const text = this.area.value.trim();
    if (text === "") return;
    this.area.value = "";
    this.fit();
    this.handlers.onSend(text);
  }

  /** @param {string} text */
  fill(text) {
    this.area.value = text;
    this.fit();
    this.area.focus();
  }

  /** @param {boolean} running */
  setRunning(running) {
    this.running = running;
    const label = running ? "Stop" : "Send";
    this.button.classList.toggle("stops", running);
    this.button.setAttribute("aria-label", label);
    this.button.title = running ? "Stop (Esc)" : "Send (Enter)";
    this.button.replaceChildren(icon(running ? "stop" : "send"));
    this.fit();
  }

  fit() {
    this.button.disabled = !this.running && this.area.value.trim() === "";
    if (CSS.supports("field-sizing", "content")) return;
    this.area.style.height = "auto";
    this.area.style.height = `${this.area.scrollHeight}px`;
  }

  focus() {
    this.area.focus();
  }
}
