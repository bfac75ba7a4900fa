// SPDX-License-Identifier: Apache-2.0
// Capacity at the console, a tenant's limits, and usage as its administrator
// sees it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { type Demo, removeDir, startDemo } from "../../api/server.ts";
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
const look = (page: Page, name: string) => lookAt(page, name, true);
async function opened(options: object = {}) {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "ja-JP", ...options })).newPage();
  return { page, problems: watch(page) };
}

test("the operator sees what is left, sets a threshold and a tenant's limit", async () => {
  const { page, problems } = await opened();
  await signInAt(page, demo.ready.console, demo.ready.operator);
  await page.getByRole("link", { name: "容量", exact: true }).click();
  await page.getByRole("heading", { name: "ディスク使用率" }).waitFor();
  const disk = page.locator("li", { has: page.getByRole("heading", { name: "ディスク使用率" }) });
  assert.match(await disk.innerText(), /残り [\d.,]+ (GB|MB)/);
  await disk.getByLabel("しきい値").fill("77");
  await disk.getByLabel("しきい値").press("Tab");
  await page.getByText("保存しました").first().waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "サーバーの時計" }).waitFor();
  assert.equal(await disk.getByLabel("しきい値").inputValue(), "77");
  await look(page, "capacity");
  await page.locator("main").getByRole("combobox").first().selectOption("hour");
  await page.goto(`${demo.ready.console}/tenants/${demo.ready.tenant}`);
  await page.getByLabel("容量（MB）").fill("300");
  await page.getByLabel("容量（MB）").press("Tab");
  await page.getByText(/\/ 300 MB \(\d+%\)/).waitFor();
  await look(page, "customer-quota");
  assert.deepEqual(problems, []);
});

test("the tenant's administrator sees usage and what is left", async () => {
  const { page, problems } = await opened();
  await signInPage(page, demo.ready, 0);
  await page.goto(`${demo.ready.url}/tenant`);
  await page.getByRole("heading", { name: "利用状況" }).waitFor();
  await page.getByText(/\/ 300 MB \(\d+%\)/).waitFor();
  await look(page, "usage");
  assert.deepEqual(problems, []);
});

test("narrow, dark and in English", async () => {
  const { page, problems } = await opened({ viewport: { width: 390, height: 844 }, locale: "en-US", colorScheme: "dark" });
  await signInAt(page, demo.ready.console, demo.ready.operator);
  await page.goto(`${demo.ready.console}/capacity`);
  await page.locator(".cards li").first().waitFor();
  await page.getByRole("button", { name: /日本語/ }).click();
  await page.getByRole("menuitemradio", { name: "English" }).click();
  await page.getByRole("heading", { name: "Server clock" }).waitFor();
  await look(page, "capacity-narrow");
  assert.deepEqual(problems, []);
});
