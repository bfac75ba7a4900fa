// SPDX-License-Identifier: Apache-2.0
// Files attached to a ticket: rights follow the ticket, a file is what its
// name and its first bytes say, and only pictures are ever shown.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { connect } from "node:net";
import { after, before, test } from "node:test";
import { addProject, type Answer, type Client, type Demo, removeDir, rule, signedIn, signedInOperator, startDemo } from "../server.ts";

let demo: Demo;
let admin: Client;
const who: Record<string, Client> = {};
const roles = ["manager", "leader", "member", "contributor", "commenter", "viewer"];
let ticket: any;
let project: any;
const text = (s: string) => new TextEncoder().encode(s);
const PNG = new Uint8Array(Buffer.from("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==", "base64"));
const ids: Record<string, string> = {};

async function ok(reply: Promise<Answer>): Promise<any> {
  const { status, body } = await reply;
  assert.ok(status < 300, `${status} ${JSON.stringify(body)}`);
  return body;
}
const up = (client: Client, name: string, data: Uint8Array, id = ticket.id) => client.post(`/tickets/${id}/files?name=${encodeURIComponent(name)}`, data);
const list = async (id = ticket.id) => (await ok(admin.get(`/tickets/${id}/files`))).items as any[];
const raw = (client: Client, path: string) =>
  fetch(`${demo.ready.url}/api/v1${path}`, { headers: { Cookie: [...client.cookies].map(([k, v]) => `${k}=${v}`).join("; ") } });

before(async () => {
  demo = await startDemo();
  admin = await signedIn(demo, 0);
  project = await addProject(admin, "FIL");
  for (const [i, role] of roles.entries()) {
    const client = await signedIn(demo, i + 1);
    who[role] = client;
    ids[role] = (await client.get("/session")).body.user.id;
    await ok(admin.request("PUT", `/projects/${project.id}/members/${ids[role]}`, { role }));
  }
  who.stranger = await signedIn(demo, 7);
  ticket = await ok(admin.post(`/projects/${project.id}/tickets`, { subject: "添付の件", classification: "task" }));
});
after(async () => {
  await demo?.stop();
  if (demo) removeDir(demo);
});

test("who may comment on the ticket or edit it adds, who sees it reads, others get 404", async () => {
  for (const role of roles) {
    const reply = await up(who[role]!, `${role}.txt`, text(role));
    assert.equal(reply.status, role === "viewer" ? 403 : 201, role);
    assert.equal((await who[role]!.get(`/tickets/${ticket.id}/files`)).status, 200, role);
  }
  const [file] = await list();
  assert.deepEqual([file.name, file.size, file.type, file.picture, file.user.id], ["manager.txt", 7, "application/octet-stream", false, ids.manager]);
  assert.equal(file.sha256, createHash("sha256").update("manager").digest("hex"));
  const path = `/tickets/${ticket.id}/files`;
  for (const reply of [await who.stranger!.get(path), await up(who.stranger!, "x.txt", text("x")), await who.stranger!.get(`${path}/${file.id}`), await who.stranger!.delete(`${path}/${file.id}`), await who.stranger!.get("/tickets/999999/files")])
    assert.equal(reply.status, 404);
  assert.equal((await who.viewer!.get(`${path}/${file.id}`)).body, "manager");
});

test("one's own file goes, anybody's by who may edit the ticket", async () => {
  const path = `/tickets/${ticket.id}/files`;
  const of = async (role: string) => (await list()).find((f) => f.name === `${role}.txt`).id;
  assert.equal((await who.viewer!.delete(`${path}/${await of("commenter")}`)).status, 403);
  assert.equal((await who.commenter!.delete(`${path}/${await of("leader")}`)).status, 403);
  assert.equal((await who.contributor!.delete(`${path}/${await of("leader")}`)).status, 403); // neither assigned nor reporter
  assert.equal((await who.commenter!.delete(`${path}/${await of("commenter")}`)).status, 204);
  assert.equal((await who.member!.delete(`${path}/${await of("leader")}`)).status, 204);
  const own = await ok(admin.post(`/projects/${project.id}/tickets`, { subject: "協力者の件", classification: "task", assignees: [ids.contributor] }));
  const file = await ok(up(admin, "a.txt", text("a"), own.id));
  assert.equal((await who.contributor!.delete(`/tickets/${own.id}/files/${file.id}`)).status, 204);
  assert.equal((await who.contributor!.delete(`/tickets/${own.id}/files/${file.id}`)).status, 404);
  // a file is looked for in its own ticket alone
  assert.equal((await admin.get(`/tickets/${own.id}/files/${await of("member")}`)).status, 404);
});

test("history and operation log tell of it in the same transaction", async () => {
  const history = (await ok(admin.get(`/tickets/${ticket.id}/history`))).items.filter((h: any) => h.field === "file");
  assert.deepEqual([history[0].before, history[0].after], ["leader.txt", null]);
  const rows = (await ok(admin.get("/operations?kind=ticket_file"))).items;
  const added = rows.find((r: any) => r.action === "create" && r.after.file === "leader.txt");
  assert.equal(added.object_name, "FIL-1 添付の件");
  assert.ok(rows.some((r: any) => r.action === "delete" && r.before.file === "leader.txt"));
});

test("a picture is shown in a sandbox, everything else only downloads", async () => {
  const name = "画面 キャプチャ.PNG";
  const png = await ok(up(admin, name, PNG));
  assert.deepEqual([png.type, png.picture], ["image/png", true]);
  const shown = await raw(who.viewer!, `/tickets/${ticket.id}/files/${png.id}`);
  assert.deepEqual(new Uint8Array(await shown.arrayBuffer()), PNG);
  const heads = (r: Response) => ["content-type", "content-disposition", "content-security-policy", "x-content-type-options"].map((h) => r.headers.get(h));
  assert.deepEqual(heads(shown), ["image/png", `inline; filename="file"; filename*=UTF-8''${encodeURIComponent(name)}`, "sandbox; default-src 'none'", "nosniff"]);
  for (const [n, data] of [["x.html", "<script>alert(1)</script>"], ["x.svg", "<svg onload='alert(1)'/>"], ["絵.txt", "\x89PNG\r\n\x1a\n"], ["x.pdf", "%PDF-1.7"]] as const) {
    const file = await ok(up(admin, n, text(data)));
    assert.equal(file.picture, false, n);
    const reply = await raw(admin, `/tickets/${ticket.id}/files/${file.id}`);
    assert.deepEqual(heads(reply), ["application/octet-stream", `attachment; filename="file"; filename*=UTF-8''${encodeURIComponent(n)}`, "sandbox; default-src 'none'", "nosniff"]);
  }
});

test("bytes that are not what the name says are refused, and so are names that hide", async () => {
  const before = (await list()).length;
  for (const name of ["x.png", "x.jpg", "x.jpeg", "x.gif", "x.webp", "x.pdf", "x.docx", "x.zip"]) {
    const reply = await up(admin, name, text("<html><script>"));
    assert.deepEqual([reply.status, rule(reply)], [422, "type"], name);
  }
  assert.equal(rule(await up(admin, "x.jpg", PNG)), "type");
  for (const name of ["../../etc/passwd", "C:\\x.txt", "a/b"]) assert.equal(rule(await up(admin, name, text("x"))), "name_path", name);
  for (const name of ["a\nb", "a\u0001b", "a\u0000b", "fdp\u202eexe.txt", "", "長".repeat(201)]) assert.ok([400, 422].includes((await up(admin, name, text("x"))).status), JSON.stringify(name));
  assert.equal(rule(await up(admin, "x.txt", new Uint8Array())), "empty");
  assert.equal((await list()).length, before);
  assert.equal((await up(admin, "長".repeat(196) + ".txt", text("x"))).status, 201);
});

/** A JPEG as a camera writes it: lying on its side, with the place it was taken at. */
function photo() {
  const segment = (marker: number, data: Buffer) => Buffer.concat([Buffer.from([0xff, marker, (data.length + 2) >> 8, (data.length + 2) & 255]), data]);
  const tag = Buffer.from("4d4d002a00000008000201120003000000010006000088250004000000010000002600000000", "hex");
  return Buffer.concat([
    Buffer.from([0xff, 0xd8]),
    segment(0xe1, Buffer.concat([Buffer.from("Exif\0\0"), tag, Buffer.from("GPS 35.6812 139.7671")])),
    segment(0xfe, Buffer.from("taken by Taro")),
    segment(0xc0, Buffer.from([8, 0, 48, 0, 64, 1, 1, 0x11, 0])),
    segment(0xda, Buffer.from([1, 1, 0, 0, 63, 0])),
    Buffer.from("lines"),
    Buffer.from([0xff, 0xd9]),
  ]);
}

test("a picture is kept without the place, the camera and the words in it, and stays upright", async () => {
  const file = await ok(up(admin, "現地.jpg", photo()));
  const bytes = Buffer.from(await (await raw(admin, `/tickets/${ticket.id}/files/${file.id}`)).arrayBuffer());
  assert.deepEqual([bytes.length, createHash("sha256").update(bytes).digest("hex")], [file.size, file.sha256]);
  for (const secret of ["GPS", "139.7671", "Taro"]) assert.ok(!bytes.includes(secret), secret);
  assert.ok(bytes.includes(Buffer.from("0112000300000001000600000000", "hex")), "the way up");
  assert.ok(bytes.includes("lines"));
  // under another name it is not looked into
  const same = await ok(up(admin, "現地.bin", photo()));
  assert.equal(same.sha256, createHash("sha256").update(photo()).digest("hex"));
});

test("a photo of the largest size is cleaned too, however it is sent", async () => {
  const own = await ok(admin.post(`/projects/${project.id}/tickets`, { subject: "大きな写真", classification: "task" }));
  const whole = Buffer.concat([photo().subarray(0, -2), Buffer.alloc(25 * 1024 * 1024 - photo().length, 65), Buffer.from([0xff, 0xd9])]);
  const counted = await ok(up(admin, "大.jpg", new Uint8Array(whole), own.id));
  const slow = await slowly("chunked.jpg", -1, own.id);
  for (let at = 0; at < whole.length; at += 1 << 20) {
    const part = whole.subarray(at, at + (1 << 20));
    await slow.send(Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n")]));
  }
  await slow.send("0\r\n\r\n");
  assert.match(await slow.closed, /^HTTP\/1\.1 201 /);
  const [, chunked] = await list(own.id);
  assert.deepEqual([chunked.size, chunked.sha256], [counted.size, counted.sha256]);
  assert.ok(counted.size < whole.length);
});

test("a damaged picture and one no browser should draw are refused", async () => {
  const bomb = Buffer.from(PNG);
  bomb.writeUInt32BE(20_000, 16);
  bomb.writeUInt32BE(20_000, 20);
  for (const [data, why] of [[PNG.subarray(0, 40), "damaged"], [bomb, "pixels"]] as const) {
    const reply = await up(admin, "x.png", new Uint8Array(data));
    assert.deepEqual([reply.status, rule(reply)], [422, why]);
  }
});

test("200 files a ticket; one taken away makes room for one", async () => {
  const own = await ok(admin.post(`/projects/${project.id}/tickets`, { subject: "多い", classification: "task" }));
  for (let i = 0; i < 200; i++) await ok(up(admin, `${i}.txt`, text("x"), own.id));
  const over = await up(admin, "200.txt", text("x"), own.id);
  assert.deepEqual([over.status, rule(over)], [409, "files"]);
  const pages = [await ok(admin.get(`/tickets/${own.id}/files?limit=150`))];
  pages.push(await ok(admin.get(`/tickets/${own.id}/files?limit=150&after=${pages[0].next}`)));
  assert.deepEqual(pages.map((p) => p.items.length), [150, 50]);
  await ok(admin.delete(`/tickets/${own.id}/files/${pages[1].items[0].id}`));
  assert.equal((await up(admin, "200.txt", text("x"), own.id)).status, 201);
});

test("25 MB a file, 200 MB a ticket", async () => {
  const own = await ok(admin.post(`/projects/${project.id}/tickets`, { subject: "大きい", classification: "task" }));
  const big = new Uint8Array(25 * 1024 * 1024).fill(65);
  const file = await ok(up(admin, "b.bin", big, own.id));
  assert.equal(file.sha256, createHash("sha256").update(big).digest("hex"));
  const back = new Uint8Array(await (await raw(admin, `/tickets/${own.id}/files/${file.id}`)).arrayBuffer());
  assert.ok(Buffer.from(back).equals(Buffer.from(big)));
  assert.equal((await up(admin, "c.bin", new Uint8Array(big.length + 1), own.id)).status, 413);
  for (let i = 0; i < 7; i++) await ok(up(admin, `${i}.bin`, big, own.id));
  const over = await up(admin, "d.bin", text("x"), own.id);
  assert.deepEqual([over.status, rule(over)], [409, "files_size"]);
});

/** An upload by hand: what send() writes is on its way, what comes back is awaited. */
async function slowly(name: string, size: number, id = ticket.id) {
  const { host, hostname, port, pathname } = new URL(demo.ready.url);
  const socket = connect(Number(port), hostname);
  const cookie = [...admin.cookies].map(([k, v]) => `${k}=${v}`).join("; ");
  let told = "";
  socket.on("data", (d) => (told += d));
  const closed = new Promise<string>((done) => socket.on("close", () => done(told)));
  const send = (data: Buffer | string) => new Promise<void>((done, fail) => socket.write(data, (e) => (e ? fail(e) : done())));
  await send(`POST ${pathname.replace(/\/$/, "")}/api/v1/tickets/${id}/files?name=${name} HTTP/1.1\r\nHost: ${host}\r\nX-Req: 1\r\nCookie: ${cookie}\r\nContent-Type: application/octet-stream\r\nConnection: close\r\n${size < 0 ? "Transfer-Encoding: chunked" : `Content-Length: ${size}`}\r\n\r\n`);
  return { send, closed };
}

test("while a slow upload is on its way others write", async () => {
  const size = 300_000;
  const slow = await slowly("slow.bin", size);
  await slow.send(Buffer.alloc(size - 1, 66));
  for (let i = 0; i < 5; i++) {
    await ok(who.member!.post(`/tickets/${ticket.id}/comments`, { body: `その間に ${i}` }));
    await ok(up(who.leader!, `between${i}.txt`, text("x")));
  }
  assert.ok(!(await list()).some((f) => f.name === "slow.bin"));
  await slow.send("B");
  assert.match(await slow.closed, /^HTTP\/1\.1 201 /);
  const names = (await list()).map((f) => f.name);
  assert.ok(names.indexOf("slow.bin") > names.indexOf("between4.txt"));
});

test("an upload that breaks off leaves nothing", async () => {
  const before = await list();
  const { hostname, port } = new URL(demo.ready.url);
  const base = new URL(demo.ready.url).pathname.replace(/\/$/, "");
  await new Promise<void>((done) => {
    const socket = connect(Number(port), hostname, () => {
      const cookie = [...admin.cookies].map(([k, v]) => `${k}=${v}`).join("; ");
      socket.write(`POST ${base}/api/v1/tickets/${ticket.id}/files?name=half.bin HTTP/1.1\r\nHost: ${hostname}:${port}\r\nX-Req: 1\r\nCookie: ${cookie}\r\nContent-Type: application/octet-stream\r\nContent-Length: 1000000\r\n\r\n`);
      socket.write(Buffer.alloc(500_000), () => socket.end());
    });
    socket.on("error", () => done());
    socket.on("close", () => done());
    socket.resume();
  });
  assert.deepEqual(await list(), before);
});

test("the server killed amid an upload: what it answered for is there, nothing half", async () => {
  const sent = [0, 1, 2, 3].map((i) => up(admin, `kill${i}.bin`, new Uint8Array(4 * 1024 * 1024).fill(i + 1)).then((r) => (r.status === 201 ? r.body.id : ""), () => ""));
  await Promise.race(sent);
  await demo.stop("SIGKILL");
  const answered = (await Promise.all(sent)).filter(Boolean);
  demo = await startDemo(demo.dir);
  admin = await signedIn(demo, 0);
  const found = await list();
  for (const id of answered) assert.ok(found.some((f) => f.id === id), id);
  for (const file of found) {
    const bytes = Buffer.from(await (await raw(admin, `/tickets/${ticket.id}/files/${file.id}`)).arrayBuffer());
    assert.equal(createHash("sha256").update(bytes).digest("hex"), file.sha256, file.name);
  }
});

test("the tenant's quota counts files", async () => {
  const oper = await signedInOperator(demo);
  const path = `/tenants/${demo.ready.tenant}/quota`;
  const set = async (bytes: number | null) => ok(oper.patch(path, { bytes }, (await oper.get(path)).body.version));
  await set(1 << 20);
  const full = await up(admin, "q.txt", text("x"));
  assert.deepEqual([full.status, rule(full)], [507, "quota_bytes"]);
  await set(null);
  assert.equal((await up(admin, "q.txt", text("x"))).status, 201);
});

test("a ticket in the bin hides its files; restoring brings them back", async () => {
  const own = await ok(admin.post(`/projects/${project.id}/tickets`, { subject: "捨てる", classification: "task" }));
  const file = await ok(up(admin, "a.txt", text("a"), own.id));
  await ok(admin.delete(`/tickets/${own.id}`, own.version));
  assert.equal((await admin.get(`/tickets/${own.id}/files/${file.id}`)).status, 404);
  await ok(admin.post(`/projects/${project.id}/edits`, { edits: [{ op: "restore", id: own.id }] }));
  assert.equal((await admin.get(`/tickets/${own.id}/files/${file.id}`)).body, "a");
});
