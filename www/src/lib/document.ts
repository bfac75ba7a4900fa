// SPDX-License-Identifier: Apache-2.0
/** What the operator says in writing. */
export const documentKinds = ["basic", "individual", "cloud", "privacy", "law", "location", "responsibility", "platform"] as const;
export type DocumentKind = (typeof documentKinds)[number];

/** A draft (no is null) or a version, as the console has it. */
export interface Doc {
  id: string;
  kind: DocumentKind;
  title: string;
  no: number | null;
  ja?: string;
  en?: string;
  regions: string;
  is_public: boolean;
  review_on: string;
  published_at: string | null;
  published_by: string | null;
  reviewed_at: string | null;
  reviewed_by: string | null;
  version: number;
}
/** The same, and the terms of use, for readers. */
export interface Published {
  kind: DocumentKind | "terms";
  title: string;
  no: number;
  is_public: boolean;
  published_at: string;
  regions: string;
  reviewed_at: string | null;
  review_on: string | null;
}
export interface PublishedText extends Published {
  ja: string;
  en: string;
  versions: { no: number; published_at: string }[];
}

/** The text without its title, which the page shows itself. */
export const body = (text: string) => text.replace(/^\s*# [^\n]*\n/, "");
/** "jp us-east" as a reader knows places; what is no country stays as it is. */
export function regionNames(regions: string, lang: "ja" | "en"): string {
  const names = new Intl.DisplayNames([lang], { type: "region", fallback: "code" });
  return regions.split(" ").filter(Boolean).map((tag) => {
    const [country = "", ...more] = tag.split("-");
    const name = names.of(country.toUpperCase()) ?? country;
    return more.length ? `${name} (${more.join("-")})` : name;
  }).join(lang === "ja" ? "、" : ", ");
}
