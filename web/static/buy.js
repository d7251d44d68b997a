// Notes whether a person pressed before the form is sent: Safari sends no header that would say so.
(() => {
  "use strict";
  const form = document.getElementById("buy");
  if (!form) return;
  const field = form.elements.pressed;
  field.value = "no";
  for (const kind of ["pointerdown", "keydown", "click"]) {
    form.addEventListener(kind, (event) => { if (event.isTrusted) field.value = "yes"; }, true);
  }
  let sent = false;
  form.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    sent = true;
    form.querySelector("button").setAttribute("aria-disabled", "true");
  });
  // A page that comes back from the browser's store may be sent again.
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    sent = false;
    field.value = "no";
    form.querySelector("button").removeAttribute("aria-disabled");
  });
})();
