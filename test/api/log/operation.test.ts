// SPDX-License-Identifier: Apache-2.0
// The operation log: who did what, when and from where, written with the
// change itself, and a chain that shows whether anything is missing.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { addProject, type Client, type Demo, removeDir, rule, signedIn, startDemo } from "../server.ts";

let demo: Demo;
let admin: Client;

before(async () => {
  demo = await startDemo();
  admin = await signedIn(demo, 0);
});
after(async () => {
  await demo.stop();
  removeDir(demo);
});

const newest = async (query: string) => {
  const reply = await admin.get(`/operations?${query}`);
  assert.equal(reply.status, 200, JSON.stringify(reply.body));
  return reply.body.items;
};

test("every change is a row: person, address, object, before and after", async () => {
  const { id: project } = await addProject(admin, "OPL");
  const added = await admin.post(`/projects/${project}/tickets`, { subject: "記録", classification: "task" });
  const { id, key, version } = added.body;
  await admin.patch(`/tickets/${id}`, { subject: "記録・改" }, version);
  const [update] = await newest("kind=ticket&action=update");
  assert.equal(update.user.name, demo.ready.accounts[0]!.name);
  assert.match(update.ip, /^(127\.0\.0\.1|::1)$/);
  assert.equal(update.object_id, id);
  assert.match(update.object_name, new RegExp(`${key}|記録`));
  assert.match(JSON.stringify(update.before), /記録/);
  assert.match(JSON.stringify(update.after), /記録・改/);
  assert.match(update.hash, /^[0-9a-f]{64}$/);
  assert.match(update.at, /\+09:00$/);
  const [create] = await newest("kind=ticket&action=create");
  assert.equal(create.object_id, id);
  const [made] = await newest("kind=project&action=create");
  assert.equal(made.object_id, project);
});

test("a refused change leaves no row", async () => {
  const before = (await newest("limit=1"))[0].seq;
  const { id: project } = (await admin.get("/programs")).body.projects[0];
  const reply = await admin.post(`/projects/${project}/tickets`, { subject: "", classification: "task" });
  assert.equal(reply.status, 422);
  assert.equal((await newest("limit=1"))[0].seq, before);
});

test("signing in is recorded, and no password ever", async () => {
  const account = demo.ready.accounts[1]!;
  await signedIn(demo, 1);
  await admin.post("/sign-in", { email: account.email, password: "Wrong-2026" });
  admin = await signedIn(demo, 0);
  const rows = await newest("limit=50");
  const actions = rows.map((row: any) => row.action);
  assert.ok(actions.includes("sign_in"), actions.join());
  assert.doesNotMatch(JSON.stringify(rows), /Wrong-2026/);
  assert.doesNotMatch(JSON.stringify(rows), new RegExp(account.password));
});

test("the log is filtered by person, day and words, newest first, page by page", async () => {
  const { body } = await admin.get("/operations?limit=5");
  const seqs = body.items.map((row: any) => row.seq);
  assert.deepEqual([...seqs].sort((a, b) => b - a), seqs);
  const rest = await admin.get(`/operations?limit=5&after=${body.next}`);
  assert.ok(rest.body.items[0].seq < seqs.at(-1));
  assert.deepEqual(await newest("from=2020-01-01&to=2020-12-31"), []);
  const me = (await admin.get("/session")).body.user;
  for (const row of await newest(`user=${me.id}`)) assert.equal(row.user.id, me.id);
  assert.equal((await admin.get("/operations?from=yesterday")).status, 422);
});

test("a filter that does not exist is refused by its name, never left out", async () => {
  for (const path of ["/operations?kind=log&form=2020-01-01", "/session?form=1", "/accesses?%66rom=2020-01-01"]) {
    const reply = await admin.get(path);
    assert.deepEqual([reply.status, rule(reply)], [422, "unknown_parameter"], path);
    assert.match(reply.body.errors[0].field, /^(form|%66rom)$/);
    assert.match(reply.body.errors[0].message, /「(form|%66rom)」/);
  }
});

test("the chain holds from the first row to the last", async () => {
  const reply = await admin.get("/operations/verify");
  assert.equal(reply.status, 200);
  const last = (await newest("limit=1"))[0].seq;
  assert.equal(reply.body.ok, true, JSON.stringify(reply.body));
  assert.equal(reply.body.broken_at, null);
  assert.ok(Number(reply.body.first) >= 1);
  assert.ok(Number(reply.body.last) >= Number(last) - 1);
});

test("only an administrator reads it; nobody changes it", async () => {
  const manager = await signedIn(demo, 2);
  for (const path of ["/operations", "/operations/verify"]) {
    const reply = await manager.get(path);
    assert.equal(reply.status, 403, JSON.stringify(reply.body));
    assert.ok(rule(reply));
  }
  for (const method of ["POST", "PUT", "PATCH", "DELETE"])
    assert.equal((await admin.request(method, "/operations", {})).status, 405);
});

test("one object's rows, one kind's, and the page after the first", async () => {
  const { id: project } = await addProject(admin, "OPF");
  const made = [];
  for (const subject of ["甲", "乙"])
    made.push((await admin.post(`/projects/${project}/tickets`, { subject, classification: "task" })).body);
  await admin.patch(`/tickets/${made[0].id}`, { subject: "甲・改" }, made[0].version);
  const mine = await newest(`kind=ticket&object=${made[0].id}`);
  assert.deepEqual(mine.map((row: any) => row.action), ["update", "create"]);
  assert.ok(mine.every((row: any) => row.object_id === made[0].id));
  const today = new Date(Date.now() + 9 * 3600e3).toISOString().slice(0, 10);
  for (const filter of ["kind=ticket", `from=${today}`, `kind=ticket&from=${today}&to=${today}`]) {
    const whole = (await newest(`${filter}&limit=6`)).map((row: any) => row.seq);
    const first = (await admin.get(`/operations?${filter}&limit=3`)).body;
    const second = (await admin.get(`/operations?${filter}&limit=3&after=${first.next}`)).body;
    assert.deepEqual([...first.items, ...second.items].map((row: any) => row.seq), whole, filter);
  }
});
