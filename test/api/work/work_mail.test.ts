// SPDX-License-Identifier: Apache-2.0
// Mails that tell a person of work: whom they reach, what they say, and who
// gets none.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { addProject, Client, type Demo, removeDir, signedIn, startDemo } from "../server.ts";

let demo: Demo;
let admin: Client;
let member: Client;
let project: any;
let me: { id: string; email: string; name: string };
before(async () => {
  demo = await startDemo();
  admin = await signedIn(demo, 0);
  member = await signedIn(demo, 3);
  me = (await member.get("/session")).body.user;
  project = await addProject(admin, "NOTI");
  await grant("member");
});
after(async () => {
  await demo.stop();
  removeDir(demo);
});
const grant = (role: string) => admin.request("PUT", `/projects/${project.id}/members/${me.id}`, { role });
const make = async (fields: object) => (await admin.post(`/projects/${project.id}/tickets`, { subject: "極秘の件名", classification: "task", ...fields })).body;
const mails = async (to: string, pattern: RegExp): Promise<any[]> => (await admin.get("/demo/mail")).body.items.filter((m: any) => m.to === to && pattern.test(m.subject + m.text));
/** Everything written before this has left when a later mail has arrived. */
async function settled() {
  const email = `mark${Math.random().toString(36).slice(2)}@kaku.example`;
  await admin.post("/users", { email, name: "目印" });
  await admin.waitForMail(email, /link#/);
}

test("who is assigned hears of it once, by key and link, without the subject", async () => {
  const one = await make({ assignees: [me.id] });
  const [text] = await admin.waitForMail(me.email, new RegExp(`[\\s\\S]*/tickets/NOTI-${one.no ?? 1}\\b[\\s\\S]*`));
  assert.ok(text.includes("担当に設定しました"));
  assert.equal(text.includes("極秘"), false, "no business data in a mail");
  await admin.patch(`/tickets/${one.id}`, { priority: "high", assignees: [me.id] }, one.version);
  await settled();
  assert.equal((await mails(me.email, /NOTI-1\b/)).length, 1, "assigned before: nothing new");
});

test("many at once make one mail; what one assigns to oneself makes none", async () => {
  const edits = Array.from({ length: 25 }, (_, i) => ({ op: "create", ref: `r${i}`, subject: `案件${i}`, classification: "task", assignees: [me.id] }));
  const reply = await admin.post(`/projects/${project.id}/edits`, { edits });
  assert.equal(reply.status, 200, JSON.stringify(reply.body));
  await settled();
  const found = await mails(me.email, /\+24/);
  assert.equal(found.length, 1);
  assert.match(found[0].text, /… \+5/);
  const before = (await mails(me.email, /担当に設定/)).length;
  await member.post(`/projects/${project.id}/tickets`, { subject: "自分で", classification: "task", assignees: [me.id] });
  await settled();
  assert.equal((await mails(me.email, /担当に設定/)).length, before);
});

test("a comment reaches who is assigned and who reported, not who wrote it", async () => {
  const mine = (await member.post(`/projects/${project.id}/tickets`, { subject: "報告", classification: "task" })).body;
  const boss = (await admin.get("/session")).body.user;
  const theirs = await make({ assignees: [me.id] });
  await admin.post(`/tickets/${mine.id}/comments`, { body: "秘密の返事" });
  await member.post(`/tickets/${theirs.id}/comments`, { body: "了解" });
  await settled();
  const [mail] = await mails(me.email, /コメント/);
  assert.ok(mail.text.includes(mine.key ?? "NOTI-"));
  assert.equal(mail.text.includes("秘密の返事"), false);
  assert.equal((await mails(me.email, /コメント/)).length, 1, "one's own comment tells nobody oneself");
  assert.equal((await mails(boss.email, /コメント/)).length, 1, "the reporter");
});

test("switched off on the account page, none comes", async () => {
  assert.deepEqual((await member.get("/me/notifications")).body, { assigned: true, commented: true, due: false });
  assert.deepEqual((await member.request("PATCH", "/me/notifications", { commented: false })).body, { assigned: true, commented: false, due: false });
  const ticket = await make({ assignees: [me.id] });
  const count = async () => [(await mails(me.email, /担当に設定/)).length, (await mails(me.email, /コメント/)).length];
  await settled();
  const [assigned, commented] = await count();
  await admin.post(`/tickets/${ticket.id}/comments`, { body: "x" });
  await member.request("PATCH", "/me/notifications", { assigned: false });
  await make({ assignees: [me.id] });
  await settled();
  assert.deepEqual(await count(), [assigned, commented]);
  await member.request("PATCH", "/me/notifications", { assigned: true, commented: true });
});

test("who may no longer see the project gets no mail about it, nor who is suspended", async () => {
  const ticket = await make({ assignees: [me.id] });
  await settled();
  const before = (await mails(me.email, /NOTI-/)).length;
  assert.equal((await admin.delete(`/projects/${project.id}/members/${me.id}`)).status, 204);
  await admin.post(`/tickets/${ticket.id}/comments`, { body: "もう見えない" });
  await settled();
  assert.equal((await mails(me.email, /NOTI-/)).length, before);
  await grant("member");
  const { version } = (await admin.get(`/users/${me.id}`)).body;
  await admin.patch(`/users/${me.id}`, { state: "suspended" }, version);
  await admin.post(`/tickets/${ticket.id}/comments`, { body: "停止中" });
  await settled();
  assert.equal((await mails(me.email, /NOTI-/)).length, before);
});
