// SPDX-License-Identifier: Apache-2.0
// The operator sees that everything is safe, runs a backup and checks one.
import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { type Demo, startDemo } from "../../api/server.ts";
import { look as lookAt, openBrowser, signInAt, watch } from "../browser.ts";

let demo: Demo;
let browser: Browser;
let dir: string;
const settings = ["YAGURA_BACKUP_COPY_DIR", "YAGURA_BACKUP_REGION"];
before(async () => {
  dir = mkdtempSync(join(tmpdir(), "yagura-backup-"));
  mkdirSync(join(dir, "とても長い名前のバックアップ用フォルダー_第二データセンター_東京"));
  process.env.YAGURA_BACKUP_COPY_DIR = join(dir, "とても長い名前のバックアップ用フォルダー_第二データセンター_東京");
  process.env.YAGURA_BACKUP_REGION = "jp";
  demo = await startDemo(join(dir, "demo"));
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await demo?.stop();
  for (const name of settings) delete process.env[name];
  rmSync(dir, { recursive: true, force: true });
});
const look = (page: Page, name: string) => lookAt(page, `backup-${name}`, true);
const open = async (options: BrowserContextOptions = {}) =>
  (await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "ja-JP", ...options })).newPage();

/** Presses until it is taken: the one of the hour may just be running. */
async function runNow(page: Page) {
  const button = page.getByRole("button", { name: "今すぐバックアップ" });
  for (;;) {
    const asked = page.waitForResponse((r) => r.request().method() === "POST" && r.url().endsWith("/backups"));
    const [reply] = await Promise.all([asked, button.click()]);
    if (reply.ok()) return;
  }
}

test("a backup is run, followed and checked", async () => {
  const page = await open();
  const problems = watch(page);
  await signInAt(page, demo.ready.console, demo.ready.operator);
  await page.getByRole("link", { name: "バックアップ" }).click();
  await runNow(page);
  await page.getByRole("row", { name: /成功.*1 \/ 1.*運用/ }).first().waitFor();
  await page.getByRole("button", { name: "検査" }).first().click();
  await page.getByRole("region", { name: "検査の記録" }).getByText("3 ファイルに異常はありません").waitFor();
  const copies = page.getByRole("region", { name: "別の場所への写し" });
  await copies.getByText("成功").waitFor();
  await look(page, "page");
  // the folder is gone: nothing here says that copies are there
  const all = join(dir, "demo", "data", "backups");
  renameSync(all, `${all}.away`);
  await page.reload();
  await page.getByRole("alert").getByText("作ったはずの世代が見つかりません").waitFor();
  await page.getByRole("region", { name: "テナント" }).getByText("ファイルが見つかりません").waitFor();
  await look(page, "gone");
  renameSync(`${all}.away`, all);
  await page.reload();
  await page.getByRole("heading", { name: "復元訓練" }).waitFor();
  assert.equal(await page.getByText("ファイルが見つかりません").count(), 0);
  // a file that is not as it was written, told in the reader's language
  const [date] = readdirSync(join(dir, "demo", "data", "backups")).filter((name) => /^\d{4}/.test(name));
  appendFileSync(join(dir, "demo", "data", "backups", date!, "kaku.db"), "x");
  await page.getByRole("button", { name: "検査" }).first().click();
  await page.getByText("kaku.db: 書いたときと違います（SHA-256）").waitFor();
  await look(page, "odd");
  rmSync(process.env.YAGURA_BACKUP_COPY_DIR!, { recursive: true });
  await runNow(page);
  for (;;) {
    await page.reload();
    if (await copies.getByText("フォルダーがありません").isVisible({ timeout: 2000 }).catch(() => false)) break;
  }
  await look(page, "failed");
  assert.deepEqual(problems, []);
});

test("English, dark, on a phone", async () => {
  const page = await open({ locale: "en-US", viewport: { width: 390, height: 800 }, colorScheme: "dark" });
  const problems = watch(page);
  await signInAt(page, demo.ready.console, demo.ready.operator);
  await page.goto(`${demo.ready.console}/backups`);
  await page.evaluate(() => fetch("/operator/api/v1/me", { method: "PATCH", headers: { "X-Req": "1", "Content-Type": "application/json" }, body: '{"lang":"en"}' }));
  await page.reload();
  await page.getByRole("heading", { name: "Restore drills" }).waitFor();
  await look(page, "dark-390");
  assert.deepEqual(problems, []);
});
