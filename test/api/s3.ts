// SPDX-License-Identifier: Apache-2.0
// A bucket as S3 has it, small: it believes nothing but the signature, keeps
// objects in memory, and can misbehave.
import { createHash, createHmac } from "node:crypto";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import https from "node:https";
import type { AddressInfo, Socket } from "node:net";

export type Mood = "good" | "hang" | "drop" | "refuse" | "busy_once" | "redirect" | "endless" | "short" | "swallow";
export interface Bucket {
  port: number;
  mood: Mood;
  objects: Map<string, Buffer>;
  /** "PUT /bucket/key" as asked, whatever became of it. */
  asked: string[];
  bad: string[];
  connections: number;
  /** What its clock shows. */
  now(): number;
  close(): Promise<void>;
}
export const access = { id: "AKIAYAGURATEST", secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCY", region: "ap-northeast-1", bucket: "yagura-copies" };

const hmac = (key: string | Buffer, text: string) => createHmac("sha256", key).update(text).digest();
const sha = (data: string | Buffer) => createHash("sha256").update(data).digest("hex");
const encode = (text: string) => encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

/** What is wrong with a request, by AWS Signature Version 4; null: nothing. */
function judge(request: IncomingMessage, body: Buffer, now: number): string | null {
  const url = new URL(request.url!, "http://x");
  const match = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(\d{8})\/([^/]+)\/s3\/aws4_request,\s*SignedHeaders=([^,]+),\s*Signature=([0-9a-f]{64})$/
    .exec(request.headers.authorization ?? "");
  if (!match) return "AccessDenied";
  const [, id, day, region, signed, signature] = match as unknown as string[];
  const date = String(request.headers["x-amz-date"]);
  const hash = String(request.headers["x-amz-content-sha256"]);
  if (id !== access.id || region !== access.region) return "InvalidAccessKeyId";
  const at = Date.parse(date.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, "$1-$2-$3T$4:$5:$6Z"));
  if (!(Math.abs(at - now) < 15 * 60_000) || !date.startsWith(day!)) return "RequestTimeTooSkewed";
  const names = signed!.split(";");
  if (!names.includes("host") || !names.includes("x-amz-date")) return "AccessDenied";
  if (sha(body) !== hash) return "XAmzContentSHA256Mismatch";
  const query = [...url.searchParams].map(([k, v]) => [encode(k), encode(v)] as const).sort().map(([k, v]) => `${k}=${v}`).join("&");
  const canonical = [request.method, url.pathname, query, ...names.map((n) => `${n}:${request.headers[n]}`), "", signed, hash].join("\n");
  const scope = `${day}/${region}/s3/aws4_request`;
  const text = ["AWS4-HMAC-SHA256", date, scope, sha(canonical)].join("\n");
  const key = hmac(hmac(hmac(hmac(`AWS4${access.secret}`, day!), region!), "s3"), "aws4_request");
  return hmac(key, text).toString("hex") === signature ? null : "SignatureDoesNotMatch";
}

function list(bucket: Bucket, query: URLSearchParams): string {
  const prefix = query.get("prefix") ?? "";
  const keys = [...bucket.objects.keys()].filter((k) => k.startsWith(prefix)).sort();
  const folders = [...new Set(keys.filter((k) => k.slice(prefix.length).includes("/")).map((k) => prefix + k.slice(prefix.length).split("/")[0] + "/"))];
  const here = keys.filter((k) => !k.slice(prefix.length).includes("/"));
  const from = Number(query.get("continuation-token")?.replace("page ", "") ?? 0); // a blank: it must be encoded
  const page = here.slice(from, from + 2); // small pages: going on must work
  const more = from + 2 < here.length;
  return `<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>${access.bucket}</Name><Prefix>${prefix}</Prefix>`
    + `<KeyCount>${page.length}</KeyCount><MaxKeys>2</MaxKeys><IsTruncated>${more}</IsTruncated>${more ? `<NextContinuationToken>page ${from + 2}</NextContinuationToken>` : ""}`
    + page.map((k) => `<Contents><Key>${k}</Key><LastModified>2026-11-24T02:00:00.000Z</LastModified><ETag>&quot;x&quot;</ETag><Size>${bucket.objects.get(k)!.length}</Size></Contents>`).join("")
    + (from ? "" : folders.map((f) => `<CommonPrefixes><Prefix>${f}</Prefix></CommonPrefixes>`).join("")) + "</ListBucketResult>";
}

const refuse = (response: ServerResponse, status: number, code: string) =>
  response.writeHead(status, { "Content-Type": "application/xml" }).end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`);

function answer(bucket: Bucket, style: "path" | "host", request: IncomingMessage, response: ServerResponse, body: Buffer) {
  const url = new URL(request.url!, "http://x");
  bucket.asked.push(`${request.method} ${url.pathname}`);
  const wrong = judge(request, body, bucket.now());
  if (wrong) {
    bucket.bad.push(wrong);
    return void refuse(response, 403, wrong);
  }
  if (bucket.mood === "busy_once") {
    bucket.mood = "good";
    return void refuse(response, 503, "SlowDown");
  }
  if (bucket.mood === "refuse") return void refuse(response, 403, "AccessDenied");
  if (bucket.mood === "redirect") return void response.writeHead(307, { Location: "http://127.0.0.1:1/" }).end();
  if (bucket.mood === "endless") {
    response.writeHead(200);
    const more = () => { while (!response.destroyed && response.write("x".repeat(65536))); };
    response.on("drain", more);
    return more();
  }
  const host = String(request.headers.host).split(":")[0]!;
  const parts = url.pathname.slice(1).split("/");
  const name = style === "path" ? parts.shift() : host.split(".")[0];
  if (name !== access.bucket) return void refuse(response, 404, "NoSuchBucket");
  const key = decodeURIComponent(parts.join("/"));
  if (request.method === "GET" && !key) return void response.writeHead(200, { "Content-Type": "application/xml" }).end(list(bucket, url.searchParams));
  if (request.method === "PUT") {
    if (bucket.mood !== "swallow") bucket.objects.set(key, bucket.mood === "short" ? body.subarray(0, body.length >> 1) : body);
    return void response.writeHead(200, { ETag: '"x"', "Content-Length": "0" }).end();
  }
  if (request.method === "DELETE") {
    bucket.objects.delete(key);
    return void response.writeHead(204).end();
  }
  const object = bucket.objects.get(key);
  if (!object) return void refuse(response, 404, "NoSuchKey");
  response.writeHead(200); // in chunks, as proxies may send it
  response.write(object.subarray(0, object.length >> 1));
  response.end(object.subarray(object.length >> 1));
}

export async function startBucket(style: "path" | "host" = "path", safe?: { key: Buffer; cert: Buffer }): Promise<Bucket> {
  const sockets = new Set<Socket>();
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    const pieces: Buffer[] = [];
    request.on("error", () => {}).on("data", (piece) => pieces.push(piece));
    request.on("end", () => {
      if (bucket.mood === "hang") return;
      if (bucket.mood === "drop") return void request.socket.destroy();
      answer(bucket, style, request, response, Buffer.concat(pieces));
    });
  };
  const server = safe ? https.createServer(safe, handle) : http.createServer(handle);
  const bucket: Bucket = {
    port: 0, mood: "good", objects: new Map(), asked: [], bad: [], connections: 0,
    now: Date.now,
    close: () => new Promise((resolve) => {
      for (const socket of sockets) socket.destroy();
      server.close(() => resolve());
    }),
  };
  server.on("connection", (socket: Socket) => {
    bucket.connections++;
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => {});
  });
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  bucket.port = (server.address() as AddressInfo).port;
  return bucket;
}
