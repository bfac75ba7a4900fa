// SPDX-License-Identifier: Apache-2.0
// requests.ts BASE COOKIE PROJECT COUNT: a working day in fast motion over kept
// connections that are closed now and then.  Prints every row that the server
// acknowledged, and every answer that should not have been.
import { Agent, request } from "node:https";

const [base, cookie, project, total] = process.argv.slice(2) as [string, string, string, string];
const count = Number(total);
const AT_ONCE = 8;
const PER_CONNECTION = 400;
const created: [id: string, subject: string][] = [];
const versions = new Map<string, number>();
const statuses: Record<number, number> = {};
const faults: string[] = [];
let next = 0;

interface Answer {
  status: number;
  body: any;
}
function ask(agent: Agent, method: string, path: string, body?: object, version?: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(`${base}/api/v1${path}`, {
      method,
      agent,
      rejectUnauthorized: false,
      headers: {
        Cookie: cookie,
        "X-Req": "1",
        ...(body ? { "Content-Type": "application/json" } : {}),
        ...(version ? { "If-Match": `"${version}"` } : {}),
      },
    });
    sent.on("error", reject);
    sent.on("response", (reply) => {
      let text = "";
      reply.setEncoding("utf8").on("data", (part) => (text += part));
      reply.on("error", reject);
      reply.on("end", () => resolve({ status: reply.statusCode!, body: text && JSON.parse(text) }));
    });
    sent.end(body && JSON.stringify(body));
  });
}

async function one(agent: Agent, n: number) {
  const known = created.length ? created[(n * 7919) % created.length]! : undefined;
  const kind = n % 50;
  let reply: Answer;
  if (kind === 0 || !known) {
    const subject = `耐久 ${process.pid}-${n}`;
    reply = await ask(agent, "POST", `/projects/${project}/tickets`, { subject, classification: "task", details: "長い一日".repeat(1 + (n % 40)) });
    if (reply.status === 201) {
      created.push([reply.body.id, subject]);
      versions.set(reply.body.id, reply.body.version);
    }
  } else if (kind === 1) {
    const [id] = known;
    reply = await ask(agent, "PATCH", `/tickets/${id}`, { priority: n % 3 ? "high" : "low" }, versions.get(id));
    if (reply.status === 200) versions.set(id, reply.body.version);
    else if (reply.status === 412) versions.set(id, (await ask(agent, "GET", `/tickets/${id}`)).body.version);
  } else if (kind === 2) reply = await ask(agent, "POST", `/tickets/${known[0]}/comments`, { body: `ひとこと ${n}` });
  else if (kind < 12) reply = await ask(agent, "GET", `/search?q=${encodeURIComponent("耐久")}`);
  else if (kind < 30) reply = await ask(agent, "GET", `/tickets/${known[0]}`);
  else reply = await ask(agent, "GET", `/projects/${project}/tickets?limit=50`);
  statuses[reply.status] = (statuses[reply.status] ?? 0) + 1;
  if (reply.status >= 500 || (reply.status >= 400 && reply.status !== 412)) throw new Error(`${kind}: ${reply.status} ${JSON.stringify(reply.body).slice(0, 200)}`);
}

const lane = async () => {
  while (next < count && faults.length < 20) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let used = 0; used < PER_CONNECTION && next < count; used++)
      await one(agent, next++).catch((error) => faults.push(String(error)));
    agent.destroy();
  }
};
await Promise.all(Array.from({ length: AT_ONCE }, lane));
console.log(JSON.stringify({ created, statuses, faults }));
