// SPDX-License-Identifier: Apache-2.0
// Doctor at the console: what needs a hand, the copy of the key confirmed.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { type Demo, removeDir, signedInOperator, startDemo } from "../../api/server.ts";
import { look as lookAt, openBrowser, signInAt, watch } from "../browser.ts";

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
const look = (page: Page, name: string) => lookAt(page, name, true);
async function opened(options: object = {}) {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "ja-JP", ...options })).newPage();
  return { page, problems: watch(page) };
}

test("the operator sees what is in force, confirms the key's copy, looks again", async () => {
  const { page, problems } = await opened();
  await signInAt(page, demo.ready.console, demo.ready.operator);
  await page.getByRole("link", { name: "点検", exact: true }).click();
  await page.getByRole("heading", { name: "システムコールの制限（seccomp）" }).waitFor();
  const calls = page.locator("li", { has: page.getByRole("heading", { name: "システムコールの制限（seccomp）" }) });
  assert.match(await calls.innerText(), /良好/);
  await look(page, "doctor");
  await page.getByRole("button", { name: "控えを確認した" }).click();
  await page.getByText("控えの確認を記録しました").waitFor();
  await page.getByText(/^確認 .*\d{4}/).waitFor();
  await page.getByRole("button", { name: "今すぐ点検" }).click();
  await page.getByText("点検を始めました").waitFor();
  await page.waitForFunction(() => !document.querySelector("[role=status]")?.textContent?.includes("点検中"));
  assert.deepEqual(problems, []);
});

test("on a telephone, in English, at night", async () => {
  const { page, problems } = await opened({ viewport: { width: 390, height: 844 }, locale: "en-US", colorScheme: "dark" });
  await signInAt(page, demo.ready.console, demo.ready.operator);
  await page.goto(`${demo.ready.console}/doctor`);
  await page.getByRole("heading", { name: "点検" }).waitFor();
  await page.getByRole("button", { name: /日本語/ }).click();
  await page.getByRole("menuitemradio", { name: "English" }).click();
  await page.getByRole("heading", { name: "System calls filtered (seccomp)" }).waitFor();
  await page.getByText(/system calls are allowed/).waitFor();
  await look(page, "doctor-390-dark");
  assert.deepEqual(problems, []);
});

test("the first page says that a rewrap is due, and leads to what is to be done", async () => {
  // the master key is a credential, and a tenant was deleted: what doctor says then is tested in test/api/contract/key.test.ts
  const { page, problems } = await opened();
  const own = await signedInOperator(demo); // the test before has made it English
  assert.equal((await own.request("PATCH", "/me", { lang: "ja" })).status, 200);
  const due = { state: "warning", ja: "削除 1 件（最初は 2026-11-30）のあと、鍵の包み直しが必要です。" };
  await page.route("**/api/v1/doctor", async (route) => {
    const reply = await route.fetch();
    const view = await reply.json();
    assert.ok(view.items?.some((f: any) => f.name === "rewrap"), "doctor knows it by this name");
    await route.fulfill({ response: reply, json: { ...view, items: view.items.map((f: any) => (f.name === "rewrap" ? { ...f, ...due } : f)) } });
  });
  await signInAt(page, demo.ready.console, demo.ready.operator);
  const told = page.getByRole("link", { name: "点検で確認が必要です: 鍵の包み直し" });
  await told.waitFor();
  await lookAt(page, "console-rewrap");
  await page.setViewportSize({ width: 390, height: 800 });
  await lookAt(page, "console-rewrap-390");
  await told.click();
  await page.getByText(due.ja).waitFor();
  assert.deepEqual(problems, []);
});
