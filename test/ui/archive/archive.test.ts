// SPDX-License-Identifier: Apache-2.0
// A master administrator takes everything along; so does one who does not
// accept the terms.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { sha256, unzip } from "../../api/archive.ts";
import { type Demo, removeDir, signedInOperator, startDemo } from "../../api/server.ts";
import { look as lookAt, openBrowser, signInPage, watch } from "../browser.ts";

let demo: Demo;
let browser: Browser;
before(async () => {
  demo = await startDemo();
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await demo?.stop();
  if (demo) removeDir(demo);
});
const look = (page: Page, name: string) => lookAt(page, `archive-${name}`, true);
const open = async (options: BrowserContextOptions = {}) =>
  (await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "ja-JP", ...options })).newPage();
async function take(page: Page, button: string) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: button }).first().click()]);
  return { name: download.suggestedFilename(), bytes: readFileSync((await download.path())!) };
}

test("everything is exported, followed, downloaded and removed", async () => {
  const page = await open();
  const problems = watch(page);
  await signInPage(page, demo.ready);
  await page.getByRole("link", { name: "データの書き出し" }).click();
  await page.getByText("書き出したファイルはまだありません").waitFor();
  await look(page, "empty");
  await page.getByRole("button", { name: "全データを書き出す" }).click();
  const sum = await page.locator("code").first().textContent();
  await look(page, "ready");
  const file = await take(page, "ダウンロード");
  assert.match(file.name, /^yagura-kaku-.*\.zip$/);
  assert.equal(sha256(file.bytes), sum);
  assert.ok(unzip(file.bytes).has("csv/tickets.csv"));
  await page.getByRole("button", { name: "削除" }).click();
  await page.getByRole("heading", { name: "これまでの書き出し" }).waitFor();
  await look(page, "removed");
  assert.deepEqual(problems, []);
});

test("others do not see it", async () => {
  const page = await open();
  await signInPage(page, demo.ready, 3);
  await page.goto(`${demo.ready.url}/export`);
  await page.getByRole("heading").first().waitFor();
  assert.equal(await page.getByRole("button", { name: "全データを書き出す" }).count(), 0);
  assert.equal(await page.getByRole("link", { name: "データの書き出し" }).count(), 0);
});

test("English, dark, on a phone", async () => {
  const page = await open({ locale: "en-US", viewport: { width: 390, height: 800 }, colorScheme: "dark" });
  const problems = watch(page);
  await signInPage(page, demo.ready);
  await page.evaluate((url) => fetch(`${url}/api/v1/me`, { method: "PATCH", headers: { "X-Req": "1", "Content-Type": "application/json" }, body: '{"lang":"en"}' }), demo.ready.url);
  await page.goto(`${demo.ready.url}/export`);
  await page.getByRole("button", { name: "Export all data" }).click();
  await page.locator("code").first().waitFor();
  await look(page, "dark-390");
  await page.evaluate((url) => fetch(`${url}/api/v1/me`, { method: "PATCH", headers: { "X-Req": "1", "Content-Type": "application/json" }, body: '{"lang":"ja"}' }), demo.ready.url);
  assert.deepEqual(problems, []);
});

test("who does not accept the terms takes the data along", async () => {
  const oper = await signedInOperator(demo);
  const made = await oper.post("/terms/versions", { ja: "# 規約\n\n第1条", en: "# Terms\n\nArticle 1", is_material: true, valid_from: new Date(Date.now() + 9 * 3600e3).toISOString().slice(0, 10) });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const published = await oper.request("POST", `/terms/versions/${made.body.id}/publish`, undefined, { "If-Match": `"${made.body.version}"` });
  assert.ok(published.status < 300, JSON.stringify(published.body));
  const page = await open();
  await signInPage(page, demo.ready, 0, false);
  await page.getByText("同意せずに全データを書き出す").click();
  await page.getByRole("button", { name: "全データを書き出す" }).click();
  await page.locator("code").nth(1).waitFor();
  await look(page, "terms");
  assert.ok(unzip((await take(page, "ダウンロード")).bytes).has("tenant.db"));
});
