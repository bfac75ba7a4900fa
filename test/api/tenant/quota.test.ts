// SPDX-License-Identifier: Apache-2.0
// What a tenant may take: set by the operator, enforced with a clear word, and
// seen by the tenant's administrator.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { addProject, type Answer, Client, type Demo, removeDir, rule, signedIn, signedInOperator, startDemo } from "../server.ts";

let demo: Demo;
let oper: Client;
let admin: Client;
before(async () => {
  demo = await startDemo();
  oper = await signedInOperator(demo);
  admin = await signedIn(demo, 0);
});
after(async () => {
  delete process.env.YAGURA_TEST_STATEMENT_MS;
  await demo.stop();
  removeDir(demo);
});

const path = () => `/tenants/${demo.ready.tenant}/quota`;
async function set(fields: object): Promise<any> {
  const now = (await oper.get(path())).body;
  const reply = await oper.patch(path(), fields, now.version);
  assert.equal(reply.status, 200, JSON.stringify(reply.body));
  return reply.body;
}
const message = (reply: Answer): string => reply.body.errors[0].message;

test("the operator sets a quota by version, each change is in the operator's log", async () => {
  assert.deepEqual((await oper.get(path())).body, { bytes: null, users: null, requests: null, version: 0 });
  assert.deepEqual(await set({ users: 500 }), { bytes: null, users: 500, requests: null, version: 1 });
  assert.equal((await oper.patch(path(), { users: 5 }, 0)).status, 412);
  assert.equal((await oper.patch(path(), { users: 0 }, 1)).status, 422);
  assert.equal((await oper.patch(path(), { bytes: 5 }, 1)).status, 422);
  assert.equal((await oper.patch("/tenants/nobody/quota", { users: 5 }, 0)).status, 404);
  assert.equal((await admin.get(path())).status, 404);
  assert.deepEqual(await set({ users: null }), { bytes: null, users: null, requests: null, version: 2 });
  const [row] = (await oper.get("/operations?kind=quota&limit=1")).body.items;
  assert.equal(row.object_name, demo.ready.tenant);
  assert.equal(row.before.users, 500);
  assert.equal(row.after.users, 0);
});

test("an auditor reads quotas and changes none; a tenant's users see usage only as administrators", async () => {
  const member = await signedIn(demo, 5);
  assert.equal((await member.get("/tenant/usage")).status, 403);
  const usage = (await admin.get("/tenant/usage")).body;
  assert.ok(usage.bytes > 100_000 && usage.users > 5, JSON.stringify(usage));
  assert.deepEqual([usage.bytes_limit, usage.users_limit, usage.requests_limit], [null, null, null]);
  assert.equal((await oper.get(`/tenants/${demo.ready.tenant}`)).body.used_bytes, usage.bytes);
});

test("users: the one beyond is refused by name, also by waking a suspended one", async () => {
  const used = (await admin.get("/tenant/usage")).body.users;
  await set({ users: used + 1 });
  const add = (n: number) => admin.post("/users", { email: `more${n}@example.jp`, name: `追加 ${n}`, lang: "ja" });
  const first = await add(1);
  assert.equal(first.status, 201, JSON.stringify(first.body));
  const refused = await add(2);
  assert.deepEqual([refused.status, rule(refused)], [409, "quota_users"]);
  assert.match(message(refused), new RegExp(`${used + 1}人`));
  const member = (await admin.get("/users?limit=200")).body.items.find((u: any) => u.email === demo.ready.accounts[5]!.email);
  const asleep = await admin.patch(`/users/${member.id}`, { state: "suspended" }, member.version);
  assert.equal(asleep.status, 200);
  assert.equal((await add(3)).status, 201);
  const awake = await admin.patch(`/users/${member.id}`, { state: "active" }, asleep.body.version);
  assert.deepEqual([awake.status, rule(awake)], [409, "quota_users"]);
  assert.equal((await admin.get("/tenant/usage")).body.users_limit, used + 1);
  const csv = "操作,メールアドレス,氏名,言語,マスター管理者,状態\n追加,more4@example.jp,追加 4,,,\n";
  let { job } = (await admin.post("/people/imports?dry=0", new TextEncoder().encode(csv))).body;
  while (job.state === "waiting" || job.state === "running") job = (await admin.get(`/jobs/${job.id}`)).body;
  assert.deepEqual([job.state, job.result.errors[0].rule], ["failed", "quota_users"]);
  await set({ users: null });
  assert.equal((await admin.patch(`/users/${member.id}`, { state: "active" }, asleep.body.version)).status, 200);
});

test("size: what adds is refused with 507, reading, deleting, exporting and signing in go on", async () => {
  const project = await addProject(admin, "SIZE");
  const big = "長い本文。".repeat(3000);
  const add = () => admin.post(`/projects/${project.id}/tickets`, { subject: "大きい", classification: "task", details: big });
  const one = await add();
  assert.equal(one.status, 201, JSON.stringify(one.body));
  const before = (await admin.get("/tenant/usage")).body.bytes;
  assert.equal((await add()).status, 201);
  const after = (await admin.get("/tenant/usage")).body.bytes;
  assert.ok(after > before);
  const limit = Math.max(1 << 20, after);
  await set({ bytes: limit });
  let refused: Answer;
  for (let i = 0; (refused = await add()).status === 201; i++) assert.ok(i < 500, "the limit is never met");
  assert.deepEqual([refused.status, rule(refused)], [507, "quota_bytes"]);
  assert.match(message(refused), /容量の上限（\d+ MB）/);
  const at = (await admin.get("/tenant/usage")).body.bytes;
  assert.ok(at <= limit && at > limit - 400_000, `${at} of ${limit}`);
  assert.equal((await admin.get(`/projects/${project.id}/plan`)).status, 200);
  assert.equal((await admin.get(`/projects/${project.id}/export.csv`)).status, 200);
  assert.equal((await admin.delete(`/tickets/${one.body.id}`, one.body.version)).status, 204);
  const edits = (op: object) => admin.post(`/projects/${project.id}/edits`, { edits: [op] });
  assert.equal((await edits({ op: "create", subject: "x", classification: "task", details: big })).status, 507);
  const two = (await admin.get(`/projects/${project.id}/tickets`)).body.items[0];
  assert.equal((await edits({ op: "delete", id: two.id, version: two.version })).status, 200);
  const again = await signedIn(demo, 0);
  const full = await again.post(`/projects/${project.id}/tickets`, { subject: "x", classification: "task", details: big });
  assert.equal(rule(full), "quota_bytes");
  assert.equal((await again.delete("/session")).status, 204);
  await set({ bytes: null });
  assert.equal((await add()).status, 201);
});

test("requests: beyond the limit 429 with Retry-After; the operator and other tenants are not touched", async () => {
  await set({ requests: 20 });
  const replies = await Promise.all(Array.from({ length: 30 }, () => admin.get("/my/tickets")));
  const refused = replies.filter((r) => r.status === 429);
  assert.ok(refused.length >= 9 && replies.some((r) => r.status === 200), String(refused.length));
  assert.equal(rule(refused[0]!), "tenant_requests");
  const wait = Number(refused[0]!.headers.get("retry-after"));
  assert.ok(wait >= 1 && wait <= 60, String(wait));
  assert.equal((await oper.get("/tenants")).status, 200);
  await set({ requests: null });
  assert.equal((await admin.get("/my/tickets")).status, 200);
});

test("quotas hold after a restart", async () => {
  const used = (await admin.get("/tenant/usage")).body.users;
  await set({ users: used });
  await demo.stop();
  demo = await startDemo(demo.dir);
  oper = await signedInOperator(demo);
  admin = await signedIn(demo, 0);
  const refused = await admin.post("/users", { email: "late@example.jp", name: "遅い", lang: "ja" });
  assert.deepEqual([refused.status, rule(refused)], [409, "quota_users"]);
  await set({ users: null });
});

test("a statement that takes too long is stopped: 503 with a clear word, and the next one works", async () => {
  const slow = "/operations?q=nowhere"; // walks the whole log
  const project = await addProject(admin, "LONG");
  const edits = Array.from({ length: 1000 }, (_, i) => ({ op: "create", subject: `行 ${i}`, classification: "task" }));
  assert.equal((await admin.post(`/projects/${project.id}/edits`, { edits })).status, 200); // long enough to be slow
  assert.equal((await admin.get(slow)).status, 200);
  await demo.stop();
  process.env.YAGURA_TEST_STATEMENT_MS = "0";
  demo = await startDemo(demo.dir);
  delete process.env.YAGURA_TEST_STATEMENT_MS;
  admin = await signedIn(demo, 0);
  const reply = await admin.get(slow);
  assert.deepEqual([reply.status, rule(reply)], [503, "statement_time"]);
  assert.match(message(reply), /時間がかかりすぎた/);
  assert.ok(reply.headers.get("retry-after"));
  assert.equal((await admin.get("/session")).status, 200);
  await demo.stop();
  demo = await startDemo(demo.dir);
  admin = await signedIn(demo, 0);
  assert.equal((await admin.get(slow)).status, 200);
});
