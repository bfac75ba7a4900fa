// SPDX-License-Identifier: Apache-2.0
// My account, as a person meets it on the screen.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { Client, type Demo, removeDir, startDemo } from "../../api/server.ts";
import { openBrowser, signInPage, watch } from "../browser.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
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
async function signedInPage(n: number, locale = "ja-JP", width = 1280): Promise<{ page: Page; problems: string[] }> {
  const page = await (await browser.newContext({ locale, viewport: { width, height: 900 } })).newPage();
  const problems = watch(page);
  await signInPage(page, demo.ready, n);
  return { page, problems };
}

/** Pictures for whoever looks: SHOTS names the folder. */
async function shot(page: Page, name: string) {
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name}.png`, fullPage: true });
}
async function check(page: Page, name: string) {
  const { violations } = (await page.evaluate(`(() => { ${axe}; return axe.run(document, { resultTypes: ["violations"] }); })()`)) as {
    violations: { id: string; impact: string; nodes: { target: string[] }[] }[];
  };
  assert.deepEqual(violations.filter((v) => ["serious", "critical"].includes(v.impact)).map((v) => `${v.id} ${v.nodes[0]?.target}`), [], name);
  assert.equal(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), true, name);
}

test("the administrator lets people make tokens", async () => {
  const { page } = await signedInPage(0);
  await page.goto(`${demo.ready.url}/account`);
  await page.getByText("このテナントではAPIトークンを使えません").waitFor();
  await page.goto(`${demo.ready.url}/security`);
  await page.getByLabel("個人のAPIトークンを作り").check();
  await page.getByText("保存しました").waitFor();
});

test("a token is made for two projects, shown once, used, and revoked", async () => {
  const { page, problems } = await signedInPage(0);
  await page.goto(`${demo.ready.url}/account`);
  await page.getByRole("button", { name: "トークンを作成" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("名前").fill("週報の集計");
  await dialog.getByLabel("選んだプロジェクトだけに限る").check();
  assert.equal(await dialog.getByRole("button", { name: "作成", exact: true }).isDisabled(), true);
  await dialog.getByRole("group").getByRole("checkbox").first().check();
  await check(page, "token dialog");
  await shot(page, "token-dialog");
  await page.keyboard.press("Enter");
  const text = await dialog.locator(".card code").innerText();
  assert.match(text, /^ygr_/);
  await shot(page, "token-once");
  await dialog.getByRole("button", { name: "閉じる" }).last().click();
  await page.getByText("まだ使われていません").waitFor();
  const reply = await fetch(`${demo.ready.url}/api/v1/catalogue`, { headers: { Authorization: `Bearer ${text}` } });
  assert.equal(reply.status, 200);
  await page.reload();
  await page.getByText("最後の利用").waitFor();
  assert.equal((await page.content()).includes(text), false);
  await check(page, "account");
  await shot(page, "account");
  await page.getByRole("button", { name: "取り消す 週報の集計" }).click();
  await page.getByText("トークンはまだありません").waitFor();
  assert.deepEqual(problems, []);
});

test("an administrator sees a person's tokens and takes one away; English, dark, narrow", async () => {
  const member = await signedInPage(3);
  await member.page.goto(`${demo.ready.url}/account`);
  await member.page.getByRole("button", { name: "トークンを作成" }).click();
  await member.page.getByRole("dialog").getByLabel("名前").fill("CI");
  await member.page.keyboard.press("Enter");
  await member.page.getByRole("dialog").locator(".card code").waitFor();
  const { page, problems } = await signedInPage(0, "en-GB", 390);
  await page.emulateMedia({ colorScheme: "dark" });
  await page.goto(`${demo.ready.url}/users?q=${encodeURIComponent(demo.ready.accounts[3]!.email)}`);
  await page.getByRole("button", { name: /^(More|その他)/ }).first().click();
  await page.getByRole("menuitem", { name: /API/ }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("CI", { exact: true }).waitFor();
  await check(page, "tokens of a person");
  await shot(page, "tokens-of-narrow");
  await dialog.getByRole("button", { name: /CI/ }).click();
  await dialog.getByText(/No tokens yet|トークンはまだありません/).waitFor();
  assert.deepEqual(problems, []);
});

/** The link in the newest mail to this address. */
async function emailLink(address: string): Promise<string> {
  const client = new Client(demo.ready.url);
  const [, token] = await client.waitForMail(address, /\/email#(\S+)/);
  return `${demo.ready.url}/email#${token}`;
}

test("a new address: asked for on the account page, allowed and confirmed by the mailed links", async () => {
  const { page, problems } = await signedInPage(2);
  await page.goto(`${demo.ready.url}/account`);
  await page.getByLabel("新しいメールアドレス").fill(demo.ready.accounts[0]!.email);
  await page.keyboard.press("Enter");
  await page.getByRole("alert").filter({ hasText: "すでに使われています" }).waitFor();
  await page.getByLabel("新しいメールアドレス").fill("atarashii@kaku.example");
  await page.keyboard.press("Enter");
  await page.getByText("atarashii@kaku.example への変更").waitFor();
  await check(page, "email open");
  await shot(page, "email-open");
  const other = await (await browser.newContext({ locale: "en-GB", viewport: { width: 390, height: 800 }, colorScheme: "dark" })).newPage();
  await other.goto(await emailLink("atarashii@kaku.example"));
  await other.getByRole("button", { name: "Confirm" }).waitFor();
  assert.equal(new URL(other.url()).hash, "", "the token does not stay in the address");
  await check(other, "email link");
  await shot(other, "email-link");
  await other.keyboard.press("Tab");
  await other.getByRole("button", { name: "Confirm" }).focus();
  await other.keyboard.press("Enter");
  await other.getByRole("status").filter({ hasText: "The new address is confirmed" }).waitFor();
  await page.goto(await emailLink(demo.ready.accounts[2]!.email));
  await page.getByRole("button", { name: "承認する" }).click();
  await page.getByRole("status").filter({ hasText: "に変更しました" }).waitFor();
  await page.goto(`${demo.ready.url}/account`);
  await page.getByRole("strong").filter({ hasText: "atarashii@kaku.example" }).waitFor();
  assert.deepEqual(problems, []);
});

test("an administrator changes a person's address in the dialog; the new mailbox confirms", async () => {
  const { page, problems } = await signedInPage(0);
  const old = demo.ready.accounts[4]!.email;
  await page.goto(`${demo.ready.url}/users?q=${encodeURIComponent(old)}`);
  await page.getByRole("button", { name: /^その他/ }).first().click();
  await page.getByRole("menuitem", { name: "編集" }).click();
  await page.getByRole("dialog").getByLabel("メールアドレス").fill("tensei@kaku.example");
  await shot(page, "user-dialog");
  await page.keyboard.press("Enter");
  await page.getByText("新しいアドレスに確認のメールを送りました").waitFor();
  await page.goto(await emailLink("tensei@kaku.example"));
  await page.getByRole("button", { name: "確認する" }).click();
  await page.getByRole("status").filter({ hasText: "に変更しました" }).waitFor();
  assert.deepEqual(problems, []);
});

test("mails are chosen by ticking; the choice stays", async () => {
  const { page, problems } = await signedInPage(1);
  await page.goto(`${demo.ready.url}/account`);
  const box = page.getByLabel("担当に設定されたとき");
  await box.uncheck();
  await page.getByText("保存しました").waitFor();
  await page.reload();
  await page.getByLabel("担当または報告した").waitFor();
  assert.deepEqual([await box.isChecked(), await page.getByLabel("担当または報告した").isChecked()], [false, true]);
  assert.deepEqual(problems, []);
});

test("the whole page in both languages, light and dark, wide and narrow; a session is ended", async () => {
  const other = await signedInPage(5);
  const { page, problems } = await signedInPage(5, "en-GB", 390);
  await page.goto(`${demo.ready.url}/account`);
  await page.getByLabel(/^(Language|言語)$/).selectOption("en");
  await page.getByRole("heading", { name: "API tokens" }).waitFor();
  for (const colorScheme of ["light", "dark"] as const)
    for (const width of [390, 1280]) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 900 });
      await check(page, `account ${colorScheme} ${width}`);
      await shot(page, `account-${colorScheme}-${width}`);
    }
  await page.getByRole("button", { name: /^End / }).first().click();
  await page.getByRole("button", { name: /^End / }).waitFor({ state: "detached" });
  await other.page.goto(`${demo.ready.url}/account`);
  await other.page.locator('input[type="password"]').waitFor();
  await page.getByLabel("Language", { exact: true }).first().selectOption("ja");
  await page.getByRole("heading", { name: "APIトークン" }).waitFor();
  assert.deepEqual(problems, []);
});
