// SPDX-License-Identifier: Apache-2.0
// Notices of the service dashboard: written by the operator, published now or
// at a moment, told by mail once, read by people, seen only by those they are
// for.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Answer, Client, type Demo, removeDir, rule, signedIn, signedInOperator, startDemo } from "../server.ts";

let demo: Demo;
let oper: Client;
let admin: Client;
let member: Client;
before(async () => {
  process.env.YAGURA_TEST_LOOK_MS = "50";
  demo = await startDemo();
  oper = await signedInOperator(demo);
  admin = await signedIn(demo, 0);
  member = await signedIn(demo, 5);
});
after(async () => {
  delete process.env.YAGURA_TEST_LOOK_MS;
  await demo.stop();
  removeDir(demo);
});

const HOUR = 3_600_000;
/** A moment in Japan as people type it, so many hours from now. */
const jst = (hours: number) => new Date(Date.now() + (9 + hours) * HOUR).toISOString().slice(0, 19);
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
const texts = (name: string) => ({ title_ja: `${name}のお知らせ`, title_en: `Notice of ${name}`, body_ja: `**${name}** の本文`, body_en: `Text of **${name}**` });
const write = (name: string, fields: object = {}) =>
  oper.post("/service/notices", { kind: "maintenance", ...texts(name), starts_at: jst(48), ends_at: jst(50), is_for_all: true, mail_to: "admins", ...fields });
const step = (n: any, what: string, body: object = {}) => oper.request("POST", `/service/notices/${n.id}/${what}`, body, { "If-Match": `"${n.version}"` });
const publish = async (n: any) => ok(step(n, "publish"));
const mails = async (pattern: string): Promise<any[]> => (await oper.get("/demo/mail")).body.items.filter((m: any) => m.subject.includes(pattern));
const own = async (client: Client): Promise<any[]> => (await client.get("/notices?limit=200")).body.items;
const settled = (id: string) => until(async () => { const n = await ok(oper.get(`/service/notices/${id}`)); return n.state !== "draft" && n.owed === 0 && n; });

test("a draft is nobody's until it is published; then its people see and are mailed", async () => {
  const n = await ok(write("計画停止"));
  assert.deepEqual([n.state, n.written_by, n.tenants], ["draft", demo.ready.operator.name, 0]);
  assert.equal((await own(admin)).some((x) => x.id === n.id), false);
  assert.equal((await admin.get(`/notices/${n.id}`)).status, 404);

  const before = (await ok(member.get("/notices/now"))).unread;
  const out = await publish(n);
  assert.equal(out.state, "published");
  const done = await settled(n.id);
  assert.deepEqual([done.tenants, done.told, done.skipped, done.mails], [1, 1, 0, 1]);
  assert.equal((await ok(member.get("/notices/now"))).unread, before + 1);
  const mail = await until(async () => (await mails("計画停止"))[0]);
  assert.equal(mail.to, demo.ready.accounts[0]!.email);
  assert.match(mail.text, /期間: \d{4}\/\d\d\/\d\d \([日月火水木金土]\) \d\d:\d\d ～ \d{4}\/\d\d\/\d\d \([日月火水木金土]\) \d\d:\d\d（日本時間）\n/);
  assert.ok(mail.text.includes("計画停止** の本文") && mail.text.includes(`/notices/${n.id}`));
  const view = await ok(member.get(`/notices/${n.id}`));
  assert.deepEqual([view.title_ja, view.title_en, view.body_en, view.is_read, view.is_current, view.readers], ["計画停止のお知らせ", "Notice of 計画停止", "Text of **計画停止**", false, false, undefined]);
  // what is in the customer's own log, and the operator's
  const [told] = (await ok(admin.get("/operations?kind=notice&limit=1"))).items;
  assert.deepEqual([told.action, told.user.name, told.object_name], ["tell", "notices", "計画停止のお知らせ"]);
  const log = (await ok(oper.get("/operations?kind=notice&limit=2"))).items;
  assert.deepEqual(log.map((x: any) => x.action), ["publish", "create"]);
});

test("to everybody: one mail a person, once, also after a kill", async () => {
  const n = await publish(await ok(write("全員宛", { mail_to: "everybody" })));
  const done = await settled(n.id);
  assert.ok(done.mails >= 8, String(done.mails));
  const all = await until(async () => { const list = [...(await mails("全員宛"))]; return list.length === done.mails && list; });
  assert.equal(new Set(all.map((m) => m.to)).size, done.mails);
  await demo.stop("SIGKILL");
  demo = await startDemo(demo.dir);
  [oper, admin, member] = [await signedInOperator(demo), await signedIn(demo, 0), await signedIn(demo, 5)];
  const again = await ok(oper.get(`/service/notices/${n.id}`));
  assert.deepEqual([again.owed, again.mails], [0, done.mails]);
});

test("killed while mails are being written: everybody is told once", async () => {
  const ids = Array.from({ length: 12 }, (_, i) => `kill-${String(i).padStart(2, "0")}`);
  for (const id of ids) await ok(oper.post("/tenants", { id, name: `会社 ${id}`, admin_email: `admin@${id}.example`, admin_name: "管理 者" }));
  const n = await publish(await ok(write("停止中も一度", { is_for_all: false, tenants: ids.map((id) => ({ id })), mail_to: "everybody" })));
  const seen = new Map<string, number>();
  // nobody of these is active: the written rows are what is counted
  for (let i = 0; i < 3; i++) {
    await demo.stop("SIGKILL");
    demo = await startDemo(demo.dir);
  }
  oper = await signedInOperator(demo);
  const done = await settled(n.id);
  assert.deepEqual([done.tenants, done.told, done.owed], [ids.length, ids.length, 0]);
  for (const t of (await ok(oper.get(`/service/notices/${n.id}/tenants?limit=200`))).items) seen.set(t.tenant, t.mails);
  assert.deepEqual([...seen.keys()], ids);
  [admin, member] = [await signedIn(demo, 0), await signedIn(demo, 5)];
  assert.equal((await admin.get(`/notices/${n.id}`)).status, 404, "not for this tenant");
});

test("who read it: a number for the operator, names for the tenant's administrators", async () => {
  const n = await publish(await ok(write("既読", { mail_to: "nobody" })));
  const { unread } = await ok(member.get("/notices/now"));
  await ok(member.post(`/notices/${n.id}/read`, undefined));
  await ok(member.post(`/notices/${n.id}/read`, undefined));
  assert.equal((await ok(member.get("/notices/now"))).unread, unread - 1);
  assert.equal((await ok(member.get(`/notices/${n.id}`))).is_read, true);
  const { items } = await ok(admin.get(`/notices/${n.id}/readers`));
  assert.deepEqual(items.map((x: any) => x.name), [demo.ready.accounts[5]!.name]);
  assert.equal((await member.get(`/notices/${n.id}/readers`)).status, 403);
  assert.equal((await ok(admin.get(`/notices/${n.id}`))).readers, 1);
  const mine = (await ok(oper.get(`/service/notices/${n.id}/tenants?limit=200`))).items.find((t: any) => t.tenant === demo.ready.tenant);
  assert.equal(mine.readers, 1);
  assert.ok(!JSON.stringify(await ok(oper.get(`/service/notices/${n.id}`))).includes(demo.ready.accounts[5]!.name));
});

test("a correction is unread again and, if wished, mailed; a withdrawal says why", async () => {
  let n = await publish(await ok(write("訂正前")));
  await settled(n.id);
  await ok(member.post(`/notices/${n.id}/read`, undefined));
  n = await ok(oper.get(`/service/notices/${n.id}`));
  assert.equal((await oper.patch(`/service/notices/${n.id}`, { title_ja: "x" }, n.version)).status, 409);
  assert.equal((await oper.delete(`/service/notices/${n.id}`, n.version)).status, 409);
  n = await ok(step(n, "correct", { title_ja: "訂正後のお知らせ", is_mailed: true }));
  assert.ok(n.corrected_at);
  await settled(n.id);
  const view = await ok(member.get(`/notices/${n.id}`));
  assert.deepEqual([view.title_ja, view.is_read], ["訂正後のお知らせ", false]);
  const [mail] = await until(async () => { const list = await mails("訂正: メンテナンス: 訂正後"); return list.length && list; });
  assert.equal(mail.to, demo.ready.accounts[0]!.email);
  n = await ok(oper.get(`/service/notices/${n.id}`));
  assert.equal(rule(await step({ ...n, version: 1 }, "withdraw", { reason_ja: "中止", reason_en: "Cancelled" })), "stale");
  n = await ok(step(n, "withdraw", { reason_ja: "作業を中止しました", reason_en: "The work was cancelled", is_mailed: true }));
  await settled(n.id);
  const gone = await ok(member.get(`/notices/${n.id}`));
  assert.deepEqual([gone.state, gone.reason_en], ["withdrawn", "The work was cancelled"]);
  await until(async () => (await mails("取り消し: メンテナンス: 訂正後")).length === 1);
  assert.equal((await step(n, "correct", { title_ja: "y" })).status, 409);
});

test("a banner while it lasts, until one puts it away; a correction brings it back", async () => {
  let n = await publish(await ok(write("実施中", { starts_at: jst(-1), ends_at: jst(1), mail_to: "nobody" })));
  const banners = async (who: Client) => (await ok(who.get("/notices/now"))).banners.map((b: any) => b.id);
  assert.deepEqual(await banners(member), [n.id]);
  await ok(member.post(`/notices/${n.id}/dismiss`, undefined));
  assert.deepEqual([await banners(member), await banners(admin)], [[], [n.id]]);
  n = await ok(step(n, "correct", { ends_at: jst(2) }));
  assert.deepEqual(await banners(member), [n.id]);
  n = await ok(step(n, "correct", { starts_at: jst(-3), ends_at: jst(-1) }));
  assert.deepEqual(await banners(admin), []);
});

test("what cannot be is refused, with the field", async () => {
  const refused = async (fields: object) => { const r = await write("誤り", fields); return [r.status, r.body.errors[0].field, rule(r)].join(" "); };
  assert.equal(await refused({ ends_at: null }), "422 ends_at required");
  assert.equal(await refused({ kind: "change", starts_at: null }), "422 starts_at required");
  assert.equal(await refused({ ends_at: jst(47) }), "422 ends_at order");
  assert.equal(await refused({ is_for_all: false }), "422 tenants required");
  assert.equal(await refused({ is_for_all: false, tenants: [{ id: "nowhere" }] }), "422 tenants tenant");
  assert.equal(await refused({ kind: "incident" }), "422 incident required");
  assert.equal(await refused({ follows: "99999" }), "422 follows not_found");
  assert.equal(await refused({ starts_at: "2026-02-30T10:00" }), "422 starts_at moment");
  assert.equal(await refused({ starts_at: "2026-02-20T10:00Z" }), "422 starts_at moment");
  assert.equal(await refused({ title_ja: "x".repeat(201) }), "422 title_ja max_length");
  const n = await ok(write("予約"));
  assert.equal(rule(await step(n, "publish", { publish_at: jst(-1) })), "past");
  assert.equal(rule(await step(n, "publish", { publish_at: jst(49) })), "after_start");
  const planned = await ok(step(n, "publish", { publish_at: jst(24) }));
  assert.equal(planned.state, "scheduled");
  assert.equal(rule(await oper.patch(`/service/notices/${n.id}`, { starts_at: jst(10) }, planned.version)), "after_start");
  assert.equal(rule(await oper.delete(`/service/notices/${n.id}`, planned.version)), "scheduled");
  const back = await ok(step(planned, "unschedule", undefined as never));
  assert.equal(back.state, "draft");
  await ok(oper.delete(`/service/notices/${n.id}`, back.version));
  assert.equal((await oper.get(`/service/notices/${n.id}`)).status, 404);
});

test("the notice periods: three days until they are set, kept by version, bounded, an operator's to change", async () => {
  const first = await ok(oper.get("/service/notices/setting"));
  assert.deepEqual([first.change_hours, first.maintenance_hours], [72, 72]);
  const set = (body: object, version: number) => oper.request("PUT", "/service/notices/setting", body, { "If-Match": `"${version}"` });
  for (const hours of [0, 2161]) {
    const refused = await set({ change_hours: hours, maintenance_hours: 72 }, first.version);
    assert.deepEqual([refused.status, refused.body.errors[0].field], [422, "change_hours"], String(hours));
  }
  const next = await ok(set({ change_hours: 120, maintenance_hours: 48 }, first.version));
  assert.deepEqual([next.change_hours, next.maintenance_hours], [120, 48]);
  assert.equal(rule(await set({ change_hours: 1, maintenance_hours: 1 }, first.version)), "stale");
  const kept = await ok(oper.get("/service/notices/setting"));
  assert.deepEqual([kept.change_hours, kept.maintenance_hours], [120, 48]);
  assert.equal((await admin.get("/service/notices/setting")).status, 404);
  assert.equal((await ok(write("緊急", { is_emergency: true }))).is_emergency, true);
});

test("hostile texts come back as they were typed", async () => {
  const body = "<script>alert(1)</script> [x](javascript:alert(1)) ﾊﾝｶｸ 🗼";
  const n = await publish(await ok(write("危険", { body_ja: body, title_ja: "🗼ﾊﾝｶｸ<b>", mail_to: "nobody" })));
  const view = await ok(member.get(`/notices/${n.id}`));
  assert.deepEqual([view.body_ja, view.title_ja], [body, "🗼ﾊﾝｶｸ<b>"]);
});

test("an auditor reads and changes nothing; a tenant reaches none of it", async () => {
  const account = { email: "audit@example.jp", password: "Kansa-2026" };
  await ok(oper.post("/operators", { email: account.email, name: "監査 花子", role: "auditor" }));
  const [, token] = await oper.waitForMail(account.email, /\/operator\/link#([\w-]{43})/);
  await ok(new Client(demo.ready.console).post("/links/accept", { token, password: account.password }));
  const auditor = await signedInOperator(demo, account);
  assert.equal((await auditor.get("/service/notices")).status, 200);
  assert.equal((await auditor.get("/service/incidents")).status, 200);
  const n = await ok(write("監査"));
  for (const [method, path] of [["POST", "/service/notices"], ["POST", `/service/notices/${n.id}/publish`], ["DELETE", `/service/notices/${n.id}`], ["POST", "/service/incidents"], ["PUT", "/service/incidents/setting"], ["POST", `/service/notices/${n.id}/contacts`]] as const) {
    assert.equal((await auditor.request(method, path, method === "DELETE" ? undefined : {}, { "If-Match": '"1"' })).status, 403, `${method} ${path}`);
    assert.equal((await admin.request(method, path, method === "DELETE" ? undefined : {}, { "If-Match": '"1"' })).status, 404, `${method} ${path}`);
  }
  for (const path of ["/service/notices", `/service/notices/${n.id}`, "/service/incidents", `/service/contacts/${demo.ready.tenant}`]) assert.equal((await admin.get(path)).status, 404, path);
});
