// Draws a form from its description, saves the draft while somebody types, and loses nothing.
//
// What was typed is first in the outbox of this browser, then on the server; "已保存" is said only
// after the server answered. The description, the content and every check come from the server.
// upload.js stands before this script and brings uploadFile.

const SAVE_AFTER = 700;
const RETRY_AFTER = [1000, 2000, 4000, 8000, 15000];
const OUTBOX = "portal.outbox.";
const MISSING = "missing";
const UPLOAD_WORDS = { waiting: "网络中断，等待续传…", checking: "正在校验…" };

// EXPRESSIONS: the trees that domain/expressions.py hands over

const COMPARE = {
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<": (a, b) => a !== null && b !== null && a < b,
  "<=": (a, b) => a !== null && b !== null && a <= b,
  ">": (a, b) => a !== null && b !== null && a > b,
  ">=": (a, b) => a !== null && b !== null && a >= b,
  in: (a, b) => (b ?? []).includes(a),
  "not in": (a, b) => !(b ?? []).includes(a),
};
const COMPUTE = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
};
const CALL = {
  abs: Math.abs,
  days: (start, end) => Math.round((Date.parse(end) - Date.parse(start)) / 86400000),
  len: (value) => value.length,
  max: Math.max,
  min: Math.min,
  round: (value, digits = 0) => Number(value.toFixed(digits)),
};

function evaluate([kind, ...parts], names) {
  const value = (tree) => evaluate(tree, names);
  switch (kind) {
    case "const": return parts[0];
    case "name": return names[parts[0]] ?? null;
    case "list": return parts.map(value);
    case "and": return parts.every(value);
    case "or": return parts.some(value);
    case "not": return !value(parts[0]);
    case "neg": return -value(parts[0]);
    case "if": return value(parts[0]) ? value(parts[1]) : value(parts[2]);
    case "call": return CALL[parts[0]](...parts.slice(1).map(value));
    case "compute": return COMPUTE[parts[0]](value(parts[1]), value(parts[2]));
    case "compare": {
      let left = value(parts[0]);
      return parts.slice(1).every(([operator, tree]) => {
        const right = value(tree);
        const holds = COMPARE[operator](left, right);
        left = right;
        return holds;
      });
    }
  }
  return null;
}

function holds(tree, names, whenEmpty) {
  if (!tree) return whenEmpty;
  try {
    return Boolean(evaluate(tree, names));
  } catch {
    return whenEmpty;
  }
}

// SMALL HELP

function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in node && name !== "list") node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const same = (a, b) => canonical(a) === canonical(b);
const pathOf = (group, key, code) => (group === "form" ? `form.${code}` : `${group}[${key}].${code}`);

/** Files are a set of items: the order in which they came means nothing, and none is nothing. */
function canonical(value) {
  if (!value || typeof value !== "object") return JSON.stringify(value ?? null);
  const sorted = Object.entries(value).sort();
  return JSON.stringify(sorted.length ? sorted : null);
}

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

function megabytes(size) {
  return size < 1024 * 1024 ? `${Math.ceil(size / 1024)} KB` : `${(size / 1024 / 1024).toFixed(1)} MB`;
}

// THE OUTBOX: what is typed and not yet on the server, for one user and one report

class Outbox {
  constructor(userId, submissionId) {
    this.prefix = `${OUTBOX}${userId}.${submissionId}.`;
    this.key = this.prefix + Outbox.tab();
  }

  static tab() {
    try {
      const known = sessionStorage.getItem("portal.tab") ?? String(Math.random()).slice(2);
      sessionStorage.setItem("portal.tab", known);
      return known;
    } catch {
      return "0";
    }
  }

  /** Take over what this tab, and tabs that were closed, could not save. */
  take() {
    const entries = {};
    try {
      const keys = Object.keys(localStorage).filter((key) => key.startsWith(this.prefix));
      for (const key of keys) Object.assign(entries, JSON.parse(localStorage.getItem(key)));
    } catch {
      // A browser that keeps nothing still saves to the server.
    }
    return entries;
  }

  put(entries) {
    try {
      if (Object.keys(entries).length) localStorage.setItem(this.key, JSON.stringify(entries));
      else this.clear();
    } catch {
      // Full or forbidden: the text is still on the page and on its way to the server.
    }
  }

  clear() {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(this.prefix)) localStorage.removeItem(key);
    }
  }
}

// THE EDITOR

class Editor {
  constructor(root, data) {
    this.root = root;
    this.submissionId = data.submission_id;
    this.revision = data.revision;
    this.outbox = new Outbox(data.user_id, data.submission_id);
    this.url = `/api/drafts/${data.submission_id}`;
    this.values = {};
    this.base = {};
    this.raw = {};
    this.fields = {};
    this.problems = [];
    this.attempted = false;
    this.composing = false;
    this.failures = 0;
    this.conflict = null;
    this.unanswered = null;
    this.body = element("div", { className: "editor" });
    root.append(this.body);
    this.listeners = [
      [window, "online", () => this.flush()],
      [window, "beforeunload", (event) => this.leaving(event)],
      [window, "pagehide", () => this.flush({ keepalive: true })],
      [document, "visibilitychange", () => document.hidden && this.flush({ keepalive: true })],
    ];
  }

  attach() {
    for (const [target, name, handler] of this.listeners) target.addEventListener(name, handler);
  }

  detach() {
    for (const [target, name, handler] of this.listeners) target.removeEventListener(name, handler);
    this.flush({ keepalive: true });
  }

  leaving(event) {
    if (this.dirtyPaths().length === 0) return;
    this.flush({ keepalive: true });
    event.preventDefault();
  }

  // LOADING

  async load() {
    this.body.replaceChildren(element("p", { className: "quiet", textContent: "正在读取…" }));
    for (let attempt = 0; ; attempt += 1) {
      const answer = await this.ask("GET", this.url);
      if (answer.ok) return this.show(answer.data);
      if (answer.final) return this.refuse(answer.data.message);
      const text = "暂时连接不上，正在重试…已填内容不会丢失。";
      this.body.replaceChildren(element("p", { className: "quiet", textContent: text }));
      await pause(RETRY_AFTER[Math.min(attempt, RETRY_AFTER.length - 1)]);
    }
  }

  refuse(message) {
    this.body.replaceChildren(element("p", { className: "message error", textContent: message }));
  }

  show(state) {
    this.state = state;
    this.revision = state.submission.lock_version;
    this.draftVersion = state.draft_version;
    this.accepted = state.accepted;
    this.problems = state.problems;
    this.attempted = false;
    this.base = this.flatten(state.content);
    for (const remark of state.remarks) this.base[`reply:${remark.id}`] = remark.reply ?? null;
    this.values = structuredClone(this.base);
    this.readOnly = !state.can.save;
    const clashes = this.readOnly ? [] : this.restore();
    this.draw();
    this.refresh();
    if (clashes.length) this.askConflict(clashes, state.content, state);
    else if (this.dirtyPaths().length) this.schedule(0);
    else this.say(state.saved_at_text ? `已保存 ${state.saved_at_text}` : "", "saved");
  }

  /** Apply the outbox; return the paths that somebody else changed meanwhile. */
  restore() {
    const clashes = [];
    this.restored = 0;
    for (const [path, { value, base }] of Object.entries(this.outbox.take())) {
      if (!(path in this.base) || same(this.base[path], value)) continue;
      this.values[path] = value;
      if (same(this.base[path], base)) this.restored += 1;
      else clashes.push(path);
    }
    return clashes;
  }

  flatten(content) {
    const values = {};
    for (const group of this.state.form.groups) {
      const rows = group.code === "form" ? [["", content.form ?? {}]]
        : (content[group.code] ?? []).map((row) => [row.key, row]);
      for (const [key, row] of rows) {
        for (const field of group.fields) {
          values[pathOf(group.code, key, field.code)] = row[field.code] ?? null;
        }
      }
    }
    return values;
  }

  content() {
    const content = {};
    for (const group of this.state.form.groups) {
      const value = (key, field) => this.values[pathOf(group.code, key, field.code)] ?? null;
      const fill = (row, key) => {
        for (const field of group.fields) row[field.code] = value(key, field);
        return row;
      };
      content[group.code] = group.code === "form" ? fill({}, "")
        : (this.state.rows[group.code] ?? []).map((row) => fill({ key: row.key, ...row.identity }, row.key));
    }
    return content;
  }

  // SAVING

  isDirty(path) {
    const value = this.values[path];
    if (same(value, this.base[path])) return false;
    // The server keeps the normal form of what still stands in a focused field.
    const raw = this.raw[path];
    return !(raw && same(value, raw.typed) && same(this.base[path], raw.normal));
  }

  dirtyPaths() {
    return Object.keys(this.values).filter((path) => this.isDirty(path));
  }

  change(path, value) {
    this.values[path] = value;
    this.remember();
    this.refresh();
    this.schedule(SAVE_AFTER);
  }

  remember() {
    const entries = {};
    for (const path of this.dirtyPaths()) {
      entries[path] = { value: this.values[path], base: this.base[path] };
    }
    this.outbox.put(entries);
  }

  schedule(delay) {
    if (this.readOnly && !this.dirtyPaths().length) return;
    clearTimeout(this.timer);
    if (!this.failures && !this.saving) this.say("有修改，正在保存…", "busy");
    this.timer = setTimeout(() => this.flush(), delay);
  }

  /** Save what is not saved; resolve to true once everything typed is on the server. */
  flush(options = {}) {
    if (!this.state || this.conflict || this.stopped) return Promise.resolve(false);
    if (this.composing && !options.keepalive) {
      this.schedule(SAVE_AFTER);
      return Promise.resolve(false);
    }
    clearTimeout(this.timer);
    if (this.saving) return this.saving.then(() => (this.dirtyPaths().length ? this.flush(options) : true));
    if (!this.dirtyPaths().length) return Promise.resolve(true);
    this.saving = this.send(options).finally(() => { this.saving = null; });
    return this.saving;
  }

  async send(options) {
    const replies = this.dirtyPaths().filter((path) => path.startsWith("reply:"));
    for (const path of replies) {
      if (!(await this.sendReply(path, options))) return false;
    }
    if (!this.dirtyPaths().length) return true;
    const sent = structuredClone(this.values);
    const answer = await this.ask(
      "PUT", this.url, { content: this.content(), draft_version: this.draftVersion }, options,
    );
    if (answer.ok) return this.saved(sent, answer.data);
    if (!answer.final) this.unanswered = sent;
    return this.notSaved(answer);
  }

  async sendReply(path, options) {
    const text = this.values[path];
    const answer = await this.ask("PUT", `${this.url}/replies/${path.slice(6)}`, { text }, options);
    if (!answer.ok) return this.notSaved(answer);
    this.base[path] = text;
    this.confirm(answer.data);
    return true;
  }

  saved(sent, answer) {
    this.draftVersion = answer.draft_version;
    for (const path of Object.keys(sent)) {
      if (!path.startsWith("reply:")) this.base[path] = sent[path];
    }
    for (const [path, normal] of Object.entries(answer.normal)) {
      this.base[path] = normal;
      this.raw[path] = { typed: sent[path], normal };
      if (same(this.values[path], sent[path])) this.settle(path);
    }
    this.problems = answer.problems;
    this.confirm(answer);
    return this.dirtyPaths().length === 0;
  }

  confirm(answer) {
    this.failures = 0;
    this.unanswered = null;
    this.restored = 0;
    this.remember();
    this.refresh();
    if (this.dirtyPaths().length) this.schedule(SAVE_AFTER);
    else this.say(`已保存 ${answer.saved_at_text}`, "saved");
  }

  /** Show the normal form of a value, unless somebody is still typing in its field. */
  settle(path) {
    const field = this.fields[path];
    const raw = this.raw[path];
    if (!raw || !field || this.active() === field.input || !same(this.values[path], raw.typed)) return;
    this.values[path] = raw.normal;
    delete this.raw[path];
    field.set?.(raw.normal);
  }

  active() {
    return (this.root.getRootNode?.() ?? document).activeElement ?? document.activeElement;
  }

  notSaved(answer) {
    if (answer.status === 409 && answer.data.error === "DraftConflict") {
      this.meetConflict(answer.data);
    } else if (answer.final) {
      this.stopped = true;
      this.say(`未保存：${answer.data.message} 已填内容保留在本机。`, "failed", "重新载入", () => {
        this.stopped = false;
        this.load();
      });
    } else {
      const wait = RETRY_AFTER[Math.min(this.failures, RETRY_AFTER.length - 1)];
      this.failures += 1;
      const expired = answer.status === 401;
      const text = expired ? "未保存，登录已过期，请重新登录；已填内容保留在本机，登录后自动恢复。"
        : "未保存，正在重试…已填内容保留在本机，不会丢失。";
      this.say(text, "failed");
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.flush(), wait);
    }
    return false;
  }

  /** Ask the server; `final` says that asking again would not help. */
  async ask(method, url, body, options = {}) {
    try {
      const response = await fetch(url, {
        method,
        headers: body ? { "Content-Type": "application/json" } : {},
        body: body ? JSON.stringify(body) : undefined,
        keepalive: Boolean(options.keepalive),
        cache: "no-store",
      });
      const data = await response.json();
      const again = response.status === 401 || response.status === 429 || response.status >= 500;
      return { ok: response.ok, status: response.status, data, final: !again };
    } catch {
      return { ok: false, status: 0, data: {}, final: false };
    }
  }

  say(text, kind, action, onAction) {
    const children = [element("span", { textContent: text })];
    if (action) {
      children.push(element("button", { type: "button", className: "plain", textContent: action, onclick: onAction }));
    }
    this.saveState?.replaceChildren(...children);
    if (this.saveState) this.saveState.dataset.kind = text ? kind : "";
  }

  // CONFLICT

  meetConflict(answer) {
    const theirs = this.flatten(answer.content);
    const differing = Object.keys(theirs).filter((path) => !same(theirs[path], this.values[path]));
    // A save whose answer was lost on the way is my own; what I typed since goes on top of it.
    const mine = (path) => same(theirs[path], this.base[path])
      || (this.unanswered && same(theirs[path], this.unanswered[path]));
    if (differing.every(mine)) return this.takeTheirs(theirs, answer, {});
    this.askConflict(differing, answer.content, answer);
  }

  askConflict(paths, content, { draft_version, saved_by, saved_at_text }) {
    const theirs = this.flatten(content);
    this.conflict = { paths, theirs, draft_version, choice: {} };
    for (const path of paths) {
      if (path in theirs && same(this.values[path], this.base[path])) this.conflict.choice[path] = "theirs";
      else if (same(theirs[path], this.base[path]) && draft_version !== this.draftVersion) {
        this.conflict.choice[path] = "mine";
      }
    }
    this.say("未保存：他人也修改了这份表，请先选择保留哪一份。", "failed");
    this.drawConflict(saved_by, saved_at_text);
  }

  drawConflict(savedBy, savedAt) {
    const rows = this.conflict.paths.map((path) => this.conflictRow(path));
    const all = (side) => () => {
      for (const path of this.conflict.paths) this.conflict.choice[path] = side;
      for (const radio of this.conflictBox.querySelectorAll("input")) radio.checked = radio.value === side;
      this.allowApply();
    };
    this.applyButton = element("button", { type: "button", className: "primary", textContent: "按所选保存", onclick: () => this.resolve() });
    this.conflictBox.replaceChildren(
      element("h3", { textContent: "这份表被他人修改过" }),
      element("p", { textContent: `${savedBy} 于 ${savedAt} 保存了这份表，以下 ${rows.length} 处与您的不同。请逐项选择保留哪一份；选择之前，两份都不会丢失。` }),
      element("div", { className: "choices" }, ...rows),
      element("div", { className: "actions" },
        element("button", { type: "button", textContent: "全部采用对方的", onclick: all("theirs") }),
        element("button", { type: "button", textContent: "全部采用我的", onclick: all("mine") }),
        this.applyButton),
    );
    this.conflictBox.hidden = false;
    this.sheet.inert = true;
    this.footer.inert = true;
    this.allowApply();
    this.conflictBox.scrollIntoView({ block: "nearest" });
  }

  conflictRow(path) {
    const choose = (side) => () => {
      this.conflict.choice[path] = side;
      this.allowApply();
    };
    const option = (side, title, value) => element("label", { className: "choice" },
      element("input", { type: "radio", name: `choice ${path}`, value: side, checked: this.conflict.choice[path] === side, onchange: choose(side) }),
      element("span", { className: "quiet", textContent: title }),
      element("span", { textContent: this.text(path, value) }));
    return element("fieldset", {}, element("legend", { textContent: this.label(path) }),
      option("theirs", "对方", this.conflict.theirs[path]), option("mine", "我的", this.values[path]));
  }

  allowApply() {
    this.applyButton.disabled = this.conflict.paths.some((path) => !this.conflict.choice[path]);
  }

  resolve() {
    const { theirs, choice } = this.conflict;
    this.takeTheirs(theirs, this.conflict, choice);
  }

  takeTheirs(theirs, { draft_version }, choice) {
    this.draftVersion = draft_version;
    for (const path of Object.keys(theirs)) {
      this.base[path] = theirs[path];
      if (choice[path] === "theirs") this.values[path] = structuredClone(theirs[path]);
    }
    const asked = this.conflict !== null;
    this.conflict = null;
    this.unanswered = null;
    this.raw = {};
    this.failures = 0;
    this.remember();
    if (asked) this.draw();
    this.refresh();
    if (this.dirtyPaths().length) this.schedule(0);
    else this.say(asked ? "已采用对方的内容。" : "已保存", "saved");
  }

  // DRAWING

  draw() {
    this.fields = {};
    this.saveState = element("div", { className: "save-state", role: "status", "aria-live": "polite" });
    this.summary = element("div", { className: "summary" });
    this.conflictBox = element("section", { className: "conflict", hidden: true, role: "alertdialog", "aria-label": "内容冲突" });
    this.sheet = element("div", { className: "sheet" });
    this.footer = element("div", { className: "footer" }, this.saveState, this.drawActions());
    this.sheet.append(...this.drawRemarks(), ...this.drawFormSections(), ...this.drawTopRows());
    this.body.replaceChildren(this.conflictBox, this.summary, this.sheet, this.footer);
    this.footer.hidden = this.readOnly && !this.state.can.withdraw;
    if (this.restored) this.say(`已恢复本机未保存的 ${this.restored} 处修改，正在保存…`, "busy");
  }

  drawActions() {
    const { can } = this.state;
    const button = (text, kind, action) => element("button", { type: "button", className: kind, textContent: text, onclick: action });
    return element("div", { className: "actions" },
      can.withdraw ? button("撤回", "", () => this.move("withdraw", {})) : null,
      can.submit ? button("本期无变化", "", () => this.noChange()) : null,
      can.submit ? button("提交", "primary", () => this.submit(false)) : null);
  }

  drawRemarks() {
    const { remarks, returned } = this.state;
    if (!returned) return [];
    const cards = remarks.map((remark) => {
      const path = `reply:${remark.id}`;
      const link = remark.path && this.state.labels[remark.path]
        ? element("button", { type: "button", className: "plain", textContent: remark.label, onclick: () => this.goTo(remark.path) })
        : element("strong", { textContent: remark.label });
      const input = element("textarea", { rows: 2, value: this.values[path] ?? "", maxLength: 500, placeholder: "答复（说明修改情况）", "aria-label": `对“${remark.label}”的答复` });
      this.listen(input, path);
      this.fields[path] = { input };
      const answer = this.readOnly ? element("p", { textContent: `答复：${remark.reply ?? "—"}` }) : input;
      return element("li", {}, link, element("p", { className: "reason", textContent: remark.reason }), answer);
    });
    const title = `${returned.reviewer} 于 ${returned.at} 退回（第 ${returned.round} 轮）`;
    return [element("section", { className: "remarks" }, element("h3", { textContent: title }),
      returned.comment ? element("p", { className: "reason", textContent: returned.comment }) : null,
      cards.length ? element("ol", {}, ...cards) : null)];
  }

  drawFormSections() {
    const group = this.state.form.groups.find((one) => one.code === "form");
    if (!group) return [];
    return this.sections(group).map(([title, fields]) => element("section", { className: "card" },
      element("h3", { textContent: title }),
      element("div", { className: "grid" }, ...fields.map((field) => this.drawField(group, null, field)))));
  }

  sections(group) {
    const sections = new Map();
    for (const field of group.fields) {
      sections.set(field.section, [...(sections.get(field.section) ?? []), field]);
    }
    return [...sections];
  }

  drawTopRows() {
    const { form, rows } = this.state;
    return form.groups.filter((group) => group.code !== "form").flatMap((group) =>
      (rows[group.code] ?? []).filter((row) => !row.parent).map((row) => this.drawTopRow(group, row)));
  }

  drawTopRow(group, row) {
    const counts = element("span", { className: "quiet counts" });
    const children = this.childGroups(group, row);
    const details = element("details", { className: "card row", open: row.is_open || this.opened?.has(row.key) },
      element("summary", {}, element("h3", { textContent: row.label }),
        row.badge ? element("span", { className: "badge", textContent: row.badge }) : null, counts),
      element("div", { className: "grid" }, ...group.fields.map((field) => this.drawField(group, row, field))),
      ...children.map(([childGroup, childRows]) => this.drawTable(childGroup, childRows)));
    details.addEventListener("toggle", () => {
      this.opened ??= new Set();
      if (details.open) this.opened.add(row.key);
      else this.opened.delete(row.key);
    });
    this.counters = [...(this.counters ?? []).filter((one) => one.key !== row.key), { key: row.key, node: counts, children }];
    return details;
  }

  childGroups(group, row) {
    const isChild = (other) => other.parent && other.parent[0] === group.code && other.parent[1] === row.key;
    return this.state.form.groups
      .map((other) => [other, (this.state.rows[other.code] ?? []).filter(isChild)])
      .filter(([, rows]) => rows.length);
  }

  drawTable(group, rows) {
    const columns = group.fields.filter((field) => field.type !== "long_text");
    const below = group.fields.filter((field) => field.type === "long_text");
    const head = element("div", { className: "tr head", "aria-hidden": "true" }, element("span", {}),
      ...columns.map((field) => element("span", { textContent: field.label })));
    const lines = rows.map((row, index) => this.drawLine(group, row, index, columns, below));
    const table = element("div", { className: "table" }, head, ...lines.map((line) => line.node));
    this.tables = [...(this.tables ?? []).filter((one) => one.key !== rows[0].key),
      { key: rows[0].key, node: table, head, group, rows, columns, lines }];
    return table;
  }

  drawLine(group, row, index, columns, below) {
    const more = element("div", { className: "more" });
    const title = element("div", { className: "line-title" },
      element("span", { className: "number", textContent: index + 1 }),
      element("span", { className: "name", textContent: row.label }),
      row.hint ? this.helpButton(row.hint, () => title) : null,
      row.badge ? element("span", { className: "badge", textContent: row.badge }) : null, more);
    const cells = columns.map((field) => this.drawField(group, row, field));
    const notes = below.map((field) => this.drawField(group, row, field, more));
    // A sentence has no room in a column: it stands under its row and names its field.
    const messages = columns.flatMap((field) => {
      const known = this.fields[pathOf(group.code, row.key, field.code)];
      if (!known.remark.hidden) known.remark.prepend(`${field.label} · `);
      return [known.remark, known.message];
    });
    const wide = element("div", { className: "below" }, ...notes, ...messages);
    return { node: element("div", { className: "tr", role: "group", "aria-label": row.label }, title, ...cells, wide), row, wide, cells };
  }

  helpButton(text, parentOf) {
    const help = element("p", { className: "help", textContent: text, hidden: true });
    const button = element("button", { type: "button", className: "ask", textContent: "?", title: text, "aria-label": "填写说明", "aria-expanded": "false", onclick: () => {
      help.hidden = !help.hidden;
      button.setAttribute("aria-expanded", String(!help.hidden));
      parentOf().append(help);
    } });
    return button;
  }

  // FIELDS

  drawField(group, row, field, more = null) {
    const path = pathOf(group.code, row?.key ?? "", field.code);
    const locked = this.readOnly || field.read_only || row?.locked.includes(field.code);
    const id = `field-${Object.keys(this.fields).length}`;
    const known = { group, row, field, path, id };
    this.fields[path] = known;
    known.message = element("div", { className: "message", id: `${id}-message`, hidden: true });
    known.before = element("div", { className: "before quiet", hidden: true });
    known.remark = this.drawReason(known);
    known.widget = locked ? this.drawText(known) : this.drawWidget(known);
    known.mark = element("span", { className: "required", textContent: "*", title: "必填", hidden: true });
    const title = field.unit ? `${field.label}（${field.unit}）` : field.label;
    const wide = field.type === "long_text" || field.type === "evidence";
    known.label = element("label", { htmlFor: id, textContent: title });
    known.node = element("div", { className: `field ${field.type}${wide ? " wide" : ""}` },
      element("div", { className: "label" }, known.label, known.mark,
        field.help ? this.helpButton(field.help, () => known.node) : null),
      known.widget, known.before, known.remark, known.message);
    if (more && !locked) this.foldWhenEmpty(known, more);
    return known.node;
  }

  /** What a return said of this field, beside the field. */
  drawReason({ path }) {
    const reasons = this.readOnly ? [] : this.state.remarks.filter((remark) => remark.path === path);
    return element("div", { className: "message reason-here", hidden: !reasons.length, textContent: reasons.map((remark) => `退回理由：${remark.reason}`).join(" ") });
  }

  /** An optional remark nobody wrote takes a link instead of a box. */
  foldWhenEmpty(known, more) {
    if (known.field.required) return;
    known.opener = element("button", { type: "button", className: "plain", textContent: `＋${known.field.label}`, onclick: () => {
      known.unfolded = true;
      this.refresh();
      known.input.focus();
    } });
    more.append(known.opener);
  }

  drawText(known) {
    const value = element("div", { className: "value", id: known.id });
    known.set = () => {
      if (known.field.type === "evidence") value.replaceChildren(...this.fileLinks(known));
      else value.textContent = this.text(known.path, this.values[known.path]);
    };
    known.set();
    return value;
  }

  fileLinks(known) {
    const given = this.values[known.path] ?? {};
    const links = Object.entries(given).map(([item, number]) => element("div", { className: "file given" },
      element("span", { className: "item", textContent: item }),
      element("a", { href: `/api/evidence/${number}`, textContent: this.fileName(known.row, number) ?? "打开", target: "_blank" })));
    return links.length ? links : [element("span", { textContent: "—" })];
  }

  drawWidget(known) {
    const draw = { long_text: this.drawArea, date: this.drawDate, code: this.drawCode, boolean: this.drawCode, evidence: this.drawEvidence };
    return (draw[known.field.type] ?? this.drawInput).call(this, known);
  }

  drawInput(known) {
    const modes = { integer: "numeric", decimal: "decimal", phone: "tel" };
    known.input = element("input", { type: "text", id: known.id, inputMode: modes[known.field.type] ?? "text", autocomplete: "off" });
    known.set = (value) => { known.input.value = value ?? ""; };
    known.set(this.values[known.path]);
    this.listen(known.input, known.path);
    return known.input;
  }

  drawArea(known) {
    known.input = element("textarea", { id: known.id, rows: known.row ? 1 : 3 });
    const grow = () => {
      known.input.style.height = "auto";
      if (known.input.scrollHeight) known.input.style.height = `${known.input.scrollHeight + 2}px`;
    };
    known.set = (value) => { known.input.value = value ?? ""; requestAnimationFrame(grow); };
    known.set(this.values[known.path]);
    known.input.addEventListener("input", grow);
    this.listen(known.input, known.path);
    return known.input;
  }

  /** A text box, because a date picker swallows what it cannot read; the picker is beside it. */
  drawDate(known) {
    this.drawInput(known);
    known.input.placeholder = "年-月-日";
    const picker = element("input", { type: "date", className: "picker", tabIndex: -1, "aria-hidden": "true", onchange: () => {
      known.set(picker.value);
      this.change(known.path, picker.value || null);
      this.flush();
    } });
    const button = element("button", { type: "button", className: "pick", title: "选择日期", "aria-label": `选择${known.field.label}`, onclick: () => {
      picker.value = /^\d{4}-\d{2}-\d{2}$/.test(known.input.value) ? known.input.value : "";
      picker.showPicker?.();
    } });
    return element("div", { className: "date-box" }, known.input, picker, button);
  }

  drawCode(known) {
    const options = known.field.type === "boolean" ? [[true, "是"], [false, "否"]] : known.field.options;
    if (known.row?.parent) return this.drawSelect(known, options);
    const radios = options.map(([code, name]) => {
      const radio = element("input", { type: "radio", name: known.id, onchange: () => {
        this.change(known.path, code);
        this.flush();
      } });
      return [code, radio, element("label", { className: "radio" }, radio, element("span", { textContent: name }))];
    });
    known.input = radios[0]?.[1];
    known.set = (value) => { for (const [code, radio] of radios) radio.checked = same(code, value); };
    known.set(this.values[known.path]);
    return element("div", { className: "radios", id: known.id, role: "radiogroup", "aria-label": known.field.label }, ...radios.map(([, , label]) => label));
  }

  drawSelect(known, options) {
    const choices = [["", "请选择"], ...options];
    known.input = element("select", { id: known.id, onchange: () => {
      this.change(known.path, choices[known.input.selectedIndex][0] === "" ? null : choices[known.input.selectedIndex][0]);
      this.flush();
    } }, ...choices.map(([, name]) => element("option", { textContent: name })));
    known.set = (value) => {
      known.input.selectedIndex = Math.max(0, choices.findIndex(([code]) => same(code, value)));
      known.input.dataset.value = value ?? "";
    };
    known.set(this.values[known.path]);
    return known.input;
  }

  listen(input, path) {
    input.addEventListener("compositionstart", () => { this.composing = true; });
    input.addEventListener("compositionend", () => {
      this.composing = false;
      this.change(path, input.value === "" ? null : input.value);
    });
    input.addEventListener("input", () => {
      if (!this.composing) this.change(path, input.value === "" ? null : input.value);
    });
    input.addEventListener("blur", () => {
      this.composing = false;
      this.settle(path);
      this.flush();
    });
  }

  // EVIDENCE: one file for each item the row names

  drawEvidence(known) {
    const box = element("div", { className: "files", id: known.id });
    known.set = () => box.replaceChildren(...known.row.file_items.map((item) => this.drawFile(known, item)));
    known.set();
    return box;
  }

  drawFile(known, item) {
    const number = (this.values[known.path] ?? {})[item];
    const chooser = element("input", { type: "file", hidden: true, accept: this.state.accept, onchange: () => {
      if (chooser.files[0]) this.upload(known, item, chooser.files[0], node);
    } });
    const choose = element("button", { type: "button", className: "plain", textContent: number ? "替换" : "上传", "aria-label": `${number ? "替换" : "上传"}${item}`, onclick: () => chooser.click() });
    const remove = number ? element("button", { type: "button", className: "plain", textContent: "移除", "aria-label": `移除${item}`, onclick: () => this.setFile(known, item, null) }) : null;
    const name = number
      ? element("a", { href: `/api/evidence/${number}`, target: "_blank", title: this.fileName(known.row, number) ?? "", textContent: this.fileName(known.row, number) ?? "已上传的文件" })
      : null;
    const node = element("div", { className: `file${number ? " given" : ""}` },
      element("span", { className: "item", textContent: item }), name, element("span", { className: "file-actions" }, choose, remove), chooser);
    return node;
  }

  fileName(row, number) {
    return row?.files.find((file) => file.id === number)?.name;
  }

  setFile(known, item, number) {
    const given = { ...(this.values[known.path] ?? {}) };
    if (number === null) delete given[item];
    else given[item] = number;
    this.change(known.path, Object.keys(given).length ? given : null);
    known.set();
    this.flush();
  }

  async upload(known, item, file, node) {
    const bar = element("progress", { max: 1, value: 0, "aria-label": `上传${item}` });
    const named = `${file.name}（${megabytes(file.size)}）`;
    const text = element("span", { className: "quiet", textContent: named });
    const stop = new AbortController();
    const cancel = element("button", { type: "button", className: "plain", textContent: "取消", onclick: () => stop.abort() });
    node.replaceChildren(element("span", { className: "item", textContent: item }), text, bar, cancel);
    try {
      const target = { use: "evidence", ...known.row.identity, item };
      const done = await uploadFile(file, target, {
        signal: stop.signal,
        onProgress: (part) => { bar.value = part; },
        onState: (state) => { text.textContent = UPLOAD_WORDS[state] ?? named; },
      });
      known.row.files.push({ id: done.evidence_id, item, name: file.name });
      this.setFile(known, item, done.evidence_id);
    } catch (error) {
      known.set();
      if (stop.signal.aborted) return;
      known.message.hidden = false;
      known.message.className = "message error";
      known.message.textContent = `“${item}”未上传：${error.message}`;
      known.message.parentElement.hidden = false;
    }
  }

  // WHAT DEPENDS ON THE VALUES

  names(group, row) {
    const names = { ...this.state.values };
    const add = (code, key, prefix) => {
      const source = this.state.form.groups.find((one) => one.code === code);
      for (const field of source?.fields ?? []) {
        names[prefix + field.code] = this.typed(field, this.values[pathOf(code, key, field.code)]);
      }
    };
    if (group.code !== "form") add("form", "", "form_");
    if (row?.parent) add(row.parent[0], row.parent[1], `${row.parent[0]}_`);
    Object.assign(names, row?.values);
    add(group.code, row?.key ?? "", "");
    return names;
  }

  typed(field, value) {
    if (value === null || value === undefined || value === "") return null;
    if (field.type === "integer" || field.type === "decimal") return Number.isFinite(Number(value)) ? Number(value) : null;
    if (field.type === "date") return /^\d{4}-\d{2}-\d{2}$/.test(value) ? value : null;
    return value;
  }

  refresh() {
    const named = new Map();
    for (const known of Object.values(this.fields)) {
      if (!known.field) continue;
      const key = `${known.group.code}[${known.row?.key ?? ""}]`;
      if (!named.has(key)) named.set(key, this.names(known.group, known.row));
      this.refreshField(known, named.get(key));
    }
    this.refreshTables();
    this.refreshCounts();
    this.refreshSummary();
  }

  refreshField(known, names) {
    const value = this.values[known.path];
    const empty = value === null || value === undefined || value === "";
    known.visible = holds(known.field.visible, names, true);
    const required = holds(known.field.required, names, false);
    const isNote = known.row?.parent && known.field.type === "long_text";
    const foldable = empty && (known.opener ? !known.unfolded && !this.problemsAt(known.path).length : this.readOnly && isNote);
    known.node.hidden = !known.visible || Boolean(foldable);
    if (known.opener) known.opener.hidden = !known.visible || !foldable;
    known.mark.hidden = !required || this.readOnly;
    if (known.field.type === "code" && known.input?.tagName === "SELECT") known.input.dataset.value = value ?? "";
    this.refreshBefore(known, value);
    this.refreshMessage(known);
  }

  refreshBefore(known, value) {
    const before = this.accepted[known.path];
    const differs = before !== undefined && before !== null && !same(before, value);
    known.before.hidden = !differs;
    if (differs) known.before.textContent = `上次认定：${this.text(known.path, before)}`;
    const isNew = known.path in this.accepted && !same(before, value);
    known.node.classList.toggle("changed", isNew && known.visible);
  }

  problemsAt(path) {
    return this.problems.filter((problem) => problem.path === path && this.isShown(problem));
  }

  /** What is merely not filled in yet is said when somebody tries to submit, not before. */
  isShown(problem) {
    return problem.kind !== MISSING || this.attempted || problem.severity === "warning";
  }

  refreshMessage(known) {
    const problems = this.problemsAt(known.path);
    const worst = ["error", "warning", "unchecked"].find((kind) => problems.some((one) => one.severity === kind));
    known.message.hidden = !worst;
    known.message.className = `message ${worst ?? ""}`;
    const name = known.row?.parent && known.field.type !== "long_text" ? `${known.field.label}：` : "";
    known.message.textContent = name + problems.map((problem) => problem.message).join(" ");
    known.input?.setAttribute("aria-invalid", String(worst === "error"));
    known.input?.setAttribute("aria-describedby", `${known.id}-message`);
    known.node.classList.toggle("invalid", worst === "error");
  }

  /** A column that no row shows takes no place. */
  refreshTables() {
    const widths = { code: "6.8rem", date: "8.4rem", evidence: "minmax(13rem, 26rem)" };
    for (const { node, head, group, rows, columns, lines } of this.tables ?? []) {
      const at = (row, field) => this.fields[pathOf(group.code, row.key, field.code)];
      const used = columns.map((field) => rows.some((row) => at(row, field)?.visible));
      const tracks = columns.filter((_, index) => used[index]).map((field) => widths[field.type] ?? "minmax(7rem, 1fr)");
      node.style.setProperty("--tracks", ["minmax(8.5rem, 13rem)", ...tracks].join(" "));
      node.hidden = !used.includes(true);
      [...head.children].slice(1).forEach((cell, index) => { cell.hidden = !used[index]; });
      for (const line of lines) {
        line.cells.forEach((cell, index) => {
          cell.classList.toggle("unused", !used[index]);
          cell.classList.toggle("blank", used[index] && cell.hidden);
        });
        line.wide.hidden = [...line.wide.children].every((child) => child.hidden);
      }
    }
  }

  refreshCounts() {
    for (const { node, children } of this.counters ?? []) {
      node.textContent = children.map(([group, rows]) => this.countText(group, rows)).filter(Boolean).join("；");
    }
  }

  countText(group, rows) {
    const field = group.fields.find((one) => one.type === "code");
    if (!field) return `${rows.length} 行`;
    return field.options.map(([code, name]) => {
      const count = rows.filter((row) => {
        const known = this.fields[pathOf(group.code, row.key, field.code)];
        return known?.visible && same(this.values[known.path], code);
      }).length;
      return count ? `${name} ${count}` : "";
    }).filter(Boolean).join(" · ");
  }

  refreshSummary() {
    if (this.readOnly) return this.summary.replaceChildren();
    const count = (severity) => this.problems.filter((one) => one.severity === severity && this.isShown(one));
    const missing = this.problems.filter((one) => one.kind === MISSING && one.severity === "error");
    const parts = [
      ["error", count("error"), "项需要修改"],
      ["warning", count("warning"), "项提示"],
      ["unchecked", count("unchecked"), "项未校验"],
    ].filter(([, problems]) => problems.length);
    const lists = parts.map(([kind, problems, words]) => element("details", { className: `count ${kind}`, open: this.openCount === kind, ontoggle: (event) => {
      if (event.target.open) this.openCount = kind;
      else if (this.openCount === kind) this.openCount = null;
    } },
      element("summary", { textContent: `${problems.length} ${words}` }),
      element("ul", {}, ...problems.map((problem) => element("li", {},
        element("button", { type: "button", className: "plain", textContent: problem.label, onclick: () => this.goTo(problem.path) }),
        element("span", { textContent: `：${problem.message}` }))))));
    const rest = !this.attempted && missing.length
      ? [element("span", { className: "quiet", textContent: `还有 ${missing.length} 项必填未填` })] : [];
    this.summary.replaceChildren(...lists, ...rest);
  }

  goTo(path) {
    const known = this.fields[path];
    if (!known) return;
    known.unfolded = true;
    known.node.closest("details.row")?.setAttribute("open", "");
    this.refresh();
    known.node.scrollIntoView({ block: "center" });
    (known.input ?? known.widget).focus?.({ preventScroll: true });
  }

  label(path) {
    if (path.startsWith("reply:")) return "答复";
    return this.state.labels[path] ?? path;
  }

  text(path, value) {
    if (value === null || value === undefined || value === "") return "—";
    const known = this.fields[path];
    if (known?.field?.type === "code") return known.field.options.find(([code]) => code === value)?.[1] ?? value;
    if (known?.field?.type === "boolean") return value ? "是" : "否";
    if (typeof value === "object") {
      return Object.entries(value).map(([item, number]) => this.fileName(known?.row, number) ?? item).join("、") || "—";
    }
    return String(value);
  }

  // MOVES

  async submit(noChange) {
    this.say("正在提交…", "busy");
    if (this.dirtyPaths().length && !(await this.flush())) return;
    await this.move("submit", { draft_version: this.draftVersion, no_change: noChange });
  }

  noChange() {
    const changed = Object.values(this.fields).filter((known) => known.row && known.node.classList.contains("changed"));
    if (!changed.length) return this.submit(true);
    const question = `您修改了 ${changed.length} 处。选择“本期无变化”将按上次认定的内容报送，所做修改仍留在草稿中。`;
    this.say(question, "busy", "仍按无变化报送", () => this.submit(true));
  }

  async move(action, body) {
    const buttons = [...this.footer.querySelectorAll("button")];
    for (const button of buttons) button.disabled = true;
    const answer = await this.ask("POST", `${this.url}/${action}`, { lock_version: this.revision, ...body });
    for (const button of buttons) button.disabled = false;
    if (answer.ok) return this.moved(action, answer.data);
    if (answer.data.error === "DraftConflict") return this.meetConflict(answer.data);
    if (answer.data.problems) return this.refused(answer.data);
    this.say(answer.data.message ?? "未提交：暂时连接不上，请稍后再试；已填内容不会丢失。", "failed",
      answer.data.error === "StaleVersion" || answer.data.error === "InvalidAction" ? "重新载入" : undefined, () => this.load());
  }

  moved(action, data) {
    this.outbox.clear();
    this.revision = data.lock_version;
    this.trigger?.("moved", { action, lock_version: data.lock_version });
    this.load();
  }

  refused(data) {
    this.attempted = true;
    const warnings = this.problems.filter((problem) => problem.severity !== "error");
    this.problems = [...data.problems, ...warnings];
    this.openCount = "error";
    this.refresh();
    this.say(data.message, "failed");
    const first = data.problems.find((problem) => this.fields[problem.path]);
    if (first) this.goTo(first.path);
  }
}

const editors = new WeakMap();

export default function formEditor(component) {
  const { data, parentElement, setTriggerValue } = component;
  let editor = editors.get(parentElement);
  if (!editor || editor.submissionId !== data.submission_id) {
    editor?.body.remove();
    editor = new Editor(parentElement, data);
    editors.set(parentElement, editor);
    editor.load();
  } else if (editor.revision !== data.revision || (editor.page && editor.page !== data.page)) {
    editor.flush().then(() => editor.load());
  }
  editor.page = data.page;
  editor.trigger = setTriggerValue;
  editor.attach();
  return () => editor.detach();
}
