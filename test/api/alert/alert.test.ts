// SPDX-License-Identifier: Apache-2.0
// Alerts by rule: chosen events of the logs are told by mail, each once, also
// across a stop of the server; and the log's saved filters.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Answer, Client, type Demo, removeDir, rule, signedIn, startDemo } from "../server.ts";

let demo: Demo;
let admin: Client;
let member: Client;
let me: string;
before(async () => {
  demo = await startDemo();
  admin = await signedIn(demo, 0);
  member = await signedIn(demo, 5);
  me = (await admin.get("/session")).body.user.id;
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
const alerts = async () => (await new Client(demo.ready.url).get("/demo/mail")).body.items.filter((m: any) => m.subject.includes("アラート"));

test("rules are the log's administrators' to make, change and drop", async () => {
  const fields = { name: "ロールの変更", source: "operation", kind: "role", action: "update", readers: [me] };
  assert.equal((await member.get("/alerts")).status, 403);
  assert.equal((await member.post("/alerts", fields)).status, 403);
  const it = await ok(admin.post("/alerts", fields));
  assert.deepEqual([it.kind, it.threshold, it.is_on, it.readers[0].id, it.told_at], ["role", 1, true, me, null]);
  const changed = await ok(admin.patch(`/alerts/${it.id}`, { threshold: 5, action: null }, it.version));
  assert.deepEqual([changed.threshold, changed.action, changed.kind], [5, null, "role"]);
  assert.equal((await admin.patch(`/alerts/${it.id}`, { threshold: 6 }, it.version)).status, 412);
  const other = (await member.get("/session")).body.user.id;
  assert.equal(rule(await admin.post("/alerts", { ...fields, readers: [other] })), "reader"); // may not read the log
  assert.equal((await admin.post("/alerts", { ...fields, readers: [] })).status, 422);
  assert.equal((await admin.delete(`/alerts/${it.id}`, changed.version)).status, 204);
  assert.deepEqual((await admin.get("/alerts")).body.items, []);
  const { items } = (await admin.get("/operations?kind=alert")).body;
  assert.deepEqual(items.map((row: any) => row.action), ["delete", "update", "create"]);
  assert.deepEqual([items[1].before.threshold, items[1].after.threshold], [1, 5]);
});

test("what a rule names is told once, although the server stops in between", async () => {
  await ok(admin.post("/alerts", { name: "ロール", source: "operation", kind: "role", readers: [me] }));
  await ok(admin.post("/alerts", { name: "失敗が続く", source: "sign_in", threshold: 3, readers: [me] }));
  await ok(admin.post("/alerts", { name: "起きないこと", source: "operation", kind: "calendar", readers: [me] }));
  await ok(admin.post("/roles", { ja: "監査役", rights: ["admin_log"] }));
  await ok(admin.post("/roles", { ja: "監査役2", rights: ["admin_log"] }));
  for (let i = 0; i < 3; i++) assert.equal((await new Client(demo.ready.url).post("/sign-in", { email: `nobody${i}@example.org`, password: "x" })).status, 401);
  const told = new Map<string, any>();
  const look = async () => {
    for (const mail of await alerts()) told.set(`${mail.at} ${mail.subject}`, mail);
  };
  for (let i = 0; i < 2; i++) {
    await look();
    await demo.stop();
    demo = await startDemo(demo.dir); // looks at once
    while (told.size < 2) await look();
  }
  admin = await signedIn(demo, 0);
  await look();
  const texts = [...told.values()].map((mail) => mail.text).join("\n");
  assert.equal(told.size, 2, [...told.keys()].join());
  assert.match(texts, /「ロール」に当てはまる記録が 2 件/);
  assert.match(texts, /「失敗が続く」に当てはまる記録が 3 件/);
  assert.match(texts, /\/log\?.*kind=role/);
  const list = (await admin.get("/alerts")).body.items;
  assert.deepEqual(list.map((x: any) => Boolean(x.told_at)), [true, true, false]);
});

test("filters of the log are kept for oneself", async () => {
  const one = await ok(admin.post("/log-filters", { name: "ロールの変更", query: "kind=role&action=update" }));
  const again = await ok(admin.post("/log-filters", { name: "ロールの変更", query: "kind=role" }));
  assert.equal(again.id, one.id);
  assert.deepEqual((await admin.get("/log-filters")).body.items, [again]);
  const second = await signedIn(demo, 5);
  assert.equal((await second.get("/log-filters")).status, 403);
  assert.equal((await admin.delete(`/log-filters/${one.id}`)).status, 204);
  assert.equal((await admin.delete(`/log-filters/${one.id}`)).status, 404);
});
