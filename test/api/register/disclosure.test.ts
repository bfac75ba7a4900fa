// SPDX-License-Identifier: Apache-2.0
// What the law demands is recorded by the operator; the customer's
// administrators are told unless the order forbids it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { type Answer, Client, type Demo, removeDir, rule, signedIn, signedInOperator, startDemo } from "../server.ts";

let demo: Demo;
let oper: Client;
let admin: Client;
let member: Client;
before(async () => {
  demo = await startDemo();
  oper = await signedInOperator(demo);
  admin = await signedIn(demo, 0);
  member = await signedIn(demo, 5);
});
after(async () => {
  await demo.stop();
  removeDir(demo);
});

const ok = async (reply: Promise<Answer>): Promise<any> => {
  const { status, body } = await reply;
  assert.ok(status < 300, `${status} ${JSON.stringify(body)}`);
  return body;
};
const jst = (days = 0) => new Date(Date.now() + 9 * 3_600_000 + days * 86_400_000).toISOString().slice(0, 10);
const record = (fields: object = {}) => oper.post("/desk/disclosures", { tenant: "kaku", authority: "東京地方裁判所", basis: "刑事訴訟法第218条", what: "アクセスログ3日分", asked_on: jst(-3), disclosed_on: jst(-1), may_tell: true, ...fields });
const own = async () => (await admin.get("/disclosures")).body.items;
const told = async () => (await oper.get("/demo/mail")).body.items.filter((m: any) => m.subject.includes("法令に基づく開示"));

test("an order that forbids telling stays the operator's; told once it may be", async () => {
  const it = await ok(record({ may_tell: false }));
  assert.deepEqual([it.told_at, it.recorded_by, it.tenant], [null, demo.ready.operator.name, "kaku"]);
  assert.deepEqual(await own(), []);
  assert.ok(!JSON.stringify((await admin.get("/operations?kind=disclosure")).body).includes("裁判所"));

  const allowed = await ok(oper.patch(`/desk/disclosures/${it.id}`, { may_tell: true }, it.version));
  assert.ok(allowed.told_at);
  const [seen] = await own();
  assert.deepEqual([seen.authority, seen.basis, seen.what, seen.disclosed_on], ["東京地方裁判所", "刑事訴訟法第218条", "アクセスログ3日分", jst(-1)]);
  assert.ok(!("recorded_by" in seen));
  const account = demo.ready.accounts[0]!;
  const [link] = await oper.waitForMail(account.email, /http\S+\/enquiries/);
  assert.ok(link);
  for (const mail of await told()) assert.ok(!`${mail.subject}${mail.text}`.includes("裁判所"));
  const [row] = (await admin.get("/operations?kind=disclosure")).body.items;
  assert.deepEqual([row.action, row.object_name, row.user.name], ["tell", "東京地方裁判所", "desk"]);
  const logged = (await oper.get("/operations?kind=disclosure")).body.items;
  assert.deepEqual(logged.map((x: any) => x.action), ["update", "create"]);
  assert.deepEqual([logged[0].before.may_tell, logged[0].after.may_tell], [false, true]);
  assert.equal(rule(await oper.patch(`/desk/disclosures/${it.id}`, { may_tell: false }, allowed.version)), "told");
  assert.equal((await oper.patch(`/desk/disclosures/${it.id}`, { what: "x" }, it.version)).status, 412);
  const mails = (await told()).length;
  await ok(oper.patch(`/desk/disclosures/${it.id}`, { what: "アクセスログ2日分" }, allowed.version));
  assert.equal((await told()).length, mails); // told once
});

test("what cannot be is refused; the record is not the customer's", async () => {
  assert.equal(rule(await record({ asked_on: jst(1) })), "future");
  assert.equal(rule(await record({ asked_on: jst(-1), disclosed_on: jst(-2) })), "order");
  assert.equal(rule(await record({ tenant: "nowhere" })), "tenant");
  assert.equal((await ok(record({ disclosed_on: null }))).disclosed_on, null); // demanded, not given out
  assert.equal((await member.get("/disclosures")).status, 403);
  assert.equal((await admin.get("/desk/disclosures")).status, 404);
  assert.equal((await oper.get("/desk/disclosures")).body.items.length, 2);
  assert.equal((await oper.request("DELETE", "/desk/disclosures/1")).status >= 400, true);
});
