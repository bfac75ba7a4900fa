// SPDX-License-Identifier: Apache-2.0
// The authenticator app: on top of the mailed code in profile whitepaper, in
// its place in profile modern; recovery codes; the tenant's switches.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
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

const secrets = new Map<number, Buffer>();
function base32(text: string): Buffer {
  const bits = [...text].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  return Buffer.from(bits.match(/.{8}/g)!.map((b) => parseInt(b, 2)));
}
/** What the app shows; `steps` later. */
function totp(secret: Buffer, steps = 0): string {
  const counter = Buffer.alloc(8);
  const ahead = Number(process.env.YAGURA_TEST_CLOCK_S ?? 0);
  counter.writeBigInt64BE(BigInt(Math.floor((Date.now() / 1000 + ahead) / 30) + steps));
  const mac = createHmac("sha1", secret).update(counter).digest();
  return String((mac.readUInt32BE(mac[19]! & 15) & 0x7fffffff) % 1e6).padStart(6, "0");
}
async function addTotp(client: Client, n: number) {
  const offer = await client.post("/me/factors/totp", {});
  assert.equal(offer.status, 200, JSON.stringify(offer.body));
  secrets.set(n, base32(offer.body.secret));
  assert.equal((await client.post("/me/factors/totp/confirm", { code: totp(secrets.get(n)!, -1) })).status, 204);
  return offer.body;
}
async function setPolicy(fields: object) {
  const { version } = (await admin.get("/security")).body;
  const reply = await admin.patch("/security", fields, version);
  assert.equal(reply.status, 200, JSON.stringify(reply.body));
}
/** The code in the mail that this brings. */
async function mailedBy(client: Client, email: string, work: () => Promise<unknown>): Promise<string> {
  const codes = async () => (await client.get("/demo/mail")).body.items.flatMap((m: any) => (m.to === email && m.text.match(/\n {4}(\d{8})\n/)?.[1]) || []);
  const old = new Set<string>(await codes());
  await work();
  for (;;) {
    const fresh = (await codes()).find((code: string) => !old.has(code));
    if (fresh) return fresh;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
const give = (client: Client, code: string) => client.post("/sign-in/totp", { code });

test("the secret is offered, confirmed by a code, never shown again; its owner is told", async () => {
  const client = await signedIn(demo, 1);
  const account = demo.ready.accounts[1]!;
  const refused = await client.post("/me/factors/totp", {});
  const wrong = await client.post("/me/factors/totp/confirm", { code: "000000" });
  assert.equal(rule(wrong), "factor_code");
  assert.deepEqual((await client.get("/me/factors")).body.items, [], "an offer is not in use");
  const offer = await addTotp(client, 1);
  assert.notEqual(offer.secret, refused.body.secret);
  assert.match(offer.uri, /^otpauth:\/\/totp\/Yagura%20kaku:.*&issuer=Yagura%20kaku$/);
  const list = await client.get("/me/factors");
  assert.deepEqual([list.body.items[0].kind, list.body.items[0].name], ["totp", "認証アプリ"]);
  assert.ok(!JSON.stringify(list.body).includes(offer.secret));
  assert.equal(rule(await client.post("/me/factors/totp", {})), "factor_exists");
  const [mail] = await client.waitForMail(account.email, /サインインの方法が追加されました[^]*/);
  assert.ok(!mail!.includes(offer.secret));
  const log = (await admin.get("/operations?action=add_factor")).body.items[0];
  assert.deepEqual([log.user.name, log.after], [account.name, { kind: "totp" }]);
});

test("whitepaper: password, mailed code, and then the app; a code works once", async () => {
  const account = demo.ready.accounts[1]!;
  const client = new Client(demo.ready.url);
  const half = await client.signIn(account.email, account.password);
  assert.deepEqual([half.status, half.body.step, half.body.totp, half.body.is_choice], [200, "factor", true, false]);
  assert.equal((await client.get("/programs")).status, 401);
  assert.equal(rule(await client.post("/sign-in/resend", {})), "code_expired");
  const code = totp(secrets.get(1)!);
  const wrong = await give(client, code === "000000" ? "000001" : "000000");
  assert.deepEqual([wrong.status, rule(wrong), wrong.body.tries_left], [401, "code", 4]);
  assert.equal((await give(client, code)).status, 200);
  assert.equal((await client.get("/programs")).status, 200);
  const again = new Client(demo.ready.url);
  await again.signIn(account.email, account.password);
  assert.equal(rule(await give(again, code)), "code", "the same code a second time");
  assert.equal((await give(again, totp(secrets.get(1)!, 1))).status, 200, "the next one is fine");
});

test("the app does not save the mailed code in whitepaper", async () => {
  const account = demo.ready.accounts[2]!;
  await addTotp(await signedIn(demo, 2), 2);
  const client = new Client(demo.ready.url);
  const first = await client.post("/sign-in", { email: account.email, password: account.password });
  assert.equal(first.body.step, "code");
  const reply = await give(client, totp(secrets.get(2)!));
  assert.deepEqual([reply.status, reply.body.step], [200, "code"], "the code is still owed");
  assert.equal((await client.get("/programs")).status, 401);
});

test("five wrong ones end the sign-in", async () => {
  const account = demo.ready.accounts[2]!;
  const client = new Client(demo.ready.url);
  await client.signIn(account.email, account.password);
  let last;
  for (let i = 0; i < 5; i++) last = await give(client, "12345a");
  assert.equal(rule(last!), "code_expired");
  assert.equal((await client.get("/sign-in")).status, 401);
});

test("who is not asked for a factor cannot give one, and nobody gives another's", async () => {
  const account = demo.ready.accounts[3]!;
  const client = new Client(demo.ready.url);
  await client.post("/sign-in", { email: account.email, password: account.password });
  assert.equal(rule(await give(client, totp(secrets.get(1)!))), "code_expired");
  const other = await signedIn(demo, 3);
  const mine = (await admin.get("/security/factors")).body.items;
  assert.equal(mine.length, 2);
  const factor = (await (await signedIn(demo, 3)).get("/me/factors")).body.items;
  assert.deepEqual(factor, []);
  assert.equal((await other.delete("/me/factors/1")).status, 404);
  assert.equal((await other.get("/security/factors")).status, 403);
  assert.equal((await other.delete(`/users/${mine[0].id}/factors`)).status, 403);
});

test("a tenant that switches apps off is not asked for them, and takes no new ones", async () => {
  await setPolicy({ totp: false });
  const account = demo.ready.accounts[1]!;
  const client = new Client(demo.ready.url);
  assert.ok((await client.signIn(account.email, account.password)).body.user);
  const other = await signedIn(demo, 4);
  assert.equal(rule(await other.post("/me/factors/totp", {})), "factor_off");
  await setPolicy({ totp: true });
});

test("modern: the app stands in for the mailed code, which can be had instead", async () => {
  await setPolicy({ profile: "modern" });
  const account = demo.ready.accounts[1]!;
  const client = new Client(demo.ready.url);
  const half = await client.post("/sign-in", { email: account.email, password: account.password });
  assert.deepEqual([half.body.step, half.body.is_choice], ["factor", true]);
  const code = await mailedBy(client, account.email, () => client.post("/sign-in/resend", {}));
  assert.equal((await client.post("/sign-in/code", { code })).status, 200);
  assert.equal((await client.get("/session")).status, 200);
});

test("recovery codes: modern only, one use each, never without the password", async () => {
  const account = demo.ready.accounts[5]!;
  const client = await signedIn(demo, 5);
  await addTotp(client, 5);
  const codes: string[] = (await client.post("/me/recovery-codes", {})).body.codes;
  assert.equal(new Set(codes).size, 8);
  assert.ok(codes.every((code, i) => new RegExp(`^${i + 1}-[2-9a-z]{5}-[2-9a-z]{5}$`).test(code)));
  assert.equal((await client.get("/me/factors")).body.recovery_left, 8);
  const use = async (code: string) => {
    const browser = new Client(demo.ready.url);
    await browser.post("/sign-in", { email: account.email, password: account.password });
    return browser.post("/sign-in/recovery", { code });
  };
  assert.equal((await use(` ${codes[2]!.toUpperCase()} `)).status, 200);
  assert.equal(rule(await use(codes[2]!)), "code");
  assert.equal(rule(await use("9-aaaaa-aaaaa")), "code");
  assert.equal((await client.get("/me/factors")).body.recovery_left, 7);
  assert.equal((await new Client(demo.ready.url).post("/sign-in/recovery", { code: codes[3] })).status, 401);
  assert.equal((await admin.get("/operations?action=use_recovery_code")).body.items.length, 1);
  await setPolicy({ profile: "whitepaper" });
  assert.equal(rule(await use(codes[4]!)), "recovery_off");
  assert.equal(rule(await client.post("/me/recovery-codes", {})), "recovery_off");
});

test("who looks after security takes no factor from who stands above him", async () => {
  const role = await admin.post("/roles", { ja: "セキュリティ担当", rights: ["admin_security"] });
  assert.equal(role.status, 201, JSON.stringify(role.body));
  const users = (await admin.get("/users?limit=200")).body.items;
  const idOf = (n: number) => users.find((u: any) => u.email === demo.ready.accounts[n]!.email).id;
  const guard = await signedIn(demo, 7);
  assert.equal((await admin.request("PUT", `/tenant/members/${idOf(7)}`, { role: role.body.key })).status, 200);
  assert.equal((await guard.get("/security/factors")).status, 200);
  const boss = await guard.delete(`/users/${idOf(0)}/factors`);
  assert.deepEqual([boss.status, rule(boss)], [403, "admin_only"]);
  assert.equal((await guard.delete(`/users/${idOf(8)}/factors`)).status, 204, "but from who stands below");
  for (const [method, path] of [["DELETE", "tokens/1"], ["POST", "email"], ["POST", "invitation"], ["DELETE", ""]] as const)
    assert.equal((await guard.request(method, `/users/${idOf(0)}/${path}`.replace(/\/$/, ""), method === "POST" ? { email: "x@x.example" } : undefined)).status, 403, path);
  assert.equal((await admin.delete(`/tenant/members/${idOf(7)}`)).status, 204);
});

test("an app's code may be typed in full width", async () => {
  const client = new Client(demo.ready.url);
  const account = demo.ready.accounts[9]!;
  const owner = await signedIn(demo, 9);
  await addTotp(owner, 9);
  const step = await client.signIn(account.email, account.password);
  assert.equal(step.body.step, "factor", JSON.stringify(step.body));
  const wide = totp(secrets.get(9)!).replace(/\d/g, (d) => String.fromCodePoint(0xff10 + Number(d)));
  assert.equal((await give(client, ` ${wide.slice(0, 3)}　${wide.slice(3)}`)).status, 200);
});

test("an administrator removes the factors of who lost the device; that person is told", async () => {
  const owner = (await admin.get("/security/factors")).body.items.find((o: any) => o.email === demo.ready.accounts[5]!.email);
  assert.deepEqual([owner.totp, owner.passkeys], [1, 0]);
  assert.equal((await admin.delete(`/users/${owner.id}/factors`)).status, 204);
  await admin.waitForMail(owner.email, /サインインの方法が削除されました/);
  const client = new Client(demo.ready.url);
  assert.ok((await client.signIn(owner.email, demo.ready.accounts[5]!.password)).body.user, "mailed code alone again");
});

test("where the tenant says so, a sensitive step wants a code on top of the password", async () => {
  await setPolicy({ fresh_code: true });
  const account = demo.ready.accounts[6]!;
  const plain = await signedIn(demo, 6);
  const code = await mailedBy(plain, account.email, async () => {
    const step = await plain.post("/session/fresh", { password: account.password });
    assert.deepEqual([step.status, step.body.step], [200, "code"]);
  });
  assert.equal(rule(await plain.post("/session/fresh/code", { code: "123" })), "code");
  assert.equal((await plain.get("/session")).status, 200, "a wrong code does not end the session");
  assert.equal((await plain.post("/session/fresh/code", { code })).status, 204);
  assert.equal(rule(await plain.post("/session/fresh/code", { code })), "code_expired", "used up");
});

test("factors are a sensitive step: ten minutes after signing in the password is asked", async () => {
  await demo.stop();
  process.env.YAGURA_TEST_CLOCK_S = "660";
  demo = await startDemo(demo.dir);
  const moved = new Client(demo.ready.url);
  moved.cookies = admin.cookies;
  for (const [method, path] of [["POST", "/me/factors/totp"], ["DELETE", "/me/factors/1"], ["POST", "/me/recovery-codes"], ["DELETE", "/users/2/factors"]] as const)
    assert.equal(rule(await moved.request(method, path)), "fresh_sign_in", path);
});
