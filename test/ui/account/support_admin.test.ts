// SPDX-License-Identifier: Apache-2.0
// A supporter on all pages of administration: whatever can be pressed or
// changed there is not refused by the server, and what cannot says why.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { type Client, type Demo, removeDir, signedIn, signedInOperator, startDemo } from "../../api/server.ts";
import { look, openBrowser } from "../browser.ts";

let demo: Demo;
let browser: Browser;
let admin: Client;
before(async () => {
  demo = await startDemo();
  browser = await openBrowser();
  admin = await signedIn(demo, 0);
  // something to press on each page
  await admin.post("/groups", { name: "押す組" });
  await admin.post("/roles", { ja: "押す役", rights: ["project_view"] });
  await admin.post("/labels", { kind: "free", name: "押す札", color: "red" });
  await admin.post("/teams", { name: "押す班", color: "red", members: [] });
  await admin.post("/calendars", { name: "押す暦", weekdays: 62, holidays: true, days: [] });
  await admin.post("/contacts", { name: "押す 人", role: "窓口", email: "osu@kaku.example", phone: "" });
});
after(async () => {
  await browser?.close();
  await demo?.stop();
  if (demo) removeDir(demo);
});

async function entered(mayWrite: boolean): Promise<Page> {
  const oper = await signedInOperator(demo);
  const asked = (await oper.post("/tenants/kaku/support", { reason: "見て回る", hours: 2, may_write: mayWrite })).body;
  assert.equal((await admin.request("POST", `/support/${asked.id}/approve`, { hours: 2, may_write: mayWrite }, { "If-Match": `"${asked.version}"` })).status, 200);
  const { link } = (await oper.post(`/tenants/kaku/support/${asked.id}/open`, undefined)).body;
  const page = await (await browser.newContext({ viewport: { width: 1366, height: 900 }, locale: "ja-JP" })).newPage();
  await page.goto(link);
  await page.getByText(/がサポートのため/).first().waitFor();
  return page;
}

const live = ":not(:disabled):not([aria-disabled=true])";
const pages = [
  "/users", "/users/import", "/users/2/access", "/access", "/access?tab=groups", "/access?tab=everywhere", "/access?tab=access_reviews", "/master", "/master?tab=teams", "/master?tab=classifications",
  "/master?tab=calendars", "/tenant", "/security", "/export", "/support", "/ending", "/log", "/log?tab=access_log", "/log?tab=alerts", "/trust", "/policies", "/terms", "/",
];

/** Presses whatever can be pressed, in menus and dialogs that come up too; changes every field outside a search; says what was refused. */
async function walk(page: Page, path: string): Promise<string[]> {
  const refused: string[] = [];
  const listen = (r: import("playwright-core").Response) => {
    if (r.status() === 403 && r.request().method() !== "GET") refused.push(`${path}: ${r.request().method()} ${new URL(r.url()).pathname}`);
  };
  page.on("response", listen);
  const ready = async () => {
    await page.goto(demo.ready.url + path);
    await page.locator("main h1").first().waitFor();
    await page.waitForLoadState("networkidle");
  };
  await ready();
  const inside = `main button${live}:not([role=tab])`;
  const names = await page.locator(inside).evaluateAll((all) => all.filter((b) => !(b as HTMLElement).closest("a") && (b as HTMLElement).offsetParent !== null).map((b) => b.getAttribute("aria-label") || b.textContent!.trim()));
  const seen = new Set<string>(); // the same button of another row does the same
  for (const [i, name] of names.entries()) {
    const kind = name.replace(/ .*$/, "");
    if (["印刷", "サポートアクセスを終了"].includes(kind) || [...seen].filter((x) => x === kind).length || !seen.add(kind)) continue;
    const button = page.locator(inside).nth(i);
    await button.click({ timeout: 3000 }).catch(() => undefined);
    await page.waitForTimeout(60);
    const within = page.locator(`:is([role=menu], dialog[open]) button${live}`);
    for (let j = 0; j < (await within.count()) && j < 12; j++) {
      const label = (await within.nth(j).textContent().catch(() => "")) ?? "";
      if (/キャンセル|閉じる/.test(label) || !label.trim()) continue;
      await within.nth(j).click({ timeout: 2000 }).catch(() => undefined);
      await page.waitForTimeout(60);
      const form = page.locator(`dialog[open] form button${live}:not([type=button])`);
      if (await form.count()) refused.push(`${path}: ${name} > ${label.trim()} offers ${await form.first().textContent()}`);
      break; // it changed what is open; the rest comes by opening it again
    }
    const form = page.locator(`dialog[open] form button${live}:not([type=button])`);
    if (await form.count()) refused.push(`${path}: ${name} offers ${await form.first().textContent()}`);
    if (new URL(page.url()).pathname !== new URL(demo.ready.url + path).pathname || (await page.locator("dialog[open], [role=menu]").count())) await ready();
  }
  const forms = await page.locator(`main form:not([role=search]) button${live}:not([type=button])`).allTextContents();
  for (const text of forms) refused.push(`${path}: a form offers ${text.trim()}`);
  await page.locator("main").evaluate((main, live) => {
    for (const field of main.querySelectorAll<HTMLInputElement>(`:is(input, select, textarea)${live}`))
      if (field.type !== "search" && !field.closest("[role=search]")) field.dispatchEvent(new Event("change", { bubbles: true }));
  }, live);
  await page.waitForLoadState("networkidle");
  page.off("response", listen);
  return refused;
}

test("a supporter who may only read is offered nothing that would be refused", { timeout: 600_000 }, async () => {
  const page = await entered(false);
  const refused: string[] = [];
  for (const path of pages) refused.push(...(await walk(page, path)));
  assert.deepEqual(refused, []);
  await page.goto(`${demo.ready.url}/users`);
  const add = page.getByRole("button", { name: "ユーザーを招待" }).or(page.getByRole("button", { name: "ユーザーを追加" })).first();
  assert.equal(await add.getAttribute("title"), "サポートアクセスでは変更できません。");
  for (const [path, width] of [["/users", 1366], ["/access", 390], ["/security", 1366], ["/tenant", 390]] as const) {
    await page.setViewportSize({ width, height: 900 });
    await page.goto(demo.ready.url + path);
    await page.waitForLoadState("networkidle");
    await look(page, `support-admin${path.replace("/", "-")}-${width}`);
  }
});

test("one who may write reaches the master data, and is offered nothing else", { timeout: 600_000 }, async () => {
  const page = await entered(true);
  await page.goto(`${demo.ready.url}/master`);
  await page.getByRole("button", { name: /^その他の操作 押す札/ }).waitFor();
  assert.ok((await page.locator(`main button${live}`, { hasText: "追加" }).count()) > 0);
  await page.goto(`${demo.ready.url}/`); // work on what is there is his, a new project is not
  await page.getByRole("heading", { name: "プログラム" }).waitFor();
  for (const name of ["プログラムを追加", "プロジェクトを追加"]) assert.ok(await page.locator("main .title").getByRole("button", { name }).isDisabled(), name);
  const refused: string[] = [];
  for (const path of pages.filter((p) => !p.startsWith("/master") && p !== "/tenant" && p !== "/")) refused.push(...(await walk(page, path)));
  assert.deepEqual(refused, []);
});
