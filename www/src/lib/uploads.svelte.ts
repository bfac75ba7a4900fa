// SPDX-License-Identifier: Apache-2.0
// Files on their way up to a ticket, one after the other.  A refused one does
// not stop the rest, and stays in the list with its reason until put away.
import { ApiError } from "./api";
import { addAttachment, ATTACHMENT_BYTES, type Attachment } from "./attachment";
import { t } from "./i18n.svelte";
import { toast } from "./state.svelte";
import { inTurn } from "./turn";

let last = 0;

export class Upload {
  readonly no = ++last;
  readonly file: File;
  readonly name: string;
  readonly stop = new AbortController();
  begun = $state(false);
  sent = $state(0);
  error = $state("");

  constructor(file: File, name: string) {
    this.file = file;
    this.name = name;
  }
  get percent() {
    return Math.min(100, Math.floor((this.sent / Math.max(1, this.file.size)) * 100));
  }
}

export class Uploads {
  list = $state.raw<Upload[]>([]);
  private readonly ticket: string | Promise<string>;
  private readonly turn = inTurn();
  private isLeft = false;

  /** A promise: of a ticket that is still to be created. */
  constructor(ticket: string | Promise<string>) {
    this.ticket = ticket;
  }
  get busy() {
    return this.list.some((u) => !u.error);
  }

  add(file: File, name = file.name): Upload {
    const upload = new Upload(file, name);
    this.list = [...this.list, upload];
    return upload;
  }
  /** What the server made of it; null: refused, or cancelled. */
  send(upload: Upload): Promise<Attachment | null> {
    const work = this.turn(() => this.run(upload));
    // cancelled while it waits: known at once, not when its turn comes
    return new Promise((done) => {
      upload.stop.signal.addEventListener("abort", () => done(null));
      void work.then(done);
    });
  }
  /** Cancels it, or puts the reason away. */
  drop(upload: Upload) {
    upload.stop.abort();
    this.list = this.list.filter((u) => u !== upload);
  }
  /** The page is left: what is on its way goes on, what fails is told. */
  leave() {
    this.isLeft = true;
  }
  cancel() {
    const names = this.list.filter((u) => !u.error).map((u) => u.name);
    for (const upload of this.list) this.drop(upload);
    if (names.length) toast(t("upload_stopped", { names: names.join(" / ") }), "danger");
  }

  private async run(upload: Upload): Promise<Attachment | null> {
    const ticket = await this.ticket;
    upload.begun = true;
    try {
      if (upload.file.size > ATTACHMENT_BYTES) throw new Error(t("attachment_large"));
      const made = await addAttachment(ticket, upload.file, upload.name, (bytes) => (upload.sent = bytes), upload.stop.signal);
      this.list = this.list.filter((u) => u !== upload);
      return made;
    } catch (error) {
      if (!upload.stop.signal.aborted) this.explain(upload, error);
      return null;
    }
  }
  private explain(upload: Upload, error: unknown) {
    upload.error = error instanceof ApiError || (error instanceof Error && !(error instanceof TypeError)) ? error.message : t("upload_offline");
    if (this.isLeft) toast(`${upload.name}: ${upload.error}`, "danger");
  }
}
