// SPDX-License-Identifier: Apache-2.0
// What every reply has in common: its headers, its cache, its language; what
// the server says of itself.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { request } from "node:http";
import { addProject, binary, Client, type Demo, removeDir, rule, signedIn, startDemo } from "../server.ts";

let demo: Demo;
let admin: Client;
let root: string;

before(async () => {
  demo = await startDemo();
  admin = await signedIn(demo, 0);
  root = new URL(demo.ready.url).origin;
});
after(async () => {
  await demo.stop();
  removeDir(demo);
});

/** A reply as it came, nothing unpacked or followed. */
const plain = (method: string, path: string, headers: Record<string, string> = {}) =>
  new Promise<{ status: number; headers: Record<string, any>; body: Buffer }>((resolve, reject) => {
    const cookie = [...admin.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const sent = request(root + path, { method, headers: { Cookie: cookie, ...headers } }, (reply) => {
      const parts: Buffer[] = [];
      reply.on("data", (part) => parts.push(part));
      reply.on("end", () =>
        resolve({ status: reply.statusCode!, headers: reply.headers, body: Buffer.concat(parts) }),
      );
    });
    sent.on("error", reject);
    sent.end();
  });

test("livez and readyz answer without a session; metrics are the operator's", async () => {
  for (const path of ["/livez", "/readyz"]) assert.equal((await plain("GET", path)).status, 200);
  for (const path of ["/metrics", "/t/kaku/metrics"])
    assert.doesNotMatch((await plain("GET", path)).body.toString(), /yagura_requests_total/);
});

test("a path of the screens is the page; a file that is not there is not", async () => {
  assert.equal((await plain("GET", "/t/kaku/projects/ERP/gantt")).status, 200);
  for (const path of ["/assets/nope.js", "/.git/config", "/t/kaku/.env", "/t/kaku/.git/HEAD"]) assert.equal((await plain("GET", path)).status, 404, path);
});

test("security headers are on every kind of reply", async () => {
  const replies: [string, string, number][] = [
    ["GET", "/t/kaku/api/v1/session", 200],
    ["GET", "/t/kaku/api/v1/tickets/987654321", 404],
    ["GET", "/t/kaku/api/v1/nothing", 404],
    ["POST", "/t/kaku/api/v1/sign-in", 403],
    ["DELETE", "/t/kaku/api/v1/programs", 405],
    ["GET", "/t/kaku/api/v1/projects/1/tickets?limit=x", 422],
    ["GET", "/t/kaku/missing.js", 404],
    ["GET", "/t/unknown/api/v1/session", 404],
    ["TRACE", "/", 405],
    ["GET", "/?q=%ff", 400],
  ];
  for (const [method, path, status] of replies) {
    const { headers, ...reply } = await plain(method, path);
    const name = `${method} ${path}`;
    assert.equal(reply.status, status, name);
    assert.equal(headers["x-content-type-options"], "nosniff", name);
    assert.match(headers["content-security-policy"], /default-src 'none'.*frame-ancestors 'none'/, name);
    assert.equal(headers["referrer-policy"], "no-referrer", name);
    assert.equal(headers["cache-control"], "no-store", name);
    assert.equal(headers.server, undefined, name);
    assert.equal(headers["x-powered-by"], undefined, name);
  }
});

test("errors are problem details in the reader's language", async () => {
  for (const [lang, word] of [["ja", /[ぁ-ん]/], ["en-GB,en;q=0.8", /^[ -~]+$/]] as const) {
    const guest = new Client(demo.ready.url);
    guest.lang = lang;
    const reply = await guest.get("/session");
    assert.equal(reply.headers.get("content-type"), "application/problem+json");
    assert.match(reply.body.title, word);
    assert.match(reply.body.errors[0].message, word);
    assert.match(reply.body.request_id, /^[0-9a-f]{16,}$/);
  }
});

test("malformed JSON is 400, a body of another type refused", async () => {
  const send = (body: string, type = "application/json") =>
    fetch(`${demo.ready.url}/api/v1/projects`, {
      method: "POST",
      headers: {
        Cookie: [...admin.cookies].map(([name, value]) => `${name}=${value}`).join("; "),
        "X-Req": "1",
        "Content-Type": type,
      },
      body,
    });
  for (const body of ["", "{", "[]", '{"key":"A"} x', '{"key":"A","key":"B"}', '{"key":NaN}', "\u0000", "[".repeat(5000)])
    assert.equal((await send(body)).status, 400, body.slice(0, 20));
  assert.equal((await send("key=A", "application/x-www-form-urlencoded")).status >= 400, true);
  assert.equal((await send(`{"key":"${"a".repeat(2 << 20)}"}`)).status, 413);
});

test("ETag: what has not changed is not sent again", async () => {
  const { id } = await addProject(admin, "ETAG");
  const first = await plain("GET", `/t/kaku/api/v1/projects/${id}`);
  const again = await plain("GET", `/t/kaku/api/v1/projects/${id}`, { "If-None-Match": first.headers.etag });
  assert.equal(again.status, 304);
  assert.equal(again.body.length, 0);
  await admin.patch(`/projects/${id}`, { name: "変更後" }, 1);
  const changed = await plain("GET", `/t/kaku/api/v1/projects/${id}`, { "If-None-Match": first.headers.etag });
  assert.equal(changed.status, 200);
});

test("JSON is packed for who takes it, and only for them", async () => {
  const path = "/t/kaku/api/v1/catalogue";
  const open = await plain("GET", path);
  const packed = await plain("GET", path, { "Accept-Encoding": "gzip" });
  assert.equal(open.headers["content-encoding"], undefined);
  assert.equal(packed.headers["content-encoding"], "gzip");
  assert.equal(packed.headers.vary, "Accept-Encoding");
  assert.deepEqual(JSON.parse(gunzipSync(packed.body).toString()), JSON.parse(open.body.toString()));
  assert.ok(packed.body.length < open.body.length / 2);
});

test("a constant text is packed once: the same bytes for all, with its tag, in parts too", async () => {
  const path = "/api/openapi.json";
  const open = await plain("GET", path);
  const packed = await plain("GET", path, { "Accept-Encoding": "gzip" });
  assert.equal(packed.headers["content-type"], "application/json");
  assert.equal(packed.headers["cache-control"], "no-cache");
  assert.ok(packed.body.length < open.body.length / 8, `${packed.body.length} of ${open.body.length}`);
  assert.ok(gunzipSync(packed.body).equals(open.body));
  const again = await plain("GET", path, { "If-None-Match": packed.headers.etag });
  assert.deepEqual([again.status, again.body.length], [304, 0]);
  const part = await plain("GET", path, { Range: "bytes=100000-100099" });
  assert.equal(part.status, 206);
  assert.ok(part.body.equals(open.body.subarray(100_000, 100_100)));
});

test("HEAD answers as GET, without the body", async () => {
  const head = await plain("HEAD", "/t/kaku/api/v1/catalogue");
  assert.equal(head.status, 200);
  assert.equal(head.body.length, 0);
});

/** The routes as the sources list them. */
function routesInSource(): string[] {
  const found: string[] = [];
  for (const file of readdirSync("src/api", { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith("_api.c")))
    for (const [, method, path] of readFileSync(join("src/api", file), "utf8").matchAll(
      /\{(GET|POST|PUT|PATCH|DELETE)\(\s*"([^"]*)"/g,
    ))
      found.push(`${method} /api/v1${path!.replace(/:([a-z]+)/g, "{$1}")}`);
  return found;
}

test("the OpenAPI document is 3.1 and has every route there is", async () => {
  const doc = JSON.parse((await plain("GET", "/api/openapi.json")).body.toString());
  assert.equal(doc.openapi, "3.1.0");
  assert.ok(doc.info.title && doc.info.version);
  const words = doc.paths["/api/v1/projects/{id}/imports"].post.parameters;
  assert.deepEqual(words.filter((one: any) => one.required).map((one: any) => one.name), ["id", "format"]);
  const ids = new Set<string>();
  const tags = new Set(doc.tags.map((one: any) => one.name));
  assert.deepEqual(doc.servers[0], { url: "/" });
  const upload = doc.paths["/api/v1/tickets/{id}/files"].post;
  assert.deepEqual(upload.requestBody.content["application/octet-stream"].schema, { type: "string", format: "binary" });
  assert.deepEqual(upload.security, [{ session: [] }, { token: [] }]);
  assert.deepEqual(doc.paths["/api/v1/me/password"].post.security, [{ session: [] }], "one's own account takes no token");
  const listed: string[] = [];
  const refs: string[] = [];
  const collect = (node: any) => {
    if (node && typeof node === "object")
      for (const [name, value] of Object.entries(node))
        if (name === "$ref") refs.push(value as string);
        else collect(value);
  };
  collect(doc.paths);
  collect(doc.components);
  for (const [path, item] of Object.entries<any>(doc.paths))
    for (const [method, operation] of Object.entries<any>(item)) {
      const name = `${method.toUpperCase()} ${path}`;
      listed.push(name);
      assert.ok(operation.summary, name);
      for (const refused of ["4XX", "5XX"]) assert.ok(operation.responses[refused], name);
      assert.match(operation.operationId, /^[a-z][A-Za-z0-9]+$/, name);
      assert.ok(!ids.has(operation.operationId), `${operation.operationId} twice`);
      ids.add(operation.operationId);
      assert.deepEqual(operation.tags, [path.split("/")[3]], name);
      assert.ok(tags.has(operation.tags[0]), name);
      for (const way of operation.security) assert.ok(doc.components.securitySchemes[Object.keys(way)[0]!], name);
      if (operation["x-right"] === "anyone") assert.deepEqual(operation.security, [], name);
      else assert.ok(operation.security.some((way: any) => way.session), name);
      const declared = (operation.parameters ?? []).filter((one: any) => one.in === "path");
      assert.deepEqual(
        declared.map((one: any) => one.name),
        [...path.matchAll(/\{(\w+)\}/g)].map(([, one]) => one),
        name,
      );
      for (const one of declared) assert.equal(one.required, true, name);
    }
  const source = routesInSource();
  assert.ok(source.length > 50);
  assert.equal(new Set(source).size, source.length, "each route once");
  assert.deepEqual([...listed].sort(), [...source].sort());
  assert.ok(refs.length > 20);
  for (const ref of refs) assert.ok(ref.slice(2).split("/").reduce((node: any, name) => node?.[name], doc), ref);
});

test("who is not signed in gets 401 on every route but the way in", async () => {
  const open = new Set([
    "POST /sign-in",
    "POST /links/check",
    "POST /links/accept",
    "POST /password-reset",
    "GET /password-policy",
    "GET /demo/mail",
    "POST /email-links/check",
    "POST /email-links/confirm",
    "POST /email-links/cancel",
    "POST /support/enter",
    "GET /trust",
    "GET /policies",
    "GET /policies/{kind}",
    "GET /setup",
    "POST /setup",
  ]);
  const guests = [new Client(demo.ready.url), new Client(demo.ready.console)];
  for (const route of routesInSource()) {
    const [method, path] = route.replace("/api/v1", "").split(" ") as [string, string];
    const ask = (guest: Client) =>
      guest.request(method, path.replace(/\{\w+\}/g, "1"), method === "GET" ? undefined : {}, { "If-Match": '"1"' });
    const replies = await Promise.all(guests.map(ask));
    const reply = replies.find((one) => one.status !== 404 || rule(one) !== "route")!;
    for (const one of replies) assert.ok(one.status === 404 || (one.status === 401) !== open.has(`${method} ${path}`) || rule(one) === "token", route);
    if (path === "/setup") continue; // tried with its token elsewhere
    if (open.has(`${method} ${path}`)) assert.notEqual(reply.status, 401, route);
    else assert.equal(reply.status, 401, `${route}: ${JSON.stringify(reply.body)}`);
  }
});

test("the binary says what it is made of, by the lock file", () => {
  const say = (word: string) => execFileSync(binary, ["version", word], { env: { ...process.env, ASAN_OPTIONS: "detect_leaks=0" } }).toString();
  const sbom = JSON.parse(say("--sbom"));
  assert.deepEqual([sbom.bomFormat, sbom.specVersion], ["CycloneDX", "1.6"]);
  const lock = readFileSync("third_party/lock", "utf8");
  const ui = JSON.parse(readFileSync("www/package-lock.json", "utf8")).packages;
  for (const part of sbom.components) {
    const from = part.externalReferences[0];
    if (from.comment) { // the browser's, by its own lock file
      const { version, integrity, license } = ui[`node_modules/${part.name}`];
      assert.deepEqual([part.version, from.comment, part.licenses[0].license.id], [version, integrity, license], part.name);
      continue;
    }
    const where = part.name === "zxcvbn" ? readFileSync("third_party/lock-data", "utf8") : lock;
    assert.ok(where.includes(`${part.name} ${part.version} `), part.name);
    assert.ok(part.hashes.length && part.hashes.every((h: any) => where.includes(h.content)), part.name);
  }
  const linked = [...lock.matchAll(/^(\w+) \S+ (?:debian|npm|url)/gm)].map(([, name]) => name!).filter((name) => !["node", "npm"].includes(name));
  for (const name of linked) assert.ok(sbom.components.some((part: any) => part.name === name), `${name} is in the inventory`);
  const notices = say("--licenses");
  for (const part of sbom.components) assert.ok(notices.includes(`${part.name} ${part.version}`), part.name);
  assert.match(say("--build"), /compiler gcc .*components \d+.*tls suites TLS1-3/s);
});

test("a method a path does not have is 405, and says which it has", async () => {
  for (const [method, path, allowed] of [
    ["PUT", "/session", "GET, HEAD, DELETE"],
    ["DELETE", "/programs", "GET, HEAD, POST"],
    ["PATCH", "/operations", "GET, HEAD"],
    ["POST", "/me", "PATCH"],
  ] as const) {
    const reply = await admin.request(method, path, {});
    assert.equal(reply.status, 405, `${method} ${path}`);
    assert.equal(reply.headers.get("allow"), allowed);
  }
});

test("a tenant that is not there is 404, whatever is asked of it", async () => {
  for (const id of ["nobody", "KAKU", "kaku2", "..", "%2e%2e", "a".repeat(100)]) {
    const reply = await plain("GET", `/t/${id}/api/v1/session`);
    assert.ok([400, 404].includes(reply.status), `${id}: ${reply.status}`);
  }
});
