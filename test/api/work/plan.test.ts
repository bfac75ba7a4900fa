// SPDX-License-Identifier: Apache-2.0
// The plan and its edits: many at once, all or nothing, dates pushed along
// the links by working days, and what changed since a revision.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { addProject, type Answer, type Client, type Demo, removeDir, rule, signedIn, startDemo } from "../server.ts";

let demo: Demo;
let admin: Client;
let count = 0;

before(async () => {
  demo = await startDemo();
  admin = await signedIn(demo, 0);
});
after(async () => {
  await demo.stop();
  removeDir(demo);
});

type Row = Record<string, any>;

/** Rows by subject, as objects: the columns name the places. */
const bySubject = (reply: Answer, columns: string[]): Record<string, Row> =>
  Object.fromEntries(
    reply.body.rows.map((row: any[]) => {
      const named: Row = Object.fromEntries(columns.map((name, i) => [name, row[i]]));
      return [named.subject, named];
    }),
  );

/** A project of its own for each test, and short words for its edits. */
async function freshPlan(fields: object = {}) {
  const project = await addProject(admin, `PL${++count}`, fields);
  const at = `/projects/${project.id}`;
  const first = await admin.get(`${at}/plan`);
  assert.equal(first.status, 200, JSON.stringify(first.body));
  const columns: string[] = first.body.columns;
  const send = (...edits: object[]) => admin.post(`${at}/edits`, { edits });
  const edit = async (...edits: object[]) => {
    const reply = await send(...edits);
    assert.equal(reply.status, 200, JSON.stringify(reply.body));
    return reply;
  };
  const read = async () => {
    const reply = await admin.get(`${at}/plan`);
    return { ...reply.body, by: bySubject(reply, columns) };
  };
  return { id: project.id as string, send, edit, read, columns, by: (reply: Answer) => bySubject(reply, columns) };
}

const task = (ref: string, start?: string, end?: string, more: object = {}) => ({
  op: "create",
  ref,
  subject: ref,
  classification: "task",
  ...(start ? { planned_start: start, planned_end: end } : {}),
  ...more,
});

test("one request makes a tree; refs name what it has just made", async () => {
  const plan = await freshPlan();
  const reply = await plan.edit(
    { op: "create", ref: "p", subject: "要件定義", classification: "phase" },
    task("a", "2026-11-24", "2026-11-25", { parent: "p" }),
    task("b", "2026-11-26", "2026-11-27", { parent: "p" }),
    { op: "link", predecessor: "a", successor: "b" },
  );
  assert.deepEqual(reply.body.created.map((one: any) => one.ref), ["p", "a", "b"]);
  const { by, links, rows } = await plan.read();
  assert.deepEqual(rows.map((row: any[]) => row[plan.columns.indexOf("subject")]), ["要件定義", "a", "b"]);
  assert.equal(by.a!.parent, by.要件定義!.id);
  assert.equal(by.要件定義!.planned_start, "2026-11-24");
  assert.equal(by.要件定義!.planned_end, "2026-11-27");
  assert.deepEqual(links[0].slice(1), [by.a!.id, by.b!.id, "FS", 0]);
});

test("moving: under another parent, before a sibling, back to the top", async () => {
  const plan = await freshPlan();
  await plan.edit(task("a"), task("b"), task("c"));
  const order = async () => {
    const { rows } = await plan.read();
    return rows.map((row: any[]) => row[plan.columns.indexOf("subject")]).join("");
  };
  assert.equal(await order(), "abc");
  let { by } = await plan.read();
  await plan.edit({ op: "update", id: by.c!.id, version: by.c!.version, after: null });
  assert.equal(await order(), "cab");
  ({ by } = await plan.read());
  await plan.edit({ op: "update", id: by.b!.id, version: by.b!.version, parent: by.a!.id });
  ({ by } = await plan.read());
  assert.equal(by.b!.parent, by.a!.id);
  const loop = await plan.send({ op: "update", id: by.a!.id, version: by.a!.version, parent: by.b!.id });
  assert.equal(loop.status, 409);
  assert.equal(rule(loop), "parent_cycle");
  await plan.edit({ op: "update", id: by.b!.id, version: by.b!.version, parent: null, after: by.c!.id });
  assert.equal(await order(), "cba");
});

test("a link pushes its successor past the week-end and a holiday", async () => {
  const plan = await freshPlan();
  await plan.edit(
    task("a", "2026-11-18", "2026-11-19"),
    task("b", "2026-11-20", "2026-11-20"),
    { op: "link", predecessor: "a", successor: "b" },
  );
  const { by } = await plan.read();
  const reply = await plan.edit({
    op: "update",
    id: by.a!.id,
    version: by.a!.version,
    planned_start: "2026-11-19",
    planned_end: "2026-11-20",
  });
  const moved = plan.by(reply).b!;
  // Friday 20, then Saturday, Sunday, Monday 23 (Labour Thanksgiving Day)
  assert.equal(moved.planned_start, "2026-11-24");
  assert.equal(moved.planned_end, "2026-11-24");
});

// Days are spans: FS 0 is the next day, SF 0 ends the day before the start.
test("four kinds of link, each with its lag in working days", async () => {
  const cases: [string, number, string, string][] = [
    ["FS", 0, "2026-12-04", "2026-12-07"],
    ["FS", 2, "2026-12-08", "2026-12-09"],
    ["SS", 1, "2026-12-03", "2026-12-04"],
    ["FF", 1, "2026-12-03", "2026-12-04"],
    ["SF", 1, "2026-12-01", "2026-12-02"],
  ];
  for (const [kind, lag, start, end] of cases) {
    const plan = await freshPlan();
    await plan.edit(
      task("a", "2026-12-02", "2026-12-03"),
      task("b", "2026-11-24", "2026-11-25"),
      { op: "link", predecessor: "a", successor: "b", kind, lag },
    );
    const { by, links } = await plan.read();
    assert.deepEqual(links[0].slice(3), [kind, lag]);
    assert.deepEqual([by.b!.planned_start, by.b!.planned_end], [start, end], `${kind}+${lag}`);
  }
});

test("the push runs down a chain in one reply, and relinking pulls on", async () => {
  const plan = await freshPlan();
  await plan.edit(
    ...["a", "b", "c"].map((ref) => task(ref, "2026-12-01", "2026-12-01")),
    { op: "link", predecessor: "a", successor: "b" },
    { op: "link", predecessor: "b", successor: "c" },
  );
  const { by, links } = await plan.read();
  assert.equal(by.c!.planned_start, "2026-12-03");
  const reply = await plan.edit({ op: "relink", link: links[0][0], lag: 3 });
  assert.equal(plan.by(reply).b!.planned_start, "2026-12-07");
  assert.equal(plan.by(reply).c!.planned_start, "2026-12-08");
  const gone = await plan.edit({ op: "unlink", link: links[0][0] });
  assert.deepEqual(gone.body.gone.links, [links[0][0]]);
});

test("with auto_dates off nothing is pushed", async () => {
  const plan = await freshPlan({ auto_dates: false });
  await plan.edit(
    task("a", "2026-12-01", "2026-12-04"),
    task("b", "2026-12-01", "2026-12-01"),
    { op: "link", predecessor: "a", successor: "b" },
  );
  assert.equal((await plan.read()).by.b!.planned_start, "2026-12-01");
});

test("a manual ticket stays, and its link is reported as a conflict", async () => {
  const plan = await freshPlan();
  const reply = await plan.edit(
    task("a", "2026-12-01", "2026-12-04"),
    task("b", "2026-12-01", "2026-12-01", { manual: true }),
    { op: "link", predecessor: "a", successor: "b" },
  );
  const { by, links } = await plan.read();
  assert.equal(by.b!.planned_start, "2026-12-01");
  assert.deepEqual(reply.body.conflicts, [{ link: links[0][0], ticket: by.b!.id }]);
});

test("a cycle is refused, its path named, and nothing of the request kept", async () => {
  const plan = await freshPlan();
  await plan.edit(
    task("a", "2026-12-01", "2026-12-01"),
    task("b", "2026-12-01", "2026-12-01"),
    task("c", "2026-12-01", "2026-12-01"),
    { op: "link", predecessor: "a", successor: "b" },
    { op: "link", predecessor: "b", successor: "c" },
  );
  const { by, links, revision } = await plan.read();
  const reply = await plan.send(task("d"), { op: "link", predecessor: by.c!.id, successor: by.a!.id });
  assert.equal(reply.status, 409);
  assert.equal(rule(reply), "cycle");
  const path = reply.body.path.map((one: any) => one.subject);
  for (const subject of ["a", "b", "c"]) assert.ok(path.includes(subject), path.join());
  const said = reply.body.errors[0].message.match(/[A-Z0-9]+-\d+/g);
  assert.deepEqual([said.length, said[0]], [4, said[3]], "the message goes round, back to where it began");
  const now = await plan.read();
  assert.equal(now.revision, revision);
  assert.equal(now.links.length, links.length);
  assert.equal(now.by.d, undefined);
});

test("what makes no sense is refused with the edit's own number", async () => {
  const plan = await freshPlan();
  await plan.edit(task("p"), task("a", "2026-12-01", "2026-12-02", { parent: "p" }), task("z"));
  const { by } = await plan.read();
  const { a, p, z } = by as Record<string, Row>;
  const cases: [object, number, string, string][] = [
    [{ op: "update", id: a!.id, version: a!.version, planned_end: "2026-11-30" }, 422, "planned_end", "end_before_start"],
    [{ op: "update", id: p!.id, version: p!.version, planned_end: "2026-12-30" }, 409, "planned_end", "derived"],
    [{ op: "update", id: a!.id, subject: "b" }, 422, "version", "required"],
    [{ op: "link", predecessor: z!.id, successor: z!.id }, 422, "successor", "self"],
    [{ op: "link", predecessor: p!.id, successor: a!.id }, 409, "successor", "family"],
    [{ op: "link", predecessor: "999999", successor: a!.id }, 422, "predecessor", "not_found"],
    [{ op: "create", ref: "n", subject: "n", classification: "task", parent: "999999" }, 422, "parent", "not_found"],
    [{ op: "explode", id: a!.id }, 422, "op", "choice"],
  ];
  for (const [edit, status, field, name] of cases) {
    const reply = await plan.send(task("before"), edit);
    const text = JSON.stringify([edit, reply.body]);
    assert.equal(reply.status, status, text);
    assert.equal(rule(reply), name, text);
    assert.match(reply.body.errors[0].field, new RegExp(`^edits\\.1\\.`), text);
    assert.match(reply.body.errors[0].field, new RegExp(`${field}$`), text);
  }
  assert.equal((await plan.read()).by.before, undefined);
});

test("the same two are linked once", async () => {
  const plan = await freshPlan();
  await plan.edit(task("a"), task("b"), { op: "link", predecessor: "a", successor: "b" });
  const { by } = await plan.read();
  const reply = await plan.send({ op: "link", predecessor: by.a!.id, successor: by.b!.id });
  assert.equal(reply.status, 409);
  assert.equal(rule(reply), "linked");
});

test("a stale edit shows the row as it is and who changed it", async () => {
  const plan = await freshPlan();
  await plan.edit(task("a"));
  const { a } = (await plan.read()).by as Record<string, Row>;
  await plan.edit({ op: "update", id: a!.id, version: a!.version, progress: 50 });
  const reply = await plan.send({ op: "update", id: a!.id, version: a!.version, progress: 60 });
  assert.equal(reply.status, 412);
  assert.deepEqual(
    reply.body.errors.map((error: any) => [error.field, error.rule]),
    [["edits.0.version", "stale"]],
  );
  const { columns, row } = reply.body.current;
  assert.equal(row[columns.indexOf("progress")], 50);
  assert.equal(reply.body.changed_by.name, demo.ready.accounts[0]!.name);
  assert.match(reply.body.changed_at, /^\d{4}-/);
});

test("deleting takes what is below along; restoring brings all of it back", async () => {
  const plan = await freshPlan();
  await plan.edit(
    task("p"),
    task("a", "2026-12-01", "2026-12-01", { parent: "p" }),
    task("b", "2026-12-01", "2026-12-01", { parent: "a" }),
    task("z", "2026-12-02", "2026-12-02"),
    { op: "link", predecessor: "b", successor: "z" },
  );
  const before = await plan.read();
  const { p } = before.by as Record<string, Row>;
  const reply = await plan.edit({ op: "delete", id: p!.id, version: p!.version });
  assert.deepEqual([...reply.body.gone.tickets].sort(), [before.by.p, before.by.a, before.by.b].map((row) => row!.id).sort());
  assert.deepEqual(Object.keys((await plan.read()).by), ["z"]);
  await plan.edit({ op: "restore", id: p!.id });
  const back = await plan.read();
  assert.deepEqual(Object.keys(back.by), ["p", "a", "b", "z"]);
  assert.deepEqual(back.links, before.links);
  assert.equal(back.by.b!.parent, before.by.a!.id);
});

test("since a revision: only what changed, and what went", async () => {
  const plan = await freshPlan();
  await plan.edit(task("a"), task("b"), task("c"));
  const { by, revision } = await plan.read();
  const ask = (since: number) => admin.get(`/projects/${plan.id}/plan?since=${since}`);
  assert.deepEqual((await ask(revision)).body.rows, []);
  await plan.edit(
    { op: "update", id: by.a!.id, version: by.a!.version, progress: 30 },
    { op: "delete", id: by.b!.id, version: by.b!.version },
  );
  const delta = await ask(revision);
  assert.deepEqual(Object.keys(plan.by(delta)), ["a"]);
  assert.deepEqual(delta.body.gone.tickets, [by.b!.id]);
  assert.ok(delta.body.revision > revision);
  assert.deepEqual((await ask(delta.body.revision)).body.rows, []);
});

test("a parent is the sum of its children: dates and progress", async () => {
  const plan = await freshPlan();
  await plan.edit(
    task("p"),
    task("a", "2026-12-01", "2026-12-02", { parent: "p", progress: 100, estimate: 480 }),
    task("b", "2026-12-03", "2026-12-04", { parent: "p", progress: 0, estimate: 480 }),
  );
  const { p } = (await plan.read()).by as Record<string, Row>;
  assert.deepEqual([p!.planned_start, p!.planned_end, p!.progress], ["2026-12-01", "2026-12-04", 50]);
});

test("a milestone is one day", async () => {
  const plan = await freshPlan();
  await plan.edit(task("m", "2026-12-01", "2026-12-04", { classification: "milestone" }));
  const { m } = (await plan.read()).by as Record<string, Row>;
  assert.equal(m!.planned_start, m!.planned_end);
});

test("2,000 edits in one request; 2,001 are refused", async () => {
  const plan = await freshPlan();
  const edits = Array.from({ length: 2000 }, (_, i) => task(`t${i}`));
  const reply = await plan.edit(...edits);
  assert.equal(reply.body.created.length, 2000);
  assert.equal((await plan.read()).rows.length, 2000);
  assert.equal((await plan.send(...edits, task("more"))).status, 422);
});

test("the calendar in the plan names the holidays in two languages", async () => {
  const plan = await freshPlan();
  await plan.edit(task("a", "2026-11-24", "2026-11-25"));
  const { calendar, today } = await plan.read();
  const day = calendar.holidays.find(([one]: string[]) => one === "2026-11-23");
  assert.deepEqual(day, ["2026-11-23", "勤労感謝の日", "Labour Thanksgiving Day"]);
  assert.match(today, /^\d{4}-\d\d-\d\d$/);
});

test("an edit tells what others changed since the revision on the screen", async () => {
  const plan = await freshPlan();
  await plan.edit(task("a"), task("b"));
  const { by, revision } = await plan.read();
  await plan.edit({ op: "update", id: by.a!.id, version: by.a!.version, progress: 30 }, task("theirs"));
  const reply = await admin.post(`/projects/${plan.id}/edits?since=${revision}`, {
    edits: [{ op: "update", id: by.b!.id, version: by.b!.version, progress: 60 }],
  });
  assert.equal(reply.status, 200, JSON.stringify(reply.body));
  const missed = plan.by({ ...reply, body: reply.body.missed });
  assert.deepEqual([Object.keys(missed).sort(), missed.a!.progress], [["a", "theirs"], 30]);
  assert.deepEqual(Object.keys(plan.by(reply)), ["b"], "one's own changes stand apart");
  assert.equal(reply.body.revision, revision + 2);
  const current = await admin.post(`/projects/${plan.id}/edits?since=${reply.body.revision}`, { edits: [task("c")] });
  assert.equal(current.body.missed, undefined, "nothing was missed");
});

test("what was missed is told as it was before the edit", async () => {
  const plan = await freshPlan();
  await plan.edit(
    task("a", "2026-12-01", "2026-12-01"),
    task("b", "2026-12-02", "2026-12-02"),
    { op: "link", predecessor: "a", successor: "b" },
  );
  const { by, revision } = await plan.read();
  await plan.edit({ op: "update", id: by.b!.id, version: by.b!.version, planned_start: "2026-12-07", planned_end: "2026-12-07" });
  const reply = await admin.post(`/projects/${plan.id}/edits?since=${revision}`, {
    edits: [{ op: "update", id: by.a!.id, version: by.a!.version, planned_start: "2026-12-09", planned_end: "2026-12-09" }],
  });
  assert.equal(plan.by({ ...reply, body: reply.body.missed }).b!.planned_start, "2026-12-07");
  assert.equal(plan.by(reply).b!.planned_start, "2026-12-10");
});

test("tried again with its Idempotency-Key, an edit is done once and told anew", async () => {
  const plan = await freshPlan();
  await plan.edit(task("a"));
  const { revision } = await plan.read();
  const path = `/projects/${plan.id}/edits?since=${revision}`;
  const once = { "Idempotency-Key": "3f1c-plan" };
  const first = await admin.post(path, { edits: [task("n"), task("m", undefined, undefined, { parent: "n" })] }, once);
  await plan.edit(task("theirs"));
  const again = await admin.post(path, { edits: [task("n"), task("m", undefined, undefined, { parent: "n" })] }, once);
  assert.deepEqual([first.status, again.status, again.headers.get("idempotency-replayed")], [200, 200, "true"]);
  assert.deepEqual(again.body.created, first.body.created);
  assert.deepEqual(Object.keys(plan.by(again)).sort(), ["m", "n"]);
  assert.deepEqual(Object.keys(plan.by({ ...again, body: again.body.later })), ["theirs"]);
  assert.equal(again.body.revision, first.body.revision + 1);
  assert.deepEqual(Object.keys((await plan.read()).by).sort(), ["a", "m", "n", "theirs"]);
  const other = await admin.post(path, { edits: [task("x")] }, once);
  assert.deepEqual([other.status, rule(other)], [422, "idempotency_key"]);
  const bad = await admin.post(path, { edits: [task("x")] }, { "Idempotency-Key": "k".repeat(65) });
  assert.deepEqual([bad.status, rule(bad)], [422, "idempotency_key"]);
});

test("a refused edit is not remembered: its key may try again", async () => {
  const plan = await freshPlan();
  await plan.edit(task("a"));
  const { a } = (await plan.read()).by as Record<string, Row>;
  const once = { "Idempotency-Key": "refused-once" };
  const edits = [{ op: "update", id: a!.id, version: a!.version + 1, progress: 10 }];
  assert.equal((await admin.post(`/projects/${plan.id}/edits`, { edits }, once)).status, 412);
  await plan.edit({ op: "update", id: a!.id, version: a!.version, progress: 5 });
  assert.equal((await admin.post(`/projects/${plan.id}/edits`, { edits }, once)).status, 200);
});

test("what was added or changed below since one looked is not deleted unseen", async () => {
  const plan = await freshPlan();
  await plan.edit(task("p"), task("a", undefined, undefined, { parent: "p" }));
  const { by, revision } = await plan.read();
  const { p, a } = by as Record<string, Row>;
  await plan.edit({ op: "update", id: a!.id, version: a!.version, subject: "theirs" });
  const remove = { op: "delete", id: p!.id, version: p!.version };
  const refused = await admin.post(`/projects/${plan.id}/edits?since=${revision}`, { edits: [remove] });
  assert.deepEqual([refused.status, refused.body.current.row[plan.columns.indexOf("subject")]], [412, "theirs"]);
  const now = (await plan.read()).revision;
  assert.equal((await admin.post(`/projects/${plan.id}/edits?since=${now}`, { edits: [remove] })).status, 200);
});

test("an edit of a deleted ticket says who deleted it, and when", async () => {
  const plan = await freshPlan();
  await plan.edit(task("a"));
  const { a } = (await plan.read()).by as Record<string, Row>;
  await plan.edit({ op: "delete", id: a!.id, version: a!.version });
  const key = `PL${count}-${a!.no}`;
  for (const reply of [
    await plan.send({ op: "update", id: a!.id, version: a!.version, progress: 10 }),
    await admin.get(`/tickets/${a!.id}`),
    await admin.get(`/tickets/${key}`),
  ]) {
    assert.deepEqual([reply.status, rule(reply)], [404, "deleted"], JSON.stringify(reply.body));
    assert.equal(reply.body.deleted_by.name, demo.ready.accounts[0]!.name);
    assert.match(reply.body.deleted_at, /^\d{4}-/);
    assert.match(reply.body.errors[0].message, /「a」を削除しました/);
  }
});
