// SPDX-License-Identifier: Apache-2.0
// Terms of use as people meet them: written at the console, accepted by the
// administrator before anything else, read again at any time.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { type Demo, removeDir, startDemo } from "../../api/server.ts";
import { look, openBrowser, signInAt, signInPage, watch } from "../browser.ts";

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

test("published at the console, accepted before anything else, read again", async () => {
  const member = await opened();
  await signInPage(member.page, demo.ready, 5); // while what is published is accepted

  const oper = await opened();
  await signInAt(oper.page, demo.ready.console, demo.ready.operator);
  await oper.page.getByRole("link", { name: "利用規約" }).click();
  await oper.page.getByRole("link", { name: "第1版" }).waitFor(); // the sample's
  await oper.page.getByRole("link", { name: "新しい版を作成" }).click();
  await oper.page.getByRole("region", { name: "お客様への表示 (ja)" }).getByText("データの削除").first().waitFor();
  assert.match(await oper.page.getByLabel("日本語", { exact: true }).inputValue(), /準拠法/); // begun with what is in force
  await oper.page.locator("input[type=file]").first().setInputFiles({ name: "terms.md", mimeType: "text/markdown", buffer: Buffer.from("# 利用規約\n\n第1条 この規約は…\n\n- 責任の分担\n- データの消去") });
  await oper.page.getByLabel("英語").fill("# Terms of use\n\nArticle 1. These terms …");
  assert.match(await oper.page.getByLabel("日本語", { exact: true }).inputValue(), /責任の分担/);
  await oper.page.getByRole("region", { name: "お客様への表示 (ja)" }).getByText("データの消去").waitFor();
  await look(oper.page, "terms-draft");
  await oper.page.getByRole("button", { name: "公開する" }).click();
  await oper.page.getByRole("dialog").getByRole("button", { name: "公開する" }).click();
  await oper.page.getByText("第2版を公開しました").waitFor();
  await look(oper.page, "terms-published");
  await oper.page.goto(`${demo.ready.console}/terms`);
  await oper.page.getByRole("link", { name: "第2版" }).waitFor();
  await look(oper.page, "terms-list");

  await member.page.getByRole("link", { name: "マイワーク" }).click();
  await member.page.getByText("マスター管理者が同意すると利用できます").waitFor();
  await look(member.page, "terms-wait");

  const admin = await opened();
  await signInPage(admin.page, demo.ready, 0, false);
  await admin.page.getByRole("button", { name: "同意する" }).waitFor();
  await admin.page.getByText("同意せずに全データを書き出す").click();
  const download = admin.page.waitForEvent("download");
  await admin.page.getByRole("link", { name: "ユーザー (CSV)" }).click();
  assert.match((await download).suggestedFilename(), /\.csv$/);
  await admin.page.getByRole("link", { name: "出来事の報告・運用者への問い合わせ" }).click(); // open whatever is owed
  await admin.page.getByRole("button", { name: "新しいお問い合わせ" }).first().click();
  const dialog = admin.page.getByRole("dialog");
  await dialog.getByLabel("件名").fill("不審なメールが届きました");
  await dialog.locator("textarea").fill("添付は開いていません。");
  await look(admin.page, "terms-desk");
  await dialog.locator("button[type=submit], button.primary").click();
  await admin.page.getByRole("heading", { name: /不審なメールが届きました/ }).waitFor();
  await look(admin.page, "terms-thread");
  await admin.page.getByRole("link", { name: "利用規約に戻る" }).click();
  await look(admin.page, "terms-accept");
  await admin.page.getByRole("button", { name: "同意する" }).click();
  await admin.page.getByRole("link", { name: "マイワーク" }).waitFor();
  await member.page.getByRole("button", { name: "再試行" }).click();
  await member.page.getByRole("link", { name: "マイワーク" }).waitFor();

  await admin.page.goto(`${demo.ready.url}/terms`);
  await admin.page.getByText("同意の記録").waitFor();
  await admin.page.getByRole("cell", { name: demo.ready.accounts[0]!.name }).nth(1).waitFor(); // and once in the sample
  await look(admin.page, "terms-again");
  await admin.page.getByLabel("利用者全員にも同意を求める").check();
  await admin.page.getByText("保存しました").waitFor();
  await member.page.goto(`${demo.ready.url}/my`);
  await member.page.getByRole("button", { name: "同意する" }).click();
  await member.page.getByRole("link", { name: "マイワーク" }).waitFor();
  for (const list of [oper.problems, admin.problems, member.problems]) assert.deepEqual(list, []);
});

test("English, dark, 390 pixels", async () => {
  const { page, problems } = await opened({ viewport: { width: 390, height: 800 }, locale: "en-GB", colorScheme: "dark" });
  await signInPage(page, demo.ready, 6, false);
  await page.getByRole("button", { name: /Accept|同意する/ }).waitFor();
  await page.locator("select").selectOption("en");
  await page.getByText("Article 1").waitFor();
  await look(page, "terms-390-accept");
  await signInAt(page, demo.ready.console, demo.ready.operator);
  await page.goto(`${demo.ready.console}/terms/new`);
  await page.locator("textarea").first().waitFor();
  await look(page, "terms-390-draft");
  assert.deepEqual(problems, []);
});
