// SPDX-License-Identifier: Apache-2.0
// Audit reports: a customer asks, the operator releases, the customer's
// administrator downloads; both logs know.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
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
const file = (bytes: Uint8Array, fields: Record<string, string> = {}) =>
  oper.post(`/audits?${new URLSearchParams({ title: "独立監査の報告書", issued_on: jst(-3), name: "監査 2026.pdf", ...fields })}`, bytes);
const give = (id: string, tenant: string) => oper.post(`/audits/${id}/releases`, { tenant });
const actions = async (who: Client) => (await ok(who.get("/operations?kind=audit_report"))).items.map((x: any) => `${x.action} ${x.user.name}`);

test("filed, asked for, released, downloaded: both logs know", async () => {
  const bytes = new Uint8Array(600_000).map((_, i) => (i * 7919) % 256);
  const r = await ok(file(bytes));
  assert.deepEqual([r.size, r.sha256, r.filed_by], [bytes.length, createHash("sha256").update(bytes).digest("hex"), demo.ready.operator.name]);
  assert.deepEqual((await ok(admin.get("/audit-reports"))).items.filter((x: any) => x.id === r.id), []);
  assert.equal((await admin.get(`/audit-reports/${r.id}/file`)).status, 404);

  const asked = await ok(admin.post("/enquiries", { category: "audit", subject: "監査報告書をください", body: "最新のものを希望します。" }));
  assert.ok(asked.id);
  assert.ok((await ok(oper.get("/desk?category=audit"))).items.length >= 1);

  assert.equal((await give(r.id, "kaku")).status, 204);
  assert.equal((await give(r.id, "kaku")).status, 204); // once more is nothing
  assert.equal(rule(await give(r.id, "nobody")), "tenant");
  const account = demo.ready.accounts[0]!;
  await oper.waitForMail(account.email, /監査報告書を開示しました[^]*\/policies/);
  const [mine] = (await ok(admin.get("/audit-reports"))).items.filter((x: any) => x.id === r.id);
  assert.deepEqual([mine.title, mine.file, mine.sha256], ["独立監査の報告書", "監査 2026.pdf", r.sha256]);
  assert.ok(!("filed_by" in mine));

  const cookie = [...admin.cookies].map(([k, v]) => `${k}=${v}`).join("; ");
  const got = await fetch(`${demo.ready.url}/api/v1/audit-reports/${r.id}/file`, { headers: { Cookie: cookie } });
  assert.equal(got.status, 200);
  assert.match(got.headers.get("content-disposition")!, /^attachment;.*%E7%9B%A3%E6%9F%BB%202026\.pdf$/);
  assert.equal(createHash("sha256").update(new Uint8Array(await got.arrayBuffer())).digest("hex"), r.sha256);

  assert.deepEqual((await actions(admin)).slice(0, 2), [`download ${account.name}`, "release desk"]);
  assert.deepEqual((await actions(oper)).slice(0, 3), [`download ${account.name} (kaku)`, `release ${demo.ready.operator.name}`, `create ${demo.ready.operator.name}`]);
  const [row] = (await ok(oper.get("/audits"))).items.filter((x: any) => x.id === r.id);
  assert.deepEqual(row.releases.map((g: any) => [g.tenant, g.downloads, g.released_by]), [["kaku", 1, demo.ready.operator.name]]);
  assert.ok(row.releases[0].downloaded_at);
  assert.equal(rule(await oper.delete(`/audits/${r.id}`, row.version)), "released");
});

test("the release answers and closes what was asked for; also of what was asked since", async () => {
  const title = "第三者評価 2026";
  const r = await ok(file(new Uint8Array([7, 7, 7]), { title }));
  const asks = [];
  for (const subject of ["評価の報告書", "写しをもう一度"]) {
    const { id } = await ok(admin.post("/enquiries", { category: "audit", subject, body: "お願いします。" }));
    const other = await ok(admin.post("/enquiries", { category: "event", subject: "別件", body: "画面が変です。" }));
    asks.push(id);
    assert.ok((await ok(oper.get("/desk?category=audit&state=open"))).items.some((x: any) => x.enquiry === id && x.due_at), "owed an answer");
    assert.equal((await give(r.id, "kaku")).status, 204);
    const it = await ok(admin.get(`/enquiries/${id}`));
    assert.deepEqual([it.state, it.due_at, !!it.answered_at, !!it.closed_at], ["closed", null, true, true]);
    assert.match(it.messages.at(-1).body, new RegExp(`「${title}」を開示しました`));
    assert.equal((await ok(admin.get(`/enquiries/${other.id}`))).state, "open");
    const [row] = (await ok(oper.get("/desk?category=audit&limit=50"))).items.filter((x: any) => x.enquiry === id);
    assert.deepEqual([row.state, row.due_at, !!row.answered_at], ["closed", null, true]);
  }
  assert.deepEqual((await ok(oper.get("/desk?category=audit&state=open"))).items.filter((x: any) => asks.includes(x.enquiry)), []);
});

test("what is no report, and whose it is not", async () => {
  assert.equal(rule(await file(new Uint8Array(0))), "empty");
  assert.equal(rule(await file(new Uint8Array(9), { issued_on: jst(1) })), "future");
  assert.equal((await file(new Uint8Array(9), { title: "" })).status, 422);
  assert.equal((await file(new Uint8Array((20 << 20) + 1))).status, 413);
  const r = await ok(file(new Uint8Array([1, 2, 3])));
  for (const path of ["/audit-reports", `/audit-reports/${r.id}/file`]) assert.equal((await member.get(path)).status, 403);
  for (const path of ["/audits", `/audits/${r.id}/file`]) assert.equal((await admin.get(path)).status, 404);
  assert.equal((await oper.get(`/audits/${r.id}/file`)).status, 200);
  assert.equal((await oper.delete(`/audits/${r.id}`, r.version)).status, 204);
  assert.equal((await oper.get(`/audits/${r.id}/file`)).status, 404);
});

test("row 38 holds while there is a report of this year and no request waits too long", async () => {
  const row = (await ok(oper.get("/trust"))).items[37];
  assert.equal(row.state, "holds");
  assert.match(row.evidence[0].text, /監査報告書 \d+ 件、最新 /);
});
