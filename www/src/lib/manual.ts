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

/** A page, or one of its sections counted from 1: what fits a screen. */
type Place = PageName | `${PageName}?s=${number}`;
const fitting: Record<string, Place> = {
  gantt: "gantt", tickets: "tickets", import: "import", settings: "projects", overview: "projects", programs: "projects", account: "signin?s=6",
  export: "admin?s=5", policies: "admin?s=10", trust: "security?s=4", support: "admin?s=7",
  users: "admin?s=1", access: "members", master: "admin?s=2", tenant: "admin?s=4", ending: "admin?s=9", security: "security", log: "security?s=3", my: "tickets",
  enquiries: "enquiries", notices: "enquiries",
};
const fittingConsole: Record<string, Place> = {
  "": "contract", tenants: "contract", certificates: "contract", backups: "backup", terms: "register?s=3", documents: "register?s=1", policies: "register?s=1",
  registers: "register?s=2", trust: "register?s=4", operators: "operate?s=9", account: "signin?s=6", doctor: "operate?s=2", capacity: "operate?s=3", log: "operate?s=4",
  notices: "operate?s=5", incidents: "operate?s=6", desk: "operate?s=7",
};
export const pageForConsole = (screen: string): Place => fittingConsole[screen] ?? "operate";
export const pageFor = (screen: string): Place => fitting[screen] ?? "start";

/** The titles of a page's sections, in order. */
export const sectionsOf = (page: ManualPage) => [...page.text.matchAll(/^## (.*)$/gm)].map(([, title]) => title!);

/** A line as it is read: pictures and addresses of links are no text. */
const readable = (line: string) => (line.startsWith("![") ? "" : line.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1"));

/** Pages that hold every word, the line it is in, and the section that line is in (0: before the first). */
export function searchManual(pages: ManualPage[], q: string, fold: (text: string) => string) {
  const words = fold(q.trim()).split(/\s+/).filter(Boolean);
  return pages
    .map((page) => ({ page, lines: page.text.split("\n").map(readable) }))
    .filter(({ page, lines }) => words.every((w) => fold(`${page.title} ${lines.join("\n")}`).includes(w)))
    .map(({ page, lines }) => {
      const best = (l: string) => words.filter((w) => fold(l).includes(w)).length;
      const most = Math.max(...lines.map(best));
      const at = lines.findIndex((l) => best(l) === most);
      return { page, line: most ? lines[at]! : "", section: most ? lines.slice(0, at + 1).filter((l) => l.startsWith("## ")).length : 0 };
    });
}
