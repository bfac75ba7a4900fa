// SPDX-License-Identifier: Apache-2.0
// A sensitive step wants a sign-in of the last ten minutes.
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

/** The same data, some minutes later; who was signed in still is. */
async function later(minutes: number) {
  await demo.stop();
  process.env.YAGURA_TEST_CLOCK_S = String(minutes * 60);
  demo = await startDemo(demo.dir);
  const moved = new Client(demo.ready.url);
  moved.cookies = admin.cookies;
  admin = moved;
}

const change = () => admin.post("/me/password", { current: demo.ready.accounts[0]!.password, password: "Atarashii-26" });

test("just signed in, an administrator is made without further questions", async () => {
  const made = await admin.post("/users", { name: "管理 次郎", email: "jiro@kaku.example", is_admin: true });
  assert.equal(made.status, 201);
});

test("eleven minutes later the same step asks for the password", async () => {
  await later(11);
  const made = await admin.post("/users", { name: "管理 三郎", email: "saburo@kaku.example", is_admin: true });
  assert.equal(made.status, 401);
  assert.equal(rule(made), "fresh_sign_in");
  assert.equal(rule(await change()), "fresh_sign_in");
  const list = await admin.get("/users?q=saburo");
  assert.equal(list.body.items.length, 0, "nothing was done, reading goes on");
  assert.equal((await admin.post("/users", { name: "一般 四郎", email: "shiro@kaku.example" })).status, 201);
  const jiro = (await admin.get("/users?q=jiro")).body.items[0];
  assert.equal(rule(await admin.patch(`/users/${jiro.id}`, { is_admin: false }, jiro.version)), "fresh_sign_in");
  assert.equal((await admin.patch(`/users/${jiro.id}`, { name: "管理 二郎", is_admin: true }, jiro.version)).status, 200);
});

test("a wrong password does not freshen, and guessing is slowed", async () => {
  assert.equal(rule(await admin.post("/session/fresh", { password: "Wrong-2026" })), "password_wrong");
  assert.equal(rule(await change()), "fresh_sign_in");
});

test("the password makes it fresh, under a new token; the old one is dead", async () => {
  const old = admin.cookies.get("s-kaku")!;
  const reply = await admin.post("/session/fresh", { password: demo.ready.accounts[0]!.password });
  assert.equal(reply.status, 204, JSON.stringify(reply.body));
  assert.notEqual(admin.cookies.get("s-kaku"), old);
  const thief = new Client(demo.ready.url);
  thief.cookies.set("s-kaku", old);
  assert.equal((await thief.get("/session")).status, 401);
  assert.equal((await change()).status, 204);
});

test("without a session there is nothing to freshen", async () => {
  const reply = await new Client(demo.ready.url).post("/session/fresh", { password: "Wrong-2026" });
  assert.equal(rule(reply), "session");
});
