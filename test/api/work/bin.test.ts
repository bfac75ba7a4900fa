// SPDX-License-Identifier: Apache-2.0
// Deleted projects and tickets: seen by who may, brought back as they were.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Client, type Demo, addProject, ids, removeDir, signedIn, startDemo } from "../server.ts";

let demo: Demo, admin: Client, manager: Client;
before(async () => {
  demo = await startDemo();
  [admin, manager] = [await signedIn(demo, 0), await signedIn(demo, 1)];
});
after(async () => {
  await demo?.stop();
  if (demo) removeDir(demo);
});

const add = async (project: string, fields: object) => (await admin.post(`/projects/${project}/tickets`, { classification: "task", ...fields })).body;

test("a deleted project comes back with its tickets, its key was kept for it", async () => {
  const project = await addProject(admin, "GONE");
  await add(project.id, { subject: "残る作業" });
  assert.deepEqual((await admin.get("/bin/projects")).body, { items: [], next: null });
  const { version } = (await admin.get(`/projects/${project.id}`)).body;
  assert.equal((await admin.delete(`/projects/${project.id}`, version)).status, 204);
  assert.equal((await admin.get(`/projects/${project.id}`)).status, 404);
  assert.equal((await admin.post("/projects", { key: "GONE", name: "別", approach: "agile" })).status, 409);

  const [item] = (await admin.get("/bin/projects")).body.items;
  assert.deepEqual([item.id, item.key, item.name, item.tickets], [project.id, "GONE", "案件 GONE", 1]);
  assert.equal(Date.parse(item.erased_at) - Date.parse(item.deleted_at), 30 * 86_400_000);
  assert.equal((await manager.get("/bin/projects")).status, 403);
  assert.equal((await manager.post(`/bin/projects/${project.id}/restore`, undefined)).status, 403);

  assert.equal((await admin.post(`/bin/projects/${project.id}/restore`, undefined)).status, 204);
  assert.equal((await admin.get("/tickets/GONE-1")).body.subject, "残る作業");
  assert.equal((await admin.post(`/bin/projects/${project.id}/restore`, undefined)).status, 404);
  const log = (await admin.get("/operations?limit=5")).body.items;
  assert.ok(log.some((o: any) => o.action === "restore" && o.kind === "project" && JSON.stringify(o).includes("GONE")), JSON.stringify(log[0]));
});

test("a program deleted meanwhile leaves the project at the top", async () => {
  const program = (await admin.post("/programs", { key: "LEFT", name: "先に消える" })).body;
  const project = await addProject(admin, "STAY", { program: program.id });
  await admin.delete(`/projects/${project.id}`, project.version);
  assert.equal((await admin.delete(`/programs/${program.id}`, program.version)).status, 204);
  await admin.post(`/bin/projects/${project.id}/restore`, undefined);
  assert.equal((await admin.get(`/projects/${project.id}`)).body.program, null);
});

test("deleted tickets are listed once with what was below them, page by page", async () => {
  const project = await addProject(admin, "PAPER");
  const parent = await add(project.id, { subject: "親", classification: "phase" });
  await add(project.id, { subject: "子", parent: parent.id });
  const others = [await add(project.id, { subject: "い" }), await add(project.id, { subject: "ろ" })];
  for (const id of [parent.id, ...others.map((t) => t.id)]) {
    const { version } = (await admin.get(`/tickets/${id}`)).body;
    assert.equal((await admin.delete(`/tickets/${id}`, version)).status, 204);
  }

  const all = (await admin.get(`/projects/${project.id}/bin`)).body;
  assert.deepEqual(all.items.map((i: any) => i.name), ["ろ", "い", "親"]);
  const first = (await admin.get(`/projects/${project.id}/bin?limit=2`)).body;
  const rest = (await admin.get(`/projects/${project.id}/bin?limit=2&after=${first.next}`)).body;
  assert.deepEqual([...ids(first), ...ids(rest)], ids(all));
  assert.equal(rest.next, null);

  await admin.post(`/projects/${project.id}/edits`, { edits: [{ op: "restore", id: parent.id }] });
  assert.equal((await admin.get(`/tickets/${parent.id}`)).body.children.length, 1);
  assert.equal((await admin.get(`/projects/${project.id}/bin`)).body.items.length, 2);
  assert.equal((await manager.get(`/projects/${project.id}/bin`)).status, 404, "who sees no project sees no bin");
});
