/** Light, dark, or as the system says; kept in localStorage, and put on the root before anything is painted. */
import { icon } from "./dom.js";

const kName = "caravel.theme";
const kThemes = ["auto", "light", "dark"];
const kIcons = { auto: "auto", light: "sun", dark: "moon" };

export function currentTheme() {
  const stored = localStorage.getItem(kName);
  return kThemes.includes(stored) ? stored : "auto";
}

function apply(theme) {
  document.documentElement.dataset.theme = theme;
}

/** Cycles on click. @param {HTMLElement} button */
export function bindThemeButton(button) {
  const show = () => {
    const theme = currentTheme();
    apply(theme);
    const label = `Theme: ${theme === "auto" ? "as the system" : theme}`;
    button.setAttribute("aria-label", label);
    button.title = label;
    button.querySelector(".icon")?.remove();
    button.prepend(icon(kIcons[theme]));
    window.dispatchEvent(new Event("themechange"));
  };
  button.addEventListener("click", () => {
    localStorage.setItem(kName, kThemes[(kThemes.indexOf(currentTheme()) + 1) % kThemes.length]);
    show();
  });
  window.addEventListener("storage", (event) => event.key === kName && show());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
  show();
}
