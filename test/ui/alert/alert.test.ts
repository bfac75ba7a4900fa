// SPDX-License-Identifier: Apache-2.0
// An alert made from an example, changed and turned off; a filter of the log
// kept and used again.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { type Demo, removeDir, startDemo } from "../../api/server.ts";
import { look, openBrowser, signInPage, watch } from "../browser.ts";

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
async function opened(options: object = {}) {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "ja-JP", ...options })).newPage();
  return { page, problems: watch(page) };
}
test("an alert is made, changed, turned off and dropped", async () => {
  const { page, problems } = await opened();
  await signInPage(page, demo.ready, 0);
  await page.goto(`${demo.ready.url}/log?tab=alerts`);
  await page.getByText("アラートはありません").waitFor();
  await page.getByRole("button", { name: "アラートを作成" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "ユーザーの削除" }).click();
  assert.equal(await dialog.getByLabel("名前").inputValue(), "ユーザーの削除");
  await look(page, "alert-new");
  await dialog.getByRole("button", { name: "保存" }).click();
  await page.getByText("「ユーザーの削除」を保存しました").waitFor();
  await page.getByRole("button", { name: "編集: ユーザーの削除" }).click();
  await dialog.getByLabel("1時間の件数").fill("3");
  await dialog.getByRole("button", { name: "保存" }).click();
  await page.getByText("1時間に3件").waitFor();
  await page.getByLabel("有効: ユーザーの削除").uncheck();
  await look(page, "alerts");
  await page.reload();
  assert.equal(await page.getByLabel("有効: ユーザーの削除").isChecked(), false);
  await page.setViewportSize({ width: 390, height: 844 });
  await page.emulateMedia({ colorScheme: "dark" });
  await look(page, "alerts-narrow-dark");
  await page.getByRole("button", { name: "編集: ユーザーの削除" }).click();
  await look(page, "alert-edit-narrow-dark");
  await dialog.getByRole("button", { name: "キャンセル" }).click();
  await page.getByRole("button", { name: "削除: ユーザーの削除" }).click();
  await page.getByText("アラートはありません").waitFor();
  assert.deepEqual(problems, []);
});

test("a filter of the log is kept and used again", async () => {
  const { page, problems } = await opened();
  await signInPage(page, demo.ready, 0);
  await page.goto(`${demo.ready.url}/log?kind=session&action=sign_in`);
  await page.getByRole("button", { name: "保存した条件" }).click();
  await page.getByRole("menuitem", { name: "いまの条件を保存" }).click();
  await page.getByRole("dialog").getByLabel("名前").fill("サインインだけ");
  await page.getByRole("dialog").getByRole("button", { name: "保存" }).click();
  await page.getByText("「サインインだけ」を保存しました").waitFor();
  await page.goto(`${demo.ready.url}/log`);
  await page.getByRole("button", { name: "保存した条件" }).click();
  await page.getByText("サインインだけ", { exact: true }).click();
  await page.waitForURL(/kind=session/);
  assert.match(page.url(), /action=sign_in/);
  await look(page, "log-filter");
  assert.deepEqual(problems, []);
});
