// SPDX-License-Identifier: Apache-2.0
// What was acknowledged is there: after kills in the middle of writing, each
// compared with a ledger that the clients keep, and on a disk that fills up.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, writeFileSync, rmSync as removeFile } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { addProject, Client, type Demo, removeDir, signedIn, startDemo } from "../server.ts";

const kills = Number(process.env.N ?? 20);
const release = process.env.YAGURA_RELEASE ?? process.env.YAGURA ?? "build/yagura";
const writers = 8;

/** The last change of a ticket that was acknowledged, and one that was not. */
interface Entry {
  subject: string;
  pending?: string;
  version: number;
}

interface Ledger {
  project: string;
  tickets: Map<string, Entry>;
  /** Subjects sent to be added, of which nothing was heard. */
  unheard: Set<string>;
  changes: number;
}

/** Adds and changes tickets until the server is gone. */
async function write(client: Client, ledger: Ledger, name: string) {
  const own: string[] = [];
  for (let n = 0; ; n++) {
    const subject = `${name}-${n}`;
    try {
      if (n % 3 < 2) {
        ledger.unheard.add(subject);
        const reply = await client.post(`/projects/${ledger.project}/tickets`, { subject, classification: "task" });
        assert.equal(reply.status, 201, JSON.stringify(reply.body));
        ledger.unheard.delete(subject);
        ledger.tickets.set(reply.body.id, { subject, version: reply.body.version });
        own.push(reply.body.id);
      } else {
        const id = own[Math.floor(Math.random() * own.length)]!;
        const entry = ledger.tickets.get(id)!;
        entry.pending = subject;
        const reply = await client.patch(`/tickets/${id}`, { subject }, entry.version);
        assert.equal(reply.status, 200, JSON.stringify(reply.body));
        ledger.tickets.set(id, { subject, version: reply.body.version });
      }
      ledger.changes++;
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error;
      return; // cut off
    }
  }
}

/** What the ledger says must be there; what it does not know may not be. */
async function compare(client: Client, ledger: Ledger) {
  const { columns, rows } = (await client.get(`/projects/${ledger.project}/plan`)).body;
  const at = (name: string) => columns.indexOf(name);
  const found = new Map<string, string>(rows.map((row: any[]) => [row[at("id")], row[at("subject")]]));
  for (const [id, entry] of ledger.tickets) {
    const subject = found.get(id);
    assert.ok(subject === entry.subject || (entry.pending && subject === entry.pending),
      `ticket ${id}: "${subject}" is there, "${entry.subject}" was acknowledged`);
    if (subject !== entry.subject) entry.subject = subject!;
    delete entry.pending;
    entry.version = rows.find((row: any[]) => row[at("id")] === id)[at("version")];
  }
  for (const [id, subject] of found)
    if (!ledger.tickets.has(id)) {
      assert.ok(ledger.unheard.has(subject), `nobody added "${subject}"`);
      ledger.tickets.set(id, { subject, version: rows.find((row: any[]) => row[at("id")] === id)[at("version")] });
    }
  ledger.unheard.clear();
  const chain = await client.get("/operations/verify");
  assert.equal(chain.body.ok, true, JSON.stringify(chain.body));
}

test(`${kills} kills in the middle of writing lose nothing acknowledged`, async (t) => {
  let demo: Demo = await startDemo(undefined, release);
  const dir = demo.dir;
  const first = await signedIn(demo, 0);
  const ledger: Ledger = {
    project: (await addProject(first, "KILL")).id,
    tickets: new Map(),
    unheard: new Set(),
    changes: 0,
  };
  const again = () => {
    const client = new Client(demo.ready.url);
    client.cookies = new Map(first.cookies); // a session outlives a restart
    return client;
  };
  try {
    for (let kill = 0; kill < kills; kill++) {
      const after = ledger.changes + 1 + Math.floor(Math.random() * 150);
      const work = Array.from({ length: writers }, (_, i) => write(again(), ledger, `${kill}-${i}`));
      const over = Promise.all(work);
      while (ledger.changes < after) await Promise.race([over, new Promise((resolve) => setImmediate(resolve))]);
      await demo.stop("SIGKILL");
      await over;
      demo = await startDemo(dir, release, ["--check"]); // ends if integrity_check says no
      await compare(again(), ledger);
    }
    t.diagnostic(`${ledger.changes} acknowledged writes, ${ledger.tickets.size} tickets, ${kills} kills`);
    assert.ok(ledger.changes >= kills);
  } finally {
    await demo.stop();
    removeDir(demo);
  }
});

/** A small file system of its own, or, without the right to mount one, none. */
function mountSmall(): { dir: string; release(): void } | null {
  const dir = mkdtempSync(join(tmpdir(), "yagura-full-"));
  const release = () => rmSync(dir, { recursive: true, force: true });
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", dir], { stdio: "ignore" });
  } catch {
    release();
    return null;
  }
  return {
    dir,
    release: () => {
      execFileSync("umount", [dir]);
      release();
    },
  };
}

/** Adds until it fails; the answer that was not 201. */
async function addUntilRefused(client: Client, project: string, added: string[]) {
  const details = "満".repeat(20000);
  for (let n = 0; n < 5000; n++) {
    const reply = await client.post(`/projects/${project}/tickets`, { subject: `満 ${added.length}`, classification: "task", details });
    if (reply.status !== 201) return reply;
    added.push(reply.body.id);
  }
  throw new Error("the disk does not fill up");
}

async function checkRefusal(client: Client, project: string, added: string[]) {
  const reply = await addUntilRefused(client, project, added);
  assert.equal(reply.status, 507, JSON.stringify(reply.body));
  assert.match(reply.headers.get("content-type")!, /problem\+json/);
  assert.match(reply.body.title, /空き容量/);
  const list = await client.get(`/projects/${project}/tickets?limit=1&sort=-no`);
  assert.equal(list.status, 200, "reading goes on");
  assert.equal(list.body.items[0]?.id, added.at(-1), "nothing half written");
}

test("a full disk: 507 and a clear word, reading goes on, writing resumes", async () => {
  const disk = mountSmall();
  const demo = await startDemo(disk?.dir, release);
  try {
    const client = await signedIn(demo, 0);
    const { id } = await addProject(client, "FULL");
    const added: string[] = [];
    if (disk) {
      const { bavail, bsize } = statfsSync(disk.dir);
      const ballast = join(disk.dir, "ballast");
      writeFileSync(ballast, Buffer.alloc(Math.max(0, bavail * bsize - (2 << 20))));
      await checkRefusal(client, id, added);
      removeFile(ballast);
    } else {
      // the same to the server: a write that the system refuses
      const limit = (bytes: string) =>
        execFileSync("prlimit", ["--pid", String(demo.process.pid), `--fsize=${bytes}:unlimited`]);
      limit(String(6 << 20));
      await checkRefusal(client, id, added);
      limit("unlimited");
    }
    const reply = await client.post(`/projects/${id}/tickets`, { subject: "空いた", classification: "task" });
    assert.equal(reply.status, 201, JSON.stringify(reply.body));
    for (const ticket of added) assert.equal((await client.get(`/tickets/${ticket}`)).status, 200);
    assert.equal((await client.get("/operations/verify")).body.ok, true);
  } finally {
    await demo.stop();
    if (!disk) removeDir(demo);
    disk?.release();
  }
});
