// SPDX-License-Identifier: Apache-2.0
// Labels in use (promise 6): on programs, projects and tickets; filtered by
// several and by none, grouped, searched, and through CSV both ways.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { addProject, type Client, type Demo, removeDir, rule, signedIn, startDemo } from "../server.ts";

let demo: Demo;
let admin: Client;
let count = 0;
let red: any, blue: any, shared: any, sharedPhase: any;

async function made(path: string, body: object): Promise<any> {
  const reply = await admin.post(path, body);
  assert.equal(reply.status, 201, JSON.stringify(reply.body));
  return reply.body;
}
const fresh = (more = {}) => addProject(admin, `LB${++count}`, more);
const exported = async (id: string) => {
  const cookie = [...admin.cookies].map(([k, v]) => `${k}=${v}`).join("; ");
  const reply = await fetch(`${admin.base}/api/v1/projects/${id}/export.csv`, { headers: { Cookie: cookie, "Accept-Language": "ja" } });
  assert.equal(reply.status, 200);
  return new Uint8Array(await reply.arrayBuffer());
};
const bring = (id: string, body: Uint8Array | string) => admin.post(`/projects/${id}/imports?format=csv`, typeof body === "string" ? new TextEncoder().encode(body) : body);

before(async () => {
  demo = await startDemo();
  admin = await signedIn(demo, 0);
  red = await made("/labels", { kind: "free", name: "赤札", color: "red" });
  blue = await made("/labels", { kind: "free", name: "青 札", color: "blue" });
  shared = await made("/labels", { kind: "team", name: "同名", color: "gray" });
  sharedPhase = await made("/labels", { kind: "phase", name: "同名", color: "gray" });
});
after(async () => {
  await demo.stop();
  removeDir(demo);
});

async function labelled() {
  const { id } = await fresh();
  const add = async (subject: string, labels: string[]) => (await made(`/projects/${id}/tickets`, { subject, classification: "task", labels })).id;
  return { id, both: await add("両方", [red.id, blue.id]), one: await add("片方", [blue.id]), none: await add("無印", []), twins: await add("双子", [shared.id, sharedPhase.id]) };
}

test("tickets are filtered by several labels, by none, and ordered by label", async () => {
  const p = await labelled();
  const ids = async (query: string) => (await admin.get(`/projects/${p.id}/tickets?${query}`)).body.items.map((t: any) => t.id);
  assert.deepEqual((await ids(`label=${blue.id}`)).sort(), [p.both, p.one].sort());
  assert.deepEqual((await ids(`label=${red.id},${shared.id}`)).sort(), [p.both, p.twins].sort(), "one of several");
  assert.deepEqual(await ids("label=none"), [p.none]);
  const order = await ids("sort=label");
  assert.equal(order.at(-1), p.none, "without any: last");
  const paged: string[] = [];
  for (let after = ""; ; ) {
    const page = (await admin.get(`/projects/${p.id}/tickets?sort=label&limit=1${after}`)).body;
    paged.push(...page.items.map((t: any) => t.id));
    if (!page.next) break;
    after = `&after=${page.next}`;
  }
  assert.deepEqual(paged, order);
  for (const bad of ["x", "1,,2", ",1", "1,"]) assert.equal((await admin.get(`/projects/${p.id}/tickets?label=${bad}`)).status, 422, bad);
});

test("search finds by label, with words, and only what one sees", async () => {
  const p = await labelled();
  const ids = async (q: string, who = admin) => (await who.get(`/search?q=${encodeURIComponent(q)}&limit=200`)).body.items.filter((h: any) => h.kind === "ticket").map((h: any) => h.id);
  assert.ok((await ids("label:赤札")).includes(p.both));
  assert.ok(!(await ids("label:赤札")).includes(p.one));
  assert.ok((await ids("ラベル:赤札")).includes(p.both));
  assert.ok((await ids('label:"青 札"')).includes(p.one));
  assert.deepEqual((await ids('label:"青 札" 片方')).filter((id: string) => [p.both, p.one].includes(id)), [p.one]);
  assert.ok((await ids("赤札")).includes(p.both), "by its text alone");
  assert.deepEqual(await ids("label:無い札"), []);
  const other = await signedIn(demo, 5);
  assert.ok(!(await ids("label:赤札", other)).includes(p.both));
});

test("search finds programs and projects by label, with words, and only those one sees", async () => {
  const mark = await made("/labels", { kind: "free", name: `探札${++count}`, color: "red" });
  const program = await made("/programs", { key: `LQ${++count}`, name: "探す枠", labels: [mark.id] });
  const project = await fresh({ name: "探す案件", labels: [mark.id] });
  await fresh({ name: "印のない探す案件" });
  const other = await signedIn(demo, 5);
  const found = async (q: string, as = admin) => (await as.get(`/search?q=${encodeURIComponent(q)}`)).body.items.map((h: any) => [h.kind, h.id]);
  const both = [["program", program.id], ["project", project.id]];
  assert.deepEqual(await found(`label:${mark.name}`), both);
  assert.deepEqual(await found(mark.name), both, "without the word too");
  assert.deepEqual(await found(`label:${mark.name} 案件`), [both[1]]);
  assert.deepEqual(await found(`label:${mark.name} 無い語`), []);
  assert.deepEqual(await found(`label:${mark.name}`, other), []);
});

test("labels go out and come back by CSV, and mistakes are told by line and column", async () => {
  const p = await labelled();
  const file = await exported(p.id);
  const text = new TextDecoder().decode(file);
  assert.match(text, /赤札\|\|青 札/);
  assert.match(text, /phase:同名\|\|team:同名/);
  const same = await bring(p.id, file);
  assert.deepEqual([same.status, same.body.added, same.body.changed], [200, 0, same.body.changed], JSON.stringify(same.body));
  const copy = await fresh();
  assert.equal((await bring(copy.id, file)).status, 200);
  const labels = async (id: string) => (await admin.get(`/projects/${id}/tickets?sort=no`)).body.items.map((t: any) => [t.subject, t.labels]);
  assert.deepEqual(await labels(copy.id), await labels(p.id));
  const bad = await bring(copy.id, "件名,ラベル\n甲,赤札||無い札\n乙,同名\n");
  assert.deepEqual(bad.body.errors.map((e: any) => [e.line, e.column, e.rule]), [[2, 2, "not_found"], [3, 2, "ambiguous"]]);
});

test("programs bear labels too; lists show them, a label in use stays, merging moves all uses", async () => {
  const program = await made("/programs", { key: `LP${++count}`, name: "印", labels: [red.id] });
  assert.deepEqual(program.labels, [red.id]);
  const project = await fresh({ program: program.id, labels: [red.id] });
  const { programs, projects } = (await admin.get("/programs")).body;
  assert.deepEqual(programs.find((x: any) => x.id === program.id).labels, [red.id]);
  assert.deepEqual(projects.find((x: any) => x.id === project.id).labels, [red.id]);
  assert.equal((await admin.get("/labels")).body.items.find((l: any) => l.id === red.id).programs, 1);
  assert.equal(rule(await admin.patch(`/programs/${program.id}`, { labels: ["987654321"] }, program.version)), "choice");
  const only = await made("/labels", { kind: "free", name: "移す札", color: "teal" });
  const changed = await admin.patch(`/programs/${program.id}`, { labels: [only.id] }, program.version);
  assert.deepEqual(changed.body.labels, [only.id]);
  assert.equal(rule(await admin.delete(`/labels/${only.id}`, only.version)), "in_use");
  const into = await admin.request("POST", `/labels/${only.id}/merge`, { into: blue.id }, { "If-Match": `"${only.version}"` });
  assert.equal(into.status, 200, JSON.stringify(into.body));
  assert.deepEqual((await admin.get(`/programs/${program.id}`)).body.labels, [blue.id]);
  const row = (await admin.get("/trust")).body;
  assert.match(JSON.stringify(row), new RegExp(`プログラムへの付与 ${(await admin.get("/labels")).body.items.reduce((n: number, l: any) => n + l.programs, 0)} 件`));
});

test("the sample company's data bears labels", async () => {
  const all = (await admin.get("/labels")).body.items;
  assert.ok(all.reduce((n: number, l: any) => n + l.tickets, 0) > 20);
  assert.ok(all.some((l: any) => l.projects > 0) && all.some((l: any) => l.programs > 0));
});
