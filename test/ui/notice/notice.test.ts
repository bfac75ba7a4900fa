// SPDX-License-Identifier: Apache-2.0
// The service dashboard and the register of incidents, as the operator and the
// customer's people use them.
import assert from "node:assert/strict";
import { after, before, beforeEach, test } from "node:test";
import type { Browser, Page } from "playwright-core";
import { Client, type Demo, removeDir, signedInOperator, startDemo } from "../../api/server.ts";
import { look, openBrowser, signInAt, signInPage, watch } from "../browser.ts";

let demo: Demo;
let browser: Browser;
let oper: Client;
before(async () => {
  demo = await startDemo();
  browser = await openBrowser();
});
// the oldest of an operator's sessions ends when there are too many
beforeEach(async () => {
  oper = await signedInOperator(demo);
});
after(async () => {
  await browser?.close();
  await demo?.stop();
  if (demo) removeDir(demo);
});
async function opened(options: object = {}) {
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "ja-JP", ...options })).newPage();
  return { page, problems: watch(page) };
}
const narrow = { viewport: { width: 390, height: 844 }, colorScheme: "dark" };
const toEnglish = async (page: Page) => {
  await page.getByRole("button", { name: /言語/ }).click();
  await page.getByText("English", { exact: true }).click();
};
const day = (days: number) => new Date(Date.now() + 9 * 3_600_000 + days * 86_400_000).toISOString().slice(0, 10).replaceAll("-", "/");
async function when(page: Page, label: string, days: number, time: string) {
  const field = page.getByLabel(label, { exact: true });
  await field.fill(day(days));
  await field.press("Tab");
  await page.getByLabel(`${label} (時刻)`).fill(time);
}
/** Both halves of each moment lie inside their field. */
async function momentsFit(page: Page) {
  const wide = await page.locator(".moment").evaluateAll((all) => all.filter((m) => [...m.querySelectorAll("input")].some((i) => i.getBoundingClientRect().right > m.getBoundingClientRect().right + 1)).length);
  assert.equal(wide, 0, "a moment runs out of its field");
}
const LONG = "基幹データベースの移行に伴う全サービス停止とメール配信の遅延、ならびに夜間バッチの実施時刻変更について";

test("planned maintenance: written with a preview, scheduled, published, read, withdrawn", async () => {
  const { page, problems } = await opened();
  await signInAt(page, demo.ready.console, demo.ready.operator);
  await page.getByRole("link", { name: "お知らせ", exact: true }).click();
  await page.getByRole("heading", { name: "お知らせ", level: 1 }).waitFor();
  await look(page, "console-notices");
  await page.getByRole("link", { name: "お知らせを作成" }).first().click();
  await page.getByLabel("件名（日本語）").fill(LONG);
  await momentsFit(page);
  await look(page, "console-notice-new");
  await page.getByLabel("件名（英語）").fill("All services stop while the database moves");
  await page.getByLabel("本文（日本語）").fill("**停止**します。\n\n| 対象 | 時間 |\n|---|---|\n| すべて | 2時間 |\n\n- 事前に保存してください");
  await page.getByLabel("本文（英語）").fill("Everything **stops**.\n\n- Please save before");
  await when(page, "影響の開始", 3, "22:00");
  await when(page, "影響の終了（予定）", 3, "21:00");
  await page.getByRole("region", { name: "お客様への表示 (ja)" }).getByRole("cell", { name: "2時間" }).waitFor();
  await page.getByRole("button", { name: "下書きを保存" }).click();
  await page.getByText("終了は開始より後にしてください").waitFor();
  await look(page, "console-notice-editor");
  await when(page, "影響の終了（予定）", 4, "00:30");
  await page.getByRole("button", { name: "下書きを保存" }).click();
  await page.getByRole("heading", { name: LONG, level: 1 }).waitFor();
  await look(page, "console-notice-draft");
  await page.getByRole("button", { name: "公開", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("マスター管理者にメール").waitFor();
  await look(page, "console-notice-publish");
  await dialog.getByRole("button", { name: "公開", exact: true }).click();
  await dialog.waitFor({ state: "detached" });
  await page.getByRole("cell", { name: /にメール 1 通/ }).waitFor();

  const people = await opened();
  await signInPage(people.page, demo.ready, 5);
  const menu = people.page.getByRole("link", { name: "お知らせ" });
  await menu.getByText(/^\d+$/).waitFor();
  await menu.click();
  await people.page.getByRole("link", { name: LONG }).waitFor();
  await look(people.page, "notices");
  await people.page.getByRole("link", { name: LONG }).click();
  await people.page.getByRole("heading", { name: LONG, level: 1 }).waitFor();
  await people.page.getByRole("cell", { name: "2時間" }).waitFor();
  await look(people.page, "notice");
  assert.equal(await people.page.getByText("既読のユーザー").count(), 0, "names are for administrators");
  await people.page.getByRole("link", { name: "お知らせ" }).first().click();
  await people.page.getByRole("link", { name: LONG }).waitFor();
  await people.page.waitForFunction((title) => ![...document.querySelectorAll("li.unread")].some((li) => li.textContent!.includes(title)), LONG);
  assert.deepEqual(people.problems, []);

  const admin = await opened();
  await signInPage(admin.page, demo.ready, 0);
  await admin.page.goto(`${demo.ready.url}/notices`);
  await admin.page.getByRole("link", { name: LONG }).click();
  await admin.page.getByRole("button", { name: /既読 \d+ 人を表示/ }).click();
  await admin.page.getByRole("listitem").filter({ hasText: demo.ready.accounts[5]!.name }).waitFor();
  await look(admin.page, "notice-admin");

  await page.getByRole("button", { name: "取り消し" }).click();
  await dialog.getByLabel("理由（日本語）").fill("移行を延期しました");
  await dialog.getByLabel("理由（英語）").fill("The move is postponed");
  await dialog.getByRole("button", { name: "取り消し" }).click();
  await dialog.waitFor({ state: "detached" });
  await page.getByText("移行を延期しました").waitFor();
  await look(page, "console-notice-withdrawn");
  await toEnglish(people.page);
  await people.page.getByRole("link", { name: "All services stop while the database moves" }).click();
  await people.page.getByText("The move is postponed").waitFor();
  await look(people.page, "notice-withdrawn-en");
  assert.deepEqual(problems, []);
  assert.deepEqual(admin.problems, []);
});

test("a contact is named; an incident is reported to it within its hours; a banner lasts until recovery", async () => {
  const admin = await opened();
  await signInPage(admin.page, demo.ready, 0);
  await admin.page.goto(`${demo.ready.url}/tenant`);
  await admin.page.getByRole("heading", { name: "連絡担当者" }).waitFor();
  await admin.page.getByRole("button", { name: "連絡担当者を追加" }).click();
  const dialog = admin.page.getByRole("dialog");
  await dialog.getByLabel("氏名").fill("緊急 窓口");
  await dialog.getByLabel("メール").fill("sos@kaku.example");
  await dialog.getByLabel("電話").fill("内線123");
  await dialog.getByRole("button", { name: "保存" }).click();
  await dialog.getByText("電話番号には数字と").waitFor();
  await dialog.getByLabel("電話").fill("03-1234-5678");
  await dialog.getByRole("button", { name: "保存" }).click();
  await admin.page.getByText("緊急 窓口").waitFor();
  await admin.page.getByRole("heading", { name: "連絡担当者" }).scrollIntoViewIfNeeded();
  await look(admin.page, "contacts");
  await admin.page.setViewportSize(narrow.viewport);
  const address = admin.page.getByRole("link", { name: "sos@kaku.example" });
  assert.ok((await address.boundingBox())!.height < 30, "an address breaks though its line has room");
  await address.scrollIntoViewIfNeeded();
  await look(admin.page, "contacts-narrow");

  const { page, problems } = await opened();
  await signInAt(page, demo.ready.console, demo.ready.operator);
  await page.getByRole("link", { name: /インシデント/ }).click();
  await page.getByRole("link", { name: /^#\d+$/ }).waitFor(); // the sample's, which is closed
  await page.getByLabel("対応中だけを表示").check();
  await page.getByText("インシデントの記録はありません").waitFor();
  await look(page, "incidents-empty");
  await page.getByRole("button", { name: "連絡先と警告" }).click();
  const box = page.getByRole("dialog");
  await box.getByLabel("お客様に示す連絡先（日本語）").fill("緊急窓口 03-9999-0000（24時間）");
  await box.getByLabel("お客様に示す連絡先（英語）").fill("Emergency desk 03-9999-0000 (24 hours)");
  await look(page, "incident-setting");
  await box.getByRole("button", { name: "保存" }).click();
  await box.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "インシデントを登録" }).first().click();
  await box.getByLabel("件名").fill("サインインできない障害");
  await box.getByLabel("深刻度").selectOption({ label: "高" });
  await box.getByLabel("内容").fill("認証の応答がない");
  await box.getByLabel("株式会社 架空商事").check();
  await look(page, "incident-new");
  await box.getByRole("button", { name: "保存" }).click();
  await page.getByText(/残り 23:\d\d/).waitFor();
  await look(page, "incident");
  await page.getByRole("link", { name: "第一報を作成" }).click();
  await page.getByLabel("件名（英語）").fill("Signing in fails");
  await page.getByLabel("本文（日本語）").fill("調査しています。");
  await page.getByLabel("本文（英語）").fill("We are looking into it.");
  await page.getByRole("button", { name: "下書きを保存" }).click();
  await page.getByRole("button", { name: "公開", exact: true }).click();
  await box.getByRole("button", { name: "公開", exact: true }).click();
  await box.waitFor({ state: "detached" });
  await page.getByRole("link", { name: /^インシデント #/ }).click();
  await page.getByText("報告済み").waitFor();
  await page.getByRole("button", { name: "連絡を記録" }).click();
  await box.getByText("緊急 窓口").waitFor();
  await box.getByRole("button", { name: "この人: 緊急 窓口" }).click();
  await box.getByLabel("回答").fill("承知しました。社内に周知します。");
  await look(page, "direct-contact");
  await box.getByRole("button", { name: "保存" }).click();
  await page.getByText("承知しました。社内に周知します。").waitFor();
  await look(page, "incident-reported");

  const people = await opened(narrow);
  await signInPage(people.page, demo.ready, 6);
  const banner = people.page.getByRole("status").filter({ hasText: "サインインできない障害" });
  await banner.waitFor();
  await look(people.page, "banner-narrow");
  await banner.getByRole("link").click();
  await people.page.getByText("緊急窓口 03-9999-0000").waitFor();
  await look(people.page, "notice-narrow");
  await people.page.getByRole("button", { name: /この表示を閉じる/ }).click();
  await banner.waitFor({ state: "detached" });
  await people.page.getByRole("link", { name: "お知らせ" }).first().click();
  await people.page.getByRole("heading", { name: "お知らせ", level: 1 }).waitFor();
  await look(people.page, "notices-narrow");

  await page.getByRole("button", { name: "完了にする" }).click();
  await box.getByLabel("原因").fill("証明書の期限切れ");
  await box.getByLabel("再発防止策").fill("期限の監視");
  await box.getByRole("button", { name: "完了にする" }).click();
  await page.getByText("証明書の期限切れ").waitFor();
  await look(page, "incident-closed");
  await page.goto(`${demo.ready.console}/tenants/${demo.ready.tenant}`);
  await page.getByText("03-1234-5678").waitFor();
  await look(page, "console-customer-contacts");
  assert.deepEqual([problems, people.problems, admin.problems], [[], [], []]);
});

test("an incident of nobody's takes a reason; tenants with long names fit", async () => {
  const name = "株式会社アルファベット・ホールディングス・インターナショナル東日本統括本部情報システム運用管理センター";
  assert.equal((await oper.post("/tenants", { id: "quite-a-long-identifier", name, admin_email: "a@long.example", admin_name: "管理 者" })).status, 201);
  const { page, problems } = await opened();
  await signInAt(page, demo.ready.console, demo.ready.operator);
  const enter = async (title: string, tenants: object[]) => (await oper.post("/service/incidents", { title, what: "調査中", severity: "low", detected_at: new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 19), tenants })).body;
  const near = await enter("監視の誤検知", []);
  await page.goto(`${demo.ready.console}/incidents/${near.id}`);
  await page.getByText("関係するテナントを追加すると、第一報を公開できます").waitFor();
  const box = page.getByRole("dialog");
  await page.getByRole("button", { name: "テナントを追加" }).click();
  await box.getByText("期限は延びません").waitFor();
  const label = box.locator("label", { hasText: name });
  const [tick, text] = [await label.locator("input").boundingBox(), await label.locator("span").first().boundingBox()];
  assert.ok(text!.y < tick!.y + tick!.height, "the name drops below its box");
  await look(page, "incident-tenants-long");
  await box.getByRole("button", { name: "キャンセル" }).click();
  await page.getByRole("button", { name: "完了にする" }).click();
  await box.getByLabel("原因").fill("しきい値");
  await box.getByLabel("再発防止策").fill("しきい値の見直し");
  await box.getByLabel("お客様に関係しない理由").fill("予備系の検知で、提供中の機能に影響なし");
  await look(page, "incident-close-nobody");
  await box.getByRole("button", { name: "完了にする" }).click();
  await page.getByText("予備系の検知で、提供中の機能に影響なし").waitFor();
  await page.getByText("関係するテナントはありませんでした").waitFor();
  assert.equal(await page.getByText("第一報を作成").or(page.getByText("分かりしだい追加")).count(), 0, "a closed one asks for nothing more");
  await look(page, "incident-closed-nobody");

  const long = await enter("画面の遅延", [{ id: "quite-a-long-identifier" }, { id: demo.ready.tenant }]);
  await page.setViewportSize(narrow.viewport);
  await page.goto(`${demo.ready.console}/incidents/${long.id}`);
  const cell = page.getByRole("cell", { name }).or(page.locator("td", { hasText: name }));
  await cell.waitFor();
  for (const td of await page.locator("table.list td").all()) {
    const at = (await td.boundingBox())!;
    assert.ok(at.x >= 0 && at.x + at.width <= 390, "a cell is off the screen");
  }
  await cell.scrollIntoViewIfNeeded();
  await look(page, "incident-tenants-narrow");
  // as it is once the deletion of both has begun (test/api/contract/contract.test.ts)
  await page.route(`**/api/v1/service/incidents/${long.id}`, async (route) => {
    const reply = await route.fetch();
    const it = await reply.json();
    await route.fulfill({ response: reply, json: { ...it, due_at: null, seconds_left: null, unreported: 0, gone: 2, tenants: it.tenants.map((x: object) => ({ ...x, gone_at: it.recorded_at })) } });
  });
  await page.reload();
  await page.getByText("知らせる相手なし").waitFor();
  await page.getByText(/知らせる相手がいないため、24時間は数えません/).waitFor();
  assert.ok(await page.getByRole("button", { name: "完了にする" }).isEnabled());
  assert.equal(await page.getByText("第一報を作成").count(), 0, "no report is asked for that cannot be published");
  await look(page, "incident-gone-narrow", true);
  await page.setViewportSize({ width: 1280, height: 900 });
  await look(page, "incident-gone");
  assert.deepEqual(problems, []);
});

test("a notice nearer than its period says how short it is and what tenants will read; an emergency is named so", async () => {
  const { page, problems } = await opened({ viewport: { width: 1366, height: 768 } });
  await signInAt(page, demo.ready.console, demo.ready.operator);
  await page.getByRole("link", { name: "お知らせ", exact: true }).click();
  await page.getByRole("button", { name: "予告期間" }).click();
  const dialog = page.getByRole("dialog", { name: "予告期間" });
  const hours = dialog.getByLabel("メンテナンスの予告期間（時間）");
  assert.equal(await hours.inputValue(), "72");
  await hours.fill("100");
  await dialog.getByText("4 日 4 時間").waitFor();
  await look(page, "console-notice-setting");
  await dialog.getByRole("button", { name: "保存" }).click();
  await dialog.waitFor({ state: "detached" });
  assert.equal((await oper.get("/service/notices/setting")).body.maintenance_hours, 100);

  await page.getByRole("link", { name: "お知らせを作成" }).first().click();
  await page.getByLabel("件名（日本語）").fill("緊急の作業");
  await page.getByLabel("件名（英語）").fill("Urgent work");
  await page.getByLabel("本文（日本語）").fill("停止します。");
  await page.getByLabel("本文（英語）").fill("It stops.");
  const told = page.getByText(/予告期間（100 時間）に/);
  await when(page, "影響の開始", 10, "22:00");
  await when(page, "影響の終了（予定）", 10, "23:00");
  assert.equal(await told.count(), 0);
  await when(page, "影響の開始", 2, "22:00");
  const short = Math.ceil(100 - (Date.parse(`${day(2).replaceAll("/", "-")}T22:00:00+09:00`) - Date.now()) / 3_600_000);
  await page.getByText(`予告期間（100 時間）に ${short} 時間足りません。このままでは`).waitFor();
  await page.getByText("お客様にも予告の遅れた計画作業として件数が示されます").waitFor();
  await look(page, "console-notice-short", true);
  await page.getByLabel(/緊急（/).check();
  await page.getByText(/お客様には、画面とメールの件名に「緊急メンテナンス」と示し/).waitFor();
  await page.getByRole("region", { name: "お客様への表示 (ja)" }).getByText("緊急メンテナンス", { exact: true }).waitFor();
  await look(page, "console-notice-emergency", true);
  await page.setViewportSize(narrow.viewport);
  await look(page, "console-notice-emergency-narrow", true);
  await page.setViewportSize({ width: 1366, height: 768 });
  await page.getByLabel(/緊急（/).uncheck();
  await page.getByRole("button", { name: "下書きを保存" }).click();
  await page.getByRole("heading", { name: "緊急の作業", level: 1 }).waitFor();

  await page.getByRole("button", { name: "公開", exact: true }).click();
  const publish = page.getByRole("dialog");
  await publish.getByText(`${short} 時間足りません`).waitFor();
  await look(page, "console-notice-publish-short");
  await publish.getByRole("button", { name: "キャンセル" }).click();
  await page.getByRole("link", { name: "編集" }).click();
  await page.getByLabel(/緊急（/).check();
  await page.getByRole("button", { name: "下書きを保存" }).click();
  await page.getByRole("button", { name: "公開", exact: true }).click();
  await publish.getByText(/緊急として予告します/).waitFor();
  await publish.getByRole("button", { name: "公開", exact: true }).click();
  await publish.waitFor({ state: "detached" });
  const [n] = (await oper.get("/service/notices")).body.items;
  assert.deepEqual([n.title_ja, n.is_emergency, n.state], ["緊急の作業", true, "published"]);
  await oper.waitForMail(demo.ready.accounts[0]!.email, /種別: 緊急メンテナンス\n件名: 緊急の作業\n/);

  const people = await opened();
  await signInPage(people.page, demo.ready, 0);
  await people.page.goto(`${demo.ready.url}/notices/${n.id}`);
  await people.page.getByText("緊急メンテナンス", { exact: true }).waitFor();
  assert.deepEqual([problems, people.problems], [[], []]);
});

test("a correction to an earlier beginning may name an emergency, and says what it costs otherwise", async () => {
  const at = (days: number) => `${day(days).replaceAll("/", "-")}T22:00:00`;
  const n = (await oper.post("/service/notices", { kind: "change", title_ja: "設定の変更", title_en: "A change", body_ja: "変えます。", body_en: "It changes.", starts_at: at(20), is_for_all: true, mail_to: "nobody" })).body;
  const out = (await oper.request("POST", `/service/notices/${n.id}/publish`, {}, { "If-Match": `"${n.version}"` })).body;
  assert.equal(out.state, "published");
  const { page, problems } = await opened();
  await signInAt(page, demo.ready.console, demo.ready.operator);
  await page.goto(`${demo.ready.console}/notices/${n.id}`);
  await page.getByRole("button", { name: "訂正" }).click();
  const dialog = page.getByRole("dialog");
  assert.equal(await dialog.getByLabel(/緊急（/).count(), 0, "not where nothing begins earlier");
  await when(page, "影響の開始", 1, "22:00");
  await dialog.getByText(/時間足りません。このままでは/).waitFor();
  await look(page, "console-notice-correct-short");
  await dialog.getByLabel(/緊急（/).check();
  await dialog.getByRole("button", { name: "訂正" }).click();
  await dialog.waitFor({ state: "detached" });
  assert.equal((await oper.get(`/service/notices/${n.id}`)).body.is_emergency, true);
  assert.deepEqual(problems, []);
});

test("mails that wait or were given up are counted beside the notice and the tenant", async () => {
  const { page, problems } = await opened({ viewport: { width: 1366, height: 768 } });
  await signInAt(page, demo.ready.console, demo.ready.operator);
  const n = (await oper.get("/service/notices?state=published")).body.items[0];
  // as it is while the relay is down (test/api/notice/notice_relay.test.ts)
  const undelivered = (x: any) => ({ ...x, mails: 5, waiting: 3, failed: 1 });
  await page.route(/\/api\/v1\/service\/notices(\/\d+(\/tenants)?)?(\?.*)?$/, async (route) => {
    if (route.request().method() !== "GET") return route.fallback();
    const reply = await route.fetch();
    const it = await reply.json();
    await route.fulfill({ response: reply, json: it.items ? { ...it, items: it.items.map((x: any) => (x.id === n.id || x.tenant ? undelivered(x) : x)) } : undelivered(it) });
  });
  await page.goto(`${demo.ready.console}/notices`);
  const row = page.locator("tr", { hasText: n.title_ja });
  await row.getByText("送信待ち 3 通").waitFor();
  await row.getByText("送信失敗 1 通").waitFor();
  await look(page, "console-notices-waiting");
  await page.goto(`${demo.ready.console}/notices/${n.id}`);
  await page.getByText("5 通（送信済み 1、送信待ち 3、送信失敗 1）").waitFor();
  const tenant = page.locator("table.list tr", { hasText: "株式会社 架空商事" });
  await tenant.getByText("送信待ち 3 通").waitFor();
  await tenant.getByText("送信失敗 1 通").waitFor();
  await look(page, "console-notice-waiting", true);
  await page.setViewportSize(narrow.viewport);
  await look(page, "console-notice-waiting-narrow", true);
  await page.goto(`${demo.ready.console}/notices`);
  await page.getByText("送信失敗 1 通").waitFor();
  await look(page, "console-notices-waiting-narrow");
  assert.deepEqual(problems, []);
});

test("an auditor gets no form for a notice", async () => {
  const email = "auditor@example.jp", password = "Unyou-2026";
  assert.equal((await oper.post("/operators", { email, name: "監査 花子", role: "auditor" })).status, 201);
  const [, token] = await oper.waitForMail(email, /\/operator\/link#([\w-]{43})/);
  assert.equal((await new Client(demo.ready.console).post("/links/accept", { token, password })).status, 204);
  const { page, problems } = await opened();
  await signInAt(page, demo.ready.console, { email, password });
  await page.goto(`${demo.ready.console}/notices/new`);
  await page.getByText("監査者は閲覧だけができます").waitFor();
  assert.equal(await page.locator("form").count(), 0);
  await look(page, "console-notice-new-auditor");
  await page.goto(`${demo.ready.console}/notices`);
  await page.getByRole("button", { name: "予告期間を見る" }).click();
  const dialog = page.getByRole("dialog");
  assert.ok(await dialog.getByLabel("変更の予告期間（時間）").isDisabled());
  assert.equal(await dialog.getByRole("button", { name: "保存" }).count(), 0);
  assert.deepEqual(problems, []);
});

test("the console on a narrow screen, dark, in English", async () => {
  const { page, problems } = await opened(narrow);
  await signInAt(page, demo.ready.console, demo.ready.operator);
  await toEnglish(page);
  for (const [path, heading] of [["notices", "Notices"], ["incidents", "Incidents"], ["notices/new", "New notice"]] as const) {
    await page.goto(`${demo.ready.console}/${path}`);
    await page.getByRole("heading", { name: heading, level: 1 }).waitFor();
    await look(page, `console-${path.replace("/", "-")}-narrow-en`);
  }
  const n = (await oper.get("/service/notices?limit=1")).body.items[0];
  await page.goto(`${demo.ready.console}/notices/${n.id}`);
  await page.getByRole("heading", { name: n.title_en, level: 1 }).waitFor();
  await look(page, "console-notice-narrow-en");
  const i = (await oper.get("/service/incidents?limit=1")).body.items[0];
  await page.goto(`${demo.ready.console}/incidents/${i.id}`);
  await page.getByRole("heading", { name: new RegExp(`#${i.id}`), level: 1 }).waitFor();
  await look(page, "console-incident-narrow-en");
  assert.deepEqual(problems, []);
});
