// SPDX-License-Identifier: Apache-2.0
// Master data: what the master administrator arranges is in use at once, by
// everybody, and every change of it is in the operation log.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { addProject, type Client, type Demo, ids, removeDir, rule, signedIn, startDemo } from "./server.ts";

let demo: Demo;
let admin: Client;
let member: Client;
let project: any;

before(async () => {
  demo = await startDemo();
  admin = await signedIn(demo, 0);
  member = await signedIn(demo, 4);
  project = await addProject(admin, "MASTER");
});
after(async () => {
  await demo.stop();
  removeDir(demo);
});

async function make(path: string, body: object) {
  const reply = await admin.post(path, body);
  assert.equal(reply.status, 201, JSON.stringify(reply.body));
  return reply.body;
}
const ticket = (fields: object = {}) =>
  make(`/projects/${project.id}/tickets`, { subject: "札のある仕事", classification: "task", ...fields });
const label = (name: string, kind = "free") => make("/labels", { kind, name, color: "teal" });
async function ok(reply: any) {
  assert.ok(reply.status < 300, JSON.stringify(reply.body));
  return reply.body;
}
const logged = async (kind: string, action: string) =>
  (await ok(await admin.get(`/operations?kind=${kind}&action=${action}&limit=1`))).items[0];

test("only master administrators change master data", async () => {
  for (const path of ["/labels", "/teams"]) {
    assert.equal((await member.get(path)).status, 403, path);
    assert.equal((await member.post(path, { kind: "free", name: "x", color: "red" })).status, 403, path);
  }
});

test("a label's name is unique in its kind; its colour is a token", async () => {
  const one = await label("急ぎ");
  const again = await admin.post("/labels", { kind: "free", name: "急ぎ", color: "red" });
  assert.equal(again.status, 409);
  assert.equal(rule(again), "unique");
  assert.equal((await admin.post("/labels", { kind: "phase", name: "急ぎ", color: "red" })).status, 201);
  assert.equal((await admin.post("/labels", { kind: "free", name: "x", color: "#f00" })).status, 422);
  const renamed = await ok(await admin.patch(`/labels/${one.id}`, { name: "至急", color: "red" }, one.version));
  assert.equal(renamed.name, "至急");
  assert.equal((await admin.patch(`/labels/${one.id}`, { name: "遅い" }, one.version)).status, 412);
  const entry = await logged("label", "update");
  assert.deepEqual([entry.before.name, entry.after.name], ["急ぎ", "至急"]);
  const known = (await member.get("/catalogue")).body.labels.find((l: any) => l.id === one.id);
  assert.deepEqual([known.name, known.color, known.kind], ["至急", "red", "free"]);
});

test("tickets bear labels and a team, with history, and are found by them", async () => {
  const a = await label("顧客要望");
  const b = await label("設計", "phase");
  const team = await make("/teams", { name: "基盤チーム", color: "blue" });
  const t1 = await ticket({ labels: [a.id], team: team.id });
  const t2 = await ticket();
  assert.deepEqual([t1.labels, t1.team], [[a.id], team.id]);
  const t3 = await ok(await admin.patch(`/tickets/${t2.id}`, { labels: [a.id, b.id], team: team.id }, t2.version));
  assert.deepEqual(new Set(t3.labels), new Set([a.id, b.id]));
  const at = `/projects/${project.id}/tickets`;
  assert.deepEqual(ids((await admin.get(`${at}?label=${a.id}&sort=no`)).body), [t1.id, t2.id]);
  assert.deepEqual(ids((await admin.get(`${at}?label=${b.id}`)).body), [t2.id]);
  assert.deepEqual(ids((await admin.get(`${at}?team=${team.id}&sort=no`)).body), [t1.id, t2.id]);
  const item = (await admin.get(`${at}?label=${b.id}`)).body.items[0];
  assert.deepEqual(new Set(item.labels), new Set([a.id, b.id]));
  const history = (await admin.get(`/tickets/${t2.id}/history`)).body.items;
  const change = history.find((h: any) => h.field === "labels");
  assert.equal(change.before, null);
  assert.match(change.after, /顧客要望/);
  assert.ok(history.some((h: any) => h.field === "team" && h.after === "基盤チーム"));
  const entry = await logged("ticket", "update");
  assert.match(entry.after.labels, /設計/);
  const bare = await ok(await admin.patch(`/tickets/${t2.id}`, { labels: [], team: null }, t3.version));
  assert.deepEqual([bare.labels, bare.team], [[], null]);
});

test("an unknown label is refused and nothing is half done", async () => {
  const t = await ticket();
  const reply = await admin.patch(`/tickets/${t.id}`, { subject: "別名", labels: ["999999"] }, t.version);
  assert.equal(reply.status, 422);
  assert.equal(reply.body.errors[0].field, "labels");
  assert.equal((await admin.get(`/tickets/${t.id}`)).body.subject, t.subject);
});

test("a label in use is archived, not deleted; archived ones stay but are given no more", async () => {
  const l = await label("昔の札");
  const t = await ticket({ labels: [l.id] });
  const refused = await admin.delete(`/labels/${l.id}`, l.version);
  assert.equal(refused.status, 409);
  assert.equal(rule(refused), "in_use");
  await ok(await admin.patch(`/labels/${l.id}`, { is_archived: true }, l.version));
  const other = await ticket();
  const given = await admin.patch(`/tickets/${other.id}`, { labels: [l.id] }, other.version);
  assert.equal(given.status, 422);
  assert.equal(rule(given), "archived");
  const kept = await ok(await admin.patch(`/tickets/${t.id}`, { labels: [l.id], subject: "残る" }, t.version));
  assert.deepEqual(kept.labels, [l.id]);
  const free = await label("使わない札");
  assert.equal((await admin.delete(`/labels/${free.id}`, free.version)).status, 204);
});

test("two labels become one, wherever they are, with history", async () => {
  const from = await label("バグ修正");
  const to = await label("不具合対応");
  const phase = await label("不具合対応", "phase");
  const t1 = await ticket({ labels: [from.id] });
  const t2 = await ticket({ labels: [from.id, to.id] });
  const wrong = await admin.post(`/labels/${from.id}/merge`, { into: phase.id }, { "If-Match": `"${from.version}"` });
  assert.equal(wrong.status, 422);
  const merged = await ok(await admin.post(`/labels/${from.id}/merge`, { into: to.id }, { "If-Match": `"${from.version}"` }));
  assert.equal(merged.tickets, 2);
  for (const t of [t1, t2]) {
    const now = (await admin.get(`/tickets/${t.id}`)).body;
    assert.deepEqual(now.labels, [to.id]);
    assert.ok(now.version > t.version, "an open panel learns of it");
  }
  const [last] = (await admin.get(`/tickets/${t1.id}/history`)).body.items;
  assert.deepEqual([last.field, last.before, last.after], ["labels", "バグ修正", "不具合対応"]);
  assert.ok(!(await admin.get("/catalogue")).body.labels.some((l: any) => l.id === from.id));
  assert.equal((await logged("label", "merge")).object_name, "不具合対応");
});

test("projects bear labels and teams", async () => {
  const l = await label("全社", "project");
  const team = await make("/teams", { name: "営業チーム", color: "green", members: [] });
  const now = (await admin.get(`/projects/${project.id}`)).body;
  const changed = await ok(await admin.patch(`/projects/${project.id}`, { labels: [l.id], teams: [team.id] }, now.version));
  assert.deepEqual([changed.labels, changed.teams], [[l.id], [team.id]]);
  const entry = await logged("project", "update");
  assert.deepEqual([entry.after.labels, entry.after.teams], ["全社", "営業チーム"]);
  assert.equal((await admin.get("/labels")).body.items.find((x: any) => x.id === l.id).projects, 1);
  assert.equal(rule(await admin.delete(`/teams/${team.id}`, team.version)), "in_use");
});

test("a team has people, once each; a name only once", async () => {
  const me = (await admin.get("/session")).body.user;
  const team = await make("/teams", { name: "二人組", color: "amber", members: [me.id, me.id] });
  assert.deepEqual(team.members, [{ id: me.id, name: me.name }]);
  assert.equal(rule(await admin.post("/teams", { name: "二人組", color: "amber" })), "unique");
  assert.equal((await admin.post("/teams", { name: "幽霊", color: "amber", members: ["999999"] })).status, 422);
  const now = await ok(await admin.patch(`/teams/${team.id}`, { members: [] }, team.version));
  assert.deepEqual(now.members, []);
  assert.equal((await logged("team", "update")).before.members[0].name, me.name);
  assert.equal((await admin.delete(`/teams/${team.id}`, now.version)).status, 204);
});
