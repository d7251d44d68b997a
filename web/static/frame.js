// The form in the widget: sends without leaving the page, and says what is wrong beside each field.
(() => {
  "use strict";
  const tell = (what) => { if (parent !== window) parent.postMessage({ parley: what }, "*"); };
  addEventListener("keydown", (event) => { if (event.key === "Escape") tell("close"); });
  const form = document.getElementById("wish");
  if (!form) return;
  const words = form.dataset;
  const summary = document.getElementById("summary");
  const send = document.getElementById("send");
  const label = send.textContent;
  form.elements.time_zone.value = Intl.DateTimeFormat().resolvedOptions().timeZone || "";

  const pickedBlock = (name) => form.querySelector(`input[name="${name}"]:checked`)?.closest(".choice");
  // Address and consent stand once for each channel, an event's fields once for each event: the picked one's are meant.
  const scope = (field) => {
    if (field === "address" || field === "consent") return pickedBlock("channel") || form;
    if (field.startsWith("fields.")) return pickedBlock("event") || form;
    return form;
  };
  const clear = () => {
    for (const p of form.querySelectorAll("[data-wrong]")) p.textContent = "";
    for (const input of form.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
    summary.hidden = true;
  };
  const complain = (text) => {
    summary.textContent = text;
    summary.hidden = false;
  };
  const show = (problem) => {
    const errors = problem.errors || [];
    let first;
    for (const error of errors) {
      const within = scope(error.field);
      const place = within.querySelector(`[data-wrong="${CSS.escape(error.field)}"]`);
      const input = within.querySelector(`[data-field="${CSS.escape(error.field)}"]`);
      if (place) place.textContent = error.sentence;
      if (input && input.type !== "radio") input.setAttribute("aria-invalid", "true");
      if (!place) errors.unplaced = error.sentence;
      if (input && (!first || input.compareDocumentPosition(first) & Node.DOCUMENT_POSITION_FOLLOWING)) first = input;
    }
    if (errors.unplaced || errors.length === 0) complain(errors.unplaced || problem.detail || words.lost);
    else complain(errors.length === 1 ? words.wrongOne : words.wrong.replace("%d", errors.length));
    (first || summary).focus();
  };
  const finish = (answer) => {
    const channel = pickedBlock("channel");
    if ("here" in channel.dataset) {
      tell("chat");
      location.assign(words.chat);
      return;
    }
    const done = document.getElementById("done");
    const open = document.getElementById("open");
    const outcome = document.getElementById("outcome");
    if (answer.link && /^https?:/.test(answer.link)) {
      outcome.textContent = channel.dataset.doneLink;
      open.textContent = channel.dataset.openLink;
      open.href = answer.link;
      open.hidden = false;
    } else {
      outcome.textContent = answer.state === "armed" ? channel.dataset.doneArmed : channel.dataset.donePending;
    }
    form.hidden = true;
    done.hidden = false;
    done.focus();
    scrollTo(0, 0);
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (send.disabled) return;
    clear();
    send.disabled = true;
    send.textContent = words.sending;
    try {
      const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { Accept: "application/json" } });
      const body = await answer.json();
      if (answer.ok) finish(body);
      else show(body);
    } catch {
      complain(words.lost);
      summary.focus();
    } finally {
      send.disabled = false;
      send.textContent = label;
    }
  });
})();
