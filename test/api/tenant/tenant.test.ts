// SPDX-License-Identifier: Apache-2.0
// Tenants by the command line: ids that are Yagura's own, keys that nobody
// replaces, copies that stand as their tenant does, and what each one's state is.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { binary } from "../server.ts";

let dir: string;
let data: string;
const today = new Date(Date.now() + 9 * 3_600_000).toISOString().slice(0, 10);
const day = (n: number) => new Date(Date.parse(today) + n * 86_400_000).toISOString().slice(0, 10);
const yagura = (...words: string[]) => {
  const ended = spawnSync(binary, [...words, "--data_dir", data], {
    env: { ...process.env, ASAN_OPTIONS: "detect_leaks=0", YAGURA_MASTER_KEY: join(dir, "master.key") },
    encoding: "utf8",
    timeout: 60_000,
  });
  return { code: ended.status, out: ended.stdout, err: ended.stderr };
};
const good = (...words: string[]) => {
  const done = yagura(...words);
  assert.equal(done.code, 0, `${words.join(" ")}: ${done.err}`);
  return done.out;
};
const bad = (...words: string[]) => {
  const done = yagura(...words);
  assert.equal(done.code, 1, `${words.join(" ")}: ${done.out}`);
  return done.err;
};
const create = (id: string, ...more: string[]) => ["tenant", "create", id, "--name", `${id}株式会社`, "--admin-email", `boss@${id}.example`, "--admin-name", "代表", ...more];
const restore = (tenant: string, ...more: string[]) => ["backup", "restore", "--date", today, "--tenant", tenant, ...more];
const files = () => (readdirSync(data, { recursive: true }) as string[]).filter((path) => /^(keys|tenants)\//.test(path) && !/-(wal|shm)$/.test(path)).sort();
const shown = (id: string) => JSON.parse(good("tenant", "show", id, "--json"));

before(() => {
  dir = mkdtempSync(join(tmpdir(), "yagura-tenant-"));
  data = join(dir, "data");
  for (const id of ["acme", "beta", "gone"]) good(...create(id));
  good("backup", "run");
});
after(() => rmSync(dir, { recursive: true, force: true }));

test("an id that is a file of Yagura's own is refused wherever one is taken", () => {
  const key = readFileSync(join(data, "keys", "control.key"));
  const was = files();
  const archive = join(dir, "acme.zip");
  good("tenant", "export", "acme", "--out", archive);
  for (const id of ["control", "yagura-drill"]) {
    for (const words of [create(id), restore("acme", "--as", id), ["tenant", "import", archive, "--id", id]]) {
      const said = bad(...words);
      assert.match(said, new RegExp(`^  (id|as): ${id} is a name that Yagura uses itself: choose another tenant id$`, "m"), words.join(" "));
    }
    assert.deepEqual(files(), was);
  }
  assert.deepEqual(readFileSync(join(data, "keys", "control.key")), key);
  good("tenant", "list");
});

test("nothing is restored over a key that is there, nor over files", () => {
  writeFileSync(join(data, "keys", "left.log.key"), "kept");
  const was = files();
  assert.match(bad(...restore("acme", "--as", "left")), /as: There are files or a key of a tenant left already/);
  assert.match(bad(...create("left")), /id: There are files or a key of a tenant left already/);
  assert.deepEqual(files(), was);
  assert.equal(readFileSync(join(data, "keys", "left.log.key"), "utf8"), "kept");
  assert.doesNotMatch(good("tenant", "list"), /left/);
  assert.match(bad(...restore("acme", "--as", "beta")), /as: The tenant id is taken: beta/);
  rmSync(join(data, "keys", "left.log.key"));
});

test("in its place with the key lost: the first try succeeds", () => {
  renameSync(join(data, "keys", "acme.key"), join(dir, "away.key"));
  good(...restore("acme", "--in-place"));
  assert.ok(existsSync(join(data, "keys", "acme.key")) && existsSync(join(data, "tenants", ".replaced-acme", "tenant.db")));
  assert.match(good("log", "verify", "--tenant", "acme"), /operation log: whole/);
});

test("in its place with a key of the backup lost: refused, and nothing changed", () => {
  const key = join(data, "backups", today, "beta.log.key");
  renameSync(key, `${key}.away`);
  const was = files();
  bad(...restore("beta", "--in-place"));
  renameSync(`${key}.away`, key);
  assert.deepEqual(files(), was);
});

test("list and show say how a tenant stands", () => {
  assert.deepEqual([shown("beta").state, shown("beta").is_suspended, shown("beta").end_on], ["open", false, null]);
  good("tenant", "suspend", "beta", "--name", "beta", "--reason", "r");
  good("tenant", "terminate", "gone", "--name", "gone", "--end", day(5));
  assert.deepEqual([shown("beta").state, shown("beta").is_suspended], ["suspended", true]);
  assert.deepEqual([shown("gone").state, shown("gone").end_on, shown("gone").delete_on], ["ending", day(5), day(35)]);
  const list = good("tenant", "list");
  assert.match(list, /^acme .* open +acme株式会社$/m);
  assert.match(list, /^beta .* suspended +beta株式会社$/m);
  assert.match(list, new RegExp(`^gone .* ending on ${day(5)} +gone株式会社$`, "m"));
});

test("a copy stands as its tenant does, and says so", () => {
  assert.match(good(...restore("beta", "--as", "beta2")), /^tenant beta2 is suspended, as beta is$/m);
  assert.equal(shown("beta2").state, "suspended");
  assert.match(good(...restore("gone", "--as", "gone2")), new RegExp(`^tenant gone2 is ending on ${day(5)}, as gone is$`, "m"));
  assert.doesNotMatch(good(...restore("acme", "--as", "acme2")), / is /);
  assert.equal(shown("acme2").state, "open");
});

test("a command that is not there is named", () => {
  for (const command of ["tenant", "backup"]) {
    const done = yagura(command, "frob");
    assert.equal(done.code, 2);
    assert.match(done.err, new RegExp(`^yagura: there is no command ${command} frob\nusage: yagura ${command} `));
    assert.doesNotMatch(yagura(command, command === "tenant" ? "show" : "verify").err, /there is no command/);
  }
});

test("what is refused leaves no file and takes no id; the flag is named", () => {
  const was = files();
  assert.match(bad(...create("neu").map((word) => (word === "boss@neu.example" ? "a@" : word))), /^  --admin-email: /m);
  assert.match(bad(...create("neu").map((word) => (word === "代表" ? "" : word))), /^  --admin-name: /m);
  assert.match(bad(...create("neu").map((word) => (word === "neu株式会社" ? " \u3000" : word))), /^  --name: /m);
  assert.match(bad(...create("neu", "--host", "Bad_Host")), /^  --host: /m);
  for (const host of ["localhost", "127.0.0.1", "a.localhost"]) assert.match(bad(...create("neu", "--host", host)), /--host: .* every computer's name for itself/);
  assert.deepEqual(files(), was);
  good(...create("neu", "--host", "neu.example.jp"));
  assert.match(bad(...create("neu2", "--host", "neu.example.jp")), /--host: The host name is taken/);
});
