// SPDX-License-Identifier: Apache-2.0
// Personal tokens: act as their owner, with less, until they are over.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { addProject, Client, type Demo, ids, removeDir, rule, signedIn, startDemo } from "../server.ts";

const DAY = 86400;
let demo: Demo;
let admin: Client;
before(async () => {
  demo = await startDemo();
  admin = await signedIn(demo, 0);
});
const allow = async (tokens: boolean) => {
  const { version } = (await admin.get("/security")).body;
  assert.equal((await admin.patch("/security", { tokens }, version)).status, 200);
};
after(async () => {
  delete process.env.YAGURA_TEST_CLOCK_S;
  await demo.stop();
  removeDir(demo);
});

/** A program with a token: no cookies, no X-Req. */
class Program {
  readonly token: string;
  constructor(token: string) {
    this.token = token;
  }
  request(method: string, path: string, body?: unknown, headers = {}) {
    return new Client(demo.ready.url).request(method, path, body, { "X-Req": "", Authorization: `Bearer ${this.token}`, ...headers });
  }
  get = (path: string) => this.request("GET", path);
}
async function make(owner: Client, fields: object = {}): Promise<{ program: Program; id: string }> {
  const reply = await owner.post("/me/tokens", { name: "集計", days: 30, ...fields });
  assert.equal(reply.status, 201, JSON.stringify(reply.body));
  assert.match(reply.body.token, /^ygr_[A-Za-z0-9_-]{43}$/);
  return { program: new Program(reply.body.token), id: reply.body.id };
}

test("off unless the tenant allows them; taken back, those that are there stop at once", async () => {
  const refused = await admin.post("/me/tokens", { name: "x", days: 30 });
  assert.deepEqual([refused.status, rule(refused)], [409, "tokens_off"]);
  await allow(true);
  const { program } = await make(admin);
  assert.equal((await program.get("/programs")).status, 200);
  await allow(false);
  assert.deepEqual([(await program.get("/programs")).status, rule(await program.get("/programs"))], [401, "token"]);
  await allow(true);
});

test("made with a name, a scope and an end within a year; its text is shown once", async () => {
  for (const [fields, field] of [
    [{ days: 366 }, "days"],
    [{ days: 0 }, "days"],
    [{ name: "" }, "name"],
    [{ projects: ["987654321"] }, "projects"],
  ] as const) {
    const reply = await admin.post("/me/tokens", { name: "x", days: 30, ...fields });
    assert.deepEqual([reply.status, reply.body.errors[0].field], [422, field]);
  }
  const { program, id } = await make(admin, { write: true, days: 365 });
  const row = (await admin.get("/me/tokens")).body.items.find((x: any) => x.id === id);
  assert.equal(JSON.stringify(row).includes(program.token.slice(4)), false);
  assert.deepEqual([row.write, row.is_limited, row.is_over, row.used_at], [true, false, false, null]);
  assert.equal(JSON.stringify((await admin.get("/operations?kind=token")).body).includes(program.token.slice(4)), false);
  assert.equal((await program.get("/programs")).status, 200);
  const used = (await admin.get("/me/tokens")).body.items.find((x: any) => x.id === id);
  assert.notEqual(used.used_at, null);
  assert.ok(["127.0.0.1", "::1"].includes(used.used_ip));
});

test("one that reads changes nothing; one that writes needs no browser's header", async () => {
  const project = await addProject(admin, "TOKA");
  const reads = (await make(admin)).program;
  const writes = (await make(admin, { write: true })).program;
  const body = { subject: "APIから", classification: "task" };
  const refused = await reads.request("POST", `/projects/${project.id}/tickets`, body);
  assert.deepEqual([refused.status, rule(refused)], [403, "token_scope"]);
  const made = await writes.request("POST", `/projects/${project.id}/tickets`, body);
  assert.equal(made.status, 201, JSON.stringify(made.body));
  assert.equal((await reads.get(`/tickets/${made.body.id}`)).body.subject, "APIから");
});

test("never the account, nor a step that wants a fresh sign-in, whatever its owner may do", async () => {
  const { program } = await make(admin, { write: true });
  for (const [method, path, body] of [
    ["GET", "/me/sessions"],
    ["GET", "/me/tokens"],
    ["GET", "/me/factors"],
    ["GET", "/session"],
    ["DELETE", "/session"],
    ["PATCH", "/me", { name: "偽" }],
    ["POST", "/me/tokens", { name: "x", days: 1 }],
    ["POST", "/me/password", { current: demo.ready.accounts[0]!.password, password: "Atarashii-26" }],
    ["POST", "/session/fresh", { password: demo.ready.accounts[0]!.password }],
    ["POST", "/security/addresses", { cidr: "0.0.0.0/0" }],
    ["PATCH", "/security", { min: 12 }],
    ["POST", "/groups/1/members", { users: ["1"] }],
    ["DELETE", "/groups/1/members/1", undefined],
    ["DELETE", "/groups/1", undefined],
  ] as const) {
    const reply = await program.request(method, path, body, { "If-Match": '"1"' });
    assert.deepEqual([reply.status, rule(reply)], [403, "token_scope"], `${method} ${path}`);
  }
});

test("never beyond its owner's rights", async () => {
  const member = await signedIn(demo, 3);
  const { program } = await make(member, { write: true });
  for (const path of ["/security", "/operations", "/users/1", "/roles"]) {
    const [own, by] = [await member.get(path), await program.get(path)];
    assert.equal(by.status, own.status, path);
  }
  const hidden = await addProject(admin, "TOKH");
  assert.equal((await program.get(`/projects/${hidden.id}`)).status, 404);
});

test("limited to projects it knows nothing beside them, even of a master administrator", async () => {
  const [here, there] = [await addProject(admin, "TOKB"), await addProject(admin, "TOKC")];
  const add = async (p: any, subject: string) => (await admin.post(`/projects/${p.id}/tickets`, { subject, classification: "task" })).body;
  const [inside, outside] = [await add(here, "内"), await add(there, "外の秘密")];
  const { program } = await make(admin, { write: true, projects: [here.id] });
  assert.equal((await program.get(`/projects/${here.id}`)).status, 200);
  assert.equal((await program.get(`/projects/${here.id}/tickets`)).body.items.length, 1);
  assert.equal((await program.get(`/tickets/${inside.id}`)).status, 200);
  assert.equal((await program.get("/tickets/TOKB-1")).status, 200);
  // of labels and teams, what is borne there
  const label = async (name: string) => (await admin.post("/labels", { kind: "free", name, color: "red" })).body;
  const [borne, elsewhere, unused] = [await label("中の札"), await label("外の札"), await label("未使用の札")];
  await admin.patch(`/tickets/${inside.id}`, { labels: [borne.id] }, 1);
  await admin.patch(`/tickets/${outside.id}`, { labels: [elsewhere.id] }, 1);
  const catalogue = (await program.get("/catalogue")).body;
  assert.deepEqual([catalogue.labels.map((l: any) => l.name), catalogue.teams], [["中の札"], []]);
  for (const one of [elsewhere, unused])
    assert.equal(rule(await program.request("PATCH", `/tickets/${inside.id}`, { labels: [one.id] }, { "If-Match": '"2"' })), "choice");
  for (const path of [`/projects/${there.id}`, `/projects/${there.id}/tickets`, `/projects/${there.id}/plan`, `/tickets/${outside.id}`, "/tickets/TOKC-1", `/tickets/${outside.id}/comments`]) {
    const [reply, never] = [await program.get(path), await program.get(path.replace(/\d+/, "987654321").replace("TOKC-1", "NASHI-1"))];
    assert.deepEqual([reply.status, rule(reply)], [404, rule(never)], path);
  }
  for (const path of ["/programs", "/my/tickets", "/search?q=秘密", "/users", "/operations", "/security", "/roles", "/tenant"]) {
    const reply = await program.get(encodeURI(path));
    assert.equal(reply.status, 403, path);
    assert.equal(JSON.stringify(reply.body).includes("外の秘密"), false);
  }
  const link = await program.request("PATCH", `/tickets/${inside.id}`, { parent: outside.id }, { "If-Match": `"${inside.version}"` });
  assert.ok(link.status >= 400 && !JSON.stringify(link.body).includes("外の秘密"));
});

test("a wrong, an altered or an unknown token is nobody, cookies or not", async () => {
  const { program } = await make(admin);
  const altered = program.token.slice(0, -1) + (program.token.endsWith("A") ? "B" : "A");
  for (const header of [`Bearer ${altered}`, "Bearer ygr_", "Bearer x", "Basic YTpi", `Bearer ${program.token}x`, program.token]) {
    const reply = await admin.get("/programs", { Authorization: header });
    assert.deepEqual([reply.status, rule(reply)], [401, "token"], header);
  }
});

test("revoked by its owner or by who looks after people, it ends at once", async () => {
  const member = await signedIn(demo, 3);
  const [own, other] = [await make(member), await make(member)];
  const me = (await member.get("/session")).body.user.id;
  assert.equal((await admin.delete(`/me/tokens/${own.id}`)).status, 404, "not somebody else's");
  assert.equal((await member.delete(`/me/tokens/${own.id}`)).status, 204);
  assert.equal((await own.program.get("/programs")).status, 401);
  assert.ok(ids((await admin.get(`/users/${me}/tokens`)).body).includes(other.id));
  assert.equal((await member.get(`/users/${me}/tokens`)).status, 403);
  assert.equal((await admin.delete(`/users/${me}/tokens/${other.id}`)).status, 204);
  assert.equal((await other.program.get("/programs")).status, 401);
});

test("suspended or deleted, its owner's tokens are worth nothing", async () => {
  const account = demo.ready.accounts[4]!;
  const member = await signedIn(demo, 4);
  const { program } = await make(member);
  const id = (await member.get("/session")).body.user.id;
  const version = async () => (await admin.get(`/users/${id}`)).body.version;
  assert.equal((await program.get("/programs")).status, 200);
  assert.equal((await admin.patch(`/users/${id}`, { state: "suspended" }, await version())).status, 200);
  assert.deepEqual([(await program.get("/programs")).status, rule(await program.get("/programs"))], [401, "token"]);
  assert.equal((await admin.patch(`/users/${id}`, { state: "active" }, await version())).status, 200);
  assert.equal((await program.get("/programs")).status, 200);
  assert.equal((await admin.delete(`/users/${id}`, await version())).status, 204);
  assert.equal((await program.get("/programs")).status, 401);
  assert.ok(account.email);
});

test("making one wants a fresh sign-in; after its end it is refused", async () => {
  const member = await signedIn(demo, 5);
  const { program, id } = await make(member, { days: 2 });
  await demo.stop();
  process.env.YAGURA_TEST_CLOCK_S = String(15 * 60);
  demo = await startDemo(demo.dir);
  const later = Object.assign(new Client(demo.ready.url), { cookies: member.cookies });
  assert.equal(rule(await later.post("/me/tokens", { name: "x", days: 1 })), "fresh_sign_in");
  assert.equal((await program.get("/programs")).status, 200);
  await demo.stop();
  process.env.YAGURA_TEST_CLOCK_S = String(2 * DAY + 60);
  demo = await startDemo(demo.dir);
  assert.deepEqual([(await program.get("/programs")).status, rule(await program.get("/programs"))], [401, "token"]);
  const again = await signedIn(demo, 5);
  assert.equal((await again.get("/me/tokens")).body.items.find((x: any) => x.id === id).is_over, true);
});
