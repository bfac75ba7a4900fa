// SPDX-License-Identifier: Apache-2.0
// What a person does with tickets: find, change at once, take back, settle a
// conflict, link, write, comment; and without a mouse.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { type Client, type Demo, removeDir, signedIn, startDemo } from "../../api/server.ts";
import { openBrowser, signInPage, watch } from "../browser.ts";

let demo: Demo;
let browser: Browser;
let page: Page;
let api: Client;
let problems: string[];
before(async () => {
  demo = await startDemo();
  browser = await openBrowser();
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "ja-JP" });
  page = await context.newPage();
  problems = watch(page);
  await signInPage(page, demo.ready, 0);
  api = await signedIn(demo, 1);
});
after(async () => {
  await browser?.close();
  await demo?.stop();
  if (demo) removeDir(demo);
});

const ticket = async (key: string) => (await api.get(`/tickets/${key}`)).body;
async function open(key: string) {
  await page.goto(`${demo.ready.url}/projects/ERP/tickets?ticket=${key}`);
  await page.locator("#f-priority").waitFor();
}
/** Waits until the server knows. */
async function stored(key: string, what: (t: any) => unknown, value: unknown) {
  for (let i = 0; i < 100; i++) {
    if (JSON.stringify(what(await ticket(key))) === JSON.stringify(value)) return;
    await page.waitForTimeout(50);
  }
  assert.deepEqual(what(await ticket(key)), value);
}

test("a field is saved when it changes, Ctrl+Z takes it back, Ctrl+Shift+Z does it again", async () => {
  await open("ERP-100");
  await page.locator("#f-priority").selectOption("urgent");
  await stored("ERP-100", (t) => t.priority, "urgent");
  await page.locator("h1").first().click();
  await page.keyboard.press("Control+z");
  await stored("ERP-100", (t) => t.priority, "medium");
  await page.locator("#f-priority:has(option:checked[value=medium])").waitFor();
  await page.keyboard.press("Control+Shift+z");
  await stored("ERP-100", (t) => t.priority, "urgent");
});

test("a day is typed as people type it; nonsense is named beside the field", async () => {
  await open("ERP-101");
  const due = page.locator("#f-due");
  await due.fill("2027/3/9");
  await due.press("Enter");
  await stored("ERP-101", (t) => t.due, "2027-03-09");
  await due.blur();
  assert.equal(await due.inputValue(), "2027/03/09 (火)");
  await due.fill("2027/2/30");
  await due.press("Enter");
  assert.equal(await due.getAttribute("aria-invalid"), "true");
  assert.equal(await due.inputValue(), "2027/2/30");
});

test("an end before the start is refused beside its field", async () => {
  const { planned_start } = await ticket("ERP-101");
  await open("ERP-101");
  const end = page.locator("#f-planned_end");
  await end.fill("2020/1/1");
  await end.press("Enter");
  await page.locator("#error-planned_end").waitFor();
  assert.equal((await ticket("ERP-101")).planned_start, planned_start);
});

test("the same field changed by two: both values are shown, nothing is lost silently", async () => {
  await open("ERP-102");
  const now = await ticket("ERP-102");
  await api.patch(`/tickets/${now.id}`, { subject: "ほかの人の件名" }, now.version);
  const subject = page.locator("textarea.subject");
  await subject.fill("自分の件名");
  await subject.press("Enter");
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  const text = await dialog.innerText();
  assert.ok(text.includes("自分の件名") && text.includes("ほかの人の件名"), text);
  await dialog.getByText("自分の変更で上書き").click();
  await stored("ERP-102", (t) => t.subject, "自分の件名");
});

test("another field changed by somebody else is no conflict", async () => {
  await open("ERP-103");
  const now = await ticket("ERP-103");
  await api.patch(`/tickets/${now.id}`, { priority: "low" }, now.version);
  await page.locator("#f-due").fill("2027/4/1");
  await page.locator("#f-due").press("Enter");
  await stored("ERP-103", (t) => [t.due, t.priority], ["2027-04-01", "low"]);
});

test("a predecessor is found by words, a cycle is refused with its path", async () => {
  const { successors } = await ticket("ERP-52");
  await open("ERP-52");
  const add = page.getByRole("combobox", { name: "先行を追加" });
  await add.click();
  await add.fill(successors[0].key);
  await page.getByRole("option").filter({ hasText: successors[0].key }).first().waitFor();
  await add.press("Enter");
  await page.getByRole("alert").filter({ hasText: "→" }).waitFor();
  await add.click();
  await add.fill("ERP-20");
  await page.getByRole("option").filter({ hasText: "ERP-20" }).first().waitFor();
  await add.press("Enter");
  await stored("ERP-52", (t) => t.predecessors.some((l: any) => l.key === "ERP-20"), true);
});

test("assignees are added by typing a name and removed by their mark", async () => {
  await open("ERP-104");
  const [first] = (await ticket("ERP-104")).assignees;
  const add = page.getByRole("combobox", { name: "担当者を追加" });
  await add.click();
  await add.fill("渡辺");
  await page.getByRole("option").filter({ hasText: "渡辺 さくら" }).waitFor();
  await add.press("Enter");
  await stored("ERP-104", (t) => t.assignees.length, 2);
  await page.getByRole("button", { name: `外す ${first.name}` }).click();
  await stored("ERP-104", (t) => t.assignees.map((a: any) => a.name), ["渡辺 さくら"]);
});

test("details are Markdown drawn as nodes, and a draft outlives the panel", async () => {
  await open("ERP-105");
  const section = page.locator("section", { has: page.getByRole("heading", { name: "詳細" }) }).last();
  await section.getByRole("button", { name: "編集" }).click();
  const area = section.locator("textarea");
  await area.fill("**太字** <img src=x onerror=alert(1)>\n\n- [x] 済み");
  await page.keyboard.press("Escape");
  await page.keyboard.press("Escape");
  await page.locator("textarea.subject").waitFor({ state: "detached" });
  await page.goBack();
  await area.waitFor();
  assert.match(await area.inputValue(), /太字/);
  await area.press("Control+Enter");
  await section.locator("strong", { hasText: "太字" }).waitFor();
  assert.equal(await section.locator("img").count(), 0);
});

test("a comment is said with Ctrl+Enter; the history shows before and after", async () => {
  await open("ERP-100");
  const area = page.getByRole("textbox", { name: "コメントする" });
  await area.fill("確認しました");
  await area.press("Control+Enter");
  await page.locator("article", { hasText: "確認しました" }).waitFor();
  await page.getByRole("tab", { name: "変更履歴" }).click();
  await page.locator("[role=tabpanel] li", { hasText: "緊急" }).first().waitFor();
});

test("a ticket is deleted and comes back by the message's undo", async () => {
  await open("ERP-106");
  await page.getByRole("button", { name: "その他の操作" }).first().click();
  await page.getByRole("menuitem", { name: "削除" }).click();
  await page.locator(".toast").getByRole("button", { name: "元に戻す" }).click();
  await stored("ERP-106", (t) => t.key, "ERP-106");
});

test("without a mouse: palette, list, panel, status in the list", async () => {
  await page.goto(`${demo.ready.url}/my`);
  await page.locator("h1").first().waitFor();
  await page.keyboard.press("Control+k");
  await page.keyboard.type("環境構成の設計");
  await page.getByRole("option").filter({ hasText: "環境構成の設計" }).first().waitFor();
  await page.keyboard.press("Enter");
  await page.locator("textarea.subject").waitFor();
  await page.keyboard.press("Escape");
  await page.locator("textarea.subject").waitFor({ state: "detached" });
  await page.locator("[data-row='0']").waitFor();
  await page.locator(".box").focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.waitForFunction(() => document.activeElement?.closest("[data-row]")?.getAttribute("data-row") === "1");
  await page.keyboard.press("Enter");
  await page.locator("textarea.subject").waitFor();
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "キーボード操作" }).waitFor();
  await page.keyboard.press("Escape");
});

test("the list keeps its filter in the address and changes a status in place", async () => {
  await page.goto(`${demo.ready.url}/projects/ERP/tickets?category=todo&sort=no`);
  const select = page.locator("tr[data-row='2'] select");
  await select.waitFor();
  const key = await page.locator("tr[data-row='2'] td").first().innerText();
  const values = await select.locator("option").evaluateAll((all) => all.map((o) => (o as HTMLOptionElement).value));
  await select.selectOption(values[1]!);
  await stored(key.trim(), (t) => t.status, values[1]);
  await page.getByRole("searchbox", { name: "検索" }).fill("設計");
  await page.waitForURL(/q=/);
  await page.reload();
  assert.equal(await page.getByRole("searchbox", { name: "検索" }).inputValue(), "設計");
});

test("a new ticket: C, subject, Enter", async () => {
  await page.goto(`${demo.ready.url}/projects/ERP/tickets`);
  await page.locator("[data-row='0']").waitFor();
  await page.locator(".box").focus();
  await page.keyboard.press("c");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.type("画面から追加したチケット");
  await page.keyboard.press("Enter");
  await page.locator("tr", { hasText: "画面から追加したチケット" }).waitFor();
});

test("the language switches at once, without a reload", async () => {
  await page.evaluate(() => ((window as any).same = true));
  await page.getByRole("button", { name: "言語" }).click();
  await page.getByRole("menuitemradio", { name: "English" }).click();
  await page.getByRole("heading", { name: "Tickets" }).waitFor();
  assert.equal(await page.evaluate(() => (window as any).same), true);
});

test("a language chosen as the page is left is kept, here and on the server", async () => {
  await page.goto(`${demo.ready.url}/projects/ERP/tickets`);
  let told = 0;
  // the first telling never arrives: the page is gone before it does
  await page.route("**/api/v1/me", (route) => (route.request().method() === "PATCH" && told++ === 0 ? undefined : route.continue()));
  await page.getByRole("button", { name: "Language" }).click();
  await page.getByRole("menuitemradio", { name: "日本語" }).click();
  await page.goto(`${demo.ready.url}/projects/ERP/tickets`);
  await page.getByRole("heading", { name: "チケット", exact: true }).waitFor();
  await page.waitForFunction(() => !Object.keys(sessionStorage).some((k) => k.endsWith(":language")));
  assert.equal(told, 2);
  assert.equal(await page.evaluate((url) => fetch(`${url}/api/v1/session`).then((r) => r.json()).then((s) => s.user.lang), demo.ready.url), "ja");
  await page.unroute("**/api/v1/me");
});

test("nothing broke the policy of the page", () => assert.deepEqual(problems, []));
