// SPDX-License-Identifier: Apache-2.0
// Tickets one at a time: adding, listing, changing against a version, what
// happened to them, comments, and finding them again.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { addProject, type Client, type Demo, ids, removeDir, rule, signedIn, startDemo } from "../server.ts";

let demo: Demo;
let admin: Client;
let project: string;

before(async () => {
  demo = await startDemo();
  admin = await signedIn(demo, 0);
  project = (await addProject(admin, "TKT")).id;
});
after(async () => {
  await demo.stop();
  removeDir(demo);
});

const add = async (fields: object) => {
  const reply = await admin.post(`/projects/${project}/tickets`, fields);
  assert.equal(reply.status, 201, JSON.stringify(reply.body));
  return reply.body;
};
const list = async (query: string) => {
  const reply = await admin.get(`/projects/${project}/tickets?${query}`);
  assert.equal(reply.status, 200, JSON.stringify(reply.body));
  return reply.body;
};

test("POST adds a ticket and says where it is", async () => {
  const reply = await admin.post(`/projects/${project}/tickets`, {
    subject: "要件を聞く",
    classification: "task",
    priority: "high",
    planned_start: "2026-11-24",
    planned_end: "2026-11-27",
    details: "一行目\n二行目",
  });
  assert.equal(reply.status, 201, JSON.stringify(reply.body));
  const { id, key, version } = reply.body;
  assert.match(id, /^\d+$/);
  assert.match(key, /^TKT-\d+$/);
  for (const path of [`/tickets/${id}`, `/tickets/${key}`]) {
    const page = await admin.get(path);
    assert.equal(page.status, 200);
    assert.equal(page.headers.get("etag"), `"${version}"`);
    assert.equal(page.body.subject, "要件を聞く");
    assert.equal(page.body.details, "一行目\n二行目");
    assert.equal(page.body.project.id, project);
    assert.equal(page.body.planned_end, "2026-11-27");
  }
});

test("a subject of 255 characters is kept, one of 300 is refused by name", async () => {
  const fits = "長".repeat(255);
  assert.equal((await add({ subject: fits, classification: "task" })).subject, fits);
  const reply = await admin.post(`/projects/${project}/tickets`, {
    subject: "長".repeat(300),
    classification: "task",
  });
  assert.equal(reply.status, 422);
  assert.equal(reply.body.errors[0].field, "subject");
  assert.match(reply.body.errors[0].message, /[ぁ-ん]/);
});

test("emoji, half-width kana, quotes and right-to-left text come back as sent", async () => {
  for (const subject of ["🏯 櫓を建てる 👨‍👩‍👧", "ﾊﾝｶｸ ﾃｽﾄ", `"'<b>&amp;`, "مرحبا", "𠮷野家"]) {
    const { id } = await add({ subject, classification: "task" });
    assert.equal((await admin.get(`/tickets/${id}`)).body.subject, subject);
  }
});

test("a field that is unknown, of the wrong kind or empty is named", async () => {
  const cases: [object, string][] = [
    [{ classification: "task" }, "subject"],
    [{ subject: "", classification: "task" }, "subject"],
    [{ subject: "a", classification: "tank" }, "classification"],
    [{ subject: "a", classification: "task", progress: 101 }, "progress"],
    [{ subject: "a", classification: "task", progress: "half" }, "progress"],
    [{ subject: "a", classification: "task", planned_start: "2026-02-30" }, "planned_start"],
    [{ subject: "a", classification: "task", assignee: "999999" }, "assignee"],
  ];
  for (const [fields, field] of cases) {
    const reply = await admin.post(`/projects/${project}/tickets`, fields);
    assert.equal(reply.status, 422, JSON.stringify(fields) + JSON.stringify(reply.body));
    assert.equal(reply.body.errors[0].field, field, JSON.stringify(reply.body));
  }
  const unknown = await admin.post(`/projects/${project}/tickets`, {
    subject: "a",
    classification: "task",
    colour: "red",
  });
  assert.equal(unknown.status, 400);
  assert.equal(unknown.body.errors[0].field, "colour");
});

test("the list filters by words, classification, category and person", async () => {
  const me = (await admin.get("/session")).body.user.id;
  const mine = await add({ subject: "絞り込み甲", classification: "task", assignee: me });
  const other = await add({ subject: "絞り込み乙", classification: "deliverable" });
  assert.deepEqual(ids(await list("q=絞り込み&sort=no")), [mine.id, other.id]);
  assert.deepEqual(ids(await list("q=絞り込み&assignee=me")), [mine.id]);
  assert.deepEqual(ids(await list("q=絞り込み&classification=deliverable")), [other.id]);
  assert.deepEqual(ids(await list("q=絞り込み&category=done")), []);
  assert.deepEqual(ids(await list("q=絞り込み&category=todo&sort=-no")), [other.id, mine.id]);
  assert.equal((await admin.get(`/projects/${project}/tickets?sort=colour`)).status, 422);
  assert.equal((await admin.get(`/projects/${project}/tickets?limit=100000`)).status, 422);
});

test("late lists what should be over and is not", async () => {
  const late = await add({
    subject: "遅れ",
    classification: "task",
    planned_start: "2020-01-06",
    planned_end: "2020-01-07",
  });
  const open = await add({ subject: "日程なし", classification: "task" });
  const found = ids(await list("late=1"));
  assert.ok(found.includes(late.id));
  assert.ok(!found.includes(open.id));
});

test("pages join to the whole list: nothing twice, nothing missed", async () => {
  const all = ids(await list("sort=no&limit=200"));
  assert.ok(all.length > 6);
  for (const sort of ["no", "-no", "updated", "-updated", "planned_end", "subject", "priority"]) {
    const seen: string[] = [];
    let next: string | null = "";
    while (next !== null) {
      const page: any = await list(`sort=${sort}&limit=3${next && `&after=${next}`}`);
      assert.ok(page.items.length <= 3);
      seen.push(...ids(page));
      next = page.next;
    }
    assert.deepEqual([...seen].sort(), [...all].sort(), sort);
  }
});

test("a change names the version it was made from", async () => {
  const { id, version } = await add({ subject: "版", classification: "task" });
  const blind = await admin.request("PATCH", `/tickets/${id}`, { subject: "盲" });
  assert.equal(blind.status, 428);
  const reply = await admin.patch(`/tickets/${id}`, { subject: "新版" }, version);
  assert.equal(reply.status, 200, JSON.stringify(reply.body));
  assert.equal(reply.body.subject, "新版");
  assert.notEqual(reply.body.version, version);
  const stale = await admin.patch(`/tickets/${id}`, { subject: "遅い版" }, version);
  assert.equal(stale.status, 412);
  assert.equal(rule(stale), "stale");
  assert.ok(stale.body.current, "the reply shows what is there now");
  assert.equal((await admin.get(`/tickets/${id}`)).body.subject, "新版");
});

test("two at once: one change is kept, the other learns of it", async () => {
  const { id, version } = await add({ subject: "同時", classification: "task" });
  const replies = await Promise.all(
    Array.from({ length: 10 }, (_, i) => admin.patch(`/tickets/${id}`, { subject: `同時 ${i}` }, version)),
  );
  assert.equal(replies.filter((reply) => reply.status === 200).length, 1);
  assert.equal(replies.filter((reply) => reply.status === 412).length, 9);
});

test("history is read in the reader's language, whoever wrote it", async () => {
  const ticket = (await admin.post(`/projects/${project}/tickets`, { subject: "二つの言葉", classification: "task" })).body;
  const changed = await admin.patch(`/tickets/${ticket.id}`, { priority: "high", classification: "deliverable" }, ticket.version);
  assert.equal(changed.status, 200);
  const values = async (lang: string) => {
    await admin.request("PATCH", "/me", { lang });
    const { items } = (await admin.get(`/tickets/${ticket.id}/history`)).body;
    return items.filter((c: any) => ["priority", "classification"].includes(c.field)).map((c: any) => `${c.before} ${c.after}`).sort();
  };
  assert.deepEqual(await values("en"), ["Medium High", "Task Deliverable"]);
  assert.deepEqual(await values("ja"), ["タスク 成果物", "中 高"]);
});

test("history tells who changed what, from what, to what", async () => {
  const { id, version } = await add({ subject: "前", classification: "task", progress: 10 });
  await admin.patch(`/tickets/${id}`, { subject: "後", progress: 40 }, version);
  const { items } = (await admin.get(`/tickets/${id}/history`)).body;
  const of = (field: string) => items.find((item: any) => item.field === field && item.after !== null);
  assert.equal(of("subject").before, "前");
  assert.equal(of("subject").after, "後");
  assert.equal(of("progress").before, "10%");
  assert.equal(of("progress").after, "40%");
  assert.equal(of("subject").user.name, demo.ready.accounts[0]!.name);
  assert.match(of("subject").at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d.*\+09:00$/);
});

test("reopened, a ticket has the progress it had and no end; restored is not created", async () => {
  const made = await add({ subject: "再開するもの", classification: "task", progress: 40, planned_start: "2026-12-01", planned_end: "2026-12-04" });
  const statuses = (await admin.get("/catalogue")).body.classifications.find((k: any) => k.key === "task").statuses;
  const of = (category: string) => statuses.find((s: any) => s.category === category).id;
  let ticket = (await admin.get(`/tickets/${made.id}`)).body;
  const was = ticket.status;
  ticket = (await admin.patch(`/tickets/${ticket.id}`, { status: of("done") }, ticket.version)).body;
  assert.equal(ticket.progress, 100);
  assert.ok(ticket.actual_end);
  ticket = (await admin.patch(`/tickets/${ticket.id}`, { status: was }, ticket.version)).body;
  assert.deepEqual([ticket.progress, ticket.actual_end], [40, null]);
  await admin.post(`/projects/${ticket.project.id}/edits`, { edits: [{ op: "delete", id: ticket.id, version: ticket.version }] });
  await admin.post(`/projects/${ticket.project.id}/edits`, { edits: [{ op: "restore", id: ticket.id }] });
  const fields = (await admin.get(`/tickets/${ticket.id}/history`)).body.items.map((c: any) => c.field);
  assert.equal(fields[0], "restored");
  assert.equal(fields.filter((f: string) => f === "created").length, 1);
});

test("a done status completes the progress; 100 % leaves the status", async () => {
  const { classifications } = (await admin.get("/catalogue")).body;
  const task = classifications.find((one: any) => one.key === "task");
  const done = task.statuses.find((one: any) => one.category === "done");
  const one = await add({ subject: "完了", classification: "task" });
  const closed = await admin.patch(`/tickets/${one.id}`, { status: done.id }, one.version);
  assert.equal(closed.body.progress, 100);
  assert.match(closed.body.actual_end, /^\d{4}-\d\d-\d\d$/);
  const two = await add({ subject: "百", classification: "task" });
  const full = await admin.patch(`/tickets/${two.id}`, { progress: 100 }, two.version);
  assert.equal(full.body.status, two.status);
});

test("comments are added, listed and taken away", async () => {
  const { id } = await add({ subject: "コメント", classification: "task" });
  const added = await admin.post(`/tickets/${id}/comments`, { body: "確認しました 👍" });
  assert.equal(added.status, 201, JSON.stringify(added.body));
  const { items } = (await admin.get(`/tickets/${id}/comments`)).body;
  assert.equal(items.length, 1);
  assert.equal(items[0].body, "確認しました 👍");
  assert.equal((await admin.post(`/tickets/${id}/comments`, { body: "" })).status, 422);
  assert.equal((await admin.delete(`/comments/${items[0].id}`)).status, 204);
  assert.equal((await admin.get(`/tickets/${id}/comments`)).body.items.length, 0);
});

test("search finds two kanji in the middle, half-width kana by full width and case", async () => {
  const { id } = await add({ subject: "販売管理ｼｽﾃﾑのKickoff会議", classification: "task" });
  for (const q of ["管理", "システム", "ｼｽﾃﾑ", "kickoff", "ＫＩＣＫＯＦＦ", "会議", "売管"]) {
    const found = await admin.get(`/search?q=${encodeURIComponent(q)}`);
    assert.equal(found.status, 200, JSON.stringify(found.body));
    assert.ok(ids(found.body).includes(id), q);
  }
  const none = await admin.get(`/search?q=${encodeURIComponent("存在しない語句")}`);
  assert.deepEqual(none.body.items, []);
  for (const q of ['"', "*", "a AND", "(", "%", "NEAR(", "🏯"])
    assert.ok((await admin.get(`/search?q=${encodeURIComponent(q)}`)).status < 500, q);
});

test("a deleted ticket is gone from page, list and search", async () => {
  const { id, version } = await add({ subject: "消滅予定", classification: "task" });
  assert.equal((await admin.delete(`/tickets/${id}`)).status, 428);
  assert.equal((await admin.delete(`/tickets/${id}`, version)).status, 204);
  assert.equal((await admin.get(`/tickets/${id}`)).status, 404);
  assert.ok(!ids(await list("limit=200")).includes(id));
  const found = (await admin.get(`/search?q=${encodeURIComponent("消滅予定")}`)).body;
  assert.ok(!ids(found).includes(id));
});

test("my tickets are those assigned to me, by day", async () => {
  const me = (await admin.get("/session")).body.user.id;
  const late = await add({
    subject: "私の遅れ",
    classification: "task",
    assignee: me,
    planned_start: "2020-01-06",
    planned_end: "2020-01-07",
  });
  const overdue = (await admin.get("/my/tickets?view=overdue")).body;
  const row = overdue.items.find((item: any) => item.id === late.id);
  assert.equal(row.project.key, "TKT");
  assert.equal((await admin.get("/my/tickets?view=never")).status, 422);
});

test("a POST tried again with its Idempotency-Key makes one ticket, one comment", async () => {
  const once = { "Idempotency-Key": "ticket-1" };
  const fields = { subject: "一度だけ", classification: "task" };
  const [first, again] = [await admin.post(`/projects/${project}/tickets`, fields, once), await admin.post(`/projects/${project}/tickets`, fields, once)];
  assert.deepEqual([first.status, again.status, again.body.id], [201, 201, first.body.id]);
  assert.equal((await list(`q=${encodeURIComponent("一度だけ")}`)).items.length, 1);
  const say = () => admin.post(`/tickets/${first.body.id}/comments`, { body: "一言" }, { "Idempotency-Key": "comment-1" });
  assert.equal((await say()).body.id, (await say()).body.id);
  assert.equal((await admin.get(`/tickets/${first.body.id}/comments`)).body.items.length, 1);
  const member = await signedIn(demo, 1);
  const person = (await member.get("/session")).body.user.id;
  await admin.request("PUT", `/projects/${project}/members/${person}`, { role: "manager" });
  const theirs = await member.post(`/projects/${project}/tickets`, fields, once);
  assert.equal(theirs.status, 201);
  assert.notEqual(theirs.body.id, first.body.id, "keys are each person's own");
});
