// SPDX-License-Identifier: Apache-2.0
// A notice whose mails do not leave: announced is what the relay took.  While
// the relay is stopped the operator sees how many wait, for which tenant, and
// row 17 of the trust page turns; once it is back all of it is as before.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Mailed } from "../mailed.ts";
import { type Answer, type Client } from "../server.ts";

const MINUTE = 60;
let it: Mailed;
let oper: Client;
let admin: Client;

const ok = async (reply: Promise<Answer>): Promise<any> => {
  const { status, body } = await reply;
  assert.ok(status < 300, `${status} ${JSON.stringify(body)}`);
  return body;
};
async function until<T>(look: () => Promise<T | undefined | false | null>): Promise<T> {
  for (const end = Date.now() + 60_000; ; ) {
    const found = await look();
    if (found) return found;
    if (Date.now() > end) throw new Error(`never: ${look}\n${it.log}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}
const jst = (hours: number) => new Date(Date.now() + (9 + hours) * 3_600_000).toISOString().slice(0, 19);
const row17 = async (who: Client) => (await ok(who.get("/trust"))).items[16];

/** What the tenant reads of it: no figures of others. */
const told = async (who: Client) => (await row17(who)).evidence.filter((e: any) => /お知らせメールの配信/.test(e.text)).flatMap((e: any) => [e.holds, e.text]);

before(async () => {
  it = new Mailed({ YAGURA_TEST_LOOK_MS: "50" });
  await it.start();
  oper = await it.signInOperator();
  admin = await it.signInAdmin();
});
after(() => it?.stop());

test("with the relay stopped an announced notice waits in the operator's sight and row 17 turns; when it is back both end", async () => {
  assert.equal((await row17(oper)).state, "holds");
  assert.deepEqual(await told(admin), [true, "お知らせメールの配信：満たしています"]);
  it.relay.close();
  const draft = await ok(oper.post("/service/notices", {
    kind: "maintenance", title_ja: "計画停止", title_en: "Planned", body_ja: "停止します", body_en: "It stops", starts_at: jst(100), ends_at: jst(101), is_for_all: true, mail_to: "admins",
  }));
  await ok(oper.request("POST", `/service/notices/${draft.id}/publish`, {}, { "If-Match": `"${draft.version}"` }));
  const seen = async () => ok(oper.get(`/service/notices/${draft.id}`));
  const out = await until(async () => { const n = await seen(); return n.owed === 0 && n; });
  assert.deepEqual([out.mails, out.waiting, out.failed], [1, 1, 0]);
  assert.equal((await ok(oper.get("/service/notices"))).items.find((n: any) => n.id === draft.id).waiting, 1, "in the list, too");
  const [target] = (await ok(oper.get(`/service/notices/${draft.id}/tenants`))).items;
  assert.deepEqual([target.tenant, target.mails, target.waiting, target.failed], [it.tenant, 1, 1, 0]);
  assert.equal((await row17(oper)).state, "holds", "a relay may take its time, for an hour");

  for (const minutes of [20, 40, 61]) { // sessions end when nothing is asked for long
    it.moveTo(minutes * MINUTE);
    await row17(oper);
    await row17(admin);
  }
  const turned = await row17(oper);
  assert.equal(turned.state, "attention");
  assert.match(turned.evidence.find((e: any) => !e.holds).text, /90日間のお知らせメール 1 通のうち中継サーバーが受け取ったもの 0 通、1時間以上受け取られていないもの 1 通/);
  assert.deepEqual(await told(admin), [false, "お知らせメールの配信：満たしていません"]);

  await it.openRelay();
  for (let minutes = 80; (await seen()).waiting; minutes += 10) {
    assert.ok(minutes < 300, "the mail never left");
    it.moveTo(minutes * MINUTE);
    await row17(admin);
    for (const end = Date.now() + 3_000; (await seen()).waiting && Date.now() < end; ) await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await it.relay.wait(it.admin.email, /計画停止/);
  assert.equal((await row17(oper)).state, "holds");
});
