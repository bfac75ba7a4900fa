// SPDX-License-Identifier: Apache-2.0
// What people learn of each other and of the tenant's master data, and who may
// be named on tickets: only those who see them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { addProject, type Client, type Demo, removeDir, rule, signedIn, startDemo } from "../server.ts";

let demo: Demo;
let admin: Client;
let stranger: Client; // without any grant
let strangerId: string;
let count = 0;

async function made(path: string, body: object, as = admin): Promise<any> {
  const reply = await as.post(path, body);
  assert.equal(reply.status, 201, JSON.stringify(reply.body));
  return reply.body;
}
const fresh = (more = {}) => addProject(admin, `RG${++count}`, more);
const put = async (path: string, role: string, as = admin) => {
  const reply = await as.request("PUT", path, { role });
  assert.equal(reply.status, 200, JSON.stringify(reply.body));
};
/** Takes every grant away that the demo gives. */
async function strip(id: string): Promise<void> {
  const { programs, projects } = (await admin.get("/programs")).body;
  for (const [kind, list] of [["programs", programs], ["projects", projects]])
    for (const one of list) await admin.delete(`/${kind}/${one.id}/members/${id}`);
}

before(async () => {
  demo = await startDemo();
  admin = await signedIn(demo, 0);
  stranger = await signedIn(demo, 5);
  strangerId = (await stranger.get("/session")).body.user.id;
  await strip(strangerId);
});
after(async () => {
  await demo.stop();
  removeDir(demo);
});

test("who shares nothing with anybody reads nobody's name, nor labels and teams", async () => {
  await made("/labels", { kind: "free", name: `札${++count}`, color: "red" });
  assert.deepEqual((await stranger.get("/users?limit=200")).body.items.map((u: any) => u.id), [strangerId]);
  assert.deepEqual((await stranger.get("/users?admin=true")).body.items.map((u: any) => u.id), [strangerId]);
  const mine = (await stranger.get("/catalogue")).body;
  assert.deepEqual([mine.labels, mine.teams], [[], []]);
  assert.ok(mine.classifications.length > 0);
});

test("a project shows its people to each other, and not who administers", async () => {
  const { id } = await fresh();
  const other = await signedIn(demo, 4);
  const otherId = (await other.get("/session")).body.user.id;
  const third = (await admin.get("/users?limit=200&state=active")).body.items.find((u: any) => !u.is_admin && u.id !== strangerId && u.id !== otherId);
  await put(`/projects/${id}/members/${strangerId}`, "viewer");
  await put(`/projects/${id}/members/${otherId}`, "viewer");
  const list = (await stranger.get("/users?limit=200")).body.items;
  assert.ok(list.some((u: any) => u.id === otherId));
  assert.ok(!list.some((u: any) => u.id === third.id), "works elsewhere");
  assert.ok(list.every((u: any) => u.is_admin === null && (u.email === null || u.id === strangerId)));
  assert.ok((await admin.get("/users?limit=200")).body.items.some((u: any) => u.is_admin));
  // by a group on a program above, too
  const program = await made("/programs", { key: `RH${++count}`, name: "上位" });
  const group = await made("/groups", { name: `組${++count}` });
  await admin.post(`/groups/${group.id}/members`, { users: [third.id] });
  await put(`/programs/${program.id}/groups/${group.id}`, "viewer");
  const below = await fresh({ program: program.id });
  await put(`/projects/${below.id}/members/${strangerId}`, "viewer");
  assert.ok((await stranger.get("/users?limit=200")).body.items.some((u: any) => u.id === third.id));
  await strip(strangerId);
});

test("who may be assigned is who sees the project; the list pages and searches on the server", async () => {
  const { id } = await fresh();
  const before = (await admin.get(`/projects/${id}/people?limit=200`)).body.items;
  assert.ok(!before.some((p: any) => p.id === strangerId));
  assert.ok(before.length > 0, "master administrators see everything");
  for (const [path, body] of [
    [`/projects/${id}/tickets`, { subject: "a", classification: "task", assignee: strangerId }],
    [`/projects/${id}/tickets`, { subject: "a", classification: "task", assignees: [strangerId] }],
    [`/projects/${id}/edits`, { edits: [{ op: "create", subject: "a", classification: "task", assignee: strangerId }] }],
  ] as const) {
    const reply = await admin.post(path, body);
    assert.equal(reply.status, 422, JSON.stringify(reply.body));
    assert.equal(rule(reply), "cannot_see");
  }
  const ticket = await made(`/projects/${id}/tickets`, { subject: "b", classification: "task" });
  assert.equal(rule(await admin.patch(`/tickets/${ticket.id}`, { assignees: [strangerId] }, ticket.version)), "cannot_see");
  await put(`/projects/${id}/members/${strangerId}`, "viewer");
  const first = (await admin.get(`/projects/${id}/people?limit=1`)).body;
  assert.equal(first.items.length, 1);
  const rest = (await admin.get(`/projects/${id}/people?limit=200&after=${first.next}`)).body;
  const all = [...first.items, ...rest.items];
  assert.equal(all.length, before.length + 1);
  const name = all.find((p: any) => p.id === strangerId).name;
  const found = (await stranger.get(`/projects/${id}/people?q=${encodeURIComponent(name)}`)).body.items;
  assert.ok(found.some((p: any) => p.id === strangerId));
  assert.ok(found.every((p: any) => p.email === null || p.id === strangerId));
  const patched = await admin.patch(`/tickets/${ticket.id}`, { assignees: [strangerId] }, ticket.version);
  assert.equal(patched.status, 200);
  // who leaves the project stays where they are named, and can be taken off
  await admin.delete(`/projects/${id}/members/${strangerId}`);
  const me = (await admin.get("/session")).body.user.id;
  const more = await admin.patch(`/tickets/${ticket.id}`, { assignees: [strangerId, me] }, patched.body.version);
  assert.equal(more.status, 200);
  assert.equal((await admin.patch(`/tickets/${ticket.id}`, { assignees: [] }, more.body.version)).status, 200);
});

test("a field of people takes only who sees the project", async () => {
  const { id } = await fresh();
  const catalogue = (await admin.get("/catalogue")).body;
  const task = catalogue.classifications.find((k: any) => k.key === "task");
  const set = await admin.request("PUT", `/classifications/${task.id}/fields`, { fields: [{ type: "user", ja: "確認者" }] }, { "If-Match": `"${task.version}"` });
  assert.equal(set.status, 200, JSON.stringify(set.body));
  const field = set.body.fields.find((f: any) => f.ja === "確認者");
  const body = { subject: "f", classification: "task", fields: [{ field: field.id, value: strangerId }] };
  assert.equal(rule(await admin.post(`/projects/${id}/tickets`, body)), "cannot_see");
  await put(`/projects/${id}/members/${strangerId}`, "viewer");
  assert.equal((await admin.post(`/projects/${id}/tickets`, body)).status, 201);
  await admin.delete(`/projects/${id}/members/${strangerId}`);
});

test("an import assigns nobody who does not see the project, with line and column", async () => {
  const { id } = await fresh();
  const email = demo.ready.accounts[5]!.email;
  const csv = `件名,担当者\r\n一,\r\n二,${email}\r\n`;
  const reply = await admin.post(`/projects/${id}/imports?format=csv`, new TextEncoder().encode(csv));
  assert.deepEqual(reply.body.errors.map((e: any) => [e.line, e.column, e.rule]), [[3, 2, "not_found"]], JSON.stringify(reply.body));
});

test("an export shows addresses to who sees them on the screens, and comes back either way", async () => {
  const { id } = await fresh();
  const email = demo.ready.accounts[4]!.email;
  const other = (await (await signedIn(demo, 4)).get("/session")).body.user;
  await put(`/projects/${id}/members/${strangerId}`, "member");
  await put(`/projects/${id}/members/${other.id}`, "member");
  await made(`/projects/${id}/tickets`, { subject: "番", classification: "task", assignees: [other.id] });
  const text = async (who: Client) => {
    const cookie = [...who.cookies].map(([k, v]) => `${k}=${v}`).join("; ");
    const reply = await fetch(`${who.base}/api/v1/projects/${id}/export.csv`, { headers: { Cookie: cookie, "Accept-Language": "ja" } });
    assert.equal(reply.status, 200);
    return reply.text();
  };
  assert.match(await text(admin), new RegExp(email));
  const mine = await text(stranger);
  assert.doesNotMatch(mine, /@/);
  assert.match(mine, new RegExp(other.name));
  const back = await stranger.post(`/projects/${id}/imports?format=csv`, new TextEncoder().encode(mine));
  assert.deepEqual(back.body.errors, [], JSON.stringify(back.body));
  await strip(strangerId);
});

test("a move says whose rights it changes, asks what becomes of them, and keeps who is to stay", async () => {
  const [from, to] = [await made("/programs", { key: `MA${++count}`, name: "元" }), await made("/programs", { key: `MB${++count}`, name: "先" })];
  const people = (await admin.get("/users?limit=200&state=active")).body.items.filter((u: any) => !u.is_admin && u.id !== strangerId);
  const [one, two, three] = people;
  const group = await made("/groups", { name: `移${++count}` });
  await admin.post(`/groups/${group.id}/members`, { users: [strangerId, two.id] });
  await put(`/programs/${from.id}/groups/${group.id}`, "member");
  await put(`/programs/${from.id}/members/${one.id}`, "leader");
  await put(`/programs/${to.id}/members/${three.id}`, "viewer");
  const project = await fresh({ program: from.id });
  await put(`/projects/${project.id}/members/${two.id}`, "manager"); // loses nothing
  const before = (await stranger.get(`/projects/${project.id}`)).body.rights;
  const preview = (await admin.get(`/projects/${project.id}/move?to=${to.id}`)).body;
  assert.deepEqual(preview.loses.map((p: any) => p.user.id).sort(), [strangerId, one.id].sort());
  assert.deepEqual(preview.loses.find((p: any) => p.user.id === strangerId).rights, before);
  assert.deepEqual([preview.gains.map((p: any) => p.user.id), preview.gains_total, preview.loses_total], [[three.id], 1, 2]);

  const version = async () => (await admin.get(`/projects/${project.id}`)).body.version;
  const silent = await admin.patch(`/projects/${project.id}`, { program: to.id }, await version());
  assert.deepEqual([silent.status, rule(silent)], [409, "move_choice"]);
  assert.equal((await stranger.get(`/projects/${project.id}`)).status, 200, "nothing has moved");

  assert.equal((await admin.patch(`/projects/${project.id}`, { program: to.id, members: "keep" }, await version())).status, 200);
  assert.deepEqual((await stranger.get(`/projects/${project.id}`)).body.rights, before);
  const members = (await admin.get(`/projects/${project.id}/members`)).body.items.filter((m: any) => !m.inherited);
  assert.deepEqual(members.filter((m: any) => m.user?.id === one.id || m.group?.id === group.id).map((m: any) => m.role.key).sort(), ["leader", "member"]);
  // back: who was kept holds it directly by now, and loses nothing
  const back = (await admin.get(`/projects/${project.id}/move?to=${from.id}`)).body;
  assert.deepEqual(back.loses.map((p: any) => p.user.id), [three.id]);
  assert.equal((await admin.patch(`/projects/${project.id}`, { program: from.id, members: "leave" }, await version())).status, 200);

  // a program takes those of the programs above it along the same way
  const top = await made("/programs", { key: `MC${++count}`, name: "上" });
  await put(`/programs/${top.id}/members/${strangerId}`, "viewer");
  const child = await made("/programs", { key: `MD${++count}`, name: "子", parent: top.id });
  const inner = await fresh({ program: child.id });
  assert.deepEqual((await admin.get(`/programs/${child.id}/move`)).body.loses.map((p: any) => p.user.id), [strangerId]);
  assert.equal(rule(await admin.patch(`/programs/${child.id}`, { parent: null }, child.version)), "move_choice");
  assert.equal((await admin.patch(`/programs/${child.id}`, { parent: null, members: "leave" }, child.version)).status, 200);
  assert.equal((await stranger.get(`/projects/${inner.id}`)).status, 404);
  // where nobody's rights change nothing is asked
  assert.equal((await admin.patch(`/programs/${child.id}`, { parent: (await made("/programs", { key: `ME${++count}`, name: "空" })).id }, child.version + 1)).status, 200);
  await admin.delete(`/groups/${group.id}`, group.version);
  await strip(strangerId);
});

test("taking a grant, a group or a role's right away says beforehand who loses what, and on how many projects", async () => {
  const top = await made("/programs", { key: `EA${++count}`, name: "全部" });
  const below = await made("/programs", { key: `EB${++count}`, name: "下", parent: top.id });
  const inside = [await fresh({ program: top.id }), await fresh({ program: below.id }), await fresh({ program: below.id })];
  const people = (await admin.get("/users?limit=200&state=active")).body.items.filter((u: any) => !u.is_admin && u.id !== strangerId);
  const [other] = people;
  const role = await made("/roles", { ja: `役${++count}`, rights: ["program_view", "project_view", "ticket_view", "ticket_edit"] });
  const group = await made("/groups", { name: `効${++count}` });
  await admin.post(`/groups/${group.id}/members`, { users: [strangerId, other.id] });
  await put(`/programs/${top.id}/groups/${group.id}`, role.key);
  await put(`/projects/${inside[0]!.id}/members/${other.id}`, "viewer"); // keeps seeing this one
  const effect = async (path: string) => (await admin.get(path)).body;
  const lines = (e: any) => e.loses.map((p: any) => [p.user.id, p.projects, p.unseen]).sort();
  const all = [[strangerId, 3, 3], [other.id, 3, 2]].sort();

  const deleted = await effect(`/groups/${group.id}/effect`);
  assert.deepEqual([lines(deleted), deleted.loses_total, deleted.projects_total, deleted.gains], [all, 2, 3, []]);
  assert.deepEqual(lines(await effect(`/programs/${top.id}/groups/${group.id}/effect`)), all);
  const out = await effect(`/groups/${group.id}/members/${strangerId}/effect`);
  assert.deepEqual(lines(out), [[strangerId, 3, 3]]);
  assert.deepEqual(out.loses[0].rights.sort(), ["program_view", "project_view", "ticket_edit", "ticket_view"]);
  // another role in its place, and other rights of the same role
  const weaker = await effect(`/programs/${top.id}/groups/${group.id}/effect?role=viewer`);
  assert.deepEqual(weaker.loses.map((p: any) => [p.rights, p.projects, p.unseen]), [[["ticket_edit"], 3, 0], [["ticket_edit"], 3, 0]]);
  const less = await effect(`/roles/${role.id}/effect?rights=program_view,project_view,ticket_view,comment`);
  assert.deepEqual([less.loses_total, less.gains_total, less.gains[0].rights, less.gains[0].projects], [2, 2, ["comment"], 3]);
  assert.equal(rule(await admin.get(`/roles/${role.id}/effect?rights=fly`)), "choice");
  // who holds it by another way loses nothing
  const seen = (await stranger.get("/programs")).body.projects.length;
  await put(`/tenant/members/${strangerId}`, "manager");
  assert.deepEqual(lines(await effect(`/groups/${group.id}/effect`)), [[other.id, 3, 2]]);
  const whole = await effect(`/tenant/members/${strangerId}/effect`);
  assert.ok(whole.loses[0].projects > 3 && whole.loses[0].unseen === whole.projects_total - seen, JSON.stringify(whole));
  await admin.delete(`/tenant/members/${strangerId}`);
  // it was only asked: everything is as it was; and with the right of the change alone
  assert.equal((await stranger.get(`/projects/${inside[1]!.id}`)).status, 200);
  for (const path of [`/groups/${group.id}/effect`, `/tenant/members/${other.id}/effect`, `/roles/${role.id}/effect?rights=project_view`, `/programs/${top.id}/groups/${group.id}/effect`])
    assert.equal((await stranger.get(path)).status, 403, path);
  assert.equal((await admin.get("/groups/987654321/effect")).status, 404);
  // what was told is what happens
  assert.equal((await admin.delete(`/groups/${group.id}?with_grants=1`, group.version)).status, 204);
  for (const { id } of inside) assert.equal((await stranger.get(`/projects/${id}`)).status, 404);
  await strip(strangerId);
});

test("a preview tells nothing of a program that one does not see", async () => {
  const hidden = await made("/programs", { key: `MH${++count}`, name: "秘" });
  const project = await fresh();
  await put(`/projects/${project.id}/members/${strangerId}`, "manager");
  for (const path of [`/projects/${project.id}/move?to=${hidden.id}`, `/projects/${project.id}/move?to=987654321`])
    assert.equal((await stranger.get(path)).status, 404, path);
  assert.equal((await stranger.get(`/programs/${hidden.id}/move`)).status, 404);
  await strip(strangerId);
});

test("a parent and its child are one late ticket", async () => {
  const { id } = await fresh();
  const days = { planned_start: "2020-01-06", planned_end: "2020-01-10" };
  const parent = await made(`/projects/${id}/tickets`, { subject: "親", classification: "phase", ...days });
  assert.equal((await admin.get(`/projects/${id}`)).body.late, 1);
  const child = await made(`/projects/${id}/tickets`, { subject: "子", classification: "task", parent: parent.id, ...days });
  assert.equal((await admin.get(`/projects/${id}`)).body.late, 1);
  assert.deepEqual((await admin.get(`/projects/${id}/tickets?late=1`)).body.items.map((t: any) => t.id), [child.id]);
});
