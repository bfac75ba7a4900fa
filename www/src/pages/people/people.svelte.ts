// SPDX-License-Identifier: Apache-2.0
// People on their way in: a file is tried, then written by a job that is
// followed until it is over.
import { ApiError, get, post } from "../../lib/api";
import { t } from "../../lib/i18n.svelte";
import type { Job, PeopleReport } from "../../lib/model";

const lookEvery_ms = 400;

export class PeopleImporter {
  file = $state.raw<File | null>(null);
  tried = $state.raw<PeopleReport | null>(null);
  job = $state.raw<Job | null>(null);
  error = $state("");
  busy = $state<"" | "trying" | "writing">("");
  private timer: ReturnType<typeof setTimeout> | undefined;

  get changes() {
    const r = this.tried;
    return r ? r.added + r.changed + r.deleted : 0;
  }
  get canWrite() {
    return !!this.file && !this.busy && !this.job && this.changes > 0 && this.tried?.errors.length === 0;
  }
  get percent() {
    return this.job?.total ? Math.floor((100 * this.job.done) / this.job.total) : 0;
  }
  /** Somebody left the page while a job ran: it is followed again. */
  async resume() {
    const { items } = await get<{ items: Job[] }>("/jobs?limit=20");
    const job = items.find((one) => one.kind === "people_import");
    if (job && !job.ended_at && !this.job) this.follow(job);
  }
  async choose(file: File | null) {
    if (this.busy) return;
    this.file = file;
    this.tried = this.job = null;
    this.error = "";
    if (file) await this.send(true);
  }
  async send(dry: boolean) {
    this.busy = dry ? "trying" : "writing";
    this.error = "";
    try {
      const reply = await post<PeopleReport & { job: Job }>(`/people/imports?dry=${dry ? 1 : 0}`, this.file);
      if (dry) this.tried = reply;
      else return this.follow(reply.job);
    } catch (e) {
      if (e instanceof ApiError && Array.isArray(e.body.errors) && "added" in e.body) this.tried = e.body;
      else this.error = e instanceof ApiError ? e.message : t("offline");
    }
    this.busy = "";
  }
  async cancel() {
    if (this.job) await post(`/jobs/${this.job.id}/cancel`).catch(() => undefined);
  }
  stop() {
    clearTimeout(this.timer);
  }
  private follow(job: Job) {
    this.job = job;
    this.busy = job.ended_at ? "" : "writing";
    if (!job.ended_at) this.timer = setTimeout(() => void this.look(job), lookEvery_ms);
  }
  private async look(job: Job) {
    this.follow(await get<Job>(`/jobs/${job.id}`).catch(() => job));
  }
}
