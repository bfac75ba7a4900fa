// SPDX-License-Identifier: Apache-2.0
// How full the installation is: figures for Prometheus, samples, thresholds
// with one mail a crossing, tenants by size.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client, type Demo, removeDir, signedIn, signedInOperator, startDemo } from "../server.ts";

let demo: Demo;
let oper: Client;
before(async () => {
  process.env.YAGURA_TEST_LOOK_MS = "50";
  process.env.YAGURA_TEST_CLOCK_SYNCED = "1";
  demo = await startDemo();
  oper = await signedInOperator(demo);
});
after(async () => {
  delete process.env.YAGURA_TEST_LOOK_MS;
  delete process.env.YAGURA_TEST_CLOCK_SYNCED;
  await demo.stop();
  removeDir(demo);
});
const capacity = async (): Promise<any> => (await oper.get("/capacity")).body;
const measure = async (name: string) => (await capacity()).measures.find((m: any) => m.name === name);
async function until<T>(look: () => Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const found = await look();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
async function set(name: string, fields: object) {
  const reply = await oper.patch(`/capacity/thresholds/${name}`, fields, (await measure(name)).version);
  assert.equal(reply.status, 200, JSON.stringify(reply.body));
  return reply.body;
}
const warnings = async (pattern: RegExp): Promise<any[]> =>
  (await oper.get("/demo/mail")).body.items.filter((m: any) => m.to === demo.ready.operator.email && pattern.test(m.subject));

test("current figures and headroom are what the machine has", async () => {
  const now = await until(async () => ((await capacity()).at ? capacity() : undefined));
  assert.deepEqual(now.measures.map((m: any) => m.name).slice(0, 5), ["cpu", "memory", "disk", "files", "threads"]);
  const f = now.figures;
  assert.ok(f.cpus >= 1 && f.memory_bytes > 1e6 && f.memory_bytes < f.memory_limit, JSON.stringify(f));
  assert.ok(f.disk_free_bytes > 0 && f.disk_free_bytes < f.disk_bytes);
  assert.ok(f.files > 5 && f.files < f.files_limit && f.threads >= 1 && f.threads <= f.threads_max);
  assert.equal(now.clock.is_synchronised, true);
  assert.match(now.clock.now, /\+09:00$/);
});

test("each look leaves a sample, one a minute; a tenant asks in vain", async () => {
  await until(async () => (await oper.get("/capacity/samples?measure=memory")).body.items.length);
  const { items } = (await oper.get("/capacity/samples?measure=memory&by=minute")).body;
  assert.ok(items.length <= 3, "one row a minute");
  assert.match(items[0].at, /:00\+09:00$/);
  assert.ok(items[0].value >= 0);
  assert.deepEqual((await oper.get("/capacity/samples?measure=memory&by=hour")).status, 200);
  assert.equal((await oper.get("/capacity/samples?measure=nothing")).status, 422);
  const admin = await signedIn(demo, 0);
  for (const path of ["/capacity", "/capacity/samples?measure=cpu", "/capacity/tenants"]) assert.equal((await admin.get(path)).status, 404, path);
});

const subject = /容量の警告: 最も余裕のないテナント/;
test("a crossed threshold is told once, and again only after it has fallen", async () => {
  assert.equal((await warnings(subject)).length, 0);
  await until(async () => (await oper.get("/capacity/tenants")).body.items.length);
  await set("tenant", { level: 10 });
  // the sample company takes a good part of that
  assert.equal((await oper.patch(`/tenants/${demo.ready.tenant}/quota`, { bytes: 1 << 20 }, 0)).status, 200);
  await until(async () => (await measure("tenant")).crossed_at);
  await until(async () => (await warnings(subject)).length);
  const at = (await capacity()).at;
  await until(async () => (await capacity()).at > at);
  assert.equal((await warnings(subject)).length, 1, "once, however long it lasts");
  assert.match((await warnings(subject))[0].text, /しきい値: 10\.0%/);
  await set("tenant", { level: 100 });
  await until(async () => !(await measure("tenant")).crossed_at);
  await set("tenant", { level: 10 });
  await until(async () => (await warnings(subject)).length === 2);
  const [row] = (await oper.get("/operations?kind=threshold&limit=1")).body.items;
  assert.deepEqual([row.object_name, row.before.level, row.after.level], ["tenant", 100, 10]);
});

test("a crossing is not told again after a restart", async () => {
  await demo.stop();
  demo = await startDemo(demo.dir);
  oper = await signedInOperator(demo);
  let last = await until(async () => (await capacity()).at);
  for (let i = 0; i < 4; i++) last = await until(async () => ((await capacity()).at > last ? (await capacity()).at : undefined));
  assert.ok((await measure("tenant")).crossed_at);
  assert.equal((await warnings(subject)).length, 0);
});

test("thresholds are the operators' to set, by version, and may be off", async () => {
  const t = await measure("latency");
  assert.equal((await oper.patch("/capacity/thresholds/latency", { level: 5 }, t.version + 5)).status, 412);
  assert.equal((await oper.patch("/capacity/thresholds/nothing", { level: 5 }, 1)).status, 404);
  assert.equal((await oper.patch("/capacity/thresholds/latency", { level: 0 }, t.version)).status, 422);
  const full = await oper.patch("/capacity/thresholds/disk", { level: 500 }, (await measure("disk")).version);
  assert.deepEqual([full.status, full.body.errors[0].field], [422, "level"]);
  assert.equal((await set("latency", { is_on: false })).is_on, false);
});

test("tenants are listed by size with what they may take", async () => {
  await until(async () => (await oper.get("/capacity/tenants")).body.items.length);
  for (const id of ["small-one", "small-two"])
    assert.equal((await oper.post("/tenants", { id, name: id, admin_email: `a@${id}.example`, admin_name: "管理 者" })).status, 201);
  await oper.patch(`/tenants/${demo.ready.tenant}/quota`, { bytes: 100 << 20, users: 1000 }, 1);
  await demo.stop(); // the round of the day is done at the start
  demo = await startDemo(demo.dir);
  oper = await signedInOperator(demo);
  const page = await until(async () => {
    const { body } = await oper.get("/capacity/tenants?limit=2");
    return body.items.length === 2 && body.next ? body : undefined;
  });
  assert.equal(page.items[0].id, demo.ready.tenant);
  assert.ok(page.items[0].bytes > page.items[1].bytes && page.items[0].users > 5);
  assert.deepEqual([page.items[0].bytes_limit, page.items[0].users_limit], [100 << 20, 1000]);
  const rest = (await oper.get(`/capacity/tenants?limit=2&after=${page.next}`)).body;
  assert.equal(rest.items.length, 1);
  assert.equal(rest.next, null);
  await until(async () => (await capacity()).figures.tenants === 3 && (await measure("tenant")).value > 0);
});
