/** The chat page: ties conversations, answers and controls together. */
import { Answering } from "./answering.js";
import { Composer } from "./composer.js";
import { confirmDelete, showShortcuts } from "./dialogs.js";
import { byId, fillIcons } from "./dom.js";
import { Follower } from "./follower.js";
import { AnswerView, QuestionView } from "./message_view.js";
import { Settings } from "./settings.js";
import { Sidebar } from "./sidebar.js";
import { ConversationStore, emptyAnswer, exportConversation, shownAnswer } from "./store.js";
import { bindThemeButton } from "./theme.js";
import { showModels, showSuggestions } from "./welcome.js";

const kTitleLength = 60;
class Chat {
  constructor() {
    this.store = new ConversationStore();
    this.answering = new Answering(this.store, {
      request: () => this.requestFields(),
      onProgress: (conversation) => this.scheduleShow(conversation),
      onEnd: (conversation) => this.answerEnded(conversation),
    });
    this.settings = new Settings(byId("settings"), {
      onClose: () => this.toggleSettings(false),
      onSystem: (system) => this.changeSystem(system),
    });
    this.sidebar = new Sidebar(this.store, {
      onOpen: (id) => this.open(id),
      onRename: (id, title) => this.rename(id, title),
      onExport: (id) => exportConversation(this.answering.conversation(id) ?? this.store.load(id)),
      onRemove: (summary) => this.remove(summary),
    });
    this.composer = new Composer({
      onSend: (text) => this.ask(text),
      onStop: () => this.answering.stop(this.conversation.id),
      onEditLast: () => this.views.findLast((view) => view instanceof QuestionView)?.edit(),
    });
    this.follower = new Follower(byId("scroller"), byId("jump"));
    /** @type {(QuestionView | AnswerView)[]} [turns of the conversation] */
    this.views = [];
    this.frame = 0;
    byId("new-chat").addEventListener("click", () => this.startNew());
    byId("open-settings").addEventListener("click", () => this.toggleSettings());
    byId("show-shortcuts").addEventListener("click", showShortcuts);
    document.addEventListener("keydown", (event) => this.key(event));
    window.addEventListener("pagehide", () => this.running && this.store.save(this.conversation));
    window.addEventListener("hashchange", () => this.open(location.hash.slice(1)));
    showSuggestions((text) => this.composer.fill(text));
    if (this.store.load(location.hash.slice(1)) !== null) this.open(location.hash.slice(1));
    else this.startNew();
    this.models = this.showModels();
  }

  get running() {
    return this.answering.has(this.conversation.id);
  }

  showModels() {
    return showModels((defaults) => this.settings.showDefaults(defaults));
  }

  // -- Which conversation is shown.

  startNew() {
    this.show(this.store.create(this.settings.systemPrompt));
    history.replaceState(null, "", location.pathname);
    this.composer.focus();
  }

  open(id) {
    const conversation = this.answering.conversation(id) ?? this.store.load(id);
    if (conversation === null || conversation.id === this.conversation?.id) {
      this.sidebar.closeDrawer();
      return;
    }
    this.show(conversation);
    history.replaceState(null, "", `#${id}`);
    if (!this.sidebar.isDrawer) this.composer.focus();
  }

  show(conversation) {
    this.conversation = conversation;
    this.views = [];
    byId("messages").replaceChildren();
    this.settings.showSystem(conversation.system);
    this.sidebar.setCurrent(conversation.id);
    this.sidebar.closeDrawer();
    this.showTurns();
    this.follower.toEnd();
  }

  /** Makes the views fit the turns: those after the first that differs are made again. */
  showTurns() {
    const { turns } = this.conversation;
    let same = 0;
    while (same < this.views.length && this.views[same].turn === turns[same]) ++same;
    for (const view of this.views.splice(same)) view.node.remove();
    turns.slice(same).forEach((turn, i) => {
      const view = this.makeView(turn, same + i);
      this.views.push(view);
      byId("messages").append(view.node);
    });
    this.views.forEach((view, i) => view instanceof AnswerView && view.show(this.running && i === turns.length - 1));
    byId("welcome").hidden = turns.length > 0;
    this.composer.setRunning(this.running);
    document.title = this.conversation.title ? `${this.conversation.title} · Caravel` : "Caravel";
    this.follower.grown();
  }

  makeView(turn, place) {
    if (turn.role === "user") return new QuestionView(turn, (text) => this.editQuestion(place, text));
    return new AnswerView(turn, {
      onRegenerate: () => this.regenerate(place),
      onChoose: (index) => this.choose(place, index),
    });
  }

  // -- Questions and answers.

  ask(text) {
    const { conversation } = this;
    if (conversation.title === "") {
      conversation.title = text.split("\n")[0].slice(0, kTitleLength);
      history.replaceState(null, "", `#${conversation.id}`);
    }
    conversation.turns.push(
      { role: "user", content: text },
      { role: "assistant", answers: [emptyAnswer()], chosen: 0 },
    );
    this.answer();
  }

  editQuestion(place, text) {
    this.answering.stop(this.conversation.id);
    this.branch();
    this.conversation.turns.splice(place);
    this.ask(text);
    this.composer.focus();
  }

  regenerate(place) {
    this.answering.stop(this.conversation.id);
    this.branch();
    this.conversation.turns.splice(place + 1);
    const turn = this.conversation.turns[place];
    if (shownAnswer(turn).error !== "") turn.answers.splice(turn.chosen, 1);
    turn.answers.push(emptyAnswer());
    turn.chosen = turn.answers.length - 1;
    this.answer();
    this.composer.focus();
  }

  /** An answer that was just stopped ends in a moment, and must not write into what comes now. */
  branch() {
    if (this.running) this.conversation = structuredClone(this.conversation);
  }

  answer() {
    const { conversation } = this;
    conversation.updated = Date.now();
    this.store.save(conversation);
    this.sidebar.setCurrent(conversation.id);
    this.answering.run(conversation);
    this.showTurns();
    this.follower.toEnd();
    this.announce("Answering");
  }

  choose(place, index) {
    this.conversation.turns[place].chosen = index;
    this.store.save(this.conversation);
    this.showTurns();
  }

  async requestFields() {
    await this.models;
    if (byId("model").value === "") await (this.models = this.showModels()); // the server was not there
    return { model: byId("model").value, ...this.settings.sampling() };
  }

  scheduleShow(conversation) {
    if (conversation !== this.conversation || this.frame !== 0) return;
    this.frame = requestAnimationFrame(() => {
      this.frame = 0;
      const view = this.views.at(-1);
      if (view instanceof AnswerView) view.show(this.running);
      this.follower.grown();
    });
  }

  answerEnded(conversation) {
    if (conversation !== this.conversation) return;
    this.showTurns();
    const answer = shownAnswer(conversation.turns.at(-1));
    if (answer.error === "") this.announce(`${answer.finish === "stopped" ? "Stopped" : "Answer"}: ${answer.content}`);
  }

  announce(text) {
    byId("announcer").textContent = text;
  }

  // -- The rest of the page.

  rename(id, title) {
    const live = this.answering.conversation(id) ?? (id === this.conversation.id ? this.conversation : null);
    if (live !== null) live.title = title;
    this.store.rename(id, title);
    if (live === this.conversation) this.showTurns();
  }

  async remove(summary) {
    const sure = await confirmDelete("Delete this conversation?", `“${summary.title}” will be gone for good.`);
    if (!sure) return;
    this.answering.forget(summary.id);
    this.store.remove(summary.id);
    if (summary.id === this.conversation.id) this.startNew();
  }

  changeSystem(system) {
    this.conversation.system = system;
    if (this.conversation.turns.length > 0) this.store.save(this.conversation);
  }

  toggleSettings(open = byId("settings").hidden) {
    byId("settings").hidden = !open;
    byId("open-settings").setAttribute("aria-expanded", String(open));
    (open ? byId("system") : byId("open-settings")).focus();
  }

  key(event) {
    const typing = event.target.matches("input, textarea, select");
    const control = event.ctrlKey || event.metaKey;
    const key = event.key.toLowerCase();
    if (document.querySelector("dialog[open]")) return;
    if (event.key === "Escape") this.escape();
    else if (control && event.shiftKey && key === "o") this.startNew();
    else if (control && event.shiftKey && key === "s") this.sidebar.setOpen(!this.sidebar.isOpen);
    else if (control && key === ",") this.toggleSettings();
    else if (!typing && !control && key === "/") this.composer.focus();
    else if (!typing && !control && key === "?") showShortcuts();
    else return;
    event.preventDefault();
  }

  escape() {
    if (this.sidebar.isDrawer && this.sidebar.isOpen) this.sidebar.setOpen(false);
    else if (this.running) this.answering.stop(this.conversation.id);
    else if (!byId("settings").hidden) this.toggleSettings(false);
  }
}

fillIcons();
bindThemeButton(byId("theme"));
new Chat();
