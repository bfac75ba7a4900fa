// SPDX-License-Identifier: Apache-2.0
// Every word of the screens, in both languages, switched at once.
import { setRequestLanguage } from "./api";
import { en } from "./en";
import { fill } from "./fill";
import { ja, type Key } from "./ja";
import type { Lang } from "./model";

export type { Key, Lang };
const catalog: Record<Lang, Record<Key, string>> = { ja, en };

export const i18n = $state<{ lang: Lang }>({ lang: navigator.language.startsWith("ja") ? "ja" : "en" });

export function setLang(lang: Lang) {
  i18n.lang = lang;
  document.documentElement.lang = lang;
  document.title = catalog[lang].app_title;
  setRequestLanguage(lang);
}
setLang(i18n.lang);

/** t("tries", {n: 3}): {n} in the text is replaced; of {n:day|days} one word stays. */
export const t = (key: Key, values: Record<string, string | number> = {}) => tIn(i18n.lang, key, values);

/** The same in a given language: previews of what others will read. */
export function tIn(lang: Lang, key: Key, values: Record<string, string | number> = {}) {
  return fill(catalog[lang][key], values);
}

/** For words made of data ("action_" + action): the key if there is such a word. */
export const keyOf = (name: string): Key | null => (name in ja ? (name as Key) : null);

/** The member of an object with ja and en. */
export const word = (w: { ja: string; en: string }) => w[i18n.lang];
