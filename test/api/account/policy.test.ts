// SPDX-License-Identifier: Apache-2.0
// The password policy: chosen by the tenant, its age enforced at sign-in.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client, type Demo, removeDir, rule, signedIn, startDemo } from "../server.ts";

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
async function moveTo(days: number) {
  await demo.stop();
  process.env.YAGURA_TEST_CLOCK_S = String(days * DAY);
  demo = await startDemo(demo.dir);
}
const policyOf = async (client: Client) => (await client.get("/security")).body;
const passphrase = "tanuki wa yoru ni odoru";

test("everybody may read the policy in force, only administrators the settings", async () => {
  const policy = (await new Client(demo.ready.url).get("/password-policy")).body;
  assert.deepEqual(
    [policy.profile, policy.min, policy.max, policy.classes, policy.expiry_days, policy.history],
    ["whitepaper", 8, 16, 3, 92, 5],
  );
  const member = await signedIn(demo, 3);
  assert.equal((await member.get("/security")).status, 403);
  assert.equal((await member.patch("/security", { min: 12 }, 1)).status, 403);
});

test("a tenant makes it stricter, never weaker, and the log says so", async () => {
  const admin = await signedIn(demo, 0);
  const before = await policyOf(admin);
  assert.equal(rule(await admin.patch("/security", { min: 7 }, before.version)), "policy_floor");
  assert.equal(rule(await admin.patch("/security", { days: 120 }, before.version)), "policy_floor");
  const stricter = await admin.patch("/security", { min: 12, days: 60 }, before.version);
  assert.equal(stricter.status, 200, JSON.stringify(stricter.body));
  assert.equal(stricter.body.password.min, 12);
  assert.equal((await admin.patch("/security", { min: 13 }, before.version)).status, 412);
  const log = (await admin.get("/operations?kind=security")).body.items[0];
  assert.deepEqual([log.before.min, log.after.min, log.before.days, log.after.days], [8, 12, 92, 60]);
});

test("thirteen days before its end the session tells when, at the end it is over", async () => {
  await moveTo(47);
  const session = (await (await signedIn(demo, 4)).get("/session")).body;
  assert.equal(session.password_expired, false);
  const left = (Date.parse(session.password_expires_at) - Date.now()) / 1000 / DAY - 47;
  assert.ok(left > 12.9 && left <= 13, `${left} days left`);
});

test("an expired password is changed at sign-in, after the code and before anything else", async () => {
  await moveTo(61);
  const account = demo.ready.accounts[4]!;
  const client = new Client(demo.ready.url);
  const first = await client.post("/sign-in", { email: account.email, password: account.password });
  assert.equal(first.body.step, "code");
  const early = await client.post("/sign-in/new-password", { password: "Atarashii-2026" });
  assert.equal(early.status, 401, "the code comes first: who only knows the old password changes nothing");
  const after = await client.signIn(account.email, account.password);
  assert.equal(after.body.step, "password");
  assert.equal((await client.get("/programs")).status, 401);
  assert.equal((await client.get("/sign-in")).body.step, "password");
  assert.equal(rule(await client.post("/sign-in/new-password", { password: "Short-26" })), "password_length");
  assert.equal(rule(await client.post("/sign-in/new-password", { password: account.password })), "password_reused");
  const done = await client.post("/sign-in/new-password", { password: "Atarashii-2026" });
  assert.equal(done.status, 200, JSON.stringify(done.body));
  assert.equal(done.body.user.email, account.email);
  assert.equal((await client.get("/programs")).status, 200);
  await client.waitForMail(account.email, /パスワードが変更されました/);
});

test("profile modern: passphrases, no end, nothing guessable; weaker ones are replaced at sign-in", async () => {
  const account = demo.ready.accounts[0]!;
  const admin = new Client(demo.ready.url);
  await admin.signIn(account.email, account.password);
  await admin.post("/sign-in/new-password", { password: "Atarashii-2026" });
  const chosen = await admin.patch("/security", { profile: "modern" }, (await policyOf(admin)).version);
  assert.deepEqual([chosen.body.password.min, chosen.body.password.max, chosen.body.password.days], [15, 128, 0]);
  const change = (password: string) => admin.post("/me/password", { current: "Atarashii-2026", password });
  assert.equal(rule(await change("Password12345678")), "password_common");
  assert.equal(rule(await change("tanuki-26")), "password_length");
  const again = new Client(demo.ready.url);
  const step = await again.signIn(account.email, "Atarashii-2026");
  assert.equal(step.body.step, "password", "what was good enough yesterday is not today");
  assert.equal((await again.post("/sign-in/new-password", { password: passphrase })).status, 200);
  assert.equal((await again.get("/session")).body.password_expires_at, null);
  await moveTo(1000);
  assert.equal((await signedInWith(account.email, passphrase)).status, 200);
});

async function signedInWith(email: string, password: string) {
  const client = new Client(demo.ready.url);
  await client.signIn(email, password);
  return client.get("/session");
}
