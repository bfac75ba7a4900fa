// SPDX-License-Identifier: Apache-2.0
// Programs, projects, their members and what each role may do; who is not a
// member learns not even that the project exists.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { addProject, type Client, type Demo, ids, removeDir, rule, signedIn, startDemo } from "../server.ts";

let demo: Demo;
let admin: Client;
let member: Client; // a person without a part in what these tests make
let memberId: string;
let count = 0;

before(async () => {
  demo = await startDemo();
  admin = await signedIn(demo, 0);
  member = await signedIn(demo, 4);
  memberId = (await member.get("/session")).body.user.id;
});
after(async () => {
  await demo.stop();
  removeDir(demo);
});

const fresh = (fields: object = {}) => addProject(admin, `PJ${++count}`, fields);
const joinAs = async (at: string, role: string) => {
  const reply = await admin.request("PUT", `${at}/members/${memberId}`, { role });
  assert.equal(reply.status, 200, JSON.stringify(reply.body));
};

test("a project is made, read, changed against its version, and taken away", async () => {
  const made = await fresh({ start: "2026-12-01", end: "2027-03-31" });
  assert.equal(made.state, "open");
  const at = `/projects/${made.id}`;
  const read = await admin.get(at);
  assert.equal(read.headers.get("etag"), `"${made.version}"`);
  assert.deepEqual([read.body.start, read.body.end, read.body.calendar], ["2026-12-01", "2027-03-31", null]);
  assert.equal((await admin.request("PATCH", at, { name: "盲" })).status, 428);
  const changed = await admin.patch(at, { name: "新しい名前", auto_dates: false }, made.version);
  assert.equal(changed.status, 200, JSON.stringify(changed.body));
  assert.deepEqual([changed.body.name, changed.body.auto_dates], ["新しい名前", false]);
  assert.equal((await admin.patch(at, { name: "遅い" }, made.version)).status, 412);
  assert.equal((await admin.delete(at, changed.body.version)).status, 204);
  assert.equal((await admin.get(at)).status, 404);
});

test("keys: capital letters and digits, each once", async () => {
  const { key } = await fresh();
  const again = await admin.post("/projects", { key, name: "二つ目", approach: "agile" });
  assert.equal(again.status, 409);
  assert.equal(rule(again), "key_taken");
  for (const bad of ["", "a b", "日本", "../X", "A".repeat(50), "1234"]) {
    const reply = await admin.post("/projects", { key: bad, name: "x", approach: "agile" });
    assert.equal(reply.status, 422, bad);
    assert.equal(reply.body.errors[0].field, "key");
  }
});

test("an end before the start is refused", async () => {
  const reply = await admin.post("/projects", {
    key: "ENDS",
    name: "x",
    approach: "waterfall",
    start: "2026-12-02",
    end: "2026-12-01",
  });
  assert.equal(reply.status, 422);
  assert.equal(rule(reply), "end_before_start");
});

test("programs nest to ten levels, never in a circle, and are emptied first", async () => {
  const chain: any[] = [];
  const add = (n: number) =>
    admin.post("/programs", { key: `PG${n}`, name: `計画 ${n}`, ...(n > 1 ? { parent: chain.at(-1).id } : {}) });
  for (let n = 1; n <= 10; n++) {
    const reply = await add(n);
    assert.equal(reply.status, 201, `${n}: ${JSON.stringify(reply.body)}`);
    chain.push(reply.body);
  }
  assert.ok([409, 422].includes((await add(11)).status));
  const [top] = chain;
  const loop = await admin.patch(`/programs/${top.id}`, { parent: chain[4].id }, top.version);
  assert.ok([409, 422].includes(loop.status), JSON.stringify(loop.body));
  const full = await admin.delete(`/programs/${top.id}`, top.version);
  assert.equal(full.status, 409);
  assert.equal(rule(full), "not_empty");
  const leaf = chain.at(-1);
  assert.equal((await admin.delete(`/programs/${leaf.id}`, leaf.version)).status, 204);
});

test("a stranger gets 404 everywhere, as for what never was", async () => {
  const { id } = await fresh();
  const ticket = (await admin.post(`/projects/${id}/tickets`, { subject: "秘密", classification: "task" })).body;
  const asks: [string, string, unknown?, number?][] = [
    ["GET", `/projects/${id}`],
    ["GET", `/projects/${id}/plan`],
    ["GET", `/projects/${id}/tickets`],
    ["GET", `/projects/${id}/members`],
    ["GET", `/tickets/${ticket.id}`],
    ["GET", `/tickets/${ticket.key}`],
    ["GET", `/tickets/${ticket.id}/history`],
    ["GET", `/tickets/${ticket.id}/comments`],
    ["POST", `/tickets/${ticket.id}/comments`, { body: "x" }],
    ["POST", `/projects/${id}/tickets`, { subject: "x", classification: "task" }],
    ["POST", `/projects/${id}/edits`, { edits: [] }],
    ["PATCH", `/projects/${id}`, { name: "x" }, 1],
    ["PATCH", `/tickets/${ticket.id}`, { subject: "x" }, ticket.version],
    ["DELETE", `/tickets/${ticket.id}`, undefined, ticket.version],
    ["DELETE", `/projects/${id}`, undefined, 1],
    ["PUT", `/projects/${id}/members/${memberId}`, { role: "manager" }],
  ];
  const strip = ({ request_id, ...rest }: any) => rest;
  for (const [method, path, body, version] of asks) {
    const headers: Record<string, string> = version === undefined ? {} : { "If-Match": `"${version}"` };
    const reply = await member.request(method, path, body, headers);
    assert.equal(reply.status, 404, `${method} ${path}: ${JSON.stringify(reply.body)}`);
    const never = path.replace(/\/(\d+|[A-Z]+\d*-\d+)/, "/987654321");
    const none = await member.request(method, never, body, headers);
    assert.deepEqual(strip(reply.body), strip(none.body), `${method} ${path}`);
  }
  const seen = (await member.get("/programs")).body.projects;
  assert.ok(!ids({ items: seen }).includes(id));
  assert.deepEqual((await member.get(`/search?q=${encodeURIComponent("秘密")}`)).body.items, []);
});

test("a viewer reads and changes nothing", async () => {
  const { id } = await fresh();
  const at = `/projects/${id}`;
  const ticket = (await admin.post(`${at}/tickets`, { subject: "見る", classification: "task" })).body;
  await joinAs(at, "viewer");
  for (const path of [at, `${at}/plan`, `${at}/tickets`, `/tickets/${ticket.id}`])
    assert.equal((await member.get(path)).status, 200, path);
  assert.ok(!(await member.get(`${at}/plan`)).body.project.rights.includes("ticket_edit"));
  const refused = [
    await member.post(`${at}/tickets`, { subject: "x", classification: "task" }),
    await member.post(`${at}/edits`, { edits: [{ op: "update", id: ticket.id, version: ticket.version, subject: "x" }] }),
    await member.patch(`/tickets/${ticket.id}`, { subject: "x" }, ticket.version),
    await member.delete(`/tickets/${ticket.id}`, ticket.version),
    await member.patch(at, { name: "x" }, 1),
    await member.post(`${at}/imports?format=csv`, new TextEncoder().encode("件名\nx\n")),
    await member.request("PUT", `${at}/members/${memberId}`, { role: "manager" }),
  ];
  assert.deepEqual(refused.map((reply) => reply.status), refused.map(() => 403));
  assert.equal((await admin.get(`/tickets/${ticket.id}`)).body.subject, "見る");
});

test("a contributor changes their own ticket, not another's", async () => {
  const { id } = await fresh();
  const at = `/projects/${id}`;
  await joinAs(at, "contributor");
  const add = async (fields: object) =>
    (await admin.post(`${at}/tickets`, { subject: "x", classification: "task", ...fields })).body;
  const own = await add({ assignee: memberId });
  const other = await add({});
  assert.equal((await member.patch(`/tickets/${own.id}`, { progress: 50 }, own.version)).status, 200);
  assert.equal((await member.patch(`/tickets/${other.id}`, { progress: 50 }, other.version)).status, 403);
});

test("a role is taken away at once", async () => {
  const { id } = await fresh();
  const at = `/projects/${id}`;
  await joinAs(at, "member");
  assert.equal((await member.get(at)).status, 200);
  const { items } = (await admin.get(`${at}/members`)).body;
  assert.equal(items.find((one: any) => one.user.id === memberId).role.key, "member");
  const gone = await admin.delete(`${at}/members/${memberId}`);
  assert.ok(gone.status < 300, JSON.stringify(gone.body));
  assert.equal((await member.get(at)).status, 404);
});

test("members of a program have their role in its projects", async () => {
  const program = (await admin.post("/programs", { key: "INH", name: "継承" })).body;
  const { id } = await fresh({ program: program.id });
  assert.equal((await member.get(`/projects/${id}`)).status, 404);
  await joinAs(`/programs/${program.id}`, "member");
  assert.equal((await member.get(`/projects/${id}`)).status, 200);
  const { items } = (await admin.get(`/projects/${id}/members`)).body;
  assert.equal(items.find((one: any) => one.user.id === memberId).inherited.id, program.id);
});

test("nobody gives a role that may do more than they may", async () => {
  const { id } = await fresh();
  const at = `/projects/${id}`;
  const roles = (await admin.get("/catalogue")).body.roles.map((role: any) => role.key);
  assert.ok(roles.includes("manager") && roles.includes("leader"), roles.join());
  await joinAs(at, "leader");
  const other = (await admin.get("/users?limit=200")).body.items.find((one: any) => one.email.startsWith("kato"));
  const reply = await member.request("PUT", `${at}/members/${other.id}`, { role: "manager" });
  assert.equal(reply.status, 403, JSON.stringify(reply.body));
});

test("an archived project is read only", async () => {
  const made = await fresh();
  const at = `/projects/${made.id}`;
  const archived = await admin.patch(at, { state: "archived" }, made.version);
  assert.equal(archived.status, 200, JSON.stringify(archived.body));
  const reply = await admin.post(`${at}/tickets`, { subject: "x", classification: "task" });
  assert.equal(reply.status, 409);
  assert.equal(rule(reply), "archived");
});

test("a project's own calendar moves its plan; without it the tenant's counts", async () => {
  const made = await fresh();
  const at = `/projects/${made.id}`;
  const plan = async (path: string, edits: object[]) => (await admin.post(path, { edits })).body;
  const own = await admin.request("PUT", `${at}/calendar`, {
    weekdays: 127,
    holidays: false,
    days: [{ day: "2026-12-03", is_working: false, name: "点検" }],
  });
  assert.equal(own.status, 200, JSON.stringify(own.body));
  const task = (ref: string, start: string, end: string) =>
    ({ op: "create", ref, subject: ref, classification: "task", planned_start: start, planned_end: end });
  await plan(`${at}/edits`, [
    task("a", "2026-12-01", "2026-12-02"),
    task("b", "2026-12-01", "2026-12-01"),
    task("c", "2026-12-01", "2026-12-01"),
    { op: "link", predecessor: "a", successor: "b" },
    { op: "link", predecessor: "b", successor: "c" },
  ]);
  const { columns, rows } = (await admin.get(`${at}/plan`)).body;
  const starts = rows.map((row: any[]) => row[columns.indexOf("planned_start")]);
  assert.deepEqual(starts, ["2026-12-01", "2026-12-04", "2026-12-05"]); // past the 3rd, on a Saturday
  const back = await admin.delete(`${at}/calendar`);
  assert.equal(back.status, 200);
  assert.equal(back.body.calendar, null);
});

test("what cannot be an id is not found, never an accident", async () => {
  for (const id of ["0", "-1", "abc", "99999999999999999999", "1e3", "%00", "1%20OR%201=1", "%F0%9F%8F%AF"]) {
    const reply = await admin.get(`/projects/${id}`);
    assert.ok([400, 404].includes(reply.status), `${id}: ${reply.status}`);
  }
});
