// The staff's pages renew themselves: when the server says that something changed, the page is fetched again and the parts
// marked data-live are brought up to date, child by child (data-key), without touching what somebody is typing into.
// Everything works without this script; one has to reload then.

const body = document.body;

// The page as it is now on the server. XMLHttpRequest parses it to an inert document.
function fetchPage(url) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("GET", url);
    request.responseType = "document";
    request.onload = () => (request.status === 200 && request.response ? resolve(request.response) : reject(new Error(String(request.status))));
    request.onerror = () => reject(new Error("offline"));
    request.send();
  });
}

function isBusy(node) {
  if (node.contains(document.activeElement) && document.activeElement.matches("a, input, textarea, select, summary, button")) return true;
  for (const field of node.querySelectorAll("input:not([type=hidden]), textarea")) {
    if (field.type === "checkbox" ? field.checked !== field.defaultChecked : field.value !== field.defaultValue) return true;
  }
  return node.querySelector("details[open]") !== null;
}

// What the server sent for a node, before scripts localised its times.
const sources = new WeakMap();
const sourceOf = (node) => sources.get(node) ?? node.outerHTML;

function renew(region, fresh) {
  const old = new Map();
  for (const child of region.children) if (child.dataset.key) old.set(child.dataset.key, child);
  const next = [];
  for (const child of [...fresh.children]) {
    const was = old.get(child.dataset.key);
    if (was && (sourceOf(was) === child.outerHTML || isBusy(was))) {
      next.push(was);
      continue;
    }
    const copy = document.importNode(child, true);
    sources.set(copy, child.outerHTML);
    next.push(copy);
  }
  const same = next.length === region.children.length && next.every((node, i) => node === region.children[i]);
  if (same) return false;
  for (const child of [...region.children]) if (!next.includes(child)) child.remove();
  next.forEach((node, i) => {
    if (region.children[i] !== node) region.insertBefore(node, region.children[i] ?? null);
  });
  return true;
}

function remember() {
  for (const region of document.querySelectorAll("[data-live]")) for (const child of region.children) sources.set(child, child.outerHTML);
}

const notice = document.getElementById("live");
function tell(text) {
  notice.textContent = text;
  notice.hidden = !text;
}

let running = false;
let again = false;
async function refresh() {
  if (running) {
    again = true;
    return;
  }
  running = true;
  try {
    do {
      again = false;
      const page = await fetchPage(body.dataset.url);
      if (!page.body || !("staff" in page.body.dataset)) {
        tell("You have been signed out. What you typed is still here; sign in again in another tab.");
        return;
      }
      document.title = page.title;
      for (const region of document.querySelectorAll("[data-live]")) {
        const fresh = page.querySelector(`[data-live="${region.dataset.live}"]`);
        if (!fresh || !region.isConnected) continue;
        const atEnd = region.scrollHeight - region.scrollTop - region.clientHeight < 80;
        if (renew(region, fresh) && "scroll" in region.dataset && atEnd) region.scrollTop = region.scrollHeight;
      }
      localise();
      tell("");
    } while (again);
  } catch {
    tell("The page could not be renewed. It will be tried again.");
  } finally {
    running = false;
  }
}

// Times in the reader's own zone.
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const dayClock = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
function ago(at) {
  const minutes = Math.max(0, Math.floor((Date.now() - at) / 60000));
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min`;
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h`;
  return `${Math.floor(minutes / 1440)} days`;
}
function localise() {
  for (const time of document.querySelectorAll("time[data-ago], time[data-clock]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const today = at.toDateString() === new Date().toDateString();
    const text = "ago" in time.dataset ? ago(at.getTime()) : (today ? clock : dayClock).format(at);
    if (time.textContent !== text) time.textContent = text;
    time.title = dayClock.format(at);
  }
}

function listen() {
  const source = new EventSource(`/inbox/events?after=${encodeURIComponent(body.dataset.after)}`);
  let lost = false;
  source.addEventListener("change", refresh);
  source.addEventListener("open", () => {
    if (lost) refresh();
    lost = false;
  });
  source.addEventListener("error", () => {
    lost = true;
    if (source.readyState === EventSource.CLOSED) {
      // The server refused: the session may have ended. A look at the page tells.
      refresh();
      setTimeout(listen, 10000);
    }
  });
}

// A reply that was not sent survives closing the tab, and comes back until it was sent.
function keepDraft(form) {
  const field = form.elements.text;
  const draft = `parley.draft.${form.dataset.draft}`;
  const sending = `parley.sending.${form.dataset.draft}`;
  const store = window.localStorage;
  if (store.getItem(sending) && !field.value && document.querySelector(".done")) store.removeItem(draft);
  store.removeItem(sending);
  if (!field.value) field.value = store.getItem(draft) ?? "";
  field.addEventListener("input", () => (field.value ? store.setItem(draft, field.value) : store.removeItem(draft)));
  form.addEventListener("submit", () => store.setItem(sending, "1"));
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
}

remember();
localise();
setInterval(localise, 30000);
for (const region of document.querySelectorAll("[data-scroll]")) region.scrollTop = region.scrollHeight;
for (const form of document.querySelectorAll("form[data-draft]")) {
  try {
    keepDraft(form);
  } catch {
    // Storage is switched off: the form works all the same.
  }
}
if ("staff" in body.dataset) listen();
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && refresh());
