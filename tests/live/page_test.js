// SPDX-FileCopyrightText: The elegans authors
// SPDX-License-Identifier: Apache-2.0

// Goes on in the page's script, and leaves a report in the page: see browser.mjs.
const report = {};
try {
  $("pause").click();
  const before = updates;
  frame();
  report.paused = updates - before;
  report.learned = train(400, Infinity);
  report.synapses = synapses.length;
  report.lines = document.querySelectorAll(".synapse").length;
  list();
  const weakest = synapses[Number($("synapses").value)];
  weakest.path.dispatchEvent(new MouseEvent("click"));
  report.clicked = synapses.length;
  $("cut").click();
  report.chosen = synapses.length;
  report.relearned = train(400, Infinity);
  draw();
  report.dot = dot();
  report.overflow = document.documentElement.scrollWidth - window.innerWidth;
  report.model = btoa(String.fromCharCode(...new Uint8Array(await safetensors().arrayBuffer())));
  // Each kind of wiring, and one that does not exist.
  report.kinds = [...document.querySelectorAll("input[name=kind]")].map((radio) => {
    radio.click();
    const first = train(1, Infinity);
    return train(100, Infinity) < first;
  });
  document.querySelector("input[value='2']").click();
  $("units").min = 1;
  $("units").value = 3;
  $("units").dispatchEvent(new Event("input"));
  report.refused = $("message").textContent;
  train(1, Infinity);
  draw();
} catch (error) {
  report.error = String(error.stack);
}
const pre = document.createElement("pre");
pre.id = "report";
pre.hidden = true;
pre.textContent = JSON.stringify(report);
document.body.append(pre);
