// SPDX-License-Identifier: Apache-2.0
// Every screen in both languages, light and dark, wide and narrow: accessible
// (axe: nothing serious), inside its own security policy, nothing cut off.
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
before(async () => {
  demo = await startDemo();
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await demo?.stop();
  if (demo) removeDir(demo);
});

const screens = [
  "/", "/my", "/users", "/users/import", "/users/2/access", "/access", "/programs/1/access", "/master", "/master?tab=classifications", "/master?tab=calendars", "/tenant", "/export", "/ending", "/log", "/support", "/security",
  "/account", "/notices", "/enquiries", "/terms", "/policies", "/policies/basic", "/trust", "/help", "/help/gantt", "/nowhere", "/projects/ERP", "/projects/ERP/gantt", "/projects/ERP/gantt?zoom=month", "/projects/ERP/tickets",
  "/projects/ERP/tickets?ticket=ERP-40", "/tickets/ERP-40", "/projects/ERP/import", "/projects/ERP/settings", "/projects/ERP/access",
];

interface Violation {
  id: string;
  impact: string;
  nodes: { target: string[]; failureSummary: string }[];
}
async function check(page: Page, name: string) {
  await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"));
  await page.waitForTimeout(250);
  // the policy of the page forbids inline scripts: axe enters by the debugger
  const found = (await page.evaluate(`(() => { ${axe}; return axe.run(document, { resultTypes: ["violations"] }); })()`)) as {
    violations: Violation[];
  };
  const bad = found.violations.filter((v) => v.impact === "serious" || v.impact === "critical");
  assert.deepEqual(
    bad.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => `${n.target.join(" ")} (${n.failureSummary.split("\n")[1]?.trim()})`).join("; ")}`),
    [],
    name,
  );
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(wide <= 1, `${name}: the page is ${wide} px wider than the window`);
}

for (const [title, options, lang] of [
  ["Japanese, light, 1280", { viewport: { width: 1280, height: 800 }, locale: "ja-JP", colorScheme: "light" }, "ja"],
  ["English, dark, 390", { viewport: { width: 390, height: 800 }, locale: "en-GB", colorScheme: "dark" }, "en"],
] as const) {
  test(`every screen: ${title}`, async () => {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const problems = watch(page);
    await page.goto(`${demo.ready.url}/`);
    await page.locator('input[type="email"]').waitFor();
    await check(page, "sign-in");
    await signInPage(page, demo.ready, 0);
    await page.evaluate(
      (l) => fetch(`${location.pathname.match(/^\/t\/[^/]+/)![0]}/api/v1/me`, {
        method: "PATCH", headers: { "Content-Type": "application/json", "X-Req": "1" }, body: JSON.stringify({ lang: l }),
      }),
      lang,
    );
    for (const path of screens) {
      await page.goto(demo.ready.url + path);
      await page.locator("main").first().waitFor();
      await check(page, path);
      assert.equal(await page.evaluate(() => document.documentElement.lang), lang, path);
      const isMissing = (await page.locator("main").getByText(/^(ページが見つかりません|見つかりません|Page not found|Not found)$/).count()) > 0;
      assert.equal(isMissing, path === "/nowhere", path);
    }
    assert.deepEqual(problems, []);
    await context.close();
  });
}
