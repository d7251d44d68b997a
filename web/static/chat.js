// The web chat. What is said lies with the server: the socket only carries it, and after a break the chat asks for what
// came after the last message it has. Own messages are sent again under the same id until the server acknowledges them.
(() => {
  "use strict";
  const chat = document.getElementById("chat");
  const log = document.getElementById("log");
  const form = document.getElementById("say");
  const text = document.getElementById("text");
  const state = document.getElementById("state");
  const typing = document.getElementById("typing");
  const words = chat.dataset;
  const framed = parent !== window;
  const title = document.title;
  chat.hidden = false;

  const shown = new Map(); // message id -> its element
  const waiting = new Map(); // own id -> frame that was not acknowledged yet
  let socket, last = "", pause = 500, silent = 0, unread = 0, seenByFrame = !framed, visitor = "", day = "", typingTimer, lastSeen = "", lastAt = "";

  const newID = () => "c" + Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, "0")).join("");
  const make = (name, className, content) => {
    const element = document.createElement(name);
    if (className) element.className = className;
    if (content !== undefined) element.textContent = content;
    return element;
  };
  const visible = () => document.visibilityState === "visible" && seenByFrame;
  const tell = (message) => { if (framed) parent.postMessage(message, "*"); };

  // Unsent messages outlive a reload of the page, for the same visitor.
  const shelf = () => `parley-unsent-${visitor}`;
  const save = () => { try { sessionStorage.setItem(shelf(), JSON.stringify([...waiting.values()])); } catch { /* a browser without storage keeps them in memory */ } };
  const restore = () => {
    let kept = [];
    try { kept = JSON.parse(sessionStorage.getItem(shelf()) || "[]"); } catch { /* as above */ }
    for (const frame of kept) {
      if (waiting.has(frame.id) || shown.has(frame.id)) continue;
      waiting.set(frame.id, frame);
      if (frame.type === "message" || frame.label) draw({ id: frame.id, from: "me", text: frame.label || frame.text, at: frame.at });
    }
  };

  const setState = (now) => {
    state.dataset.now = now;
    state.textContent = state.dataset[now];
  };
  const badge = () => {
    document.title = unread ? `(${unread}) ${words.new} · ${title}` : title;
    tell({ parley: "unread", count: unread });
  };
  // Up to when everything was seen, so that a new page does not ring for what is old.
  const seenKey = () => `parley-seen-${visitor}`;
  const seenUntil = () => { try { return localStorage.getItem(seenKey()) || ""; } catch { return ""; } };
  const keepSeen = () => { try { localStorage.setItem(seenKey(), lastAt); } catch { /* then it rings once more */ } };
  const noteSeen = () => {
    if (!visible()) return;
    if (lastAt > seenUntil()) keepSeen();
    if (unread) { unread = 0; badge(); }
    if (last && last !== lastSeen && socket?.readyState === WebSocket.OPEN) {
      const element = shown.get(last);
      if (element && !element.classList.contains("me")) socket.send(JSON.stringify({ type: "seen", id: last }));
      lastSeen = last;
    }
  };

  // Links become links; everything else stays text.
  const fillText = (element, content) => {
    let from = 0;
    for (const match of content.matchAll(/https?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)]/g)) {
      element.append(content.slice(from, match.index));
      const link = make("a", "", match[0]);
      link.href = match[0];
      link.target = "_blank";
      link.rel = "noopener noreferrer";
      element.append(link);
      from = match.index + match[0].length;
    }
    element.append(content.slice(from));
  };
  const fate = (element, word, again) => {
    const line = element.querySelector(".fate");
    line.textContent = word;
    if (again) {
      const button = make("button", "", words.retry);
      button.type = "button";
      button.addEventListener("click", again);
      line.append(" ", button);
    }
  };
  const atEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  const toEnd = () => { log.scrollTop = log.scrollHeight; };

  // fill puts words and choices into an element, in place of those it has.
  const fill = (element, message) => {
    for (const old of element.querySelectorAll(":scope > .body, :scope > .choices")) old.remove();
    const foot = element.querySelector(":scope > .when");
    if (message.text) {
      const body = make("p", "body");
      body.dir = "auto";
      fillText(body, message.text);
      foot.before(body);
    }
    if (message.choices?.length) foot.before(choices(message));
  };

  const draw = (message, fresh) => {
    document.getElementById("empty")?.remove();
    const stick = atEnd() || message.from === "me";
    const at = new Date(message.at || Date.now());
    const today = at.toLocaleDateString(words.lang, { weekday: "short", day: "numeric", month: "short" });
    if (today !== day) log.append(make("p", "day", day = today));
    const element = make("div", `said ${message.from}${fresh ? " fresh" : ""}`);
    const before = log.lastElementChild;
    if (!before?.classList.contains(message.from)) {
      element.append(make("span", message.from === "me" ? "who unseen" : "who", words[message.from] || words.bot));
    }
    if (message.image && /^(https?:|\/)/.test(message.image)) {
      const image = make("img");
      image.alt = "";
      image.loading = "lazy";
      image.src = message.image;
      element.append(image);
    }
    const foot = make("p", "when");
    element.append(foot);
    fill(element, message);
    const time = make("time", "", at.toLocaleTimeString(words.lang, { hour: "2-digit", minute: "2-digit" }));
    time.dateTime = at.toISOString();
    foot.append(time, make("span", "fate"));
    log.append(element);
    shown.set(message.id, element);
    if (stick) toEnd();
    return element;
  };
  const choices = (message) => {
    const group = make("div", "choices buys");
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", words.choices);
    for (const choice of message.choices) {
      const button = make("button", "", choice.label);
      button.type = "button";
      button.dataset.value = choice.value;
      button.addEventListener("click", () => {
        if (waiting.has(button.dataset.sent)) return;
        const id = newID();
        button.dataset.sent = id;
        for (const other of group.children) other.setAttribute("aria-pressed", String(other === button));
        post({ type: "choice", id, value: choice.value, label: choice.label });
      });
      group.append(button);
    }
    return group;
  };

  const post = (frame) => {
    frame.at = new Date().toISOString();
    waiting.set(frame.id, frame);
    save();
    const element = draw({ id: frame.id, from: "me", text: frame.label || frame.text, at: frame.at }, true);
    element.classList.add("waiting");
    fate(element, words.sending);
    transmit(frame);
  };
  const transmit = (frame) => {
    if (socket?.readyState !== WebSocket.OPEN || !visitor) return;
    const { type, id, text, value } = frame;
    socket.send(JSON.stringify(type === "choice" ? { type, id, value } : { type, id, text }));
  };

  const receive = {
    hello(frame) {
      visitor = frame.visitor;
      pause = 500;
      silent = 0;
      setState("up");
      restore();
      for (const one of waiting.values()) transmit(one);
    },
    message(frame) {
      typing.hidden = true;
      if (frame.from !== "me" || !waiting.has(frame.id)) last = frame.id;
      if (shown.has(frame.id)) return;
      draw(frame, true);
      const at = new Date(frame.at).toISOString();
      if (at > lastAt) lastAt = at;
      if (frame.from !== "me" && !visible() && at > seenUntil()) {
        unread++;
        badge();
      }
      noteSeen();
    },
    edit(frame) {
      const element = shown.get(frame.id);
      if (!element || element.classList.contains("me")) return;
      const stick = atEnd();
      fill(element, frame);
      if (stick) toEnd();
    },
    ack(frame) {
      waiting.delete(frame.id);
      save();
      const element = shown.get(frame.id);
      if (!element) return;
      element.classList.remove("waiting", "failed");
      fate(element, words.sent);
    },
    error(frame) {
      const sent = waiting.get(frame.id);
      if (!sent) return;
      if (frame.retry) {
        setTimeout(() => transmit(sent), Math.min(frame.retry_after_ms || 1000, 30000));
        return;
      }
      waiting.delete(frame.id);
      save();
      const element = shown.get(frame.id);
      if (!element) return;
      element.classList.remove("waiting");
      element.classList.add("failed");
      fate(element, `${words.failed}: ${frame.text || ""}`, sent.type === "choice" ? undefined : () => {
        element.remove();
        text.value = sent.text;
        text.focus();
      });
    },
    typing() {
      typing.hidden = false;
      clearTimeout(typingTimer);
      typingTimer = setTimeout(() => { typing.hidden = true; }, 6000);
    },
  };

  const connect = () => {
    if (socket && socket.readyState <= WebSocket.OPEN) return;
    setState(last || silent ? "down" : "wait");
    const address = new URL(words.socket, location.href);
    address.protocol = address.protocol.replace("http", "ws");
    if (last) address.searchParams.set("after", last);
    let greeted = false;
    const mine = socket = new WebSocket(address);
    mine.addEventListener("message", (event) => {
      let frame;
      try { frame = JSON.parse(event.data); } catch { return; }
      if (frame.type === "hello") greeted = true;
      receive[frame.type]?.(frame);
    });
    mine.addEventListener("close", async () => {
      if (mine !== socket) return;
      setState("down");
      if (!greeted) silent++;
      // The cookie may be gone or unknown by now: the page makes another.
      if (silent > 0 && silent % 2 === 0) await fetch(location.href, { cache: "no-store" }).catch(() => {});
      setTimeout(connect, pause * (0.75 + Math.random() / 2));
      pause = Math.min(pause * 2, 15000);
    });
  };
  const hurry = () => {
    if (socket?.readyState > WebSocket.OPEN) { pause = 500; connect(); }
    noteSeen();
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const typed = text.value.trim();
    if (!typed) return;
    text.value = "";
    post({ type: "message", id: newID(), text: typed });
    text.focus();
  });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  addEventListener("keydown", (event) => { if (event.key === "Escape") tell({ parley: "close" }); });
  addEventListener("message", (event) => {
    if (!framed || event.source !== parent || typeof event.data !== "object" || !event.data) return;
    if (event.data.parley === "shown" || event.data.parley === "hidden") {
      seenByFrame = event.data.parley === "shown";
      noteSeen();
    }
  });
  document.addEventListener("visibilitychange", hurry);
  addEventListener("online", hurry);
  addEventListener("focus", noteSeen);
  tell({ parley: "ready" });
  connect();
})();
