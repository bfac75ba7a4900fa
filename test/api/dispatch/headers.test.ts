// SPDX-License-Identifier: Apache-2.0
// What headers mean: which version is changed, in which language one is told,
// where what was made is, which part of a file is wanted; and a body too slow.
import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { addProject, Client, type Demo, removeDir, rule, signedIn, startDemo } from "../server.ts";

let demo: Demo;
let admin: Client;
let project: any;
let ticket: any;

before(async () => {
  demo = await startDemo();
  admin = await signedIn(demo, 0);
  project = await addProject(admin, "HEAD");
  ticket = (await admin.post(`/projects/${project.id}/tickets`, { subject: "ヘッダーの件", classification: "task" })).body;
});
after(async () => {
  await demo?.stop();
  if (demo) removeDir(demo);
});
const cookies = () => [...admin.cookies].map(([k, v]) => `${k}=${v}`).join("; ");
const origin = () => new URL(demo.ready.url).origin;

test("If-Match names a version strongly: a weak tag matches none, no tag is asked for", async () => {
  const label = (await admin.post("/labels", { kind: "free", name: "版", color: "teal" })).body;
  const change = (name: string, headers: Record<string, string>) => admin.request("PATCH", `/labels/${label.id}`, { name, color: "red" }, headers);
  for (const [tag, status, word] of [
    [`W/"${label.version}"`, 412, "if_match_weak"],
    ['"abc"', 412, "if_match_weak"],
    ["*", 428, "if_match"],
    [`${label.version}`, 428, "if_match"],
  ] as const) {
    const reply = await change("変", { "If-Match": tag });
    assert.deepEqual([reply.status, rule(reply)], [status, word], tag);
  }
  assert.equal((await change("変", {})).status, 428);
  assert.equal((await change("一", { "If-Match": `W/"99", "${label.version}"` })).status, 200);
  assert.equal((await change("二", { "If-Match": `"${label.version}", "${label.version + 1}"` })).status, 200);
  assert.equal((await change("三", { "If-Match": `"${label.version}"` })).status, 412);
});

test("a token is told in the language of its request, its owner's when it names none", async () => {
  const { version } = (await admin.get("/security")).body;
  assert.equal((await admin.patch("/security", { tokens: true }, version)).status, 200);
  const { token } = (await admin.post("/me/tokens", { name: "言葉", days: 1 })).body;
  const told = async (headers: Record<string, string>) => {
    const reply = await fetch(`${demo.ready.url}/api/v1/tickets/987654321`, { headers: { Authorization: `Bearer ${token}`, ...headers } });
    assert.equal(reply.status, 404);
    return ((await reply.json()) as any).title;
  };
  assert.equal(await told({ "Accept-Language": "en" }), "Not found");
  assert.equal(await told({ "Accept-Language": "fr, en-GB;q=0.7, ja;q=0.2" }), "Not found");
  assert.equal(await told({ "Accept-Language": "ja" }), "見つかりません");
  assert.equal(await told({ "Accept-Language": "fr" }), "見つかりません");
});

test("a token changes things without X-Req", async () => {
  const { token } = (await admin.post("/me/tokens", { name: "書く", days: 1, write: true })).body;
  const reply = await fetch(`${demo.ready.url}/api/v1/projects/${project.id}/tickets`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify({ subject: "機械から", classification: "task" }),
  });
  assert.equal(reply.status, 201);
});

test("what was made is where Location says", async () => {
  for (const [path, body] of [
    [`/projects/${project.id}/tickets`, { subject: "場所", classification: "task" }],
    ["/projects", { key: "LOC", name: "場所", approach: "waterfall" }],
    ["/programs", { key: "LOCP", name: "場所のプログラム" }],
  ] as const) {
    const reply = await admin.post(path, body);
    assert.equal(reply.status, 201, JSON.stringify(reply.body));
    const at = reply.headers.get("location")!;
    assert.match(at, new RegExp(`^/.*/api/v1/.*/${reply.body.id}$`), path);
    const found = await fetch(origin() + at, { headers: { Cookie: cookies() } });
    assert.equal(found.status, 200, at);
    assert.equal(((await found.json()) as any).id, reply.body.id);
  }
  // what cannot be read by itself has none
  assert.equal((await admin.post("/labels", { kind: "free", name: "場所", color: "red" })).headers.get("location"), null);
});

test("a part of an attached file is sent as asked", async () => {
  const bytes = new TextEncoder().encode("0123456789".repeat(30_000));
  const file = await admin.post(`/tickets/${ticket.id}/files?name=part.bin`, bytes);
  assert.equal(file.status, 201);
  const url = origin() + file.headers.get("location");
  const get = (headers: Record<string, string>) => fetch(url, { headers: { Cookie: cookies(), ...headers } });
  const whole = await get({});
  assert.equal(whole.headers.get("accept-ranges"), "bytes");
  assert.equal((await whole.arrayBuffer()).byteLength, bytes.length);
  const tag = whole.headers.get("etag")!;
  const part = await get({ Range: "bytes=100005-100014" });
  assert.deepEqual([part.status, await part.text()], [206, "5678901234"]);
  assert.equal(part.headers.get("content-range"), `bytes 100005-100014/${bytes.length}`);
  assert.equal(await (await get({ Range: "bytes=-3", "If-Range": tag })).text(), "789");
  const other = await get({ Range: "bytes=-3", "If-Range": '"another"' });
  assert.deepEqual([other.status, (await other.arrayBuffer()).byteLength], [200, bytes.length]);
  assert.equal((await get({ Range: `bytes=${bytes.length}-` })).status, 416);
  assert.equal((await get({ "If-None-Match": tag })).status, 304);
});

/** Sends the head and the begin of a body, then nothing (or the end). */
const upload = (path: string, begin: string, isCut: boolean) =>
  new Promise<{ status: number; text: string }>((resolve) => {
    let text = "";
    const { hostname, port, pathname, host } = new URL(demo.ready.url);
    const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    socket.on("data", (data) => (text += data));
    socket.on("end", () => socket.end());
    socket.on("close", () => resolve({ status: Number(text.slice(9, 12)), text }));
    socket.write(
      `POST ${pathname.replace(/\/$/, "")}/api/v1${path} HTTP/1.1\r\nHost: ${host}\r\nX-Req: 1\r\nCookie: ${cookies()}\r\n`
        + `Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n${begin}`,
    );
    if (isCut) socket.end();
  });

test("a body that does not come in time is 408, one that is cut short 400", async () => {
  const file = `/tickets/${ticket.id}/files?name=slow.bin`;
  const project = "/projects";
  const [slowFile, slowJson, cutFile, cutJson] = await Promise.all([
    upload(file, "abc", false),
    upload(project, '{"key":', false),
    upload(file, "abc", true),
    upload(project, '{"key":', true),
  ]);
  assert.deepEqual([slowFile.status, slowJson.status, cutFile.status, cutJson.status], [408, 408, 400, 400]);
  for (const reply of [slowFile, slowJson]) {
    assert.match(reply.text, /"rule":"slow_body"/);
    assert.match(reply.text, /\r\nConnection: close\r\n/);
  }
});
