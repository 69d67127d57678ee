/** The panel of sampling controls and the system prompt. What is left empty is not sent: the model's own counts. */
import { element, iconButton } from "./dom.js";

const kName = "caravel.settings";

const kFields = [
  {
    name: "temperature",
    label: "Temperature",
    about: "0 always takes the likeliest token; more is more varied.",
    min: 0,
    max: 2,
    step: 0.05,
  },
  {
    name: "top_p",
    label: "Top P",
    about: "Only the likeliest tokens that together have this probability.",
    min: 0.05,
    max: 1,
    step: 0.01,
  },
  {
    name: "top_k",
    label: "Top K",
    about: "Only so many of the likeliest tokens; 0: all.",
    min: 0,
    max: 200,
    step: 1,
  },
  {
    name: "min_p",
    label: "Min P",
    about: "Only tokens this likely, measured against the likeliest.",
    min: 0,
    max: 1,
    step: 0.01,
  },
  { name: "max_tokens", label: "Max tokens", about: "An answer is cut after so many.", min: 1, step: 1 },
  { name: "seed", label: "Seed", about: "The same seed and settings give the same answer.", min: 0, step: 1 },
];

export class Settings {
  /**
   * @param {HTMLElement} panel
   * @param {{onClose: () => void, onSystem: (system: string) => void}} handlers
   */
  constructor(panel, handlers) {
    this.stored = readStored();
    /** @type {Record<string, number | null>} */
    this.defaults = {};
    this.handlers = handlers;
    /** @type {Map<string, {number: HTMLInputElement, range: HTMLInputElement | null, field: any}>} */
    this.inputs = new Map();
    this.system = element("textarea", {
      id: "system",
      rows: 4,
      placeholder: "How the model should answer",
      oninput: () => this.changeSystem(),
    });
    this.system.value = this.systemPrompt;
    panel.replaceChildren(
      element(
        "div.settings-head",
        {},
        element("h2", {}, "Settings"),
        iconButton("close", "Close settings", handlers.onClose),
      ),
      element(
        "div.setting",
        {},
        element("label.setting-head", { for: "system" }, "System prompt"),
        element("p.about", {}, "For this conversation, and for new ones."),
        this.system,
      ),
      ...kFields.map((field) => this.fieldNode(field)),
      element("button.quiet-button", { type: "button", onclick: () => this.reset() }, "Back to the model's defaults"),
    );
  }

  get systemPrompt() {
    return this.stored.system ?? "";
  }

  /** What the server draws with where a field is left empty. @param {Record<string, number | null>} defaults */
  showDefaults(defaults) {
    this.defaults = defaults;
    for (const { number, field } of this.inputs.values()) {
      number.placeholder = defaults[field.name] ?? "default";
      this.moveRange(field);
    }
  }

  /** The slider stands where the number does, or the default. */
  moveRange(field) {
    const { number, range } = this.inputs.get(field.name);
    if (range !== null) range.value = number.value === "" ? (this.defaults[field.name] ?? field.min) : number.value;
  }

  /** The fields of a request. */
  sampling() {
    const fields = {};
    for (const [name, { number }] of this.inputs) {
      if (number.value !== "" && number.validity.valid) fields[name] = Number(number.value);
    }
    return fields;
  }

  /** Shows a conversation's own. @param {string} system */
  showSystem(system) {
    this.system.value = system;
  }

  changeSystem() {
    this.stored.system = this.system.value;
    this.save();
    this.handlers.onSystem(this.system.value);
  }

  fieldNode(field) {
    const id = `setting-${field.name}`;
    const number = element("input", {
      id,
      type: "number",
      min: field.min,
      max: field.max,
      step: field.step === 1 ? 1 : "any",
      placeholder: "default",
      "aria-describedby": `${id}-about`,
      oninput: () => this.changeNumber(field),
    });
    number.value = this.stored[field.name] ?? "";
    const range =
      field.max === undefined
        ? null
        : element("input", {
            type: "range",
            min: field.min,
            max: field.max,
            step: field.step,
            "aria-label": field.label,
            oninput: () => this.changeRange(field),
          });
    this.inputs.set(field.name, { number, range, field });
    this.moveRange(field);
    return element(
      "div.setting",
      {},
      element("div.setting-head", {}, element("label", { for: id }, field.label), number),
      range,
      element("p.about", { id: `${id}-about` }, field.about),
    );
  }

  changeNumber(field) {
    const { number } = this.inputs.get(field.name);
    this.moveRange(field);
    if (number.validity.valid) this.store(field.name, number.value);
  }

  changeRange(field) {
    const { number, range } = this.inputs.get(field.name);
    number.value = range.value;
    this.store(field.name, number.value);
  }

  store(name, value) {
    if (value === "") delete this.stored[name];
    else this.stored[name] = value;
    this.save();
  }

  reset() {
    for (const { number, field } of this.inputs.values()) {
      number.value = "";
      this.moveRange(field);
      delete this.stored[field.name];
    }
    this.save();
  }

  save() {
    localStorage.setItem(kName, JSON.stringify(this.stored));
  }
}

function readStored() {
  try {
    return JSON.parse(localStorage.getItem(kName)) ?? {};
  } catch {
    return {};
  }
}
