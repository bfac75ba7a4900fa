// SPDX-License-Identifier: Apache-2.0
// A disk that fills up: business data stops at the reserve, and what is in
// reserve lets people sign in and out, read and delete.  The operator is warned
// at the first look.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { addProject, Client, type Demo, rule, signedIn, signedInOperator, startDemo } from "../server.ts";

test("at the reserve nothing is added, and all the rest goes on", { skip: process.getuid?.() !== 0 && "needs root to mount" }, async () => {
  const mount = mkdtempSync(join(tmpdir(), "yagura-disk-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=96m", "tmpfs", mount]);
  let demo: Demo | undefined;
  try {
    demo = await startDemo(mount);
    const early = await signedIn(demo, 0);
    const { id } = await addProject(early, "FULL");
    const tickets: any[] = [];
    for (let n = 0; n < 3; n++) tickets.push((await early.post(`/projects/${id}/tickets`, { subject: `${n}`, classification: "task" })).body);
    await demo.stop();
    const { bavail, bsize } = statfsSync(mount);
    const ballast = join(mount, "ballast");
    writeFileSync(ballast, Buffer.alloc(bavail * bsize - (8 << 20))); // a reserve of 9.6 MB
    const began = Date.now();
    demo = await startDemo(mount);
    const oper = await signedInOperator(demo);
    await oper.waitForMail(demo.ready.operator.email, /ディスク使用率 がしきい値に達しました/);
    assert.ok(Date.now() - began < 50_000, "at the first look, not the third");
    const row = async (no: number) => (await oper.get("/trust")).body.items[no - 1].evidence.map((l: any) => l.text).join("\n");
    const disk = async () => {
      await oper.post("/doctor", undefined);
      for (;;) {
        const { body } = await oper.get("/doctor");
        if (!body.is_asked) return body.items.find((f: any) => f.name === "disk");
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    assert.match(await row(18), /しきい値を超えているもの: .*ディスク使用率/);
    assert.deepEqual([(await disk()).state, /業務データを保存できません/.test((await disk()).ja)], ["bad", true]);

    const client = await signedIn(demo, 0);
    const refused = await client.post(`/projects/${id}/tickets`, { subject: "もう一つ", classification: "task" });
    assert.equal(refused.status, 507, JSON.stringify(refused.body));
    assert.equal(rule(refused), "disk_reserve");
    assert.match(refused.body.errors[0].message, /空きが残り \d+ MB .*サインイン・削除はできます/);
    assert.equal((await client.request("PATCH", "/me", { lang: "en" })).status, 200, "of oneself");
    assert.match((await client.post("/projects", { key: "MORE", name: "More", approach: "waterfall" })).body.errors[0].message, /9 MB are in reserve/);
    const change = await client.request("PATCH", `/tickets/${tickets[0].id}`, { subject: "変えた" }, { "If-Match": `"${tickets[0].version}"` });
    assert.equal(change.status, 507);

    assert.equal((await client.get(`/tickets/${tickets[0].id}`)).body.subject, "0", "as it was");
    for (let n = 0; n < 5; n++) {
      const another = await signedIn(demo, 1);
      assert.equal((await another.delete("/session")).status, 204);
    }
    assert.equal((await client.delete(`/tickets/${tickets[2].id}`, tickets[2].version)).status, 204, "deleting goes on");
    assert.equal((await client.get("/operations/verify")).body.ok, true, "the log too");
    assert.equal((await new Client(demo.ready.url).post("/sign-in", { email: "nobody@example.jp", password: "Wrong-pass-1" })).status, 401);

    rmSync(ballast);
    const again = await client.post(`/projects/${id}/tickets`, { subject: "空いた", classification: "task" });
    assert.equal(again.status, 201, "at once, without a restart");
    for (const end = Date.now() + 50_000; /業務データを保存できません/.test((await disk()).ja) || /超えているもの: .*ディスク使用率/.test(await row(18)); )
      assert.ok(Date.now() < end, "doctor and row 18 turn back; asking doctor wakes the other looks, too");
  } finally {
    await demo?.stop();
    execFileSync("umount", ["-l", mount]);
    rmSync(mount, { recursive: true, force: true });
  }
});

test("a backup leaves the reserve alone and says why it failed", { skip: process.getuid?.() !== 0 && "needs root to mount" }, async () => {
  const mount = mkdtempSync(join(tmpdir(), "yagura-disk-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=96m", "tmpfs", mount]);
  let demo: Demo | undefined;
  try {
    demo = await startDemo(mount);
    const oper = await signedInOperator(demo);
    const { bavail, bsize } = statfsSync(mount);
    writeFileSync(join(mount, "ballast"), Buffer.alloc(bavail * bsize - (9 << 20)));
    for (let last: any; last?.state !== "failed"; ) {
      await oper.post("/backups", undefined);
      await new Promise((resolve) => setTimeout(resolve, 200));
      last = (await oper.get("/backups")).body.runs[0];
      if (last?.state === "failed") assert.match(last.reason, /空き容量/);
    }
    assert.ok(statfsSync(mount).bavail * bsize > 6 << 20);
    assert.equal((await signedIn(demo, 1)).cookies.size > 0, true);
  } finally {
    await demo?.stop();
    execFileSync("umount", ["-l", mount]);
    rmSync(mount, { recursive: true, force: true });
  }
});
