// SPDX-License-Identifier: Apache-2.0
// The manual in the product: it opens at the screen one is on, its links lead
// on, and its words are found.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { type Demo, removeDir, startDemo } from "../../api/server.ts";
import { openBrowser, signInPage, watch } from "../browser.ts";

let demo: Demo;
let browser: Browser;
let page: Page;
let problems: string[];
before(async () => {
  demo = await startDemo();
  browser = await openBrowser();
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "ja-JP" });
  page = await context.newPage();
  problems = watch(page);
  await signInPage(page, demo.ready, 5);
});
after(async () => {
  await browser?.close();
  await demo?.stop();
  if (demo) removeDir(demo);
});
const shot = async (name: string) => {
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name}.png` });
};

test("help opens at the screen one is on, and leads on", async () => {
  await page.goto(`${demo.ready.url}/projects/ERP/gantt`);
  await page.getByRole("button", { name: "ヘルプ" }).click();
  await page.getByRole("menuitem", { name: "この画面の使い方" }).click();
  await page.getByRole("heading", { name: "ガント", level: 1 }).waitFor();
  await shot("help-gantt");
  await page.getByRole("link", { name: "はじめに" }).click();
  await page.getByRole("heading", { name: "はじめに", level: 1 }).waitFor();
  await page.locator("article").getByRole("link", { name: "取り込みと書き出し" }).click();
  await page.getByRole("heading", { name: "取り込みと書き出し", level: 1 }).waitFor();
  assert.ok(page.url().endsWith("/help/import"));
  await shot("help-import");
});

test("the manual is searched without regard to width or kana", async () => {
  await page.getByRole("searchbox", { name: "使い方を検索" }).fill("ＭＳ ぷろじぇくと");
  await page.locator(".hits").getByRole("link", { name: "取り込みと書き出し" }).waitFor();
  await shot("help-search");
  await page.locator(".hits").getByRole("link").first().click();
  await page.waitForURL(/\?s=\d+$/);
  await page.locator("article h4:focus").waitFor();
});

test("a screen's help begins at its section", async () => {
  await page.goto(`${demo.ready.url}/policies`);
  await page.getByRole("button", { name: "ヘルプ" }).click();
  await page.getByRole("menuitem", { name: "この画面の使い方" }).click();
  const heading = page.locator("article h4:focus");
  await heading.waitFor();
  assert.equal(await heading.textContent(), "運用者の方針と声明");
  const box = (await heading.boundingBox())!;
  assert.ok(box.y >= 0 && box.y < 300, `in sight: ${box.y}`);
  await shot("help-section");
});

test("in English, narrow, in the dark", async () => {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, locale: "en-US", colorScheme: "dark" });
  const theirs = await context.newPage();
  await signInPage(theirs, demo.ready, 6);
  await theirs.goto(`${demo.ready.url}/help/operate`);
  await theirs.locator("article h1").waitFor();
  if (process.env.SHOTS) await theirs.screenshot({ path: `${process.env.SHOTS}/help-narrow.png` });
  const wide = await theirs.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 390, `${wide} px wide`);
  await context.close();
  assert.deepEqual(problems, []);
});
