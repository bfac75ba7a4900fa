// SPDX-License-Identifier: Apache-2.0
// The people of a company: one by one and by CSV, all or nothing, and never
// without a master administrator.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { addProject, Client, type Demo, ids, removeDir, rule, signedIn, startDemo } from "../server.ts";

let demo: Demo;
let admin: Client;
let me: any;

before(async () => {
  demo = await startDemo();
  admin = await signedIn(demo, 0);
  me = (await find(demo.ready.accounts[0]!.email))!;
});
after(async () => {
  await demo.stop();
  removeDir(demo);
});

const utf8 = (text: string) => new TextEncoder().encode(text);
const find = async (email: string) =>
  (await admin.get(`/users?q=${encodeURIComponent(email)}`)).body.items.find((u: any) => u.email === email);
const send = (csv: string | Uint8Array, dry = true, who = admin) =>
  who.post(`/people/imports?dry=${dry ? 1 : 0}`, typeof csv === "string" ? utf8(csv) : csv);
const invite = async (email: string, name: string, more = {}) => {
  const reply = await admin.post("/users", { email, name, ...more });
  assert.equal(reply.status, 201, JSON.stringify(reply.body));
  return reply.body;
};
/** Invited, the password set from the mail: an active person. */
async function active(email: string, name: string, more = {}) {
  const user = await invite(email, name, more);
  const [, token] = await admin.waitForMail(email, /#(\S+)/);
  const reply = await new Client(demo.ready.url).post("/links/accept", { token, password: "Tokyo-eki-2026" });
  assert.ok(reply.status < 300, JSON.stringify(reply.body));
  return { ...user, password: "Tokyo-eki-2026" };
}
async function finished(job: any) {
  for (;;) {
    const { body } = await admin.get(`/jobs/${job.id}`);
    if (body.ended_at) return body;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
const head = "操作,メールアドレス,氏名,言語,マスター管理者,状態";
const places = (reply: any) => reply.body.errors.map((e: any) => [e.line, e.column, e.rule]);

test("the list is searched by two kanji and by half-width kana, filtered, and paged", async () => {
  await invite("watase@people.example", "渡瀬 カナコ");
  for (const q of ["渡瀬", "ｶﾅｺ", "WATASE"]) {
    const { body } = await admin.get(`/users?q=${encodeURIComponent(q)}`);
    assert.deepEqual(body.items.map((u: any) => u.email), ["watase@people.example"], q);
  }
  const invited = await admin.get("/users?state=invited&admin=false");
  assert.ok(invited.body.items.every((u: any) => u.state === "invited" && !u.is_admin));
  const admins = await admin.get("/users?admin=true");
  assert.ok(admins.body.items.length > 0 && admins.body.items.every((u: any) => u.is_admin));
  const seen: string[] = [];
  for (let next: string | null = ""; next !== null; ) {
    const { body }: any = await admin.get(`/users?limit=3${next && `&after=${next}`}`);
    seen.push(...ids(body));
    next = body.next;
  }
  const all = (await admin.get("/users?limit=200")).body;
  assert.deepEqual(seen, ids(all));
});

test("the last active master administrator can be neither removed, suspended nor demoted", async () => {
  const spare = await invite("spare@people.example", "予備 管理者", { is_admin: true });
  for (const body of [{ is_admin: false }, { state: "suspended" }]) {
    const reply = await admin.patch(`/users/${me.id}`, body, me.version);
    assert.deepEqual([reply.status, rule(reply)], [409, "last_admin"]);
  }
  assert.equal(rule(await admin.delete(`/users/${me.id}`, me.version)), "last_admin");
  assert.equal((await admin.delete(`/users/${spare.id}`, spare.version)).status, 204);
});

test("of two administrators who demote each other at once one stays", async () => {
  const other = await active("second@people.example", "二人目 管理者", { is_admin: true });
  const second = new Client(demo.ready.url);
  await second.signIn(other.email, other.password);
  const [mine, others] = [await find(me.email), await find(other.email)];
  const replies = await Promise.all([
    admin.patch(`/users/${others.id}`, { is_admin: false }, others.version),
    second.patch(`/users/${mine.id}`, { is_admin: false }, mine.version),
  ]);
  assert.equal(replies.filter((r) => r.status === 200).length, 1, JSON.stringify(replies.map((r) => r.body)));
  const winner = replies[0]!.status === 200 ? admin : second;
  const loser = winner === admin ? second : admin;
  assert.equal((await loser.get("/session")).status, 401, "no session carries rights of before");
  const admins = (await winner.get("/users?admin=true&state=active")).body.items;
  assert.equal(admins.length, 1);
  if (winner === second) {
    const again = await second.get(`/users/${mine.id}`);
    await second.patch(`/users/${mine.id}`, { is_admin: true }, again.body.version);
    await admin.signIn(me.email, demo.ready.accounts[0]!.password);
    const gone = await admin.get(`/users/${others.id}`);
    await admin.patch(`/users/${others.id}`, { is_admin: false }, gone.body.version);
  }
});

test("who is suspended or deleted is signed out; the name stays in history, the address is free", async () => {
  const person = await active("leaver@people.example", "去る 人");
  const browser = new Client(demo.ready.url);
  await browser.signIn(person.email, person.password);
  assert.equal((await browser.get("/jobs")).status, 200);
  let now = await find(person.email);
  now = (await admin.patch(`/users/${now.id}`, { state: "suspended" }, now.version)).body;
  assert.equal((await browser.get("/jobs")).status, 401);
  assert.equal(rule(await admin.post(`/users/${now.id}/invitation`, undefined)), "suspended");
  now = (await admin.patch(`/users/${now.id}`, { state: "active" }, now.version)).body;
  await browser.signIn(person.email, person.password);
  assert.equal((await browser.get("/jobs")).status, 200);
  const { id: project } = await addProject(admin, "LEAVE");
  assert.equal((await admin.request("PUT", `/projects/${project}/members/${now.id}`, { role: "leader" })).status, 200);
  const leaders = async () => (await admin.get("/roles")).body.items.find((r: any) => r.key === "leader").uses;
  const held = await leaders();
  assert.equal((await admin.delete(`/users/${now.id}`, now.version)).status, 204);
  assert.equal(await leaders(), held - 1, "its grants went with it");
  const row = (await admin.get("/trust")).body.items[7];
  assert.equal(row.state, "holds", JSON.stringify(row.evidence));
  assert.equal((await browser.get("/jobs")).status, 401);
  const log = (await admin.get(`/operations?kind=user&action=delete`)).body.items;
  assert.ok(log.some((row: any) => row.object_name === "去る 人"));
  assert.notEqual((await invite(person.email, "来た 人")).id, person.id);
});

test("every mistake of a file is told with its line and column, and nothing is written", async () => {
  const csv = [
    head,
    "追加,not-an-address,名前,日本語,いいえ,",
    `追加,${me.email},名前,日本語,いいえ,`,
    "加算,a@people.example,名前,,,",
    "追加,b@people.example,,フランス語,たぶん,停止中",
    "変更,nobody@people.example,名前,,,",
    "追加,c@people.example,三,,,",
    "追加,C@people.example,三,,,",
  ].join("\r\n");
  const before = (await admin.get("/users?limit=200")).body;
  for (const dry of [true, false]) {
    const reply = await send(csv, dry);
    assert.equal(reply.status, 422);
    assert.deepEqual(places(reply).map((p: any) => p.slice(0, 2)), [[2, 2], [3, 2], [4, 1], [5, 3], [5, 4], [5, 5], [5, 6], [6, 2], [8, 2]]);
  }
  assert.deepEqual((await admin.get("/users?limit=200")).body, before);
  assert.deepEqual(places(await send("操作,役職\n追加,部長")), [[1, 2, "unknown_column"], [1, 0, "no_column"]]);
  assert.equal(rule(await send(new Uint8Array((2 << 20) + 1))), "file_size");
  assert.equal(rule(await send("")), "empty");
  const many = (n: number) => [head, ...Array.from({ length: n }, (_, i) => `追加,many${i}@people.example,${"長い名前".repeat(25)},,,`)].join("\n");
  assert.equal((await send(many(5000))).body.added, 5000);
  assert.equal(rule(await send(many(5001))), "rows");
});

test("when somebody signed in last is told to who administers people alone", async () => {
  const member = await signedIn(demo, 4);
  const seen = async (who: typeof admin) =>
    (await who.get("/users?limit=200")).body.items.filter((u: any) => u.signed_in_at !== null).length;
  assert.ok((await seen(admin)) > 0);
  assert.equal(await seen(member), 0);
});

test("addresses are seen, and searched, by who administers or gives roles; one's own by anybody", async () => {
  const [manager, viewer] = [await signedIn(demo, 1), await signedIn(demo, 9)];
  const own = demo.ready.accounts[9]!.email;
  const all = (await viewer.get("/users?limit=200")).body.items;
  assert.ok(all.length > 5);
  assert.deepEqual(all.map((u: any) => u.email).filter(Boolean), [own]);
  const found = async (who: typeof admin, q: string) => (await who.get(`/users?q=${encodeURIComponent(q)}`)).body.items.map((u: any) => u.name);
  assert.deepEqual(await found(viewer, "sato@kaku"), [], "an address cannot be guessed by searching");
  assert.deepEqual(await found(viewer, "佐藤 健一"), ["佐藤 健一"]);
  for (const who of [admin, manager]) {
    assert.deepEqual(await found(who, "sato@kaku"), ["佐藤 健一"]);
    assert.ok((await who.get("/users?limit=200")).body.items.every((u: any) => u.email));
  }
  const project = (await viewer.get("/programs")).body.projects[0].id;
  const members = async (who: typeof admin) => (await who.get(`/projects/${project}/members`)).body.items.filter((m: any) => m.user).map((m: any) => m.user.email);
  assert.ok((await members(admin)).every(Boolean));
  assert.deepEqual((await members(viewer)).filter((email: any) => email && email !== own), []);
});

test("a list of new people without an action is no list that changes nothing", async () => {
  const reply = await send(`${head}\n,new@people.example,新井 一郎,日本語,いいえ,\n,${me.email},,,,`);
  assert.equal(reply.status, 422);
  assert.deepEqual(places(reply), [[2, 1, "no_action"]]);
});

test("mistakes are told in the words of the file; a comma that was not quoted too", async () => {
  const words = await send(`${head}\n変更,${me.email},,フランス語,maybe,どう`);
  assert.deepEqual(words.body.errors.map((e: any) => [e.column, e.message]), [
    [4, "「日本語」か「英語」にしてください"],
    [5, "「はい」か「いいえ」にしてください"],
    [6, "「有効」か「停止中」にしてください"],
  ]);
  const comma = await send(`${head}\n追加,comma@people.example,営業部, 山田,日本語,いいえ,招待中`);
  assert.equal(comma.status, 422);
  assert.deepEqual(places(comma)[0], [2, 7, "surplus_cell"]);
  const both = await send(`${head}\n追加,comma@people.example,営業部, 山田,日本語,いいえ,招待中\n追加,bad,山田,,,\n追加,fine@people.example,山田,,,\n変更,nobody@people.example,,,,`);
  assert.deepEqual(places(both), [[2, 7, "surplus_cell"], [3, 2, "email"], [5, 2, "not_found"]], "it hides no other mistake");
  assert.equal((await send(`${head}\n追加,comma@people.example,山田,日本語,いいえ,招待中,,`)).status, 200, "empty cells at the end are Excel's");
});

test("a dry run misspelt or asked for twice is refused, not done", async () => {
  const csv = utf8(`${head}\n追加,typo@people.example,人,,,`);
  for (const [query, word] of [["dyr=1", "unknown_parameter"], ["dry=1&dyr=1", "unknown_parameter"], ["dry=1&dry=1", "twice"], ["dry=1&dry=0", "twice"]]) {
    const reply = await admin.post(`/people/imports?${query}`, csv);
    assert.deepEqual([reply.status, rule(reply)], [422, word], query);
  }
  assert.equal(rule(await admin.get("/users?admin=1&admin=0")), "twice");
  assert.equal(await find("typo@people.example"), undefined);
});

test("a file that removes, suspends or demotes its own importer is refused with the line", async () => {
  const cases: [string, number[], string][] = [
    [`削除,${me.email},,,,`, [3, 1], "self"],
    [`変更,${me.email},,,いいえ,`, [3, 5], "self"],
    [`変更,${me.email},,,,停止中`, [3, 6], "self"],
  ];
  for (const [row, place, word] of cases) {
    const reply = await send(`${head}\n追加,x@people.example,人,,,\n${row}`, false);
    assert.equal(reply.status, 422);
    assert.deepEqual(places(reply)[0], [...place, word]);
    assert.ok(places(reply).some((p: any) => p[2] === "last_admin"));
  }
  assert.equal(await find("x@people.example"), undefined);
});

test("people come in by a job, in UTF-8 or CP932, and are invited", async () => {
  const sjis = Uint8Array.of(0x91, 0x80, 0x8d, 0xec); // 操作
  const tail = utf8(",E-mail,Name\nAdd,sjis@people.example,Taro\n");
  const dry = await send(Uint8Array.from([...sjis, ...tail]));
  assert.deepEqual([dry.status, dry.body.dry, dry.body.added], [200, true, 1]);
  assert.equal(await find("sjis@people.example"), undefined);
  const csv = `\ufeff${head}\n追加,new@people.example,新 人,英語,いいえ,\n変更,watase@people.example,渡世 カナコ,,,\n,${me.email},,,,\n`;
  const reply = await send(csv, false);
  assert.equal(reply.status, 202, JSON.stringify(reply.body));
  const job = await finished(reply.body.job);
  assert.deepEqual([job.state, job.done, job.total], ["done", 3, 3]);
  assert.deepEqual(job.result, { added: 1, changed: 1, deleted: 0, kept: 1, errors: [] });
  const person = await find("new@people.example");
  assert.deepEqual([person.state, person.lang], ["invited", "en"]);
  assert.equal((await find("watase@people.example")).name, "渡世 カナコ");
  await admin.waitForMail("new@people.example", /#(\S+)/);
  const gone = await finished((await send(`${head}\n削除,new@people.example,,,,`, false)).body.job);
  assert.equal(gone.result.deleted, 1);
  assert.ok((await admin.get("/jobs")).body.items.some((j: any) => j.id === gone.id));
});

test("the export can be read again and holds no formula", async () => {
  await invite("formula@people.example", '=HYPERLINK("x")');
  const { body, headers } = await admin.get("/people/csv");
  assert.match(headers.get("content-disposition")!, /yagura-people\.csv/);
  assert.match(body, /"'=HYPERLINK\(""x""\)"/);
  const again = await send(body);
  assert.equal(again.status, 200, JSON.stringify(again.body));
  assert.equal(again.body.kept, body.trim().split("\n").length - 1);
  assert.equal((await send(body.replaceAll('\n"",', '\n"変更",'))).status, 200);
  assert.equal((await admin.get("/people/sample")).status, 200);
});

test("only who administers people comes near, and jobs are the own ones", async () => {
  const plain = await signedIn(demo, 3);
  for (const path of ["/people/csv", "/people/sample"]) assert.equal((await plain.get(path)).status, 403);
  assert.equal((await send(`${head}\n追加,y@people.example,人,,,`, false, plain)).status, 403);
  const [mine] = (await admin.get("/jobs")).body.items;
  assert.equal((await plain.get(`/jobs/${mine.id}`)).status, 404);
  assert.equal((await plain.post(`/jobs/${mine.id}/cancel`, undefined)).status, 404);
  assert.deepEqual((await plain.get("/jobs")).body.items, []);
});

test("2,000 people: cancelled none come, and a killed server brings all after its restart", async (t) => {
  const rows = Array.from({ length: 2000 }, (_, i) => `追加,p${i}@mass.example,社員 ${i},,,`);
  const csv = [head, ...rows].join("\n");
  let began = performance.now();
  assert.equal((await send(csv)).body.added, 2000);
  t.diagnostic(`dry run of 2,000 rows ${Math.round(performance.now() - began)} ms`);
  const first = (await send(csv, false)).body.job;
  assert.equal((await admin.post(`/jobs/${first.id}/cancel`, undefined)).status, 202);
  const cancelled = await finished(first);
  assert.equal(cancelled.state, "cancelled");
  assert.equal((await admin.get("/users?q=mass.example")).body.items.length, 0);

  const second = (await send(csv, false)).body.job;
  await demo.stop("SIGKILL");
  demo = await startDemo(demo.dir);
  admin = await signedIn(demo, 0);
  assert.equal((await finished(second)).state, "done");
  began = performance.now();
  let people = 0;
  for (let next: string | null = ""; next !== null; ) {
    const { body }: any = await admin.get(`/users?q=mass&limit=200${next && `&after=${next}`}`);
    people += body.items.length;
    next = body.next;
  }
  t.diagnostic(`list of 2,000 people in pages of 200: ${Math.round(performance.now() - began)} ms`);
  assert.equal(people, 2000);

  began = performance.now();
  const leaving = [head, ...rows.map((row) => row.replace("追加", "削除"))].join("\n");
  assert.equal((await finished((await send(leaving, false)).body.job)).result.deleted, 2000);
  t.diagnostic(`job that deletes 2,000 people ${Math.round(performance.now() - began)} ms`);
  began = performance.now();
  assert.equal((await finished((await send(csv, false)).body.job)).result.added, 2000);
  t.diagnostic(`job that adds 2,000 people ${Math.round(performance.now() - began)} ms`);
});
