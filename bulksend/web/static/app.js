"use strict";

if (document.body.dataset.here) history.replaceState(null, "", document.body.dataset.here); // a form is sent once: not by Back, nor anew

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-insert]");
  if (!button) return;
  const text = document.getElementById("message");
  text.setRangeText(button.dataset.insert, text.selectionStart, text.selectionEnd, "end");
  text.focus();
  text.dispatchEvent(new Event("input", { bubbles: true }));
});

// A form that is sent with what is written in another one.
document.addEventListener("formdata", (event) => {
  const other = document.getElementById(event.target.dataset.with);
  if (!other) return;
  for (const [name, value] of new FormData(other)) event.formData.set(name, value);
});

const progress = document.querySelector("[data-events]");
if (progress) {
  const source = new EventSource(progress.dataset.events);
  source.addEventListener("progress", (event) => { progress.innerHTML = event.data; });
  source.addEventListener("says", (event) => { document.getElementById("says").textContent = event.data; });
  source.addEventListener("heading", (event) => { document.getElementById("heading").textContent = event.data; });
  source.addEventListener("over", () => { source.close(); window.location.reload(); });
}
