// SPDX-License-Identifier: Apache-2.0
// One file on its way in: chosen, tried, written.  A changed choice wants a
// new try, so that what is written is what was shown.
import { editorOf } from "../../gantt/edit.svelte";
import { ApiError, post, query } from "../../lib/api";
import { t } from "../../lib/i18n.svelte";
import type { ImportReport } from "../../lib/model";
import { app, loadProjects } from "../../lib/state.svelte";

export type Format = "csv" | "mspdi";

export class Importer {
  file = $state.raw<File | null>(null);
  format = $state<Format>("csv");
  encoding = $state("auto");
  report = $state.raw<ImportReport | null>(null);
  error = $state("");
  busy = $state<"" | "trying" | "writing">("");
  private readonly project: string;

  constructor(project: string) {
    this.project = project;
  }
  get canWrite() {
    return !!this.file && !this.busy && !!this.report?.dry && this.report.errors.length === 0 && this.changes > 0;
  }
  get changes() {
    const r = this.report;
    return r ? r.added + r.changed + r.deleted + r.links : 0;
  }
  choose(file: File | null) {
    this.file = file;
    this.reset();
    if (file) {
      this.format = /\.xml$/i.test(file.name) ? "mspdi" : "csv";
      void this.run(true);
    }
  }
  reset() {
    this.report = null;
    this.error = "";
  }
  async run(dry: boolean) {
    if (!this.file || this.busy) return;
    this.busy = dry ? "trying" : "writing";
    this.error = "";
    try {
      const path = `/projects/${this.project}/imports${query({ format: this.format, encoding: this.encoding, dry: dry ? 1 : 0 })}`;
      const send = () => post<ImportReport>(path, this.file);
      // one step of undo, whatever the file does
      this.report = await (dry ? send() : editorOf(this.project).during(t("import"), send));
      if (!dry) {
        app.stale++;
        await loadProjects();
      }
    } catch (e) {
      if (e instanceof ApiError && Array.isArray(e.body.lost)) this.report = e.body;
      else this.error = e instanceof ApiError ? e.message : t("offline");
    }
    this.busy = "";
  }
}
