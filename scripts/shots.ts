// SPDX-License-Identifier: Apache-2.0
// The manual's pictures, taken of the sample company: make shots.  One row a
// picture, taken in both languages.
import { mkdirSync, writeFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { removeDir, startDemo } from "../test/api/server.ts";
import { openBrowser, signInAt } from "../test/ui/browser.ts";

interface Shot {
  name: string; // of the file, and in the page that shows it
  path: string;
  ready: string; // what must be there
  before?: (page: Page) => Promise<void>;
}

const tenant: Shot[] = [
  { name: "programs", path: "/", ready: "main table, main .list, main h1" },
  { name: "my-work", path: "/my", ready: "main h1" },
  { name: "overview", path: "/projects/ERP", ready: "main h1" },
  { name: "gantt", path: "/projects/ERP/gantt", ready: "canvas" },
  { name: "gantt-month", path: "/projects/ERP/gantt?zoom=month", ready: "canvas" },
  { name: "tickets", path: "/projects/ERP/tickets", ready: "main table" },
  { name: "ticket", path: "/projects/ERP/tickets?ticket=ERP-40", ready: ".subject" },
  { name: "import", path: "/projects/ERP/import", ready: "main h1" },
  { name: "settings", path: "/projects/ERP/settings", ready: "main h1" },
  { name: "users", path: "/users", ready: "main table" },
  { name: "access", path: "/access", ready: "main h1" },
  { name: "classifications", path: "/master?tab=classifications", ready: "main h1" },
  { name: "security", path: "/security", ready: "main h1" },
  { name: "log", path: "/log", ready: "main h1" },
  { name: "support", path: "/support", ready: "main h1" },
  { name: "enquiries", path: "/enquiries", ready: "main h1" },
  { name: "account", path: "/account", ready: "main h1" },
  { name: "export", path: "/export", ready: "main h1" },
  { name: "ending", path: "/ending", ready: "main h1" },
  { name: "notices", path: "/notices", ready: "main h1" },
  { name: "policies", path: "/policies", ready: "main h1" },
  { name: "trust", path: "/trust", ready: "main h1" },
];
const operator: Shot[] = [
  { name: "console", path: "/", ready: "main table" },
  { name: "console-tenant", path: "/tenants/kaku", ready: "main h1" },
  { name: "console-desk", path: "/desk", ready: "main h1" },
  { name: "console-backups", path: "/backups", ready: "main h1" },
  { name: "console-capacity", path: "/capacity", ready: "main h1" },
  { name: "console-operators", path: "/operators", ready: "main h1" },
  { name: "console-notices", path: "/notices", ready: "main h1" },
  { name: "console-incidents", path: "/incidents", ready: "main h1" },
  { name: "console-doctor", path: "/doctor", ready: "main h1" },
  { name: "console-documents", path: "/documents", ready: "main h1" },
  { name: "console-registers", path: "/registers", ready: "main h1" },
  { name: "console-certificates", path: "/certificates", ready: "main h1" },
];

async function settle(page: Page) {
  await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"));
  await page.evaluate(() => document.fonts.ready);
  await page.waitForTimeout(400);
}

async function take(page: Page, base: string, folder: string, shots: Shot[]) {
  const cdp = await page.context().newCDPSession(page);
  for (const shot of shots) {
    await page.goto(base + shot.path);
    await page.locator(shot.ready).first().waitFor();
    await shot.before?.(page);
    await settle(page);
    const { data } = await cdp.send("Page.captureScreenshot", { format: "webp", quality: 70 });
    writeFileSync(`${folder}/${shot.name}.webp`, Buffer.from(data, "base64"));
    console.log(`  shot  ${folder.slice(-2)}/${shot.name}`);
  }
}

const demo = await startDemo();
const browser = await openBrowser();
try {
  for (const [lang, locale] of [["ja", "ja-JP"], ["en", "en-GB"]] as const) {
    const folder = `www/manual/${lang}`;
    mkdirSync(folder, { recursive: true });
    for (const [base, account, shots] of [
      [demo.ready.url, demo.ready.accounts[0]!, tenant],
      [demo.ready.console, demo.ready.operator, operator],
    ] as const) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale, colorScheme: "light" });
      const page = await context.newPage();
      await signInAt(page, base, account);
      await page.evaluate(
        ([prefix, l]) => fetch(`${prefix}/api/v1/me`, { method: "PATCH", headers: { "Content-Type": "application/json", "X-Req": "1" }, body: JSON.stringify({ lang: l }) }),
        [new URL(base).pathname.replace(/\/$/, ""), lang],
      );
      await take(page, base, folder, shots);
      await context.close();
    }
  }
} finally {
  await browser.close();
  await demo.stop();
  removeDir(demo);
}
