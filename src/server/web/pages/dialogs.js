/** The page's dialogs, each as a promise of what was answered. */
import { apiKey } from "./api.js";
import { byId, element } from "./dom.js";

const kShortcuts = [
  ["Send the message", "Enter"],
  ["New line", "Shift Enter"],
  ["Stop the answer", "Esc"],
  ["Edit the last question", "↑"],
  ["New chat", "Ctrl ⇧ O"],
  ["To the message field", "/"],
  ["Show or hide conversations", "Ctrl ⇧ S"],
  ["Settings", "Ctrl ,"],
  ["This list", "?"],
];

export function showShortcuts() {
  byId("shortcut-list").replaceChildren(
    ...kShortcuts.flatMap(([what, keys]) => [
      element("dt", {}, what),
      element("dd", {}, ...keys.split(" ").flatMap((key) => [element("kbd", {}, key), " "])),
    ]),
  );
  byId("shortcuts").showModal();
}

/** @param {string} title @param {string} text @returns {Promise<boolean>} */
export function confirmDelete(title, text) {
  const dialog = byId("confirm");
  byId("confirm-title").textContent = title;
  byId("confirm-text").textContent = text;
  dialog.returnValue = "";
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

/** Asks for the API key. @param {string} error what the server said @returns {Promise<boolean>} false: cancelled */
export function askKey(error) {
  const dialog = byId("key-dialog");
  const input = byId("key");
  if (dialog.open) return Promise.resolve(false);
  byId("key-error").textContent = apiKey.get() === "" ? "" : error;
  input.value = "";
  dialog.returnValue = "";
  byId("key-form").onsubmit = () => {
    apiKey.set(input.value.trim());
    dialog.returnValue = "given";
  };
  byId("key-cancel").onclick = () => dialog.close("cancelled");
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue !== "cancelled" && dialog.returnValue !== ""), {
      once: true,
    });
  });
}
