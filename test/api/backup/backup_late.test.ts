// SPDX-License-Identifier: Apache-2.0
// No good backup for 26 hours: the operators are told each day while it lasts,
// with the age of what there is, and not each round.
import assert from "node:assert/strict";
import { closeSync, existsSync, mkdtempSync, openSync, renameSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Client, type Demo, signedInOperator, startDemo } from "../server.ts";

const words = ["YAGURA_TEST_CLOCK_FILE", "YAGURA_TEST_LOOK_MS"];
let dir: string;
let demo: Demo;
let now = 0; // hours

function moveTo(hours: number) {
  now = hours;
  writeFileSync(join(dir, "next"), String(Math.round(hours * 3600)));
  renameSync(join(dir, "next"), join(dir, "offset"));
}
async function until<T>(look: () => Promise<T | undefined | false>): Promise<T> {
  for (const end = Date.now() + 40_000; ; ) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`never: ${look}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}
before(async () => {
  dir = mkdtempSync(join(tmpdir(), "yagura-late-"));
  process.env[words[0]!] = join(dir, "offset");
  process.env[words[1]!] = "50";
  moveTo(0);
  demo = await startDemo(join(dir, "demo"));
});
after(async () => {
  await demo?.stop();
  for (const word of words) delete process.env[word];
  rmSync(dir, { recursive: true, force: true });
});

const mails = async () => (await new Client(demo.ready.url).get("/demo/mail")).body.items;
const late = async () => (await mails()).filter((mail: any) => mail.to === demo.ready.operator.email && /26時間/.test(mail.subject)).length;
/** Hour by hour, until a run has gone well. */
async function goWell() {
  for (let n = 0; n < 5; n++) {
    moveTo(now + 1.1);
    await rounds();
    const oper = await signedInOperator(demo); // nobody stays idle for so long
    if ((await oper.get("/backups")).body.runs[0].state === "good") return;
  }
  throw new Error("no run went well");
}
/** Time for some ten rounds of the caretaker. */
async function rounds() {
  for (let n = 0; n < 8; n++) {
    await new Promise((resolve) => setTimeout(resolve, 80));
    await mails();
  }
}
function breakIt(is: boolean) {
  const place = join(dir, "demo", "data", "backups");
  if (is) {
    renameSync(place, `${place}.away`);
    writeFileSync(place, "no folder");
  } else {
    rmSync(place);
    renameSync(`${place}.away`, place);
  }
}

test("told after 26 hours and then once a day, with its age; again after it was well", async () => {
  const oper = await signedInOperator(demo);
  await oper.post("/backups", undefined); // unless the hour has begun one
  await until(async () => (await oper.get("/backups")).body.tenants.every((t: any) => t.at));

  breakIt(true);
  for (const hours of [12, 24, 25.2]) {
    moveTo(hours);
    await rounds();
    assert.equal(await late(), 0, `after ${hours} hours`);
  }
  // a run has failed meanwhile: its reason is told
  const later = await signedInOperator(demo); // the session of the day before is over
  await until(async () => (await later.get("/backups")).body.tenants.some((t: any) => t.reason));
  moveTo(26.5);
  await until(async () => (await late()) === 1);
  const told = (await mails()).find((mail: any) => /26時間/.test(mail.subject));
  assert.match(told.text, /正常なバックアップのないテナント: 1 件。\n\n- kaku: 最後の正常な写しは世代 \d{4}-\d\d-\d\d（1日と\d+時間前）。直近の失敗: /);
  assert.match(told.text, /空き容量と、運用者コンソールの「バックアップ」を確認してください/);
  const jst = (hours: number) => new Date(Date.now() + (hours + 9) * 3_600_000).toISOString().slice(0, 10);
  const days = new Set([jst(now)]);
  for (const hours of [27.6, 38, 50, 62]) {
    moveTo(hours);
    days.add(jst(hours));
    await until(async () => (await late()) === days.size);
    await rounds();
    assert.equal(await late(), days.size, `after ${hours} hours: once a day`);
  }
  const sofar = days.size;

  breakIt(false);
  await goWell();
  await rounds();
  assert.ok((await late()) <= sofar + 1, "the days until it went well");
  const before = await late();

  breakIt(true);
  const from = now;
  for (const hours of [12, 24, 25.2]) {
    moveTo(from + hours);
    await rounds();
    assert.equal(await late(), before, `${hours} hours after it was well`);
  }
  moveTo(from + 26.5);
  await until(async () => (await late()) === before + 1);
});

test("today's is made again within the hour when its folder is gone", async () => {
  breakIt(false);
  const jst = ((Date.now() / 3_600_000 + now + 9) % 24 + 24) % 24;
  moveTo(now + 34 - jst); // ten in the morning of the next day, by Japan's clock
  const today = new Date(Date.now() + (now + 9) * 3_600_000).toISOString().slice(0, 10);
  const folder = join(dir, "demo", "data", "backups", today);
  const isThere = async () => existsSync(join(folder, "manifest.json"));
  await until(isThere);
  await until(async () => (await (await signedInOperator(demo)).get("/backups")).body.runs[0].state === "good");
  rmSync(folder, { recursive: true });
  await rounds();
  assert.equal(await isThere(), false, "not at once: the last run is young");
  moveTo(now + 1.1);
  await until(isThere);
});

test("each week the newest is read again: damage is mailed once, and shown until a check finds none", async () => {
  const jst = ((Date.now() / 3_600_000 + now + 9) % 24 + 24) % 24;
  moveTo(now + 180 - jst); // noon, a week later
  const state = async () => (await (await signedInOperator(demo)).get("/backups")).body;
  const last = async () => (await state()).checks.find((x: any) => x.state === "good" || x.state === "failed");
  const row = async () => (await (await signedInOperator(demo)).get("/trust")).body.items[19];
  const first = await until(last);
  assert.deepEqual([first.state, first.asked_by, first.done, first.total], ["good", null, 3, 3]);
  assert.ok((await row()).evidence.some((x: any) => /最後の検査 .*異常なし/.test(x.text)));

  moveTo(now + 167); // eleven: not yet, but a generation of this day
  const folder = join(dir, "demo", "data", "backups", new Date(Date.now() + (now + 9) * 3_600_000).toISOString().slice(0, 10));
  await until(async () => existsSync(join(folder, "manifest.json")) && (await state()).runs[0].state === "good");
  assert.equal((await last()).id, first.id);
  const fd = openSync(join(folder, "kaku.db"), "r+");
  writeSync(fd, "?", 70_000);
  closeSync(fd);
  const told = async () => (await mails()).filter((mail: any) => mail.to === demo.ready.operator.email && /検査で問題/.test(mail.subject));
  moveTo(now + 1.5);
  await until(async () => (await last()).id !== first.id);
  assert.deepEqual([(await last()).state, (await last()).reason], ["failed", "kaku.db: 書いたときと違います（SHA-256）\n"]);
  await until(async () => (await told()).length === 1);
  assert.match((await told())[0].text, /kaku\.db: 書いたときと違います/);
  const found = await row();
  assert.equal(found.state, "attention");
  assert.ok(found.evidence.some((x: any) => /目録と合わないファイルがあります/.test(x.text)));
  moveTo(now + 1.1);
  await rounds();
  assert.equal((await told()).length, 1);

  const oper = await signedInOperator(demo);
  await oper.post("/backups", undefined);
  await until(async () => (await state()).runs[0].state === "good");
  await until(async () => (await oper.post("/backups/verify", { date: (await state()).generations[0] })).status < 300);
  await until(async () => (await last()).state === "good");
  assert.ok((await row()).evidence.some((x: any) => /異常なし/.test(x.text)));
});
