/** What the chat page shows before there is a conversation, and the models that there are. */
import { listModels } from "./api.js";
import { askKey } from "./dialogs.js";
import { byId, element } from "./dom.js";

const kSuggestions = [
  ["Explain a concept", "How does a paged KV cache save memory?"],
  ["Write some code", "Write a Python function that merges overlapping intervals."],
  ["Plan something", "Plan a weekend in Lisbon for two who like to walk."],
  ["Change the tone", "Rewrite “we cannot do that” so that it sounds helpful."],
];

/** @param {(text: string) => void} onChoose */
export function showSuggestions(onChoose) {
  byId("suggestions").replaceChildren(
    ...kSuggestions.map(([title, text]) =>
      element(
        "button.suggestion",
        { type: "button", onclick: () => onChoose(text) },
        element("b", {}, title),
        element("span", {}, text),
      ),
    ),
  );
}

/** @param {(defaults: Record<string, number | null>) => void} showDefaults is given the first model's */
export async function showModels(showDefaults) {
  const select = byId("model");
  try {
    const models = await listModels();
    select.replaceChildren(...models.map(({ id }) => element("option", { value: id }, id)));
    select.classList.toggle("single", models.length < 2);
    byId("welcome-model").textContent = `${models[0].id} answers.`;
    showDefaults(models[0].defaults);
  } catch (error) {
    if (error.status === 401 && (await askKey(error.message))) return showModels(showDefaults);
    byId("welcome-model").textContent = error.message;
  }
}
