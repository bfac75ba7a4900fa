// SPDX-License-Identifier: Apache-2.0
// The logs as an administrator uses them: find a change and what it was
// before, see who was refused, take a file away that proves itself.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { addProject, binary, Client, type Demo, removeDir, signedIn, startDemo } from "../../api/server.ts";
import { look, openBrowser, signInPage, watch } from "../browser.ts";

let demo: Demo;
let browser: Browser;
before(async () => {
  demo = await startDemo();
  browser = await openBrowser();
  const admin = await signedIn(demo, 0);
  const { id } = await addProject(admin, "LOG");
  for (const subject of ["見積", "設計"]) {
    const made = (await admin.post(`/projects/${id}/tickets`, { subject, classification: "task" })).body;
    await admin.patch(`/tickets/${made.id}`, { subject: `${subject}の見直し` }, made.version);
  }
  await new Client(demo.ready.url).post("/sign-in", { email: demo.ready.accounts[2]!.email, password: "Wrong-2026" });
});
after(async () => {
  await browser?.close();
  await demo?.stop();
  if (demo) removeDir(demo);
});

test("found, narrowed to one object, verified, exported", async () => {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "ja-JP" })).newPage();
  const problems = watch(page);
  await signInPage(page, demo.ready, 0);
  await page.getByRole("link", { name: "操作ログ" }).click();
  await page.getByLabel("対象", { exact: true }).selectOption("ticket");
  const rows = page.locator("[role=tabpanel] ol > li");
  await rows.first().getByRole("button").click();
  await page.getByRole("columnheader", { name: "変更後" }).waitFor();
  await look(page, "log-operations");
  await rows.first().getByRole("button", { name: "この対象のみ" }).click();
  await page.waitForFunction(() => location.search.includes("object=") && document.querySelectorAll("[role=tabpanel] ol > li .object").length === 2);
  const objects = await rows.locator(".object").allTextContents();
  assert.ok(objects.length === 2 && objects.every((x) => x.includes("LOG-2")), objects.join());
  await page.getByRole("button", { name: "改ざんがないか検証" }).click();
  await page.locator(".proof:not(.bad)").waitFor();

  await page.getByRole("button", { name: "ログを書き出す" }).click();
  const dialog = page.getByRole("dialog");
  await look(page, "log-export");
  const [file] = await Promise.all([page.waitForEvent("download"), dialog.getByRole("button", { name: "ログを書き出す" }).click()]);
  const path = await file.path();
  const told = spawnSync(binary, ["log", "verify", "--file", path], { encoding: "utf8" });
  assert.equal(told.status, 0, told.stdout + told.stderr);
  await dialog.waitFor({ state: "hidden" });

  await page.getByRole("tab", { name: "アクセスログ" }).click();
  await page.getByRole("heading", { name: "アクセスログ" }).waitFor();
  await page.locator("td", { hasText: "/operations/export" }).first().waitFor();
  await look(page, "log-access");
  await page.getByLabel("拒否・失敗のみ").check();
  await page.locator("td", { hasText: "POST /sign-in" }).first().waitFor();
  await page.waitForFunction(() => document.querySelectorAll("tbody td.refused").length === document.querySelectorAll("tbody tr").length);
  await page.getByLabel("接続元", { exact: true }).fill("203.0.113.9");
  await page.getByText("該当する記録はありません。").waitFor();
  // what an earlier filter found does not stand under one that failed
  await page.getByLabel("接続元", { exact: true }).fill("");
  await page.locator("tbody tr").first().waitFor();
  await page.route("**/api/v1/accesses?*", (r) => r.fulfill({ status: 422, contentType: "application/problem+json", body: '{"title":"時間がかかりすぎます","status":422,"errors":[]}' }));
  await page.getByLabel("接続元", { exact: true }).fill("203.0.113.9");
  await page.getByText("時間がかかりすぎます").waitFor();
  assert.equal(await page.locator("tbody tr").count(), 0);
  await page.unroute("**/api/v1/accesses?*");
  await page.getByRole("tab", { name: "アクセスログ" }).press("ArrowLeft");
  await page.getByRole("heading", { name: "操作ログ" }).waitFor();
  assert.equal(new URL(page.url()).search, "");
  assert.deepEqual(problems, []);
});

test("English, dark, on a phone", async () => {
  const page = await (await browser.newContext({ viewport: { width: 390, height: 800 }, locale: "en-US", colorScheme: "dark" })).newPage();
  const problems = watch(page);
  await signInPage(page, demo.ready, 0);
  await page.evaluate(() => fetch(`${location.pathname.match(/^\/t\/[a-z0-9-]+/)?.[0] ?? ""}/api/v1/me`, { method: "PATCH", headers: { "X-Req": "1", "Content-Type": "application/json" }, body: '{"lang":"en"}' }));
  await page.goto(`${demo.ready.url}/log?tab=access_log`);
  await page.getByRole("heading", { name: "Access log" }).waitFor();
  const row = page.locator("[role=tabpanel] ol > li").first();
  await row.locator("summary").click();
  await row.getByText(/Mozilla/).waitFor();
  assert.deepEqual(await page.evaluate(() => [...document.querySelectorAll("main *")].filter((e) => e.scrollWidth > e.clientWidth && getComputedStyle(e).overflowX === "auto").length), 0, "nothing scrolls sideways");
  await look(page, "log-access-dark-390");
  await page.getByRole("tab", { name: "Operation log" }).click();
  await page.locator("[role=tabpanel] ol > li").first().waitFor();
  await look(page, "log-operations-dark-390");
  assert.deepEqual(problems, []);
});
