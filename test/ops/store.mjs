// SPDX-License-Identifier: Apache-2.0
// store.mjs FOLDER: a bucket "copies" on 127.0.0.1:4568 that checks Signature
// Version 4 (the better known package of that name does not).
import S3rver from "@20minutes/s3rver";

await new S3rver({
  directory: process.argv[2], address: "127.0.0.1", port: 4568, vhostBuckets: false, configureBuckets: [{ name: "copies" }],
}).run();
