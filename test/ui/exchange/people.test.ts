// SPDX-License-Identifier: Apache-2.0
// An administrator brings people in from a CSV file and finds them in the list.
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
  await signInPage(page, demo.ready, 0);
});
after(async () => {
  await browser?.close();
  await demo?.stop();
  if (demo) removeDir(demo);
});
const shot = async (name: string) => {
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name}.png` });
};
const choose = (rows: string[]) =>
  page.locator("main input[type=file]").setInputFiles({
    name: "people.csv",
    mimeType: "text/csv",
    buffer: Buffer.from(["操作,メールアドレス,氏名,言語,マスター管理者,状態", ...rows].join("\n")),
  });

test("a file is tried, its mistakes shown by line and column, then taken with a report", async () => {
  await page.goto(`${demo.ready.url}/users`);
  await page.getByRole("link", { name: "CSV取り込み" }).click();
  await choose(["追加,not-an-address,名前,,,", `削除,${demo.ready.accounts[0]!.email},,,,`]);
  const wrong = page.locator("main tbody tr");
  await wrong.first().waitFor();
  assert.deepEqual(await wrong.first().locator("td").allTextContents().then((cells) => cells.slice(0, 3)), ["2", "2", "メールアドレス"]);
  assert.match(await wrong.nth(1).innerText(), /自分自身/);
  assert.equal(await page.getByRole("button", { name: "取り込む" }).count(), 0);
  await shot("people-errors");

  await choose(Array.from({ length: 300 }, (_, i) => `追加,bulk${i}@people.example,一括 太郎${i},,,`));
  await page.getByText("誤りはありません").waitFor();
  await shot("people-tried");
  // what is seen of a job that takes its time
  await page.route("**/api/v1/jobs/*", async (one) => {
    const reply = await one.fetch();
    const job = { ...(await reply.json()), state: "running", done: 150, ended_at: null, result: null };
    await one.fulfill({ response: reply, json: job });
  });
  await page.getByRole("button", { name: "取り込む" }).click();
  await page.getByText("150 / 300 行（50%）").waitFor();
  assert.equal(await page.getByRole("progressbar").getAttribute("value"), "150");
  await page.locator("main").getByRole("button", { name: "キャンセル" }).waitFor();
  await shot("people-progress");
  await page.unroute("**/api/v1/jobs/*");
  await page.getByText("取り込みました: 追加 300 人").waitFor();
  await shot("people-done");
  await page.locator("main").getByRole("link", { name: "ユーザー" }).click();
  await page.getByPlaceholder(/./).first().fill("一括");
  await page.getByText("bulk0@people.example").first().waitFor();
  await shot("people-list");
  // who is deleted does not come back: the name is typed
  await page.getByRole("button", { name: "その他の操作 一括 太郎0", exact: true }).click();
  await page.getByRole("menuitem", { name: "削除" }).click();
  const ask = page.locator("dialog[open]");
  assert.equal(await ask.getByRole("button", { name: "削除" }).isDisabled(), true);
  await ask.getByRole("textbox").fill("一括 太郎0");
  await shot("people-delete");
  await ask.getByRole("button", { name: "削除" }).click();
  await page.getByText("bulk0@people.example").waitFor({ state: "detached" });
  for (const [lang, scheme] of [["ja", "light"], ["en", "dark"]] as const) {
    await page.setViewportSize({ width: 390, height: 844 });
    await page.emulateMedia({ colorScheme: scheme });
    await page.evaluate(
      (l) => fetch(`${location.pathname.match(/^\/t\/[^/]+/)![0]}/api/v1/me`, {
        method: "PATCH", headers: { "Content-Type": "application/json", "X-Req": "1" }, body: JSON.stringify({ lang: l }),
      }),
      lang,
    );
    for (const path of ["/users", "/users/import"]) {
      await page.goto(demo.ready.url + path);
      await page.locator("main h1").waitFor();
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), path);
      await shot(`people-390-${lang}${path.replaceAll("/", "-")}`);
    }
  }
  assert.deepEqual(problems, []);
});
