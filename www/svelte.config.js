// SPDX-License-Identifier: Apache-2.0
// Templates are built node by node: the CSP asks for Trusted Types, so there
// is no innerHTML anywhere.
export default {
  compilerOptions: { runes: true, fragments: "tree" },
};
