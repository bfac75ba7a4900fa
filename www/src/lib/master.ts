// SPDX-License-Identifier: Apache-2.0
// Master data: read with the page, read again when it is changed here, and
// now and then for what others change.
import { get } from "./api";
import type { Classification, CustomField, FieldType, Label, Role, StandardField, TeamName } from "./model";
import { app } from "./state.svelte";

export const colors = ["gray", "blue", "green", "violet", "teal", "orange", "red", "amber"] as const;
export const labelKinds = ["project", "phase", "team", "free"] as const;

export interface Catalogue {
  classifications: Classification[];
  roles: Role[];
  labels: Label[];
  teams: TeamName[];
  fields: CustomField[];
  standard: StandardField[];
}

export const fieldTypes: FieldType[] = ["text", "lines", "integer", "decimal", "day", "choice", "choices", "user", "check", "url"];
export const standardFields = [
  "subject", "classification", "status", "priority", "assignees", "labels", "team", "planned_start", "planned_end", "actual_start",
  "actual_end", "due", "progress", "estimate", "actual", "parent", "manual",
] as const;

export const loadCatalogue = async () => takeCatalogue(await get<Catalogue>("/catalogue"));
export function takeCatalogue(c: Catalogue) {
  if (JSON.stringify(c.classifications) !== JSON.stringify(app.classifications)) app.classifications = c.classifications;
  app.roles = c.roles;
  app.labels = c.labels;
  app.teams = c.teams;
  app.fields = c.fields;
  app.standard = c.standard;
}
export const labelsOf = (ids: string[] | undefined) =>
  (ids ?? []).map((id) => app.labels.find((l) => l.id === id)).filter((l) => l !== undefined);
export const teamOf = (id: string | null) => app.teams.find((x) => x.id === id);
