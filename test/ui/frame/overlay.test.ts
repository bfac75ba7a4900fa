// SPDX-License-Identifier: Apache-2.0
// What lies over the pages (dialogs, menus, palette, drawer) is accessible in
// both themes, and the line may go away in the middle of work.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { type Demo, removeDir, startDemo } from "../../api/server.ts";
import { openBrowser, signInPage, watch } from "../browser.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
let demo: Demo;
let browser: Browser;
let page: Page;
let problems: string[];
before(async () => {
  demo = await startDemo();
  browser = await openBrowser();
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "ja-JP", colorScheme: "dark" });
  page = await context.newPage();
  problems = watch(page);
  await signInPage(page, demo.ready, 0);
});
after(async () => {
  await browser?.close();
  await demo?.stop();
  if (demo) removeDir(demo);
});

async function accessible(name: string) {
  await page.waitForTimeout(200);
  const { violations } = (await page.evaluate(`(() => { ${axe}; return axe.run(document, { resultTypes: ["violations"] }); })()`)) as {
    violations: { id: string; impact: string; nodes: { target: string[]; failureSummary: string }[] }[];
  };
  const bad = violations.filter((v) => v.impact === "serious" || v.impact === "critical");
  assert.deepEqual(bad.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.target.join(" ")} ${n.failureSummary}`).join("; ")}`), [], name);
}
const go = (path: string) => page.goto(demo.ready.url + path).then(() => page.locator("h1").first().waitFor());

for (const [name, path, open] of [
  ["palette", "/", () => page.keyboard.press("Control+k")],
  ["keys", "/", () => page.keyboard.press("?")],
  ["new program", "/", () => page.getByRole("button", { name: "プログラムを追加" }).click()],
  ["new project", "/", () => page.locator("button.primary", { hasText: "プロジェクトを追加" }).click()],
  ["program", "/", () => page.getByRole("button", { name: /^編集 / }).first().click()],
  ["new ticket", "/projects/ERP/tickets", () => page.locator("h1 ~ button.primary").click()],
  ["new user", "/users", () => page.getByRole("button", { name: "ユーザーを追加" }).click()],
  ["delete project", "/projects/ERP/settings", () => page.getByRole("button", { name: "プロジェクトを削除" }).click()],
] as const)
  test(`${name}: accessible, holds the focus, Escape closes it and the focus returns`, async () => {
    await go(path);
    await page.waitForTimeout(300);
    await open();
    const dialog = page.locator("dialog[open]");
    await dialog.waitFor();
    await accessible(name);
    for (let i = 0; i < 30; i++) await page.keyboard.press("Tab");
    const inside = await page.evaluate(() => document.activeElement === document.body || !!document.activeElement?.closest("dialog"));
    assert.ok(inside, "the focus left the dialog");
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
  });

test("menus walk by arrows and give the focus back", async () => {
  await go("/");
  const button = page.getByRole("button", { name: "表示テーマ" });
  await button.click();
  await page.getByRole("menu").waitFor();
  await accessible("menu");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "light");
  await page.waitForFunction(() => document.activeElement?.getAttribute("aria-label") === "表示テーマ");
});

test("↑↓ walk the tickets beside the list, Escape closes, the list stays", async () => {
  await go("/projects/ERP/tickets?sort=no");
  await page.locator("[data-row='0'] a").click();
  await page.locator("section.panel[aria-label='ERP-1']").waitFor();
  await page.keyboard.press("ArrowDown");
  await page.locator("section.panel[aria-label='ERP-2']").waitFor();
  await page.locator("textarea.subject").waitFor();
  await accessible("panel");
  await page.keyboard.press("Escape");
  await page.locator("section.panel").waitFor({ state: "detached" });
  assert.match(page.url(), /sort=no/);
});

test("without a line: the banner says so, the change is kept and sent when it is back", async () => {
  await go("/projects/ERP/tickets?ticket=ERP-110");
  await page.locator("#f-priority").waitFor();
  await page.context().setOffline(true);
  await page.locator("#f-priority").selectOption("high");
  await page.locator(".offline").waitFor();
  assert.equal(await page.locator("#f-priority").inputValue(), "high");
  await page.context().setOffline(false);
  await page.locator(".mark", { hasText: "保存しました" }).waitFor();
  await page.locator(".offline").waitFor({ state: "detached" });
});

test("a locked session: the dialog lies over the page, the change waits behind it", async () => {
  await go("/projects/ERP/tickets?ticket=ERP-111");
  await page.locator("#f-priority").waitFor();
  const session = await page.evaluate(async () => (await fetch(`${location.pathname.match(/^\/t\/[^/]+/)![0]}/api/v1/session`)).json());
  await page.route("**/api/v1/tickets/*", (route) =>
    route.request().method() === "PATCH"
      ? route.fulfill({ status: 401, json: { title: "", status: 401, errors: [{ field: "", rule: "locked", message: "" }] } })
      : route.continue(),
  );
  await page.route("**/api/v1/session/unlock", (route) => route.fulfill({ json: session }));
  await page.locator("#f-priority").selectOption("low");
  const dialog = page.locator("dialog[open]");
  await dialog.waitFor();
  await accessible("locked");
  await page.keyboard.press("Escape");
  assert.ok(await dialog.isVisible());
  await page.unrouteAll();
  await page.route("**/api/v1/session/unlock", (route) => route.fulfill({ json: session }));
  await dialog.locator('input[type="password"]').fill("anything");
  await page.keyboard.press("Enter");
  await dialog.waitFor({ state: "detached" });
  await page.locator(".mark", { hasText: "保存しました" }).waitFor();
  assert.equal(await page.locator("#f-priority").inputValue(), "low");
});

test("the drawer of a narrow screen opens, and closes by going somewhere", async () => {
  await page.setViewportSize({ width: 390, height: 800 });
  await go("/my");
  await page.locator(".burger").click();
  await accessible("drawer");
  await page.getByRole("link", { name: "操作ログ" }).click();
  await page.getByRole("heading", { name: "操作ログ" }).waitFor();
  await page.locator("nav.open").waitFor({ state: "detached" });
});

test("nothing broke the policy of the page", () =>
  assert.deepEqual(problems.filter((p) => !/ERR_INTERNET_DISCONNECTED/.test(p)), []));
