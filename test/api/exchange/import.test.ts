// SPDX-License-Identifier: Apache-2.0
// A plan that exists already comes in: CSV in the encodings people have, and
// MS Project XML.  All of it or nothing, and every error with its place.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { mspdi } from "../mspdi.ts";
import { addProject, type Client, type Demo, removeDir, rule, signedIn, startDemo } from "../server.ts";

let demo: Demo;
let admin: Client;
let count = 0;
let itoId: string;

before(async () => {
  demo = await startDemo();
  admin = await signedIn(demo, 0);
  itoId = (await admin.get("/users?q=ito@kaku.example")).body.items[0].id;
});
after(async () => {
  await demo.stop();
  removeDir(demo);
});

type Row = Record<string, any>;
const utf8 = (text: string) => new TextEncoder().encode(text);

/** Every character of code page 932 and its bytes, by asking the decoder. */
const cp932Bytes = (() => {
  const decoder = new TextDecoder("shift_jis");
  const table = new Map<string, number[]>();
  for (let one = 0; one < 0x80; one++) table.set(String.fromCharCode(one), [one]);
  for (let one = 0xa1; one <= 0xdf; one++) table.set(decoder.decode(Uint8Array.of(one)), [one]);
  for (let lead = 0x81; lead <= 0xfc; lead++) {
    if (lead > 0x9f && lead < 0xe0) continue;
    for (let trail = 0x40; trail <= 0xfc; trail++) {
      const text = decoder.decode(Uint8Array.of(lead, trail));
      if (text.length === 1 && text !== "\ufffd" && !table.has(text)) table.set(text, [lead, trail]);
    }
  }
  return table;
})();
const cp932 = (text: string) => Uint8Array.from([...text].flatMap((one) => cp932Bytes.get(one)!));

async function freshProject({ isAlone = false } = {}) {
  const { id } = await addProject(admin, `IM${++count}`);
  if (!isAlone) await admin.request("PUT", `/projects/${id}/members/${itoId}`, { role: "viewer" }); // to be assigned
  const send = (body: Uint8Array, query = "format=csv") => admin.post(`/projects/${id}/imports?${query}`, body);
  const read = async () => {
    const { columns, rows, links, ...rest } = (await admin.get(`/projects/${id}/plan`)).body;
    const named: Row[] = rows.map((row: any[]) => Object.fromEntries(columns.map((name: string, i: number) => [name, row[i]])));
    return { ...rest, rows: named, links, by: Object.fromEntries(named.map((row) => [row.subject, row])) as Record<string, Row> };
  };
  return { id: id as string, send, read };
}

const small = [
  "ID,WBS番号,件名,チケット分類,予定開始日,予定終了日,進捗率,担当者,先行",
  "A,1,要件定義,フェーズ,,,,,",
  "B,1.1,現行調査,タスク,2026/12/01,2026/12/04,40,ito@kaku.example,",
  'C,1.2,"要件書, 初版",成果物,2026-12-07,2026-12-11,,,B FS+1',
].join("\r\n");

test("CSV is read with or without a BOM, and in CP932, to the same plan", async () => {
  const files = [utf8(small), utf8(`\ufeff${small}`), cp932(small), utf8(small.replaceAll("\r\n", "\n"))];
  for (const file of files) {
    const project = await freshProject();
    const reply = await project.send(file);
    assert.equal(reply.status, 200, JSON.stringify(reply.body));
    assert.deepEqual([reply.body.added, reply.body.links, reply.body.errors], [3, 1, []]);
    const { by, links } = await project.read();
    assert.equal(by.現行調査!.parent, by.要件定義!.id);
    assert.equal(by.現行調査!.progress, 40);
    assert.equal(by.現行調査!.planned_end, "2026-12-04");
    assert.equal(by["要件書, 初版"]!.classification, "deliverable");
    assert.deepEqual(links[0].slice(3), ["FS", 1]);
  }
});

test("a dry run says what would happen, and nothing has", async () => {
  const project = await freshProject();
  const reply = await project.send(utf8(small), "format=csv&dry=1");
  assert.equal(reply.status, 200, JSON.stringify(reply.body));
  assert.equal(reply.body.dry, true);
  assert.equal(reply.body.added, 3);
  assert.deepEqual((await project.read()).rows, []);
});

test("the sample that is offered comes in as it is", async () => {
  for (const [lang, head] of [["en", "Subject"], ["ja", "件名"]] as const) {
    await admin.request("PATCH", "/me", { lang });
    const sample = await admin.get("/imports/sample");
    assert.equal(sample.status, 200, JSON.stringify(sample.body));
    assert.match(sample.body.split("\n")[0], new RegExp(head));
    assert.match(sample.headers.get("content-disposition")!, /^attachment; filename="[^"]+\.csv"/);
    const project = await freshProject();
    const reply = await project.send(utf8(sample.body));
    assert.equal(reply.status, 200, JSON.stringify(reply.body));
    assert.ok(reply.body.added >= 4);
  }
});

/** 5,000 rows in phases of 20, each task after the one before. */
function bigFile(): string[] {
  const lines = ["ID,WBS番号,件名,チケット分類,予定開始日,予定終了日,進捗率,先行"];
  for (let i = 0; i < 5000; i++) {
    const phase = Math.floor(i / 20) + 1;
    const within = i % 20;
    lines.push(
      within === 0
        ? `T${i},${phase},工程${phase}：準備・申請～①㈱髙﨑,フェーズ,,,,`
        : `T${i},${phase}.${within},作業${i}ﾃｽﾄ,タスク,2026/12/01,2026/12/02,${i % 101},${within > 1 ? `T${i - 1}` : ""}`,
    );
  }
  return lines;
}

test("5,000 rows in CP932", async () => {
  const project = await freshProject();
  const reply = await project.send(cp932(`${bigFile().join("\r\n")}\r\n`), "format=csv&encoding=cp932");
  assert.equal(reply.status, 200, JSON.stringify(reply.body).slice(0, 500));
  assert.equal(reply.body.added, 5000);
  assert.equal(reply.body.links, 250 * 18);
  const { rows, by } = await project.read();
  assert.equal(rows.length, 5000);
  assert.ok(by["工程1：準備・申請～①㈱髙﨑"], "characters of Windows, not of the standard alone");
  assert.equal(by.作業4999ﾃｽﾄ!.progress, 4999 % 101);
});

test("one broken line, 4,321, and nothing is written", async () => {
  const project = await freshProject();
  const lines = bigFile();
  lines[4320] = lines[4320]!.replace("2026/12/02", "2026/02/30");
  assert.ok(lines[4320]!.includes("02/30"));
  const reply = await project.send(cp932(lines.join("\r\n")));
  assert.equal(reply.status, 422);
  assert.equal(reply.body.errors.length, 1, JSON.stringify(reply.body.errors.slice(0, 5)));
  const [error] = reply.body.errors;
  assert.deepEqual([error.line, error.column, error.column_name], [4321, 6, "予定終了日"]);
  assert.match(error.message, /[ぁ-ん]/);
  assert.deepEqual((await project.read()).rows, []);
});

test("all errors are reported at once, each with its line and column", async () => {
  const project = await freshProject();
  const reply = await project.send(
    utf8(
      [
        "ID,WBS番号,件名,チケット分類,予定開始日,予定終了日,進捗率,担当者,先行",
        "A,1,,タスク,,,,,", // 2: no subject
        "B,2,乙,戦車,,,,,", // 3: no such classification
        "C,3,丙,タスク,2026-13-01,,,,", // 4: no such day
        "D,4,丁,タスク,2026-12-02,2026-12-01,,,", // 5: end before start
        "E,5,戊,タスク,,,120,,", // 6: more than all
        "F,6,己,タスク,,,,nobody@kaku.example,", // 7: nobody
        "G,7,庚,タスク,,,,,ZZ", // 8: no such row
        "A,8,辛,タスク,,,,,", // 9: id twice
        "H,10.1,壬,タスク,,,,,", // 10: no parent 10
      ].join("\n"),
    ),
  );
  assert.equal(reply.status, 422);
  const places = reply.body.errors.map((error: any) => [error.line, error.column]);
  const expected = [[2, 3], [3, 4], [4, 5], [5, 6], [6, 7], [7, 8], [8, 9], [9, 1], [10, 2]];
  for (const place of expected)
    assert.ok(places.some((one: any) => one.join() === place.join()), `${place}: ${JSON.stringify(reply.body.errors)}`);
  for (const error of reply.body.errors) {
    assert.ok(error.message && error.rule, JSON.stringify(error));
    assert.ok(error.line >= 2 && error.line <= 10);
  }
  assert.deepEqual((await project.read()).rows, []);
});

test("a cycle among the rows is refused with a line", async () => {
  const project = await freshProject();
  const file = "ID,件名,チケット分類,予定開始日,予定終了日,先行\nA,甲,タスク,2026-12-01,2026-12-01,B\nB,乙,タスク,2026-12-01,2026-12-01,A\n";
  const reply = await project.send(utf8(file));
  assert.ok(reply.status === 422 || reply.status === 409, JSON.stringify(reply.body));
  assert.equal(rule(reply), "cycle");
  // the keys are of rows that are not kept: the subjects are what the file has
  assert.match(reply.body.errors[0].message, /甲 → .*乙 → .*甲|乙 → .*甲 → .*乙/);
  assert.deepEqual((await project.read()).rows, []);
});

test("files that are no CSV are refused with a reason, not an accident", async () => {
  const project = await freshProject();
  const cases: [Uint8Array, string][] = [
    [utf8(""), "empty"],
    [utf8('件名\n"閉じない'), "quote"],
    [Uint8Array.of(0xef, 0xbb, 0xbf, 0x41, 0xff, 0x0a), "utf8"],
    [utf8("甲,乙\n1,2\n"), "no_subject"],
    [utf8("件名,件名\n1,2\n"), "column_twice"],
    [utf8("件名\n甲\0乙\n"), "binary"],
  ];
  for (const [file, name] of cases) {
    const reply = await project.send(file);
    assert.equal(reply.status, 422, `${name}: ${JSON.stringify(reply.body)}`);
    assert.equal(rule(reply), name);
  }
  assert.equal((await project.send(utf8(small), "format=pdf")).status, 422);
  assert.deepEqual((await project.read()).rows, []);
});

test("a second import changes by id, and deletes what it is told to", async () => {
  const project = await freshProject();
  await project.send(utf8(small));
  const { rows } = await project.read();
  const key = `IM${count}`;
  const [a, b, c] = rows.map((row) => `${key}-${row.no}`);
  const reply = await project.send(utf8(`ID,操作,件名,進捗率\n${b},,新しい名前,70\n${c},削除,,\n`));
  assert.equal(reply.status, 200, JSON.stringify(reply.body));
  assert.deepEqual([reply.body.added, reply.body.changed, reply.body.deleted], [0, 1, 1]);
  const { by, rows: left } = await project.read();
  assert.equal(left.length, 2, a);
  assert.equal(by.新しい名前!.progress, 70);
  assert.equal(by.新しい名前!.planned_end, "2026-12-04");
});

test("MS Project XML: hierarchy, dates, links with lag, calendar, people", async () => {
  const project = await freshProject();
  const reply = await project.send(utf8(mspdi), "format=mspdi");
  assert.equal(reply.status, 200, JSON.stringify(reply.body));
  const { rows, by, links, calendar } = await project.read();
  assert.equal(reply.body.added, rows.length);
  assert.equal(by.現行調査!.parent, by.要件定義!.id);
  assert.deepEqual([by.現行調査!.planned_start, by.現行調査!.planned_end], ["2026-12-01", "2026-12-04"]);
  assert.equal(by.現行調査!.progress, 50);
  assert.equal(by.現行調査!.estimate, 32 * 60);
  assert.equal(by.要件承認!.classification, "milestone");
  const named = links.map(([, from, to, kind, lag]: any[]) => {
    const subject = (id: string) => rows.find((row) => row.id === id)!.subject;
    return `${subject(from)} ${kind}${lag >= 0 ? "+" : ""}${lag} ${subject(to)}`;
  });
  assert.deepEqual(named.sort(), [
    "基本設計 FF+1 画面設計",
    "基本設計 SF-1 帳票設計",
    "基本設計 SS+2 詳細設計",
    "現行調査 FS+0 要件書作成",
    "要件承認 FS+3 基本設計",
    "要件書作成 FS+0 要件承認",
  ]);
  const holidays = calendar.days.filter(([, isWorking]: any[]) => !isWorking).map(([day]: any[]) => day);
  for (const day of ["2026-12-29", "2026-12-30", "2027-01-04"]) assert.ok(holidays.includes(day), holidays.join());
  const people = by.現行調査!;
  const page = (await admin.get(`/tickets/${people.id}`)).body;
  assert.deepEqual(page.assignees.map((one: any) => one.name), ["伊藤 大輔"]);
  const lost = reply.body.lost.map((one: any) => one.what).join();
  for (const word of ["制約", "コスト", "リソース"]) assert.match(lost, new RegExp(word));
});

test("an XML bomb, an external entity and what is no XML are refused at once", async () => {
  const project = await freshProject();
  const bomb = `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">${"bcdefghi"
    .split("")
    .map((name) => `<!ENTITY ${name} "${`&${String.fromCharCode(name.charCodeAt(0) - 1)};`.repeat(10)}">`)
    .join("")}]><Project xmlns="http://schemas.microsoft.com/project"><Name>&i;</Name></Project>`;
  const outside = `<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>
    <Project xmlns="http://schemas.microsoft.com/project"><Tasks><Task><UID>1</UID><Name>&x;</Name></Task></Tasks></Project>`;
  const deep = `<Project xmlns="http://schemas.microsoft.com/project">${"<a>".repeat(100000)}`;
  for (const file of [bomb, outside, deep, "<html></html>", "件名\n甲", mspdi.slice(0, mspdi.length / 2)]) {
    const begun = performance.now();
    const reply = await project.send(utf8(file), "format=mspdi");
    assert.equal(reply.status, 422, `${file.slice(0, 60)}: ${JSON.stringify(reply.body)}`);
    assert.ok(reply.body.errors[0].message);
    assert.doesNotMatch(JSON.stringify(reply.body), /root:/);
    assert.ok(performance.now() - begun < 10_000);
  }
  assert.deepEqual((await project.read()).rows, []);
});

test("a viewer brings nothing in; a stranger does not see the project", async () => {
  const project = await freshProject({ isAlone: true });
  const member = await signedIn(demo, 4);
  const reply = await member.post(`/projects/${project.id}/imports?format=csv`, utf8(small));
  assert.equal(reply.status, 404, JSON.stringify(reply.body));
});

/** [line, column, rule] of each error. */
const faults = (reply: { body: any }) => reply.body.errors.map((error: any) => [error.line, error.column, error.rule]);
const csv = (...lines: string[]) => utf8(lines.join("\n"));

test("a refused file is a problem like any other, with all errors counted", async () => {
  const project = await freshProject();
  const reply = await project.send(csv("件名,進捗率", ...Array.from({ length: 250 }, (_, i) => `作業${i},0x10`)));
  assert.equal(reply.status, 422);
  assert.match(reply.headers.get("content-type")!, /problem\+json/);
  assert.equal(reply.body.type, "about:blank");
  assert.equal(reply.body.status, 422);
  assert.equal(reply.body.errors.length, 200);
  assert.equal(reply.body.errors_total, 250, "those not listed too");
  assert.equal(reply.body.errors[0].field, "進捗率");
});

test("numbers are decimal: no hex, no exponent, no infinity", async () => {
  const project = await freshProject();
  for (const word of ["0x10", "1e2", "inf", "nan", "1.2.3", "-1", "."])
    assert.deepEqual(faults(await project.send(csv("件名,見積工数,進捗率", `甲,${word},${word}`))).map(([, column]: number[]) => column), [2, 3], word);
  assert.equal((await project.send(csv("件名,見積工数,進捗率", "甲,７.５ h,40 %"))).status, 200);
  assert.deepEqual([(await project.read()).by.甲!.estimate, (await project.read()).by.甲!.progress], [450, 40]);
});

test("ids may end in the letters of a link's kind", async () => {
  const project = await freshProject();
  const reply = await project.send(csv("ID,件名,先行", "AFS,甲,", "BSS,乙,AFS", "C,丙,BSS SS+2", "12,丁,", "D,戊,12FS-1d"));
  assert.equal(reply.status, 200, JSON.stringify(reply.body.errors));
  assert.equal(reply.body.links, 3);
  const { body } = await project.send(csv("ID,件名,先行", "E,己,", "F,庚,EFS"));
  assert.deepEqual(faults({ body }), [[3, 3, "not_found"]], "no row EFS, and E was not meant");
  assert.match(body.errors[0].message, /EFS/);
});

test("cells beyond the heads are refused, not dropped", async () => {
  const project = await freshProject();
  assert.deepEqual(faults(await project.send(csv("件名,進捗率", "甲,10", "乙, 改訂,20"))), [[3, 3, "cells_beyond"]]);
  assert.equal((await project.send(csv("件名,進捗率", "甲,10,,"))).status, 200, "empty ones say nothing");
});

test("an open quotation mark is told where it was opened, a bad byte where it is", async () => {
  const project = await freshProject();
  assert.deepEqual(faults(await project.send(csv("件名,詳細", "甲,a", '乙,"開いたまま', "丙,c", "丁,d"))), [[3, 2, "quote"]]);
  const broken = Buffer.concat([utf8("件名,詳細\n甲,よい説明文です\n乙,ここが壊れて"), Uint8Array.of(0xff), utf8("います\n")]);
  for (const query of ["format=csv", "format=csv&encoding=utf-8"]) assert.deepEqual(faults(await project.send(broken, query)), [[3, 2, "utf8"]], query);
});

test("a parent below its child, and a row that is its own parent, are told as such", async () => {
  const project = await freshProject();
  assert.deepEqual(faults(await project.send(csv("ID,親,件名", "A,B,甲", "B,,乙", "C,C,丙"))), [[2, 2, "parent_later"], [4, 2, "parent_itself"]]);
});

test("dates are of this century's plans, and dependencies push none beyond", async () => {
  const project = await freshProject();
  assert.deepEqual(faults(await project.send(csv("件名,予定開始日,予定終了日", "甲,1979-12-31,2026-01-05", "乙,2026-01-05,2101-01-01"))).map(([line, , rule]: any[]) => [line, rule]), [[2, "min"], [3, "max"]]);
  const reply = await project.send(csv("ID,件名,予定開始日,予定終了日,先行", "A,甲,2100-12-01,2100-12-20,", "B,乙,2026-01-05,2026-03-31,A FS+30"));
  assert.equal(reply.status, 422);
  assert.equal(rule(reply), "day_range");
  assert.deepEqual((await project.read()).rows, []);
});

test("what is no XML is told with its line", async () => {
  const project = await freshProject();
  const head = '<?xml version="1.0"?>\n<Project xmlns="http://schemas.microsoft.com/project">\n';
  const [bad] = faults(await project.send(utf8(`${head}<Tasks>\n<Task></Wrong>\n</Tasks></Project>`), "format=mspdi"));
  assert.deepEqual([bad![0], bad![2]], [4, "xml"]);
  const [doctype] = faults(await project.send(utf8(`${head}\n<!DOCTYPE a>\n</Project>`), "format=mspdi"));
  assert.deepEqual([doctype![0], doctype![2]], [4, "doctype"]);
});

test("the file's calendar takes the right to edit the project", async () => {
  const project = await freshProject();
  const member = await signedIn(demo, 5);
  const { id } = (await member.get("/session")).body.user;
  await admin.request("PUT", `/projects/${project.id}/members/${id}`, { role: "member" });
  const before = (await admin.get(`/projects/${project.id}`)).body.calendar;
  const reply = await member.post(`/projects/${project.id}/imports?format=mspdi`, utf8(mspdi));
  assert.equal(reply.status, 200, JSON.stringify(reply.body.errors));
  assert.ok(reply.body.lost.some((one: any) => one.what.startsWith("カレンダー")), "and its loss is told");
  assert.deepEqual((await admin.get(`/projects/${project.id}`)).body.calendar, before);
});
