// The icon on a shop's page: <script src="https://…/widget.js" data-sku="…" async></script>.
//
// It draws one button where the script stands, in a shadow root so that the page's style cannot reach it. Pressing it
// opens a dialog with Parley's own page in a frame; nothing else of the shop's page is read or changed. Optional:
// data-visitor (the shop's own id of the visitor), data-lang (en, de), data-label (what the button is called).
(() => {
  "use strict";
  const script = document.currentScript || document.querySelector('script[src*="/widget.js"][data-sku]:not([data-parley])');
  if (!script || script.dataset.parley) return;
  script.dataset.parley = "on";
  const base = new URL(script.src, location.href).origin;
  const { sku = "", visitor = "", lang = "" } = script.dataset;
  const language = (lang || document.documentElement.lang || navigator.language || "en").slice(0, 2).toLowerCase();
  const words = language === "de"
    ? { label: "Bescheid sagen und chatten", close: "Schließen", title: "Bescheid und Chat", news: "neue Nachrichten" }
    : { label: "Tell me when, and chat", close: "Close", title: "Alerts and chat", news: "new messages" };
  if (script.dataset.label) words.label = script.dataset.label;

  const clicks = ["gclid", "gbraid", "wbraid", "dclid", "fbclid", "fbc", "fbp", "msclkid", "ttclid", "twclid", "li_fat_id", "sccid", "epik", "rdt_cid", "irclickid", "ctwa_clid"];
  const address = (page) => {
    const query = new URLSearchParams({ sku, framed: "1" });
    if (lang) query.set("lang", lang);
    if (visitor) query.set("visitor", visitor);
    query.set("page", location.origin + location.pathname);
    for (const [key, value] of new URLSearchParams(location.search)) {
      if (value && (clicks.includes(key) || /^utm_[a-z_]{1,28}$/.test(key))) query.set(key, value.slice(0, 512));
    }
    return `${base}${page}?${query}`;
  };

  const style = new CSSStyleSheet();
  style.replaceSync(`
    :host { all: initial; display: inline-block; color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif;
      --accent: light-dark(#a8401f, #f3a07c); --on: light-dark(#fff, #2a1208); --paper: light-dark(#fbf8f3, #161412); --ink: light-dark(#25211c, #efe9e0); }
    button { font: inherit; margin: 0; padding: 0; border: 0; cursor: pointer; }
    button:focus-visible { outline: 3px solid var(--accent); outline-offset: 3px; }
    .icon { position: relative; display: grid; place-items: center; width: 56px; height: 56px; border-radius: 50%; background: var(--accent); color: var(--on); box-shadow: 0 2px 8px rgb(0 0 0 / .18); transition: transform .15s; }
    .icon:hover { transform: scale(1.06); }
    .icon svg { width: 32px; height: 32px; }
    .count { position: absolute; top: -4px; right: -4px; min-width: 22px; height: 22px; padding: 0 6px; border-radius: 11px; background: #b3150a; color: #fff; font: 700 13px/22px system-ui, sans-serif; text-align: center; }
    .count[hidden] { display: none; }
    .ring svg { animation: ring .9s ease-in-out; transform-origin: 50% 20%; }
    @keyframes ring { 20%, 60% { transform: rotate(14deg); } 40%, 80% { transform: rotate(-14deg); } }
    dialog { padding: 0; border: 0; width: min(430px, 100vw); height: min(720px, 100dvh); max-width: none; max-height: none; margin: auto 20px 20px auto; border-radius: 18px; overflow: hidden; background: var(--paper); color: var(--ink); box-shadow: 0 18px 60px rgb(0 0 0 / .35); }
    dialog::backdrop { background: rgb(20 16 12 / .38); }
    iframe { width: 100%; height: 100%; border: 0; display: block; color-scheme: light dark; }
    .close { position: absolute; top: 9px; right: 10px; width: 44px; height: 44px; border-radius: 50%; background: transparent; color: var(--ink); font-size: 24px; line-height: 1; }
    .close:hover { background: rgb(128 128 128 / .18); }
    @media (max-width: 520px) { dialog { width: 100vw; height: 100dvh; margin: 0; border-radius: 0; } }
    @media (prefers-reduced-motion: reduce) { * { animation: none !important; transition: none !important; } }`);

  const make = (name, attributes = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  };
  const drawing = (...paths) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 32 32");
    svg.setAttribute("aria-hidden", "true");
    for (const [d, attributes] of paths) {
      const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
      path.setAttribute("d", d);
      for (const [key, value] of Object.entries(attributes)) path.setAttribute(key, value);
      svg.append(path);
    }
    return svg;
  };

  const host = make("parley-widget", { class: "parley-widget" });
  const root = host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [style];
  const count = make("span", { class: "count", hidden: "" });
  const icon = make("button", { type: "button", class: "icon", "aria-haspopup": "dialog", "aria-label": words.label, title: words.label },
    drawing(
      ["M5 5h22a2.5 2.5 0 0 1 2.5 2.5v14a2.5 2.5 0 0 1-2.5 2.5H15l-6.5 5.5v-5.5H5a2.5 2.5 0 0 1-2.5-2.5v-14A2.5 2.5 0 0 1 5 5z", { fill: "none", stroke: "currentColor", "stroke-width": "2.2", "stroke-linejoin": "round" }],
      ["M16 8.5a4.2 4.2 0 0 0-4.2 4.2v2.8l-1.5 2.3h11.4l-1.5-2.3v-2.8A4.2 4.2 0 0 0 16 8.5zm-1.7 10.3a1.7 1.7 0 0 0 3.4 0z", { fill: "currentColor" }],
    ), count);
  const close = make("button", { type: "button", class: "close", "aria-label": words.close }, "×");
  const dialog = make("dialog", { "aria-label": words.title });
  dialog.append(close);
  root.append(icon, dialog);
  script.after(host);

  // Whoever subscribed to the chat before hears it ring on the shop's next page, too.
  const memory = {
    key: `parley ${base}`,
    get chats() { try { return localStorage.getItem(this.key) === "chat"; } catch { return false; } },
    keep() { try { localStorage.setItem(this.key, "chat"); } catch { /* then it rings on this page only */ } },
  };
  let frame;
  const load = (page) => {
    if (frame) return;
    frame = make("iframe", { src: address(page), title: words.title, referrerpolicy: "strict-origin", allow: "" });
    dialog.prepend(frame);
  };
  const rang = (n) => {
    count.textContent = n > 99 ? "99+" : String(n || "");
    count.hidden = !n;
    icon.setAttribute("aria-label", n ? `${words.label}, ${n} ${words.news}` : words.label);
    icon.classList.toggle("ring", n > 0);
  };
  let listens = false; // the chat in the frame has said that it wants to know whether it is seen
  const tellFrame = () => listens && frame.contentWindow?.postMessage({ parley: dialog.open ? "shown" : "hidden" }, base);
  icon.addEventListener("click", () => {
    load("/widget/frame");
    dialog.showModal();
    rang(0);
    tellFrame();
  });
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", tellFrame);

  addEventListener("message", (event) => {
    if (event.origin !== base || !frame || event.source !== frame.contentWindow || typeof event.data !== "object" || !event.data) return;
    switch (event.data.parley) {
      case "close": dialog.close(); break;
      case "ready": listens = true; tellFrame(); break;
      case "chat": memory.keep(); break;
      case "unread": if (!dialog.open) rang(Number(event.data.count) || 0); break;
    }
  });
  if (memory.chats) load("/chat");
})();
