// SPDX-License-Identifier: Apache-2.0
// A backup that a stop or a kill breaks off is made again by the next start at
// once, at whatever hour; killed again and again it waits for the hour.
import assert from "node:assert/strict";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type Client, type Demo, signedInOperator, startDemo } from "../server.ts";

const words = ["YAGURA_TEST_CLOCK_FILE", "YAGURA_TEST_LOOK_MS"];
let dir: string;
let demo: Demo;
let oper: Client;
let now = 0; // hours ahead of this machine's clock

function moveTo(hours: number) {
  now = hours;
  writeFileSync(join(dir, "next"), String(Math.round(hours * 3600)));
  renameSync(join(dir, "next"), join(dir, "offset"));
}
async function until<T>(look: () => Promise<T | undefined | false>): Promise<T> {
  for (const end = Date.now() + 40_000; ; ) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`never: ${look}\n${JSON.stringify(await runs())}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
const runs = async (): Promise<any[]> => (await oper.get("/backups")).body.runs;
async function start() {
  demo = await startDemo(join(dir, "demo"));
  oper = await signedInOperator(demo);
}
/** In the midst of the run that follows the newest of these. */
async function breakOff(signal: NodeJS.Signals, after: any[]) {
  const last = after[0]?.id;
  const it = await until(async () => { const [run] = await runs(); return run && run.id !== last && run.state === "running" && run; });
  assert.equal(it.ended_at, null);
  await demo.stop(signal);
  await start();
}
const goodAfter = (id: string) => until(async () => { const [run] = await runs(); return Number(run.id) > Number(id) && run.state === "good" && run; });
const broken = async () => (await runs()).filter((r) => r.state === "failed" && /サーバーの停止で中断しました/.test(r.reason));

before(async () => {
  dir = mkdtempSync(join(tmpdir(), "yagura-again-"));
  process.env[words[0]!] = join(dir, "offset");
  process.env[words[1]!] = "40";
  const hour = (((Date.now() / 3_600_000 + 9) % 24) + 24) % 24;
  moveTo(24 + 1.2 - hour); // before two o'clock in Japan: none is made yet
  await start();
  for (let n = 1; n < 3; n++) assert.equal((await oper.post("/tenants", { id: `t${n}`, name: `${n}`, admin_email: `a@t${n}.example`, admin_name: "管理" })).status, 201);
});
after(async () => {
  for (const word of words) delete process.env[word];
  await demo?.stop();
  rmSync(dir, { recursive: true, force: true });
});

test("the first one, killed in its midst, is made within seconds of the next start", async () => {
  assert.deepEqual(await runs(), []);
  moveTo(now + 1);
  oper = await signedInOperator(demo); // nobody stays idle for so long
  await breakOff("SIGKILL", []);
  const good = await goodAfter("0");
  assert.deepEqual([good.tenants, (await broken()).length, (await runs()).length], [3, 1, 2]);
  const row = (await oper.get("/trust")).body.items[19];
  assert.ok(row.evidence.some((x: any) => x.holds && /テナント 3 件のうち26時間以内の正常な写しがないもの 0 件/.test(x.text)), JSON.stringify(row.evidence));
});

test("killed twice in an hour, it waits for the hour: it may be what kills", async () => {
  const before = await runs();
  await oper.post("/backups", undefined);
  await breakOff("SIGKILL", before);
  await new Promise((resolve) => setTimeout(resolve, 600));
  assert.equal((await runs())[0].state, "failed", "the one before was broken off within the hour, too");
  moveTo(now + 1.1);
  oper = await signedInOperator(demo);
  const asked = await runs();
  await oper.post("/backups", undefined);
  await breakOff("SIGKILL", asked);
  await goodAfter(asked[0].id);
});

test("an ordinary stop, before two o'clock and again at once", async () => {
  moveTo(now + 22); // 01:30 of the next day
  await demo.stop();
  await start();
  const before = await runs();
  await oper.post("/backups", undefined);
  await breakOff("SIGTERM", before);
  await breakOff("SIGTERM", await runs().then((list) => list.filter((r) => r.state === "failed")));
  const good = await goodAfter((await broken())[0].id);
  assert.equal(good.tenants, 3);
});
