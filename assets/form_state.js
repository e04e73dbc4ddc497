// What a form holds and how it is kept: content, outbox, saving, undo; nothing is drawn here.
//
// What was typed is first in the outbox of this browser, then on the server; "已保存" is said only
// after the server answered. The description, the content and every check come from the server.

class FormState {
  constructor(root, data) {
    this.root = root;
    this.submissionId = data.submission_id;
    this.revision = data.revision;
    this.outbox = new Outbox(data.user_id, data.submission_id);
    this.url = `/api/drafts/${data.submission_id}`;
    this.userId = data.user_id;
    this.gridUrl = data.grid_url;
    this.values = {};
    this.base = {};
    this.raw = {};
    this.touched = new Set();
    this.cells = {};
    this.fields = {};
    this.grids = [];
    this.setProblems([]);
    this.forgetEdits();
    this.attempted = false;
    this.composing = false;
    this.failures = 0;
    this.conflict = null;
    this.unanswered = {};
    this.body = element("div", { className: "editor" });
    root.append(this.body);
    this.watcher = new ResizeObserver(() => this.resized());
    this.listeners = [
      [window, "online", () => this.flush()],
      [window, "beforeunload", (event) => this.leaving(event)],
      [window, "pagehide", () => this.flush({ keepalive: true })],
      [document, "visibilitychange", () => document.hidden && this.flush({ keepalive: true })],
    ];
  }

  attach() {
    this.watcher.observe(this.body);
    for (const [target, name, handler] of this.listeners) target.addEventListener(name, handler);
  }

  detach() {
    this.watcher.disconnect();
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
    this.sentBack = state.sent_back ?? {}; // a copy on a phone may be older
    this.wasReturned = Object.keys(this.sentBack).length > 0;
    this.setProblems(state.problems);
    this.attempted = false;
    this.forgetEdits();
    this.touched = new Set();
    this.cells = this.listCells();
    this.base = this.flatten(state.content);
    for (const remark of state.remarks) this.base[`reply:${remark.id}`] = remark.reply ?? null;
    this.values = structuredClone(this.base);
    this.readOnly = !state.can.save;
    this.tooLate = state.too_late;
    this.leftHere = this.readOnly ? this.listLeft() : [];
    const clashes = this.readOnly ? [] : this.restore();
    this.savedAt = state.saved_at_text;
    this.hadRoom = this.hasRoom();
    this.draw();
    this.refresh();
    if (clashes.length) this.askConflict(clashes, state.content, state);
    else if (this.dirtyPaths().length) this.schedule(0);
    else {
      if (!this.readOnly) this.forgetSent();
      this.saySaved();
    }
  }

  /** The server has all that was in the outbox. */
  forgetSent() {
    this.unanswered = {};
    this.remember();
  }

  /** What was typed here and not sent before somebody else filed: path to value. */
  listLeft() {
    const left = Object.entries(this.outbox.take()).map(([path, { value }]) => [path, value])
      .filter(([path, value]) => (path in this.cells || path.startsWith("reply:")) && !this.alike(path, this.base[path], value));
    if (!left.length) this.outbox.settle();
    return left;
  }

  dropLeft() {
    this.outbox.settle();
    this.leftHere = [];
  }

  /** Apply the outbox; return the paths that somebody else changed meanwhile. */
  restore() {
    const clashes = [];
    this.restored = 0;
    this.unanswered = {};
    for (const [path, { value, base, sent = [] }] of Object.entries(this.outbox.take())) {
      if (!(path in this.base)) continue;
      // What is still on its way, from a tab that was closed, may arrive after this.
      this.unanswered[path] = [...sent, value];
      if (this.alike(path, this.base[path], value)) continue;
      this.values[path] = value;
      this.touched.add(path);
      if (same(this.base[path], base) || this.isOwn(path, this.base[path])) this.restored += 1;
      else clashes.push(path);
    }
    return clashes;
  }

  /** Whether the server has a value because it was sent from here and its answer was lost. */
  isOwn(path, value) {
    return (this.unanswered[path] ?? []).some((sent) => this.alike(path, value, sent));
  }

  /** Every field of every row by its path, whether it is drawn or not. */
  listCells() {
    const cells = {};
    for (const group of this.state.form.groups) {
      for (const row of group.code === "form" ? [null] : this.state.rows[group.code] ?? []) {
        for (const field of group.fields) {
          const path = pathOf(group.code, row?.key ?? "", field.code);
          cells[path] = { group, row, field, path };
        }
      }
    }
    return cells;
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

  /** Whether one value is the other as it was typed: the server keeps the number of "304". */
  alike(path, a, b) {
    if (same(a, b)) return true;
    const empty = (value) => value === null || value === undefined || value === "";
    if (empty(a) || empty(b)) return empty(a) && empty(b);
    if (typeof a === "object" || typeof b === "object") return false;
    const type = this.cells[path]?.field.type;
    const plain = (value) => String(value).normalize("NFKC").trim();
    if (["integer", "decimal"].includes(type)) return Number(plain(a).replaceAll(",", "")) === Number(plain(b).replaceAll(",", ""));
    const bare = (value) => (type === "phone" ? plain(value).replace(/[\s-]/g, "") : plain(value));
    return bare(a) === bare(b);
  }

  dirtyPaths() {
    return [...this.touched].filter((path) => this.isDirty(path));
  }

  change(path, value) {
    this.changeAll([[path, value]]);
  }

  changeAll(pairs) {
    for (const [path, value] of pairs) {
      this.values[path] = value;
      this.touched.add(path);
    }
    this.remember();
    this.refresh();
    this.schedule(this.pace());
  }

  /** A large form takes the server longer: it is asked less often. */
  pace() {
    return Math.max(SAVE_AFTER, 2 * (this.lastSave ?? 0));
  }

  remember() {
    const entries = {};
    for (const path of new Set([...this.dirtyPaths(), ...Object.keys(this.unanswered)])) {
      entries[path] = { value: this.values[path], base: this.base[path], sent: this.unanswered[path] };
    }
    this.outbox.put(entries);
  }

  /** Keep what is being sent: without an answer, only this tells it from what others saved.
   * A page that is leaving writes nothing more: signing out has cleared the outbox. */
  noteSent(sent, { keepalive }) {
    for (const path of this.dirtyPaths()) {
      const known = (this.unanswered[path] ??= []);
      if (!known.some((value) => same(value, sent[path]))) known.push(sent[path]);
    }
    if (!keepalive) this.remember();
  }

  schedule(delay) {
    if (this.readOnly && !this.dirtyPaths().length) return;
    clearTimeout(this.timer);
    if (!this.failures && !this.saving) this.say(SAVING_WORDS, "busy");
    this.timer = setTimeout(() => this.flush(), delay);
  }

  /** Save what is not saved; resolve to true once everything typed is on the server. */
  flush(options = {}) {
    if (!this.state || this.conflict || this.stopped) return Promise.resolve(false);
    if (this.composing && !options.keepalive) {
      this.schedule(this.pace());
      return Promise.resolve(false);
    }
    clearTimeout(this.timer);
    if (this.saving) return this.saving.then(() => (this.dirtyPaths().length ? this.flush(options) : true));
    if (!this.dirtyPaths().length) return this.nothingToSave();
    this.saving = this.send(options).finally(() => { this.saving = null; });
    return this.saving;
  }

  /** What was changed is again as it was saved. */
  nothingToSave() {
    if (this.failures || this.said?.[0] === SAVING_WORDS) this.saySaved();
    this.failures = 0;
    return Promise.resolve(true);
  }

  async send(options) {
    const replies = this.dirtyPaths().filter((path) => path.startsWith("reply:"));
    for (const path of replies) {
      if (!(await this.sendReply(path, options))) return false;
    }
    if (!this.dirtyPaths().length) return true;
    const sent = structuredClone(this.values);
    this.noteSent(sent, options);
    const begun = performance.now();
    const answer = await this.ask(
      "PUT", this.url, { content: this.content(), draft_version: this.draftVersion }, options,
    );
    this.lastSave = performance.now() - begun;
    if (answer.ok) return this.saved(sent, answer.data);
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
    this.unanswered = {};
    for (const path of Object.keys(sent)) {
      if (!path.startsWith("reply:")) this.base[path] = sent[path];
    }
    for (const [path, normal] of Object.entries(answer.normal)) {
      this.base[path] = normal;
      this.raw[path] = { typed: sent[path], normal };
      this.touched.add(path);
      if (same(this.values[path], sent[path])) this.settle(path);
    }
    this.setProblems(answer.problems);
    this.heedClosing(answer.too_late);
    this.confirm(answer);
    return this.dirtyPaths().length === 0;
  }

  confirm(answer) {
    this.failures = 0;
    this.restored = 0;
    this.savedAt = answer.saved_at_text;
    this.remember();
    this.refresh();
    if (this.dirtyPaths().length) this.schedule(this.pace());
    else this.saySaved();
  }

  /** Show the normal form of a value, unless somebody is still typing in its field. */
  settle(path) {
    const raw = this.raw[path];
    if (!raw || this.isBeingTyped(path) || !same(this.values[path], raw.typed)) return;
    this.values[path] = raw.normal;
    delete this.raw[path];
    this.fields[path]?.set?.(raw.normal);
  }

  isBeingTyped(path) {
    const input = this.fields[path]?.input;
    return (input && this.active() === input) || this.grids.some((grid) => grid.typing === path);
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
    const text = body ? JSON.stringify(body) : undefined;
    try {
      const response = await fetch(url, {
        method,
        headers: body ? { "Content-Type": "application/json" } : {},
        body: text,
        // What outlives its page may be 64 KB; the outbox has what is larger.
        keepalive: Boolean(options.keepalive) && new Blob([text ?? ""]).size < KEEPALIVE_BYTES,
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
    this.said = [text, kind, action, onAction];
  }

  /** The period may close while somebody types: what he types is kept, and cannot be filed. */
  heedClosing(tooLate) {
    this.tooLate = this.state.too_late = tooLate;
    if (tooLate) this.state.can.submit = false;
  }

  saySaved() {
    if (this.tooLate) {
      const saved = this.savedAt ? `内容已保存 ${this.savedAt}，但不能提交：` : "";
      return this.say(`${saved}${this.tooLate}`, "late");
    }
    this.say(this.savedAt ? `已保存 ${this.savedAt}` : "", "saved");
  }

  // EDITS THAT CAN BE TAKEN BACK

  /** Change fields as one act that can be undone; return the act, or null where nothing differs. */
  edit(pairs, name) {
    const steps = pairs.filter(([path, value]) => !same(this.values[path], value))
      .map(([path, value]) => [path, this.values[path] ?? null, value]);
    if (!steps.length) return null;
    const act = this.record(name, steps);
    this.put(steps.map(([path, , value]) => [path, value]));
    return act;
  }

  record(name, steps) {
    const act = { name, steps };
    this.done = [...this.done.slice(1 - LONGEST_HISTORY), act];
    this.undone = [];
    return act;
  }

  undo() {
    const act = this.done.pop();
    if (!act) return null;
    this.undone.push(act);
    this.put(act.steps.map(([path, before]) => [path, before]));
    return act;
  }

  redo() {
    const act = this.undone.pop();
    if (!act) return null;
    this.done.push(act);
    this.put(act.steps.map(([path, , after]) => [path, after]));
    return act;
  }

  put(pairs) {
    this.changeAll(pairs);
    for (const [path, value] of pairs) this.fields[path]?.set?.(value);
  }

  /** After somebody else's values came in, an older act would undo what it never did. */
  forgetEdits() {
    this.done = [];
    this.undone = [];
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

  isVisible(cell) {
    return Boolean(cell.field.explains) || this.shows(cell, this.names(cell.group, cell.row));
  }

  isLocked({ row, field }) {
    return Boolean(this.readOnly || field.read_only || row?.locked.includes(field.code));
  }

  /** Whether the value differs from what the province accepted last. */
  isChanged(path) {
    return this.differs(path, this.accepted);
  }

  /** Whether the value differs from what was sent and came back. */
  isCorrected(path) {
    return this.differs(path, this.sentBack);
  }

  /** What is marked: in a report that came back what was done since, else what is new. */
  isMarked(path) {
    return this.wasReturned ? this.isCorrected(path) : this.isChanged(path);
  }

  /** What the portal says itself is nobody's change. */
  differs(path, before) {
    return path in before && !this.cells[path]?.field.read_only && !this.alike(path, before[path], this.values[path]);
  }

  /** Every field that was changed since the report came back, as it would be sent. */
  corrections() {
    return Object.values(this.cells).filter((cell) => this.isCorrected(cell.path) && this.isVisible(cell)).map(({ path }) => path);
  }

  /** The earlier values of a field that differ from what it holds now, in words. */
  beforeWords(path) {
    const said = (words, before) => `${words}：${this.text(path, before[path])}`;
    const isKnown = ![null, undefined, ""].includes(this.accepted[path]);
    return [
      this.isCorrected(path) ? said("上次提交", this.sentBack) : "",
      isKnown && this.isChanged(path) ? said("上次认定", this.accepted) : "",
    ].filter(Boolean);
  }

  remarksAt(path) {
    return this.readOnly ? [] : this.state.remarks.filter((remark) => remark.path === path);
  }

  /** Why the facts of this row rule an option out, or nothing. */
  reasonAgainst({ row, field }, code) {
    return (row ?? this.state).excluded?.[field.code]?.[code] ?? "";
  }

  setProblems(problems) {
    this.problems = problems;
    this.problemsOf = new Map();
    this.warned = new Set(problems.filter((one) => one.severity === "warning").map((one) => rowOf(one.path)));
    for (const problem of problems) {
      const known = this.problemsOf.get(problem.path);
      if (known) known.push(problem);
      else this.problemsOf.set(problem.path, [problem]);
    }
  }

  /** The strongest of some problems. */
  worst(problems) {
    return SEVERITIES.find((kind) => problems.some((one) => one.severity === kind));
  }

  /** Whether a field is shown; what explains warnings is, while there are some. */
  shows({ field, path }, names) {
    if (field.explains) return this.warned.has(rowOf(path)) || !["", null, undefined].includes(this.values[path]);
    return holds(field.visible, names, true);
  }

  requires({ field, path }, names) {
    return field.explains ? this.warned.has(rowOf(path)) : holds(field.required, names, false);
  }

  problemsAt(path) {
    return (this.problemsOf.get(path) ?? []).filter((problem) => this.isShown(problem));
  }

  /** What is merely not filled in yet is said when somebody tries to submit, not before. */
  isShown(problem) {
    return problem.kind !== MISSING || this.attempted || problem.severity !== "error";
  }

  /** The row that names the files of a field; what the form itself has is a row without a key. */
  fileRow(known) {
    return known?.row ?? this.state.rows.form?.[0];
  }

  fileName(known, number) {
    return this.fileRow(known)?.files.find((file) => file.id === number)?.name;
  }

  label(path) {
    if (path.startsWith("reply:")) return "答复";
    return this.state.labels[path] ?? path;
  }

  text(path, value) {
    if (value === null || value === undefined || value === "") return "—";
    const known = this.cells[path];
    if (known?.field.type === "code") return known.field.options.find(([code]) => code === value)?.[1] ?? String(value);
    if (value === true || value === false) return value ? "是" : "否";
    if (typeof value === "object") {
      return Object.entries(value).map(([item, number]) => this.fileName(known, number) ?? item).join("、") || "—";
    }
    return String(value);
  }
}
