// SPDX-License-Identifier: Apache-2.0
// A plan goes out as CSV and comes back as the same plan: into the project it
// is from without a change, into an empty one as a copy.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { addProject, type Client, type Demo, removeDir, rule, signedIn, startDemo } from "../server.ts";

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

const bytesOf = async (id: string, query = "", client = admin) => {
  const reply = await fetch(`${client.base}/api/v1/projects/${id}/export.csv${query}`, {
    headers: { Cookie: [...client.cookies].map(([k, v]) => `${k}=${v}`).join("; "), "Accept-Language": client.lang },
  });
  return { status: reply.status, headers: reply.headers, body: new Uint8Array(await reply.arrayBuffer()) };
};
const bring = (id: string, body: Uint8Array, query = "format=csv") => admin.post(`/projects/${id}/imports?${query}`, body);
const addTicket = async (project: string, fields: object) => {
  const reply = await admin.post(`/projects/${project}/tickets`, { classification: "task", ...fields });
  assert.equal(reply.status, 201, JSON.stringify(reply.body));
  return reply.body;
};

/** What a plan says, without what belongs to one project: ids and versions. */
async function planOf(id: string) {
  const { columns, rows, links } = (await admin.get(`/projects/${id}/plan`)).body;
  const named: Row[] = rows.map((row: any[]) => Object.fromEntries(columns.map((name: string, i: number) => [name, row[i]])));
  const place = new Map(named.map((row, i) => [row.id, i]));
  const details = new Map<string, any>();
  for (const row of named) details.set(row.id, (await admin.get(`/tickets/${row.id}`)).body);
  return {
    versions: named.map((row) => row.version),
    rows: named.map(({ id, no, rank, version, parent, ...rest }) => ({
      ...rest,
      parent: parent ? place.get(parent) : null,
      details: details.get(id).details,
      assignees: details.get(id).assignees,
    })),
    links: links.map(([, from, to, kind, lag]: any[]) => `${place.get(from)} ${kind}${lag} ${place.get(to)}`).sort(),
  };
}

const odd = ["=1+1", "+81", "-", "@sum", "'=1", "''x", 'a "b", c', "㈱髙﨑～①ﾃｽﾄ−〜"];

async function oddProject() {
  const { id } = await addProject(admin, `EX${++count}`);
  const phase = await addTicket(id, { subject: "工程", classification: "phase" });
  const made = [];
  for (const [i, subject] of odd.entries())
    made.push(
      await addTicket(id, {
        subject,
        parent: i < 4 ? phase.id : null,
        details: i === 0 ? "    code\n\n=2\n" : i === 1 ? '改行\nと"引用"' : "",
        planned_start: "2026-12-01",
        planned_end: "2026-12-04",
        due: "2026-12-24",
        estimate: 7 * 60 + i * 7,
        actual: i || null,
        priority: ["urgent", "high", "medium", "low"][i % 4],
        progress: i * 10,
      }),
    );
  const edits = [
    { op: "link", predecessor: made[0].id, successor: made[5].id },
    { op: "link", predecessor: made[1].id, successor: made[5].id, kind: "SS", lag: 2 },
    { op: "link", predecessor: made[2].id, successor: made[6].id, kind: "FF", lag: -1 },
  ];
  const linked = await admin.post(`/projects/${id}/edits`, { edits });
  assert.equal(linked.status, 200, JSON.stringify(linked.body));
  return id as string;
}

test("the sample company's plans come back the same, in both languages", async () => {
  const projects = (await admin.get("/programs")).body.projects;
  assert.ok(projects.length >= 1);
  for (const lang of ["ja", "en"]) {
    admin.lang = lang;
    for (const one of projects) {
      const before = await planOf(one.id);
      const file = await bytesOf(one.id);
      assert.equal(file.status, 200);
      assert.deepEqual([...file.body.subarray(0, 3)], [0xef, 0xbb, 0xbf]);
      assert.match(file.headers.get("content-disposition")!, new RegExp(`filename="${one.key}-tickets.csv"`));
      const back = await bring(one.id, file.body);
      assert.equal(back.status, 200, JSON.stringify(back.body).slice(0, 800));
      assert.deepEqual([back.body.added, back.body.deleted, back.body.links], [0, 0, 0]);
      assert.deepEqual(await planOf(one.id), before, "nothing changed, no version counted up");
      const full = (await admin.get(`/projects/${one.id}`)).body;
      const copy = await addProject(admin, `CP${++count}`, { auto_dates: full.auto_dates, auto_parent: full.auto_parent });
      const people = new Set<string>(before.rows.flatMap((row) => row.assignees.map((p: any) => p.id)));
      for (const id of people) await admin.request("PUT", `/projects/${copy.id}/members/${id}`, { role: "viewer" });
      const into = await bring(copy.id, file.body);
      assert.equal(into.status, 200, JSON.stringify(into.body).slice(0, 800));
      const after = await planOf(copy.id);
      assert.deepEqual(after.rows, before.rows);
      assert.deepEqual(after.links, before.links);
    }
  }
  admin.lang = "ja";
});

test("odd texts are no formulas in the file and themselves again after it", async () => {
  const id = await oddProject();
  const before = await planOf(id);
  const file = await bytesOf(id);
  const text = new TextDecoder().decode(file.body);
  for (const cell of text.match(/(?<=^|,)"(?:[^"]|"")*"/gm)!) assert.doesNotMatch(cell, /^"[=+\-@\t\r]/, cell);
  assert.match(text, /"'=1\+1"/);
  const copy = await addProject(admin, `CP${++count}`);
  const into = await bring(copy.id, file.body);
  assert.equal(into.status, 200, JSON.stringify(into.body));
  const after = await planOf(copy.id);
  assert.deepEqual(after, { ...before, versions: after.versions });
});

test("CP932 holds what Windows can, and refuses what it cannot by its line", async () => {
  const id = await oddProject();
  const file = await bytesOf(id, "?encoding=cp932");
  assert.equal(file.status, 200, new TextDecoder().decode(file.body));
  assert.match(file.headers.get("content-type")!, /Shift_JIS/i);
  const text = new TextDecoder("shift_jis", { fatal: true }).decode(file.body);
  assert.match(text, /㈱髙﨑～①ﾃｽﾄ－～/);
  const copy = await addProject(admin, `CP${++count}`);
  const into = await bring(copy.id, file.body, "format=csv&encoding=cp932");
  assert.equal(into.status, 200, JSON.stringify(into.body));
  const [before, after] = [await planOf(id), await planOf(copy.id)];
  assert.deepEqual(after.rows.slice(0, 8), before.rows.slice(0, 8));
  await addTicket(id, { subject: "がぱヴ神".normalize("NFD") + "\ufa19" }); // as macOS names files
  const composed = await bytesOf(id, "?encoding=cp932");
  assert.equal(composed.status, 200, new TextDecoder().decode(composed.body));
  assert.match(new TextDecoder("shift_jis", { fatal: true }).decode(composed.body), /がぱヴ神\ufa19/);
  await addTicket(id, { subject: "絵文字😀" });
  const refused = await admin.get(`/projects/${id}/export.csv?encoding=cp932`);
  assert.equal(refused.status, 422);
  assert.equal(rule(refused), "cp932");
  assert.match(refused.body.errors[0].message, /😀/);
});

test("only who sees the tickets has them, and an unknown encoding is refused", async () => {
  const { id } = await addProject(admin, `EX${++count}`);
  const member = await signedIn(demo, 4);
  assert.equal((await bytesOf(id, "", member)).status, 404);
  assert.equal((await bytesOf(id, "", new (admin.constructor as typeof Client)(admin.base))).status, 401);
  const empty = await bytesOf(id);
  assert.equal(empty.status, 200);
  assert.equal(new TextDecoder().decode(empty.body).trim().split("\r\n").length, 1);
  assert.equal((await admin.get(`/projects/${id}/export.csv?encoding=latin1`)).status, 422);
});
