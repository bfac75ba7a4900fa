// SPDX-License-Identifier: Apache-2.0
// A real browser against the real binary.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, type Page, chromium } from "playwright-core";
import { Client, type Demo } from "../api/server.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

export async function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    env: { ...process.env, LC_ALL: "C.UTF-8" }, // names of downloads, where the system has no locale
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
    ],
  });
}

/** What the page must never do: break its own policy, or throw. */
export function watch(page: Page): string[] {
  const problems: string[] = [];
  page.on("console", (message) => {
    const text = message.text();
    if (/Content Security Policy|Trusted ?Type/i.test(text)) problems.push(text);
    else if (message.type() === "error" && !/status of 4\d\d/.test(text)) problems.push(text);
  });
  page.on("pageerror", (error) => problems.push(String(error)));
  return problems;
}

/** Signs in as a person does, reading the code from the captured mail; whole
 * false: something more is asked after it. */
export async function signInPage(page: Page, ready: Demo["ready"], n = 0, whole = true) {
  await signInAt(page, ready.url, ready.accounts[n]!, whole);
}
/** The same wherever the form is: a tenant, or the operator's console. */
export async function signInAt(page: Page, url: string, account: { email: string; password: string }, whole = true) {
  const mail = new Client(url);
  const old = new Set((await mail.get("/demo/mail")).body.items.map((m: any) => m.text));
  await page.goto(`${url}/`);
  await page.locator('input[type="email"]').fill(account.email);
  await page.locator('input[type="password"]').fill(account.password);
  await page.locator("form button.primary").click();
  await page.locator("input.code").waitFor();
  for (;;) {
    const found = (await mail.get("/demo/mail")).body.items.find((m: any) => m.to === account.email && !old.has(m.text) && /\n {4}\d{8}\n/.test(m.text));
    if (found) {
      await page.locator("input.code").fill(found.text.match(/\n {4}(\d{8})\n/)[1]);
      break;
    }
    await page.waitForTimeout(50);
  }
  await page.locator("form button.primary").click();
  if (whole) await page.locator("nav").first().waitFor({ state: "attached" });
}

/** A screen that has come to rest: nothing serious of axe, nothing wider than
 * the window.  With $SHOTS its picture, whole: the page beyond the window too. */
export async function look(page: Page, name: string, whole = false) {
  await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"));
  await page.evaluate(() => {
    const ending = document.getAnimations().filter((a) => a.effect?.getComputedTiming().endTime !== Infinity);
    return Promise.allSettled(ending.map((a) => a.finished)).then(() => undefined);
  });
  // the page's policy forbids inline scripts: axe enters by the debugger
  const found = (await page.evaluate(`(() => { ${axe}; return axe.run(document, { resultTypes: ["violations"] }); })()`)) as any;
  const bad = found.violations.filter((v: any) => ["serious", "critical"].includes(v.impact));
  assert.deepEqual(bad.map((v: any) => `${v.id}: ${v.nodes[0].target.join(" ")}`), [], name);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name} is too wide`);
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name}.png`, fullPage: whole });
}
