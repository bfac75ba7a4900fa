// SPDX-License-Identifier: Apache-2.0
// The trust page for its three readers: the operator decides what is public,
// strangers see that and no more, a master administrator sees the tenant's own.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { Client, type Demo, removeDir, signedIn, signedInOperator, startDemo } from "../../api/server.ts";
import { look as lookAt, openBrowser, signInAt, signInPage, watch } from "../browser.ts";

let demo: Demo;
let browser: Browser;
before(async () => {
  process.env.YAGURA_OPERATOR_NAME = "株式会社やぐら運用 サービス部";
  demo = await startDemo();
  delete process.env.YAGURA_OPERATOR_NAME;
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await demo?.stop();
  if (demo) removeDir(demo);
});
const look = (page: Page, name: string) => lookAt(page, `trust-${name}`);
const open = async (options: BrowserContextOptions = {}) =>
  (await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "ja-JP", ...options })).newPage();
const row = (page: Page, no: number) => page.locator("main ol > li").filter({ has: page.locator(".no", { hasText: new RegExp(`^${no}$`) }) });

test("the operator makes one public and says why another does not apply", async () => {
  const page = await open();
  const problems = watch(page);
  await signInAt(page, demo.ready.console, demo.ready.operator);
  await page.getByRole("link", { name: "トラストページ" }).click();
  await row(page, 38).waitFor();
  assert.equal(await page.locator("main ol > li").count(), 38);
  await look(page, "operator");
  assert.equal(await page.getByRole("navigation", { name: "全項目の一覧" }).getByRole("link").count(), 38);
  await page.getByRole("link", { name: /^20/ }).first().click();
  await page.waitForFunction(() => Math.abs(document.getElementById("promise-20")!.getBoundingClientRect().top - 44) < 60);
  await row(page, 20).getByRole("link", { name: "この画面で確認: バックアップ" }).waitFor();
  assert.equal(await page.getByRole("table").last().locator("tbody tr").count(), 1);
  await page.getByRole("button", { name: "編集 13" }).click();
  await page.getByLabel("サインインしていない人にも公開する").check();
  await page.getByRole("button", { name: "保存" }).click();
  await row(page, 13).getByText("公開", { exact: true }).waitFor();
  await page.getByRole("button", { name: "編集 26" }).click();
  await page.getByLabel("この管理策は当社に適用される").uncheck();
  await page.getByLabel("適用外の理由 (日本語)").fill("仮想ネットワークを使わない1台のサーバーで動かしています。");
  await page.getByRole("button", { name: "保存" }).click();
  await page.getByText("日本語と英語の両方で").waitFor();
  await look(page, "dialog");
  await page.getByLabel("適用外の理由 (English)").fill("It runs on one machine without a virtual network.");
  await page.getByRole("button", { name: "保存" }).click();
  await row(page, 26).getByText("適用外", { exact: true }).waitFor();
  await page.getByRole("button", { name: "適用外 1" }).click();
  assert.equal(await page.locator("main ol > li").count(), 1);
  assert.deepEqual(problems, []);
});

test("a stranger reads what is public, in English, and nothing else", async () => {
  const page = await open({ locale: "en-US", viewport: { width: 390, height: 800 }, colorScheme: "dark" });
  const problems = watch(page);
  await page.goto(`${demo.ready.url}/`);
  await page.getByRole("link", { name: "Trust page" }).click();
  await page.getByRole("heading", { name: "Separation of tenants" }).waitFor();
  assert.equal(await page.locator("main ol > li").count(), 1);
  await look(page, "public-dark-390");
  await page.getByRole("link", { name: "Sign in" }).click();
  await page.locator('input[type="password"]').waitFor();
  assert.deepEqual(problems.filter((p) => !/401/.test(p)), []);
  const member = await signedIn(demo, 4);
  assert.deepEqual((await member.get("/trust")).body.items.map((r: any) => r.no), [13]);
  assert.equal((await member.request("PUT", "/trust/1", { is_public: true }, { "If-Match": '"1"' })).status, 403);
  assert.deepEqual((await new Client(demo.ready.url).get("/trust")).body.items.map((r: any) => r.no), [13]);
});

/** On white: what is printed has to be darker than this. */
const darkness = (page: Page, selector: string) =>
  page.locator(selector).first().evaluate((node) => {
    const [r, g, b] = getComputedStyle(node).color.match(/\d+/g)!.map(Number);
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
  });

test("a master administrator sees the tenant's own evidence, on paper too", async () => {
  const jst = (hours: number) => new Date(Date.now() + (9 + hours) * 3_600_000).toISOString().slice(0, 16);
  const oper = await signedInOperator(demo);
  const made = await oper.post("/service/notices", { kind: "maintenance", title_ja: "作業中", title_en: "At work", body_ja: "作業", body_en: "Work", starts_at: jst(-1), ends_at: jst(2), is_for_all: true, mail_to: "admins" });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  assert.equal((await oper.post(`/service/notices/${made.body.id}/publish`, {}, { "If-Match": `"${made.body.version}"` })).status, 200);
  const page = await open({ colorScheme: "dark" });
  const problems = watch(page);
  await signInPage(page, demo.ready, 0);
  await page.getByRole("link", { name: "トラストページ" }).click();
  await row(page, 7).getByText(/利用者 \d+ 人、うちマスター管理者 1 人/).waitFor();
  await row(page, 33).getByText("番まで検証").waitFor();
  assert.equal(await page.getByRole("button", { name: /^編集/ }).count(), 0);
  await look(page, "tenant");
  const banner = page.locator('main > [role="status"]').first();
  await banner.waitFor();
  await page.getByText("株式会社やぐら運用 サービス部").waitFor();
  await row(page, 20).getByText(/このテナント/).first().waitFor();
  assert.ok((await darkness(page, "main ol > li p")) > 128, "dark on the screen");
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  assert.equal(await page.locator("nav").first().isVisible(), false);
  assert.equal(await banner.isVisible(), false);
  assert.equal(await page.locator("details").first().isVisible(), false);
  for (const what of ["main ol > li p", "main ol > li ul span", ".muted", "h2", "dd"]) assert.ok((await darkness(page, what)) < 128, `${what} is dark on white`);
  const paper = await page.pdf({ format: "A4" });
  const pages = paper.toString("latin1").match(/\/Type\s*\/Page[^s]/g)?.length ?? 0;
  assert.ok(pages >= 3, `${pages} pages`);
  if (process.env.SHOTS) (await import("node:fs")).writeFileSync(`${process.env.SHOTS}/trust.pdf`, paper);
  assert.deepEqual(problems, []);
});

test("two turns of a row in one second are two lines", async () => {
  const page = await open();
  const problems = watch(page);
  await page.route("**/api/v1/trust", async (route) => {
    const reply = await route.fetch();
    const body = await reply.json();
    const at = "2026-11-26T10:00:00+09:00";
    body.items[0].history = [{ at, state: "holds" }, { at, state: "attention" }];
    await route.fulfill({ response: reply, json: body });
  });
  await signInAt(page, demo.ready.console, demo.ready.operator);
  await page.getByRole("link", { name: "トラストページ" }).click();
  await row(page, 1).locator("details").evaluate((d: HTMLDetailsElement) => (d.open = true));
  assert.equal(await row(page, 1).locator("details li").count(), 2);
  assert.deepEqual(problems, []);
});
