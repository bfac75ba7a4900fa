// SPDX-License-Identifier: Apache-2.0
// A relay that refuses somebody for good: who invited him sees it beside him,
// with the relay's words, until a mail to him is taken.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { Mailed } from "../../api/mailed.ts";
import { Client } from "../../api/server.ts";
import { look, openBrowser, watch } from "../browser.ts";

let it: Mailed;
let browser: Browser;
before(async () => {
  it = new Mailed();
  await it.start();
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await it?.stop();
});
async function signedInPage(url: string, account: { email: string; password: string }, lang = "ja-JP") {
  const page = await (await browser.newContext({ viewport: { width: 1366, height: 768 }, locale: lang, ignoreHTTPSErrors: true })).newPage();
  const problems = watch(page);
  await page.goto(`${url}/`);
  await page.locator('input[type="email"]').fill(account.email);
  await page.locator('input[type="password"]').fill(account.password);
  await page.locator("form button.primary").click();
  await page.locator("input.code").fill(await it.code(account.email));
  await page.locator("form button.primary").click();
  await page.locator("nav").first().waitFor({ state: "attached" });
  return { page, problems };
}
/** The list again and again: the relay is asked in the meantime. */
async function awaitRow(page: Page, url: string, name: string, isRefused: boolean) {
  for (const end = Date.now() + 60_000; ; ) {
    await page.goto(url);
    const row = page.locator("main tr", { hasText: name });
    await row.waitFor();
    if ((await row.getByText("メール拒否", { exact: true }).count()) === (isRefused ? 1 : 0)) return row;
    assert.ok(Date.now() < end, "the list never said so");
    await page.waitForTimeout(300);
  }
}

test("an invitation the relay refuses for good stands beside the person, and goes when one is taken", async () => {
  it.relay.refused.add("hei@kou.example");
  const admin = await it.signInAdmin();
  assert.equal((await admin.post("/users", { email: "hei@kou.example", name: "丙 三郎", lang: "ja" })).status, 201);
  const { page, problems } = await signedInPage(it.url, it.admin);
  const row = await awaitRow(page, `${it.url}/users`, "丙 三郎", true);
  const why = "550 5.1.1 no such mailbox here";
  assert.match((await row.getByTitle(/最終的に拒否しました/).getAttribute("title"))!, new RegExp(`確認コードも招待も届きません。中継先の返答: .*${why}`));
  await look(page, "users-mail-refused");
  await row.getByRole("button", { name: /丙 三郎/ }).click();
  await page.getByRole("menuitem", { name: "編集" }).click();
  await page.getByRole("dialog").getByText(why).waitFor();
  await look(page, "user-mail-refused");
  await page.keyboard.press("Escape");
  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByText("メール拒否", { exact: true }).first().waitFor();
  await look(page, "users-mail-refused-narrow");
  await page.setViewportSize({ width: 1366, height: 768 });

  it.relay.refused.delete("hei@kou.example");
  const hei = (await admin.get("/users?q=hei")).body.items[0];
  assert.ok((await admin.post(`/users/${hei.id}/invitation`, undefined)).status < 300);
  await it.relay.wait("hei@kou.example", /\/link#/);
  await awaitRow(page, `${it.url}/users`, "丙 三郎", false);
  assert.deepEqual(problems, []);
});

test("a code that is refused is shown beside who waits for it, in English too", async () => {
  const admin = await it.signInAdmin();
  const email = "tei@kou.example", password = "Teigo-2026";
  assert.equal((await admin.post("/users", { email, name: "丁 四郎", lang: "ja" })).status, 201);
  const [, token] = await it.relay.wait(email, /\/link#([\w-]{43})/);
  assert.equal((await new Client(it.url).post("/links/accept", { token, password })).status, 204);
  it.relay.refused.add(email);
  assert.equal((await new Client(it.url).post("/sign-in", { email, password })).status, 200);
  const { page, problems } = await signedInPage(it.url, it.admin);
  await awaitRow(page, `${it.url}/users`, "丁 四郎", true);
  await page.getByRole("button", { name: /言語/ }).click();
  await page.getByText("English", { exact: true }).click();
  await page.locator("main tr", { hasText: "丁 四郎" }).getByTitle(/refused this address for good, so that neither codes nor invitations arrive/).waitFor();
  assert.deepEqual(problems, []);
});

test("an operator whose invitation is refused is shown to the others", async () => {
  it.relay.refused.add("new@ops.example");
  const oper = await it.signInOperator();
  assert.equal((await oper.post("/operators", { email: "new@ops.example", name: "運用 三郎", role: "operator" })).status, 201);
  const { page, problems } = await signedInPage(it.console, it.operator);
  const row = await awaitRow(page, `${it.console}/operators`, "運用 三郎", true);
  await row.getByTitle(/no such mailbox here/).waitFor();
  await look(page, "operators-mail-refused");
  await row.getByRole("button", { name: /運用 三郎/ }).click();
  await page.getByRole("menuitem", { name: "編集" }).click();
  await page.getByRole("dialog").getByText(/no such mailbox here/).waitFor();
  await look(page, "operator-mail-refused");
  await page.keyboard.press("Escape");
  await page.setViewportSize({ width: 390, height: 844 });
  await page.getByText("メール拒否", { exact: true }).waitFor();
  await look(page, "operators-mail-refused-narrow");
  assert.deepEqual(problems, []);
});
