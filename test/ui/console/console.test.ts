// SPDX-License-Identifier: Apache-2.0
// An operator at the console: a tenant is made, an auditor invited, what was
// done is in the log; every screen accessible, wide and narrow.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { Client, type Demo, removeDir, startDemo } from "../../api/server.ts";
import { look, openBrowser, signInAt, watch } from "../browser.ts";

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

test("a tenant is made, an auditor invited, the log says so", async () => {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "ja-JP" })).newPage();
  const problems = watch(page);
  await page.goto(`${demo.ready.console}/`);
  await page.locator('input[type="email"]').waitFor();
  await look(page, "console-sign-in");
  await signInAt(page, demo.ready.console, demo.ready.operator);
  await page.getByRole("link", { name: "株式会社 架空商事" }).waitFor();
  await page.getByRole("button", { name: "テナントを作成" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("会社名").fill("試験会社");
  await dialog.getByLabel("テナントID").fill("Dame");
  await dialog.getByLabel("最初の管理者の氏名").fill("代表 太郎");
  await dialog.getByLabel("最初の管理者のメールアドレス").fill("boss@shiken.example");
  await dialog.getByRole("button", { name: "テナントを作成" }).click();
  await dialog.getByRole("alert").waitFor();
  await look(page, "console-tenant-dialog");
  await dialog.getByLabel("テナントID").fill("shiken");
  await dialog.getByRole("button", { name: "テナントを作成" }).click();
  await page.getByRole("link", { name: "試験会社" }).click();
  await page.getByText("有効 0 人").waitFor();
  await look(page, "console-tenant");

  // found among many, by what it is called and how it stands
  await page.getByRole("link", { name: "テナント", exact: true }).first().click();
  const names = () => page.getByRole("main").getByRole("link", { name: /会社/ });
  await names().first().waitFor();
  assert.equal(await names().count(), 2);
  await look(page, "console-tenants");
  await page.getByRole("searchbox").fill("ＳＨＩＫＥＮ");
  await page.getByRole("link", { name: "株式会社 架空商事" }).waitFor({ state: "detached" });
  assert.equal(await names().count(), 1);
  await page.getByLabel("状態", { exact: true }).selectOption("suspended");
  await page.getByText("当てはまるテナントはありません").waitFor();
  await page.getByLabel("状態", { exact: true }).selectOption("");
  await page.getByRole("searchbox").fill("");

  await page.getByRole("link", { name: "運用者", exact: true }).click();
  await page.getByRole("button", { name: "運用者を追加" }).click();
  await dialog.getByLabel("名前").fill("監査 花子");
  await dialog.getByLabel("メールアドレス").fill("audit@example.jp");
  await dialog.getByRole("button", { name: "招待を送る" }).click();
  await page.getByText("監査 花子").first().waitFor();
  await look(page, "console-operators");
  await page.getByRole("link", { name: "運用ログ" }).click();
  await page.getByText("shiken").first().waitFor();
  await look(page, "console-log");
  assert.deepEqual(problems, []);
});

const others = [
  "/desk", "/desk/disclosures", "/notices", "/notices/new", "/incidents", "/terms", "/terms/1", "/documents", "/documents/1", "/policies", "/policies/basic", "/registers", "/registers/certifications", "/registers/reviews",
  "/registers/advisories", "/registers/audits", "/registers/components", "/certificates", "/backups", "/trust", "/capacity", "/doctor", "/help", "/nowhere",
];
test("English, dark, 390 pixels", async () => {
  const page = await (await browser.newContext({ viewport: { width: 390, height: 800 }, locale: "en-GB", colorScheme: "dark" })).newPage();
  const problems = watch(page);
  await page.goto(`${demo.ready.console}/setup`);
  await page.getByText("set up already").waitFor();
  await look(page, "console-390-setup");
  await signInAt(page, demo.ready.console, demo.ready.operator);
  await page.getByRole("button", { name: /言語|Language/ }).click();
  const kept = page.waitForResponse((r) => r.request().method() === "PATCH" && r.url().endsWith("/me"));
  await page.getByRole("menuitemradio", { name: "English" }).or(page.getByRole("menuitem", { name: "English" })).first().click();
  assert.equal((await kept).status(), 200);
  for (const [path, text] of [["", "Create a tenant"], ["/tenants/kaku", "Size of data"], ["/operators", "Add an operator"], ["/log", "Operator log"], ["/account", "Current password"]] as const) {
    await page.goto(`${demo.ready.console}${path}`);
    await page.locator("main").getByText(text).first().waitFor();
    await look(page, `console-390${path.replaceAll("/", "-")}`);
    assert.equal(await page.getByRole("alert").count(), 0, `${path} complains of nothing`);
  }
  for (const path of others) {
    await page.goto(`${demo.ready.console}${path}`);
    await page.locator("main").first().waitFor();
    await look(page, `console-390${path.replaceAll("/", "-")}`);
    assert.equal(await page.evaluate(() => document.documentElement.lang), "en", path);
    assert.equal((await page.locator("main").getByText(/^(Page not found|Not found)$/).count()) > 0, path === "/nowhere", path);
  }
  assert.deepEqual(problems, []);
});

test("an auditor on a phone: every screen fits, what only shows says so", async () => {
  const operator = new Client(demo.ready.console);
  assert.equal((await operator.signIn(demo.ready.operator.email, demo.ready.operator.password)).status, 200);
  const auditor = { email: "kansa@example.jp", password: "Shinsa-2026-x" };
  assert.equal((await operator.post("/operators", { name: "監査法人東京第一事務所 監査 花子", email: auditor.email, lang: "ja", role: "auditor" })).status, 201);
  const [, link] = await operator.waitForMail(auditor.email, /(https?:\/\/\S+#\S+)/);
  const page = await (await browser.newContext({ viewport: { width: 390, height: 800 }, locale: "ja-JP" })).newPage();
  const problems = watch(page);
  await page.goto(link!);
  await page.locator('input[type="password"]').first().waitFor();
  for (const field of await page.locator("form").locator('input[type="password"]').all()) await field.fill(auditor.password);
  const kept = page.waitForResponse((r) => r.request().method() === "POST");
  await page.locator("form button.primary").click();
  await kept;
  await signInAt(page, demo.ready.console, auditor);
  const role = page.locator("header .badge", { hasText: /^閲覧のみ$/ });
  assert.ok(await role.evaluate((e) => e.clientWidth > 48 && e.scrollWidth <= e.clientWidth), "what one may do is whole");
  for (const path of ["", "/tenants/kaku", "/operators", "/log", "/account", ...others]) {
    await page.goto(`${demo.ready.console}${path}`);
    await page.locator("main").first().waitFor();
    await look(page, `auditor-390${path.replaceAll("/", "-")}`);
  }
  for (const [path, name] of [["/desk", "デスクの設定を見る"], ["/incidents", "連絡先と警告を見る"]] as const) {
    await page.goto(`${demo.ready.console}${path}`);
    await page.getByRole("button", { name }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByRole("button", { name: "閉じる" }).last().waitFor();
    assert.equal(await dialog.getByRole("button", { name: "キャンセル" }).count(), 0);
    await look(page, `auditor-390${path.replaceAll("/", "-")}-setting`);
  }
  assert.deepEqual(problems, []);
});
