// SPDX-License-Identifier: Apache-2.0
// The wire, byte by byte: what is refused, how soon, and that people are
// served while others hold connections and say nothing.
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { removeDir, startDemo, type Demo } from "../server.ts";

let demo: Demo;
let port: number;
const PROBE = "/livez";

before(async () => {
  demo = await startDemo();
  port = Number(new URL(demo.ready.url).port);
});
after(async () => {
  await demo.stop();
  removeDir(demo);
});

interface Reply {
  text: string;
  status: number;
  ms: number;
}

/** Sends bytes and reads until the server closes. */
function talk(bytes: string | Buffer, from = "127.0.0.1"): Promise<Reply> {
  const begun = performance.now();
  return new Promise((resolve) => {
    let text = "";
    const socket = connect({ port, host: "127.0.0.1", localAddress: from });
    socket.on("error", () => {});
    socket.on("data", (data) => (text += data.toString("latin1")));
    socket.on("close", () =>
      resolve({ text, status: Number(text.slice(9, 12)), ms: performance.now() - begun }),
    );
    socket.write(bytes);
  });
}

const get = (path: string, lines = "") =>
  `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${lines}\r\n`;
const post = (lines: string, body = "") =>
  `POST /api/v1/sign-in HTTP/1.1\r\nHost: localhost\r\n${lines}\r\n${body}`;

test("a plain request is answered", async () => {
  const reply = await talk(get(PROBE));
  assert.equal(reply.status, 200);
  assert.match(reply.text, /\r\nX-Content-Type-Options: nosniff\r\n/);
  assert.match(reply.text, /\r\nContent-Security-Policy: default-src 'none'/);
  assert.match(reply.text, /\r\nReferrer-Policy: no-referrer\r\n/);
  assert.doesNotMatch(reply.text, /Server:/);
});

test("framing that two readers could read in two ways is refused and closed", async () => {
  const smuggled = `GET ${PROBE} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  const heads = [
    post("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", `0\r\n\r\n${smuggled}`),
    post("Transfer-Encoding: chunked\r\nContent-Length: 4\r\n", `0\r\n\r\n${smuggled}`),
    post("Content-Length: 0\r\nContent-Length: 40\r\n", smuggled),
    post("Content-Length: +0\r\n", smuggled),
    post("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", smuggled),
    post("Transfer-Encoding : chunked\r\n", smuggled),
    post("Transfer-Encoding: xchunked\r\n", smuggled),
    post("Content-Length: 0\r\n X: folded\r\n", smuggled),
    `GET ${PROBE} HTTP/1.1\nHost: localhost\n\n${smuggled}`,
    `GET ${PROBE} HTTP/1.1\r\n\r\n${smuggled}`,
    get(PROBE, "Host: other\r\n") + smuggled,
    get(PROBE, "Content-Length: 3\r\n") + `abc${smuggled}`,
  ];
  for (const head of heads) {
    const reply = await talk(head);
    assert.equal(reply.status, 400, head);
    assert.equal(reply.text.split("HTTP/1.1 ").length, 2, `one reply to ${head}`);
    assert.match(reply.text, /\r\nConnection: close\r\n/);
  }
});

test("request lines: methods, targets, escapes", async () => {
  const line = (text: string) => talk(`${text}\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  assert.equal((await line("TRACE / HTTP/1.1")).status, 405);
  assert.equal((await line("PROPFIND / HTTP/1.1")).status, 405);
  assert.equal((await line("GET /a%00b HTTP/1.1")).status, 400);
  assert.equal((await line("GET /?q=%ff HTTP/1.1")).status, 400);
  assert.equal((await line("GET /?q=%00 HTTP/1.1")).status, 400);
  // who asks is not known yet: both languages, in the one shape of errors
  const { text } = await line("GET /?q=%00 HTTP/1.1");
  const problem = JSON.parse(Buffer.from(text.slice(text.indexOf("\r\n\r\n") + 4), "latin1").toString());
  assert.deepEqual([problem.status, problem.errors.length], [400, 1]);
  assert.match(problem.errors[0].message, /リクエストの形が正しくありません.*The request is not well formed/);
  assert.equal((await line(`GET ${PROBE}?q=%E3%81%82 HTTP/1.1`)).status < 500, true);
  assert.equal((await line("GET http://localhost/ HTTP/1.1")).status, 400);
  assert.equal((await line("GET / HTTP/2.0")).status, 505);
  assert.equal((await line(`GET /${"a".repeat(3000)} HTTP/1.1`)).status, 414);
});

test("a head of a megabyte is refused, not read", async () => {
  const reply = await talk(get(PROBE, `X: ${"a".repeat(1 << 20)}\r\n`));
  assert.equal(reply.status, 431);
  assert.equal((await talk(get(PROBE, "X: a\r\n".repeat(60)))).status, 431);
});

test("a gigabyte that is only declared is refused at once", async () => {
  const reply = await talk(
    post("Content-Type: application/json\r\nX-Req: 1\r\nContent-Length: 1000000000\r\n", "{"),
  );
  assert.ok(reply.status >= 400 && reply.status < 500, `${reply.status}`);
  assert.ok(reply.ms < 3000, `${reply.ms} ms`);
});

test("requests sent at once are answered in order on one connection", async () => {
  const one = `GET ${PROBE} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
  const reply = await talk(one + one + get(PROBE));
  assert.equal(reply.text.split("HTTP/1.1 200").length, 4);
});

interface Held {
  held: Promise<void>;
  end(): void;
}

/** A client that holds a connection, comes back when it is closed. */
function hold(first: string, isTrickling: boolean, from: string): Held {
  let socket: Socket;
  let isHeld = () => {};
  const held = new Promise<void>((resolve) => (isHeld = resolve));
  let timer: NodeJS.Timeout | undefined;
  let isOver = false;
  const open = () => {
    socket = connect({ port, host: "127.0.0.1", localAddress: from });
    socket.on("error", () => {});
    socket.on("data", () => {});
    socket.on("connect", () => {
      isHeld();
      if (first) socket.write(first);
      if (isTrickling) timer = setInterval(() => socket.write("a"), 1000);
    });
    socket.on("close", () => {
      clearInterval(timer);
      if (!isOver) setTimeout(open, 100);
    });
  };
  open();
  const end = () => {
    isOver = true;
    clearInterval(timer);
    socket.destroy();
  };
  return { held, end };
}

const p99 = (times: number[]) => times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)]!;

async function probe(count: number, from: string): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < count; i++) {
    const reply = await talk(get(PROBE), from);
    assert.equal(reply.status, 200);
    times.push(reply.ms);
  }
  return p99(times);
}

test("2,000 silent and 200 trickling clients do not keep others waiting", async (t) => {
  const unloaded = await probe(100, "127.0.0.1");
  const clients: Held[] = [];
  for (let i = 0; i < 2000; i++) clients.push(hold("", false, "127.0.0.2"));
  for (let i = 0; i < 100; i++) {
    clients.push(hold(`GET ${PROBE} HTTP/1.1\r\nHost: x\r\nX-A: `, true, "127.0.0.3"));
    clients.push(hold(post("Content-Length: 1000\r\nX-Req: 1\r\n"), true, "127.0.0.4"));
  }
  try {
    await Promise.all(clients.map((client) => client.held));
    const other = await probe(200, "127.0.0.1");
    const same = await probe(50, "127.0.0.2");
    t.diagnostic(`p99 ms: alone ${unloaded.toFixed(1)}, beside them ${other.toFixed(1)}, `
      + `from their address ${same.toFixed(1)}`);
    assert.ok(other < Math.max(500, unloaded * 50), `${other} ms`);
  } finally {
    for (const client of clients) client.end();
  }
});

/** Until nothing listens on the port any more. */
async function refuses(at: number): Promise<void> {
  for (;;) {
    const isOpen = await new Promise<boolean>((resolve) => {
      const socket = connect({ port: at, host: "127.0.0.1" });
      socket.on("connect", () => socket.destroy());
      socket.on("error", () => resolve(false));
      socket.on("close", () => resolve(true));
    });
    if (!isOpen) return;
  }
}

test("SIGTERM: what is in hand is finished, then the server ends", async () => {
  const one = await startDemo();
  const at = Number(new URL(one.ready.url).port);
  const socket = connect({ port: at, host: "127.0.0.1" });
  const silent = connect({ port: at, host: "127.0.0.1" });
  silent.on("error", () => {});
  let text = "";
  socket.on("data", (data) => (text += data));
  const body = JSON.stringify({ email: "nobody@example.jp", password: "wrong-Passw0rd" });
  await new Promise<void>((resolve) => {
    socket.on("data", () => text.includes("100 Continue") && resolve());
    socket.on("close", () => resolve());
    socket.write(
      `POST ${new URL(one.ready.url).pathname.replace(/\/$/, "")}/api/v1/sign-in HTTP/1.1\r\n`
        + `Host: localhost:${at}\r\nOrigin: http://localhost:${at}\r\nX-Req: 1\r\n`
        + "Content-Type: application/json\r\nExpect: 100-continue\r\n"
        + `Content-Length: ${body.length}\r\n\r\n`,
    );
  });
  const ended = one.stop();
  await refuses(at);
  socket.write(body);
  await new Promise((resolve) => socket.on("close", resolve));
  await ended;
  assert.match(text, /HTTP\/1\.1 [24]\d\d [^]*\r\nConnection: close\r\n/);
  silent.destroy();
  removeDir(one);
});
