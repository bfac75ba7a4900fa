// SPDX-License-Identifier: Apache-2.0
// Who holds no grant on a project cannot tell by any route that it exists.
// Every route of the table is called as every role of the product (held on
// another project), as an administrator of people, and as a stranger:
//  1. what is asked of a hidden object is answered as for what never was;
//  2. what one may read is the same before and after the secret came to be;
//  3. no reply, whatever was asked, holds a word of it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { addProject, type Answer, Client, type Demo, removeDir, signedIn, startDemo } from "./server.ts";

const MARK = "極秘案件ZQX";
const NEVER = "987654321";
const KEY = "HIMITSU";
const NO_KEY = "NASHIDE";
const roles = ["manager", "leader", "member", "contributor", "commenter", "viewer"];

interface Route {
  method: string;
  path: string; // "/projects/{id}"
  schema: any; // of the body
  name: string; // of the schema
  query: string[];
}
interface Who {
  name: string;
  client: Client;
  id: string;
}
let demo: Demo;
let admin: Client;
let people: Who[] = [];
let routes: Route[] = [];
let schemas: Record<string, any>;
let open: { project: string; ticket: string; link: string };
let before_: Map<string, string>;
const hidden = { program: "", project: "", ticket: "", comment: "", link: "" };

/** Shown to who may sign in at all, by design: the evaluation's own mailbox,
 * absent from `serve`; and what ends the caller's session. */
const apart = new Set(["GET /demo/mail", "DELETE /session"]);

async function ok(reply: Promise<Answer>): Promise<any> {
  const { status, body } = await reply;
  assert.ok(status < 300, `${status} ${JSON.stringify(body)}`);
  return body;
}
const put = (path: string, role: string) => ok(admin.request("PUT", path, { role }));

async function readRoutes() {
  const api: any = await (await fetch(`${new URL(demo.ready.url).origin}/api/openapi.json`)).json();
  schemas = api.components.schemas;
  for (const [path, methods] of Object.entries<any>(api.paths))
    for (const [method, one] of Object.entries<any>(methods)) {
      const body = one.requestBody?.content?.["application/json"]?.schema?.$ref;
      const name = body?.split("/").at(-1) ?? "";
      const query = (one.parameters ?? []).filter((p: any) => p.in === "query").map((p: any) => p.name);
      routes.push({ method: method.toUpperCase(), path: path.replace("/api/v1", ""), schema: schemas[name], name, query });
    }
}

before(async () => {
  demo = await startDemo();
  admin = await signedIn(demo, 0);
  await readRoutes();
  for (let i = 0; i < 8; i++) {
    const client = await signedIn(demo, i + 1);
    people.push({ name: roles[i] ?? ["people area", "stranger"][i - 6]!, client, id: (await client.get("/session")).body.user.id });
  }
  people.push({ name: "no session", client: new Client(demo.ready.url), id: "1" });
  // nobody keeps what the sample company gave
  const { programs, projects } = (await admin.get("/programs")).body;
  for (const [kind, list] of Object.entries({ programs, projects }))
    for (const one of list)
      for (const m of (await admin.get(`/${kind}/${one.id}/members`)).body.items)
        if (m.user && !m.inherited) await ok(admin.delete(`/${kind}/${one.id}/members/${m.user.id}`));
  const project = await addProject(admin, "OPEN");
  const ticket = (subject: string) => ok(admin.post(`/projects/${project.id}/tickets`, { subject, classification: "task" }));
  const [one, two] = [await ticket("一"), await ticket("二")];
  await ok(admin.post(`/projects/${project.id}/edits`, { edits: [{ op: "link", predecessor: one.id, successor: two.id }] }));
  open = { project: project.id, ticket: one.id, link: (await admin.get(`/tickets/${two.id}`)).body.predecessors[0].link };
  for (const [i, role] of roles.entries()) await put(`/projects/${project.id}/members/${people[i]!.id}`, role);
  const area = await ok(admin.post("/roles", { ja: "人事担当", rights: ["admin_users"] }));
  await put(`/tenant/members/${people[6]!.id}`, area.key);
  before_ = await readAll();
  await makeSecret();
});
after(async () => {
  await demo?.stop();
  if (demo) removeDir(demo);
});

/** A program, a project, tickets: the mark in every field that takes text,
 * and everybody here was a member once. */
async function makeSecret() {
  const program = await ok(admin.post("/programs", { key: `${KEY}P`, name: `${MARK} プログラム`, details: MARK }));
  const secret = await addProject(admin, KEY, { name: `${MARK} プロジェクト`, details: MARK, program: program.id });
  const members = people.slice(0, 8);
  for (const who of members) await put(`/projects/${secret.id}/members/${who.id}`, "member");
  const label = (await admin.get("/labels")).body.items[0];
  const own = await ok(people[0]!.client.post(`/projects/${secret.id}/tickets`, { subject: "自分の", classification: "task" }));
  const ticket = await ok(
    admin.post(`/projects/${secret.id}/tickets`, {
      subject: `${MARK} 件名`, details: MARK, classification: "task", assignees: members.map((w) => w.id),
      planned_start: "2026-05-11", planned_end: "2026-05-15", ...(label ? { labels: [label.id] } : {}),
    }),
  );
  await ok(admin.post(`/projects/${secret.id}/edits`, { edits: [{ op: "link", predecessor: own.id, successor: ticket.id }] }));
  await ok(admin.patch(`/tickets/${own.id}`, { subject: `${MARK} 改題` }, own.version));
  const names = demo.ready.accounts.slice(1, 9).map((a) => a.name).join(" @");
  const comment = await ok(admin.post(`/tickets/${ticket.id}/comments`, { body: `${MARK} コメント @${names}` }));
  const link = (await admin.get(`/tickets/${ticket.id}`)).body.predecessors[0].link;
  for (const who of members) await ok(admin.delete(`/projects/${secret.id}/members/${who.id}`));
  Object.assign(hidden, { program: program.id, project: secret.id, ticket: ticket.id, comment: comment.id, link });
}

/* ---- asking ---- */

const plain = (text: unknown) =>
  (typeof text === "string" ? text : JSON.stringify(text))
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "MOMENT")
    .replace(/"(instance|request_id)":"[^"]*"/g, '"$1":""')
    .replace(/expire[^,]*MOMENT/g, "");

/** The address with an object of the kind its first word names. */
function address(route: Route, ids: Record<string, string>): string {
  const kind = { programs: "program", projects: "project", tickets: "ticket", comments: "comment" }[route.path.split("/")[1]!] ?? "other";
  return route.path.replace(/\{(\w+)\}/g, (_, name) => (name === "id" ? (ids[kind] ?? "1") : people[0]!.id));
}
const withQuery = (path: string, route: Route) => {
  const q = new URLSearchParams();
  if (route.query.includes("q")) q.set("q", MARK.slice(0, 4));
  if (route.query.includes("dry")) q.set("dry", "1");
  if (route.query.includes("limit")) q.set("limit", "200");
  return q.size ? `${path}?${q}` : path;
};

const idFields: Record<string, keyof typeof hidden> = {
  "TicketCreate.parent": "ticket", "TicketCreate.after": "ticket", "TicketEdit.parent": "ticket", "TicketEdit.after": "ticket",
  "Edit.id": "ticket", "Edit.parent": "ticket", "Edit.after": "ticket", "Edit.predecessor": "ticket", "Edit.successor": "ticket", "Edit.link": "link",
  "ProjectCreate.program": "program", "ProjectEdit.program": "program", "ProgramCreate.parent": "program", "ProgramEdit.parent": "program",
};
function value(p: any): unknown {
  if (p.enum) return p.enum[0];
  const type = Array.isArray(p.type) ? p.type[0] : p.type;
  if (type === "array") return Array.from({ length: p.minItems ?? 0 }, () => (p.items.$ref ? required(p.items.$ref.split("/").at(-1)) : (p.items.enum?.[0] ?? "1")));
  if (type === "integer" || type === "number") return p.minimum ?? 1;
  if (type === "boolean") return false;
  if (p.format === "date") return "2026-05-11";
  return p.pattern ? "1" : "x".repeat(Math.max(1, p.minLength ?? 1));
}
function required(name: string): Record<string, unknown> {
  return Object.fromEntries((schemas[name].required ?? []).map((f: string) => [f, value(schemas[name].properties[f])]));
}
/** What is needed, then once with each field that can name a hidden object. */
function bodies(route: Route, ids: Record<string, string>): unknown[] {
  if (!route.schema) return [undefined];
  if (route.name === "Edits") {
    const ops = schemas.Edit.properties.op.enum as string[];
    const fields = Object.keys(schemas.Edit.properties).filter((f) => idFields[`Edit.${f}`]);
    return ops.flatMap((op) => fields.map((f) => ({ edits: [{ op, ...(op === "link" ? { predecessor: open.ticket, successor: open.ticket } : { subject: "x", classification: "task" }), [f]: ids[idFields[`Edit.${f}`]!] }] })));
  }
  const base = required(route.name);
  const more = Object.keys(route.schema.properties).filter((f) => idFields[`${route.name}.${f}`]);
  return [base, ...more.map((f) => ({ ...base, [f]: ids[idFields[`${route.name}.${f}`]!] }))];
}
const isMutation = (route: Route) => route.method !== "GET";
/** Some routes end the session of who calls them: signed in again, asked again. */
async function call(who: Who, route: Route, path: string, body: unknown, version = '"1"', again = true): Promise<Answer> {
  const reply = await who.client.request(route.method, withQuery(path, route), body, isMutation(route) ? { "If-Match": version } : {});
  if (reply.status !== 401 || who.name === "no session" || !again || (await who.client.get("/session")).status === 200) return reply;
  const account = demo.ready.accounts[people.indexOf(who) + 1]!;
  assert.equal((await who.client.signIn(account.email, account.password)).status, 200, who.name);
  return call(who, route, path, body, version, false);
}

/** Everything a person may read without naming a hidden object. */
async function readAll(): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const who of people)
    for (const route of routes) {
      if (isMutation(route) || apart.has(`${route.method} ${route.path}`)) continue;
      const reply = await call(who, route, address(route, { project: open.project, ticket: open.ticket, other: who.id }), undefined);
      found.set(`${who.name}: ${route.path}`, plain(reply.body));
    }
  return found;
}

/* ---- the promises ---- */

test("the table is whole", () => {
  assert.ok(routes.length > 120, `${routes.length} routes`);
  for (const name of Object.keys(idFields)) {
    const [schema, field] = name.split(".") as [string, string];
    if (schema !== "Edit" || field in schemas.Edit.properties) assert.ok(schemas[schema].properties[field], name);
  }
});

test("the secret is there, and its manager reads it", async () => {
  assert.ok(plain((await admin.get(`/tickets/${hidden.ticket}`)).body).includes(MARK));
  assert.ok(plain((await admin.get("/programs")).body).includes(MARK));
  assert.ok(plain((await admin.get(`/search?q=${encodeURIComponent(MARK)}`)).body).includes(MARK));
});

test("what one may read is the same before and after the secret came to be", async () => {
  const now = await readAll();
  for (const [what, text] of now) {
    if (/\/(me\/sessions|trust)$/.test(what)) continue; // these name moments
    assert.equal(text, before_.get(what), what);
  }
});

test("asked of a hidden object, every route answers as for what never was", async (t) => {
  let calls = 0;
  const never = { program: NEVER, project: NEVER, ticket: NEVER, comment: NEVER, link: NEVER };
  const shapes = [
    [hidden, never],
    [{ ...hidden, ticket: `${KEY}-2` }, { ...never, ticket: `${NO_KEY}-2` }],
  ] as const;
  for (const who of people)
    for (const route of routes) {
      const name = `${route.method} ${route.path}`;
      const asks = /^\/(programs|projects|tickets|comments)\/\{/.test(route.path) || Object.keys(idFields).some((f) => f.startsWith(`${route.name}.`)) || route.name === "Edits";
      if (!asks || apart.has(name)) continue;
      for (const [there, gone] of shapes) {
        const places = [[there, gone], ...(route.schema && route.path.includes("{id}") ? [[open, open]] : [])] as Record<string, string>[][];
        for (const [here, none] of places) {
          const [left, right] = [bodies(route, there), bodies(route, gone)];
          const isOpen = here === open;
          for (const [i, body] of left.entries()) {
            if (isOpen && route.name !== "Edits" && i === 0) continue; // names nothing hidden
            const version = isOpen ? ((await admin.get(address(route, open))).headers.get("etag") ?? '"1"') : '"1"';
            const real = await call(who, route, address(route, here!), body, version);
            const empty = await call(who, route, address(route, none!), right[i], version);
            calls += 2;
            const what = `${who.name}: ${name} ${JSON.stringify(body)} ${isOpen ? "in the open project" : ""}`;
            const even = (a: Answer) =>
              plain(a.body).replaceAll(NEVER, "ID").replaceAll(`${NO_KEY}-2`, "ID").replaceAll(`${KEY}-2`, "ID")
                .replace(new RegExp(`"(${Object.values(hidden).join("|")})"`, "g"), '"ID"');
            assert.ok(!plain(real.body).includes(MARK), what);
            assert.equal(real.status, empty.status, `${what} ${plain(real.body)} ${plain(empty.body)}`);
            if (real.status >= 400) assert.equal(even(real), even(empty), what);
            else assert.notEqual(here, there, `${what} is done to a hidden object`);
          }
        }
      }
    }
  t.diagnostic(`${calls} calls`);
});

test("no reply of any route holds a word of it", async (t) => {
  let calls = 0;
  for (const who of people)
    for (const route of routes) {
      if (apart.has(`${route.method} ${route.path}`)) continue;
      for (const body of bodies(route, hidden)) {
        const reply = await call(who, route, address(route, { ...hidden, other: who.id }), body);
        calls++;
        assert.ok(reply.status !== 500, `${who.name}: ${route.method} ${route.path} ${plain(reply.body)}`);
        for (const secret of [MARK, KEY])
          assert.ok(!plain(reply.body).includes(secret), `${who.name}: ${route.method} ${route.path} says ${secret}`);
      }
    }
  t.diagnostic(`${routes.length} routes × ${people.length} people, ${calls} calls`);
});

test("nothing of it changed, and its people are told nothing", async () => {
  const ticket = (await admin.get(`/tickets/${hidden.ticket}`)).body;
  assert.equal(ticket.subject, `${MARK} 件名`);
  assert.equal((await admin.get(`/projects/${hidden.project}`)).body.key, KEY);
  for (const who of people) {
    const reply = await who.client.get("/my/tickets");
    if (who.name !== "no session") assert.equal(reply.status, 200, who.name);
    assert.ok(!plain(reply.body).includes(MARK), who.name);
  }
});
