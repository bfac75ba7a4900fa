// SPDX-License-Identifier: Apache-2.0
// Support access as people see it: the operator asks, the administrator
// grants it, everybody sees the banner while it lasts, the end is at once.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { type Demo, removeDir, startDemo } from "../../api/server.ts";
import { look, openBrowser, signInAt, signInPage, watch } from "../browser.ts";

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
async function opened(options: object = {}) {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "ja-JP", ...options })).newPage();
  return { page, problems: watch(page) };
}

test("asked, granted, seen by everybody, ended", async () => {
  const oper = await opened();
  await signInAt(oper.page, demo.ready.console, demo.ready.operator);
  await oper.page.getByRole("link", { name: "株式会社 架空商事" }).click();
  await oper.page.getByRole("button", { name: "サポートアクセスを依頼" }).click();
  const ask = oper.page.getByRole("dialog");
  await ask.getByLabel("理由").fill("ガントの表示が崩れる件の調査");
  await look(oper.page, "support-ask");
  await ask.getByRole("button", { name: "サポートアクセスを依頼" }).click();
  await oper.page.getByText("承認待ち").waitFor();
  assert.equal(await oper.page.getByRole("button", { name: "テナントを開く" }).count(), 0);

  const admin = await opened();
  await signInPage(admin.page, demo.ready, 0);
  await admin.page.getByRole("link", { name: "サポートアクセス" }).click();
  await admin.page.getByRole("button", { name: "承認" }).click();
  const grant = admin.page.getByRole("dialog");
  await grant.getByLabel("時間").fill("2");
  await look(admin.page, "support-approve");
  await grant.getByRole("button", { name: "承認" }).click();
  const banner = (page: Page) => page.getByText(/運用者 .* がサポートのためデータを閲覧できます/);
  await banner(admin.page).waitFor();
  await look(admin.page, "support-granted");

  const member = await opened();
  await signInPage(member.page, demo.ready, 5);
  await banner(member.page).waitFor();
  assert.equal(await member.page.getByRole("button", { name: "すぐに終了" }).count(), 0);

  await oper.page.reload();
  const popup = oper.page.context().waitForEvent("page");
  await oper.page.getByRole("button", { name: "テナントを開く" }).click();
  const inside = await popup;
  const problems = watch(inside);
  await banner(inside).waitFor();
  assert.equal(new URL(inside.url()).hash, "");
  await inside.goto(`${demo.ready.url}/projects/ERP/gantt`);
  await banner(inside).waitFor();
  await look(inside, "support-inside");
  await inside.getByRole("button", { name: /^support: / }).click();
  const offered = await inside.getByRole("menuitem").allTextContents();
  assert.deepEqual(offered.map((text) => text.trim()), ["サポートアクセス", "サインアウト", "サポートアクセスを終了"], "nothing that is refused");
  await inside.keyboard.press("Escape");
  await inside.goto(`${demo.ready.url}/support`);
  await inside.getByText("ガントの表示が崩れる件の調査").waitFor();
  assert.equal(await inside.getByRole("button", { name: "すぐに終了" }).count(), 0);

  await inside.getByRole("button", { name: "サポートアクセスを終了" }).click();
  await inside.locator('input[type="email"]').waitFor();
  await banner(admin.page).waitFor({ state: "detached", timeout: 60_000 });
  await inside.reload();
  await inside.locator('input[type="email"]').waitFor();
  await admin.page.goto(`${demo.ready.url}/log`);
  await admin.page.getByText(/support: /).first().waitFor();
  await look(admin.page, "support-log");
  for (const list of [oper.problems, admin.problems, member.problems, problems]) assert.deepEqual(list, []);
});

test("English, dark, 390 pixels", async () => {
  const { page, problems } = await opened({ viewport: { width: 390, height: 800 }, locale: "en-GB", colorScheme: "dark" });
  await signInPage(page, demo.ready, 0);
  await page.evaluate(
    (l) => fetch(`${location.pathname.match(/^\/t\/[^/]+/)![0]}/api/v1/me`, {
      method: "PATCH", headers: { "Content-Type": "application/json", "X-Req": "1" }, body: JSON.stringify({ lang: l }),
    }),
    "en",
  );
  await page.goto(`${demo.ready.url}/support`);
  await page.getByText("Ended", { exact: false }).first().waitFor();
  await look(page, "support-390");
  assert.deepEqual(problems, []);
});
