// SPDX-License-Identifier: Apache-2.0
// An archive on another installation is the same tenant; everybody is invited
// anew.  What was changed, cut, swollen or made elsewhere is refused by name,
// and nothing of it stays.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { csvRows, jsonRows, reseal, unzip, zip } from "../archive.ts";
import { addProject, binary, Client, type Demo, removeDir, signedIn, startDemo } from "../server.ts";

const env = { ...process.env, ASAN_OPTIONS: "detect_leaks=0" };
let from: Demo;
let to: Demo;
let files: Map<string, Buffer>;
let path: string;

const yagura = (words: string[], demo: Demo) => {
  const ended = spawnSync(binary, [...words, "--data_dir", join(demo.dir, "data")], { env, encoding: "utf8", timeout: 120_000 });
  return { code: ended.status, out: ended.stdout, err: ended.stderr };
};
const bring = (file: string, id: string, demo = to, more: string[] = []) => yagura(["tenant", "import", file, "--id", id, ...more], demo);
/** What stands in the data directory of a tenant, or of its making. */
const traces = (id: string, demo = to) =>
  ["tenants", "keys"].flatMap((folder) => readdirSync(join(demo.dir, "data", folder)).filter((name) => name.replace(/^\.new-/, "").split(".")[0] === id));
/** Written to a file; refused with these words, leaving nothing. */
function refused(bytes: Buffer, words: RegExp) {
  const file = join(to.dir, "bad.zip");
  writeFileSync(file, bytes);
  const told = bring(file, "badone");
  assert.equal(told.code, 1, `${told.out} was expected to match ${words}`);
  assert.match(told.err, words);
  assert.deepEqual(traces("badone"), []);
  assert.doesNotMatch(yagura(["tenant", "list"], to).out, /badone/);
}
/** The database changed by somebody who can make the checksums right. */
function forged(change: (db: DatabaseSync) => void, tables: Record<string, number> = {}): Buffer {
  const dir = mkdtempSync(join(tmpdir(), "yagura-forge-"));
  const file = join(dir, "x.db");
  writeFileSync(file, files.get("tenant.db")!);
  const db = new DatabaseSync(file, { enableForeignKeyConstraints: false });
  change(db);
  db.close();
  const entries = new Map(files);
  entries.set("tenant.db", readFileSync(file));
  rmSync(dir, { recursive: true });
  return reseal(entries, (manifest) => {
    for (const table of manifest.tables) table.rows += tables[table.name] ?? 0;
  });
}

/** What the release before this one would have written of the same tenant: its tables, filled with the columns they had. */
function ofVersion1(): Buffer {
  const dir = mkdtempSync(join(tmpdir(), "yagura-one-"));
  writeFileSync(join(dir, "new.db"), files.get("tenant.db")!);
  const db = new DatabaseSync(join(dir, "one.db"), { enableForeignKeyConstraints: false });
  const sections = readFileSync("test/db/schema_1.sql", "utf8").split(/^-- section: /m).slice(1);
  const sql = sections.filter((s) => s.slice(0, s.indexOf("\n")).split(" ").includes("tenant")).map((s) => s.slice(s.indexOf("\n"))).join("\n");
  db.exec(sql.replace(/^CREATE VIRTUAL TABLE[^]*?\);$/gm, ""));
  db.exec(`ATTACH '${join(dir, "new.db")}' AS now`);
  const tables = db.prepare("SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").all().map((r: any) => r.name as string);
  for (const table of tables) {
    const columns = db.prepare(`SELECT name FROM pragma_table_xinfo('${table}') WHERE hidden = 0`).all().map((r: any) => `"${r.name}"`).join(", ");
    db.exec(`DELETE FROM main."${table}"; INSERT INTO main."${table}" (${columns}) SELECT ${columns} FROM now."${table}"`);
  }
  db.exec("DETACH now; PRAGMA user_version = 1; PRAGMA application_id = 4711; VACUUM");
  const rows = new Map(tables.map((table) => [table, Number((db.prepare(`SELECT count(*) AS n FROM "${table}"`).get() as any).n)]));
  db.close();
  const entries = new Map(files);
  entries.set("tenant.db", readFileSync(join(dir, "one.db")));
  rmSync(dir, { recursive: true });
  return reseal(entries, (m) => {
    Object.assign(m, { schema_version: 1, schema: 4711 });
    m.tables = m.tables.filter((t: any) => rows.has(t.name)).map((t: any) => ({ ...t, rows: rows.get(t.name) }));
  });
}

/** More than two of the pieces that files are kept in, none like another. */
const LOAD = Buffer.alloc(700_001, 0);
for (let i = 0; i < LOAD.length; i++) LOAD[i] = (i * 7 + (i >> 8)) & 255;

before(async () => {
  [from, to] = await Promise.all([startDemo(), startDemo()]);
  const admin = await signedIn(from, 0);
  const { id } = await addProject(admin, "MOVE", { name: "移行する案件" });
  const made = await admin.post(`/projects/${id}/tickets`, { subject: "引っ越しの荷造り", details: "**大事**", classification: "task" });
  await admin.post(`/tickets/${made.body.id}/comments`, { body: "割れ物注意" });
  const put = await admin.post(`/tickets/${made.body.id}/files?name=${encodeURIComponent("荷物 一覧.bin")}`, LOAD);
  assert.equal(put.status, 201, JSON.stringify(put.body));
  path = join(from.dir, "kaku.zip");
  const told = yagura(["tenant", "export", "kaku", "--out", path], from);
  assert.equal(told.code, 0, told.err);
  files = unzip(readFileSync(path));
});
after(async () => {
  for (const demo of [from, to]) {
    await demo?.stop();
    if (demo) removeDir(demo);
  }
});

test("it is the same tenant, and everybody active is invited", async () => {
  const told = bring(path, "moved");
  assert.equal(told.code, 0, told.err);
  const people = jsonRows(files.get("json/people.ndjson")!);
  const guests = people.filter((p) => p.state === "active" || p.state === "invited");
  assert.match(told.out, new RegExp(`tenant moved imported: \\d+ rows, ${guests.length} people invited; the invitations leave now`));
  const base = new URL(to.ready.url).origin + "/t/moved";
  const boss = from.ready.accounts[0]!;
  const client = new Client(base);
  assert.equal((await client.post("/sign-in", { email: boss.email, password: boss.password })).status, 401, "no password came along");
  const [, token] = await client.waitForMail(boss.email, /\/t\/moved\/link#(\S+)/);
  const password = "Hikkoshi-2026";
  const set = await client.post("/links/accept", { token, password });
  assert.ok(set.status < 300, JSON.stringify(set.body));
  assert.equal((await client.signIn(boss.email, password)).status, 200);
  for (const guest of guests) await client.waitForMail(guest.email, /\/t\/moved\/link#/);
  // what was agreed with another operator is not agreed with this one
  const { terms, is_whole_owed } = (await client.get("/terms")).body;
  assert.equal(is_whole_owed, true);
  assert.equal((await client.post("/terms/accept", { no: terms.no })).status, 204);

  const old = await signedIn(from, 0);
  const [here, there] = await Promise.all([client.get("/programs"), old.get("/programs")]);
  const keys = (reply: any) => reply.body.projects.map((p: any) => [p.id, p.key, p.name]);
  assert.deepEqual(keys(here), keys(there));
  for (const project of there.body.projects) {
    const plans = await Promise.all([client.get(`/projects/${project.id}/plan`), old.get(`/projects/${project.id}/plan`)]);
    assert.deepEqual(plans[0]!.body.rows, plans[1]!.body.rows, project.key);
  }
  // found again: the search index is made anew
  const found = (await client.get(`/search?q=${encodeURIComponent("荷造り")}`)).body.items;
  assert.equal(found[0].subject, "引っ越しの荷造り");
  const ticket = found[0].id;
  assert.deepEqual((await client.get(`/tickets/${ticket}/comments`)).body, (await old.get(`/tickets/${ticket}/comments`)).body);
  // files of tickets, byte by byte
  const attached = (await client.get(`/tickets/${ticket}/files`)).body;
  assert.deepEqual(attached, (await old.get(`/tickets/${ticket}/files`)).body);
  const [file] = attached.items;
  assert.deepEqual([file.name, file.size], ["荷物 一覧.bin", LOAD.length]);
  const reply = await fetch(`${base}/api/v1/tickets/${ticket}/files/${file.id}`, { headers: { Cookie: [...client.cookies].map(([k, v]) => `${k}=${v}`).join("; ") } });
  assert.ok(Buffer.from(await reply.arrayBuffer()).equals(LOAD));

  // the log goes on from where it stood, and verifies
  const [entry] = (await client.get("/operations?kind=tenant&action=import")).body.items;
  assert.equal(entry.after.tenant, "kaku");
  const logged = jsonRows(files.get("json/operation_log.ndjson")!);
  assert.equal(entry.after.log_hash, logged.at(-1)!.last_hash);
  assert.equal(entry.after.log_seq, logged.at(-1)!.last_seq);
  assert.equal(yagura(["tenant", "show", "moved"], to).code, 0);
  const proof = (await client.get("/operations/verify")).body;
  assert.ok(!proof.broken_seq, JSON.stringify(proof));
});

test("exported again it is what was imported", () => {
  const out = join(to.dir, "again.zip");
  const told = yagura(["tenant", "export", "moved", "--out", out], to);
  assert.equal(told.code, 0, told.err);
  const again = unzip(readFileSync(out));
  for (const [name, content] of files) {
    // consents and marks of notices are of another operator's: left out on purpose
    if (!name.startsWith("csv/") || /people|operation_log|notices_read|consents/.test(name)) continue;
    assert.ok(again.get(name)!.equals(content), name);
  }
  assert.equal(csvRows(again.get("csv/notices_read.csv")!).length, 0);
  const same = (rows: Record<string, string>[]) => rows.map(({ 状態: _, 最終サインイン: __, ...rest }) => rest);
  assert.deepEqual(same(csvRows(again.get("csv/people.csv")!)), same(csvRows(files.get("csv/people.csv")!)));
});

test("an id or host that is in use, or is none, is refused", () => {
  assert.match(bring(path, "kaku").err, /taken: kaku/);
  assert.match(bring(path, "moved").err, /taken: moved/);
  assert.match(bring(path, "../x").err, /tenant id/i);
  assert.match(bring(join(to.dir, "nothing.zip"), "badone").err, /cannot be read/);
  assert.equal(yagura(["tenant", "import", path], to).code, 2);
  assert.equal(bring(path, "hosted", to, ["--host", "moved.example.jp"]).code, 0);
  const twice = bring(path, "hosted2", to, ["--host", "moved.example.jp"]);
  assert.equal(twice.code, 1);
  assert.match(twice.err, /taken/);
  assert.deepEqual(traces("hosted2"), []);
});

test("one bit, a cut end, or another file is seen", () => {
  const whole = readFileSync(path);
  for (const at of [40, Math.floor(whole.length / 3), whole.length - 200]) {
    const bytes = Buffer.from(whole);
    bytes[at] = bytes[at]! ^ 4;
    refused(bytes, /Not imported/);
  }
  refused(whole.subarray(0, whole.length - 1), /no archive, or was cut short/);
  refused(whole.subarray(0, 1000), /no archive/);
  refused(Buffer.from("hello"), /no archive/);
  const swapped = new Map(files);
  swapped.set("csv/tickets.csv", Buffer.from("other"));
  refused(zip(swapped), /checksum/);
  const added = new Map(files);
  added.set("zzz.txt", Buffer.from("hidden"));
  refused(zip(added), /checksum/);
  const without = new Map(files);
  without.delete("manifest.json");
  refused(zip(without), /manifest/);
});

test("names that lead elsewhere, and bombs, are refused before anything is unpacked", () => {
  for (const name of ["../x", "/etc/x", "a\\b", "C:/x"]) refused(zip([...files, [name, Buffer.from("x")]]), /leads elsewhere/);
  refused(zip([...files, ["README.TXT", Buffer.from("x")]]), /same name twice/);
  refused(zip([...files, ["bomb", Buffer.alloc(300 << 20)]]), /more than 100 times/);
});

test("what another version made is refused, and the next step named", () => {
  refused(reseal(new Map(files), (m) => (m.schema_version = 9)), /update this installation/);
  refused(reseal(new Map(files), (m) => (m.version = 2)), /update this installation first/);
  refused(reseal(new Map(files), (m) => (m.schema = 7)), /update the installation it comes from/);
  refused(forged((db) => db.exec("PRAGMA user_version = 9")), /update this installation/);
});

test("what the version before made comes in whole, with what was added since empty", () => {
  const file = join(to.dir, "one.zip");
  writeFileSync(file, ofVersion1());
  const told = bring(file, "older");
  assert.equal(told.code, 0, told.err);
  assert.deepEqual(readdirSync(join(to.dir, "data", "tenants", "older")).filter((name) => name.startsWith("foreign")), []);
  const out = join(to.dir, "older.zip");
  assert.equal(yagura(["tenant", "export", "older", "--out", out], to).code, 0);
  const again = unzip(readFileSync(out));
  for (const [name, content] of files) {
    // programs bear labels since; the rest as in an import of today
    if (!name.startsWith("csv/") || /people|operation_log|notices_read|consents|programs/.test(name)) continue;
    assert.ok(again.get(name)!.equals(content), name);
  }
  const bare = (data: Buffer) => csvRows(data).map(({ ラベル: _, ...row }) => row);
  assert.deepEqual(bare(again.get("csv/programs.csv")!), bare(files.get("csv/programs.csv")!));
  const manifest = JSON.parse(again.get("manifest.json")!.toString());
  assert.equal(manifest.schema_version, JSON.parse(files.get("manifest.json")!.toString()).schema_version);
});

test("tables that were altered on the way to this version are those of this version", () => {
  const file = join(to.dir, "altered_here.zip");
  writeFileSync(file, forged((db) => db.exec("DROP INDEX mail_notice; ALTER TABLE mail DROP COLUMN notice_id; ALTER TABLE mail ADD COLUMN notice_id INTEGER; CREATE INDEX mail_notice ON mail(notice_id) WHERE notice_id IS NOT NULL")));
  assert.equal(bring(file, "alteredhere").code, 0);
});

test("an older version is no way in for tables that it did not have", () => {
  const older = (change: string) => forged((db) => db.exec(`${change}; PRAGMA user_version = 1`));
  for (const [change, words] of [
    ["CREATE TABLE more (id INTEGER PRIMARY KEY)", /tables this program does not know/],
    ["CREATE TABLE pragma_table_list (id INTEGER PRIMARY KEY)", /tables this program does not know/],
    ["DROP TABLE mail_refusal; DROP TABLE throttle", /tenant\.db is damaged|tables this program does not know/],
    ["CREATE TRIGGER t AFTER UPDATE ON user BEGIN DELETE FROM operation; END", /tables this program does not know/],
  ] as const)
    refused(older(change), words);
});

test("a forged database brings no rule of its own along", () => {
  refused(forged((db) => db.exec("CREATE TRIGGER t AFTER INSERT ON user BEGIN DELETE FROM operation; END")), /tables this program does not know/);
  refused(forged((db) => db.exec("CREATE VIEW v AS SELECT password FROM user")), /tables this program does not know/);
  refused(forged((db) => db.exec("ALTER TABLE user ADD COLUMN extra TEXT")), /tables this program does not know/);
  refused(forged((db) => db.exec("INSERT INTO comment (ticket_id, user_id, body, created_at, updated_at) VALUES (999999, 1, 'x', 0, 0)"), { comment: 1 }), /tenant\.db is damaged|rows/);
  refused(forged((db) => db.exec("DELETE FROM comment")), /rows are missing/);
  refused(forged((db) => db.exec("PRAGMA ignore_check_constraints = ON; UPDATE ticket SET progress = 700 WHERE id = 1")), /tenant\.db is damaged|rows/);
  const torn = new Map(files);
  const bytes = Buffer.from(files.get("tenant.db")!);
  bytes.fill(0xee, 8192, 12288);
  torn.set("tenant.db", bytes);
  refused(reseal(torn), /tenant\.db is damaged|rows|tables/);
  torn.set("tenant.db", Buffer.from("no database"));
  refused(reseal(torn), /tenant\.db is damaged/);
});

test("ways in that a forger adds are left behind", () => {
  const hash = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA";
  const file = join(to.dir, "forged.zip");
  writeFileSync(
    file,
    forged(
      (db) => {
        db.prepare("UPDATE user SET password = ?, password_at = 1").run(hash);
        db.exec("INSERT INTO session (token_hash, user_id, level, created_at, seen_at, ip, agent) VALUES (x'00', 1, 1, 9e15, 9e15, '', '')");
        db.exec("INSERT INTO token (user_id, name, hash, may_write, is_limited, created_at, expires_at) VALUES (1, 'x', x'01', 1, 0, 0, 9000000000000000)");
      },
      { session: 1, token: 1 },
    ),
  );
  const told = bring(file, "forged");
  assert.equal(told.code, 0, told.err);
  const out = join(to.dir, "forged-again.zip");
  assert.equal(yagura(["tenant", "export", "forged", "--out", out], to).code, 0);
  assert.ok(!unzip(readFileSync(out)).get("tenant.db")!.includes(hash));
});

test("a log that was altered before it came is said to be", () => {
  const file = join(to.dir, "altered.zip");
  writeFileSync(file, forged((db) => db.exec("UPDATE operation SET user_name = 'nobody' WHERE seq = 3")));
  const told = bring(file, "altered");
  assert.equal(told.code, 0, told.err);
  assert.match(told.out, /operation log did not verify at row 3/);
});

test("killed while it is taken in, nothing of it stays, and it can be taken in again", async () => {
  const dir = mkdtempSync(join(tmpdir(), "yagura-take-"));
  let one = await startDemo(dir);
  for (const wait of [1, 60, 150, 260]) {
    const command = spawn(binary, ["tenant", "import", path, "--id", "cut", "--data_dir", join(dir, "data")], { env, stdio: "ignore" });
    const over = new Promise<number | null>((resolve) => command.on("exit", resolve));
    await new Promise((resolve) => setTimeout(resolve, wait));
    await one.stop("SIGKILL");
    const code = await over;
    one = await startDemo(dir);
    const listed = /^cut /m.test(yagura(["tenant", "list"], one).out);
    if (listed) {
      assert.equal(bring(path, "cut", one).code, 1);
      break;
    }
    assert.notEqual(code, 0);
    assert.deepEqual(traces("cut", one), []);
  }
  const told = bring(path, "cut2", one);
  assert.equal(told.code, 0, told.err);
  assert.ok(!existsSync(join(dir, "data", "tenants", "cut2", "foreign.sqlite")));
  await one.stop();
  removeDir(one);
});
