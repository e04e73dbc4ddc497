// The phone page: one village in steps, what is not sent yet, sign-in and sign-out.
//
// Content, outbox, saving, conflicts and checks are the form's (form_state.js, form_editor.js).

const cacheOf = (userId) => `portal.phone.${userId}`;
const REVIEW = "检查并报送";
const PLACE = "位置";

/** Sends what an earlier visit could not, without drawing anything. */
class Sender extends FormState {
  draw() {}
  refresh() {}
  resized() {}
  hasRoom() { return false; }
  askConflict() { this.conflict = {}; }
  meetConflict() { this.conflict = {}; }

  async run() {
    const answer = await this.ask("GET", this.url);
    if (!answer.ok) return false;
    this.show(answer.data);
    return this.conflict ? false : this.flush();
  }
}

class PhoneForm extends Editor {
  constructor(root, data, page) {
    super(root, data);
    this.page = page;
    this.place = `portal.step.${data.user_id}.${data.submission_id}`;
  }

  hasRoom() { return false; }

  resized() {}

  /** What was typed is in the outbox: nobody needs to be held back. */
  leaving() {
    this.flush({ keepalive: true });
  }

  // A COPY FOR OPENING WITHOUT A NETWORK: the draft as the server has it

  show(state) {
    super.show(state);
    this.keepCopy();
  }

  confirm(answer) {
    super.confirm(answer);
    this.keepCopy();
  }

  takeTheirs(...given) {
    super.takeTheirs(...given);
    this.keepCopy();
  }

  async keepCopy() {
    const content = this.content.call({ state: this.state, values: this.base });
    const state = { ...this.state, content, draft_version: this.draftVersion, problems: this.problems, saved_at_text: this.savedAt };
    try {
      const cache = await caches.open(cacheOf(this.userId));
      await cache.put(this.url, new Response(JSON.stringify(state), { headers: { "Content-Type": "application/json" } }));
    } catch {
      // Without such a store (no TLS) the outbox still has what is not saved.
    }
  }

  notSaved(answer) {
    super.notSaved(answer);
    if (answer.status === 401) this.say(this.said[0], "failed", "重新登录", () => location.reload());
    return false;
  }

  // STEPS

  listSteps() {
    const steps = [];
    for (const group of this.state.form.groups) {
      if (group.code === "form") {
        for (const [title, fields] of this.sections(group)) steps.push({ title, group, row: null, fields });
        continue;
      }
      const rows = this.state.rows[group.code] ?? [];
      rows.forEach((row, index) => {
        steps.push({ title: `自然村 ${index + 1}/${rows.length} ${row.label}`, group, row, fields: group.fields });
      });
    }
    return [...steps, { title: PLACE, fields: [] }, { title: REVIEW, fields: [] }];
  }

  draw() {
    this.fields = {};
    this.grids = [];
    this.counters = [];
    this.tables = [];
    this.dones = [];
    this.cards = {};
    this.sums = { refresh() {} }; // they stand beside their field
    this.steps = this.listSteps();
    this.saveState = element("div", { className: "save-state", role: "status", "aria-live": "polite" });
    this.summary = element("div", { className: "summary" });
    this.conflictBox = element("section", { className: "conflict", hidden: true, role: "alertdialog", "aria-label": "内容冲突" });
    this.picker = element("select", { className: "steps", "aria-label": "步骤", onchange: () => this.showStep(this.picker.selectedIndex) },
      ...this.steps.map((_, index) => element("option", { value: index })));
    this.sheet = element("div", { className: "sheet" }, ...this.drawLeft(), ...this.drawRemarks());
    this.footer = this.drawFooter();
    this.body.replaceChildren(element("div", { className: "state-bar" }, this.saveState),
      this.conflictBox, this.summary, this.picker, this.sheet, this.footer);
    this.showStep(this.firstStep(), { quiet: true });
    if (this.restored) this.say(`已恢复本机未保存的 ${this.restored} 处修改，正在保存…`, "busy");
  }

  /** What a return said stands open until the officer moves on. */
  drawRemarks() {
    const remarks = super.drawRemarks();
    if (!remarks.length) return [];
    this.returned = element("details", { className: "returned", open: true }, element("summary", { textContent: "退回意见" }), ...remarks);
    return [this.returned];
  }

  dropLeft() {
    super.dropLeft();
    markUnsent();
  }

  drawFooter() {
    this.back = element("button", { type: "button", textContent: "上一步", onclick: () => this.showStep(this.step - 1) });
    this.where = element("span", { className: "quiet" });
    this.forward = element("button", { type: "button", className: "primary", textContent: "下一步", onclick: () => this.showStep(this.step + 1) });
    return element("nav", { className: "footer", "aria-label": "步骤" }, this.back, this.where, this.forward);
  }

  firstStep() {
    if (this.readOnly) return this.steps.length - 1;
    const kept = Number(localStorage.getItem(this.place) ?? -1);
    if (kept >= 0 && kept < this.steps.length) return kept;
    return Math.max(0, this.steps.findIndex((step) => step.fields.some((field) => !field.read_only)));
  }

  showStep(index, { quiet } = {}) {
    this.flush();
    this.step = Math.min(Math.max(index, 0), this.steps.length - 1);
    const left = this.shownStep;
    const step = this.shownStep = this.steps[this.step];
    if (!step.node || step.title === REVIEW) this.drawStep(step);
    for (const each of this.steps) if (each.node) each.node.hidden = each !== step;
    if (!this.readOnly) localStorage.setItem(this.place, String(this.step));
    this.picker.selectedIndex = this.step;
    this.back.disabled = this.step === 0;
    this.forward.hidden = this.step === this.steps.length - 1;
    this.where.textContent = `${this.step + 1} / ${this.steps.length}`;
    if (step.title === REVIEW && !this.readOnly) {
      this.attempted = true;
      this.openCount = "error";
    } else if (left?.title === REVIEW) {
      this.openCount = null; // a long list would stand above every step
    }
    // What is still to be done stands below the button that asks for it.
    if (step.title === REVIEW) this.sheet.after(this.summary);
    else this.picker.before(this.summary);
    this.refresh();
    if (quiet) return;
    this.returned?.removeAttribute("open");
    scrollTo(0, 0);
    step.node.querySelector("h2").focus({ preventScroll: true });
  }

  drawStep(step) {
    const title = element("h2", { textContent: step.title, tabIndex: -1 });
    const inside = step.title === REVIEW ? this.drawReview() : step.title === PLACE ? [this.page.places.node]
      : step.row ? this.drawRowSections(step.group, step.row)
        : step.fields.map((field) => this.drawField(step.group, null, field));
    const node = element("section", { className: "card" }, title, ...inside);
    if (step.node) step.node.replaceWith(node);
    else this.sheet.append(node);
    step.node = node;
  }

  drawReview() {
    const { can, submission } = this.state;
    const button = (text, kind, action) => element("button", { type: "button", className: kind, textContent: text, onclick: action });
    this.verdict = element("p", {});
    const next = this.page.next ? element("a", { className: "button", href: `/phone/${this.page.next}`, textContent: "下一个村" }) : null;
    return [this.verdict,
      this.readOnly ? element("p", { className: "sent", textContent: STATE_WORDS[submission.state] ?? "" }) : null,
      element("div", { className: "actions" },
        can.submit ? element("button", { type: "button", className: "primary", textContent: "报送", "data-move": "submit", onclick: () => this.submit(false) }) : null,
        can.withdraw ? button("撤回", "", () => this.move("withdraw", {})) : null, next,
        element("a", { className: "button", href: "/phone", textContent: "村庄列表" }))];
  }

  stepOf(path) {
    const cell = this.cells[path];
    return this.steps.findIndex((step) => step.group === cell?.group && step.row === cell?.row && step.fields.includes(cell?.field));
  }

  goTo(path) {
    const index = this.stepOf(path);
    if (index < 0) return;
    this.showStep(index, { quiet: true });
    const known = this.fields[path];
    known.node.scrollIntoView({ block: "center" });
    (known.input ?? known.widget).focus?.({ preventScroll: true });
  }

  redraw() {}

  // FIELDS

  drawCode(known) {
    return known.field.type === "boolean" ? super.drawCode(known) : this.drawSelect(known, known.field.options);
  }

  drawField(group, row, field, more) {
    const node = super.drawField(group, row, field, more);
    const known = this.fields[pathOf(group.code, row?.key ?? "", field.code)];
    if (this.page.sums.includes(field.code)) {
      known.sum = element("p", { className: "sum" });
      known.node.append(known.sum);
    }
    return node;
  }

  refreshField(known, names) {
    super.refreshField(known, names);
    if (known.sum) this.refreshSum(known);
  }

  /** Where a position is told, the way to correct it. */
  drawText(known) {
    const value = super.drawText(known);
    if (known.field.code !== "latitude") return value;
    const code = known.row?.key ?? this.page.places.village;
    return element("div", { className: "value-and-way" }, value, element("button", { type: "button", className: "plain", textContent: "更正位置", onclick: () => {
      this.page.places.choose(code);
      this.showStep(this.steps.findIndex((step) => step.title === PLACE));
    } }));
  }

  /** What the last year has, beside the field; one tap takes it over. */
  refreshBefore(known, value) {
    const before = this.accepted[known.path];
    const has = before !== undefined && before !== null;
    const differs = has && !same(before, value);
    const sent = this.isCorrected(known.path) ? `上次提交：${this.text(known.path, this.sentBack[known.path])}` : "";
    known.node.classList.toggle("changed", this.isMarked(known.path));
    known.before.hidden = (!has && !sent) || known.field.read_only;
    const shown = `${sent} ${differs}`;
    if (known.before.hidden || known.beforeShown === shown) return;
    known.beforeShown = shown;
    const take = element("button", { type: "button", className: "plain", textContent: "采用", "aria-label": `采用上次的${known.field.label}`, onclick: () => {
      // Files that are new stay beside those of last year.
      const taken = known.field.type === "evidence" ? { ...(this.values[known.path] ?? {}), ...before } : before;
      this.put([[known.path, taken]]);
      this.flush();
    } });
    known.before.replaceChildren(...[
      sent && element("span", { textContent: sent }),
      has && element("span", { textContent: `上次认定：${this.text(known.path, before)}` }),
      differs && !this.isLocked(known) && take,
    ].filter(Boolean));
  }

  /** The natural villages together beside their village, as somebody types. */
  refreshSum(known) {
    const rows = this.state.form.groups.filter((group) => group.code !== "form")
      .flatMap((group) => (this.state.rows[group.code] ?? []).map((row) => pathOf(group.code, row.key, known.field.code)));
    const numbers = rows.map((path) => this.values[path]).filter((value) => !isEmpty(value)).map(Number);
    if (numbers.some(Number.isNaN)) return known.sum.replaceChildren();
    // In ten thousandths: binary fractions would not add up.
    const total = numbers.reduce((sum, number) => sum + Math.round(number * 10000), 0) / 10000;
    const village = this.values[pathOf("form", "", known.field.code)];
    const exceeds = !isEmpty(village) && total > Number(village);
    const whole = isEmpty(village) ? "未填" : village;
    known.sum.textContent = `自然村合计 ${numbers.length ? total.toLocaleString("zh-CN", { maximumFractionDigits: 4 }) : "—"}（${numbers.length}/${rows.length} 个已填），行政村 ${whole}${exceeds ? "：超出" : ""}`;
    known.sum.classList.toggle("exceeds", exceeds);
  }

  refresh() {
    super.refresh();
    this.steps.forEach((step, index) => {
      const option = this.picker.options[index];
      const wrong = this.problems.filter((one) => one.severity === "error" && this.isShown(one) && this.stepOf(one.path) === index).length;
      const text = `${step.title}${wrong ? `（${wrong} 处）` : ""}`;
      if (option.textContent !== text) option.textContent = text;
    });
    if (!this.verdict || this.readOnly) return;
    const errors = this.problems.filter((one) => one.severity === "error").length;
    if (this.tooLate) this.verdict.textContent = this.tooLate;
    else this.verdict.textContent = errors ? `还有 ${errors} 处要填写或修改，列在下面，点一下就到。` : "已填写完整，可以报送。";
  }
}

const STATE_WORDS = { submitted: "已报送，等待审核。", filed: "已备案。", draft: "", returned: "" };
const isEmpty = (value) => value === null || value === undefined || value === "";

// THE PAGES

const main = document.querySelector("main");
const { user, submission, next, sums, village, outline } = main.dataset;
const tell = (node, text, kind = "failed") => { node.textContent = text; node.dataset.kind = kind; node.hidden = !text; };

async function post(url, body) {
  const answer = await fetch(url, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  return { ok: answer.ok, data: await answer.json() };
}

function openDoor(form) {
  const words = form.querySelector(".save-state");
  const button = form.querySelector("button");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    tell(words, "正在登录…", "busy");
    try {
      const known = await post("/phone/sign-in", Object.fromEntries(new FormData(form)));
      const opened = known.ok ? await post("/api/session", { ticket: known.data.ticket }) : known;
      if (opened.ok) return location.reload();
      tell(words, opened.data.message ?? "登录未完成，请重试。");
    } catch {
      tell(words, "网络不通，请稍后重试。");
    }
    button.disabled = false;
  });
}

/** The reports of this user that hold something the server has not confirmed. */
function unsent() {
  const reports = [OUTBOX, PLACES].map((kind) => `${kind}${user}.`).flatMap((prefix) => Object.keys(localStorage)
    .filter((key) => key.startsWith(prefix)).map((key) => key.slice(prefix.length).split(".")[0]));
  return [...new Set(reports)];
}

/** How many reports of others who signed in on this phone hold something that only they can send. */
function unsentOfOthers() {
  const waiting = Object.keys(localStorage).map((key) => [OUTBOX, PLACES].find((kind) => key.startsWith(kind)) && key.split("."))
    .filter((parts) => parts && parts[2] !== user);
  return new Set(waiting.map(([, , one, report]) => `${one}.${report}`)).size;
}

async function sendOthers() {
  for (const number of unsent().filter((one) => one !== submission)) {
    await new PlaceOutbox(user, number).send();
    await new Sender(element("div"), { submission_id: Number(number), user_id: user, revision: 0 }).run();
  }
  markUnsent();
}

const addressKey = (number) => `portal.at.${user}.${number}`;

/** Where reports were opened on this phone, and their villages' names: the list has a page of them. */
function linkTo(number) {
  const [address, name] = JSON.parse(localStorage.getItem(addressKey(number)) ?? "[]");
  return address ? [element("a", { href: address, textContent: name })] : [];
}

function markUnsent() {
  const waiting = unsent();
  for (const row of document.querySelectorAll("[data-row]")) {
    row.querySelector(".unsent").hidden = !waiting.includes(row.dataset.row);
  }
  const words = document.querySelector("#unsent");
  const others = waiting.filter((one) => one !== submission);
  if (!words) return;
  tell(words, others.length ? `${others.length} 个村有内容只存在本机，联网后自动上传；有“未上传”标记的请点开核对。` : "");
  for (const link of others.flatMap(linkTo)) words.append(" ", link);
}

async function signOut(button) {
  const own = unsent().length;
  const others = unsentOfOthers();
  const whose = [own && `${own} 个村`, others && `其他账号 ${others} 个村`].filter(Boolean).join("、");
  if (whose && !confirm(`还有${own ? " " : ""}${whose}的内容没有上传，退出后这些内容会从本机删除，无法恢复。仍要退出吗？`)) return;
  button.disabled = true;
  try {
    const answer = await fetch("/api/session", { method: "DELETE" });
    if (!answer.ok) throw new Error();
  } catch {
    button.disabled = false;
    return tell(document.querySelector("#unsent"), "没有网络，暂时不能退出；请联网后再退出。");
  }
  localStorage.clear();
  sessionStorage.clear();
  if (self.caches) await Promise.all((await caches.keys()).map((name) => caches.delete(name)));
  const workers = await navigator.serviceWorker?.getRegistrations() ?? [];
  await Promise.all(workers.map((worker) => worker.unregister()));
  location.replace("/phone");
}

/** The page that is open is among those that can be opened again without a network. */
async function keepPages() {
  if (!navigator.serviceWorker) return;
  await navigator.serviceWorker.register(`/phone/worker.js?user=${user}`, { scope: "/phone" });
  const cache = await caches.open(cacheOf(user));
  if (!(await cache.match(location.pathname))) {
    const answer = await fetch(location.pathname);
    if (answer.ok && answer.headers.get("X-Portal-User") === user) await cache.put(location.pathname, answer);
  }
}

if (main.id === "door") openDoor(main.querySelector("form"));
if (submission) {
  const data = { submission_id: Number(submission), user_id: user, revision: 0 };
  const places = new PlaceEditor({ village, user, submission, outline, onMoved: () => form.load() });
  localStorage.setItem(addressKey(submission), JSON.stringify([location.pathname, document.querySelector("h1").textContent]));
  const form = new PhoneForm(main, data, { next, sums: sums.split(" "), places });
  form.load().then(() => {
    form.attach();
    places.load();
  });
}
if (user) {
  document.querySelector("#leave").addEventListener("click", (event) => signOut(event.target));
  addEventListener("online", sendOthers);
  addEventListener("load", () => {
    keepPages().catch(() => {});
    sendOthers();
  });
}
