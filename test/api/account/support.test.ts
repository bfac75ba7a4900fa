// SPDX-License-Identifier: Apache-2.0
// Support access: an operator asks, the tenant's master administrator decides
// and ends it, and everything done meanwhile is in the tenant's log.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { addProject, Client, type Demo, removeDir, rule, signedIn, signedInOperator, startDemo } from "../server.ts";

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

const name = () => demo.ready.operator.name;
async function asked(fields: object = {}): Promise<any> {
  const reply = await oper.post("/tenants/kaku/support", { reason: "表示が崩れる件の調査", hours: 4, ...fields });
  assert.equal(reply.status, 201, JSON.stringify(reply.body));
  return reply.body;
}
const decide = (s: any, word: "approve" | "refuse", body?: object, as = admin) =>
  as.request("POST", `/support/${s.id}/${word}`, body, { "If-Match": `"${s.version}"` });
async function granted(ask: object = {}, grant: object = {}) {
  const s = await asked(ask);
  const reply = await decide(s, "approve", grant);
  assert.equal(reply.status, 200, JSON.stringify(reply.body));
  return reply.body;
}
async function entered(s: any): Promise<Client> {
  const { status, body } = await oper.post(`/tenants/kaku/support/${s.id}/open`, undefined);
  assert.equal(status, 200, JSON.stringify(body));
  const [base, token] = body.link.split("/enter#");
  assert.equal(base, demo.ready.url);
  const supporter = new Client(base);
  assert.equal((await supporter.post("/support/enter", { token })).status, 204);
  const again = await new Client(base).post("/support/enter", { token });
  assert.equal(again.status, 401);
  assert.equal(rule(again), "support_token");
  return supporter;
}
const log = async () => (await admin.get("/operations?limit=200")).body.items;

test("asked: the master administrators hear of it, nothing is open", async () => {
  const s = await asked();
  await admin.waitForMail(demo.ready.accounts[0]!.email, /サポートアクセスの依頼.*[^]*表示が崩れる件の調査/);
  const open = await oper.post(`/tenants/kaku/support/${s.id}/open`, undefined);
  assert.equal(open.status, 403);
  assert.equal(rule(open), "no_grant");
  assert.deepEqual((await admin.get("/support/now")).body.items, []);
  const [first] = (await admin.get("/support")).body.items;
  assert.deepEqual([first.id, first.state, first.operator, first.hours, first.may_write], [s.id, "asked", name(), 4, false]);
  const refused = await decide(s, "refuse");
  assert.equal(refused.body.state, "refused");
  assert.equal(rule(await decide(refused.body, "approve", {})), "decided");
  assert.equal((await oper.post(`/tenants/kaku/support/${s.id}/open`, undefined)).status, 403);
  await oper.waitForMail(demo.ready.operator.email, /承認されませんでした/);
});

test("what is asked for is checked", async () => {
  for (const fields of [{ hours: 0 }, { hours: 25 }, { reason: "" }, { reason: undefined }])
    assert.equal((await oper.post("/tenants/kaku/support", { reason: "x", hours: 4, ...fields })).status, 422);
  assert.equal((await oper.post("/tenants/nobody/support", { reason: "x", hours: 4 })).status, 404);
  const s = await asked({ hours: 2 });
  assert.equal(rule(await decide(s, "approve", { hours: 3 })), "wider");
  assert.equal(rule(await decide(s, "approve", { may_write: true })), "wider");
  assert.equal((await decide({ ...s, version: 7 }, "approve", {})).status, 412);
  const shorter = await decide(s, "approve", { hours: 1 });
  assert.equal(shorter.body.hours, 1);
  const left = Date.parse(shorter.body.expires_at) - Date.now();
  assert.ok(left > 3_500_000 && left <= 3_600_000);
  assert.equal((await admin.post(`/support/${s.id}/end`, undefined)).body.state, "ended");
});

test("only a master administrator decides", async () => {
  const s = await asked();
  const leader = await signedIn(demo, 1);
  for (const word of ["approve", "refuse"] as const) assert.equal((await decide(s, word, word === "approve" ? {} : undefined, leader)).status, 403);
  assert.equal((await leader.post(`/support/${s.id}/end`, undefined)).status, 403);
  assert.equal((await leader.get("/support")).status, 403);
  assert.deepEqual((await leader.get("/support/now")).body.items, []);
  const withdrawn = await oper.post(`/tenants/kaku/support/${s.id}/end`, undefined);
  assert.equal(withdrawn.body.state, "ended");
});

test("read only: everything is seen, nothing changed, all of it in the log; the end is at once", async () => {
  const { id } = await addProject(admin, "MIRU");
  const s = await granted();
  const supporter = await entered(s);
  const me = (await supporter.get("/session")).body;
  assert.equal(me.is_support, true);
  assert.equal(me.user.name, `support: ${name()}`);
  assert.deepEqual((await supporter.get(`/projects/${id}`)).body.rights, ["program_view", "project_view", "ticket_view"]);
  assert.deepEqual([...new Set((await supporter.get("/programs")).body.projects.map((p: any) => p.rights.join()))], ["program_view,project_view,ticket_view"]);
  assert.equal((await supporter.get(`/projects/${id}/tickets?q=%E8%A6%81`)).status, 200);

  const { paths } = await (await fetch(new URL("/api/openapi.json", demo.ready.url))).json();
  const exempt = /^\/api\/v1\/(sign-in.*|session.*|(email-)?links\/.*|password-reset|support\/(enter|leave))$/;
  let refused = 0;
  for (const [path, methods] of Object.entries(paths))
    for (const method of Object.keys(methods as object)) {
      if (method === "get" || exempt.test(path)) continue;
      const target = path.replace("/api/v1", "").replace(/\{\w+\}/g, id);
      const reply = await supporter.request(method.toUpperCase(), target, {}, { "If-Match": '"1"' });
      assert.ok([400, 403, 404, 409, 422].includes(reply.status), `${method} ${path} ${reply.status}`);
      if (reply.status === 403) refused++;
    }
  assert.ok(refused > 40, String(refused));
  for (const [method, path, body] of [
    ["POST", `/projects/${id}/tickets`, { classification: "task", subject: "x" }],
    ["PATCH", `/projects/${id}`, { name: "x" }],
    ["POST", "/users", { email: "evil@example.jp", name: "x", is_admin: true }],
    ["POST", `/support/${s.id}/end`, undefined],
  ] as const)
    assert.equal(rule(await supporter.request(method, path, body, { "If-Match": '"1"' })), "support_read_only", path);

  const seen = (await log()).filter((item: any) => item.user.name === `support: ${name()}`);
  assert.deepEqual([...new Set(seen.map((item: any) => item.action))].sort(), ["support_ask", "support_end", "support_enter", "view"]);
  const views = seen.filter((item: any) => item.action === "view").map((item: any) => item.object_name);
  assert.ok(views.includes(`/api/v1/projects/${id}`));
  assert.ok(views.some((text: string) => text.endsWith("tickets?q=%E8%A6%81")));
  assert.ok(seen.some((item: any) => item.action === "support_enter"));
  assert.equal(new Set(views).size, views.length, "the same again is not repeated");

  const member = await signedIn(demo, 5);
  assert.deepEqual((await member.get("/support/now")).body.items.map((item: any) => [item.operator, item.may_write]), [[name(), false]]);
  assert.equal((await member.get("/session")).body.support.length, 1);
  assert.equal((await admin.post(`/support/${s.id}/end`, undefined)).status, 200);
  assert.equal((await supporter.get(`/projects/${id}`)).status, 401);
  assert.deepEqual((await member.get("/support/now")).body.items, []);
  assert.equal((await oper.post(`/tenants/kaku/support/${s.id}/open`, undefined)).status, 403);
  assert.equal((await admin.get("/operations/verify")).body.ok, true);
  assert.equal((await oper.get("/operations/verify")).body.ok, true);
});

test("read and write: the work, under the supporter's name; not people, rights or security", async () => {
  const { id } = await addProject(admin, "KAKU");
  const s = await granted({ may_write: true }, {});
  const supporter = await entered(s);
  const ticket = await supporter.post(`/projects/${id}/tickets`, { classification: "task", subject: "サポートが追加" });
  assert.equal(ticket.status, 201, JSON.stringify(ticket.body));
  assert.equal((await supporter.post(`/tickets/${ticket.body.id}/comments`, { body: "確認しました" })).status, 201);
  const history = JSON.stringify((await admin.get(`/tickets/${ticket.body.id}/history`)).body);
  assert.match(history, new RegExp(`support: ${name()}`));
  const rows = (await log()).filter((item: any) => item.kind === "ticket" && item.object_name.includes("サポートが追加"));
  assert.equal(rows[0].user.name, `support: ${name()}`);

  const me = (await supporter.get("/session")).body.user.id;
  for (const [method, path, body] of [
    ["POST", "/users", { email: "evil@example.jp", name: "x", is_admin: true }],
    ["PUT", `/projects/${id}/members/${me}`, { role: "manager" }],
    ["PATCH", "/me", { name: "x" }],
    ["POST", "/session/fresh", { password: "x" }],
    ["POST", "/roles", { ja: "x", rights: ["project_view"] }],
    ["PATCH", "/security", { days: 30 }],
    ["POST", `/support/${s.id}/end`, undefined],
    ["POST", "/people/import", undefined],
  ] as const) {
    const reply = await supporter.request(method, path, body, { "If-Match": '"1"' });
    if (reply.status !== 404 && reply.status !== 405) assert.equal(rule(reply), "support_limited", `${method} ${path}`);
  }
  // work, but for the fields that give somebody rights
  const change = async (body: object) => {
    const { version } = (await supporter.get(`/projects/${id}`)).body;
    return supporter.request("PATCH", `/projects/${id}`, body, { "If-Match": `"${version}"` });
  };
  const [person] = (await admin.get("/users?limit=1")).body.items;
  for (const body of [{ manager: person.id }, { program: null }, { name: "x", manager: null }])
    assert.equal(rule(await change(body)), "support_limited", JSON.stringify(body));
  assert.equal((await change({ name: "支援中の名前" })).status, 200);
  // who it acts as is in no list and cannot sign in
  assert.ok(!JSON.stringify((await admin.get("/users?limit=200")).body).includes("support:"));
  assert.equal((await supporter.delete("/session")).status, 204);
  assert.equal((await supporter.get(`/projects/${id}`)).status, 401);
  assert.equal((await admin.get("/support/now")).body.items.length, 1);
  await admin.post(`/support/${s.id}/end`, undefined);
});

test("a suspended operator is out of the tenant too; auditors and other operators never get in", async () => {
  const [email, password] = ["second@example.jp", "Unyou-2026"];
  const made = await oper.post("/operators", { email, name: "運用 二郎", role: "operator" });
  const [, token] = await oper.waitForMail(email, /\/operator\/link#([\w-]{43})/);
  await new Client(demo.ready.console).post("/links/accept", { token, password });
  const second = await signedInOperator(demo, { email, password });
  const mine = await granted();
  assert.equal((await second.post(`/tenants/kaku/support/${mine.id}/open`, undefined)).status, 403);
  assert.equal((await second.post(`/tenants/kaku/support/${mine.id}/end`, undefined)).status, 403);

  const theirs = (await second.post("/tenants/kaku/support", { reason: "二郎の調査", hours: 2 })).body;
  assert.equal((await decide(theirs, "approve", {})).status, 200);
  const link = (await second.post(`/tenants/kaku/support/${theirs.id}/open`, undefined)).body.link;
  const supporter = new Client(demo.ready.url);
  assert.equal((await supporter.post("/support/enter", { token: link.split("#")[1] })).status, 204);
  assert.equal((await supporter.get("/programs")).status, 200);
  const now = (await oper.get("/operators")).body.items.find((item: any) => item.id === made.body.id);
  assert.equal((await oper.patch(`/operators/${now.id}`, { role: "auditor" }, now.version)).status, 200);
  assert.equal((await supporter.get("/programs")).status, 401);
  assert.equal((await second.get("/tenants/kaku/support")).status, 401, "signed out with the change of role");
  await second.signIn(email, password);
  assert.equal((await second.post("/tenants/kaku/support", { reason: "x", hours: 2 })).status, 403);
  assert.equal((await second.get("/tenants/kaku/support")).status, 200);
  for (const s of [mine, theirs]) await admin.post(`/support/${s.id}/end`, undefined);
});

test("the supporter ends it as well, at once and for good; nobody else by that address", async () => {
  const s = await granted({}, {});
  const supporter = await entered(s);
  assert.equal((await admin.post("/support/leave", undefined)).status, 404);
  assert.equal((await new Client(demo.ready.url).post("/support/leave", undefined)).status, 401);
  assert.equal((await supporter.post("/support/leave", undefined)).status, 204);
  assert.equal((await supporter.get("/session")).status, 401);
  assert.deepEqual((await admin.get("/support/now")).body.items, []);
  assert.equal((await oper.post(`/tenants/kaku/support/${s.id}/open`, undefined)).status, 403, "the grant is over, not only the visit");
  const last = (await log()).find((item: any) => item.action === "support_end");
  assert.equal(last.user.name, `support: ${name()}`);
});

test("it ends by itself", async () => {
  const s = await granted({ hours: 24 }, { hours: 1 });
  const supporter = await entered(s);
  assert.equal((await supporter.get("/programs")).status, 200);
  await demo.stop();
  process.env.YAGURA_TEST_CLOCK_S = "3660";
  try {
    demo = await startDemo(demo.dir);
  } finally {
    delete process.env.YAGURA_TEST_CLOCK_S;
  }
  const later = new Client(demo.ready.url);
  later.cookies = supporter.cookies;
  assert.equal((await later.get("/programs")).status, 401);
  oper = await signedInOperator(demo);
  admin = await signedIn(demo, 0);
  assert.deepEqual((await admin.get("/support/now")).body.items, []);
  const over = (await admin.get("/support")).body.items.find((item: any) => item.id === s.id);
  assert.equal(over.state, "ended");
  assert.equal(over.ended_at, over.expires_at);
  assert.equal((await oper.post(`/tenants/kaku/support/${s.id}/open`, undefined)).status, 403);
});
