// SPDX-License-Identifier: Apache-2.0
// The register of incidents and its 24 hours, by a clock that is moved: what
// is owed, who is warned, what stops it; scheduled notices; the trust page.
import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Answer, type Client, type Demo, rule, signedIn, signedInOperator, startDemo } from "../server.ts";

const HOUR = 3600;
const DAY = 24 * HOUR;
let dir: string;
let demo: Demo;
let oper: Client;
let at = 0; // the server's clock, seconds from the machine's
before(async () => {
  dir = mkdtempSync(join(tmpdir(), "yagura-incident-"));
  process.env.YAGURA_TEST_CLOCK_FILE = join(dir, "offset");
  process.env.YAGURA_TEST_LOOK_MS = "50";
  moveTo(0);
  demo = await startDemo(join(dir, "demo"));
  oper = await signedInOperator(demo);
});
after(async () => {
  delete process.env.YAGURA_TEST_CLOCK_FILE;
  delete process.env.YAGURA_TEST_LOOK_MS;
  await demo.stop();
  rmSync(dir, { recursive: true, force: true });
});
function moveTo(seconds: number) {
  at = seconds;
  writeFileSync(join(dir, "next"), String(Math.round(seconds)));
  renameSync(join(dir, "next"), join(dir, "offset"));
}
/** Moves, and signs in again: sessions end with their time. */
async function goTo(seconds: number) {
  moveTo(seconds);
  oper = await signedInOperator(demo);
}
/** A moment in Japan, so many hours from the server's now. */
const jst = (hours: number) => new Date(Date.now() + (9 * HOUR + at + hours * HOUR) * 1000).toISOString().slice(0, 19);
const ok = async (reply: Promise<Answer>): Promise<any> => {
  const { status, body } = await reply;
  assert.ok(status < 300, `${status} ${JSON.stringify(body)}`);
  return body;
};
async function until<T>(look: () => Promise<T | undefined | false>): Promise<T> {
  for (const end = Date.now() + 30_000; ; ) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`never: ${look}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
/** Two rounds of the caretaker have gone by: what it would do is done. */
async function rounds() {
  const seen = async () => (await ok(oper.get("/capacity"))).at;
  for (let i = 0; i < 2; i++) {
    const before = await seen();
    await until(async () => (await seen()) !== before);
  }
}
/** Moves, and waits for the round that sees it: the mails of one look come
 * before the next. */
async function lookAt(seconds: number) {
  const steps = async () => (await mails(/サーバーの時計が飛びました/)).length;
  const before = await steps();
  moveTo(seconds);
  await until(async () => (await steps()) > before);
}
const enter = (name: string, fields: object = {}) => oper.post("/service/incidents", { title: name, what: "調査中", severity: "high", detected_at: jst(0), tenants: [{ id: demo.ready.tenant }], ...fields });
const step = (n: any, path: string, body: object = {}) => oper.request("POST", `/service/${path}`, body, { "If-Match": `"${n.version}"` });
const texts = (name: string) => ({ title_ja: name, title_en: `${name} (en)`, body_ja: `${name} の状況`, body_en: `State of ${name}` });
const report = async (i: any, kind = "incident") => {
  const n = await ok(oper.post("/service/notices", { kind, ...texts(i.title), incident: i.id, mail_to: "admins" }));
  const out = await ok(step(n, `notices/${n.id}/publish`));
  // a report counts when its tenants were told
  return until(async () => { const now = await ok(oper.get(`/service/notices/${out.id}`)); return now.owed === 0 && now; });
};
const get = (i: any) => ok(oper.get(`/service/incidents/${i.id}`));
const mails = async (pattern: RegExp, to = demo.ready.operator.email): Promise<any[]> =>
  (await ok(oper.get("/demo/mail"))).items.filter((m: any) => m.to === to && pattern.test(`${m.subject}\n${m.text}`));
const trust = async (no: number) => (await ok(oper.get("/trust"))).items.find((r: any) => r.no === no);
const evidence = async (no: number, words: RegExp) => (await trust(no)).evidence.find((e: any) => words.test(e.text));

test("24 hours from detection: warned once before, once after, stopped by a report to all concerned", async () => {
  const i = await ok(enter("認証の障害", { detected_at: jst(-1) }));
  assert.deepEqual([i.tenant_count, i.unreported, i.is_overdue, i.first_report_at], [1, 1, false, null]);
  assert.ok(Math.abs(i.seconds_left - 23 * HOUR) < 60, String(i.seconds_left));
  await rounds();
  assert.equal((await mails(/第一報の期限が近づいています/)).length, 0);
  await goTo(at + 18 * HOUR); // five hours are left, six is the warning
  await until(async () => (await mails(/第一報の期限が近づいています[^]*#\d+/)).length === 1);
  await rounds();
  assert.equal((await mails(/第一報の期限が近づいています/)).length, 1);
  assert.equal((await evidence(31, /24時間を過ぎたもの 0 件/)).holds, true);
  await goTo(at + 6 * HOUR);
  await until(async () => (await mails(/第一報の期限を過ぎました/)).length === 1);
  await rounds();
  assert.equal((await mails(/第一報の期限を過ぎました/)).length, 1);
  assert.equal((await get(i)).is_overdue, true);
  assert.equal((await trust(31)).state, "attention");
  assert.equal((await evidence(31, /24時間を過ぎたもの 1 件/)).holds, false);
  assert.deepEqual((await ok(oper.get("/service/incidents/summary"))).overdue, 1);
  assert.equal(rule(await step(await get(i), `incidents/${i.id}/close`, { cause: "設定", measure: "確認" })), "unreported");

  const n = await report(i);
  const now = await get(i);
  assert.deepEqual([now.due_at, now.unreported], [null, 0]);
  assert.ok(now.first_report_at >= n.published_at, now.first_report_at);
  assert.equal((await evidence(31, /24時間を過ぎたもの 0 件/)).holds, true);
  assert.equal((await evidence(31, /24時間より遅れたもの 1 件/)).holds, false, "a late report stays late for 90 days");
  const admin = await signedIn(demo, 0);
  const mail = await until(async () => (await mails(/認証の障害 の状況/, demo.ready.accounts[0]!.email))[0]);
  assert.match(mail.subject, /インシデント/);
  const seen = await ok(admin.get(`/notices/${n.id}`));
  assert.deepEqual([seen.incident, seen.kind, seen.is_current], [i.id, "incident", true]);
  assert.deepEqual((await ok(admin.get("/notices/now"))).banners.map((b: any) => b.id), [n.id]);
  const back = await report(now, "recovery");
  assert.deepEqual((await ok(admin.get("/notices/now"))).banners, []);
  assert.deepEqual((await ok(admin.get(`/notices/${n.id}`))).related.map((r: any) => r.id), [back.id]);
  const closed = await ok(step(await get(i), `incidents/${i.id}/close`, { cause: "設定の誤り", measure: "二人で確認" }));
  assert.ok(closed.closed_at && closed.recovered_at);
  assert.deepEqual([closed.cause, closed.closed_by], ["設定の誤り", demo.ready.operator.name]);
  assert.equal(rule(await oper.patch(`/service/incidents/${i.id}`, { title: "x" }, closed.version)), "closed");
  assert.ok((await oper.request("DELETE", `/service/incidents/${i.id}`)).status >= 400);
  const actions = (await ok(oper.get("/operations?kind=incident"))).items.filter((o: any) => o.object_name === "認証の障害").map((o: any) => o.action);
  assert.deepEqual(actions, ["close", "report", "create"]);
});

test("a tenant found later has 24 hours of its own; detection does not move after the report", async () => {
  await ok(oper.post("/tenants", { id: "late-one", name: "後から", admin_email: "a@late.example", admin_name: "管理 者" }));
  const i = await ok(enter("情報の誤送信"));
  await report(i);
  let now = await get(i);
  assert.equal(now.due_at, null);
  assert.equal(rule(await oper.patch(`/service/incidents/${i.id}`, { detected_at: jst(-5) }, now.version)), "reported");
  assert.equal(rule(await step(now, `incidents/${i.id}/close`, { cause: "x", measure: "x", nobody_reason: "x" })), "tenants");
  await goTo(at + 30 * HOUR);
  now = await ok(step(now, `incidents/${i.id}/tenants`, { tenants: [{ id: "late-one" }] }));
  assert.ok(Math.abs(now.seconds_left - DAY) < 60, String(now.seconds_left));
  assert.equal(rule(await step(now, `incidents/${i.id}/tenants`, { tenants: [{ id: "late-one" }] })), "tenant");
  await report(i);
  now = await get(i);
  assert.deepEqual([now.due_at, now.tenants.map((t: any) => Boolean(t.reported_at))], [null, [true, true]]);
  await until(async () => (await mails(/情報の誤送信/, "a@late.example")).length === 1); // who is only invited is told too
  await ok(step(now, `incidents/${i.id}/close`, { cause: "宛先", measure: "確認画面" }));
});

test("whom it concerns is not known yet: the clock runs; a near miss is closed without a report", async () => {
  const i = await ok(enter("兆候", { tenants: [] }));
  assert.ok(i.due_at);
  assert.equal(rule(await enter("未来", { detected_at: jst(2) })), "future");
  assert.equal(rule(await enter("不明", { tenants: [{ id: "nowhere" }] })), "tenant");
  const silent = await step(i, `incidents/${i.id}/close`, { cause: "誤検知", measure: "しきい値" });
  assert.deepEqual([silent.status, silent.body.errors[0].field, rule(silent)], [422, "nobody_reason", "required"]);
  const n = await ok(oper.post("/service/notices", { kind: "incident", ...texts("兆候"), incident: i.id, mail_to: "admins" }));
  assert.equal(rule(await step(n, `notices/${n.id}/publish`)), "nobody", "there is nobody to tell");
  const closed = await ok(step(i, `incidents/${i.id}/close`, { cause: "誤検知", measure: "しきい値", nobody_reason: "お客様の機能に影響なし" }));
  assert.deepEqual([closed.due_at, closed.first_report_at, closed.nobody_reason], [null, null, "お客様の機能に影響なし"]);
});

test("a clock a year ahead and back, or a day back: warned at the real hour all the same", async () => {
  const start = at;
  const before = { near: (await mails(/第一報の期限が近づいています/)).length, over: (await mails(/第一報の期限を過ぎました/)).length };
  const i = await ok(enter("時計の試験"));
  await goTo(start + 365 * DAY);
  await until(async () => (await mails(/第一報の期限を過ぎました/)).length === before.over + 1);
  await goTo(start - DAY);
  await rounds();
  assert.ok((await get(i)).seconds_left > 47 * HOUR);
  await goTo(start + 20 * HOUR);
  await until(async () => (await mails(/第一報の期限が近づいています/)).length === before.near + 1);
  await goTo(start + 25 * HOUR);
  await until(async () => (await mails(/第一報の期限を過ぎました/)).length === before.over + 2);
  await rounds();
  assert.equal((await mails(/第一報の期限を過ぎました/)).length, before.over + 2);
  await report(i);
});

test("a scheduled notice comes out once at its moment, through downtime and steps of the clock", async () => {
  const plan = async (name: string) => {
    const n = await ok(oper.post("/service/notices", { kind: "maintenance", ...texts(name), starts_at: jst(100), ends_at: jst(101), is_for_all: true, mail_to: "admins" }));
    return ok(step(n, `notices/${n.id}/publish`, { publish_at: jst(10) }));
  };
  const told = async (name: string) => (await mails(new RegExp(`${name} の状況`), demo.ready.accounts[0]!.email)).length;
  const n = await plan("予約公開");
  const start = at;
  await goTo(start + 9 * HOUR);
  await rounds();
  assert.equal((await ok(oper.get(`/service/notices/${n.id}`))).state, "scheduled");
  await demo.stop();
  moveTo(start + 12 * HOUR);
  demo = await startDemo(demo.dir);
  oper = await signedInOperator(demo);
  await until(async () => (await told("予約公開")) === 1);
  await goTo(start - DAY);
  await rounds();
  await lookAt(start + 366 * DAY); // the operator's password is too old to sign in there
  assert.equal(await told("予約公開"), 1);
  await goTo(start + 13 * HOUR);
  const done = await ok(oper.get(`/service/notices/${n.id}`));
  assert.deepEqual([done.state, done.owed], ["published", 0]);
  const kept = await evidence(17, /予告期間/);
  assert.equal(kept.holds, true, kept.text);
});

test("row 17 turns when work begins that was not announced before", async () => {
  const n = await ok(oper.post("/service/notices", { kind: "maintenance", ...texts("緊急作業"), starts_at: jst(-1), ends_at: jst(1), is_for_all: true, mail_to: "nobody" }));
  assert.equal((await evidence(17, /予告なし/)).holds, true, "a draft announces nothing, nor does it count");
  const out = await ok(step(n, `notices/${n.id}/publish`));
  const row = await trust(17);
  assert.equal(row.state, "attention");
  assert.equal(row.evidence.find((e: any) => /予告なし/.test(e.text)).holds, false);
  assert.equal(row.evidence.find((e: any) => /予告期間 最短 始まったあと/.test(e.text)).holds, false);
  assert.equal(row.evidence.find((e: any) => /メールでは予告しなかった計画作業 1 件/.test(e.text)).holds, false);
  await ok(step(out, `notices/${n.id}/withdraw`, { reason_ja: "試験", reason_en: "test" }));
  assert.equal((await evidence(17, /予告なし/)).holds, false, "it had begun: taking the notice back does not undo that");
});

test("contacts: named by the tenant, seen by the operator; spoken to is recorded", async () => {
  const admin = await signedIn(demo, 0);
  const member = await signedIn(demo, 5);
  for (const p of (await ok(admin.get("/contacts"))).items) await ok(admin.delete(`/contacts/${p.id}`, p.version));
  const own = async (client: Client, no: number) => (await ok(client.get("/trust"))).items.find((r: any) => r.no === no);
  assert.equal((await own(admin, 32)).evidence.find((e: any) => /連絡担当者 0 人/.test(e.text)).holds, false);
  const p = await ok(admin.post("/contacts", { name: "緊急 窓口", role: "情報システム部", email: "sos@kaku.example", phone: "+81 (3) 1234-5678" }));
  assert.equal((await own(admin, 32)).evidence.find((e: any) => /連絡担当者 1 人/.test(e.text)).holds, true);
  const seen = (await ok(oper.get(`/service/contacts/${demo.ready.tenant}`))).items;
  assert.deepEqual(seen.map((x: any) => [x.name, x.phone]), [["緊急 窓口", "+81 (3) 1234-5678"]]);
  const changed = await ok(admin.patch(`/contacts/${p.id}`, { phone: "03-0000-0000" }, p.version));
  assert.equal((await admin.patch(`/contacts/${p.id}`, { name: "x" }, p.version)).status, 412);
  assert.equal((await ok(oper.get(`/service/contacts/${demo.ready.tenant}`))).items[0].phone, "03-0000-0000");
  const refused = async (fields: object) => rule(await admin.post("/contacts", { name: "x", email: "a@b.example", phone: "1234", ...fields }));
  assert.deepEqual([await refused({ email: "a b@c" }), await refused({ phone: "内線12" }), await refused({ name: "" })], ["email", "phone", "required"]);
  assert.equal((await member.get("/contacts")).status, 403);
  assert.equal((await member.post("/contacts", { name: "x", email: "a@b.example", phone: "1234" })).status, 403);
  const log = (await ok(admin.get("/operations?kind=contact&limit=2"))).items;
  assert.deepEqual(log.map((o: any) => o.action), ["update", "create"]);

  const i = await ok(enter("直接の連絡"));
  const spoken = { tenant: demo.ready.tenant, person: "緊急 窓口", means: "phone", at: jst(-1), answer: "了解。社内に周知する" };
  const made = await ok(oper.post(`/service/incidents/${i.id}/contacts`, spoken));
  assert.deepEqual([made.recorded_by, made.means], [demo.ready.operator.name, "phone"]);
  assert.equal(rule(await oper.post(`/service/incidents/${i.id}/contacts`, { ...spoken, at: jst(1) })), "future");
  assert.equal(rule(await oper.post(`/service/incidents/${i.id}/contacts`, { ...spoken, tenant: "nowhere" })), "tenant");
  assert.equal((await oper.post("/service/incidents/9999/contacts", spoken)).status, 404);
  assert.deepEqual((await get(i)).direct_contacts.map((d: any) => d.answer), ["了解。社内に周知する"]);
  const n = await report(i);
  await ok(oper.post(`/service/notices/${n.id}/contacts`, { ...spoken, means: "mail" }));
  assert.equal((await ok(oper.get(`/service/notices/${n.id}`))).direct_contacts.length, 1);
  await ok(admin.delete(`/contacts/${p.id}`, changed.version));
  assert.deepEqual((await ok(oper.get(`/service/contacts/${demo.ready.tenant}`))).items, []);
});

test("whom customers reach is shown with an incident, and measured", async () => {
  const now = await ok(oper.get("/service/incidents/setting"));
  await ok(oper.request("PUT", "/service/incidents/setting", { contact_ja: "", contact_en: "", warn_hours: 6 }, { "If-Match": `"${now.version}"` }));
  assert.equal((await evidence(31, /連絡先の掲示/)).holds, false);
  const set = await ok(oper.request("PUT", "/service/incidents/setting", { contact_ja: "緊急連絡 03-1111-2222", contact_en: "Emergency 03-1111-2222", warn_hours: 8 }, { "If-Match": `"${now.version + 1}"` }));
  assert.equal((await evidence(31, /連絡先の掲示/)).holds, true);
  assert.equal((await oper.request("PUT", "/service/incidents/setting", { contact_ja: "x", contact_en: "x", warn_hours: 24 }, { "If-Match": `"${set.version}"` })).status, 422);
  const n = await report(await ok(enter("連絡先")));
  assert.equal((await ok((await signedIn(demo, 5)).get(`/notices/${n.id}`))).contact_en, "Emergency 03-1111-2222");
  const mail = await until(async () => (await mails(/連絡先 の状況/, demo.ready.accounts[0]!.email))[0]);
  assert.match(mail.text, /緊急連絡 03-1111-2222/);
});
