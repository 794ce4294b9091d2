// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// node browser.mjs PAGE SCRIPT FOLDER [CHROMIUM'S OPTIONS...]: opens the page with the script at its end, as wide as a
// desktop and as a telephone, and checks the report that the script leaves. Writes the model of each into the folder,
// and pictures. Speaks to Chromium through a pipe, in the DevTools protocol.
import { spawn } from "node:child_process";
import fs from "node:fs";

const [page, script, folder, ...options] = process.argv.slice(2);
const text = fs.readFileSync(page, "utf8"), mark = "// A test goes on here.";
if (text.split(mark).length !== 2) throw new Error("the page has no place for a test");
fs.writeFileSync(folder + "/test.html", text.replace(mark, () => fs.readFileSync(script, "utf8")));

const chromium = spawn("chromium", ["--headless", "--disable-gpu", "--remote-debugging-pipe",
  "--user-data-dir=" + folder + "/profile", ...options], { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
const waiting = new Map();
let last = 0, received = "";
chromium.stdio[4].on("data", (data) => {
  const messages = (received + data).split("\0");
  received = messages.pop();
  for (const message of messages.map((m) => JSON.parse(m))) {
    waiting.get(message.id)?.(message);
    waiting.delete(message.id);
  }
});
function ask(method, params = {}, sessionId = undefined) {
  const id = ++last;
  chromium.stdio[3].write(JSON.stringify({ id, method, params, sessionId }) + "\0");
  return new Promise((resolve, reject) => {
    waiting.set(id, ({ error, result }) => {
      if (error) reject(new Error(method + ": " + error.message));
      else resolve(result);
    });
  });
}

async function open(name, width, height) {
  const { targetId } = await ask("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await ask("Target.attachToTarget", { targetId, flatten: true });
  const call = (method, params) => ask(method, params, sessionId);
  await call("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: width < 500 });
  await call("Page.navigate", { url: "file://" + folder + "/test.html" });
  const expression = "document.getElementById('report')?.textContent";
  let report;
  for (let tries = 0; !report; ++tries) {
    if (tries > 300) throw new Error(name + ": the page's script did not end");
    await new Promise((resolve) => setTimeout(resolve, 200));
    report = (await call("Runtime.evaluate", { expression })).result.value;
  }
  const picture = await call("Page.captureScreenshot", { format: "png" });
  fs.writeFileSync(`${folder}/${name}.png`, Buffer.from(picture.data, "base64"));
  return JSON.parse(report);
}

function check(name, report) {
  const want = (holds, what) => {
    if (!holds) throw new Error(`${name}: ${what}: ${JSON.stringify(report)}`);
  };
  want(!report.error, "an error");
  fs.writeFileSync(`${folder}/${name}.safetensors`, Buffer.from(report.model, "base64"));
  delete report.model;
  want(report.learned < 1e-2, "it did not learn");
  want(report.lines === report.synapses && report.synapses > 10, "not every synapse is drawn");
  want(report.clicked === report.synapses - 1, "a click did not cut a synapse");
  want(report.chosen === report.synapses - 2, "the list did not cut a synapse");
  want(report.relearned < 1e-2, "it did not learn without them");
  want(report.dot.split("->").length - 1 === report.chosen, "the DOT file has other synapses");
  want(report.overflow <= 0, "the page is wider than the window");
  want(report.kinds.length === 3 && report.kinds.every((learns) => learns), "a wiring does not learn at all");
  want(report.refused.startsWith("There is no such wiring"), "an impossible wiring was not refused");
  want(report.paused === 0, "it went on in a pause");
  console.log(`${name}: loss ${report.learned.toExponential(2)}, ${report.relearned.toExponential(2)} without two of ` +
    `${report.synapses} synapses`);
}

try {
  check("desktop", await open("desktop", 1280, 1000));
  check("telephone", await open("telephone", 390, 844));
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await ask("Browser.close");
}
