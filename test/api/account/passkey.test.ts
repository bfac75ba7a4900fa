// SPDX-License-Identifier: Apache-2.0
// Passkeys against an authenticator of our own: ES256 and RS256, and each way
// in which a signature can be for something else.
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { after, before, test } from "node:test";
import { Client, type Demo, removeDir, rule, signedIn, startDemo } from "../server.ts";

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

// ---- CBOR, as much of it as is said here ----
function cbor(value: unknown): Buffer {
  const head = (major: number, n: number) =>
    n < 24 ? Buffer.from([(major << 5) | n]) : n < 256 ? Buffer.from([(major << 5) | 24, n]) : Buffer.from([(major << 5) | 25, n >> 8, n & 255]);
  if (typeof value === "number") return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === "string") return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (value instanceof Uint8Array) return Buffer.concat([head(2, value.length), value]);
  const pairs = [...(value as Map<unknown, unknown>)];
  return Buffer.concat([head(5, pairs.length), ...pairs.flatMap(([k, v]) => [cbor(k), cbor(v)])]);
}

const sha256 = (data: string | Buffer) => createHash("sha256").update(data).digest();
const text = (data: Buffer) => data.toString("base64url");

interface Lie {
  type?: string;
  origin?: string;
  challenge?: string;
  rp?: string;
  flags?: number;
  counter?: number;
  cross?: boolean;
  id?: Buffer;
  key?: KeyObject;
}
class Authenticator {
  readonly id = randomBytes(32);
  readonly keys: { publicKey: KeyObject; privateKey: KeyObject };
  counter = 1;
  readonly algorithm: "ES256" | "RS256";
  constructor(algorithm: "ES256" | "RS256") {
    this.algorithm = algorithm;
    this.keys = algorithm === "ES256" ? generateKeyPairSync("ec", { namedCurve: "P-256" }) : generateKeyPairSync("rsa", { modulusLength: 2048 });
  }
  cose() {
    const jwk = this.keys.publicKey.export({ format: "jwk" });
    const bytes = (s?: string) => Buffer.from(s!, "base64url");
    return this.algorithm === "ES256"
      ? cbor(new Map<number, unknown>([[1, 2], [3, -7], [-1, 1], [-2, bytes(jwk.x)], [-3, bytes(jwk.y)]]))
      : cbor(new Map<number, unknown>([[1, 3], [3, -257], [-1, bytes(jwk.n)], [-2, bytes(jwk.e)]]));
  }
  private clientData(type: string, challenge: string, lie: Lie) {
    return Buffer.from(
      JSON.stringify({ type: lie.type ?? type, challenge: lie.challenge ?? challenge, origin: lie.origin ?? new URL(demo.ready.url).origin, crossOrigin: lie.cross ?? false }),
    );
  }
  private data(rp: string, flags: number, lie: Lie, rest: Buffer[] = []) {
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(lie.counter ?? this.counter++);
    return Buffer.concat([sha256(lie.rp ?? rp), Buffer.from([lie.flags ?? flags]), counter, ...rest]);
  }
  create(offer: any, lie: Lie = {}, format = "none") {
    const length = Buffer.from([this.id.length >> 8, this.id.length & 255]);
    const data = this.data(offer.rp_id, 0x45, lie, [Buffer.alloc(16), length, this.id, this.cose()]);
    const attestation = cbor(new Map<string, unknown>([["fmt", format], ["attStmt", new Map()], ["authData", data]]));
    return { name: "鍵", client_data: text(this.clientData("webauthn.create", offer.challenge, lie)), attestation: text(attestation) };
  }
  get(question: any, lie: Lie = {}) {
    const client = this.clientData("webauthn.get", question.challenge, lie);
    const data = this.data(question.rp_id, 0x05, lie);
    const signature = sign("sha256", Buffer.concat([data, sha256(client)]), lie.key ?? this.keys.privateKey);
    return { id: text(lie.id ?? this.id), client_data: text(client), data: text(data), signature: text(signature) };
  }
}

async function add(client: Client, key: Authenticator) {
  const offer = await client.post("/me/factors/passkey", {});
  assert.equal(offer.status, 200, JSON.stringify(offer.body));
  const reply = await client.post("/me/factors/passkey/confirm", key.create(offer.body));
  assert.equal(reply.status, 204, JSON.stringify(reply.body));
}
/** Password given, passkey owed (profile modern). */
async function halfWay(n: number): Promise<Client> {
  const account = demo.ready.accounts[n]!;
  const client = new Client(demo.ready.url);
  const reply = await client.post("/sign-in", { email: account.email, password: account.password });
  assert.deepEqual([reply.body.step, reply.body.passkey], ["factor", true]);
  return client;
}
const ask = async (client: Client) => (await client.post("/sign-in/passkey/question", {})).body;

const keys = { ES256: new Authenticator("ES256"), RS256: new Authenticator("RS256") };

test("whitepaper: the passkey comes after the mailed code", async () => {
  await add(await signedIn(demo, 1), keys.ES256);
  const account = demo.ready.accounts[1]!;
  const client = new Client(demo.ready.url);
  const half = await client.signIn(account.email, account.password);
  assert.deepEqual([half.body.step, half.body.passkey, half.body.totp], ["factor", true, false]);
  assert.equal((await client.get("/programs")).status, 401);
  assert.equal((await client.post("/sign-in/passkey", keys.ES256.get(await ask(client)))).status, 200);
  assert.equal((await client.get("/programs")).status, 200);
});

test("modern: password and passkey, ES256 and RS256", async () => {
  const { version } = (await admin.get("/security")).body;
  assert.equal((await admin.patch("/security", { profile: "modern" }, version)).status, 200);
  await add(await signedIn(demo, 2), keys.RS256);
  for (const [n, key] of [[1, keys.ES256], [2, keys.RS256]] as const) {
    const client = await halfWay(n);
    const question = await ask(client);
    assert.deepEqual(question.ids, [text(key.id)]);
    const reply = await client.post("/sign-in/passkey", key.get(question));
    assert.equal(reply.status, 200, JSON.stringify(reply.body));
    assert.equal(reply.body.user.email, demo.ready.accounts[n]!.email);
  }
});

test("a signature for anything else is none", async () => {
  const other = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
  const lies: [string, Lie][] = [
    ["another challenge", { challenge: text(randomBytes(32)) }],
    ["another origin", { origin: "https://evil.example" }],
    ["inside another page", { cross: true }],
    ["a registration", { type: "webauthn.create" }],
    ["another site", { rp: "evil.example" }],
    ["nobody present", { flags: 0x04 }],
    ["nobody verified", { flags: 0x01 }],
    ["a counter that went back", { counter: 1 }],
    ["another key", { key: other }],
    ["another credential", { id: randomBytes(32) }],
    ["another person's", { id: keys.RS256.id, key: keys.RS256.keys.privateKey }],
  ];
  for (const [name, lie] of lies) {
    const client = await halfWay(1);
    const reply = await client.post("/sign-in/passkey", keys.ES256.get(await ask(client), lie));
    assert.deepEqual([reply.status, rule(reply)], [401, "code"], name);
    assert.equal((await client.get("/programs")).status, 401, name);
    // the way back in, before guesses slow it down
    const again = await halfWay(1);
    assert.equal((await again.post("/sign-in/passkey", keys.ES256.get(await ask(again)))).status, 200, name);
  }
});

test("a challenge belongs to its session and is used once, right or wrong", async () => {
  const client = await halfWay(1);
  const question = await ask(client);
  const wrong = await client.post("/sign-in/passkey", keys.ES256.get(question, { flags: 0 }));
  assert.equal(rule(wrong), "code");
  assert.equal(rule(await client.post("/sign-in/passkey", keys.ES256.get(question))), "code", "asked anew first");
  const other = await halfWay(1);
  const theirs = await ask(other);
  await ask(client);
  assert.equal(rule(await client.post("/sign-in/passkey", keys.ES256.get(theirs))), "code");
  assert.equal((await other.post("/sign-in/passkey", keys.ES256.get(theirs))).status, 200);
});

test("what is no passkey is not taken", async () => {
  const client = await signedIn(demo, 3);
  const key = new Authenticator("ES256");
  const offer = async () => (await client.post("/me/factors/passkey", {})).body;
  const first = await offer();
  assert.equal(rule(await client.post("/me/factors/passkey/confirm", key.create(first, { type: "webauthn.get" }))), "passkey");
  assert.equal(rule(await client.post("/me/factors/passkey/confirm", key.create(first))), "passkey", "the challenge is gone");
  for (const lie of [{ origin: "http://evil.example" }, { rp: "evil.example" }, { flags: 0x41 }, { flags: 0x44 }, { flags: 0x05 }])
    assert.equal(rule(await client.post("/me/factors/passkey/confirm", key.create(await offer(), lie))), "passkey", JSON.stringify(lie));
  const cut = key.create(await offer());
  cut.attestation = cut.attestation.slice(0, -8);
  assert.equal(rule(await client.post("/me/factors/passkey/confirm", cut)), "passkey");
  assert.equal(rule(await client.post("/me/factors/passkey/confirm", { ...key.create(await offer()), attestation: "!!!" })), "passkey");
  assert.equal(rule(await client.post("/me/factors/passkey/confirm", keys.ES256.create(await offer()))), "passkey", "somebody's already");
  assert.deepEqual((await client.get("/me/factors")).body.items, []);
  assert.equal((await client.post("/me/factors/passkey/confirm", key.create(await offer(), {}, "packed"))).status, 204);
});

test("its owner is told, sees it, removes it; the tenant can switch passkeys off", async () => {
  const client = await signedIn(demo, 4);
  await add(client, new Authenticator("ES256"));
  await client.waitForMail(demo.ready.accounts[4]!.email, /サインインの方法が追加されました[^]*鍵/);
  const { items } = (await client.get("/me/factors")).body;
  assert.deepEqual([items.length, items[0].kind, items[0].name], [1, "passkey", "鍵"]);
  assert.equal((await client.delete(`/me/factors/${items[0].id}`)).status, 204);
  const { version } = (await admin.get("/security")).body;
  await admin.patch("/security", { passkey: false }, version);
  assert.equal(rule(await client.post("/me/factors/passkey", {})), "factor_off");
  const plain = new Client(demo.ready.url);
  const account = demo.ready.accounts[1]!;
  const reply = await plain.post("/sign-in", { email: account.email, password: account.password });
  assert.equal(reply.body.step, "code");
});
