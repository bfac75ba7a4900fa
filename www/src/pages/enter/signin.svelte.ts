// SPDX-License-Identifier: Apache-2.0
// The steps of signing in: password, mailed code, further factor, a new
// password when the old one is over.  The server says which one is next.
import { ApiError, del, get, post } from "../../lib/api";
import { t } from "../../lib/i18n.svelte";
import type { Policy } from "../../lib/model";
import { provePasskey } from "../../lib/passkey";
import { app, start } from "../../lib/state.svelte";

export type Step = "code" | "factor" | "password" | "recovery";
interface Reply {
  step?: Exclude<Step, "recovery">;
  totp: boolean;
  passkey: boolean;
  is_choice: boolean;
  sends_left: number;
  email_hint: string;
}

export class SignInSteps {
  email = $state("");
  password = $state("");
  code = $state("");
  step = $state<Step>("code");
  owed = $state.raw<Reply | null>(null);
  policy = $state.raw<Policy | null>(null);
  note = $state("");
  error = $state("");
  over = $state(""); // why it begins again
  busy = $state(false);

  constructor() {
    // the page was loaded anew in the middle of it
    if (app.step === "code") get<Reply>("/sign-in").then((r) => this.take(r), () => (app.step = "signed_out"));
  }

  async run(work: () => Promise<void>) {
    this.busy = true;
    this.error = this.note = this.over = "";
    try {
      await work();
    } catch (e) {
      if (!(e instanceof ApiError)) this.error = t("offline");
      else {
        if (e.rule === "tenant") app.noTenant = true;
        const message = e.errors.map((x) => x.message).join(" ") || e.message; // says how many tries are left
        if (e.rule === "code_expired") {
          app.step = "signed_out";
          this.over = message;
        } else this.error = message;
        if (e.rule === "code") this.code = "";
      }
    }
    this.busy = false;
  }

  /** The reply to a proof: the next step, or the session. */
  async take(reply: Reply) {
    this.password = this.code = "";
    if (!reply.step) return start();
    this.owed = reply;
    this.step = reply.step;
    app.step = "code";
    if (reply.step === "password") this.policy = await get<Policy>("/password-policy");
  }

  givePassword = () => this.run(async () => this.take(await post("/sign-in", { email: this.email.trim(), password: this.password })));
  giveCode = () => this.run(async () => this.take(await post("/sign-in/code", { code: this.digits() })));
  giveTotp = () => this.run(async () => this.take(await post("/sign-in/totp", { code: this.digits() })));
  givePasskey = () =>
    this.run(async () => {
      const reply = await provePasskey();
      if (reply) await this.take(reply);
      else this.error = t("passkey_none");
    });
  giveRecovery = () => this.run(async () => this.take(await post("/sign-in/recovery", { code: this.code.normalize("NFKC").trim() })));
  giveNew = () => this.run(async () => this.take(await post("/sign-in/new-password", { password: this.password })));
  /** Again, or for the first time in place of the factor. */
  resend = () =>
    this.run(async () => {
      const first = this.step !== "code";
      this.owed = await post<Reply>("/sign-in/resend");
      this.step = "code";
      if (!first) this.note = t("resent");
    });
  choose(step: Step) {
    this.step = step;
    this.code = this.error = this.note = "";
  }
  async restart() {
    await del("/session").catch(() => undefined);
    this.error = this.note = this.over = "";
    app.step = "signed_out";
  }
  private digits() {
    return this.code.normalize("NFKC").replace(/\D/g, "");
  }
}
