// SPDX-License-Identifier: Apache-2.0
// The end of a contract as both sides see it: the record, suspending, the
// countdown, what is left after the last day, and the certificate.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { type Demo, removeDir, startDemo } from "../../api/server.ts";
import { openBrowser, signInAt, watch } from "../browser.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const NAME = "株式会社 架空商事";
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
async function look(page: Page, name: string) {
  await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"));
  await page.waitForTimeout(250);
  const found = (await page.evaluate(`(() => { ${axe}; return axe.run(document, { resultTypes: ["violations"] }); })()`)) as any;
  const bad = found.violations.filter((v: any) => ["serious", "critical"].includes(v.impact));
  assert.deepEqual(bad.map((v: any) => `${v.id}: ${v.nodes[0].target.join(" ")}`), [], name);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), name);
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name}.png`, fullPage: true });
}
const open = async (width: number, lang: string, dark = false) =>
  (await browser.newContext({ viewport: { width, height: 900 }, locale: lang, colorScheme: dark ? "dark" : "light" })).newPage();

test("the operator writes the record, suspends, resumes, sets the end", async () => {
  const page = await open(1280, "ja-JP");
  const problems = watch(page);
  await signInAt(page, demo.ready.console, demo.ready.operator);
  await page.getByRole("link", { name: NAME }).click();
  await page.getByLabel("契約番号").fill("K-2026-0117");
  await page.getByLabel("契約番号").blur();
  await page.getByText("保存しました").first().waitFor();
  await page.getByLabel("データの保管場所").fill("日本（東京・大阪）");
  await page.getByLabel("データの保管場所").blur();
  await look(page, "contract-console");

  const dialog = page.getByRole("dialog");
  await page.getByRole("button", { name: "利用を停止" }).click();
  await dialog.getByLabel("理由").fill("料金の未納");
  await dialog.getByLabel(/と入力/).fill("ちがう会社");
  await dialog.getByRole("button", { name: "利用を停止" }).click();
  await dialog.getByRole("alert").waitFor();
  await look(page, "contract-suspend-dialog");
  await dialog.getByLabel(/と入力/).fill(NAME);
  await dialog.getByRole("button", { name: "利用を停止" }).click();
  await page.getByText("料金の未納").waitFor();

  const customer = await open(390, "ja-JP");
  await customer.goto(demo.ready.url);
  await customer.getByText("利用を停止しています").waitFor();
  await look(customer, "contract-suspended-390");
  const english = await open(1280, "en-GB", true);
  await english.goto(demo.ready.url);
  await english.getByText("has suspended this tenant").waitFor();
  await look(english, "contract-suspended-en");

  await page.getByRole("button", { name: "利用を再開" }).click();
  await page.getByRole("button", { name: "利用を停止" }).waitFor();
  await page.getByRole("button", { name: "終了日を決める" }).click();
  await look(page, "contract-end-dialog");
  await dialog.getByLabel(/と入力/).fill(NAME);
  await dialog.getByRole("button", { name: "終了日を決める" }).click();
  await page.getByText("確認を待っています").waitFor();
  await page.getByText(/以降に運用者だけで確認できます/).waitFor();
  assert.equal(await page.getByRole("button", { name: "削除を確認" }).count(), 0, "not within a day, alone");
  await look(page, "contract-console-ending");
  assert.deepEqual(problems, []);
});

test("the customer's administrator sees the countdown, confirms, and asks for it earlier", async () => {
  const page = await open(1280, "ja-JP");
  const problems = watch(page);
  await signInAt(page, demo.ready.url, demo.ready.accounts[0]!);
  await page.getByText(/契約は .* に終了します/).waitFor();
  await page.getByRole("status").getByRole("link", { name: "契約と終了" }).click();
  await page.getByText("K-2026-0117").waitFor();
  await look(page, "ending");
  await page.getByRole("button", { name: "削除を確認" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/と入力/).fill(NAME);
  await look(page, "ending-confirm");
  await dialog.getByRole("button", { name: "削除を確認" }).click();
  await page.getByText("そろっています").waitFor();
  await page.getByRole("button", { name: "早い削除を求める" }).waitFor();
  await look(page, "ending-confirmed");
  assert.deepEqual(problems, []);
});

test("English, dark, 390 pixels: the end, and an empty list of certificates", async () => {
  const page = await open(390, "en-GB", true);
  const problems = watch(page);
  await signInAt(page, demo.ready.console, demo.ready.operator);
  await page.getByRole("button", { name: /言語|Language/ }).click();
  await page.getByRole("menuitemradio", { name: "English" }).or(page.getByRole("menuitem", { name: "English" })).first().click();
  await page.goto(`${demo.ready.console}/certificates`);
  await page.getByText("No tenant has been deleted yet.").waitFor();
  await look(page, "certificates-390-none");
  await page.goto(`${demo.ready.console}/tenants/kaku`);
  await page.getByText("Everything is confirmed").waitFor();
  await look(page, "contract-console-390");
  assert.deepEqual(problems, []);
});
