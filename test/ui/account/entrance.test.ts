// SPDX-License-Identifier: Apache-2.0
// The way in: which tenant, password, code, forgotten password, the mailed
// link, the account page.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { Client, type Demo, removeDir, startDemo } from "../../api/server.ts";
import { openBrowser, signInPage, watch } from "../browser.ts";

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
async function fresh(locale = "ja-JP"): Promise<{ page: Page; problems: string[] }> {
  const page = await (await browser.newContext({ locale, viewport: { width: 1000, height: 800 } })).newPage();
  return { page, problems: watch(page) };
}

test("an address without tenant asks for its id and goes there", async () => {
  const { page } = await fresh();
  await page.goto(new URL("/", demo.ready.url).href);
  await page.getByLabel("テナントID").fill(demo.ready.tenant);
  await page.keyboard.press("Enter");
  await page.locator('input[type="email"]').waitFor();
  assert.ok(page.url().includes(`/t/${demo.ready.tenant}`));
});

test("wrong password and wrong code say what is wrong and how many tries are left", async () => {
  const { page, problems } = await fresh();
  const account = demo.ready.accounts[4]!;
  await page.goto(`${demo.ready.url}/`);
  await page.locator('input[type="email"]').fill(account.email);
  await page.locator('input[type="password"]').fill("Wrong-pass-1");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").waitFor();
  assert.equal(await page.locator('input[type="email"]').inputValue(), account.email);
  await page.locator('input[type="password"]').fill(account.password);
  await page.keyboard.press("Enter");
  await page.locator("input.code").fill("00000000");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").filter({ hasText: "あと4回" }).waitFor();
  for (const left of ["あと3回", "あと2回", "あと1回", ""]) {
    await page.locator("input.code").fill("00000000");
    await page.keyboard.press("Enter");
    if (left) await page.getByRole("alert").filter({ hasText: left }).waitFor();
  }
  const password = page.locator('input[type="password"]');
  await password.waitFor();
  assert.ok(await page.locator("form").evaluate((form) => !!form.previousElementSibling?.matches("[role=alert]")), "said above the form");
  assert.notEqual(await password.getAttribute("aria-invalid"), "true", "it is not the password that is wrong");
  assert.deepEqual(problems, []);
});

test("a forgotten password: mail, link, live checks, new password", async () => {
  const { page, problems } = await fresh("en-GB");
  const account = demo.ready.accounts[6]!;
  await page.goto(`${demo.ready.url}/`);
  await page.getByRole("link", { name: "Forgot your password?" }).click();
  await page.locator('input[type="email"]').fill(account.email);
  const since = Math.floor(Date.now() / 1000) * 1000;
  await page.keyboard.press("Enter");
  await page.getByRole("status").waitFor();
  const [, token] = await new Client(demo.ready.url).waitForMail(account.email, /#([\w-]{20,})/, since);
  await page.goto(`${demo.ready.url}/link#${token}`);
  const password = page.locator('input[autocomplete="new-password"]');
  await password.waitFor();
  assert.ok(!page.url().includes(token!), "the token leaves the address");
  await password.fill("abc");
  assert.equal(await page.locator("li.bad").count(), 2);
  await password.fill("Abcd-12345");
  assert.equal(await page.locator("li.ok").count(), 3);
  await page.keyboard.press("Enter");
  await page.locator('input[type="email"]').waitFor();
  await page.goto(`${demo.ready.url}/link#${token}`);
  await page.getByRole("alert").waitFor();
  assert.deepEqual(problems, []);
});

test("sign out leaves nothing behind; an address inside asks to sign in and stays", async () => {
  const { page, problems } = await fresh();
  await signInPage(page, demo.ready, 1);
  await page.getByRole("button", { name: demo.ready.accounts[1]!.name }).click();
  await page.getByRole("menuitem", { name: "サインアウト" }).click();
  await page.locator('input[type="email"]').waitFor();
  await page.goto(`${demo.ready.url}/projects/ERP/tickets?category=doing`);
  await page.locator('input[type="email"]').waitFor();
  assert.match(page.url(), /category=doing/);
  assert.deepEqual(problems, []);
});

test("a plan comes in by file: mistakes with line and column, then the sample", async () => {
  const { page, problems } = await fresh();
  await signInPage(page, demo.ready, 0);
  await page.goto(`${demo.ready.url}/projects/PORTAL/import`);
  const file = page.locator('input[type="file"]');
  const give = (name: string, text: string) => file.setInputFiles({ name, mimeType: "text/csv", buffer: Buffer.from(text) });
  await give("plan.csv", "件名,予定開始日\n正しい行,2026/12/01\n誤った行,2026/13/01\n");
  const row = page.locator("tbody tr").first();
  await row.waitFor();
  assert.match(await row.innerText(), /^3\s+2\s+予定開始日/);
  await give("plan.csv", "件名,予定開始日,予定終了日\n画面からの取り込み,2026/12/01,2026/12/04\n");
  await page.getByRole("button", { name: "取り込む", exact: true }).click();
  await page.getByText("取り込みました").waitFor();
  await page.getByRole("link", { name: "ガントで見る" }).click();
  await page.waitForURL(/gantt/);
  assert.deepEqual(problems, []);
});

test("the log shows before and after side by side and proves its chain", async () => {
  const { page, problems } = await fresh();
  await signInPage(page, demo.ready, 0);
  await page.goto(`${demo.ready.url}/log?kind=ticket&action=create`);
  await page.locator("button.line").first().click();
  await page.getByRole("columnheader", { name: "変更後" }).waitFor();
  await page.getByRole("button", { name: "改ざんがないか検証" }).click();
  await page.locator(".proof:not(.bad)").waitFor();
  assert.deepEqual(problems, []);
});

test("what is missing is told in the language of the screen, with the field's name", async () => {
  const { page, problems } = await fresh("en-US");
  const told = (selector: string) => page.locator(selector).evaluate((c: HTMLInputElement) => c.validationMessage);
  await page.goto(`${demo.ready.url}/`);
  await page.locator("form button.primary").click();
  assert.equal(await told('input[type="email"]'), "Please fill in “E-mail”");
  await page.locator('input[type="email"]').fill("nobody");
  await page.locator("form button.primary").click();
  assert.match(await told('input[type="email"]'), /^“E-mail” is an e-mail address/);
  await page.locator('input[type="email"]').fill("nobody@example.jp");
  assert.equal(await told('input[type="email"]'), "", "typing ends it");
  await signInPage(page, demo.ready, 0); // who reads Japanese, in an English browser
  await page.getByRole("button", { name: "プロジェクトを追加" }).last().click();
  await page.getByRole("dialog").locator("button[type=submit], button.primary").last().click();
  assert.equal(await page.getByRole("dialog").locator("input:invalid").first().evaluate((c: HTMLInputElement) => c.validationMessage), "「名前」を入力してください");
  assert.deepEqual(problems, []);
});
