// SPDX-License-Identifier: Apache-2.0
// After the last day: what is left to a customer's administrator until the
// deletion, and what the operator has of it afterwards.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { addProject, type Answer, binary, Client, type Demo, signedInOperator, startDemo } from "../../api/server.ts";
import { look as lookAt, openBrowser, signInAt, watch } from "../browser.ts";

const clocked = process.env.YAGURA_ASAN ?? "build/asan/yagura"; // the build whose clock is moved
const PASSWORD = "Daihyou-26";
const GONE = { id: "kou", name: "甲社" };
const CLOSED = { id: "otsu", name: "乙西日本ロジスティクスソリューションズ株式会社" };
let dir: string;
let demo: Demo;
let browser: Browser;

const day = (n: number) => new Date(Date.now() + 9 * 3_600_000 + n * 86_400_000).toISOString().slice(0, 10);
const boss = (id: string) => ({ email: `boss@${id}.example`, password: PASSWORD });
const ok = async (reply: Promise<Answer>): Promise<any> => {
  const { status, body } = await reply;
  assert.ok(status < 300, `${status} ${JSON.stringify(body)}`);
  return body;
};

/** A tenant whose last day is yesterday, set and confirmed then. */
async function end(oper: Client, { id, name }: typeof GONE, delete_on: string) {
  await ok(oper.post("/tenants", { id, name, admin_email: boss(id).email, admin_name: "代表 太郎" }));
  const admin = new Client(`${new URL(demo.ready.url).origin}/t/${id}`);
  const [, token] = await oper.waitForMail(boss(id).email, new RegExp(`/t/${id}/link#([\\w-]{43})`));
  await ok(admin.post("/links/accept", { token, password: PASSWORD }));
  await ok(admin.signIn(boss(id).email, PASSWORD));
  await ok(admin.post("/terms/accept", { no: (await ok(admin.get("/terms"))).terms.no }));
  await addProject(admin, "MOVE", { name: "データ移行プロジェクト" });
  await ok(oper.request("PATCH", `/tenants/${id}/contract`, { number: `K-${id}`, starts_on: day(-400), place: "日本（東京）" }, { "If-Match": '"0"' }));
  await ok(oper.post(`/tenants/${id}/end`, { end_on: day(-1), delete_on, name }));
  await ok(admin.post("/contract/confirm", { name }));
}
/** The release looks for what is due at each start. */
async function deleteWhatIsDue() {
  for (let tries = 0; tries < 60; tries++) {
    demo = await startDemo(dir);
    await new Promise((resolve) => setTimeout(resolve, 500));
    const list = spawnSync(binary, ["certificate", "list", "--data_dir", join(dir, "data")], { encoding: "utf8" });
    if (list.stdout.includes(GONE.id)) return;
    await demo.stop();
  }
  throw new Error("never deleted");
}
before(async () => {
  dir = mkdtempSync(join(tmpdir(), "yagura-closed-"));
  writeFileSync(join(dir, "offset"), String(-86_400));
  process.env.YAGURA_TEST_CLOCK_FILE = join(dir, "offset");
  process.env.YAGURA_TEST_LOOK_MS = "50";
  demo = await startDemo(dir, clocked); // yesterday
  const oper = await signedInOperator(demo);
  await end(oper, CLOSED, day(20));
  await end(oper, GONE, day(0));
  await demo.stop();
  for (const name of ["YAGURA_TEST_CLOCK_FILE", "YAGURA_TEST_LOOK_MS"]) delete process.env[name];
  await deleteWhatIsDue();
  browser = await openBrowser();
});
after(async () => {
  await browser?.close();
  await demo?.stop();
  rmSync(dir, { recursive: true, force: true });
});
const look = (page: Page, name: string) => lookAt(page, name, true);
const open = async (width: number, lang: string, dark = false) =>
  (await browser.newContext({ viewport: { width, height: 900 }, locale: lang, colorScheme: dark ? "dark" : "light" })).newPage();
const closedUrl = () => `${new URL(demo.ready.url).origin}/t/${CLOSED.id}`;

test("a closed tenant: its administrator takes everything along, and nothing else is there", async () => {
  const page = await open(1280, "ja-JP");
  const problems = watch(page);
  await signInAt(page, closedUrl(), boss(CLOSED.id), false);
  await page.getByRole("heading", { name: "契約が終了しました" }).waitFor();
  await page.getByText(`K-${CLOSED.id}`).waitFor();
  await page.getByText(CLOSED.name).waitFor();
  assert.equal(await page.getByRole("navigation").count(), 0);
  await look(page, "closed");
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: /^MOVE / }).click();
  assert.match(readFileSync(await (await download).path(), "utf8"), /WBS|件名/);
  await page.getByRole("button", { name: "全データを書き出す" }).click();
  await page.getByRole("button", { name: /ダウンロード/ }).waitFor();
  const archive = page.waitForEvent("download");
  await page.getByRole("button", { name: /ダウンロード/ }).click();
  assert.match((await archive).suggestedFilename(), /\.zip$/);
  await look(page, "closed-archive");
  await page.goto(`${closedUrl()}/my`);
  await page.getByRole("heading", { name: "契約が終了しました" }).waitFor();
  await page.getByRole("button", { name: "サインアウト" }).click();
  await page.locator('input[type="password"]').waitFor();
  assert.deepEqual(problems, []);
});

test("the same in English, dark, 390 pixels", async () => {
  const page = await open(390, "en-GB", true);
  const problems = watch(page);
  await signInAt(page, closedUrl(), boss(CLOSED.id), false);
  await page.getByRole("heading", { name: /契約が終了しました|The contract has ended/ }).waitFor();
  await page.getByLabel(/Language|言語/).selectOption("en");
  await page.getByRole("heading", { name: "The contract has ended" }).waitFor();
  await page.getByText("日本（東京）").waitFor();
  await look(page, "closed-390-dark-en");
  assert.deepEqual(problems, []);
});

test("the operator sees what was deleted, what is still due, and reads the certificate", async () => {
  const page = await open(1280, "ja-JP");
  const problems = watch(page);
  await signInAt(page, demo.ready.console, demo.ready.operator);
  await page.getByRole("link", { name: "削除証明書" }).click();
  await page.getByRole("link", { name: GONE.name }).waitFor();
  await page.getByText("派生データ待ち").waitFor();
  await look(page, "certificates");
  await page.getByRole("link", { name: GONE.name }).click();
  await page.getByRole("heading", { name: "削除証明書", level: 1 }).waitFor();
  await page.getByRole("cell", { name: /keys\/kou\.key/ }).first().waitFor();
  await page.getByText("ECDSA P-256").waitFor();
  await look(page, "certificate");
  const download = page.waitForEvent("download");
  await page.getByRole("link", { name: "ファイルをダウンロード" }).click();
  const file = await download;
  assert.equal(file.suggestedFilename(), "certificate-kou-1.json");
  const checked = spawnSync(binary, ["certificate", "verify", await file.path()], { encoding: "utf8" });
  assert.equal(checked.status, 0, checked.stdout + checked.stderr);
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.getByRole("link", { name: "ファイルをダウンロード" }).isVisible(), false);
  await page.emulateMedia({ media: "screen" });
  assert.deepEqual(problems, []);
});

test("certificates in English, dark, 390 pixels", async () => {
  const page = await open(390, "en-GB", true);
  const problems = watch(page);
  await signInAt(page, demo.ready.console, demo.ready.operator);
  await page.getByRole("button", { name: /言語|Language/ }).click();
  await page.getByText("English", { exact: true }).click();
  await page.goto(`${demo.ready.console}/certificates`);
  await page.getByText("Derived data is due").waitFor();
  await look(page, "certificates-390-dark-en");
  await page.getByRole("link", { name: GONE.name }).click();
  await page.getByRole("heading", { name: "Certificate of deletion", level: 1 }).waitFor();
  await look(page, "certificate-390-dark-en");
  assert.deepEqual(problems, []);
});
