// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// node losses.mjs PAGE LOSSES: trains the network of the page, and compares its losses with those of live.cpp on this
// machine: lines of a kind of wiring and a loss, four for each kind, 50 updates apart.
import fs from "node:fs";
import zlib from "node:zlib";

const [page, losses] = process.argv.slice(2).map((file) => fs.readFileSync(file, "utf8"));
const packed = Buffer.from(page.match(/const WASM = "([^"]*)"/)[1], "base64");
const module = new WebAssembly.Module(zlib.gunzipSync(packed)), imports = {};
for (const { module: from, name } of WebAssembly.Module.imports(module)) (imports[from] ??= {})[name] = () => 0;
imports.wasi_snapshot_preview1.fd_write = () => { throw new Error("the network refused"); };
const network = new WebAssembly.Instance(module, imports).exports;
network._initialize();

let kind = -1, compared = 0, last = 1;
for (const line of losses.trim().split("\n")) {
  const [of, wanted] = line.split(" ").map(Number);
  if (of !== kind) {
    kind = of;
    network.setup(kind, 8, 0.5, 7);
  }
  last = network.train(50);
  // Another order of roundings grows with each update.
  if (!(Math.abs(last - wanted) <= 0.02 * wanted)) {
    throw new Error(`wiring ${kind}: the loss is ${last}, not ${wanted}`);
  }
  ++compared;
}
if (compared !== 12 || !(last < 1e-2)) throw new Error(`${compared} losses, the last one ${last}`);
const start = performance.now();
network.train(1000);
console.log(`${compared} losses as on this machine; ${(performance.now() - start).toFixed(0)} us per update`);
