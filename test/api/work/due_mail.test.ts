// SPDX-License-Identifier: Apache-2.0
// The morning's mail: once a day, to who wants it, of what the person sees.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { addProject, type Client, type Demo, removeDir, signedIn, startDemo } from "../server.ts";

const DAY = 86400;
let demo: Demo;
before(async () => {
  demo = await startDemo();
});
after(async () => {
  delete process.env.YAGURA_TEST_CLOCK_S;
  await demo.stop();
  removeDir(demo);
});
/** Starts again n days later, at this hour in Japan. */
async function moveTo(days: number, hour: number) {
  await demo.stop();
  const now = Date.now() / 1000 + 9 * 3600;
  process.env.YAGURA_TEST_CLOCK_S = String(Math.floor((Math.floor(now / DAY) + days) * DAY + hour * 3600 - now));
  demo = await startDemo(demo.dir);
}
const dayIn = (n: number) => new Date(Date.now() + 9 * 3600e3 + n * DAY * 1000).toISOString().slice(0, 10);
const mails = async (client: Client, to: string): Promise<any[]> => (await client.get("/demo/mail")).body.items.filter((m: any) => m.to === to && /期限の近い/.test(m.subject));
/** What was written before has left when a later mail has. */
async function settled(client: Client) {
  const email = `mark${Math.random().toString(36).slice(2)}@kaku.example`;
  await client.post("/users", { email, name: "目印" });
  await client.waitForMail(email, /link#/);
}

test("at seven, once, with what ends soon or is late and may be seen", async () => {
  const [admin, member, silent] = [await signedIn(demo, 0), await signedIn(demo, 3), await signedIn(demo, 4)];
  const people = await Promise.all([member, silent].map(async (c) => (await c.get("/session")).body.user));
  const [open, closed] = [await addProject(admin, "DUEA"), await addProject(admin, "DUEB")];
  for (const p of [open, closed]) for (const u of people) await admin.request("PUT", `/projects/${p.id}/members/${u.id}`, { role: "member" });
  const make = (p: any, subject: string, end: number) =>
    admin.post(`/projects/${p.id}/tickets`, { subject, classification: "task", planned_start: dayIn(-5), planned_end: dayIn(end), assignees: people.map((u) => u.id) });
  for (const [p, subject, end] of [[open, "秘密の遅れ", -1], [open, "間もなく", 3], [open, "まだ先", 9], [closed, "見えない", 1]] as const) assert.equal((await make(p, subject, end)).status, 201);
  await member.request("PATCH", "/me/notifications", { due: true });
  assert.equal((await admin.delete(`/projects/${closed.id}/members/${people[0].id}`)).status, 204);

  await moveTo(1, 3);
  const early = await signedIn(demo, 0);
  await settled(early);
  assert.equal((await mails(early, people[0].email)).length, 0, "not at three in the morning");
  await moveTo(1, 8);
  const later = await signedIn(demo, 0);
  const [text] = await later.waitForMail(people[0].email, /[^]*\/tickets\/DUEA-1\n[^]*/);
  assert.match(text, /DUEA-1 \(!\)/);
  assert.match(text, /DUEA-2 /);
  assert.doesNotMatch(text, /DUEA-3|DUEB|秘密/);
  await settled(later);
  assert.equal((await mails(later, people[1].email)).length, 0, "who did not ask for it gets none");
  await moveTo(1, 9);
  const again = await signedIn(demo, 0);
  await settled(again);
  assert.equal((await mails(again, people[0].email)).length, 0, "once a day, restart or not");
  await moveTo(2, 8);
  const next = await signedIn(demo, 0);
  await next.waitForMail(people[0].email, /DUEA-1 \(!\)/);
});

test("a password that ends within a week is told of by mail, once, in the person's language", async () => {
  await moveTo(80, 8);
  let admin = await signedIn(demo, 0);
  const { email } = demo.ready.accounts[5]!;
  const told = async () => (await admin.get("/demo/mail")).body.items.filter((m: any) => m.to === email && /有効期限/.test(m.subject)).length;
  await settled(admin);
  assert.equal(await told(), 0, "twelve days before is too early");
  await moveTo(86, 8);
  admin = await signedIn(demo, 0);
  const [text] = await admin.waitForMail(email, /[^]*有効期限は \d{4}-\d\d-\d\d です[^]*/);
  assert.match(text, /マイアカウント/);
  assert.doesNotMatch(text, /https?:/);
  await moveTo(87, 8);
  admin = await signedIn(demo, 0);
  await settled(admin);
  assert.equal(await told(), 0, "once a password");
});
