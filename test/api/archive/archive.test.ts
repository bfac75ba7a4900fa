// SPDX-License-Identifier: Apache-2.0
// The customer's export of everything: asked for, followed, downloaded, read
// without us; nothing in it lets anybody in, and it is gone in time.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { csvRows, jsonRows, openDatabase, sha256, unzip } from "../archive.ts";
import { addProject, binary, Client, type Demo, removeDir, rule, signedIn, startDemo } from "../server.ts";

const env = { ...process.env, ASAN_OPTIONS: "detect_leaks=0" };
const DAY = 24 * 3600;
/** What lets somebody in, or means nothing elsewhere. */
const EMPTIED = ["session", "code", "link", "email_change", "factor", "recovery", "password_history", "token", "token_project", "mail", "mail_refusal", "job", "archive", "reset_wish", "notice_mail", "once", "throttle"];
let demo: Demo;
let data: string;
let admin: Client;
let clockFile: string;
let whole: Buffer;
let files: Map<string, Buffer>;

const moveClock = (seconds: number) => writeFileSync(clockFile, String(seconds));
const yagura = (words: string[], dir = data) => {
  const ended = spawnSync(binary, [...words, "--data_dir", dir], { env, encoding: "utf8", timeout: 120_000 });
  return { code: ended.status, out: ended.stdout, err: ended.stderr };
};
/** Bytes of a reply, not text. */
async function fetchFile(client: Client, id: string, headers: Record<string, string> = {}) {
  const reply = await fetch(`${client.base}/api/v1/archives/${id}/file`, {
    headers: { Cookie: [...client.cookies].map(([k, v]) => `${k}=${v}`).join("; "), ...headers },
  });
  return { status: reply.status, headers: reply.headers, data: Buffer.from(await reply.arrayBuffer()) };
}
async function ended(client: Client, id: string) {
  for (;;) {
    const job = (await client.get(`/jobs/${id}`)).body;
    if (job.ended_at) return job;
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}
const folder = (dir = data) => readdirSync(join(dir, "tenants", "kaku")).filter((n) => !/^(tenant|access)\.db/.test(n));

before(async () => {
  const dir = mkdtempSync(join(tmpdir(), "yagura-archive-"));
  clockFile = join(dir, "clock");
  moveClock(0);
  process.env.YAGURA_TEST_CLOCK_FILE = clockFile;
  process.env.YAGURA_TEST_LOOK_MS = "100";
  demo = await startDemo(dir);
  data = join(dir, "data");
  admin = await signedIn(demo, 0);
});
after(async () => {
  delete process.env.YAGURA_TEST_CLOCK_FILE;
  delete process.env.YAGURA_TEST_LOOK_MS;
  await demo?.stop();
  if (demo) removeDir(demo);
});

test("a master administrator asks, follows, is told, and downloads it", async () => {
  const { id: project } = await addProject(admin, "EXP", { name: "=1+1" });
  const ticket = await admin.post(`/projects/${project}/tickets`, { subject: "秘密の計画", details: "**本文**", classification: "task" });
  assert.equal(ticket.status, 201);
  await admin.post(`/tickets/${ticket.body.id}/comments`, { body: "コメント、\n二行目" });
  assert.equal((await admin.post(`/tickets/${ticket.body.id}/files?name=${encodeURIComponent("設計.txt")}`, Buffer.from("設計書の中身"))).status, 201);
  const enquiry = await admin.post("/enquiries", { category: "support", subject: "添付の件", body: "添付します" });
  assert.equal(enquiry.status, 201, JSON.stringify(enquiry.body));
  const thread = (await admin.get(`/enquiries/${enquiry.body.id}`)).body;
  const attached = await admin.post(`/enquiries/${enquiry.body.id}/files?message=${thread.messages[0].id}&name=${encodeURIComponent("見積:1.txt")}`, Buffer.from("見積書の中身"));
  assert.equal(attached.status, 201, JSON.stringify(attached.body));

  const asked = await admin.post("/archives", undefined);
  assert.equal(asked.status, 202, JSON.stringify(asked.body));
  assert.equal(rule(await admin.post("/archives", undefined).then((r) => (r.status === 409 ? r : { ...r, body: { errors: [{ rule: "job_active" }] } }))), "job_active");
  const job = await ended(admin, asked.body.job_id);
  assert.deepEqual([job.kind, job.state, job.done, job.total], ["archive", "done", 100, 100]);
  const { items } = (await admin.get("/archives")).body;
  const one = items.find((a: any) => a.id === job.result.archive_id);
  assert.equal(Date.parse(one.expires_at) - Date.parse(one.made_at), 7 * DAY * 1000);
  const mail = await admin.waitForMail(demo.ready.accounts[0]!.email, /データの書き出し」から[^]*\/export\n/);
  assert.doesNotMatch(mail.input!, /#|token|[0-9a-f]{16}/);

  const got = await fetchFile(admin, one.id);
  assert.equal(got.status, 200);
  assert.match(got.headers.get("content-disposition")!, /^attachment; filename="yagura-kaku-\d{4}-\d\d-\d\d\.zip"$/);
  assert.equal(got.headers.get("cache-control"), "no-store");
  whole = got.data;
  assert.deepEqual([whole.length, sha256(whole)], [one.bytes, one.sha256]);
  const kept = folder();
  assert.equal(kept.length, 1, kept.join());
  const sealed = readFileSync(join(data, "tenants", "kaku", kept[0]!));
  assert.ok(!sealed.includes("PK\u0003\u0004") && !sealed.includes("README.txt"), "not readable on the disk");
  files = unzip(whole);
});

test("parts of it are sent as asked for", async () => {
  const { id } = (await admin.get("/archives")).body.items[0];
  const get = (range: string, more = {}) => fetchFile(admin, id, { Range: range, ...more });
  const part = await get("bytes=100-70099");
  assert.deepEqual([part.status, part.headers.get("content-range")], [206, `bytes 100-70099/${whole.length}`]);
  assert.ok(part.data.equals(whole.subarray(100, 70100)));
  assert.ok((await get(`bytes=${whole.length - 30}-`)).data.equals(whole.subarray(-30)));
  assert.ok((await get("bytes=-10")).data.equals(whole.subarray(-10)));
  const outside = await get(`bytes=${whole.length}-`);
  assert.deepEqual([outside.status, outside.headers.get("content-range"), outside.data.length], [416, `bytes */${whole.length}`, 0]);
  for (const range of ["bytes=9-3", "lines=1-2", "bytes=a-b", "bytes=1-2,5-6"]) assert.equal((await get(range)).status, 200, range);
  assert.equal((await get("bytes=0-1", { "If-Range": '"other"' })).status, 200);
  const etag = part.headers.get("etag")!;
  assert.equal((await get("bytes=0-1", { "If-Range": etag })).status, 206);
  assert.equal((await fetchFile(admin, id, { "If-None-Match": etag })).status, 304);
});

test("who asked, what was made and each download are in the operation log", async () => {
  const { items } = (await admin.get("/operations?kind=archive")).body;
  const actions = items.map((o: any) => o.action);
  assert.ok(actions.includes("create") && actions.includes("download"), actions.join());
  const ranges = items.filter((o: any) => o.action === "download").map((o: any) => o.after.range);
  assert.ok(ranges.includes("bytes=-10") && ranges.includes(undefined), ranges.join());
  assert.equal((await admin.get("/operations?kind=job&action=start")).body.items[0].object_name, "archive");
});

test("every entry is in the checksums and in the manifest, with its rows", () => {
  const sums = new Map(files.get("SHA256SUMS")!.toString().trim().split("\n").map((line) => [line.slice(66), line.slice(0, 64)]));
  assert.deepEqual([...sums.keys()], [...files.keys()].filter((name) => name !== "SHA256SUMS"));
  for (const [name, sum] of sums) assert.equal(sha256(files.get(name)!), sum, name);
  const manifest = JSON.parse(files.get("manifest.json")!.toString());
  assert.deepEqual([manifest.format, manifest.version, manifest.tenant, manifest.schema_version], ["yagura-archive", 1, "kaku", 2]);
  for (const entry of manifest.entries) {
    const file = files.get(entry.name)!;
    assert.deepEqual([entry.bytes, entry.sha256], [file.length, sha256(file)], entry.name);
    if (/^json\//.test(entry.name) && !/operation_log/.test(entry.name)) assert.equal(jsonRows(file).length, entry.rows, entry.name);
    if (/^csv\//.test(entry.name) && !/operation_log/.test(entry.name)) assert.equal(csvRows(file).length, entry.rows, entry.name);
  }
  const readme = files.get("README.txt")!.toString();
  for (const name of files.keys()) {
    const table = name.match(/^csv\/(.*)\.csv$/)?.[1];
    if (table) assert.equal(readme.split(`  ${table} `).length, 3, `${table} is explained twice`);
  }
});

test("its database opens with any SQLite and holds what the screens show", async () => {
  const plan = (await admin.get("/programs")).body;
  openDatabase(files.get("tenant.db")!, (db) => {
    const all = (sql: string) => db.prepare(sql).all() as any[];
    assert.deepEqual(all("PRAGMA integrity_check").map((r) => r.integrity_check), ["ok"]);
    assert.deepEqual(all("PRAGMA foreign_key_check"), []);
    const keys = new Set(all("SELECT key FROM project").map((r) => r.key));
    for (const p of plan.projects) assert.ok(keys.has(p.key), p.key);
    for (const { name, rows } of JSON.parse(files.get("manifest.json")!.toString()).tables)
      assert.equal(all(`SELECT count(*) n FROM "${name}"`)[0].n, rows, name);
    assert.equal(jsonRows(files.get("json/tickets.ndjson")!).length, all("SELECT count(*) n FROM ticket")[0].n);
    assert.equal(jsonRows(files.get("json/ticket_history.ndjson")!).length, all("SELECT count(*) n FROM change")[0].n);
    assert.equal(jsonRows(files.get("json/operation_log.ndjson")!).length, all("SELECT count(*) n FROM operation")[0].n + 1);
    // every table that holds something is readable as CSV and JSON, or known to be left out
    const shown = new Set(
      ["tenant", "allow_range", "user", "role", "permission_group", "group_member", "access", "team", "team_member", "label", "classification", "status", "field", "field_choice", "standard_field", "calendar", "calendar_day", "program", "program_label", "project", "project_label", "project_team", "ticket", "ticket_assignee", "ticket_label", "ticket_team", "ticket_field", "dependency", "comment", "ticket_file", "ticket_chunk", "change", "enquiry", "enquiry_message", "enquiry_file", "enquiry_chunk", "alert_rule", "alert_reader", "log_filter", "contact", "notice_read", "support", "consent", "access_review", "operation"],
    );
    const derived = new Set(["key_name", "dependency_gone", "operation_anchor"]);
    const emptied = new Set(EMPTIED);
    for (const { name } of all("SELECT name FROM sqlite_schema WHERE type = 'table'"))
      assert.ok(shown.has(name) || derived.has(name) || emptied.has(name), `${name}: a new table; is it for people to read, or does it let somebody in?`);
  });
});

test("names stand where ids were; formulas are defused; files are as attached", () => {
  const ticket = jsonRows(files.get("json/tickets.ndjson")!).find((t) => t.subject === "秘密の計画");
  assert.deepEqual([ticket.project, ticket.classification, ticket.details, ticket.reporter], ["EXP", "task", "**本文**", demo.ready.accounts[0]!.name]);
  const inCsv = csvRows(files.get("csv/tickets.csv")!).find((t) => t["件名"] === "秘密の計画")!;
  assert.equal(inCsv["キー"], ticket.key);
  assert.equal(csvRows(files.get("csv/projects.csv")!).find((p) => p["キー"] === "EXP")!["名称"], "'=1+1");
  assert.equal(jsonRows(files.get("json/projects.ndjson")!).find((p) => p.key === "EXP").name, "=1+1");
  const comment = jsonRows(files.get("json/comments.ndjson")!).at(-1);
  assert.deepEqual([comment.ticket, comment.body], [ticket.key, "コメント、\n二行目"]);
  assert.ok(jsonRows(files.get("json/ticket_history.ndjson")!).some((h) => h.ticket === ticket.key));
  const [attached] = jsonRows(files.get("json/attachments.ndjson")!);
  assert.deepEqual([attached.name, attached.path], ["見積:1.txt", `attachments/${attached.id}-見積_1.txt`]);
  const file = files.get(attached.path)!;
  assert.deepEqual([file.toString(), sha256(file)], ["見積書の中身", attached.sha256]);
  const [own] = jsonRows(files.get("json/ticket_files.ndjson")!);
  assert.deepEqual([own.ticket, own.name, own.path, own.person], [ticket.key, "設計.txt", `attachments/tickets/${own.id}-設計.txt`, demo.ready.accounts[0]!.name]);
  assert.deepEqual([files.get(own.path)!.toString(), sha256(files.get(own.path)!)], ["設計書の中身", own.sha256]);
});

test("the operation log in it proves itself with our tool", () => {
  for (const name of ["csv/operation_log.csv", "json/operation_log.ndjson"]) {
    const path = join(demo.dir, name.replace("/", "-"));
    writeFileSync(path, files.get(name)!);
    const told = spawnSync(binary, ["log", "verify", "--file", path], { env, encoding: "utf8" });
    assert.equal(told.status, 0, told.stdout + told.stderr);
  }
});

test("nothing in it lets anybody in", () => {
  const secrets: [string, Buffer][] = [["a password hash", Buffer.from("$argon2id$")]];
  for (const account of demo.ready.accounts) secrets.push([`the password of ${account.email}`, Buffer.from(account.password)]);
  for (const value of admin.cookies.values()) {
    secrets.push(["a session", Buffer.from(value)]);
    secrets.push(["a session's hash", createHash("sha256").update(Buffer.from(value, "base64url")).digest()]);
    secrets.push(["a session's hash", createHash("sha256").update(value).digest()]);
  }
  for (const [name, content] of files)
    for (const [what, secret] of secrets) assert.ok(!content.includes(secret), `${what} in ${name}`);
  openDatabase(files.get("tenant.db")!, (db) => {
    for (const table of EMPTIED)
      assert.equal((db.prepare(`SELECT count(*) n FROM ${table}`).get() as any).n, 0, table);
    assert.equal((db.prepare("SELECT count(*) n FROM user WHERE password IS NOT NULL").get() as any).n, 0);
  });
});

test("others may neither make, see nor fetch one; a sign-in that is not fresh must prove itself", async () => {
  const member = await signedIn(demo, 3);
  const { id } = (await admin.get("/archives")).body.items[0];
  for (const reply of [await member.get("/archives"), await member.post("/archives", undefined), await member.delete(`/archives/${id}`)])
    assert.equal(reply.status, 403);
  assert.equal((await fetchFile(member, id)).status, 403);
  assert.equal((await fetchFile(new Client(demo.ready.url), id)).status, 401);
  assert.equal((await fetchFile(admin, "999")).status, 404);
  moveClock(11 * 60);
  const stale = await admin.post("/archives", undefined);
  assert.deepEqual([stale.status, rule(stale)], [401, "fresh_sign_in"]);
  assert.equal((await fetchFile(admin, id)).status, 401);
  moveClock(0);
});

test("the command line writes the same, and says so in the customer's log", async () => {
  const out = join(demo.dir, "kaku.zip");
  const made = yagura(["tenant", "export", "kaku", "--out", out]);
  assert.equal(made.code, 0, made.err);
  assert.equal(statSync(out).mode & 0o777, 0o600);
  const theirs = unzip(readFileSync(out));
  for (const name of ["csv/tickets.csv", "json/comments.ndjson"]) assert.ok(theirs.get(name)!.equals(files.get(name)!), name);
  const [logged] = (await admin.get("/operations?kind=archive&action=export")).body.items;
  assert.deepEqual([logged.user.name, logged.object_name], ["system", "command line"]);
  assert.equal(logged.after.sha256, sha256(readFileSync(out)));
  const again = yagura(["tenant", "export", "kaku", "--out", out]);
  assert.equal(again.code, 1);
  assert.match(again.err, /exists already/);
  assert.match(yagura(["tenant", "export", "nobody", "--out", join(demo.dir, "x.zip")]).err, /There is no tenant nobody/);
  assert.match(yagura(["tenant", "export", "kaku", "--out", "/nowhere/x.zip"]).err, /cannot be written/);
  assert.ok(!existsSync(join(demo.dir, "x.zip")));
  assert.equal(yagura(["tenant", "export", "kaku"]).code, 2);
});

test("a changed byte of what is kept never leaves", async () => {
  const asked = await admin.post("/archives", undefined);
  const { result } = await ended(admin, asked.body.job_id);
  const newest = folder().map((name) => join(data, "tenants", "kaku", name)).sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0]!;
  const bytes = readFileSync(newest);
  bytes[100] = bytes[100]! ^ 1;
  writeFileSync(newest, bytes);
  await assert.rejects(fetchFile(admin, result.archive_id), /terminated|fetch failed|socket/);
  assert.equal((await admin.delete(`/archives/${result.archive_id}`)).status, 204);
  assert.ok(!existsSync(newest));
  assert.equal((await fetchFile(admin, result.archive_id)).status, 404);
});

test("three are kept at most, for seven days", async () => {
  for (let i = 0; i < 3; i++) {
    const asked = await admin.post("/archives", undefined);
    assert.equal((await ended(admin, asked.body.job_id)).state, "done");
  }
  assert.equal(folder().length, 3);
  await demo.stop();
  moveClock(8 * DAY); // while it was off: a clock that jumps under it erases nothing
  demo = await startDemo(demo.dir);
  const again = await signedIn(demo, 0);
  assert.ok((await again.get("/archives")).body.items.every((a: any) => a.removed_at));
  while (folder().length) await new Promise((resolve) => setTimeout(resolve, 50));
  const removed = (await again.get("/operations?kind=archive&action=delete")).body.items;
  assert.ok(removed.length >= 4);
  moveClock(0);
});

test("killed at any moment, it leaves nothing behind and is made again", async () => {
  const dir = mkdtempSync(join(tmpdir(), "yagura-archive-kill-"));
  let one = await startDemo(dir);
  let client = await signedIn(one, 0);
  const { id } = await addProject(client, "BIG");
  for (let i = 0; i < 60; i++) await client.post(`/projects/${id}/tickets`, { subject: `作業 ${i}`, details: "本文".repeat(9000), classification: "task" });
  for (const wait of [5, 40, 120]) {
    const asked = await client.post("/archives", undefined);
    assert.equal(asked.status, 202, JSON.stringify(asked.body));
    await new Promise((resolve) => setTimeout(resolve, wait));
    const out = join(dir, `cut-${wait}.zip`);
    const command = spawn(binary, ["tenant", "export", "kaku", "--out", out, "--data_dir", join(dir, "data")], { env, stdio: "ignore" });
    const over = new Promise<number | null>((resolve) => command.on("exit", resolve));
    await new Promise((resolve) => setTimeout(resolve, wait));
    await one.stop("SIGKILL");
    const code = await over;
    if (code === 0) unzip(readFileSync(out));
    else assert.ok(!existsSync(out), "half a file");
    one = await startDemo(dir);
    client = await signedIn(one, 0);
    assert.equal((await ended(client, asked.body.job_id)).state, "done");
    assert.ok(folder(join(dir, "data")).every((name) => /^archive-[0-9a-f]{16}\.sealed$/.test(name)), folder(join(dir, "data")).join());
  }
  const items = (await client.get("/archives")).body.items.filter((a: any) => !a.removed_at);
  assert.equal(folder(join(dir, "data")).length, items.length);
  await one.stop();
  removeDir(one);
});

test("a full disk is said, and nothing half done stays", async (t) => {
  const dir = mkdtempSync(join(tmpdir(), "yagura-archive-full-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", dir], { stdio: "ignore" });
  } catch {
    rmSync(dir, { recursive: true });
    t.skip("no right to mount a small disk");
    return;
  }
  const one = await startDemo(dir);
  const client = await signedIn(one, 0);
  const refused = await client.post("/archives", undefined);
  assert.deepEqual([refused.status, rule(refused)], [507, "disk_full"]);
  assert.match(refused.body.errors[0].message, /MB/);
  // no room for two copies: found out on the way
  const used = Number(execFileSync("df", ["--output=avail", "-B1", dir], { encoding: "utf8" }).trim().split("\n").at(-1));
  writeFileSync(join(dir, "ballast"), Buffer.alloc(used - 900_000));
  const told = yagura(["tenant", "export", "kaku", "--out", join(dir, "out.zip")], join(dir, "data"));
  assert.equal(told.code, 1, told.out);
  assert.match(told.err, /no room/);
  assert.ok(!existsSync(join(dir, "out.zip")));
  assert.deepEqual(folder(join(dir, "data")), []);
  await one.stop();
  execFileSync("umount", [dir]);
  rmSync(dir, { recursive: true });
});
