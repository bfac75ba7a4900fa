// SPDX-License-Identifier: Apache-2.0
// The master administrator arranges labels and teams; they are in use at once.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { type Client, type Demo, removeDir, signedIn, startDemo } from "../../api/server.ts";
import { look, openBrowser, signInPage, watch } from "../browser.ts";

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
  api = await signedIn(demo, 0);
});
after(async () => {
  await browser?.close();
  await demo?.stop();
  if (demo) removeDir(demo);
});
const shot = async (name: string) => {
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name}.png` });
};
const dialog = () => page.locator("dialog[open]");

async function addLabel(kind: string, name: string, color: string) {
  await page.getByRole("button", { name: `追加 ${kind}` }).click();
  await dialog().getByLabel("名前").fill(name);
  await dialog().getByText(color, { exact: true }).click();
  await dialog().getByRole("button", { name: "保存" }).click();
  await dialog().waitFor({ state: "detached" });
}

test("labels and teams are made, given to a ticket, found by, and merged", async () => {
  await page.goto(`${demo.ready.url}/master`);
  await addLabel("自由ラベル", "顧客要望", "赤");
  await addLabel("自由ラベル", "お客様要望", "橙");
  await addLabel("フェーズ名ラベル", "基本設計", "青");
  await shot("labels");
  await page.getByRole("tab", { name: "チーム" }).click();
  await page.getByRole("button", { name: "チームを追加" }).click();
  await dialog().getByLabel("名前").fill("基盤チーム");
  await shot("team-dialog");
  await dialog().getByRole("button", { name: "保存" }).click();
  await page.getByText("基盤チーム").waitFor();

  await page.goto(`${demo.ready.url}/projects/ERP/tickets?ticket=ERP-100`);
  await page.locator("#f-labels").selectOption({ label: "お客様要望" });
  await page.locator(".mark:has-text('お客様要望')").waitFor();
  await page.locator("#f-labels").selectOption({ label: "基本設計" });
  await page.locator(".mark:has-text('基本設計')").waitFor();
  await page.locator("#f-team").selectOption({ label: "基盤チーム" });
  await page.locator("h1").first().click();
  await shot("ticket-labels");
  await page.goto(`${demo.ready.url}/projects/ERP/tickets`);
  await page.getByRole("button", { name: /^ラベル: / }).click();
  await page.getByRole("menu").getByText("お客様要望", { exact: true }).click();
  await page.getByRole("status").filter({ hasText: /^1 件$/ }).waitFor();
  await page.locator("tbody .labels:has-text('お客様要望'), [role=row] .labels:has-text('お客様要望')").first().waitFor();
  await shot("list-labels");

  await page.goto(`${demo.ready.url}/projects/ERP/gantt?ticket=ERP-100`);
  await page.getByRole("checkbox", { name: "ラベル", exact: true }).check();
  await page.getByRole("searchbox", { name: "絞り込み" }).fill("移行リハーサル");
  await page.locator("[role=gridcell] .labels:has-text('お客様要望')").waitFor();
  await shot("gantt-labels");

  await page.goto(`${demo.ready.url}/master`);
  await page.getByRole("button", { name: "その他の操作 お客様要望" }).click();
  await page.getByRole("menuitem", { name: "統合" }).click();
  await dialog().getByLabel("統合先").selectOption({ label: "顧客要望" });
  await dialog().getByRole("button", { name: "統合" }).click();
  await dialog().waitFor({ state: "detached" });
  const ticket = (await api.get("/tickets/ERP-100")).body;
  const labels = (await api.get("/catalogue")).body.labels;
  assert.deepEqual(ticket.labels.map((id: string) => labels.find((l: any) => l.id === id).name).sort(), ["基本設計", "顧客要望"]);
  assert.deepEqual(problems, []);
});

test("a classification gets a status and fields, arranged by keyboard and by dragging; the panel has them at once", async () => {
  await page.goto(`${demo.ready.url}/master?tab=classifications`);
  await page.getByRole("button", { name: "編集 課題" }).first().click();
  await dialog().getByRole("tab", { name: "ステータス" }).click();
  await dialog().getByRole("button", { name: "ステータスを追加" }).click();
  await dialog().getByLabel("日本語名").last().fill("検討中");
  await dialog().getByLabel("英語名").last().fill("Considering");
  await shot("statuses");
  await dialog().getByRole("button", { name: "保存" }).click();
  await page.getByText("保存しました").first().waitFor();
  await dialog().getByRole("tab", { name: "項目" }).click();
  for (const [name, type] of [["影響額", "integer"], ["対応方針", "choice"]] as const) {
    await dialog().getByRole("button", { name: "項目を追加" }).click();
    await dialog().locator(".card").getByLabel("日本語名", { exact: true }).fill(name);
    await dialog().locator(".card").getByLabel("種類").selectOption(type);
  }
  for (const choice of ["受け入れる", "避ける"]) {
    await dialog().getByRole("button", { name: "選択肢を追加" }).click();
    await dialog().locator(".choice input[required]").last().fill(choice);
  }
  await dialog().getByRole("button", { name: "移動 対応方針" }).focus();
  await page.keyboard.press("Alt+ArrowRight");
  const columns = [1, 2].map((n) => dialog().getByRole("list", { name: `${n} 列目` }));
  await columns[1]!.getByText("対応方針").waitFor();
  await columns[0]!.getByRole("listitem").filter({ hasText: "影響額" }).dragTo(columns[1]!.getByRole("listitem").filter({ hasText: "対応方針" }));
  assert.deepEqual(await columns[1]!.locator("li .grow").allTextContents(), ["影響額", "対応方針"]);
  await columns[1]!.getByRole("listitem").filter({ hasText: "影響額" }).dragTo(columns[0]!);
  await columns[0]!.getByText("影響額").waitFor();
  await shot("fields");
  await dialog().getByRole("button", { name: "保存" }).click();
  await dialog().locator(".card").waitFor({ state: "detached" });
  await dialog().getByRole("tab", { name: "基本情報" }).click();
  await dialog().getByLabel("説明 期限").fill("契約の期限");
  await dialog().locator("li", { hasText: "実績工数" }).getByLabel("非表示").check();
  await shot("form");
  await dialog().getByRole("button", { name: "保存" }).click();
  for (let i = 0; i < 100 && !(await api.get("/catalogue")).body.standard.length; i++) await page.waitForTimeout(30);

  const erp = (await api.get("/programs")).body.projects.find((p: any) => p.key === "ERP");
  const made = (await api.post(`/projects/${erp.id}/tickets`, { subject: "費用の増加", classification: "issue" })).body;
  await page.goto(`${demo.ready.url}/projects/ERP/tickets?ticket=${made.key}`);
  const cost = page.getByLabel("影響額");
  await cost.fill("たくさん");
  await cost.press("Enter");
  await page.getByText("「影響額」は整数で入力してください").waitFor();
  await cost.fill("１２００");
  await cost.press("Enter");
  await page.getByLabel("対応方針").selectOption({ label: "避ける" });
  await page.getByText("契約の期限").waitFor();
  assert.equal(await page.locator("#f-actual").count(), 0);
  for (let i = 0; i < 100 && (await api.get(`/tickets/${made.id}`)).body.fields.length < 2; i++) await page.waitForTimeout(30);
  const values = (await api.get(`/tickets/${made.id}`)).body.fields.map((f: any) => f.value);
  assert.ok(values.includes("1200"), values.join());
  await shot("ticket-fields");
  await page.locator("h1").first().click();
  await page.keyboard.press("Control+z");
  for (let i = 0; i < 100 && (await api.get(`/tickets/${made.id}`)).body.fields.length > 1; i++) await page.waitForTimeout(30);
  assert.deepEqual((await api.get(`/tickets/${made.id}`)).body.fields.map((f: any) => f.value), ["1200"]);
  assert.deepEqual(problems, []);
});

test("on a phone the status sets and a long label are there", async () => {
  await api.post("/labels", { kind: "free", name: "基幹システム刷新推進本部", color: "red" });
  await page.setViewportSize({ width: 390, height: 800 });
  await page.goto(`${demo.ready.url}/master?tab=classifications`);
  await page.locator("li", { hasText: "課題" }).getByText("未対応").first().waitFor();
  await look(page, "classifications-390");
  await page.goto(`${demo.ready.url}/master`);
  const label = page.locator(".tag:has-text('基幹システム刷新推進本部')");
  await label.waitFor();
  assert.ok(await label.evaluate((e) => e.scrollWidth <= e.clientWidth), "the name is whole");
  await look(page, "labels-390");
  await page.setViewportSize({ width: 1280, height: 900 });
  assert.deepEqual(problems, []);
});

test("a calendar is made and chosen by a project; a company day is in it", async () => {
  await api.post("/labels", { kind: "project", name: "重点案件", color: "red" });
  await page.goto(`${demo.ready.url}/master?tab=calendars`);
  await page.getByRole("button", { name: "カレンダーを追加" }).click();
  await dialog().getByLabel("名前", { exact: true }).fill("週6日");
  await dialog().locator(".week label", { hasText: "土" }).click();
  await shot("calendar-dialog");
  await dialog().getByRole("button", { name: "保存" }).click();
  await page.locator("li", { hasText: "週6日" }).waitFor();
  await page.goto(`${demo.ready.url}/projects/ERP/settings`);
  // who is quicker than the server: the second change waits for the first
  await page.route("**/api/v1/projects/*", async (route) => {
    if (route.request().method() === "PATCH") await new Promise((done) => setTimeout(done, 300));
    await route.continue();
  });
  await page.getByLabel("使うカレンダー").selectOption({ label: "週6日" });
  await page.getByLabel("ラベル", { exact: true }).selectOption({ label: "重点案件" });
  const erp = (await api.get("/programs")).body.projects.find((p: any) => p.key === "ERP");
  const mine = async () => (await api.get("/calendars")).body.items.find((c: any) => c.name === "週6日");
  for (let i = 0; i < 100 && (await mine()).projects !== 1; i++) await page.waitForTimeout(30);
  assert.equal((await api.get(`/projects/${erp.id}`)).body.calendar_id, (await mine()).id);
  assert.equal((await mine()).calendar.weekdays, 126);
  await page.locator(".mark:has-text('重点案件')").waitFor();
  await page.goto(`${demo.ready.url}/projects/ERP`);
  await page.locator(".title .tag:has-text('重点案件')").waitFor();
  assert.deepEqual(problems, []);
});
