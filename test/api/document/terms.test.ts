// SPDX-License-Identifier: Apache-2.0
// Terms of use: written and published by the operator, accepted by the first
// administrator for the tenant, by everybody where the tenant says so.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client, type Demo, removeDir, rule, signedIn, signedInOperator, startDemo } from "../server.ts";

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

const jst = (days = 0) => new Date(Date.now() + 9 * 3_600_000 + days * 86_400_000).toISOString().slice(0, 10);
const draft = async (fields: object = {}) => {
  const reply = await oper.post("/terms/versions", { ja: "# 利用規約\n\n第1条", en: "# Terms of use\n\nArticle 1", valid_from: jst(), ...fields });
  assert.equal(reply.status, 201, JSON.stringify(reply.body));
  return reply.body;
};
const publish = (t: any) => oper.post(`/terms/versions/${t.id}/publish`, undefined, { "If-Match": `"${t.version}"` });
const published = async (fields: object = {}) => {
  const reply = await publish(await draft(fields));
  assert.equal(reply.status, 200, JSON.stringify(reply.body));
  return reply.body;
};

let first: number; // the version that is published first here
test("nothing is asked for by a draft, which is the operator's", async () => {
  const { terms, is_whole_owed } = (await admin.get("/terms")).body;
  assert.equal(is_whole_owed, false); // the sample's administrator has accepted them
  first = terms.no + 1;
  const t = await draft();
  assert.equal(t.no, null);
  assert.equal((await admin.get("/my/tickets")).status, 200);
  assert.equal((await admin.get("/terms")).body.terms.no, terms.no);
  const edited = await oper.patch(`/terms/versions/${t.id}`, { ja: "# 改" }, t.version);
  assert.equal(edited.body.ja, "# 改");
  assert.equal((await oper.patch(`/terms/versions/${t.id}`, { ja: "x" }, t.version)).status, 412);
  assert.equal((await oper.delete(`/terms/versions/${t.id}`, edited.body.version)).status, 204);
  assert.equal((await admin.get("/terms/versions")).status, 404);
  assert.equal(rule(await publish(await draft({ valid_from: jst(-1) }))), "past");
  assert.equal((await oper.post("/terms/versions", { ja: "x", en: "", valid_from: jst() })).status, 422);
  for (const blank of [" ", "\n", "\u3000\r\n\t"]) {
    const reply = await oper.post("/terms/versions", { ja: "x", en: blank, valid_from: jst() });
    assert.deepEqual([reply.status, reply.body.errors[0].field, reply.body.errors[0].rule], [422, "en", "required"]);
  }
});

test("a material version closes the tenant until a master administrator accepts it", async () => {
  const project = (await admin.get("/programs")).body.projects[0].id;
  const t = await published({ is_material: true });
  assert.deepEqual([t.no, t.is_material], [first, true]);
  assert.equal(rule(await oper.patch(`/terms/versions/${t.id}`, { ja: "x" }, t.version)), "published");
  assert.equal(rule(await publish(t)), "published");

  const { paths } = await (await fetch(new URL("/api/openapi.json", demo.ready.url))).json();
  const open = /^\/api\/v1\/(sign-in.*|session.*|(email-)?links\/.*|password-(reset|policy)|demo\/mail|support\/(enter|now|leave)|trust|policies(\/.*)?|terms|terms\/accept|enquiries.*|people\/csv|archives.*|jobs.*|projects\/\{id\}\/export\.csv)$/; // them, and the export
  let closed = 0;
  for (const [path, methods] of Object.entries(paths))
    for (const method of Object.keys(methods as object)) {
      if (open.test(path)) continue;
      const target = path.replace("/api/v1", "").replace(/\{\w+\}/g, "1");
      const reply = await admin.request(method.toUpperCase(), target, method === "get" ? undefined : {}, { "If-Match": '"1"' });
      if (reply.status === 404 && rule(reply) === "route") continue; // the console's
      if (reply.status === 405) continue;
      assert.equal(reply.status, 403, `${method} ${path}`);
      assert.equal(rule(reply), "terms", `${method} ${path}`);
      closed++;
    }
  assert.ok(closed > 90, String(closed));
  for (const who of [admin, member]) assert.equal((await who.get("/session")).body.terms_owed, true);

  for (const who of [admin, member]) {
    assert.equal(rule(await who.get("/programs")), "terms"); // names are no export
    const asked = await who.post("/enquiries", { category: "event", subject: "不審なメール", body: "届きました。" });
    assert.equal(asked.status, 201); // an event is reported whatever is owed
    assert.equal((await who.get("/enquiries/contact")).status, 200);
    assert.equal((await who.post(`/enquiries/${asked.body.id}/messages`, { body: "続きです。" })).status, 201);
    assert.equal((await who.post(`/enquiries/${asked.body.id}/files?${new URLSearchParams({ message: (await who.get(`/enquiries/${asked.body.id}`)).body.messages[0].id, name: "mail.txt" })}`, new Uint8Array([1]))).status, 201);
    assert.ok((await who.get("/enquiries")).body.items.some((x: any) => x.id === asked.body.id));
  }
  assert.equal((await admin.get(`/projects/${project}/export.csv`)).status, 200);
  assert.equal((await admin.get("/people/csv")).status, 200);
  assert.equal((await admin.get("/trust")).body.reader, "anyone");
  const shown = (await member.get("/terms")).body;
  assert.equal(shown.terms.ja, "# 利用規約\n\n第1条");
  assert.equal(shown.is_whole_owed, true);
  assert.equal((await member.post("/terms/accept", { no: first })).status, 204); // for oneself, which opens nothing
  assert.equal(rule(await member.get("/my/tickets")), "terms");
  assert.equal(rule(await admin.post("/terms/accept", { no: first + 1 })), "terms_changed");
  assert.equal((await admin.post("/terms/accept", { no: first })).status, 204);
  for (const who of [admin, member]) {
    assert.equal((await who.get("/my/tickets")).status, 200);
    assert.equal((await who.get("/session")).body.terms_owed, false);
  }
  const [consent] = (await admin.get("/terms/consents")).body.items.filter((item: any) => item.for_tenant);
  assert.deepEqual([consent.no, consent.user.name, consent.ip], [first, demo.ready.accounts[0]!.name, "127.0.0.1"]);
  assert.ok(Math.abs(Date.parse(consent.at) - Date.now()) < 60_000);
  const [row] = (await admin.get("/operations?kind=terms")).body.items;
  assert.deepEqual([row.action, row.user.name, row.after.for_tenant], ["accept", demo.ready.accounts[0]!.name, true]);
  const seen = (await oper.get("/tenants/kaku")).body;
  assert.equal(seen.terms_no, first);
});

test("a later version: quiet when immaterial, closing again when material", async () => {
  await published({ is_material: false, ja: "# 第2版" });
  assert.equal((await member.get("/my/tickets")).status, 200);
  assert.equal((await member.get("/terms")).body.terms.no, first + 1);
  assert.equal((await member.get(`/terms?no=${first}`)).body.terms.ja, "# 利用規約\n\n第1条");
  await published({ is_material: true, ja: "# 第3版" });
  assert.equal(rule(await member.get("/my/tickets")), "terms");
  assert.equal((await admin.post("/terms/accept", { no: first + 2 })).status, 204);
  assert.equal((await member.get("/my/tickets")).status, 200);
  assert.deepEqual((await member.get("/terms")).body.versions.map((item: any) => item.no), [2, 1, 0, -1].map((n) => first + n));
});

test("a version of tomorrow is not known today", async () => {
  await published({ valid_from: jst(1), ja: "# 明日" });
  assert.equal((await member.get("/terms")).body.terms.no, first + 2);
  assert.equal((await member.get(`/terms?no=${first + 3}`)).status, 404);
  assert.equal((await member.get("/my/tickets")).status, 200);
  assert.equal(rule(await publish(await draft())), "order");
});

test("everybody accepts where the tenant says so", async () => {
  assert.equal((await member.request("PUT", "/terms/setting", { everyone: true })).status, 403);
  assert.equal((await admin.request("PUT", "/terms/setting", { everyone: true })).status, 204);
  assert.equal((await admin.get("/my/tickets")).status, 200); // accepted for the tenant, and so for oneself
  assert.equal(rule(await member.get("/my/tickets")), "terms");
  assert.equal((await member.get("/terms")).body.is_own_owed, true);
  assert.equal((await member.post("/terms/accept", { no: first + 2 })).status, 204);
  assert.equal((await member.get("/my/tickets")).status, 200);
  assert.equal((await admin.request("PUT", "/terms/setting", { everyone: false })).status, 204);
});

test("a new tenant's first administrator accepts at the first sign-in", async () => {
  await oper.post("/tenants", { id: "shin", name: "新会社", admin_email: "boss@shin.example", admin_name: "代表" });
  const [, token] = await oper.waitForMail("boss@shin.example", /\/t\/shin\/link#([\w-]{43})/);
  const boss = new Client(new URL("/t/shin", demo.ready.url).href);
  await boss.post("/links/accept", { token, password: "Daihyou-26" });
  assert.equal((await boss.signIn("boss@shin.example", "Daihyou-26")).body.terms_owed, true);
  assert.equal(rule(await boss.get("/users")), "terms");
  assert.equal((await boss.post("/terms/accept", { no: first + 2 })).status, 204);
  assert.equal((await boss.get("/users")).status, 200);
});

test("an auditor reads the terms and writes none", async () => {
  const [email, password] = ["audit@example.jp", "Unyou-2026"];
  await oper.post("/operators", { email, name: "監査 花子", role: "auditor" });
  const [, token] = await oper.waitForMail(email, /\/operator\/link#([\w-]{43})/);
  await new Client(demo.ready.console).post("/links/accept", { token, password });
  const auditor = await signedInOperator(demo, { email, password });
  const list = (await auditor.get("/terms/versions")).body.items;
  assert.ok(list.length >= 4);
  assert.equal((await auditor.get(`/terms/versions/${list.at(-1).id}`)).status, 200);
  assert.equal((await auditor.post("/terms/versions", { ja: "x", en: "x", valid_from: jst() })).status, 403);
  assert.equal((await auditor.post(`/terms/versions/${list[0].id}/publish`, undefined, { "If-Match": '"1"' })).status, 403);
});
