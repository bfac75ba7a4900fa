// SPDX-License-Identifier: Apache-2.0
// The master administrator arranges labels and teams; they are in use at once.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { type Client, type Demo, removeDir, signedIn, startDemo } from "../api/server.ts";
import { openBrowser, signInPage, watch } from "./browser.ts";

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
  await page.getByLabel("ラベル", { exact: true }).selectOption({ label: "お客様要望" });
  await page.locator(".count:has-text('1')").waitFor();
  await page.locator("tbody .labels:has-text('お客様要望'), [role=row] .labels:has-text('お客様要望')").first().waitFor();
  await shot("list-labels");

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
