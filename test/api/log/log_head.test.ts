// SPDX-License-Identifier: Apache-2.0
// Older copies of both files of a tenant, put back together while the server is
// stopped: each of them proves itself, and what control.db kept betrays them.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { addProject, binary, Client, type Demo, signedIn, signedInOperator, startDemo } from "../server.ts";

const words = ["YAGURA_TEST_CLOCK_FILE", "YAGURA_TEST_LOOK_MS"];
const HOUR = 3600;
let dir: string;
let data: string;
let demo: Demo;

function moveTo(seconds: number) {
  writeFileSync(join(dir, "next"), String(seconds));
  renameSync(join(dir, "next"), join(dir, "offset"));
}
const verify = () => {
  const ended = spawnSync(binary, ["log", "verify", "--tenant", "kaku", "--data_dir", data], { env: { ...process.env, ASAN_OPTIONS: "detect_leaks=0" }, encoding: "utf8", timeout: 60_000 });
  const rows = [...ended.stdout.matchAll(/rows \d+ to (\d+)(?:; kept outside: row (\d+))?/g)].map((m) => ({ last: Number(m[1]), kept: Number(m[2] ?? 0) }));
  return { code: ended.status, out: ended.stdout + ended.stderr, operation: rows[0]!, access: rows[1]! };
};
/** Hours go by until heads of both logs beyond these rows are kept; the server
 * is stopped. */
async function keptBeyond(operation: number, access: number) {
  for (let n = 1; n < 20; n++) {
    moveTo(1.1 * n * HOUR);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await demo.stop();
    const now = verify();
    assert.equal(now.code, 0, now.out);
    if (now.operation.kept > operation && now.access.kept > access) return now;
    demo = await startDemo(demo.dir);
  }
  throw new Error("no head is kept");
}
const trust = async (who: Client, no: number) => (await who.get("/trust")).body.items.find((r: any) => r.no === no);

before(async () => {
  dir = mkdtempSync(join(tmpdir(), "yagura-head-"));
  process.env[words[0]!] = join(dir, "offset");
  process.env[words[1]!] = "50";
  moveTo(0);
  demo = await startDemo(join(dir, "demo"));
  data = join(dir, "demo", "data");
});
after(async () => {
  await demo?.stop();
  for (const word of words) delete process.env[word];
  rmSync(dir, { recursive: true, force: true });
});

test("both files put back by hand are named by the command, the log screen and the trust page", async () => {
  const tenant = join(data, "tenants", "kaku");
  await addProject(await signedIn(demo, 0), "FIRST");
  await demo.stop();
  const was = verify();
  assert.equal(was.code, 0, was.out);
  cpSync(tenant, join(dir, "copy"), { recursive: true });

  demo = await startDemo(demo.dir);
  await addProject(await signedIn(demo, 0), "HIDDEN");
  const now = await keptBeyond(was.operation.last, was.access.last);

  renameSync(tenant, join(dir, "right"));
  cpSync(join(dir, "copy"), tenant, { recursive: true });
  const told = verify();
  assert.equal(told.code, 1, told.out);
  assert.match(told.out, new RegExp(`operation log: BROKEN at row ${was.operation.last + 1}: .*rows \\d+ to ${was.operation.last} are there`));
  assert.match(told.out, new RegExp(`access log: BROKEN at row ${was.access.last + 1}:`));

  // in use again the numbers are taken anew: the hashes are not those known
  demo = await startDemo(demo.dir);
  const admin = await signedIn(demo, 0);
  assert.ok(!(await admin.get("/programs")).body.projects.some((p: any) => p.key === "HIDDEN"));
  for (const log of ["operations", "accesses"]) {
    const { body } = await admin.get(`/${log}/verify`);
    assert.equal(body.ok, false, JSON.stringify(body));
    const [first, kept] = log === "operations" ? [was.operation.last, now.operation.kept] : [was.access.last, now.access.kept];
    assert.ok(body.broken_at > first && body.broken_at <= kept, JSON.stringify({ body, first, kept }));
  }
  // told at once to both sides, and on both trust pages: nobody waits for a round
  const oper = await signedInOperator(demo);
  for (const [who, name] of [[oper, /kaku: (操作ログ|アクセスログ) \d+ 番/], [await signedIn(demo, 0), /(操作ログ|アクセスログ) \d+ 番/]] as const)
    for (const no of [33, 36]) {
      const row = await trust(who, no);
      assert.equal(row.state, "attention", JSON.stringify(row));
      assert.match(JSON.stringify(row.evidence), name);
    }
  await oper.waitForMail(demo.ready.operator.email, /テナント kakuの操作ログの連鎖が \d+ 番で途切れています/);
  await oper.waitForMail(demo.ready.operator.email, /テナント kakuのアクセスログの連鎖が \d+ 番で途切れています/);
  await oper.waitForMail(demo.ready.accounts[0]!.email, /操作ログの連鎖が \d+ 番で途切れています[^]*\/trust/);
  await oper.waitForMail(demo.ready.accounts[0]!.email, /アクセスログの連鎖が \d+ 番で途切れています/);
});

test("with the right files in their place again, both pages turn back", async () => {
  const tenant = join(data, "tenants", "kaku");
  await demo.stop();
  rmSync(tenant, { recursive: true });
  renameSync(join(dir, "right"), tenant);
  demo = await startDemo(demo.dir);
  const admin = await signedIn(demo, 0);
  for (const log of ["operations", "accesses"]) assert.equal((await admin.get(`/${log}/verify`)).body.ok, true);
  for (const who of [await signedInOperator(demo), admin])
    for (const no of [33, 36]) assert.doesNotMatch(JSON.stringify((await trust(who, no)).evidence), /途切れ/);
});

test("where the operator's own log ends is kept within a look, too", async () => {
  const run = async (who: Client) => (await who.get("/operations/verify")).body;
  const oper = await signedInOperator(demo);
  await oper.post("/terms/versions", { ja: "# 草案", en: "# Draft", valid_from: "2030-01-01", is_material: false });
  let now = await run(oper);
  for (let n = 0; (!now.kept || now.kept < now.last) && n < 200; n++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    now = await run(oper);
  }
  assert.deepEqual([now.ok, now.kept], [true, now.last]); // within a look of its end
});
