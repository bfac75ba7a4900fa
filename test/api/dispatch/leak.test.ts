// SPDX-License-Identifier: Apache-2.0
// Who holds no grant on a project cannot tell by any route that it exists.
// Every route of the table is called as every role of the product (held on
// another project), as an administrator of people and of security, as a
// stranger, as a master administrator of another tenant and as an operator:
//  1. what is asked of a hidden object is answered as for what never was;
//  2. what one may read is the same before and after the secret came to be;
//  3. no reply, mail, command or log line, whatever was asked, holds a word.
// A new route is walked without a line here; one whose address or body names
// something by an id nobody sorted yet fails the first test.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { addProject, type Answer, binary, Client, type Demo, removeDir, signedIn, signedInOperator, startDemo } from "../server.ts";

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
  query: any[];
  right: string;
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
let field = "";
const hidden = { program: "", project: "", ticket: "", comment: "", link: "", calendar: "", job: "", file: "", enquiry: "", filter: "", session: "", token: "", notice: "" };
type Kind = keyof typeof hidden;
const never = Object.fromEntries(Object.keys(hidden).map((k) => [k, NEVER])) as Record<Kind, string>;

/** What an id in an address names, by what stands before it. */
const pathKinds: Record<string, Kind> = {
  "/programs/": "program", "/projects/": "project", "/tickets/": "ticket", "/comments/": "comment", "/tickets/{id}/files/": "file", "/calendars/": "calendar",
  "/jobs/": "job", "/enquiries/": "enquiry", "/log-filters/": "filter", "/me/sessions/": "session", "/me/tokens/": "token",
  "/notices/": "notice",
};
/** …and what is no secret, or has a right of its own: people, master data, rights.  What only operators and master
 * administrators reach (openRights) needs no line. */
const openRights = new Set(["master_administrator", "auditor", "operator"]);
const openPaths = new Set([
  "/users/", "/labels/", "/teams/", "/classifications/", "/roles/", "/groups/", "/me/factors/", "/security/addresses/", "/alerts/",
  "/trust/", "/certificates/", "/policies/", "/documents/",
  "/projects/{id}/members/", "/projects/{id}/groups/", "/programs/{id}/members/", "/programs/{id}/groups/", "/tenant/members/", "/tenant/groups/",
  "/groups/{id}/members/", "/users/{id}/tokens/", "/enquiries/{id}/files/",
]);
/** The same of fields in bodies and queries. */
const fieldKinds: Record<string, Kind> = {
  "TicketCreate.parent": "ticket", "TicketCreate.after": "ticket", "TicketEdit.parent": "ticket", "TicketEdit.after": "ticket",
  "Edit.id": "ticket", "Edit.parent": "ticket", "Edit.after": "ticket", "Edit.predecessor": "ticket", "Edit.successor": "ticket", "Edit.link": "link",
  "ProjectCreate.program": "program", "ProjectEdit.program": "program", "ProgramCreate.parent": "program", "ProgramEdit.parent": "program",
  "ProjectEdit.calendar": "calendar", "TokenCreate.projects": "project",
};
/** …and of queries where the one that is named is looked up. */
const queryKinds: Record<string, Kind> = { "/projects/{id}/tickets?after": "ticket", "/my/tickets?after": "ticket", "/projects/{id}/bin?after": "ticket", "/bin/projects?after": "project", "/notices?after": "notice", "/projects/{id}/move?to": "program", "/programs/{id}/move?to": "program" };
/** Cursors that are compared as numbers. */
const numbers = /\/(history|comments|files|jobs|readers)$/;
const openFields = /(^|\.)(status|assignee|assignees|labels?|teams?|members|users?|readers|manager|field|by|into|ids)$|^(StatusRow|FieldRow|FieldChoice|StatusReplaced)\.|^EnquiryMail\.enquiry$|^Notice(Create|Edit)\.(incident|follows)$|^\w+ \/(operations|accesses|terms|policies|enquiries|desk|users|security|groups|support|tenants|disclosures|service|certificates)\b|\/(reach|people)$/;
/** Text that is no id, where a schema names objects by text. */
const textFields = new Set(["op", "ref", "kind", "subject", "classification", "priority", "details", "name", "key", "approach", "state", "body"]);

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
      const query = (one.parameters ?? []).filter((p: any) => p.in === "query");
      routes.push({ method: method.toUpperCase(), path: path.replace("/api/v1", ""), schema: schemas[name], name, query, right: one["x-right"] });
    }
}

before(async () => {
  demo = await startDemo();
  admin = await signedIn(demo, 0);
  await readRoutes();
  await ok(admin.patch("/security", { tokens: true }, (await admin.get("/security")).body.version));
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
  const area = await ok(admin.post("/roles", { ja: "人事担当", rights: ["admin_users", "admin_security"] }));
  await put(`/tenant/members/${people[6]!.id}`, area.key);
  field = await addField();
  await ok(admin.post("/calendars", { name: "週5日", weekdays: 62, holidays: true, days: [] }));
  await runJob();
  before_ = await readAll();
  await makeSecret();
});
after(async () => {
  await demo?.stop();
  if (demo) removeDir(demo);
});

/** Every field of this schema that takes free text, filled. */
function marked(schema: string): Record<string, string> {
  const fields = Object.entries<any>(schemas[schema].properties).filter(
    ([f, p]) => isText(p) && !fieldKinds[`${schema}.${f}`] && !["key", "classification", "ref"].includes(f));
  assert.ok(fields.length, schema);
  return Object.fromEntries(fields.map(([f]) => [f, `${MARK} ${f}`]));
}
const isText = (p: any) => [p.type].flat()[0] === "string" && !p.enum && !p.pattern && !p.format;

/** A field of one's own for tasks, so that its values are asked for too. */
async function addField(): Promise<string> {
  const task = (await admin.get("/catalogue")).body.classifications.find((c: any) => c.key === "task");
  const path = `/classifications/${task.id}/fields`;
  const { fields } = await ok(admin.request("PUT", path, { fields: [{ type: "text", ja: "覚書" }] }, { "If-Match": `"${task.version}"` }));
  return fields.find((f: any) => f.ja === "覚書").id;
}

/** A program, a project, tickets: the mark in every field that takes text,
 * and everybody here was a member once. */
async function makeSecret() {
  const program = await ok(admin.post("/programs", { ...marked("ProgramCreate"), key: `${KEY}P` }));
  const secret = await addProject(admin, KEY, { ...marked("ProjectCreate"), program: program.id });
  const members = people.slice(0, 8);
  for (const who of members) await put(`/projects/${secret.id}/members/${who.id}`, "member");
  await ok(admin.request("PUT", `/projects/${secret.id}/calendar`, { weekdays: 62, holidays: true, days: [{ day: "2026-05-12", is_working: false, name: MARK }] }, { "If-Match": `"${secret.version}"` }));
  const label = (await admin.get("/labels")).body.items[0];
  const own = await ok(people[0]!.client.post(`/projects/${secret.id}/tickets`, { subject: "自分の", classification: "task" }));
  const ticket = await ok(
    admin.post(`/projects/${secret.id}/tickets`, {
      ...marked("TicketCreate"), classification: "task", assignees: members.map((w) => w.id), fields: [{ field, value: `${MARK} 値` }],
      planned_start: "2026-05-11", planned_end: "2026-05-15", ...(label ? { labels: [label.id] } : {}),
    }),
  );
  await ok(admin.post(`/projects/${secret.id}/edits`, { edits: [{ op: "link", predecessor: own.id, successor: ticket.id }] }));
  await ok(admin.patch(`/tickets/${own.id}`, { subject: `${MARK} 改題` }, own.version));
  const names = demo.ready.accounts.slice(1, 9).map((a) => a.name).join(" @");
  const comment = await ok(admin.post(`/tickets/${ticket.id}/comments`, { body: `${MARK} コメント @${names}` }));
  const file = await ok(admin.post(`/tickets/${ticket.id}/files?name=${encodeURIComponent(`${MARK} 見積.txt`)}`, new TextEncoder().encode(`${MARK} の中身`)));
  const link = (await admin.get(`/tickets/${ticket.id}`)).body.predecessors[0].link;
  // a project's own calendar has no name outside; its number follows the last
  const named = (await admin.get("/calendars")).body.items.map((x: any) => Number(x.id));
  const calendar = String(Math.max(...named) + 1);
  for (const who of members) await ok(admin.delete(`/projects/${secret.id}/members/${who.id}`));
  Object.assign(hidden, { program: program.id, project: secret.id, ticket: ticket.id, comment: comment.id, file: file.id, link, calendar });
  await makeOwn();
  await makeNotice();
}

/** What is one person's alone. */
async function makeOwn() {
  const enquiry = await ok(admin.post("/enquiries", { category: "support", ...marked("EnquiryCreate") }));
  const filter = await ok(admin.post("/log-filters", { name: MARK, query: "kind=user" }));
  const token = await ok(admin.post("/me/tokens", { name: MARK, days: 1, projects: [hidden.project] }));
  const session = (await admin.get("/me/sessions")).body.items[0];
  Object.assign(hidden, { enquiry: enquiry.id, filter: filter.id, token: token.id, session: session.id });
}
/** A notice of the operator's that is for another tenant alone. */
async function makeNotice() {
  const oper = await signedInOperator(demo);
  await ok(oper.post("/tenants", { id: "elsewhere", name: "よその会社", admin_email: "boss@elsewhere.example", admin_name: "社長" }));
  const draft = await ok(oper.post("/service/notices", { kind: "vulnerability", title_ja: "よその件", title_en: "Elsewhere", body_ja: "本文", body_en: "text", is_for_all: false, tenants: [{ id: "elsewhere" }], mail_to: "nobody" }));
  await ok(oper.request("POST", `/service/notices/${draft.id}/publish`, {}, { "If-Match": `"${draft.version}"` }));
  hidden.notice = draft.id;
}
async function runJob() {
  const csv = new TextEncoder().encode(`操作,メールアドレス,氏名\n追加,new@people.example,新人\n`);
  const { job } = await ok(admin.post("/people/imports?dry=0", csv));
  while (!(await admin.get(`/jobs/${job.id}`)).body.ended_at) await new Promise((done) => setTimeout(done, 20));
  hidden.job = job.id;
}

/* ---- asking ---- */

const plain = (text: unknown) =>
  (typeof text === "string" ? text : JSON.stringify(text))
    .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "MOMENT")
    .replace(/"(instance|request_id)":"[^"]*"/g, '"$1":""')
    .replace(/expire[^,]*MOMENT/g, "");

const before1 = (path: string) => path.slice(0, path.indexOf("{"));
/** The address with an object of the kind its first words name. */
function address(route: Route, ids: Record<string, string>): string {
  const kind = pathKinds[before1(route.path)] ?? "other";
  return route.path.replace(/\{(\w+)\}/g, (_, name) => (name === "id" ? (ids[kind] ?? "1") : name === "file" ? (ids.file ?? "1") : people[0]!.id));
}
const withQuery = (path: string, route: Route) => {
  const q = new URLSearchParams();
  const has = (name: string) => route.query.some((p) => p.name === name);
  if (has("q")) q.set("q", MARK.slice(0, 4));
  if (has("dry")) q.set("dry", "1");
  if (has("limit")) q.set("limit", "200");
  return q.size ? `${path}?${q}` : path;
};
const isId = (p: any) => p.pattern === "^[0-9]+$" || ([p.type].flat()[0] === "array" && p.items && !p.items.$ref && !p.items.enum);

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
    const fields = Object.keys(schemas.Edit.properties).filter((f) => fieldKinds[`Edit.${f}`]);
    return ops.flatMap((op) => fields.map((f) => ({ edits: [{ op, ...(op === "link" ? { predecessor: open.ticket, successor: open.ticket } : { subject: "x", classification: "task" }), [f]: ids[fieldKinds[`Edit.${f}`]!] }] })));
  }
  const base = required(route.name);
  const more = Object.entries<any>(route.schema.properties).filter(([f]) => fieldKinds[`${route.name}.${f}`]);
  const named = (f: string, p: any) => {
    const id = ids[fieldKinds[`${route.name}.${f}`]!];
    return [p.type].flat()[0] === "array" ? [id] : id;
  };
  return [base, ...more.map(([f, p]) => ({ ...base, [f]: named(f, p) }))];
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

test("the table is whole: whatever names something by an id is sorted", () => {
  assert.ok(routes.length > 120, `${routes.length} routes`);
  const unsorted = new Set<string>();
  const seen = new Set<string>();
  const look = (schema: string) => {
    if (seen.has(schema)) return;
    seen.add(schema);
    const byText = Object.keys(fieldKinds).some((f) => f.startsWith(`${schema}.`));
    for (const [f, p] of Object.entries<any>(schemas[schema].properties)) {
      const name = `${schema}.${f}`;
      if (p.items?.$ref) look(p.items.$ref.split("/").at(-1));
      else if ((isId(p) || (byText && isText(p) && !textFields.has(f))) && !fieldKinds[name] && !openFields.test(name)) unsorted.add(name);
    }
  };
  for (const route of routes) {
    assert.ok(route.right && route.right !== "nobody", route.path);
    if (openRights.has(route.right)) continue;
    for (const at of route.path.matchAll(/\{/g)) {
      const prefix = route.path.slice(0, at.index);
      if (!pathKinds[prefix] && !openPaths.has(prefix)) unsorted.add(`${route.method} ${route.path}`);
    }
    for (const p of route.query)
      if (isId(p.schema) && !queryKinds[`${route.path}?${p.name}`] && !numbers.test(route.path) && !openFields.test(p.name) && !openFields.test(`${route.method} ${route.path}`)) unsorted.add(`${route.method} ${route.path}?${p.name}`);
    if (route.schema) look(route.name);
  }
  assert.deepEqual([...unsorted], [], "say above what these name");
  for (const name of Object.keys(fieldKinds)) {
    const [schema, f] = name.split(".") as [string, string];
    assert.ok(schemas[schema].properties[f], `${name} is no more`);
  }
  for (const prefix of [...Object.keys(pathKinds), ...openPaths]) assert.ok(routes.some((r) => r.path.includes("{") && r.path.startsWith(prefix)), `${prefix} is no more`);
  for (const [kind, id] of Object.entries(hidden)) assert.match(id, /^\d+$/, kind);
});

test("the secret is there, and its manager reads it", async () => {
  const text = plain((await admin.get(`/tickets/${hidden.ticket}`)).body);
  for (const word of ["subject", "details", "値"]) assert.ok(text.includes(`${MARK} ${word}`), word);
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
  const shapes = [
    [hidden, never],
    [{ ...hidden, ticket: `${KEY}-2` }, { ...never, ticket: `${NO_KEY}-2` }],
  ] as const;
  for (const who of people)
    for (const route of routes) {
      const name = `${route.method} ${route.path}`;
      const asks = pathKinds[before1(route.path)] || Object.keys(fieldKinds).some((f) => f.startsWith(`${route.name}.`)) || route.name === "Edits";
      if (!asks || apart.has(name)) continue;
      for (const [there, gone] of shapes) {
        const places = [[there, gone], ...(route.schema && route.path.includes("{id}") ? [[open, open]] : [])] as Record<string, string>[][];
        for (const [here, none] of places) {
          const [left, right] = [bodies(route, there), bodies(route, gone)];
          const isOpen = here === open;
          for (const [i, body] of left.entries()) {
            if ((isOpen || !pathKinds[before1(route.path)]) && route.name !== "Edits" && i === 0) continue; // names nothing hidden
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
  for (const who of people)
    for (const [name, kind] of Object.entries(queryKinds)) {
      const [path, q] = name.split("?") as [string, string];
      for (const sort of ["-updated", "planned_start", "planned_end", "subject", "priority"]) {
        const ask = async (id: string) => plain((await who.client.get(`${address({ path } as Route, open)}?${/^\/(my|notices)\b/.test(path) ? "" : `sort=${sort}&`}${q}=${id}`)).body);
        calls += 2;
        assert.equal(await ask(hidden[kind]), await ask(NEVER), `${who.name}: ${name} by ${sort}`);
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
  assert.equal(ticket.subject, `${MARK} subject`);
  assert.equal((await admin.get(`/projects/${hidden.project}`)).body.key, KEY);
  for (const who of people) {
    const reply = await who.client.get("/my/tickets");
    if (who.name !== "no session") assert.equal(reply.status, 200, who.name);
    assert.ok(!plain(reply.body).includes(MARK), who.name);
  }
});

/** Whoever stands outside the tenant: another's master administrator, operators. */
async function outsiders(): Promise<Who[]> {
  const oper = await signedInOperator(demo);
  const them: Who[] = [{ name: "operator", client: oper, id: "1" }];
  const password = "Tokyo-eki-2026";
  const invited = async (base: string, email: string) => {
    const client = new Client(base);
    const [, token] = await client.waitForMail(email, /#(\S+)/);
    // the walk above has tried links that are none, from this address too
    let reply = await client.post("/links/accept", { token, password });
    while (reply.status === 429) {
      await new Promise((resolve) => setTimeout(resolve, reply.body.retry_after * 1000));
      reply = await client.post("/links/accept", { token, password });
    }
    assert.equal(reply.status, 204, JSON.stringify(reply.body));
    assert.equal((await client.signIn(email, password)).status, 200);
    return client;
  };
  await ok(oper.post("/operators", { email: "auditor@example.jp", name: "監査", role: "auditor" }));
  them.push({ name: "auditor", client: await invited(demo.ready.console, "auditor@example.jp"), id: "2" });
  await ok(oper.post("/tenants", { id: "other", name: "別の会社", admin_email: "boss@other.example", admin_name: "社長" }));
  them.push({ name: "another tenant", client: await invited(demo.ready.url.replace(/kaku$/, "other"), "boss@other.example"), id: "1" });
  return them;
}

test("another tenant's master administrator and operators read no word of it either", async (t) => {
  let calls = 0;
  for (const who of await outsiders())
    for (const route of routes) {
      // what the desk is told is for the operator; `/session` ends this one
      if (apart.has(`${route.method} ${route.path}`) || /^\/desk\b/.test(route.path) || isMutation(route)) continue;
      for (const ids of [hidden, open as Record<string, string>]) {
        const reply = await who.client.request(route.method, withQuery(address(route, { ...ids, other: who.id }), route));
        calls++;
        for (const secret of [MARK, KEY]) assert.ok(!plain(reply.body).includes(secret), `${who.name}: ${route.method} ${route.path} says ${secret}`);
      }
    }
  t.diagnostic(`${calls} calls`);
});

test("no mail says a word of it, and who is out is told nothing more", async () => {
  const mails = async () => (await admin.get("/demo/mail")).body.items;
  const seen = (await mails()).length;
  const names = demo.ready.accounts.slice(1, 9).map((a) => a.name).join(" @");
  await ok(admin.post(`/tickets/${hidden.ticket}/comments`, { body: `${MARK} @${names}` }));
  await ok(admin.post("/users", { email: "mark@kaku.example", name: "目印" }));
  await admin.waitForMail("mark@kaku.example", /link#/);
  const all = await mails();
  for (const m of all) assert.ok(!plain(m).includes(MARK), `${m.to}: ${m.subject}`);
  const later = all.slice(0, all.length - seen).filter((m: any) => plain(m).includes(KEY));
  assert.deepEqual(later.map((m: any) => m.to), [], "newest first");
});

test("no command and no line of the server's own log says a word of it", () => {
  const data = join(demo.dir, "data");
  for (const words of [["tenant", "list"], ["tenant", "show", "kaku"], ["log", "verify", "--tenant", "kaku"], ["backup", "list"], ["config", "show"]]) {
    const { stdout, stderr } = spawnSync(binary, [...words, "--data", data], { encoding: "utf8", env: { ...process.env, ASAN_OPTIONS: "detect_leaks=0" } });
    for (const secret of [MARK, KEY]) assert.ok(!(stdout + stderr).includes(secret), words.join(" "));
  }
  const said = demo.said();
  assert.ok(said.length > 0);
  for (const secret of [MARK, KEY]) assert.ok(!said.includes(secret));
});
