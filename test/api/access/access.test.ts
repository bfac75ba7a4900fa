// SPDX-License-Identifier: Apache-2.0
// Roles of one's own, permission groups, grants on the whole tenant, and the
// two questions: who can see this and why, what can this person see and why.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { addProject, type Client, type Demo, removeDir, rule, signedIn, startDemo } from "../server.ts";

let demo: Demo;
let admin: Client;
let person: Client; // holds nothing but what a test gives
let personId: string;
let count = 0;

before(async () => {
  demo = await startDemo();
  admin = await signedIn(demo, 0);
  person = await signedIn(demo, 4);
  personId = (await person.get("/session")).body.user.id;
});
after(async () => {
  await demo.stop();
  removeDir(demo);
});

const fresh = () => addProject(admin, `AC${++count}`);
async function made(path: string, body: object): Promise<any> {
  const reply = await admin.post(path, body);
  assert.equal(reply.status, 201, JSON.stringify(reply.body));
  return reply.body;
}
const addRole = (rights: string[]) => made("/roles", { ja: `ロール${++count}`, rights });
const addGroup = () => made("/groups", { name: `グループ${++count}` });
const put = async (path: string, role: string, as = admin) => as.request("PUT", path, { role });

test("a role of one's own: named, limited to what makes sense, not deleted while in use", async () => {
  for (const [rights, missing] of [
    [["ticket_edit"], "チケットの参照"],
    [["ticket_view"], "プロジェクトの参照"],
    [["project_view", "comment"], "チケットの参照"],
    [["program_delete"], "プログラムの参照"],
    [["program_view", "project_add"], "プロジェクトの参照"],
  ] as const) {
    const reply = await admin.post("/roles", { ja: "半端", rights });
    assert.equal(reply.status, 422);
    assert.equal(rule(reply), "needs_view");
    assert.match(reply.body.errors[0].message, new RegExp(missing));
  }
  assert.equal(rule(await admin.post("/roles", { ja: "空", rights: [] })), "empty");
  assert.equal(rule(await admin.post("/roles", { ja: "字", rights: ["fly"] })), "choice");
  const role = await addRole(["project_view", "ticket_view", "comment"]);
  assert.equal(rule(await admin.post("/roles", { ja: role.ja, rights: ["project_view"] })), "name_taken");
  const { id } = await fresh();
  assert.equal((await put(`/projects/${id}/members/${personId}`, role.key)).status, 200);
  const inUse = await admin.delete(`/roles/${role.id}`, role.version);
  assert.equal(inUse.status, 409);
  assert.equal(rule(inUse), "in_use");
  await admin.delete(`/projects/${id}/members/${personId}`);
  assert.equal((await admin.delete(`/roles/${role.id}`, role.version)).status, 204);
});

test("roles of the product are fixed", async () => {
  const { items } = (await admin.get("/roles")).body;
  assert.deepEqual(
    items.filter((r: any) => r.is_system).map((r: any) => r.key),
    ["manager", "leader", "member", "contributor", "commenter", "viewer"],
  );
  assert.equal(rule(await admin.patch(`/roles/${items[0].id}`, { rights: ["project_view"] }, 1)), "system_role");
  assert.equal(rule(await admin.delete(`/roles/${items[0].id}`, 1)), "system_role");
});

test("what a role may is what its holder may, at once after a change", async () => {
  const { id } = await fresh();
  const role = await addRole(["project_view", "ticket_view"]);
  await put(`/projects/${id}/members/${personId}`, role.key);
  const body = { subject: "追加", classification: "task" };
  assert.equal((await person.post(`/projects/${id}/tickets`, body)).status, 403);
  const reply = await admin.patch(`/roles/${role.id}`, { rights: ["project_view", "ticket_view", "ticket_add"] }, role.version);
  assert.equal(reply.status, 200);
  assert.equal((await person.post(`/projects/${id}/tickets`, body)).status, 201);
});

test("a group's members have its roles; out of the group, out of the project", async () => {
  const { id } = await fresh();
  const group = await addGroup();
  assert.equal((await put(`/projects/${id}/groups/${group.id}`, "member")).status, 200, "also while it is empty");
  assert.equal((await person.get(`/projects/${id}`)).status, 404);
  assert.equal((await admin.post(`/groups/${group.id}/members`, { users: [personId] })).body.members, 1);
  assert.equal((await person.get(`/projects/${id}`)).status, 200);
  assert.ok((await person.get("/programs")).body.projects.some((p: any) => p.id === id));
  assert.equal((await admin.delete(`/groups/${group.id}/members/${personId}`)).status, 204);
  assert.equal((await person.get(`/projects/${id}`)).status, 404);
});

test("a group that is in use says what for before it goes with its grants", async () => {
  const { id, key } = await fresh();
  const group = await addGroup();
  await put(`/projects/${id}/groups/${group.id}`, "member");
  await admin.post(`/groups/${group.id}/members`, { users: [personId] });
  const used = await admin.delete(`/groups/${group.id}`, group.version);
  assert.deepEqual([used.status, rule(used)], [409, "in_use"]);
  assert.match(used.body.errors[0].message, /1件の権限.*1人/);
  assert.equal(used.body.uses.length, 1);
  assert.equal(used.body.uses[0].project_id, id);
  assert.ok(used.body.uses[0].place.startsWith(key) && used.body.uses[0].role === "メンバー", JSON.stringify(used.body.uses));
  assert.equal((await person.get(`/projects/${id}`)).status, 200, "nothing has happened yet");
  assert.equal((await admin.delete(`/groups/${group.id}?with_grants=1`, group.version)).status, 204);
  assert.equal((await person.get(`/projects/${id}`)).status, 404, "deleted with its grants");
  const unused = await addGroup();
  assert.equal((await admin.delete(`/groups/${unused.id}`, unused.version)).status, 204);
});

test("members take a role's id as they take its key", async () => {
  const { id } = await fresh();
  const { items } = (await admin.get("/roles")).body;
  const viewer = items.find((r: any) => r.key === "viewer");
  const own = await addRole(["project_view", "ticket_view"]);
  for (const role of [viewer, own]) {
    assert.equal((await put(`/projects/${id}/members/${personId}`, role.id)).status, 200);
    const member = (await admin.get(`/projects/${id}/members`)).body.items.find((m: any) => m.user?.id === personId && !m.inherited);
    assert.deepEqual([member.role.id, member.role.key], [role.id, role.key]);
  }
  const unknown = await put(`/projects/${id}/members/${personId}`, "999999");
  assert.deepEqual([unknown.status, rule(unknown), unknown.body.errors[0].field], [422, "role", "role"]);
});

test("a role that administers is given on the whole tenant only", async () => {
  const { id } = await fresh();
  const program = await made("/programs", { key: `AP${++count}`, name: "管理" });
  const role = await addRole(["project_view", "admin_log"]);
  const group = await addGroup();
  for (const place of [`/projects/${id}/members/${personId}`, `/projects/${id}/groups/${group.id}`, `/programs/${program.id}/members/${personId}`]) {
    const reply = await put(place, role.key);
    assert.deepEqual([reply.status, rule(reply)], [422, "role_area"], place);
  }
  const plain = await addRole(["project_view"]);
  assert.equal((await put(`/projects/${id}/members/${personId}`, plain.key)).status, 200);
  const grown = await admin.patch(`/roles/${plain.id}`, { rights: ["project_view", "admin_log"] }, plain.version);
  assert.deepEqual([grown.status, rule(grown)], [409, "role_area"], "nor does one that is given elsewhere become such a role");
});

test("a group on a program reaches the projects below, beside a person's own role", async () => {
  const program = await made("/programs", { key: `AP${++count}`, name: "全社" });
  const below = await made("/programs", { key: `AP${++count}`, name: "部門", parent: program.id });
  const { id } = await addProject(admin, `AC${++count}`, { program: below.id });
  const group = await addGroup();
  await admin.post(`/groups/${group.id}/members`, { users: [personId] });
  await put(`/programs/${program.id}/groups/${group.id}`, "viewer");
  await put(`/projects/${id}/members/${personId}`, "contributor");
  const rights = (await person.get(`/projects/${id}`)).body.rights;
  assert.ok(rights.includes("ticket_edit_own") && rights.includes("program_view"));
  const listed = (await person.get("/programs")).body.projects.find((p: any) => p.id === id);
  assert.deepEqual(listed.rights, rights, "the list says the same as the project");
  const page = (await admin.get(`/projects/${id}/reach?q=${encodeURIComponent(demo.ready.accounts[4]!.email)}`)).body;
  assert.deepEqual(
    page.items.map((i: any) => [i.user.id, i.reasons.map((r: any) => [r.via, r.program?.name ?? null, r.group?.name ?? null, r.role?.key ?? null])]),
    [[personId, [["program", "全社", group.name, "viewer"], ["direct", null, null, "contributor"]]]],
  );
  const own = (await admin.get(`/users/${personId}/reach?limit=200`)).body.items.find((i: any) => i.kind === "project" && i.id === id);
  assert.deepEqual(own.reasons.map((r: any) => r.via), ["program", "direct"]);
});

test("administrators are shown as such, and pages follow each other", async () => {
  const { id } = await fresh();
  const all = (await admin.get(`/projects/${id}/reach`)).body.items;
  assert.ok(all.some((i: any) => i.reasons[0].via === "master"));
  const seen: string[] = [];
  for (let after = ""; ; ) {
    const page = (await admin.get(`/users/${personId}/reach?limit=1${after}`)).body;
    seen.push(...page.items.map((i: any) => i.key));
    if (!page.next) break;
    after = `&after=${page.next}`;
  }
  assert.deepEqual(seen, [...new Set(seen)].sort());
});

test("a role on the whole tenant: areas of administration without being a master administrator", async () => {
  const role = await addRole(["admin_access"]);
  assert.equal((await person.get("/roles")).status, 403);
  assert.equal((await put(`/tenant/members/${personId}`, role.key)).status, 200);
  assert.equal((await person.get("/roles")).status, 200);
  assert.deepEqual((await person.get("/session")).body.user.rights, ["admin_access"]);
  assert.equal((await person.get("/operations")).status, 403, "another area");
  // what administers is given, taken and changed by master administrators alone
  assert.equal((await put(`/tenant/members/${personId}`, "viewer", person)).status, 403, "its own role");
  assert.equal((await person.post("/roles", { ja: "昇格", rights: ["admin_users"] })).status, 403);
  assert.equal((await person.patch(`/roles/${role.id}`, { rights: ["admin_access", "admin_log"] }, role.version)).status, 403);
  const plain = await person.post("/roles", { ja: `現場${++count}`, rights: ["project_view"] });
  assert.equal(plain.status, 201);
  assert.equal((await admin.delete(`/tenant/members/${personId}`)).status, 204);
  assert.equal((await person.get("/roles")).status, 403);
});

test("a group that administers is a master administrator's to fill", async () => {
  const group = await addGroup();
  const role = await addRole(["admin_access", "admin_log"]);
  await put(`/tenant/groups/${group.id}`, role.key);
  await admin.post(`/groups/${group.id}/members`, { users: [personId] });
  assert.equal((await person.get("/operations")).status, 200);
  const reply = await person.delete(`/groups/${group.id}/members/${personId}`);
  assert.equal(reply.status, 403);
  assert.equal((await person.delete(`/groups/${group.id}`, group.version)).status, 403);
  assert.equal((await person.patch(`/groups/${group.id}`, { name: "別名" }, group.version)).status, 403);
  assert.equal((await admin.delete(`/groups/${group.id}?with_grants=1`, group.version)).status, 204);
  assert.equal((await person.get("/operations")).status, 403);
});

test("viewing everything through the tenant: new projects too", async () => {
  await put(`/tenant/members/${personId}`, "viewer");
  const { id } = await fresh();
  assert.equal((await person.get(`/projects/${id}`)).status, 200);
  assert.equal((await person.post("/projects", { key: "NOPE1", name: "x", approach: "agile" })).status, 403);
  await admin.delete(`/tenant/members/${personId}`);
  assert.equal((await person.get(`/projects/${id}`)).status, 404);
});

test("members above a project are named only to those who see the program", async () => {
  const program = await made("/programs", { key: `AP${++count}`, name: "極秘計画" });
  const { id } = await addProject(admin, `AC${++count}`, { program: program.id });
  const other = (await admin.get("/users?limit=200")).body.items.find((u: any) => u.id !== personId);
  await put(`/programs/${program.id}/members/${other.id}`, "leader");
  await put(`/projects/${id}/members/${personId}`, "viewer");
  const reply = await person.get(`/projects/${id}/members`);
  assert.equal(reply.status, 200);
  const inherited = reply.body.items.find((m: any) => m.inherited && m.user?.id === other.id);
  assert.ok(inherited.inherited);
  // a project's viewer sees no program above it
  if (!(await person.get("/programs")).body.programs.some((p: any) => p.id === program.id))
    assert.ok(!JSON.stringify(reply.body).includes("極秘計画"));
  assert.equal((await person.get(`/projects/${id}/reach`)).status, 403);
});
