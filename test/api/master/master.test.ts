// SPDX-License-Identifier: Apache-2.0
// Master data: what the master administrator arranges is in use at once, by
// everybody, and every change of it is in the operation log.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { addProject, type Client, type Demo, ids, removeDir, rule, signedIn, startDemo } from "../server.ts";

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
  const one = await label("大至急");
  const again = await admin.post("/labels", { kind: "free", name: "大至急", color: "red" });
  assert.equal(again.status, 409);
  assert.equal(rule(again), "unique");
  assert.equal((await admin.post("/labels", { kind: "phase", name: "大至急", color: "red" })).status, 201);
  assert.equal((await admin.post("/labels", { kind: "free", name: "x", color: "#f00" })).status, 422);
  const renamed = await ok(await admin.patch(`/labels/${one.id}`, { name: "最優先", color: "red" }, one.version));
  assert.equal(renamed.name, "最優先");
  assert.equal((await admin.patch(`/labels/${one.id}`, { name: "遅い" }, one.version)).status, 412);
  const entry = await logged("label", "update");
  assert.deepEqual([entry.before.name, entry.after.name], ["大至急", "最優先"]);
  const known = (await member.get("/catalogue")).body.labels.find((l: any) => l.id === one.id);
  assert.deepEqual([known.name, known.color, known.kind], ["最優先", "red", "free"]);
});

test("tickets bear labels and a team, with history, and are found by them", async () => {
  const a = await label("顧客要望");
  const b = await label("詳細設計", "phase");
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

// ---- classifications and statuses ----

const kindOf = async (key: string) => (await admin.get("/catalogue")).body.classifications.find((k: any) => k.key === key);
const plain = (k: any) => k.statuses.map(({ id, ja, en, color, category, is_hidden }: any) => ({ id, ja, en, color, category, is_hidden }));
const put = (path: string, body: unknown, version: number) => admin.request("PUT", path, body, { "If-Match": `"${version}"` });

test("a classification is renamed, recoloured, hidden; its family stays", async () => {
  const todo = await kindOf("todo");
  const at = `/classifications/${todo.id}`;
  await ok(await admin.patch(at, { ja: "やること", en: "Chore", color: "teal", is_hidden: true }, todo.version));
  const now = await kindOf("todo");
  assert.deepEqual([now.ja, now.en, now.color, now.is_hidden, now.family], ["やること", "Chore", "teal", true, "management"]);
  const refused = await admin.post(`/projects/${project.id}/tickets`, { subject: "x", classification: "todo" });
  assert.equal(refused.status, 422);
  assert.equal(rule(refused), "hidden");
  assert.equal((await admin.patch(at, { family: "wbs" }, now.version)).status, 400);
  assert.equal((await admin.patch(at, { ja: "遅い" }, todo.version)).status, 412);
  await ok(await admin.patch(at, { is_hidden: false }, now.version));
  assert.equal((await logged("classification", "update")).before.is_hidden, true);
  assert.equal((await member.patch(at, { ja: "x" }, now.version)).status, 403);
});

test("statuses: added, renamed, ordered, hidden as one set", async () => {
  const kind = await kindOf("risk");
  const set = plain(kind);
  const last = { ja: "対応中止", en: "Dropped", color: "gray", category: "done" };
  const body = { statuses: [set[1], { ...set[0], ja: "新規リスク" }, ...set.slice(2), last] };
  await ok(await put(`/classifications/${kind.id}/statuses`, body, kind.version));
  const now = await kindOf("risk");
  assert.deepEqual(now.statuses.map((s: any) => s.ja), [set[1].ja, "新規リスク", ...set.slice(2).map((s: any) => s.ja), "対応中止"]);
  const hidden = plain(now).map((s: any) => (s.ja === "対応中止" ? { ...s, is_hidden: true } : s));
  await ok(await put(`/classifications/${kind.id}/statuses`, { statuses: hidden }, now.version));
  const t = await ticket({ classification: "risk" });
  const chosen = await admin.patch(`/tickets/${t.id}`, { status: now.statuses.at(-1).id }, t.version);
  assert.equal(rule(chosen), "hidden");
});

test("something to start from and something to end in must stay; names are unique", async () => {
  const kind = await kindOf("issue");
  const set = plain(kind);
  const at = `/classifications/${kind.id}/statuses`;
  for (const category of ["todo", "done"]) {
    const reply = await put(at, { statuses: set.filter((s: any) => s.category !== category) }, kind.version);
    assert.equal(reply.status, 422);
    assert.equal(rule(reply), "category_missing");
    const veiled = await put(at, { statuses: set.map((s: any) => ({ ...s, is_hidden: s.category === category })) }, kind.version);
    assert.equal(rule(veiled), "category_missing");
  }
  const twice = await put(at, { statuses: set.map((s: any) => ({ ...s, ja: "同じ" })) }, kind.version);
  assert.equal(rule(twice), "unique");
  const foreign = (await kindOf("bug")).statuses[0];
  const wrong = await put(at, { statuses: [...set, { ...plain({ statuses: [foreign] })[0], ja: "よその", en: "Foreign" }] }, kind.version);
  assert.equal(wrong.status, 422);
  assert.deepEqual(plain(await kindOf("issue")), set);
});

test("a status in use goes only with a replacement; its tickets move with history", async () => {
  const kind = await kindOf("bug");
  const set = plain(kind);
  const [gone, to] = [set[1], set[2]];
  const at = `/classifications/${kind.id}/statuses`;
  const t = await ticket({ classification: "bug", status: gone.id });
  const rest = set.filter((s: any) => s.id !== gone.id);
  const refused = await put(at, { statuses: rest }, kind.version);
  assert.equal(refused.status, 409);
  assert.equal(rule(refused), "in_use");
  assert.match(refused.body.errors[0].message, new RegExp(gone.ja));
  const plan = (await admin.get(`/projects/${project.id}/plan`)).body;
  await ok(await put(at, { statuses: rest, replaced: [{ status: gone.id, by: to.id }] }, kind.version));
  const now = (await admin.get(`/tickets/${t.id}`)).body;
  assert.equal(now.status, to.id);
  const [last] = (await admin.get(`/tickets/${t.id}/history`)).body.items;
  assert.deepEqual([last.field, last.before, last.after], ["status", gone.ja, to.ja]);
  const news = (await admin.get(`/projects/${project.id}/plan?since=${plan.project?.revision ?? plan.revision}`)).body;
  assert.ok(news.rows.some((r: any) => r[0] === t.id), "an open plan learns of it");
});

test("classifications are ordered by the administrator", async () => {
  const before = (await admin.get("/catalogue")).body.classifications.filter((k: any) => k.family === "wbs");
  const ids = before.map((k: any) => k.id).reverse();
  await ok(await admin.request("PUT", "/classification-order", { ids }));
  const after = (await admin.get("/catalogue")).body.classifications.filter((k: any) => k.family === "wbs");
  assert.deepEqual(after.map((k: any) => k.id), ids);
});

// ---- custom fields and forms ----

async function setFields(key: string, fields: any[]) {
  const kind = await kindOf(key);
  const body = await ok(await put(`/classifications/${kind.id}/fields`, { fields }, kind.version));
  return body.fields.filter((f: any) => f.classification === kind.id);
}
const valueOf = (t: any, field: any) => t.fields.find((f: any) => f.field === field.id)?.value;
const kinds = ["text", "lines", "integer", "decimal", "day", "choice", "choices", "user", "check", "url"];

test("every kind of field takes its values and refuses others, naming the field", async () => {
  const me = (await admin.get("/session")).body.user;
  const fields = await setFields("review", kinds.map((type) => ({
    type, ja: `項目 ${type}`, en: `Field ${type}`, ...(type.startsWith("choice") ? { choices: [{ ja: "甲", en: "A" }, { ja: "乙", en: "B" }] } : {}),
  })));
  const by = Object.fromEntries(fields.map((f: any) => [f.type, f]));
  const pick = (type: string, n: number) => by[type].choices[n].id;
  const good: Record<string, string> = {
    text: "一行", lines: "一行目\n二行目", integer: "-12", decimal: "1234567.89", day: "2026-11-22", choice: pick("choice", 1),
    choices: `${pick("choices", 0)}||${pick("choices", 1)}`, user: me.id, check: "true", url: "https://example.jp/a?b=1",
  };
  const bad: Record<string, string[]> = {
    text: ["二\n行", "長".repeat(256)], lines: ["長".repeat(20001)], integer: ["1.5", "x", "1e3", "9".repeat(16)], decimal: ["1.", ".5", "1,5", "--1"],
    day: ["2026/11/22", "2026-02-30"], choice: ["999999", pick("choices", 0)], choices: ["x||y"], user: ["999999", "x"], check: ["yes"],
    url: ["javascript:alert(1)", "ftp://x", "https://", "https://a b", "http://\"x"],
  };
  let t = await ticket({ classification: "review" });
  for (const type of kinds) {
    for (const value of bad[type]!) {
      const reply = await admin.patch(`/tickets/${t.id}`, { fields: [{ field: by[type].id, value }] }, t.version);
      assert.equal(reply.status, 422, `${type}: ${value}`);
      const [error] = reply.body.errors;
      if (value.length <= 20000) assert.deepEqual([error.field, error.message.includes(`項目 ${type}`)], [`fields.${by[type].id}`, true], `${type}: ${value}`);
    }
    t = await ok(await admin.patch(`/tickets/${t.id}`, { fields: [{ field: by[type].id, value: good[type] }] }, t.version));
    assert.equal(valueOf(t, by[type]), good[type], type);
  }
  const history = (await admin.get(`/tickets/${t.id}/history?limit=50`)).body.items;
  const after = (type: string) => history.find((h: any) => h.field === `項目 ${type}`)?.after;
  assert.deepEqual([after("choices"), after("user"), after("check"), after("decimal")], ["甲, 乙", me.name, "はい", "1234567.89"]);
  t = await ok(await admin.patch(`/tickets/${t.id}`, { fields: kinds.map((type) => ({ field: by[type].id, value: null })) }, t.version));
  assert.deepEqual(t.fields, []);
  const entry = await logged("ticket", "update");
  assert.deepEqual([entry.before["項目 day"], entry.after["項目 day"]], ["2026-11-22", null]);
});

test("required is asked of a new ticket and of a new classification, a default fills it", async () => {
  const [must_, preset] = await setFields("test", [
    { type: "text", ja: "試験環境", en: "Environment", is_required: true },
    { type: "choice", ja: "結果", en: "Result", initial: "未", is_required: true, choices: [{ ja: "未" }, { ja: "済" }] },
  ]);
  const refused = await admin.post(`/projects/${project.id}/tickets`, { subject: "x", classification: "test" });
  assert.equal(refused.status, 422);
  assert.deepEqual([rule(refused), refused.body.errors[0].field], ["required", `fields.${must_.id}`]);
  assert.match(refused.body.errors[0].message, /試験環境/);
  const t = await ticket({ classification: "test", fields: [{ field: must_.id, value: "本番相当" }] });
  assert.equal(valueOf(t, preset), preset.choices[0].id);
  assert.equal(rule(await admin.patch(`/tickets/${t.id}`, { fields: [{ field: must_.id, value: null }] }, t.version)), "required");
  assert.equal((await admin.patch(`/tickets/${t.id}`, { subject: "ほかの変更" }, t.version)).status, 200);
  const other = await ticket({ classification: "issue" });
  const turned = await admin.patch(`/tickets/${other.id}`, { classification: "test" }, other.version);
  assert.equal(rule(turned), "required");
  const both = await ok(await admin.patch(`/tickets/${other.id}`, { classification: "test", fields: [{ field: must_.id, value: "検証" }] }, other.version));
  assert.equal(valueOf(both, must_), "検証");
  const wrong = await admin.patch(`/tickets/${both.id}`, { fields: [{ field: "999999", value: "x" }] }, both.version);
  assert.deepEqual([wrong.status, wrong.body.errors[0].field], [422, "fields"]);
});

test("the list is filtered by a field's value, whatever its type", async () => {
  const [day, amount, pick] = await setFields("deliverable", [
    { type: "day", ja: "検収日", en: "Accepted" }, { type: "decimal", ja: "金額", en: "Amount" },
    { type: "choices", ja: "拠点", en: "Sites", choices: [{ ja: "東京" }, { ja: "大阪" }] },
  ]);
  const fields = [{ field: day.id, value: "2026-12-01" }, { field: amount.id, value: "12.50" }, { field: pick.id, value: pick.choices.map((k: any) => k.id).join("||") }];
  const t = await ticket({ classification: "deliverable", fields });
  await ticket({ classification: "deliverable" });
  for (const [field, value] of [[day, "2026-12-01"], [amount, "12.5"], [pick, pick.choices[1].id]])
    assert.deepEqual(ids((await admin.get(`/projects/${project.id}/tickets?field=${field.id}&value=${value}`)).body), [t.id], field.ja);
  assert.deepEqual(ids((await admin.get(`/projects/${project.id}/tickets?field=${amount.id}&value=13`)).body), []);
  const kind = await kindOf("deliverable");
  const twice = await put(`/classifications/${kind.id}/fields`, { fields: [{ type: "text", ja: "同じ" }, { type: "url", ja: "同じ" }] }, kind.version);
  assert.equal(rule(twice), "unique");
});

test("a field keeps its type; what has values is hidden, not removed", async () => {
  const [cost, spare] = await setFields("change", [
    { type: "integer", ja: "影響額", en: "Cost", column: 2, help: "円" },
    { type: "choice", ja: "区分", en: "Kind", choices: [{ ja: "大" }, { ja: "小" }] },
  ]);
  assert.deepEqual([cost.column, cost.help], [2, "円"]);
  await ticket({ classification: "change", fields: [{ field: cost.id, value: "100" }, { field: spare.id, value: spare.choices[0].id }] });
  const kind = await kindOf("change");
  const at = `/classifications/${kind.id}/fields`;
  const say = async (fields: any[]) => put(at, { fields }, (await kindOf("change")).version);
  const strip = ({ classification, ...f }: any) => f;
  assert.equal(rule(await say([{ ...strip(cost), type: "text" }, strip(spare)])), "fixed");
  assert.equal(rule(await say([strip(spare)])), "in_use");
  assert.equal(rule(await say([strip(cost), { ...strip(spare), choices: [spare.choices[1]] }])), "in_use");
  assert.equal(rule(await say([strip(cost), { ...strip(spare), initial: "中" }])), "choice");
  const now = await ok(await say([strip(spare), { ...strip(cost), is_hidden: true, column: 1 }]));
  const mine = now.fields.filter((f: any) => f.classification === kind.id);
  assert.deepEqual(mine.map((f: any) => [f.ja, f.is_hidden, f.column]), [["区分", false, 1], ["影響額", true, 1]]);
  assert.equal((await put(at, { fields: [] }, kind.version)).status, 412);
  assert.ok((await logged("classification", "update")).after.fields);
});

test("the form says help texts and hides optional standard fields", async () => {
  const kind = await kindOf("milestone");
  const at = `/classifications/${kind.id}/layout`;
  const body = await ok(await put(at, { standard: [{ name: "estimate", is_hidden: true }, { name: "due", help: "契約上の期限" }] }, kind.version));
  const mine = body.standard.filter((s: any) => s.classification === kind.id);
  assert.deepEqual(mine.map((s: any) => [s.name, s.help, s.is_hidden]), [["due", "契約上の期限", false], ["estimate", "", true]]);
  const now = await kindOf("milestone");
  assert.equal((await put(at, { standard: [{ name: "status", is_hidden: true }] }, now.version)).status, 422);
  assert.equal((await member.request("PUT", at, { standard: [] }, { "If-Match": `"${now.version}"` })).status, 403);
});

// ---- work calendars ----

const calendars = async () => (await member.get("/calendars")).body.items;
const sixDays = { weekdays: 126, holidays: false, days: [] };

test("calendars have names, are chosen by projects, and are kept while in use", async () => {
  await ok(await admin.post("/calendars", { name: "週6日", ...sixDays }));
  assert.equal(rule(await admin.post("/calendars", { name: "週6日", ...sixDays })), "unique");
  assert.equal((await member.post("/calendars", { name: "x", ...sixDays })).status, 403);
  const one = (await calendars()).find((x: any) => x.name === "週6日");
  assert.deepEqual([one.calendar.weekdays, one.is_default], [126, false]);
  assert.ok(!("projects" in one), "who is no administrator learns of no projects, not even how many");
  const p = await addProject(admin, "CALNAME");
  const own = await ok(await admin.request("PUT", `/projects/${p.id}/calendar`, sixDays));
  const chosen = await ok(await admin.patch(`/projects/${p.id}`, { calendar: one.id }, own.version));
  assert.deepEqual([chosen.calendar_id, chosen.calendar], [one.id, null]);
  assert.equal((await calendars()).length, 2, "a project's own is not there to choose");
  const used = (await admin.get("/calendars")).body.items.find((x: any) => x.id === one.id);
  assert.equal(used.projects, 1);
  assert.equal(rule(await admin.delete(`/calendars/${one.id}`, used.calendar.version)), "in_use");
  assert.equal((await admin.patch(`/projects/${p.id}`, { calendar: "999999" }, chosen.version)).status, 422);
  await ok(await admin.patch(`/projects/${p.id}`, { calendar: null }, chosen.version));
  assert.equal((await admin.delete(`/calendars/${one.id}`, used.calendar.version)).status, 204);
  assert.equal((await logged("calendar", "delete")).object_name, "週6日");
});

test("a plan is worked out anew when its calendar or its switch changes, at once", async () => {
  const p = await addProject(admin, "CALPLAN", { auto_dates: false });
  const add = async (subject: string, start: string, end: string) =>
    (await admin.post(`/projects/${p.id}/tickets`, { subject, classification: "task", planned_start: start, planned_end: end })).body;
  const a = await add("先", "2026-11-26", "2026-11-27"); // Thursday, Friday
  const b = await add("後", "2026-11-26", "2026-11-26");
  await ok(await admin.post(`/projects/${p.id}/edits`, { edits: [{ op: "link", predecessor: a.id, successor: b.id, kind: "FS" }] }));
  const startOf = async () => (await admin.get(`/tickets/${b.id}`)).body.planned_start;
  assert.equal(await startOf(), "2026-11-26");
  let now = (await admin.get(`/projects/${p.id}`)).body;
  const revision = (await admin.get(`/projects/${p.id}/plan`)).body.revision;
  now = await ok(await admin.patch(`/projects/${p.id}`, { auto_dates: true }, now.version));
  assert.equal(await startOf(), "2026-11-30", "the switch alone moves it to Monday");
  const news = (await admin.get(`/projects/${p.id}/plan?since=${revision}`)).body;
  assert.ok(news.rows.some((r: any) => r[0] === b.id));
  await ok(await admin.post("/calendars", { name: "月曜休み", ...sixDays, weekdays: 60 }));
  const shared = (await calendars()).find((x: any) => x.name === "月曜休み");
  await ok(await admin.patch(`/projects/${p.id}`, { calendar: shared.id }, now.version));
  assert.equal(await startOf(), "2026-12-01", "Monday is free");
  const days = [{ day: "2026-12-01", is_working: false, name: "創立記念日" }];
  await ok(await put(`/calendars/${shared.id}`, { name: "月曜休み", ...sixDays, weekdays: 60, days }, shared.calendar.version));
  assert.equal(await startOf(), "2026-12-02", "a company holiday moves it on");
  assert.ok((await admin.get(`/tickets/${b.id}/history`)).body.items.some((h: any) => h.field === "planned_start" && h.after === "2026-12-02"));
});
