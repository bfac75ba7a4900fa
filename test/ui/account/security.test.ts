// SPDX-License-Identifier: Apache-2.0
// Proving who one is, as a person meets it on the screen.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
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
async function signedInPage(n: number, locale = "ja-JP"): Promise<{ page: Page; problems: string[] }> {
  const page = await (await browser.newContext({ locale, viewport: { width: 1280, height: 900 } })).newPage();
  const problems = watch(page);
  await signInPage(page, demo.ready, n);
  return { page, problems };
}

/** Pictures for whoever looks: SHOTS names the folder. */
async function shot(page: Page, name: string) {
  if (process.env.SHOTS) await page.screenshot({ path: `${process.env.SHOTS}/${name}.png` });
}

async function check(page: Page, name: string) {
  const { violations } = (await page.evaluate(`(() => { ${axe}; return axe.run(document, { resultTypes: ["violations"] }); })()`)) as {
    violations: { id: string; impact: string; nodes: { target: string[] }[] }[];
  };
  assert.deepEqual(violations.filter((v) => ["serious", "critical"].includes(v.impact)).map((v) => `${v.id} ${v.nodes[0]?.target}`), [], name);
}

/** What the app shows for this secret. */
function totp(secret: string, steps = 0): string {
  const bits = [...secret].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  const counter = Buffer.alloc(8);
  counter.writeBigInt64BE(BigInt(Math.floor(Date.now() / 30000) + steps));
  const mac = createHmac("sha1", Buffer.from(bits.match(/.{8}/g)!.map((b) => parseInt(b, 2)))).update(counter).digest();
  return String((mac.readUInt32BE(mac[19]! & 15) & 0x7fffffff) % 1e6).padStart(6, "0");
}

/** Password and mailed code; what comes then is the caller's. */
async function giveCode(page: Page, n: number) {
  await signInPage(page, demo.ready, n, false);
}

/** The next such call is told that the sign-in is too old, as after ten minutes. */
async function makeStale(page: Page, path: string) {
  await page.route(
    `**/api/v1${path}`,
    (route) =>
      route.fulfill({
        status: 401,
        contentType: "application/problem+json",
        body: JSON.stringify({ status: 401, errors: [{ field: "", rule: "fresh_sign_in", message: "again" }] }),
      }),
    { times: 1 },
  );
}

test("a sensitive step asks for the password in place; nothing typed is lost", async () => {
  const { page, problems } = await signedInPage(1);
  const account = demo.ready.accounts[1]!;
  await page.goto(`${demo.ready.url}/account`);
  await page.locator('input[autocomplete="current-password"]').fill(account.password);
  await page.locator('input[autocomplete="new-password"]').fill("Atarashii-26");
  await makeStale(page, "/me/password");
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "本人確認" });
  await dialog.locator('input[type="password"]').fill("Wrong-2026");
  await page.keyboard.press("Enter");
  await dialog.getByRole("alert").waitFor();
  await dialog.locator('input[type="password"]').fill(account.password);
  await page.keyboard.press("Enter");
  await page.getByText("パスワードを変更しました").waitFor();
  assert.equal(await dialog.count(), 0);
  account.password = "Atarashii-26";
  assert.deepEqual(problems, []);
});

test("who gives up the question stays where he was", async () => {
  const { page } = await signedInPage(2);
  const account = demo.ready.accounts[2]!;
  await page.goto(`${demo.ready.url}/account`);
  await page.locator('input[autocomplete="current-password"]').fill(account.password);
  await page.locator('input[autocomplete="new-password"]').fill("Atarashii-26");
  await makeStale(page, "/me/password");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  assert.equal(await page.locator('input[autocomplete="new-password"]').inputValue(), "Atarashii-26");
});

test("under profile whitepaper who lost his device reads whom to ask, whatever the factor was", async () => {
  const lost = "管理者に登録の解除を依頼してください（マスター管理者か、セキュリティを担当する管理者";
  const url = demo.ready.url.replace("127.0.0.1", "localhost");
  const ready = { ...demo.ready, url };
  const context = await browser.newContext({ locale: "ja-JP", viewport: { width: 1366, height: 768 } });
  const page = await context.newPage();
  const problems = watch(page);
  const devtools = await context.newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  const { authenticatorId } = await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
  const begin = async (at: Page) => {
    await at.context().clearCookies();
    await signInPage(at, ready, 3, false);
  };
  await signInPage(page, ready, 3);
  await page.goto(`${url}/account`);
  assert.equal(await page.evaluate((at) => fetch(`${at}/api/v1/password-policy`).then((r) => r.json()).then((p) => p.profile), url), "whitepaper");

  await page.getByRole("button", { name: "パスキーを追加" }).click(); // a passkey alone
  await page.getByText("パスキー ·").waitFor();
  await begin(page);
  await page.getByRole("button", { name: "パスキーを使う" }).waitFor();
  await page.getByText(lost).waitFor();
  assert.equal(await page.getByText("復旧コードを使う").count(), 0, "nothing takes the factor's place here");
  await check(page, "the step of a lost passkey");
  await shot(page, "factor-lost-passkey");
  await page.getByRole("button", { name: "パスキーを使う" }).click();
  await page.locator("nav").first().waitFor({ state: "attached" });

  await page.goto(`${url}/account`); // both
  await page.getByRole("button", { name: "認証アプリを追加" }).click();
  const dialog = page.getByRole("dialog", { name: "認証アプリを追加" });
  const secret = (await dialog.locator("code").textContent())!.replace(/ /g, "");
  await dialog.getByLabel("アプリのコード").fill(totp(secret, -1));
  await page.keyboard.press("Enter");
  await page.getByText("認証アプリ ·").waitFor();
  await begin(page);
  await page.getByRole("button", { name: "パスキーを使う" }).waitFor();
  await page.getByLabel("アプリのコード").waitFor();
  await page.getByText(lost).waitFor();
  await page.getByLabel("アプリのコード").fill(totp(secret));
  await page.keyboard.press("Enter");
  await page.locator("nav").first().waitFor({ state: "attached" });

  await page.goto(`${url}/account`); // an app alone
  await page.getByRole("button", { name: "削除 Linux" }).click();
  await page.getByText("パスキー ·").waitFor({ state: "detached" });
  await begin(page);
  await page.getByLabel("アプリのコード").waitFor();
  assert.equal(await page.getByRole("button", { name: "パスキーを使う" }).count(), 0);
  await page.getByText(lost).waitFor();
  await page.setViewportSize({ width: 390, height: 800 });
  await check(page, "the step of a lost app");
  await shot(page, "factor-lost-app-390");
  await page.setViewportSize({ width: 1366, height: 768 });
  await page.reload(); // in the middle of it
  await page.getByText(lost).waitFor();
  await page.getByLabel("アプリのコード").fill(totp(secret, 1));
  await page.keyboard.press("Enter");
  await page.locator("nav").first().waitFor({ state: "attached" });

  await page.goto(`${url}/account`); // a passkey, and a browser that cannot
  await page.getByRole("button", { name: "パスキーを追加" }).click();
  await page.getByText("パスキー ·").waitFor();
  await page.getByRole("button", { name: "削除 認証アプリ" }).click();
  await page.getByText("認証アプリ ·").waitFor({ state: "detached" });
  const other = await (await browser.newContext({ locale: "en-GB", viewport: { width: 390, height: 800 } })).newPage();
  await other.addInitScript(() => void Reflect.deleteProperty(window, "PublicKeyCredential"));
  await signInPage(other, ready, 3, false);
  await other.getByText("This browser or address cannot use passkeys").waitFor();
  await other.getByText("ask an administrator to remove it (a master administrator, or who administers security").waitFor();
  await check(other, "a browser without passkeys");
  await shot(other, "factor-lost-cannot-390");
  await devtools.send("WebAuthn.removeVirtualAuthenticator", { authenticatorId });
  assert.deepEqual(problems, []);
});

test("an administrator chooses long passphrases; who has a short password replaces it at sign-in", async () => {
  const { page, problems } = await signedInPage(0);
  await page.goto(`${demo.ready.url}/security`);
  const least = page.getByLabel("最小文字数");
  await least.fill("7");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").waitFor();
  await page.getByLabel("長いパスフレーズ").check();
  await page.getByText("15～128").first().waitFor();
  await page.waitForFunction(() => document.querySelector<HTMLInputElement>('input[type="number"]')?.value === "15");
  await shot(page, "security");
  const other = await browser.newContext({ locale: "en-GB", viewport: { width: 390, height: 800 }, colorScheme: "dark" });
  const narrow = await other.newPage();
  await giveCode(narrow, 1);
  const box = narrow.locator('input[autocomplete="new-password"]');
  await box.fill("passwordpassword");
  await narrow.keyboard.press("Enter");
  await narrow.getByRole("alert").filter({ hasText: "others would guess" }).waitFor();
  await shot(narrow, "new-password");
  await narrow.reload();
  await box.fill("tanuki wa yoru ni odoru");
  await narrow.keyboard.press("Enter");
  await narrow.locator("nav").first().waitFor({ state: "attached" });
  assert.deepEqual(problems, []);
});

test("an authenticator app is added by its picture, asked for at sign-in, removed again", async () => {
  const { page, problems } = await signedInPage(4);
  await page.goto(`${demo.ready.url}/account`);
  await page.getByRole("button", { name: "認証アプリを追加" }).click();
  const dialog = page.getByRole("dialog", { name: "認証アプリを追加" });
  await dialog.getByRole("img", { name: "認証アプリに登録するQRコード" }).waitFor();
  const secret = (await dialog.locator("code").textContent())!.replace(/ /g, "");
  await shot(page, "totp-add");
  await check(page, "adding an app");
  await dialog.getByLabel("アプリのコード").fill("000000");
  await page.keyboard.press("Enter");
  await dialog.getByRole("alert").waitFor();
  await dialog.getByLabel("アプリのコード").fill(totp(secret, -1));
  await page.keyboard.press("Enter");
  await dialog.waitFor({ state: "detached" });
  await page.getByText("認証アプリ ·").waitFor();
  await page.getByRole("button", { name: "復旧コードを作る" }).click();
  await page.getByRole("dialog", { name: "復旧コード" }).locator("code").nth(7).waitFor();
  await shot(page, "recovery");
  await page.keyboard.press("Escape");
  await shot(page, "account");

  const other = await (await browser.newContext({ locale: "en-GB", viewport: { width: 390, height: 800 }, colorScheme: "dark" })).newPage();
  const account = demo.ready.accounts[4]!;
  await other.goto(`${demo.ready.url}/`);
  await other.locator('input[type="email"]').fill(account.email);
  await other.locator('input[type="password"]').fill(account.password);
  await other.keyboard.press("Enter");
  await other.getByLabel("Code of the app").waitFor();
  // a mailed code may take the app's place here, so nobody has to be asked
  assert.equal(await other.getByText("ask an administrator to remove it").count(), 0);
  await shot(other, "factor-step");
  await check(other, "the step of the app");
  await other.getByLabel("Code of the app").fill("123456");
  await other.keyboard.press("Enter");
  await other.getByRole("alert").filter({ hasText: "4 tries left" }).waitFor();
  await other.reload();
  await other.getByLabel("Code of the app").fill(totp(secret));
  await other.keyboard.press("Enter");
  await other.locator("nav").first().waitFor({ state: "attached" });

  await page.getByRole("button", { name: "削除 認証アプリ" }).click();
  await page.getByText("認証アプリ ·").waitFor({ state: "detached" });
  assert.deepEqual(problems, []);
});

test("a passkey is added and used at sign-in (the browser's own authenticator)", async () => {
  const url = demo.ready.url.replace("127.0.0.1", "localhost");
  const ready = { ...demo.ready, url };
  const page = await (await browser.newContext({ locale: "ja-JP", viewport: { width: 1280, height: 900 } })).newPage();
  const problems = watch(page);
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("WebAuthn.enable");
  const { authenticatorId } = await devtools.send("WebAuthn.addVirtualAuthenticator", {
    options: { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
  await signInPage(page, ready, 6);
  await page.goto(`${url}/account`);
  await page.getByRole("button", { name: "パスキーを追加" }).click();
  await page.getByText("パスキー ·").waitFor();
  const { credentials } = await devtools.send("WebAuthn.getCredentials", { authenticatorId });
  assert.equal(credentials.length, 1);
  await shot(page, "passkey");

  await page.context().clearCookies();
  await page.goto(`${url}/`);
  const account = demo.ready.accounts[6]!;
  await page.locator('input[type="email"]').fill(account.email);
  await page.locator('input[type="password"]').fill(account.password);
  await page.keyboard.press("Enter");
  const use = page.getByRole("button", { name: "パスキーを使う" });
  await use.waitFor();
  await shot(page, "passkey-step");
  await check(page, "the step of the passkey");
  await devtools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: false });
  await use.click();
  await page.getByRole("alert").waitFor();
  await devtools.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified: true });
  await use.click();
  await page.locator("nav").first().waitFor({ state: "attached" });
  assert.deepEqual(problems, []);
});

test("the page warns for the last fourteen days of a password, with the day it ends", async () => {
  const { page, problems } = await signedInPage(0);
  assert.equal(await page.locator(".banner").count(), 0);
  await page.goto(`${demo.ready.url}/security`);
  await page.getByLabel("有効日数").fill("10");
  await page.keyboard.press("Enter");
  await page.getByText("保存しました").waitFor();
  await page.reload();
  const banner = page.locator(".banner");
  await banner.waitFor();
  assert.match((await banner.textContent())!, /あと9日です（\d{4}\/\d\d\/\d\d/);
  await check(page, "the warning");
  await shot(page, "warning");
  assert.deepEqual(problems, []);
});

test("source addresses: what would lock one out says so, the list shows notes", async () => {
  const { page, problems } = await signedInPage(0);
  await page.goto(`${demo.ready.url}/security`);
  const range = page.getByLabel("アドレスの範囲", { exact: true });
  await range.fill("10.0.0.0/33");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").filter({ hasText: "2001:db8::/32" }).waitFor();
  await range.fill("203.0.113.0/24");
  await page.keyboard.press("Enter");
  const own = await page.locator("p code").innerText();
  await page.getByRole("alert").filter({ hasText: own }).waitFor();
  for (const [cidr, note] of [[own, "この机"], ["203.0.113.0/24", "本社のネットワーク"], ["2001:db8::/32", ""]]) {
    await range.fill(cidr!);
    await page.getByLabel("メモ").fill(note!);
    await page.keyboard.press("Enter");
    await page.getByRole("cell", { name: cidr, exact: false }).first().waitFor();
  }
  await page.getByText("本社のネットワーク").scrollIntoViewIfNeeded();
  await check(page, "allow list");
  await shot(page, "allow-list");
  await page.setViewportSize({ width: 390, height: 800 });
  await page.emulateMedia({ colorScheme: "dark" });
  await page.getByText("本社のネットワーク").scrollIntoViewIfNeeded();
  assert.equal(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), true);
  await check(page, "allow list, dark and narrow");
  await shot(page, "allow-list-narrow");
  await page.getByRole("button", { name: "外す 203.0.113.0/24" }).click();
  await page.getByText("本社のネットワーク").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "外す 2001:db8::/32" }).click();
  await page.getByRole("cell", { name: "2001:db8::/32", exact: true }).waitFor({ state: "detached" });
  await page.getByRole("button", { name: `外す ${own}` }).click();
  await page.getByText("まだ登録がない").waitFor();
  assert.deepEqual(problems, []);
});

test("who comes from a refused network reads so instead of a sign-in form", async () => {
  const page = await (await browser.newContext({ locale: "en-GB", viewport: { width: 390, height: 800 } })).newPage();
  await page.route("**/api/v1/session", (route) =>
    route.fulfill({
      status: 403,
      contentType: "application/problem+json",
      body: JSON.stringify({ status: 403, errors: [{ field: "", rule: "address", message: "This is not available from your network" }] }),
    }),
  );
  await page.goto(`${demo.ready.url}/`);
  await page.getByRole("alert").filter({ hasText: "not available from your network" }).waitFor();
  assert.equal(await page.locator('input[type="password"]').count(), 0);
});
