// SPDX-License-Identifier: Apache-2.0
// Enquiries: a customer asks, the operator's desk answers; the thread stays in
// the tenant's file, mails carry its number and a link alone.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, test } from "node:test";
import { type Answer, Client, type Demo, removeDir, rule, signedIn, signedInOperator, startDemo } from "../server.ts";

let demo: Demo;
let oper: Client;
let admin: Client;
let member: Client;
let other: Client;
before(async () => {
  demo = await startDemo();
  oper = await signedInOperator(demo);
  admin = await signedIn(demo, 0);
  member = await signedIn(demo, 5);
  other = await signedIn(demo, 6);
});
after(async () => {
  await demo.stop();
  removeDir(demo);
});

const ok = async (reply: Promise<Answer>): Promise<any> => {
  const { status, body } = await reply;
  assert.ok(status < 300, `${status} ${JSON.stringify(body)}`);
  return body;
};
const ask = (who: Client, fields: object = {}) => ok(who.post("/enquiries", { category: "support", subject: "秘密の件名", body: "秘密の本文", ...fields }));
const thread = (id: string) => `/desk/threads/kaku/${id}`;
const mails = async (to: string) => (await oper.get("/demo/mail")).body.items.filter((m: any) => m.to === to);
const jst = (days = 0) => new Date(Date.now() + 9 * 3_600_000 + days * 86_400_000).toISOString().slice(0, 10);

test("a question, an answer, a question again, closed by who asked", async () => {
  const it = await ask(member);
  assert.deepEqual([it.state, it.answered_at, it.messages.length, it.messages[0].body], ["open", null, 1, "秘密の本文"]);
  assert.equal(Date.parse(it.due_at) - Date.parse(it.opened_at), 48 * 3_600_000);

  const [row] = (await oper.get("/desk?tenant=kaku")).body.items;
  assert.deepEqual([row.enquiry, row.category, row.state, row.is_overdue], [it.id, "support", "open", false]);
  assert.ok(!JSON.stringify(row).includes("秘密"));
  const to = demo.ready.operator.email;
  const [link] = await oper.waitForMail(to, /\/operator\/desk\/kaku\/\d+/);
  assert.ok(link.endsWith(`/operator/desk/kaku/${it.id}`));

  const answered = await ok(oper.post(`${thread(it.id)}/messages`, { body: "秘密の回答" }));
  assert.equal(answered.state, "answered");
  assert.equal(answered.messages[1].author, demo.ready.operator.name);
  const account = demo.ready.accounts[5]!;
  const [where] = await oper.waitForMail(account.email, /http\S+\/enquiries\/\d+/);
  assert.ok(where.endsWith(`/enquiries/${it.id}`));
  for (const mail of [...(await mails(to)), ...(await mails(account.email))]) assert.ok(!`${mail.subject}${mail.text}`.includes("秘密"));

  const seen = (await member.get(`/enquiries/${it.id}`)).body;
  assert.deepEqual([seen.due_at, seen.messages[1].body, seen.messages[1].is_desk], [null, "秘密の回答", true]);
  const again = await ok(member.post(`/enquiries/${it.id}/messages`, { body: "もう一つ" }));
  assert.deepEqual([again.state, again.answered_at], ["open", answered.answered_at]);
  assert.equal(rule(await member.post(`/enquiries/${it.id}/close`, undefined, { "If-Match": '"1"' })), "stale");
  const closed = await ok(member.post(`/enquiries/${it.id}/close`, undefined, { "If-Match": `"${again.version}"` }));
  assert.deepEqual([closed.state, closed.due_at], ["closed", null]);
  assert.equal((await oper.get("/desk?state=closed")).body.items[0].enquiry, it.id);

  const { items } = (await admin.get("/operations?kind=enquiry")).body;
  assert.deepEqual(items.filter((row: any) => row.object_id === it.id).map((row: any) => row.action), ["close", "ask", "answer", "create"]);
  assert.equal(items[2].user.name, `desk: ${demo.ready.operator.name}`);
  assert.deepEqual([items[0].before.state, items[0].after.state], ["open", "closed"]);
  const [own] = (await oper.get("/operations?kind=enquiry")).body.items;
  assert.deepEqual([own.action, own.object_name], ["answer", `kaku #${it.id}`]);
});

test("one sees one's own threads, administrators all of the tenant's", async () => {
  const it = await ask(member, { category: "event" });
  await oper.waitForMail(demo.ready.operator.email, new RegExp(`#${it.id} が回答を待っています。\n種別: 出来事の報告\n`));
  assert.ok((await mails(demo.ready.operator.email)).some((m: any) => m.subject === `【櫓】お問い合わせ（出来事の報告） kaku #${it.id}`));
  assert.equal((await other.get(`/enquiries/${it.id}`)).status, 404);
  assert.equal((await other.post(`/enquiries/${it.id}/messages`, { body: "x" })).status, 404);
  assert.ok(!(await other.get("/enquiries")).body.items.some((x: any) => x.id === it.id));
  assert.ok((await admin.get("/enquiries?state=open")).body.items.some((x: any) => x.id === it.id));
  for (const category of ["property", "disclosure", "audit", "access_log"])
    assert.equal(rule(await member.post("/enquiries", { category, subject: "x", body: "x", from: jst(), to: jst() })), "category");
  assert.equal((await ask(admin, { category: "audit" })).category, "audit");
  assert.equal((await new Client(demo.ready.url).get("/enquiries")).status, 401);
  assert.equal((await admin.get("/desk")).status, 404); // the operator's
});

test("files hang on one's own message and leave only as downloads", async () => {
  const it = await ask(member);
  const message = it.messages[0].id;
  const bytes = new Uint8Array(600_000).map((_, i) => i * 7);
  const name = "画面 <script>.html";
  const up = (who: Client, query: string, data: Uint8Array = bytes) => who.post(`/enquiries/${it.id}/files?${query}`, data);
  const file = await ok(up(member, `message=${message}&name=${encodeURIComponent(name)}`));
  assert.equal(file.sha256, createHash("sha256").update(bytes).digest("hex"));
  assert.equal((await up(admin, `message=${message}&name=x`)).status, 404); // not hers
  assert.equal((await up(other, `message=${message}&name=x`)).status, 404);
  assert.equal(rule(await up(member, `message=${message}&name=x`, new Uint8Array())), "empty");
  assert.equal((await up(member, `message=${message}`)).status, 422);
  assert.equal((await up(member, `message=${message}&name=x`, new Uint8Array(10 * 1024 * 1024 + 1))).status, 413);

  const read = async (base: string, who: Client, path: string) => {
    const cookie = [...who.cookies].map(([k, v]) => `${k}=${v}`).join("; ");
    return fetch(`${base}/api/v1${path}`, { headers: { Cookie: cookie } });
  };
  for (const [base, who, path] of [
    [demo.ready.url, member, `/enquiries/${it.id}/files/${file.id}`],
    [demo.ready.console, oper, `${thread(it.id)}/files/${file.id}`],
  ] as const) {
    const reply = await read(base, who, path);
    assert.deepEqual(Buffer.from(await reply.arrayBuffer()), Buffer.from(bytes));
    assert.equal(reply.headers.get("content-type"), "application/octet-stream");
    assert.equal(reply.headers.get("x-content-type-options"), "nosniff");
    assert.equal(reply.headers.get("content-disposition"), `attachment; filename="file"; filename*=UTF-8''${encodeURIComponent(name)}`);
  }
  assert.equal((await read(demo.ready.url, other, `/enquiries/${it.id}/files/${file.id}`)).status, 404);
  const second = await ask(other);
  assert.equal((await read(demo.ready.url, other, `/enquiries/${second.id}/files/${file.id}`)).status, 404); // of another thread
  const answer = await ok(oper.post(`${thread(it.id)}/messages`, { body: "手順書です" }));
  const desk = await ok(oper.post(`${thread(it.id)}/files?message=${answer.messages[1].id}&name=howto.txt`, new TextEncoder().encode("hello")));
  assert.equal((await member.get(`/enquiries/${it.id}`)).body.messages[1].files[0].id, desk.id);
});

test("mail that came is entered with its sender and time", async () => {
  const mail = { tenant: "kaku", category: "event", subject: "不審なサインイン", sender: demo.ready.accounts[5]!.email, sent_on: jst(-1), sent_minute: 555, body: "届いたメール" };
  const it = await ok(oper.post("/desk/mail", mail));
  assert.equal(it.user, demo.ready.accounts[5]!.name);
  const seen = (await member.get(`/enquiries/${it.id}`)).body;
  assert.equal(seen.messages[0].sender, mail.sender);
  assert.equal(Date.parse(seen.messages[0].sent_at), Date.parse(`${jst(-1)}T09:15:00+09:00`));
  const more = await ok(oper.post("/desk/mail", { ...mail, enquiry: it.id, body: "続き" }));
  assert.deepEqual([more.id, more.messages.length], [it.id, 2]);
  const stranger = await ok(oper.post("/desk/mail", { ...mail, sender: "dare@example.org" }));
  assert.equal(stranger.user, "dare@example.org");
  assert.equal((await admin.get(`/enquiries/${stranger.id}`)).status, 200);
  assert.equal((await member.get(`/enquiries/${stranger.id}`)).status, 404);
  assert.equal(rule(await oper.post("/desk/mail", { ...mail, sent_on: jst(2) })), "future");
  assert.equal((await oper.post("/desk/mail", { ...mail, tenant: "nowhere" })).status, 404);
  await ok(oper.post(`${thread(stranger.id)}/messages`, { body: "回答" })); // who asked signs in nowhere: the administrators are told
  await oper.waitForMail(demo.ready.accounts[0]!.email, new RegExp(`/enquiries/${stranger.id}\\b`));
});

test("the desk's list by category and lateness; how long answers take", async () => {
  const list = (await oper.get("/desk?category=event")).body.items;
  assert.ok(list.length >= 3 && list.every((row: any) => row.category === "event"));
  assert.deepEqual((await oper.get("/desk?overdue=true")).body.items, []);
  const page = (await oper.get("/desk?limit=2")).body;
  const next = (await oper.get(`/desk?limit=2&after=${page.next}`)).body;
  assert.equal(new Set([...page.items, ...next.items].map((row) => row.id)).size, 4);
  const sum = (await oper.get("/desk/summary")).body;
  const all = (await oper.get("/desk?limit=200")).body.items;
  assert.equal(sum.open, all.filter((row: any) => row.state === "open").length);
  assert.equal(sum.answers, all.filter((row: any) => row.answered_at).length);
  assert.equal(sum.overdue, 0);
});

test("what the desk promises is the operator's to set", async () => {
  const setting = { answer_hours: 24, contact_ja: "法務部 知財担当", contact_en: "Legal, IP" };
  const put = (version: number) => oper.request("PUT", "/desk/setting", setting, { "If-Match": `"${version}"` });
  const { version } = await ok(oper.get("/desk/setting"));
  assert.equal((await ok(put(version))).version, version + 1);
  assert.equal((await put(version)).status, 412);
  assert.deepEqual((await member.get("/enquiries/contact")).body, { answer_hours: 24, property_contact: "法務部 知財担当" });
  const it = await ask(member);
  assert.equal(Date.parse(it.due_at) - Date.parse(it.opened_at), 24 * 3_600_000);
  const [row] = (await oper.get("/operations?kind=desk_setting")).body.items;
  assert.deepEqual([row.before.answer_hours, row.after.answer_hours], [48, 24]);
});

test("an auditor reads the desk and writes nothing", async () => {
  const [email, password] = ["audit@example.jp", "Unyou-2026"];
  await oper.post("/operators", { email, name: "監査 花子", role: "auditor" });
  const [, token] = await oper.waitForMail(email, /\/operator\/link#([\w-]{43})/);
  await new Client(demo.ready.console).post("/links/accept", { token, password });
  const auditor = await signedInOperator(demo, { email, password });
  const [row] = (await auditor.get("/desk")).body.items;
  assert.equal((await auditor.get(thread(row.enquiry))).status, 200);
  assert.equal((await auditor.post(`${thread(row.enquiry)}/messages`, { body: "x" })).status, 403);
  assert.equal((await auditor.post("/desk/mail", {})).status, 403);
});

test("the access log of some days is asked for, released with its proof, or refused", async () => {
  const asked = { category: "access_log", subject: "9月の記録", from: jst(-1), to: jst(), format: "ndjson" };
  assert.equal(rule(await admin.post("/enquiries", { ...asked, body: "監査", from: undefined })), "required");
  assert.equal(rule(await admin.post("/enquiries", { ...asked, body: "監査", from: jst(), to: jst(-1) })), "order");
  const elsewhere = await admin.post("/enquiries", { category: "disclosure", subject: "開示", body: "本文", from: jst(-1), to: jst() });
  assert.deepEqual([elsewhere.status, elsewhere.body.errors[0].field, rule(elsewhere)], [422, "from", "category"], "days are not dropped in silence");
  const it = await ask(admin, asked);
  assert.deepEqual([it.from, it.to, it.decision], [jst(-1), jst(), "none"]);
  const done = await ok(oper.post(`${thread(it.id)}/release`, { body: "開示します" }));
  assert.deepEqual([done.decision, done.state], ["released", "answered"]);
  const [file] = done.messages[1].files;
  const log = await admin.get(`/enquiries/${it.id}/files/${file.id}`);
  assert.equal(log.status, 200);
  const lines = log.body.trim().split("\n").map((line: string) => JSON.parse(line));
  assert.ok(lines.some((line: any) => line.route === "/api/v1/sign-in/code"));
  assert.ok(lines.at(-1).signature, JSON.stringify(lines.at(-1)));
  assert.equal((await member.get(`/enquiries/${it.id}/files/${file.id}`)).status, 404);
  for (const step of ["release", "refuse"]) assert.equal(rule(await oper.post(`${thread(it.id)}/${step}`, { body: "x" })), "decided");

  const second = await ask(admin, asked);
  const refused = await ok(oper.post(`${thread(second.id)}/refuse`, { body: "対象外です" }));
  assert.deepEqual([refused.decision, refused.messages[1].body, refused.messages[1].files], ["refused", "対象外です", []]);
  const actions = (await admin.get("/operations?kind=enquiry")).body.items.map((row: any) => row.action);
  assert.deepEqual(actions.slice(0, 5), ["refuse", "create", "attach", "release", "create"]);
  const own = (await oper.get("/operations?kind=enquiry")).body.items.map((row: any) => row.action);
  assert.deepEqual(own.slice(0, 2), ["refuse", "release"]);
  const plain = await ask(admin);
  assert.equal(rule(await oper.post(`${thread(plain.id)}/release`, { body: "x" })), "not_request");
});

test("nobody fills the desk: thirty open threads a person", async () => {
  let reply: Answer;
  do reply = await other.post("/enquiries", { category: "support", subject: "x", body: "x" });
  while (reply.status === 201);
  assert.equal(rule(reply), "enquiries");
  assert.equal((await other.get("/enquiries?state=open&limit=200")).body.items.length, 30);
});
