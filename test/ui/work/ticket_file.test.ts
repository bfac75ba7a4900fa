// SPDX-License-Identifier: Apache-2.0
// Files of a ticket as a person handles them: choose, drop, fetch, delete.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { addProject, type Client, type Demo, removeDir, signedIn, startDemo } from "../../api/server.ts";
import { look as lookAt, openBrowser, signInPage, watch } from "../browser.ts";

const LONG = `${"基幹システム更改に伴う現行業務フローと帳票一覧の確認結果".repeat(4)}.txt`;
let demo: Demo;
let browser: Browser;
let page: Page;
let admin: Client;
let problems: string[];
before(async () => {
  demo = await startDemo();
  browser = await openBrowser();
  admin = await signedIn(demo, 0);
  const project = await addProject(admin, "FILES");
  await admin.post(`/projects/${project.id}/tickets`, { classification: "task", subject: "添付の件" });
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "ja-JP" });
  page = await context.newPage();
  problems = watch(page);
  await signInPage(page, demo.ready, 0);
  await page.goto(`${demo.ready.url}/tickets/FILES-1`);
});
after(async () => {
  await browser?.close();
  await demo?.stop();
  if (demo) removeDir(demo);
});

/** And nothing hidden makes the frame itself scroll. */
async function look(name: string) {
  await lookAt(page, name);
  assert.ok(await page.evaluate("document.scrollingElement.scrollHeight <= innerHeight"), `${name}: the frame itself scrolls`);
}
const stored = async () => (await admin.get("/tickets/FILES-1")).body.id as string;
const names = async () => (await admin.get(`/tickets/${await stored()}/files`)).body.items.map((f: any) => f.name);

test("a chosen file and a dropped one are attached and come down again", async () => {
  await page.getByRole("group", { name: "添付ファイル" }).locator("input[type=file]").setInputFiles([{ name: LONG, mimeType: "text/plain", buffer: Buffer.from("中身") }]);
  await page.getByRole("button", { name: `ダウンロード: ${LONG}` }).waitFor();
  const transfer = await page.evaluateHandle(() => {
    const t = new DataTransfer();
    t.items.add(new File(["二つめ"], "議事録.md"));
    return t;
  });
  await page.getByRole("group", { name: "添付ファイル" }).dispatchEvent("drop", { dataTransfer: transfer });
  const button = page.getByRole("button", { name: "ダウンロード: 議事録.md" });
  await button.waitFor();
  assert.deepEqual(await names(), [LONG, "議事録.md"]);
  const [download] = await Promise.all([page.waitForEvent("download"), button.press("Enter")]);
  assert.equal(download.suggestedFilename(), "議事録.md");
  assert.equal(readFileSync(await download.path(), "utf8"), "二つめ");
  await look("ticket-files");
});

test("what is refused is said", async () => {
  await page.getByRole("group", { name: "添付ファイル" }).locator("input[type=file]").setInputFiles([{ name: "偽.png", mimeType: "image/png", buffer: Buffer.from("<html>") }]);
  await page.getByText("ファイルの中身が、名前の末尾（.png）の形式ではありません").waitFor();
  assert.equal((await names()).length, 2);
});

test("narrow and dark", async () => {
  await page.setViewportSize({ width: 390, height: 800 });
  await page.emulateMedia({ colorScheme: "dark" });
  await page.getByRole("group", { name: "添付ファイル" }).scrollIntoViewIfNeeded();
  await look("ticket-files-390-dark");
});

test("deleting asks first, and history tells of it", async () => {
  await page.getByRole("button", { name: "削除: 議事録.md" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("「議事録.md」を削除します").waitFor();
  await look("ticket-file-delete");
  await dialog.getByRole("button", { name: "削除" }).click();
  await page.getByRole("button", { name: "ダウンロード: 議事録.md" }).waitFor({ state: "detached" });
  assert.deepEqual(await names(), [LONG]);
  await page.getByRole("tab", { name: "変更履歴" }).click();
  await page.locator("s", { hasText: "議事録.md" }).waitFor();
  assert.deepEqual(problems.filter((p) => !p.includes("422")), []);
});
