// SPDX-License-Identifier: Apache-2.0
// The operator's registers: suppliers, certifications, reviews, advisories.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Answer, Client, type Demo, removeDir, rule, signedIn, signedInOperator, startDemo } from "../server.ts";

let demo: Demo;
let oper: Client;
let admin: Client;
before(async () => {
  demo = await startDemo();
  oper = await signedInOperator(demo);
  admin = await signedIn(demo, 0);
});
after(async () => {
  await demo.stop();
  removeDir(demo);
});

const ok = async (reply: Promise<Answer>): Promise<any> => {
  const { status, body } = await reply;
  assert.ok(status < 300, `${status} ${JSON.stringify(body)}`);
  return body;
};
const jst = (days = 0) => new Date(Date.now() + 9 * 3_600_000 + days * 86_400_000).toISOString().slice(0, 10);
const put = (path: string, row: any, fields: object) => oper.request("PUT", `/${path}/${row.id}`, fields, { "If-Match": `"${row.version}"` });
const list = async (path: string) => (await ok(oper.get(`/${path}`))).items;
const trust = async (no: number) => (await ok(oper.get("/trust"))).items[no - 1].state;
const supplier = (fields: object = {}) => ({ name: "保管サービス", purpose: "backup", region: "jp", risk: "low", reviewed_on: jst(-1), review_on: jst(300), ...fields });

test("the sample keeps its registers, and the trust page is content with them", async () => {
  assert.deepEqual((await list("suppliers")).map((s: any) => [s.purpose, s.changed_by]), [["hosting", demo.ready.operator.name], ["mail", demo.ready.operator.name]]);
  assert.equal((await list("certifications")).length, 1);
  const reviews = await list("reviews");
  assert.deepEqual(reviews.map((r: any) => r.done_on !== null), [false, false, true, true]); // each signed one planned the next
  assert.ok(reviews.every((r: any) => r.done_on === null || r.signer === demo.ready.operator.name));
  assert.deepEqual((await list("advisories")).map((a: any) => [a.component, a.state]), [["civetweb", "closed"]]);
  for (const no of [24, 26, 30, 34]) assert.equal(await trust(no), "holds", String(no));
});

test("a supplier: entered, changed, reviewed too late, taken off", async () => {
  const s = await ok(oper.post("/suppliers", supplier()));
  assert.deepEqual([s.certificate, s.note, s.version], ["", "", 1]);
  assert.equal(rule(await oper.post("/suppliers", supplier({ region: "Japan" }))), "region");
  assert.equal(rule(await oper.post("/suppliers", supplier({ review_on: jst(-1) }))), "order");
  assert.equal(rule(await oper.post("/suppliers", supplier({ reviewed_on: jst(1) }))), "future");
  assert.equal((await oper.post("/suppliers", supplier({ purpose: "magic" }))).status, 422);
  assert.equal((await oper.request("PUT", `/suppliers/${s.id}`, supplier())).status, 428);
  const late = await ok(put("suppliers", s, supplier({ reviewed_on: jst(-400), review_on: jst(-30), risk: "high" })));
  assert.equal(late.risk, "high");
  assert.equal((await put("suppliers", s, supplier())).status, 412);
  assert.equal(await trust(30), "attention");
  assert.equal((await oper.delete(`/suppliers/${s.id}`, late.version)).status, 204);
  assert.equal(await trust(30), "holds");
  const log = (await ok(oper.get("/operations?kind=supplier"))).items.slice(0, 3);
  assert.deepEqual(log.map((x: any) => x.action), ["delete", "update", "create"]);
  assert.deepEqual([log[1].before.risk, log[1].after.risk, log[0].after ?? null], ["low", "high", null]);
});

test("a review is signed by who is signed in, once", async () => {
  const plan = { kind: "other", subject: "復元手順の確認", every_months: 12, due_on: jst(-5) };
  const r = await ok(oper.post("/reviews", plan));
  assert.equal(rule(await put("reviews", r, { ...plan, done_on: jst(1), result: "good" })), "future");
  const signed = await ok(put("reviews", r, { ...plan, done_on: jst(), result: "good", note: "手順どおり" }));
  assert.deepEqual([signed.signer, signed.result], [demo.ready.operator.name, "good"]);
  assert.ok(signed.signed_at);
  assert.equal(rule(await put("reviews", signed, plan)), "signed");
  assert.equal(rule(await oper.delete(`/reviews/${r.id}`, signed.version)), "signed");
  const next = (await list("reviews")).find((x: any) => x.subject === plan.subject && !x.done_on);
  assert.equal(next.due_on.slice(0, 4), String(Number(jst().slice(0, 4)) + 1));
});

test("an advisory is judged before it is closed", async () => {
  const it = { component: "sqlite", advisory: "CVE-0000-0001", summary: "試験", found_on: jst(-8) };
  const a = await ok(oper.post("/advisories", it));
  assert.equal(a.state, "open");
  assert.equal(await trust(24), "attention");
  assert.equal(rule(await put("advisories", a, { ...it, is_closed: true })), "required");
  const judged = await ok(put("advisories", a, { ...it, impact: "low", judgement: "使っていない機能" }));
  assert.deepEqual([judged.state, judged.judged_by], ["judged", demo.ready.operator.name]);
  assert.equal(await trust(24), "holds");
  assert.equal(rule(await oper.delete(`/advisories/${a.id}`, judged.version)), "judged");
  const closed = await ok(put("advisories", judged, { ...it, impact: "low", judgement: "使っていない機能", notice: "お知らせ 3", is_closed: true }));
  assert.equal(closed.state, "closed");
});

test("a look through the sources is recorded by itself, by whom and when; an entry is one, too", async () => {
  const entered = await ok(oper.get("/advisories/look"));
  assert.equal(entered.looked_by, demo.ready.operator.name, "the last entry was");
  const { email, password } = { email: "second@example.jp", password: "Unyou-2026" };
  await ok(oper.post("/operators", { email, name: "運用 次郎", role: "operator" }));
  const [, token] = await oper.waitForMail(email, /\/operator\/link#([\w-]{43})/);
  await ok(new Client(demo.ready.console).post("/links/accept", { token, password }));
  const second = await signedInOperator(demo, { email, password });
  const before = Date.now() - 1000;
  assert.equal((await second.post("/advisories/look", undefined)).status, 204);
  const last = await ok(oper.get("/advisories/look"));
  assert.equal(last.looked_by, "運用 次郎");
  assert.ok(Date.parse(last.looked_at) >= before && Date.parse(last.looked_at) >= Date.parse(entered.looked_at));
  assert.equal((Date.parse(last.due_at) - Date.parse(last.looked_at)) / 86_400_000, 31);
  const [said] = (await ok(oper.get("/operations?kind=advisory&limit=1"))).items;
  assert.deepEqual([said.action, said.user.name], ["confirm", "運用 次郎"]);
  const row = (await ok(oper.get("/trust"))).items[23];
  assert.ok(row.evidence.some((e: any) => e.holds && e.at === last.looked_at && /最後に確認した日/.test(e.text)), JSON.stringify(row.evidence));

  await ok(oper.post("/operators", { email: "reader@example.jp", name: "監査 花子", role: "auditor" }));
  const [, other] = await oper.waitForMail("reader@example.jp", /\/operator\/link#([\w-]{43})/);
  await ok(new Client(demo.ready.console).post("/links/accept", { token: other, password }));
  const auditor = await signedInOperator(demo, { email: "reader@example.jp", password });
  assert.equal((await ok(auditor.get("/advisories/look"))).looked_by, "運用 次郎");
  assert.equal((await auditor.post("/advisories/look", undefined)).status, 403);
  for (const who of [admin, new Client(demo.ready.url)]) assert.ok([401, 404].includes((await who.get("/advisories/look")).status));
});

test("an expired certification turns row 34; registers are the operator's alone", async () => {
  const c = await ok(oper.post("/certifications", { name: "ISMS", number: "IS 1", expires_on: jst(-1) }));
  assert.equal(await trust(34), "attention");
  assert.equal((await oper.delete(`/certifications/${c.id}`, c.version)).status, 204);
  assert.equal(await trust(34), "holds");
  for (const path of ["suppliers", "certifications", "reviews", "advisories"]) {
    assert.equal((await admin.get(`/${path}`)).status, 404);
    assert.equal((await new Client(demo.ready.console).get(`/${path}`)).status, 401);
  }
});

test("the binary says what it is made of and how it was built", async () => {
  const parts = await list("components");
  assert.ok(parts.length >= 13);
  for (const p of parts) {
    assert.match(p.released, /^\d{4}-\d\d-\d\d$/);
    assert.ok(p.source && p.checksum && p.version && p.license, p.name);
    if (p.is_old) assert.match(p.why_old ?? "", /[ぁ-ん一-龠ァ-ヶ]/, p.name); // the rule for age
  }
  await oper.request("PATCH", "/me", { lang: "en" });
  for (const p of await list("components")) if (p.is_old) assert.match(p.why_old, /^[ -~]+$/, p.name);
  await oper.request("PATCH", "/me", { lang: "ja" });
  const build = await ok(oper.get("/build"));
  assert.match(build.notes, /リリースノート/);
  assert.match(build.sources, /^[0-9a-f]{64}$/);
  assert.ok(build.tested === null || !Number.isNaN(Date.parse(build.tested)));
  for (const path of ["/components", "/build"]) assert.equal((await admin.get(path)).status, 404);
});
