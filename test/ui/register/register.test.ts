// SPDX-License-Identifier: Apache-2.0
// What the operator says in writing and keeps in registers: written and
// published in the console, read by everybody, by administrators in full.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { type Demo, removeDir, signedInOperator, startDemo } from "../../api/server.ts";
import { look as lookAt, openBrowser, signInAt, signInPage, watch } from "../browser.ts";

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
const look = (page: Page, name: string) => lookAt(page, `register-${name}`);
const open = async (options: BrowserContextOptions = {}) =>
  (await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "ja-JP", ...options })).newPage();
const menu = (page: Page, name: string) => page.getByRole("link", { name, exact: true }).first().click();

test("a policy gets a new version, and every version stays readable", async () => {
  const page = await open();
  const problems = watch(page);
  await signInAt(page, demo.ready.console, demo.ready.operator);
  await menu(page, "方針と声明");
  await page.getByRole("heading", { name: "責任分担" }).waitFor();
  await look(page, "documents");
  await page.getByRole("link", { name: "新しい版を作成: 情報セキュリティ基本方針" }).click();
  const ja = page.getByRole("textbox", { name: "日本語" });
  await ja.waitFor();
  assert.match(await ja.inputValue(), /情報セキュリティ基本方針/); // it begins with what is in force
  await ja.fill("# 情報セキュリティ基本方針\n\n改めた方針です。");
  await page.getByRole("button", { name: "保存" }).click();
  await page.waitForURL(/\/documents\/\d+$/);
  await look(page, "document-draft");
  await page.getByRole("button", { name: "公開する" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "公開する" }).click();
  await page.getByRole("heading", { name: "情報セキュリティ基本方針 第2版" }).waitFor();
  await page.getByRole("button", { name: "見直しを記録" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "保存" }).click();
  await page.getByText(/見直し .* 運用 一郎/).waitFor();
  await look(page, "document-version");

  const reader = await open({ viewport: { width: 390, height: 800 }, colorScheme: "dark" });
  await reader.goto(`${demo.ready.url}/policies`);
  await reader.getByRole("link", { name: "情報セキュリティ基本方針" }).waitFor();
  assert.equal(await reader.getByRole("link", { name: "データの所在" }).count(), 0);
  await look(reader, "policies-public-dark-390");
  await reader.getByRole("link", { name: "情報セキュリティ基本方針" }).click();
  await reader.getByText("改めた方針です。").waitFor();
  await reader.locator("main select").selectOption("1");
  await reader.getByText("これは以前の版です。").waitFor();
  await reader.getByText("経営者は、情報セキュリティの責任者を任命し").waitFor();
  await look(reader, "policy-old-dark-390");
  assert.deepEqual(problems, []);
});

test("an administrator reads where data is kept and how responsibility is shared", async () => {
  const page = await open({ locale: "en-US" });
  const problems = watch(page);
  await signInPage(page, demo.ready, 0);
  await page.getByLabel(/^(言語|Language)/).first().waitFor();
  await page.goto(`${demo.ready.url}/policies`);
  await page.locator("main").getByRole("link", { name: /Where data is kept|データの所在/ }).waitFor();
  await look(page, "policies-admin");
  await page.goto(`${demo.ready.url}/policies/responsibility`);
  await page.locator("figure svg").waitFor();
  await look(page, "responsibility");
  const dark = await open({ viewport: { width: 390, height: 800 }, colorScheme: "dark", locale: "en-US" });
  await dark.goto(`${demo.ready.url}/policies/responsibility`);
  await dark.getByRole("img", { name: "How responsibility is shared" }).waitFor();
  await look(dark, "responsibility-dark-390-en");
  assert.deepEqual(problems, []);
});

test("registers: entered, refused with a reason, signed; each row has its URL", async () => {
  const page = await open();
  const problems = watch(page);
  await signInAt(page, demo.ready.console, demo.ready.operator);
  await menu(page, "台帳");
  await page.getByRole("link", { name: "国内データセンター（評価用の例）" }).waitFor();
  await look(page, "suppliers");
  await page.getByRole("button", { name: "委託先を追加" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("名称").fill("とても長い名前の委託先".repeat(12));
  await dialog.getByLabel("地域").fill("Japan");
  await dialog.getByRole("button", { name: "保存" }).click();
  await dialog.getByText("地域は jp、jp-tokyo のように").waitFor();
  await look(page, "supplier-error");
  await dialog.getByLabel("地域").fill("jp-osaka");
  await dialog.getByRole("button", { name: "保存" }).click();
  await dialog.waitFor({ state: "detached" });
  await page.getByRole("link", { name: /^とても長い名前/ }).waitFor();
  await look(page, "suppliers-long");

  await page.getByRole("tab", { name: "定期的な見直し" }).click();
  await page.waitForURL(/\/registers\/reviews$/);
  await page.getByRole("link", { name: "サーバーの要塞化の点検" }).first().waitFor();
  await look(page, "reviews");
  await page.getByRole("button", { name: "見直しを予定" }).click();
  await dialog.getByLabel("対象").fill("手順書の点検");
  await dialog.getByRole("button", { name: "保存" }).click();
  await page.getByRole("link", { name: "手順書の点検" }).click();
  await page.waitForURL(/row=\d+/);
  await dialog.getByLabel("実施日", { exact: true }).first().fill("今日");
  await dialog.getByLabel("実施日", { exact: true }).first().press("Tab");
  await dialog.getByLabel("結果").selectOption("good");
  await look(page, "review-sign");
  await dialog.getByRole("button", { name: "保存" }).click();
  await dialog.waitFor({ state: "detached" });
  await page.waitForFunction(() => document.querySelectorAll('a[title="手順書の点検"]').length === 2); // and the next is planned
  await page.locator("tr", { hasText: "運用 一郎" }).getByRole("link", { name: "手順書の点検" }).click();
  await dialog.getByText(/署名 .* 運用 一郎/).waitFor();
  assert.equal(await dialog.getByRole("button", { name: "保存" }).count(), 0);
  await page.keyboard.press("Escape");

  await page.getByRole("tab", { name: "ぜい弱性情報" }).click();
  await page.getByText(/情報源の最後の確認: .* 運用 一郎。 次は \d{4}\/\d\d\/\d\d .* までに確認します/).waitFor(); // an entry of the sample was a look, too
  await page.getByRole("link", { name: "CVE-2025-55763" }).click();
  await look(page, "advisory");
  await page.keyboard.press("Escape");
  await page.getByRole("tab", { name: "認証" }).click();
  await page.getByRole("link", { name: /プライバシーマーク/ }).waitFor();
  await page.setViewportSize({ width: 390, height: 800 });
  await page.emulateMedia({ colorScheme: "dark" });
  await look(page, "certifications-dark-390");
  await page.getByRole("tab", { name: "委託先" }).click();
  await page.getByRole("link", { name: "国内データセンター（評価用の例）" }).click();
  await look(page, "supplier-dark-390");
  assert.deepEqual(problems.filter((p) => !/422|404/.test(p)), []);
});

test("looked today, nothing new: recorded with name and time, asked for again when it is late", async () => {
  const page = await open();
  const problems = watch(page);
  await signInAt(page, demo.ready.console, demo.ready.operator);
  let answer: object | null = { looked_at: null, looked_by: null, due_at: null };
  await page.route("**/api/v1/advisories/look", async (route) => {
    if (route.request().method() === "POST") answer = null;
    return answer ? route.fulfill({ json: answer }) : route.fallback();
  });
  await page.goto(`${demo.ready.console}/registers/advisories`);
  await page.getByText(/確認した記録はまだなく、トラストページの24が「要確認」です/).waitFor();
  answer = { looked_at: "2026-01-05T09:00:00+09:00", looked_by: "運用 次郎", due_at: "2026-02-05T09:00:00+09:00" };
  await page.reload();
  await page.getByText(/運用 次郎。 期限 2026\/02\/05 .* を過ぎたため/).waitFor();
  await page.setViewportSize({ width: 1366, height: 768 });
  await look(page, "advisories-late");
  const before = Date.now();
  await page.getByRole("button", { name: "今日確認し、新しいものはなかった" }).click();
  await page.getByText("確認を記録しました").waitFor();
  await page.getByText(/情報源の最後の確認: .* 運用 一郎。 次は/).waitFor();
  await look(page, "advisories-looked");
  await page.setViewportSize({ width: 390, height: 800 });
  await look(page, "advisories-looked-390");
  const oper = await signedInOperator(demo);
  const last = (await oper.get("/advisories/look")).body;
  assert.equal(last.looked_by, "運用 一郎");
  assert.ok(Date.parse(last.looked_at) >= before - 1000, last.looked_at);
  assert.deepEqual(problems, []);
});

test("an audit report: filed, released, downloaded by the customer", async () => {
  const page = await open();
  const problems = watch(page);
  await signInAt(page, demo.ready.console, demo.ready.operator);
  await page.goto(`${demo.ready.console}/registers/audits`);
  await page.getByText("独立監査の報告書（評価用の例）").waitFor();
  await page.getByRole("button", { name: "監査報告書を登録" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("題名").fill("2026年度 情報セキュリティ監査報告書");
  await dialog.getByLabel("ファイル").setInputFiles({ name: "監査 2026.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF-1.4 試験") });
  await look(page, "audit-file");
  await dialog.getByRole("button", { name: "保存" }).click();
  await page.getByRole("button", { name: "お客様に開示: 2026年度" }).click();
  await dialog.getByLabel("テナント").selectOption("kaku");
  await dialog.getByRole("button", { name: "お客様に開示" }).click();
  await page.getByText(/株式会社 架空商事 に開示 .* 運用 一郎/).waitFor();
  await look(page, "audits");
  await page.getByRole("tab", { name: "構成部品" }).click();
  await page.getByText("civetweb", { exact: true }).waitFor();
  await look(page, "components");
  await page.setViewportSize({ width: 390, height: 800 });
  await page.emulateMedia({ colorScheme: "dark" });
  await look(page, "components-dark-390");

  const customer = await open();
  await signInPage(customer, demo.ready, 0);
  await customer.goto(`${demo.ready.url}/policies`);
  const [download] = await Promise.all([customer.waitForEvent("download"), customer.getByRole("button", { name: "ダウンロード: 2026年度" }).click()]);
  assert.equal(download.suggestedFilename(), "監査 2026.pdf");
  await look(customer, "policies-audit");
  await customer.getByRole("button", { name: "報告書を請求" }).click();
  const ask = customer.getByRole("dialog");
  assert.equal(await ask.locator("select").first().inputValue(), "audit");
  await look(customer, "audit-ask");
  await page.goto(`${demo.ready.console}/registers/audits`);
  await page.getByText(/ダウンロード 1 回/).waitFor();
  assert.deepEqual(problems, []);
});
