// SPDX-License-Identifier: Apache-2.0
// Light, dark or as the system says.  The choice belongs to the device, so it
// is remembered here and not on the server.
export type Theme = "auto" | "light" | "dark";
export const themes: Theme[] = ["auto", "light", "dark"];
const NAME = "yagura-theme";
const dark = matchMedia("(prefers-color-scheme: dark)");

function remembered(): Theme {
  try {
    const value = localStorage.getItem(NAME) as Theme;
    return themes.includes(value) ? value : "auto";
  } catch {
    return "auto"; // storage may be forbidden
  }
}

export const theme = $state({ choice: remembered(), isDark: false });

function apply() {
  theme.isDark = theme.choice === "dark" || (theme.choice === "auto" && dark.matches);
  document.documentElement.dataset.theme = theme.isDark ? "dark" : "light";
}
dark.addEventListener("change", apply);
apply();

export function setTheme(choice: Theme) {
  theme.choice = choice;
  apply();
  try {
    localStorage.setItem(NAME, choice);
  } catch {
    // it holds until the page is left
  }
}
