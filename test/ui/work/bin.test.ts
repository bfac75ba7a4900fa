// SPDX-License-Identifier: Apache-2.0
// Taking back what was deleted, as a person does it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { type Demo, addProject, removeDir, signedIn, startDemo } from "../../api/server.ts";
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

test("a deleted ticket and a deleted project come back", async () => {
  const admin = await signedIn(demo, 0);
  const name = "とても長い名前のプロジェクト".repeat(8);
  const project = await addProject(admin, "BINNED", { name });
  const ticket = (await admin.post(`/projects/${project.id}/tickets`, { classification: "task", subject: "消した作業" })).body;
  await admin.delete(`/tickets/${ticket.id}`, ticket.version);
  const context = await browser.newContext({ viewport: { width: 390, height: 800 }, locale: "ja-JP" });
  const page = await context.newPage();
  const problems = watch(page);
  await signInPage(page, demo.ready, 0);

  await page.goto(`${demo.ready.url}/projects/BINNED/settings`);
  const row = page.locator("li", { hasText: "BINNED-1" });
  await row.getByText("消した作業").waitFor();
  await row.getByRole("button", { name: "元に戻す" }).click();
  await page.getByText("ごみ箱は空です").waitFor();
  assert.equal((await admin.get("/tickets/BINNED-1")).status, 200);

  const { version } = (await admin.get(`/projects/${project.id}`)).body;
  await admin.delete(`/projects/${project.id}`, version);
  await page.goto(`${demo.ready.url}/`);
  await page.getByRole("button", { name: "ごみ箱" }).click();
  const gone = page.locator("li", { hasText: "BINNED" });
  await gone.waitFor();
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/bin-390.png`, fullPage: true });
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 1);
  await gone.getByRole("button", { name: "元に戻す" }).click();
  await page.locator("td a", { hasText: name }).waitFor();
  await page.getByText("ごみ箱は空です").waitFor();
  assert.deepEqual(problems, []);
  await context.close();
});
