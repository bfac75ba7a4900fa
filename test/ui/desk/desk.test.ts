// SPDX-License-Identifier: Apache-2.0
// A person asks, the operator's desk answers; the access log is asked for and
// given out: as both see it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { type Demo, removeDir, signedInOperator, startDemo } from "../../api/server.ts";
import { look, openBrowser, signInAt, signInPage, watch } from "../browser.ts";

let demo: Demo;
let browser: Browser;
let earlier = 0; // enquiries of the sample
before(async () => {
  demo = await startDemo();
  earlier = (await (await signedInOperator(demo)).get("/desk")).body.items.length;
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
const no = (n: number) => `#${earlier + n}`;
const english = async (page: Page) => {
  await page.getByRole("button", { name: /言語/ }).click();
  await page.getByRole("menuitemradio", { name: "English" }).or(page.getByRole("menuitemcheckbox", { name: "English" })).or(page.getByRole("menuitem", { name: "English" })).first().click();
};

test("a question with a file, its answer, and the end of it", async () => {
  const { page, problems } = await opened();
  await signInPage(page, demo.ready, 5);
  await page.getByRole("link", { name: "お問い合わせ" }).click();
  await page.getByText("お問い合わせはありません").waitFor();
  await look(page, "enquiries-empty");
  await page.getByRole("button", { name: "新しいお問い合わせ" }).click();
  const dialog = page.getByRole("dialog");
  assert.deepEqual(await dialog.getByLabel("種別").locator("option").allTextContents(), ["サポート", "出来事の報告"]);
  await dialog.getByLabel("件名").fill("ガントの印刷");
  await dialog.getByLabel("本文").fill("2行にわたる\n質問です");
  await dialog.locator("input[type=file]").setInputFiles({ name: "画面.png", mimeType: "image/png", buffer: Buffer.alloc(4096, 7) });
  await look(page, "enquiry-new");
  await dialog.getByRole("button", { name: "送信" }).click();
  await page.getByRole("heading", { name: `${no(1)} ガントの印刷` }).waitFor();
  await dialog.waitFor({ state: "detached" });

  const oper = await opened();
  await signInAt(oper.page, demo.ready.console, demo.ready.operator);
  await oper.page.getByRole("link", { name: "デスク" }).click();
  await oper.page.getByRole("link", { name: no(1) }).waitFor();
  await look(oper.page, "desk-list");
  await oper.page.getByRole("link", { name: no(1) }).click();
  const download = oper.page.waitForEvent("download");
  await oper.page.getByRole("button", { name: /画面.png/ }).click();
  assert.equal((await download).suggestedFilename(), "画面.png");
  await oper.page.getByLabel("回答").fill("印刷の手順です");
  await look(oper.page, "desk-thread");
  await oper.page.getByRole("button", { name: "送信" }).click();
  await oper.page.getByText("回答済み").waitFor();

  await page.reload();
  await page.getByText("印刷の手順です").waitFor();
  await look(page, "enquiry-thread");
  await page.getByRole("button", { name: "終了する" }).click();
  await page.getByText("終了", { exact: true }).waitFor();
  assert.deepEqual([...problems, ...oper.problems], []);
});

test("the access log is asked for and released; a mail is entered", async () => {
  const { page, problems } = await opened({ viewport: { width: 390, height: 844 }, colorScheme: "dark" });
  await signInPage(page, demo.ready, 0);
  await page.goto(`${demo.ready.url}/enquiries`);
  await page.getByRole("button", { name: "新しいお問い合わせ" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("種別").selectOption("access_log");
  await dialog.getByLabel("件名").fill("監査のため");
  await dialog.getByLabel("理由").fill("監査法人に提出します");
  await look(page, "enquiry-log-narrow-dark");
  await dialog.getByRole("button", { name: "送信" }).click();
  await page.getByRole("heading", { name: `${no(2)} 監査のため` }).waitFor();

  const oper = await opened({ viewport: { width: 390, height: 844 }, colorScheme: "dark" });
  await signInAt(oper.page, demo.ready.console, demo.ready.operator);
  await oper.page.goto(`${demo.ready.console}/desk?category=access_log`);
  await oper.page.getByRole("link", { name: new RegExp(no(2)) }).waitFor();
  await english(oper.page);
  await look(oper.page, "desk-list-narrow-dark-en");
  await oper.page.getByRole("link", { name: new RegExp(no(2)) }).click();
  await oper.page.getByLabel("Answer", { exact: true }).fill("Here it is");
  await look(oper.page, "desk-release-narrow-dark-en");
  await oper.page.getByRole("button", { name: "Release the log" }).click();
  await oper.page.getByText("Released", { exact: true }).waitFor();

  await page.reload();
  await page.getByText("開示済み").waitFor();
  await look(page, "enquiry-released-narrow-dark");
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: /yagura-access-log.csv/ }).click();
  assert.equal((await download).suggestedFilename(), "yagura-access-log.csv");

  await oper.page.goto(`${demo.ready.console}/desk`);
  await oper.page.getByRole("button", { name: "Enter a mail" }).click();
  const mail = oper.page.getByRole("dialog");
  await mail.getByLabel("Tenant").selectOption("kaku");
  await mail.getByLabel("Sender").fill("someone@example.org");
  await mail.getByLabel("Time").fill("00:00");
  await mail.getByLabel("Subject").fill("Strange sign-in");
  await mail.getByLabel("Text").fill("Was that you?");
  await look(oper.page, "desk-mail-narrow-dark-en");
  await mail.getByRole("button", { name: "Save" }).click();
  await oper.page.getByRole("heading", { name: `${no(3)} Strange sign-in` }).waitFor();
  await oper.page.goto(`${demo.ready.console}/desk`);
  await oper.page.getByRole("button", { name: "Desk settings" }).click();
  await oper.page.getByLabel("Hours to an answer").fill("24");
  await look(oper.page, "desk-setting-narrow-dark-en");
  await oper.page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await oper.page.getByText("Settings saved").waitFor();
  assert.deepEqual([...problems, ...oper.problems], []);
});

test("the desk sees whose thread it is, however long the name; an event report stands out", async () => {
  const by = await signedInOperator(demo);
  await by.request("PATCH", "/me", { lang: "ja" }); // whatever was chosen before
  const name = "株式会社アルファベット・ホールディングス・インターナショナル東日本統括本部情報システム運用管理センター";
  assert.equal((await by.post("/tenants", { id: "quite-a-long-identifier-for-a-ten", name, admin_email: "a@long.example", admin_name: "管理 者" })).status, 422);
  assert.equal((await by.post("/tenants", { id: "quite-a-long-identifier", name, admin_email: "a@long.example", admin_name: "管理 者" })).status, 201);
  const mail = { tenant: "quite-a-long-identifier", category: "event", subject: "不審なサインイン", sender: "someone@example.org", sent_on: "2026-11-20", sent_minute: 600, body: "心当たりのない通知です" };
  assert.equal((await by.post("/desk/mail", mail)).status, 201);
  for (const [shot, options] of [["", {}], ["-narrow-dark", { viewport: { width: 390, height: 844 }, colorScheme: "dark" }]] as const) {
    const { page, problems } = await opened(options);
    await signInAt(page, demo.ready.console, demo.ready.operator);
    await page.goto(`${demo.ready.console}/desk`);
    await page.getByTitle("出来事の報告").waitFor();
    await look(page, `desk-list-event${shot}`);
    await page.goto(`${demo.ready.console}/desk/quite-a-long-identifier/1`);
    await page.getByRole("link", { name }).waitFor();
    // what is wrong with a file is said beside it, over no button
    await page.locator("input[type=file]").setInputFiles({ name: "大きな記録.zip", mimeType: "application/zip", buffer: Buffer.alloc(10 * 1024 * 1024 + 1) });
    await page.getByRole("alert").filter({ hasText: "大きな記録.zip" }).waitFor();
    await look(page, `desk-thread-long${shot}`);
    await page.getByLabel("回答").fill("確認しました");
    assert.deepEqual(problems, []);
  }
});

test("a disclosure is recorded, kept silent, then told", async () => {
  await (await signedInOperator(demo)).request("PATCH", "/me", { lang: "en" });
  const oper = await opened();
  await signInAt(oper.page, demo.ready.console, demo.ready.operator);
  await oper.page.goto(`${demo.ready.console}/desk`);
  await oper.page.getByRole("link", { name: "Disclosures by law" }).click();
  await oper.page.getByText("There are no records").waitFor();
  await oper.page.getByRole("button", { name: "Record a disclosure" }).click();
  const dialog = oper.page.getByRole("dialog");
  await dialog.getByLabel("Tenant").selectOption("kaku");
  await dialog.getByLabel("Authority").fill("東京地方裁判所");
  await dialog.getByLabel("Legal basis").fill("刑事訴訟法第218条");
  await dialog.getByLabel("What").fill("アクセスログ3日分");
  await look(oper.page, "disclosure-new");
  await dialog.getByRole("button", { name: "Save" }).click();
  await oper.page.getByText("Customer may not be told").waitFor();

  const { page, problems } = await opened({ viewport: { width: 390, height: 844 }, colorScheme: "dark" });
  await signInPage(page, demo.ready, 0);
  await page.goto(`${demo.ready.url}/enquiries`);
  await page.getByText("テナント全員のお問い合わせ").waitFor();
  assert.equal(await page.getByText("東京地方裁判所").count(), 0);
  await oper.page.getByRole("button", { name: "Edit: 東京地方裁判所" }).click();
  await dialog.getByLabel("The customer may be told").check();
  await dialog.getByRole("button", { name: "Save" }).click();
  await oper.page.getByText(/Customer told /).waitFor();
  await look(oper.page, "disclosures");
  await page.reload();
  await page.getByText("東京地方裁判所").waitFor();
  await look(page, "disclosures-told-narrow-dark");
  assert.deepEqual([...problems, ...oper.problems], []);
});
