// SPDX-License-Identifier: Apache-2.0
// Who may do what is gone through once a year: noted, counted, never changed.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Client, type Demo, removeDir, rule, signedIn, startDemo } from "../server.ts";

let demo: Demo;
let admin: Client;
before(async () => {
  demo = await startDemo();
  admin = await signedIn(demo, 0);
});
after(async () => {
  await demo.stop();
  removeDir(demo);
});

test("a review is noted with who, when and how much there was, and is in the log", async () => {
  assert.deepEqual((await admin.get("/access-reviews")).body, { items: [], next: null });
  const made = await admin.post("/access-reviews", { note: "外部委託先の\n3件を外した" });
  assert.equal(made.status, 201);
  assert.deepEqual([made.body.user, made.body.people, made.body.note], [demo.ready.accounts[0]!.name, 10, "外部委託先の\n3件を外した"]);
  assert.ok(made.body.grants > 0);
  assert.equal((await admin.post("/access-reviews", {})).body.note, "");
  const { items } = (await admin.get("/access-reviews")).body;
  assert.deepEqual(items.map((r: any) => r.id), ["2", "1"], "newest first");
  const [row] = (await admin.get("/operations?kind=access_review&limit=1")).body.items;
  assert.deepEqual([row.action, row.after.people], ["create", 10]);
  const promise = (await admin.get("/trust")).body.items[7];
  assert.ok(promise.evidence.some((e: any) => /このテナントの最後の権限の見直し/.test(e.text ?? JSON.stringify(e))), JSON.stringify(promise));
});

test("only who looks after rights; a long note is refused by name", async () => {
  const member = await signedIn(demo, 4);
  assert.equal((await member.get("/access-reviews")).status, 403);
  assert.equal((await member.post("/access-reviews", {})).status, 403);
  const long = await admin.post("/access-reviews", { note: "長".repeat(1001) });
  assert.deepEqual([long.status, long.body.errors[0].field, rule(long)], [422, "note", "max_length"]);
});
