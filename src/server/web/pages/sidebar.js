/** The list of kept conversations, and the drawer that it becomes on a narrow screen. */
import { byId, element, iconButton } from "./dom.js";

/** @typedef {import("./store.js").Summary} Summary */

const kNarrow = matchMedia("(max-width: 46rem)");
const kClosedName = "caravel.sidebar_closed";

export class Sidebar {
  /**
   * @param {import("./store.js").ConversationStore} store
   * @param {{onOpen: (id: string) => void, onRename: (id: string, title: string) => void,
   *   onExport: (id: string) => void, onRemove: (summary: Summary) => void}} handlers
   */
  constructor(store, handlers) {
    this.store = store;
    this.handlers = handlers;
    this.list = byId("conversation-list");
    this.current = "";
    this.renaming = "";
    byId("close-sidebar").addEventListener("click", () => this.setOpen(false));
    byId("open-sidebar").addEventListener("click", () => this.setOpen(true));
    byId("scrim").addEventListener("click", () => this.setOpen(false));
    store.addEventListener("change", () => this.show());
    kNarrow.addEventListener("change", () => this.applyWidth());
    this.applyWidth();
    this.show();
  }

  get isDrawer() {
    return kNarrow.matches;
  }

  get isOpen() {
    return !document.body.classList.contains("sidebar-closed");
  }

  applyWidth() {
    this.place(!this.isDrawer && localStorage.getItem(kClosedName) !== "1");
  }

  setOpen(open) {
    if (!this.isDrawer) localStorage.setItem(kClosedName, open ? "0" : "1");
    this.place(open);
    byId(open ? "close-sidebar" : "open-sidebar").focus();
  }

  place(open) {
    document.body.classList.toggle("sidebar-closed", !open);
    byId("scrim").hidden = !(open && this.isDrawer);
    byId("open-sidebar").setAttribute("aria-expanded", String(open));
    // Behind a drawer nothing can be reached.
    document.querySelector("main").inert = open && this.isDrawer;
  }

  closeDrawer() {
    if (this.isDrawer && this.isOpen) this.place(false);
  }

  /** @param {string} id */
  setCurrent(id) {
    this.current = id;
    this.show();
  }

  show() {
    if (this.renaming !== "") return; // a name is being typed
    const focused = /** @type {HTMLElement} */ (document.activeElement)?.dataset?.conversation;
    const conversations = this.store.list();
    const groups = new Map();
    for (const summary of conversations) {
      const age = ageOf(summary.updated);
      groups.set(age, [...(groups.get(age) ?? []), summary]);
    }
    this.list.replaceChildren(
      ...[...groups].flatMap(([age, members]) => [
        element("h2", {}, age),
        element("ul", {}, ...members.map((summary) => this.itemNode(summary))),
      ]),
    );
    if (conversations.length === 0) {
      this.list.append(element("p.empty", {}, "Conversations are kept in this browser, and nowhere else."));
    }
    if (focused) this.list.querySelector(`[data-conversation="${focused}"]`)?.focus();
  }

  /** @param {Summary} summary */
  itemNode(summary) {
    const title = summary.title || "New chat";
    const current = summary.id === this.current;
    const item = element(
      current ? "li.conversation.current" : "li.conversation",
      {},
      element(
        "button.conversation-title",
        {
          type: "button",
          title,
          "data-conversation": summary.id,
          "aria-current": current ? "page" : null,
          onclick: () => this.handlers.onOpen(summary.id),
        },
        title,
      ),
      element(
        "div.conversation-buttons",
        {},
        iconButton("pencil", `Rename “${title}”`, () => this.rename(summary, item)),
        iconButton("download", `Export “${title}”`, () => this.handlers.onExport(summary.id)),
        iconButton("trash", `Delete “${title}”`, () => this.handlers.onRemove(summary)),
      ),
    );
    return item;
  }

  rename(summary, item) {
    const input = element("input", { "aria-label": "Name of the conversation", maxlength: 120 });
    const end = (keep) => {
      if (this.renaming === "") return;
      this.renaming = "";
      if (keep && input.value.trim() !== "") this.handlers.onRename(summary.id, input.value.trim());
      this.show();
      this.list.querySelector(`[data-conversation="${summary.id}"]`)?.focus();
    };
    this.renaming = summary.id;
    input.value = summary.title;
    input.addEventListener("blur", () => end(true));
    input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      end(event.key === "Enter");
    });
    item.replaceChildren(input);
    input.focus();
    input.select();
  }
}

/** @param {number} time */
function ageOf(time) {
  const midnight = new Date().setHours(0, 0, 0, 0);
  const days = Math.ceil((midnight - time) / 86_400_000);
  return days <= 0
    ? "Today"
    : days === 1
      ? "Yesterday"
      : days <= 7
        ? "Last week"
        : days <= 31
          ? "Last month"
          : "Earlier";
}
