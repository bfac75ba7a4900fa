// SPDX-License-Identifier: Apache-2.0
// The manual: Markdown pages in the binary, read once a language.
import { getFile } from "./api";
import type { Lang } from "./model";

export const pageNames = ["start", "signin", "tickets", "enquiries", "glossary", "projects", "gantt", "import", "members", "admin", "security", "install", "operate", "backup", "contract", "register"] as const;
export type PageName = (typeof pageNames)[number];
/** Who reads what: the pages in the order of the index. */
export const guides = [
  ["guide_everybody", ["start", "signin", "tickets", "enquiries", "glossary"]],
  ["guide_manager", ["projects", "gantt", "import", "members"]],
  ["guide_admin", ["admin", "security"]],
  ["guide_operator", ["install", "operate", "backup", "contract", "register"]],
] as const satisfies [string, PageName[]][];
export interface ManualPage {
  name: PageName;
  title: string;
  text: string; // without the title
}

const read: Partial<Record<Lang, Promise<ManualPage[]>>> = {};

export function readManual(lang: Lang): Promise<ManualPage[]> {
  return (read[lang] ??= Promise.all(
    pageNames.map(async (name) => {
      const whole = await getFile(`/manual/${lang}/${name}.md`);
      const end = whole.indexOf("\n");
      return { name, title: whole.slice(2, end).trim(), text: whole.slice(end + 1).trim() };
    }),
  ).catch((error) => {
    delete read[lang];
    throw error;
  }));
}

/** The page that fits a screen. */
const fitting: Record<string, PageName> = {
  gantt: "gantt", tickets: "tickets", import: "import", settings: "projects", overview: "projects", programs: "projects", account: "signin",
  export: "admin", policies: "security", trust: "security", support: "admin",
  users: "admin", access: "members", master: "admin", tenant: "admin", ending: "admin", security: "security", log: "security", my: "tickets", enquiries: "enquiries", notices: "enquiries",
};
const fittingConsole: Record<string, PageName> = {
  "": "contract", tenants: "contract", certificates: "contract", backups: "backup", terms: "register", documents: "register", registers: "register", operators: "install",
};
export const pageForConsole = (screen: string): PageName => fittingConsole[screen] ?? "operate";
export const pageFor = (screen: string): PageName => fitting[screen] ?? "start";

/** Pages that hold every word, and the line it is in. */
export function searchManual(pages: ManualPage[], q: string, fold: (text: string) => string) {
  const words = fold(q.trim()).split(/\s+/).filter(Boolean);
  return pages
    .filter((p) => words.every((w) => fold(`${p.title} ${p.text}`).includes(w)))
    .map((p) => ({ page: p, line: p.text.split("\n").find((l) => words.some((w) => fold(l).includes(w))) ?? "" }));
}
