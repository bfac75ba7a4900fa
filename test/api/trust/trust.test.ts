// SPDX-License-Identifier: Apache-2.0
// The trust page's three readers: what is measured names files, people and
// other customers for the operator alone, whatever is made public.
import assert from "node:assert/strict";
import { hostname, userInfo } from "node:os";
import { after, before, test } from "node:test";
import { type Answer, Client, type Demo, removeDir, signedIn, signedInOperator, startDemo } from "../server.ts";

let demo: Demo;
let oper: Client;
let admin: Client;
before(async () => {
  demo = await startDemo();
  oper = await signedInOperator(demo);
  admin = await signedIn(demo, 0);
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
const rows = async (who: Client) => (await ok(who.get("/trust"))).items;

test("with every row public, strangers and tenants read of no path, person or other customer", async () => {
  await ok(oper.post("/tenants", { id: "tonari", name: "となり商事株式会社", admin_email: "a@tonari.example", admin_name: "隣 太郎" }));
  for (const row of await rows(oper)) await ok(oper.request("PUT", `/trust/${row.no}`, { is_public: true }, { "If-Match": `"${row.version}"` }));
  const whole = await rows(oper);
  for (let end = Date.now() + 60_000; !JSON.stringify(await rows(oper)).includes(demo.dir) && Date.now() < end; ) await new Promise((resolve) => setTimeout(resolve, 50));
  assert.ok(JSON.stringify(await rows(oper)).includes(demo.dir), "the operator reads where the key is");
  const secrets = [demo.dir, demo.ready.operator.name, demo.ready.operator.email, "tonari", "となり商事", "隣 太郎", "root", "テナント 2 件", "Of 2 ", "Tenants: 2", hostname()];
  if (userInfo().username.length > 3) secrets.push(userInfo().username);
  for (const lang of ["ja", "en"])
    for (const who of [new Client(demo.ready.url), admin]) {
      if (who === admin) await ok(admin.request("PATCH", "/me", { lang }));
      const seen = await ok(who.request("GET", "/trust", undefined, { "Accept-Language": lang }));
      assert.equal(seen.items.length, 38);
      const text = JSON.stringify(seen.items.map((r: any) => r.evidence));
      for (const secret of secrets) assert.ok(!text.includes(secret), `${seen.reader} ${lang}: ${secret}`);
      assert.doesNotMatch(text, /(^|[\s"（(:：])\/[a-z0-9._-]+\/[a-z0-9._-]+/i, `${seen.reader} ${lang}: a path`);
      for (const r of seen.items) assert.ok(r.evidence.length || whole[r.no - 1].evidence.length === 0, `row ${r.no} is without evidence`);
    }
  await ok(admin.request("PATCH", "/me", { lang: "ja" }));
  const stranger = await rows(new Client(demo.ready.url));
  assert.deepEqual(stranger.map((r: any) => r.state), (await rows(oper)).map((r: any) => r.state), "the same states");
  assert.match(JSON.stringify(stranger[14].evidence), /鍵ファイルの権限：満たしてい/);
});

test("rows 3, 20 and 25 of a tenant are its own; a new one turns nothing of the operator's", async () => {
  const own = await rows(admin);
  assert.match(JSON.stringify(own[2].evidence), /この契約の台帳にある保管場所/);
  assert.match(JSON.stringify(own[19].evidence), /このテナント/);
  assert.match(JSON.stringify(own[24].evidence), /このテナントの専用のホスト名: なし/);
  assert.equal(own[24].state, "holds");
  const all = await rows(oper);
  for (const no of [3, 20]) assert.match(JSON.stringify(all[no - 1].evidence), /利用開始から26時間以内で.* 1 件/, String(no));
});

test("each line of a row is another one", async () => {
  for (const who of [admin, oper])
    for (const r of await rows(who)) {
      const texts = r.evidence.map((e: any) => e.text);
      assert.equal(new Set(texts).size, texts.length, `row ${r.no}: ${texts.join(" | ")}`);
      if (r.no !== 14 && r.no !== 15 && r.no !== 37) assert.doesNotMatch(texts.join("\n"), /\d{4}-\d\d-\d\d/, `row ${r.no} has a date of another form`); // those are doctor's own words
    }
  const pages = (await rows(oper))[18].evidence.find((e: any) => /操作マニュアル/.test(e.text)).text;
  const files = (await (await fetch(new URL("/manual/ja/start.md", demo.ready.url))).text()).length;
  assert.ok(files > 0 && Number(/日本語 (\d+) ページ/.exec(pages)![1]) < 30, pages); // the pictures are none
});
