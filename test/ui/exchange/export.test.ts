// SPDX-License-Identifier: Apache-2.0
// A person takes a project's tickets away as a file, and reads why not.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { addProject, type Client, type Demo, removeDir, signedIn, startDemo } from "../../api/server.ts";
import { look as lookAt, openBrowser, signInPage, watch } from "../browser.ts";

let demo: Demo;
let browser: Browser;
let page: Page;
let api: Client;
let problems: string[];
before(async () => {
  demo = await startDemo();
  browser = await openBrowser();
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "ja-JP" });
  page = await context.newPage();
  problems = watch(page);
  await signInPage(page, demo.ready, 0);
  api = await signedIn(demo, 0);
});
after(async () => {
  await browser?.close();
  await demo?.stop();
  if (demo) removeDir(demo);
});

const look = (name: string) => lookAt(page, name);

/** A menu that has just been closed does not open again at once. */
async function openMenu() {
  const opened = () => page.getByRole("menuitem").first().waitFor({ timeout: 200 }).then(() => true, () => false);
  do await page.getByRole("button", { name: "CSVで書き出す" }).click();
  while (!(await opened()));
}

async function take(encoding: string) {
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    (async () => {
      await openMenu();
      await page.getByRole("menuitem", { name: encoding }).click();
    })(),
  ]);
  return { name: file.suggestedFilename(), bytes: readFileSync((await file.path())!) };
}

test("the menu gives the file, in either encoding", async () => {
  await page.goto(`${demo.ready.url}/projects/ERP/tickets`);
  await page.getByRole("row").nth(3).waitFor();
  const utf8 = await take("UTF-8");
  assert.equal(utf8.name, "ERP-tickets.csv");
  assert.match(utf8.bytes.toString("utf8"), /^\ufeff"ID","操作","WBS番号"/);
  assert.match(utf8.bytes.toString("utf8"), /"ERP-1"/);
  const cp932 = await take("CP932 (Shift_JIS)");
  assert.match(new TextDecoder("shift_jis").decode(cp932.bytes), /^"ID","操作","WBS番号"/);
  await openMenu();
  await look("export");
  await page.keyboard.press("Escape");
  await page.setViewportSize({ width: 390, height: 844 });
  await openMenu();
  await look("export-390");
  await page.keyboard.press("Escape");
  await page.setViewportSize({ width: 1280, height: 900 });
  assert.deepEqual(problems, []);
});

test("by keyboard; what CP932 cannot hold is said, and the page stays", async () => {
  const { id } = await addProject(api, "EMO");
  await api.post(`/projects/${id}/tickets`, { classification: "task", subject: "絵文字😀" });
  await page.goto(`${demo.ready.url}/projects/EMO/tickets`);
  await page.getByText("絵文字😀").first().waitFor();
  await page.getByRole("button", { name: "CSVで書き出す" }).focus();
  await page.keyboard.press("Enter");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.getByText(/CP932にない文字「😀」/).waitFor();
  assert.match(page.url(), /EMO\/tickets$/);
  problems.length = 0; // the browser notes every 422
});
