// SPDX-License-Identifier: Apache-2.0
// Signing in: password, then the mailed code, for everyone, always.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Client, type Demo, removeDir, signedIn, startDemo } from "../server.ts";

let demo: Demo;
before(async () => {
  demo = await startDemo();
});
after(async () => {
  await demo.stop();
  removeDir(demo);
});

const code = /\n {4}(\d{8})\n/;
const rule = (answer: { body: any }) => answer.body.errors[0].rule;

test("without a session every route but sign-in answers 401 in problem details", async () => {
  const reply = await new Client(demo.ready.url).get("/session");
  assert.equal(reply.status, 401);
  assert.match(reply.headers.get("content-type")!, /problem\+json/);
  assert.equal(rule(reply), "session");
  assert.equal(reply.body.errors[0].message, "サインインしてください");
});

test("the password alone opens nothing", async () => {
  const account = demo.ready.accounts[1]!;
  const client = new Client(demo.ready.url);
  const first = await client.post("/sign-in", { email: account.email, password: account.password });
  assert.equal(first.status, 200);
  assert.equal(first.body.step, "code");
  const reply = await client.get("/programs");
  assert.equal(reply.status, 401);
  assert.equal(rule(reply), "code_required");
});

test("password and code open a session; signing out ends it", async () => {
  const client = await signedIn(demo, 1);
  const before = client.cookies.get("s-kaku");
  const me = await client.get("/session");
  assert.equal(me.status, 200);
  assert.equal(me.body.user.email, "suzuki@kaku.example");
  assert.equal(me.body.tenant.name, "株式会社 架空商事");
  assert.equal((await client.delete("/session")).status, 204);
  client.cookies.set("s-kaku", before!);
  assert.equal((await client.get("/session")).status, 401);
});

test("wrong password and unknown person look the same", async () => {
  const client = new Client(demo.ready.url);
  const wrong = await client.post("/sign-in", { email: "ito@kaku.example", password: "Wrong-2026" });
  const unknown = await client.post("/sign-in", { email: "nobody@kaku.example", password: "Wrong-2026" });
  assert.equal(wrong.status, 401);
  assert.equal(unknown.status, 401);
  const strip = ({ request_id, ...rest }: any) => rest;
  assert.deepEqual(strip(wrong.body), strip(unknown.body));
});

test("five wrong codes end the sign-in, even for the right code", async () => {
  const account = demo.ready.accounts[2]!;
  const client = new Client(demo.ready.url);
  await client.post("/sign-in", { email: account.email, password: account.password });
  const right = (await client.waitForMail(account.email, code))[1]!;
  const wrong = right === "00000000" ? "00000001" : "00000000";
  for (let left = 4; left >= 1; left--) {
    const reply = await client.post("/sign-in/code", { code: wrong });
    assert.equal(reply.status, 401);
    assert.equal(rule(reply), "code");
    assert.equal(reply.body.tries_left, left);
  }
  assert.equal(rule(await client.post("/sign-in/code", { code: wrong })), "code_expired");
  assert.equal(rule(await client.post("/sign-in/code", { code: right })), "code_expired");
});

test("a code may be typed in full width, with spaces or hyphens", async () => {
  const account = demo.ready.accounts[2]!;
  const wide = (text: string) => text.replace(/\d/g, (d) => String.fromCodePoint(0xff10 + Number(d)));
  const ways = [wide, (t: string) => `${t.slice(0, 4)} ${t.slice(4)}`, (t: string) => `　${wide(t.slice(0, 4))}－${t.slice(4)} `];
  for (const way of ways) {
    const client = new Client(demo.ready.url);
    const codes = async (): Promise<string[]> => (await client.get("/demo/mail")).body.items.flatMap((m: any) => (m.to === account.email && m.text.match(code)?.[1]) || []);
    const old = await codes();
    await client.post("/sign-in", { email: account.email, password: account.password });
    let right: string | undefined;
    while (!(right = (await codes()).find((c) => !old.includes(c)))) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal((await client.post("/sign-in/code", { code: way(right) })).status, 200, way(right));
  }
});

test("a code belongs to the sign-in that asked for it", async () => {
  const account = demo.ready.accounts[3]!;
  const one = new Client(demo.ready.url);
  const two = new Client(demo.ready.url);
  await one.post("/sign-in", { email: account.email, password: account.password });
  const first = (await one.waitForMail(account.email, code))[1]!;
  await two.post("/sign-in", { email: account.email, password: account.password });
  const reply = await two.post("/sign-in/code", { code: first });
  assert.equal(reply.status, 401);
  assert.equal((await one.post("/sign-in/code", { code: first })).status, 200);
});

test("of a hundred parallel posts of one code exactly one wins", async () => {
  const account = demo.ready.accounts[4]!;
  const client = new Client(demo.ready.url);
  await client.post("/sign-in", { email: account.email, password: account.password });
  const right = (await client.waitForMail(account.email, code))[1]!;
  const half = client.cookies.get("s-kaku")!;
  const replies = await Promise.all(
    Array.from({ length: 100 }, () => {
      const other = new Client(demo.ready.url);
      other.cookies.set("s-kaku", half);
      return other.post("/sign-in/code", { code: right });
    }),
  );
  assert.equal(replies.filter((reply) => reply.status === 200).length, 1);
});

test("guessing is slowed for strangers, not for the owner's own browser", async () => {
  const account = demo.ready.accounts[5]!;
  const owner = await signedIn(demo, 5);
  await owner.delete("/session");
  const stranger = new Client(demo.ready.url);
  let last;
  for (let i = 0; i < 6; i++)
    last = await stranger.post("/sign-in", { email: account.email, password: `Guess-${i}-2026` });
  assert.equal(last!.status, 429);
  assert.ok(last!.headers.get("retry-after"));
  assert.equal((await owner.signIn(account.email, account.password)).status, 200);
});

test("an invitation link works once and asks for a password by the policy", async () => {
  const admin = await signedIn(demo, 0);
  const added = await admin.post("/users", { name: "新人 太郎", email: "shinjin@kaku.example" });
  assert.equal(added.status, 201, JSON.stringify(added.body));
  assert.equal(added.body.state, "invited");
  const token = (await admin.waitForMail("shinjin@kaku.example", /\/link#(\S+)/))[1]!;
  const guest = new Client(demo.ready.url);
  const check = await guest.post("/links/check", { token });
  assert.equal(check.body.purpose, "invitation");
  const weak = await guest.post("/links/accept", { token, password: "abcdefgh" });
  assert.equal(weak.status, 422);
  assert.equal(rule(weak), "password_classes");
  const odd = await guest.post("/links/accept", { token, password: "Ab345678!" });
  assert.equal(rule(odd), "password_character");
  const long = await guest.post("/links/accept", { token, password: "Ab3-56789012345678" });
  assert.equal(rule(long), "password_length");
  const good = "Hajime-2026";
  assert.equal((await guest.post("/links/accept", { token, password: good })).status, 204);
  const again = await guest.post("/links/accept", { token, password: "Niban-2026" });
  assert.equal(again.status, 404);
  assert.equal(rule(again), "link");
  assert.equal((await guest.signIn("shinjin@kaku.example", good)).status, 200);
});

test("a change needs X-Req and the own origin", async () => {
  const client = await signedIn(demo, 6);
  const foreign = await client.request("PATCH", "/me", { lang: "en" }, { Origin: "https://evil.example" });
  assert.equal(foreign.status, 403);
  const bare = await client.request("PATCH", "/me", { lang: "en" }, { "X-Req": "" });
  assert.equal(bare.status, 403);
});

test("the language is switched at once", async () => {
  const client = await signedIn(demo, 7);
  const reply = await client.request("PATCH", "/me", { lang: "en" });
  assert.equal(reply.body.user.lang, "en");
  const missing = await client.get("/tickets/999999");
  assert.equal(missing.status, 404);
  assert.equal(missing.body.title, "Not found");
});

test("the last master administrator stays", async () => {
  const admin = await signedIn(demo, 0);
  const me = (await admin.get("/session")).body.user;
  const row = (await admin.get(`/users/${me.id}`)).body;
  const reply = await admin.patch(`/users/${me.id}`, { is_admin: false }, row.version);
  assert.equal(reply.status, 409);
  assert.equal(rule(reply), "last_admin");
});

test("a password change needs the current one and ends other sessions", async () => {
  const account = demo.ready.accounts[8]!;
  const one = await signedIn(demo, 8);
  const two = await signedIn(demo, 8);
  const wrong = await one.post("/me/password", { current: "Wrong-2026", password: "Atarashii-26" });
  assert.equal(wrong.status, 422);
  const before = one.cookies.get("s-kaku")!;
  const reply = await one.post("/me/password", { current: account.password, password: "Atarashii-26" });
  assert.equal(reply.status, 204, JSON.stringify(reply.body));
  assert.notEqual(one.cookies.get("s-kaku"), before, "one's own session has a new id");
  const old = new Client(demo.ready.url);
  old.cookies.set("s-kaku", before);
  assert.equal((await old.get("/session")).status, 401, "and the old one is nobody's");
  assert.equal((await one.get("/session")).status, 200);
  assert.equal((await two.get("/session")).status, 401);
  const reuse = await one.post("/me/password", { current: "Atarashii-26", password: account.password });
  assert.equal(rule(reuse), "password_reused");
});

test("six quick changes do not bring a password back", async () => {
  const account = demo.ready.accounts[8]!;
  const client = new Client(demo.ready.url);
  let current = "Atarashii-26";
  assert.equal((await client.signIn(account.email, current)).status, 200);
  for (let i = 1; i <= 6; i++) {
    const password = `Kawaru-2026-${i}`;
    const reply = await client.post("/me/password", { current, password });
    assert.equal(reply.status, 204, JSON.stringify(reply.body));
    current = password;
  }
  for (const old of [account.password, "Atarashii-26", "Kawaru-2026-1"])
    assert.equal(rule(await client.post("/me/password", { current, password: old })), "password_reused", old);
});

test("a sign-in from a browser not seen before is told by mail, a known one is not", async () => {
  const account = demo.ready.accounts[9]!;
  const news = async (client: Client) =>
    (await client.get("/demo/mail")).body.items.filter((m: any) => m.to === account.email && m.subject.includes("新しい端末"));
  const own = await signedIn(demo, 9);
  assert.equal((await news(own)).length, 0, "the first sign-in of all is no news");
  await own.signIn(account.email, account.password);
  assert.equal((await news(own)).length, 0, "the same browser again");
  const stranger = new Client(demo.ready.url);
  await stranger.signIn(account.email, account.password);
  const [mail] = await stranger.waitForMail(account.email, /これまで使われていない端末[^]*/);
  for (const word of ["株式会社 架空商事", "127.0.0.1", "（日本時間）", "お心当たりがない場合"]) assert.ok(mail!.includes(word), word);
  assert.match(mail!, /日時: \d{4}\/\d\d\/\d\d \([日月火水木金土]\) \d\d:\d\d（/, "as people write it");
  assert.doesNotMatch(mail!, /https?:/);
});

test("a half session is no session to unlock", async () => {
  const account = demo.ready.accounts[6]!;
  const client = new Client(demo.ready.url);
  await client.post("/sign-in", { email: account.email, password: account.password });
  const reply = await client.post("/session/unlock", { password: account.password });
  assert.equal(reply.status, 401);
  assert.equal(rule(reply), "code_required");
});

test("codes are not guessed sign-in after sign-in, known browser or not", async () => {
  const account = demo.ready.accounts[7]!;
  const client = await signedIn(demo, 7);
  await client.delete("/session");
  let guesses = 0;
  for (let round = 0; round < 5; round++) {
    assert.equal((await client.post("/sign-in", { email: account.email, password: account.password })).status, 200, "the password is right");
    for (let i = 0; i < 5; i++) {
      const reply = await client.post("/sign-in/code", { code: "00000000" });
      if (reply.status === 429) return assert.ok(guesses <= 10, `${guesses} guesses`);
      guesses++;
    }
  }
  assert.fail(`${guesses} guesses went through`);
});

test("the guesses of one person do not close the office to the others", async () => {
  const stranger = new Client(demo.ready.url);
  for (let i = 0; i < 60; i++) await stranger.post("/sign-in", { email: `nobody${i}@kaku.example`, password: "Guess-2026" });
  const slowed = await new Client(demo.ready.url).post("/sign-in", { email: demo.ready.accounts[8]!.email, password: demo.ready.accounts[8]!.password });
  assert.equal(slowed.status, 429);
  assert.ok(Number(slowed.headers.get("retry-after")) <= 60, "a minute at most");
  const known = await signedIn(demo, 1).catch(() => null);
  assert.equal(known, null, "a new browser waits");
});

test("a reset link is promised to everybody and mailed to who is known", async () => {
  const client = new Client(demo.ready.url);
  const known = demo.ready.accounts[7]!.email;
  const ask = (email: string) => client.post("/password-reset", { email });
  const [a, b, c] = [await ask("nobody@kaku.example"), await ask(known), await ask("no address")];
  assert.deepEqual([a.status, a.body], [202, b.body]);
  assert.deepEqual([b.status, c.status], [202, 202]);
  await client.waitForMail(known, /\/t\/kaku\/link#\S+/);
  const { items } = (await client.get("/demo/mail")).body;
  assert.ok(items.every((m: any) => !/^no/.test(m.to)));
});

test("who is locked out by the guesses of others gets in by the mailed link", async () => {
  const account = demo.ready.accounts[9]!;
  const stranger = new Client(demo.ready.url);
  for (let i = 0; i < 12; i++) await stranger.post("/sign-in", { email: account.email, password: `Guess-${i}-2026` });
  const owner = new Client(demo.ready.url);
  assert.equal((await owner.post("/sign-in", { email: account.email, password: account.password })).status, 429);
  const asked = Date.now() - 1000; // a mail's moment has no fractions
  assert.equal((await owner.post("/password-reset", { email: account.email })).status, 202);
  const token = (await owner.waitForMail(account.email, /\/link#(\S+)/, asked))[1]!;
  const password = "Modoru-2026";
  assert.equal((await owner.post("/links/accept", { token, password })).status, 204);
  assert.ok(owner.cookies.has("d-kaku"), "this browser is known now");
  assert.equal((await owner.signIn(account.email, password)).status, 200);
});
