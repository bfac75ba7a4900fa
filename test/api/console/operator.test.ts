// SPDX-License-Identifier: Apache-2.0
// Who runs the installation: their accounts, their console, and that it shows
// no tenant's business.
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { addProject, Client, type Demo, removeDir, rule, signedIn, signedInOperator, startDemo } from "../server.ts";

let demo: Demo;
let oper: Client;
let admin: Client;
const password = "Unyou-2026";

before(async () => {
  demo = await startDemo();
  oper = await signedInOperator(demo);
  admin = await signedIn(demo, 0);
});
after(async () => {
  await demo.stop();
  removeDir(demo);
});

let count = 0;
/** A further operator or auditor, invited by mail, with a password. */
async function added(role: "operator" | "auditor") {
  const email = `${role}${++count}@example.jp`;
  const reply = await oper.post("/operators", { email, name: `担当 ${count}`, role });
  assert.equal(reply.status, 201, JSON.stringify(reply.body));
  const [, token] = await oper.waitForMail(email, /\/operator\/link#([\w-]{43})/);
  const [mail] = (await oper.get("/demo/mail")).body.items.filter((m: any) => m.to === email);
  assert.match(mail.text, role === "operator" ? /運用者の画面での役割: 運用者\n/ : /運用者の画面での役割: 監査者（閲覧のみ）\n/);
  assert.doesNotMatch(mail.text, /OPERATOR/);
  const guest = new Client(demo.ready.console);
  assert.equal((await guest.post("/links/accept", { token, password })).status, 204);
  return { ...reply.body, client: await signedInOperator(demo, { email, password }) };
}
async function current(id: string): Promise<any> {
  return (await oper.get("/operators")).body.items.find((item: any) => item.id === id);
}

test("the console wants password and code, with a cookie of its own", async () => {
  const guest = new Client(demo.ready.console);
  assert.equal((await guest.get("/tenants")).status, 401);
  const { email, password: right } = demo.ready.operator;
  assert.equal(rule(await guest.post("/sign-in", { email, password: "Chigau-123" })), "credentials");
  const half = await guest.post("/sign-in", { email, password: right });
  assert.equal(half.body.step, "code");
  assert.deepEqual([...guest.cookies.keys()], ["o"]);
  assert.equal(rule(await guest.get("/tenants")), "code_required");
  assert.equal(rule(await guest.post("/sign-in/code", { code: "00000000" })), "code");
  assert.equal((await guest.get("/tenants")).status, 401);
  assert.equal((await oper.get("/session")).body.user.is_admin, true);
});

test("accounts of tenants and operators are strangers to each other", async () => {
  const guest = new Client(demo.ready.console);
  const boss = demo.ready.accounts[0]!;
  assert.equal(rule(await guest.post("/sign-in", { email: boss.email, password: boss.password })), "credentials");
  const { email, password: right } = demo.ready.operator;
  assert.equal(rule(await new Client(demo.ready.url).post("/sign-in", { email, password: right })), "credentials");
  for (const name of ["o", "s-kaku"]) {
    guest.cookies.clear();
    guest.cookies.set(name, admin.cookies.get("s-kaku")!);
    assert.equal((await guest.get("/tenants")).status, 401);
  }
});

test("the first operator is set up once", async () => {
  const guest = new Client(demo.ready.console);
  assert.deepEqual((await guest.get("/setup")).body, { needed: false });
  const again = { token: "x".repeat(43), email: "b@example.jp", name: "二人目", password };
  const reply = await guest.post("/setup", again);
  assert.equal(reply.status, 401);
  assert.equal(rule(reply), "token");
});

test("tenants: listed, shown in counts and sizes, founded", async () => {
  const list = (await oper.get("/tenants")).body.items;
  assert.deepEqual(list.map((item: any) => item.id), ["kaku"]);
  const { body } = await oper.get("/tenants/kaku");
  assert.equal(body.users, 10);
  assert.equal(body.state, "open");
  assert.ok(body.tickets > 50 && body.projects > 2 && body.size_bytes > 100_000);
  assert.equal((await oper.get("/tenants/nobody")).status, 404);

  const made = await oper.post("/tenants", { id: "shin", name: "新会社", admin_email: "boss@shin.example", admin_name: "代表" });
  assert.equal(made.status, 201, JSON.stringify(made.body));
  const [link, token] = await oper.waitForMail("boss@shin.example", /https?:\/\/\S+\/t\/shin\/link#([\w-]{43})/);
  assert.ok(link.startsWith(new URL(demo.ready.url).origin));
  const boss = new Client(new URL("/t/shin", demo.ready.url).href);
  assert.equal((await boss.post("/links/accept", { token, password: "Daihyou-26" })).status, 204);
  assert.equal((await oper.get("/tenants/shin")).body.admins, 1);
  for (const [fields, word] of [
    [{ id: "shin" }, "taken"],
    [{ id: "Shin" }, "tenant_id"],
    [{ id: "../x" }, "tenant_id"],
    [{ id: "hosted", host: "Bad_Host" }, "host_name"],
    [{ id: "control" }, "reserved"],
    [{ id: "yagura-drill" }, "reserved"],
    [{ id: "half", admin_email: "boss@" }, "email"],
  ] as const) {
    const reply = await oper.post("/tenants", { name: "x", admin_email: "b@shin.example", admin_name: "代表", ...fields });
    assert.deepEqual([rule(reply), reply.status], [word, word === "taken" ? 409 : 422]);
    assert.match(reply.body.errors[0].field, /^(id|host|admin_email)$/);
  }
  const files = (readdirSync(join(demo.dir, "data"), { recursive: true }) as string[]).filter((path) => /hosted|half|drill/.test(path));
  assert.deepEqual(files, [], "a refused tenant leaves no file");
  const again = await oper.post("/tenants", { id: "half", name: "x", admin_email: "b@shin.example", admin_name: "代表" });
  assert.equal(again.status, 201, "nor is its id taken");
});

test("an auditor reads and changes nothing", async () => {
  const { client, id, version } = await added("auditor");
  for (const path of ["/tenants", "/tenants/kaku", "/operators", "/operations", "/operations/verify"])
    assert.equal((await client.get(path)).status, 200, path);
  assert.equal((await client.get("/operators")).body.items.length, (await oper.get("/operators")).body.items.length);
  const all = (await (await fetch(new URL("/api/openapi.json", demo.ready.url))).json()).paths;
  let tried = 0;
  for (const path of ["/tenants", "/operators", "/operators/{id}", "/operators/{id}/invitation"])
    for (const method of Object.keys(all[`/api/v1${path}`])) {
      if (method === "get") continue;
      const reply = await client.request(method.toUpperCase(), path.replace("{id}", id), {}, { "If-Match": `"${version}"` });
      assert.equal(reply.status, 403, `${method} ${path}`);
      tried++;
    }
  assert.ok(tried >= 5);
  assert.equal((await client.patch("/me", { name: "監査 花子" }, 1)).status, 200);
});

test("a suspended operator is out at once; the last one stays", async () => {
  const { client, id } = await added("operator");
  assert.equal((await client.get("/tenants")).status, 200);
  const now = await current(id);
  assert.equal((await oper.patch(`/operators/${id}`, { state: "suspended" }, now.version)).status, 200);
  assert.equal((await client.get("/tenants")).status, 401);
  assert.equal(rule(await new Client(demo.ready.console).post("/sign-in", { email: now.email, password })), "credentials");
  assert.equal(rule(await oper.post(`/operators/${id}/invitation`, undefined)), "suspended");
  const me = (await oper.get("/session")).body.user.id;
  for (const change of [{ role: "auditor" }, { state: "suspended" }]) {
    const { body } = await oper.patch(`/operators/${me}`, change, (await current(me)).version);
    assert.deepEqual([body.errors[0].field, body.errors[0].rule], ["role", "last_admin"]);
    assert.match(body.errors[0].message, /最後の運用者は外せません/);
  }
  assert.equal(rule(await oper.delete(`/operators/${me}`, (await current(me)).version)), "last_admin");
});

test("an operator's own account: address, sessions, factors; no tokens", async () => {
  const { client, email } = await added("operator");
  const next = "moved@example.jp";
  assert.equal((await client.post("/me/email", { email: next })).status, 202);
  const guest = new Client(demo.ready.console);
  for (const to of [email, next]) {
    const [, token] = await oper.waitForMail(to, /\/operator\/email#([\w-]{43,44})/);
    assert.equal((await guest.post("/email-links/confirm", { token })).status, 200);
  }
  assert.equal((await signedInOperator(demo, { email: next, password })).cookies.size > 0, true);
  assert.ok((await client.get("/me/sessions")).body.items.length >= 1);
  assert.equal((await client.get("/me/factors")).status, 200);
  assert.equal((await client.get("/me/tokens")).status, 404);
});

test("what operators do is in a log of their own, chained", async () => {
  const { items } = (await oper.get("/operations?limit=200")).body;
  const said = items.map((item: any) => `${item.action} ${item.kind}`);
  for (const word of ["set_up operator", "sign_in session", "create tenant", "create user"]) assert.ok(said.includes(word), word);
  assert.equal((await oper.get("/operations/verify")).body.ok, true);
  const theirs = (await admin.get("/operations?limit=200")).body.items;
  assert.ok(!theirs.some((item: any) => item.user.name === demo.ready.operator.name));
});

test("no route shows an operator a tenant's business", async () => {
  const secret = "極秘ZX9";
  const { id } = await addProject(admin, "GOKU", { name: secret, details: secret });
  const ticket = await admin.post(`/projects/${id}/tickets`, { classification: "task", subject: secret, details: secret });
  assert.equal(ticket.status, 201, JSON.stringify(ticket.body));
  await admin.post(`/tickets/${ticket.body.id}/comments`, { body: secret });

  const open = /^\/api\/v1\/(sign-in|(email-)?links\/.*|password-reset|password-policy|demo\/mail|support\/enter|trust|policies(\/.*)?)$/; // what strangers may ask
  const { paths } = await (await fetch(new URL("/api/openapi.json", demo.ready.url))).json();
  const places = [demo.ready.url, demo.ready.console];
  let walked = 0;
  for (const [path, methods] of Object.entries(paths))
    for (const method of Object.keys(methods as object))
      for (const [n, place] of places.entries()) {
        if (method === "delete" && path === "/api/v1/session") continue;
        const visitor = new Client(place);
        for (const name of ["o", "s-kaku", "s"]) visitor.cookies.set(name, oper.cookies.get("o")!);
        const target = path.replace("/api/v1", "").replace("{key}", "GOKU-1").replace(/\{\w+\}/g, id);
        const reply = await visitor.request(method.toUpperCase(), target, method === "get" ? undefined : {}, { "If-Match": '"1"' });
        const name = `${method} ${place}${target}: ${reply.status}`;
        assert.ok(!JSON.stringify(reply.body).includes(secret), name);
        assert.notEqual(reply.status, 500, name);
        if (n === 0 && !open.test(path)) assert.ok([401, 404].includes(reply.status), name);
        walked++;
      }
  assert.ok(walked > 150, String(walked));
  console.log(`operator without a grant: ${walked} calls`);
  assert.equal((await oper.get("/session")).status, 200);
});
