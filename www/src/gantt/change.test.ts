// SPDX-License-Identifier: Apache-2.0
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Change, type Edit, aware, backAndChanged, bodyOf, buildsOn, clashesOf, inverse, knowing, look, renamed, restoring, snapshot, withChanges, without } from "./change.ts";
import { Plan } from "./model.ts";

const columns = ["id", "no", "parent", "rank", "subject", "classification", "status", "priority", "assignee", "planned_start", "planned_end", "actual_start", "actual_end", "due", "progress", "estimate", "actual", "manual", "version"];
interface Values { parent?: string | null; rank?: number; subject?: string; progress?: number; version?: number }
const row = (id: string, v: Values = {}) =>
  [id, Number(id), v.parent ?? null, v.rank ?? Number(id) * 10, v.subject ?? `行${id}`, "task", "1", "medium", null, null, null, null, null, null, v.progress ?? 0, null, null, false, v.version ?? 1];
const plan = (...rows: unknown[][]) => new Plan({ columns, revision: 1, rows: rows.length ? rows : [row("1"), row("2", { parent: "1" }), row("3", { parent: "1" }), row("4")], links: [["9", "2", "3", "FS", 0]] });
const change = (p: Plan, edits: Edit[], more: Partial<Change> = {}): Change => ({ key: "k", label: "", edits, seen: look(p, edits), at: 1, tab: "", isBack: false, ...more });
const by = (p: Plan, rows: unknown[][], gone: string[] = []) => p.apply({ revision: p.revision + 1, rows, links: [], gone: { tickets: gone, links: [] } });
const order = (p: Plan) => p.visible(new Set()).map((v) => v.row.id).join();

test("what is not saved yet is shown: new, moved, changed, deleted; the truth stays", () => {
  const p = plan();
  const shown = withChanges(p, [
    change(p, [{ op: "create", ref: "new-1", subject: "新しい行", parent: "1", after: "2" }]),
    change(p, [{ op: "update", id: "new-1", subject: "名前", planned_start: "2026-12-01" }]),
    change(p, [{ op: "update", id: "4", after: null }]),
    change(p, [{ op: "delete", id: "3" }]),
  ]);
  assert.equal(order(shown), "4,1,2,new-1");
  assert.equal(shown.rows.get("new-1")!.subject, "名前");
  assert.equal(shown.links.size, 0, "a link goes with its end");
  assert.equal(order(p), "1,2,3,4");
  assert.equal(withChanges(p, []), p);
});

test("only the same field clashes; the same value does not", () => {
  const p = plan();
  const c = change(p, [{ op: "update", id: "2", subject: "私" }]);
  by(p, [row("2", { parent: "1", progress: 50, version: 2 })]);
  assert.deepEqual(clashesOf(p, c), []);
  by(p, [row("2", { parent: "1", subject: "彼", version: 3 })]);
  const [clash] = clashesOf(p, c);
  assert.deepEqual([clash!.field, clash!.mine, clash!.theirs], ["subject", "私", "彼"]);
  assert.deepEqual(without(c, [clash!]).edits, []);
  const known = knowing(c, [clash!]);
  assert.deepEqual(clashesOf(p, known), []);
  assert.equal(bodyOf(p, known)[0]!.version, 3);
  by(p, [row("2", { parent: "1", subject: "彼、もう一度", version: 4 })]);
  assert.equal(clashesOf(p, known).length, 1, "what came after the question is asked again");
  by(p, [row("2", { parent: "1", subject: "私", version: 5 })]);
  assert.deepEqual(clashesOf(p, known), []);
});

test("a row that is gone is asked about; back again, it is held against what was seen", () => {
  const p = plan();
  const c = change(p, [{ op: "update", id: "4", subject: "私" }]);
  by(p, [], ["4"]);
  assert.deepEqual(clashesOf(p, c).map((x) => [x.field, x.name]), [["gone", "行4"]]);
  const whole = { ...c, edits: [{ op: "restore", id: "4" } as Edit, ...c.edits] };
  assert.deepEqual(backAndChanged(whole), ["4"]);
  const [back, rest] = restoring(whole, ["4"], "k2");
  assert.deepEqual([back.key, bodyOf(p, back)], ["k2", [{ op: "restore", id: "4" }]]);
  assert.deepEqual([rest.key, rest.edits.map((e) => e.op), backAndChanged(rest)], ["k", ["update"], []]);
  by(p, [row("4", { subject: "彼", version: 3 })]);
  assert.deepEqual(clashesOf(p, rest).map((x) => [x.field, x.mine, x.theirs]), [["subject", "私", "彼"]]);
  assert.deepEqual(bodyOf(p, back), [], "somebody else has brought it back");
});

test("deleting asks for what others changed or added below", () => {
  const p = plan();
  const c = change(p, [{ op: "delete", id: "1" }]);
  assert.deepEqual(clashesOf(p, c), []);
  by(p, [row("2", { parent: "1", subject: "彼", version: 2 }), row("5", { parent: "3", subject: "彼の行" })]);
  assert.deepEqual(clashesOf(p, c).map((x) => [x.id, x.field]), [["2", "subject"], ["5", "added"]].sort());
  assert.deepEqual(clashesOf(p, knowing(c, clashesOf(p, c))), []);
  assert.deepEqual(without(c, clashesOf(p, c)).edits, []);
});

test("undo is the way back, and knows what was left", () => {
  const p = plan();
  const before = snapshot(p);
  const delta = { revision: 2, rows: [row("2", { parent: "1", subject: "私", version: 2 }), row("6", { subject: "新" })], links: [], gone: { tickets: [], links: [] } };
  p.apply(delta);
  const back = inverse(p, before, delta);
  assert.deepEqual(back.edits, [{ op: "update", id: "2", subject: "行2" }, { op: "delete", id: "6" }]);
  const undo = change(p, back.edits, { seen: back.seen, isBack: true });
  assert.deepEqual(clashesOf(p, undo), []);
  by(p, [row("2", { parent: "1", subject: "彼", version: 3 }), row("7", { parent: "6", subject: "彼の子" })]);
  assert.deepEqual(clashesOf(p, undo).map((x) => [x.id, x.field]), [["2", "subject"], ["7", "added"]]);
});

test("what follows from one's own earlier change is nobody else's", () => {
  const p = plan();
  const next = change(p, [{ op: "delete", id: "1" }]);
  const before = snapshot(p);
  const rows = [row("1", { progress: 30, version: 2 }), row("2", { parent: "1", progress: 60, version: 2 })];
  by(p, rows);
  assert.ok(clashesOf(p, next).length > 0);
  assert.deepEqual(clashesOf(p, aware(next, before.rows, p, rows)), []);
});

test("refs become ids wherever they stand; what is not there is not sent", () => {
  const p = plan();
  const c = renamed(change(p, [{ op: "update", id: "new-1", parent: "new-2", after: "new-3" }, { op: "link", predecessor: "new-1", successor: "99" }]), new Map([["new-1", "2"], ["new-2", "1"], ["new-3", "4"]]));
  const body = bodyOf(p, c);
  assert.deepEqual(body, [{ op: "update", id: "2", parent: "1", version: 1 }], "4 is no sibling there, 99 is gone");
  assert.deepEqual(bodyOf(p, change(p, [{ op: "create", ref: "x", subject: "x", parent: "99", after: "98" }]))[0], { op: "create", ref: "x", subject: "x", parent: null });
});

test("what a change makes or changes, a later one builds on", () => {
  const p = plan();
  const made = change(p, [{ op: "create", ref: "new-1", subject: "新しい行" }]);
  assert.ok(buildsOn(change(p, [{ op: "update", id: "new-1", subject: "名前" }]), made));
  assert.ok(buildsOn(change(p, [{ op: "create", ref: "new-2", subject: "下の行", parent: "new-1" }]), made));
  assert.ok(!buildsOn(change(p, [{ op: "update", id: "4", subject: "別の行", after: null }]), made));
});
