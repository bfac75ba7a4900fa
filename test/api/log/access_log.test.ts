// SPDX-License-Identifier: Apache-2.0
// The access log: who came from where and what was answered, refusals too;
// never a query or a body.  Both logs leave as files that prove themselves,
// and `yagura log` finds what was touched.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { binary, Client, type Demo, removeDir, rule, signedIn, startDemo } from "../server.ts";

let demo: Demo;
let admin: Client;
const dir = mkdtempSync(join(tmpdir(), "yagura-log-"));

before(async () => {
  demo = await startDemo();
  admin = await signedIn(demo, 0);
});
after(async () => {
  await demo?.stop();
  if (demo) removeDir(demo);
  rmSync(dir, { recursive: true, force: true });
});

const entries = async (query = "") => {
  const reply = await admin.get(`/accesses?${query}`);
  assert.equal(reply.status, 200, JSON.stringify(reply.body));
  return reply.body.items;
};
function yagura(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(binary, words, { encoding: "utf8", env: { ...process.env, ASAN_OPTIONS: "detect_leaks=0" } });
  return { status, text: stdout + stderr, stdout };
}
/** The file an export makes, and where it was put. */
async function exported(log: "operations" | "accesses", format: "ndjson" | "csv", days: object = {}) {
  const reply = await admin.post(`/${log}/export`, { format, ...days });
  assert.equal(reply.status, 200, JSON.stringify(reply.body));
  assert.match(reply.headers.get("content-disposition")!, new RegExp(`attachment; filename="yagura-.*-log.${format}"`));
  const path = join(dir, `${log}.${format}`);
  const text = (format === "csv" ? "\ufeff" : "") + reply.body; // fetch takes the mark of UTF-8 away
  writeFileSync(path, text);
  return { path, text, key: text.match(/04[0-9a-f]{128}/)![0] };
}

test("a request is a row: person, address, agent, route without ids, status", async () => {
  const { id } = (await admin.get("/programs")).body.projects[0];
  await admin.request("GET", `/projects/${id}/tickets?q=himitsu-word`, undefined, { "User-Agent": "Prüfer/1.0" });
  const [row] = await entries("q=tickets");
  assert.equal(row.route, "/api/v1/projects/:id/tickets");
  assert.equal(row.method, "GET");
  assert.equal(row.status, 200);
  assert.match(row.ip, /^(127\.0\.0\.1|::1)$/);
  assert.match(row.agent, /^Pr\?fer\/1\.0$/);
  assert.equal(row.user.name, demo.ready.accounts[0]!.name);
  assert.match(row.at, /\+09:00$/);
  assert.doesNotMatch(JSON.stringify(await entries("limit=200")), /himitsu-word/);
});

test("what is refused is there: a wrong password, a missing right, no session", async () => {
  const account = demo.ready.accounts[3]!;
  const stranger = new Client(demo.ready.url);
  assert.ok((await stranger.post("/sign-in", { email: account.email, password: "Wrong-2026" })).status >= 400);
  assert.equal((await stranger.get("/session")).status, 401);
  const person = await signedIn(demo, 5);
  const me = (await person.get("/session")).body.user;
  assert.equal((await person.get("/operations")).status, 403);
  assert.equal((await person.get("/accesses")).status, 403);
  const refused = await entries("refused=1&limit=50");
  assert.ok(refused.every((row: any) => row.status >= 400));
  const has = (route: string, status: number, user: string | null) =>
    assert.ok(refused.some((row: any) => row.route === `/api/v1${route}` && row.status === status && (row.user?.id ?? null) === user), route);
  has("/operations", 403, me.id);
  has("/accesses", 403, me.id);
  has("/session", 401, null);
  assert.ok(refused.some((row: any) => row.route === "/api/v1/sign-in" && row.method === "POST"));
  const text = JSON.stringify(await entries("limit=200"));
  assert.ok(!text.includes("Wrong-2026") && !text.includes(account.email));
  assert.ok((await entries(`user=${me.id}&limit=20`)).every((row: any) => row.user.id === me.id));
  assert.deepEqual(await entries("ip=203.0.113.9"), []);
  assert.deepEqual(await entries("from=2020-01-01&to=2020-12-31"), []);
});

test("page by page, newest first", async () => {
  const first = (await admin.get("/accesses?limit=3")).body;
  const second = (await admin.get(`/accesses?limit=3&after=${first.next}`)).body;
  const seqs = [...first.items, ...second.items].map((row: any) => row.seq);
  assert.deepEqual(seqs, seqs.map((_, i) => seqs[0] - i));
});

test("an export proves itself, is noted, and shows what was touched", async () => {
  for (const log of ["operations", "accesses"] as const)
    for (const format of ["ndjson", "csv"] as const) {
      const { path, text, key } = await exported(log, format);
      const [note] = (await admin.get("/operations?kind=log&limit=1")).body.items;
      assert.equal(note.action, "export");
      assert.equal(note.object_name, log === "accesses" ? "access" : "operation");
      const whole = yagura("log", "verify", "--file", path, "--key", key);
      assert.equal(whole.status, 0, whole.text);
      assert.match(whole.text, /whole, \d+ rows/);
      const lines = text.split("\n");
      const at = 7;
      for (const [touched, told] of [
        [lines.with(at, lines[at]!.replace(/127\.0\.0\.1|::1/, "10.9.8.7")), /BROKEN at line 8, row \d+: the (row|line) is not/],
        [lines.toSpliced(at, 1), /BROKEN at line 8, row \d+: rows are missing/],
        [lines.toSpliced(at, 0, lines[at - 3]!), /BROKEN at line 8, row \d+: the row does not belong/],
        [lines.slice(0, -4), /BROKEN at line \d+: the proof, .* is missing/],
        [lines.toSpliced(-4, 2), /BROKEN at line \d+, row \d+: rows are missing at the end/],
      ] as [string[], RegExp][]) {
        if (touched.join("\n") === text) continue; // rows of the system have no address
        writeFileSync(path, touched.join("\n"));
        const broken = yagura("log", "verify", "--file", path, "--key", key);
        assert.equal(broken.status, 1, broken.text);
        assert.match(broken.text, told);
      }
      writeFileSync(path, text);
      const other = yagura("log", "verify", "--file", path, "--key", "04" + "ab".repeat(64));
      assert.match(other.text, /signed by another key/);
    }
});

test("days can be chosen; a day without rows proves that there are none", async () => {
  const { path, text } = await exported("operations", "ndjson", { from: "2020-01-01", to: "2020-01-31" });
  assert.equal(text.trim().split("\n").length, 1);
  assert.equal(yagura("log", "verify", "--file", path).status, 0);
  const today = new Date(Date.now() + 9 * 3600e3).toISOString().slice(0, 10);
  assert.equal(yagura("log", "verify", "--file", (await exported("accesses", "csv", { from: today })).path).status, 0);
  assert.equal((await admin.post("/operations/export", { format: "pdf" })).status, 422);
});

test("only who may see the logs exports them", async () => {
  const person = await signedIn(demo, 5);
  for (const log of ["operations", "accesses"]) {
    const reply = await person.post(`/${log}/export`, { format: "csv" });
    assert.equal(reply.status, 403);
    assert.ok(rule(reply));
  }
});

test("after a restart nothing is missing and the chains hold", async () => {
  const [last] = await entries("limit=1");
  await admin.get("/labels");
  await demo.stop();
  demo = { ...(await startDemo(demo.dir)), dir: demo.dir };
  admin = await signedIn(demo, 0);
  const labels = await entries("q=labels");
  assert.equal(labels[0].route, "/api/v1/labels");
  assert.ok(labels[0].seq > last.seq);
  for (const log of ["operations", "accesses"]) {
    const proof = (await admin.get(`/${log}/verify`)).body;
    assert.equal(proof.ok, true, JSON.stringify(proof));
  }
});

test("`yagura log verify` asks the server that holds the directory, with what it has not written yet", async () => {
  const place = ["--data_dir", join(demo.dir, "data")];
  await admin.get("/labels");
  const [last] = await entries("limit=1");
  const whole = yagura("log", "verify", "--tenant", demo.ready.tenant, ...place);
  assert.equal(whole.status, 0, whole.text);
  assert.match(whole.text, /operation log: whole, rows \d+ to \d+/);
  assert.ok(Number(whole.text.match(/access log: whole, rows \d+ to (\d+)/)![1]) >= last.seq);
  assert.match(yagura("log", "key", "--tenant", demo.ready.tenant, ...place).stdout, /^04[0-9a-f]{128}\n$/);
  assert.match(yagura("log", "export", "--tenant", demo.ready.tenant, ...place).text, /in use by process[^]*export in the console/);
  assert.match(yagura("log", "verify", "--tenant", "nobody", ...place).text, /nobody: there is no such tenant, or its key is missing/);
});

test("`yagura log` works on the data directory itself", () => {
  const place = ["--data_dir", join(dir, "data"), "--master_key", join(dir, "master.key")];
  const made = yagura("tenant", "create", "acme", "--name", "Acme", "--admin-email", "a@example.jp", "--admin-name", "A", ...place);
  assert.equal(made.status, 0, made.text);
  const whole = yagura("log", "verify", "--tenant", "acme", ...place);
  assert.equal(whole.status, 0, whole.text);
  assert.match(whole.text, /operation log: whole, rows 1 to \d+/);
  assert.match(whole.text, /access log: whole/);
  const file = join(dir, "acme.csv");
  assert.equal(yagura("log", "export", "--tenant", "acme", "--csv", "--out", file, ...place).status, 0);
  assert.match(readFileSync(file, "utf8"), /"export","log"/);
  assert.match(yagura("log", "verify", "--file", file, "--tenant", "acme", ...place).text, /whole.*\n.*by the expected key/);
  assert.match(yagura("log", "key", "--tenant", "acme", ...place).stdout, /^04[0-9a-f]{128}\n$/);
  assert.equal(yagura("log", "verify", "--tenant", "nobody", ...place).status, 1);
  assert.equal(yagura("log", "verify").status, 2);
});
