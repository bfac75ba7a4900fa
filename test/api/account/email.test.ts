// SPDX-License-Identifier: Apache-2.0
// A new address: both mailboxes agree before it counts.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client, type Demo, removeDir, rule, signedIn, startDemo } from "../server.ts";

let demo: Demo;
let admin: Client;
before(async () => {
  demo = await startDemo();
  admin = await signedIn(demo, 0);
});
after(async () => {
  delete process.env.YAGURA_TEST_CLOCK_S;
  await demo.stop();
  removeDir(demo);
});
const nobody = () => new Client(demo.ready.url);
const link = /\/email#(\S+)/;
async function linkTo(address: string, unlike: string[] = []): Promise<string> {
  for (;;) {
    const mails = (await admin.get("/demo/mail")).body.items.filter((m: any) => m.to === address);
    for (const mail of mails) {
      const token = mail.text.match(link)?.[1];
      if (token && !unlike.includes(token)) return token;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
const step = (name: string, token: string) => nobody().post(`/email-links/${name}`, { token });
const emailOf = async (client: Client) => (await client.get("/session")).body.user.email;

test("nothing changes before the new mailbox confirmed and the old one allowed it", async () => {
  const account = demo.ready.accounts[3]!;
  const person = await signedIn(demo, 3);
  assert.equal((await person.post("/me/email", { email: "shin@kaku.example" })).status, 202);
  const [old, fresh] = [await linkTo(account.email), await linkTo("shin@kaku.example")];
  const check = (await step("check", fresh)).body;
  assert.deepEqual([check.side, check.email, check.needs_old], ["new", "shin@kaku.example", true]);
  assert.equal((await step("confirm", fresh)).body.done, false);
  assert.equal(await emailOf(person), account.email);
  assert.equal(rule(await step("confirm", fresh)), "link", "a link works once");
  assert.deepEqual((({ new_done, old_done }) => [new_done, old_done])((await person.get("/me/email")).body), [true, false]);
  assert.equal((await step("confirm", old)).body.done, true);
  assert.equal(await emailOf(person), "shin@kaku.example");
  assert.equal((await person.get("/me/email")).body.email, null);
  for (const token of [old, fresh]) assert.equal(rule(await step("confirm", token)), "link");
  await admin.waitForMail(account.email, /メールアドレスが変更されました/);
  const again = new Client(demo.ready.url);
  assert.equal((await again.signIn("shin@kaku.example", account.password)).status, 200);
  assert.equal((await nobody().post("/sign-in", { email: account.email, password: account.password })).status, 401);
  const log = (await admin.get("/operations?kind=user&action=update")).body.items[0];
  assert.deepEqual([log.before.email, log.after.email], [account.email, "shin@kaku.example"]);
});

test("the old mailbox stops it; a newer wish replaces the older; one may give it up", async () => {
  const account = demo.ready.accounts[4]!;
  const person = await signedIn(demo, 4);
  await person.post("/me/email", { email: "first@kaku.example" });
  const [old, fresh] = [await linkTo(account.email), await linkTo("first@kaku.example")];
  assert.equal((await step("cancel", old)).status, 204);
  for (const token of [old, fresh]) assert.equal(rule(await step("confirm", token)), "link");
  await person.post("/me/email", { email: "second@kaku.example" });
  const second = await linkTo("second@kaku.example");
  await person.post("/me/email", { email: "third@kaku.example" });
  const third = await linkTo("third@kaku.example");
  assert.equal(rule(await step("confirm", second)), "link");
  assert.equal((await step("check", third)).status, 200);
  assert.equal((await person.delete("/me/email")).status, 204);
  assert.equal(rule(await step("confirm", third)), "link");
  assert.equal(await emailOf(person), account.email);
  assert.equal(rule(await person.post("/me/email", { email: "fourth@kaku.example" })), "throttled", "nobody is flooded with mails");
});

test("no address twice, none that is no address, not one's own", async () => {
  const person = await signedIn(demo, 5);
  const taken = demo.ready.accounts[0]!.email.toUpperCase();
  assert.equal(rule(await person.post("/me/email", { email: taken })), "email_taken");
  assert.equal(rule(await person.post("/me/email", { email: "nobody" })), "email");
  assert.equal(rule(await person.post("/me/email", { email: demo.ready.accounts[5]!.email })), "same");
  // taken meanwhile
  await person.post("/me/email", { email: "both@kaku.example" });
  const [old, fresh] = [await linkTo(demo.ready.accounts[5]!.email), await linkTo("both@kaku.example")];
  assert.equal((await admin.post("/users", { email: "both@kaku.example", name: "二人目" })).status, 201);
  assert.equal((await step("confirm", old)).body.done, false);
  assert.deepEqual([(await step("confirm", fresh)).status, rule(await step("confirm", fresh))], [409, "email_taken"]);
});

test("asked for by an administrator of people, the new mailbox is enough; the old one is told and may stop it", async () => {
  const account = demo.ready.accounts[5]!;
  const person = await signedIn(demo, 5);
  const id = (await person.get("/session")).body.user.id;
  assert.equal((await person.post(`/users/${id}/email`, { email: "x@kaku.example" })).status, 403);
  const before = [await linkTo(account.email)];
  assert.equal((await admin.post(`/users/${id}/email`, { email: "office@kaku.example" })).status, 202);
  const [old, fresh] = [await linkTo(account.email, before), await linkTo("office@kaku.example")];
  assert.equal((await step("check", old)).body.needs_old, false);
  assert.equal((await step("cancel", old)).status, 204);
  assert.equal(rule(await step("confirm", fresh)), "link");
  await admin.post(`/users/${id}/email`, { email: "office2@kaku.example" });
  assert.equal((await step("confirm", await linkTo("office2@kaku.example"))).body.done, true);
  assert.equal(await emailOf(person), "office2@kaku.example");
});

test("who never came yet gets the new address at once, and the invitation there", async () => {
  const made = (await admin.post("/users", { email: "typo@kaku.exmaple", name: "新人" })).body;
  assert.equal((await admin.post(`/users/${made.id}/email`, { email: "shinjin@kaku.example" })).status, 202);
  assert.equal((await admin.get(`/users/${made.id}`)).body.email, "shinjin@kaku.example");
  const [, token] = await admin.waitForMail("shinjin@kaku.example", /\/link#(\S+)/);
  assert.equal((await nobody().post("/links/check", { token })).status, 200);
});

test("asking wants a fresh sign-in; a link is over after 24 hours", async () => {
  const person = await signedIn(demo, 2);
  await person.post("/me/email", { email: "late@kaku.example" });
  const token = await linkTo("late@kaku.example");
  await demo.stop();
  process.env.YAGURA_TEST_CLOCK_S = String(15 * 60);
  demo = await startDemo(demo.dir);
  const later = Object.assign(new Client(demo.ready.url), { cookies: person.cookies });
  assert.equal(rule(await later.post("/me/email", { email: "x@kaku.example" })), "fresh_sign_in");
  assert.equal((await step("check", token)).status, 200);
  await demo.stop();
  process.env.YAGURA_TEST_CLOCK_S = String(86400 + 60);
  demo = await startDemo(demo.dir);
  assert.equal(rule(await step("confirm", token)), "link");
});
