// SPDX-License-Identifier: Apache-2.0
// Policies and statements: drafts are the operator's, what is published never
// changes; everybody reads what is public, a master administrator the rest too.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Answer, Client, type Demo, removeDir, rule, signedIn, signedInOperator, startDemo } from "../server.ts";

let demo: Demo;
let oper: Client;
let admin: Client;
let member: Client;
before(async () => {
  demo = await startDemo();
  oper = await signedInOperator(demo);
  admin = await signedIn(demo, 0);
  member = await signedIn(demo, 5);
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
const match = (d: any) => ({ "If-Match": `"${d.version}"` });
const draft = (fields: object = {}) => ok(oper.post("/documents", { kind: "basic", ja: "# 方針", en: "# Policy", is_public: true, review_on: jst(30), ...fields }));
const publish = (d: any) => oper.post(`/documents/${d.id}/publish`, undefined, match(d));
const kinds = async (who: Client) => (await ok(who.get("/policies"))).items.map((d: any) => d.kind);
const trust = async (no: number) => (await ok(oper.get("/trust"))).items[no - 1];

test("an installation begins with texts in both languages; the sample has published them", async () => {
  const list = (await ok(oper.get("/documents"))).items;
  assert.deepEqual(list.map((d: any) => [d.kind, d.no, d.published_by]), ["basic", "individual", "cloud", "privacy", "law", "location", "responsibility", "platform"].map((k) => [k, 1, demo.ready.operator.name]));
  for (const d of list) {
    const whole = await ok(oper.get(`/documents/${d.id}`));
    assert.match(whole.ja, /^# .*\n/);
    assert.match(whole.en, /^# .*\n/);
  }
  const terms = (await ok(oper.get("/terms/versions"))).items;
  assert.deepEqual(terms.map((t: any) => t.no), [1]); // the sample published that too
  const text = (await ok(oper.get(`/terms/versions/${terms[0].id}`))).ja;
  for (const article of ["責任の分担", "データの削除", "法令に基づく開示", "準拠法"]) assert.ok(text.includes(article), article);
  assert.equal((await trust(1)).state, "holds");
  assert.equal((await trust(4)).state, "holds");
});

test("strangers and members read what is public, a master administrator all", async () => {
  const open = ["basic", "individual", "cloud", "privacy", "law", "responsibility", "terms"];
  assert.deepEqual(await kinds(new Client(demo.ready.url)), open);
  assert.deepEqual(await kinds(member), open);
  const all = [...open.slice(0, 5), "location", "responsibility", "platform", "terms"];
  assert.deepEqual(await kinds(admin), all);
  assert.deepEqual(await kinds(oper), all);
  const seen = await ok(admin.get("/policies/location"));
  assert.deepEqual([seen.regions, seen.no, seen.versions.length], ["jp", 1, 1]);
  assert.match(seen.ja, /日本国内のみ/);
  assert.match(seen.en, /Japan only/);
  for (const who of [member, new Client(demo.ready.url)]) assert.equal((await who.get("/policies/location")).status, 404);
  assert.equal((await new Client(demo.ready.url).get("/policies/basic")).status, 200);
  assert.equal((await admin.get("/policies/nothing")).status, 404);
  assert.equal((await ok(new Client(demo.ready.url).get("/policies/terms"))).no, 1);
  for (const who of [admin, member]) assert.ok([403, 404].includes((await who.get("/documents")).status));
});

test("a draft may change, a published version only be looked at again", async () => {
  const d = await draft();
  assert.equal(d.no, null);
  assert.equal((await new Client(demo.ready.url).get("/policies/basic")).body.no, 1);
  const edited = await ok(oper.patch(`/documents/${d.id}`, { ja: "# 改めた方針" }, d.version));
  assert.equal((await oper.patch(`/documents/${d.id}`, { ja: "x" }, d.version)).status, 412);
  assert.equal(rule(await oper.post(`/documents/${d.id}/review`, { review_on: jst(60) }, match(edited))), "draft");
  const out = await ok(publish(edited));
  assert.deepEqual([out.no, out.published_by], [2, demo.ready.operator.name]);
  assert.equal(rule(await oper.patch(`/documents/${d.id}`, { ja: "x" }, out.version)), "published");
  assert.equal(rule(await oper.delete(`/documents/${d.id}`, out.version)), "published");
  assert.equal(rule(await publish(out)), "published");
  const now = (await new Client(demo.ready.url).get("/policies/basic")).body;
  assert.deepEqual([now.no, now.ja, now.versions.map((v: any) => v.no)], [2, "# 改めた方針", [2, 1]]);
  const old = (await new Client(demo.ready.url).get("/policies/basic?no=1")).body;
  assert.match(old.ja, /情報セキュリティ基本方針/);
  assert.equal(rule(await oper.post(`/documents/${d.id}/review`, { review_on: jst() }, match(out))), "past");
  const again = await ok(oper.post(`/documents/${d.id}/review`, { review_on: jst(90) }, match(out)));
  assert.deepEqual([again.review_on, again.ja], [jst(90), "# 改めた方針"]);
  const log = (await ok(oper.get("/operations?kind=document"))).items.map((x: any) => x.action);
  assert.deepEqual(log.slice(0, 4), ["review", "publish", "update", "create"]);
});

test("the location names regions, nothing else does; what is not covered turns row 3", async () => {
  assert.equal(rule(await oper.post("/documents", { kind: "law", ja: "x", en: "x", regions: "jp" })), "regions");
  assert.equal(rule(await oper.post("/documents", { kind: "location", ja: "x", en: "x" })), "regions");
  assert.equal(rule(await oper.post("/documents", { kind: "location", ja: "x", en: "x", regions: "Tokyo" })), "regions");
  assert.equal((await oper.post("/documents", { kind: "basic", ja: "", en: "x" })).status, 422);
  const d = await draft({ kind: "location", regions: "sg", is_public: false });
  assert.equal((await ok(publish(d))).no, 2);
  assert.equal((await ok(admin.get("/policies/location"))).regions, "sg");
  assert.equal((await trust(3)).state, "attention");
  const old = await draft({ review_on: jst() });
  assert.equal(rule(await publish(old)), "past");
  assert.equal((await oper.delete(`/documents/${old.id}`, old.version)).status, 204);
});

test("an auditor reads, and changes nothing", async () => {
  const [email, password] = ["audit@example.jp", "Unyou-2026"];
  await ok(oper.post("/operators", { email, name: "監査 花子", role: "auditor" }));
  const [, token] = await oper.waitForMail(email, /\/operator\/link#([\w-]{43})/);
  await new Client(demo.ready.console).post("/links/accept", { token, password });
  const auditor = await signedInOperator(demo, { email, password });
  const list = (await ok(auditor.get("/documents"))).items;
  assert.equal((await auditor.get(`/documents/${list[0].id}`)).status, 200);
  assert.equal((await auditor.post("/documents", { kind: "basic", ja: "x", en: "x" })).status, 403);
  assert.equal((await auditor.post(`/documents/${list[0].id}/review`, { review_on: jst(9) }, match(list[0]))).status, 403);
  assert.equal((await new Client(demo.ready.console).get("/documents")).status, 401);
});
