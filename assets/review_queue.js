// The review queue: filtered, sorted and paged by the server, kept in the address, worked by keyboard.
//
// What is selected is kept with the version that was on the screen: the server decides nothing else.

const WAIT_FOR_TYPING = 350; // ms
const LOOK_AGAIN = 30000;
const WATCH_BULK = 1000;
const ROUNDS = [1, 2, 3, 4, 5];
const FILTERS = ["form", "period", "unit", "step", "round", "warned", "overdue", "unchanged", "q"];
// On the page of townships the page says which form, period, step and place.
const DESK_FILTERS = ["only", "warned", "round", "overdue", "q"];
const ONLY = [["sampled", "抽中的村"], ["unseen", "抽中未看的村"], ["odd", "有异常值的村"]];
const COLUMNS = [
  ["unit", "填报单位", "unit"], ["what", "表单与填报期", null], ["round", "轮次", "round"],
  ["submitted", "报送", "submitted"], ["due", "应办结", "due"], ["changes", "变化", "changes"],
  ["warnings", "校验", "warnings"], ["files", "材料", null],
];
const DESK_COLUMNS = [
  ["unit", "行政村", "unit"], ["sample", "抽样", null], ["answers", "完整度", null], ["changes", "变化", "changes"],
  ["warnings", "校验", "warnings"], ["odd", "异常值", null], ["submitted", "报送", "submitted"], ["due", "应办结", "due"],
];
const KEYS = [
  ["j / ↓、k / ↑", "下一份、上一份"], ["空格", "选中或取消"], ["Shift + 单击", "选中一段"],
  ["*", "选中本页全部"], ["Enter", "打开"], ["a", "通过（所选，或当前一份）"],
  ["r", "退回（所选，或当前一份）"], ["n、p", "下一页、上一页"], ["/", "搜索"],
  ["Esc", "取消选择"], ["?", "显示或隐藏本说明"],
];

function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in node && name !== "list") node[name] = value;
    else if (value !== null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

/** Fill a node anew with whatever there is. */
const fill = (node, ...children) => node.replaceChildren(...children.filter((child) => child !== null && child !== undefined));

const button = (text, onclick, className = "") => element("button", { type: "button", textContent: text, onclick, className });
const count = (number) => number.toLocaleString("zh-CN");

class Queue {
  constructor(root, data) {
    this.root = root;
    this.data = data;
    this.filter = new URLSearchParams(data.query);
    this.filters_here = data.desk ? DESK_FILTERS : FILTERS;
    this.columns = data.desk ? DESK_COLUMNS : COLUMNS;
    this.selected = new Map();
    this.rows = [];
    this.current = -1;
    this.anchor = -1;
    this.body = element("div", { className: data.desk ? "queue desk" : "queue" });
    this.filters = element("form", { className: "filters", onsubmit: (event) => event.preventDefault() });
    this.chips = element("div", { className: "chips" });
    this.summary = element("p", { className: "summary", role: "status" });
    this.notices = element("div", { className: "notices", "aria-live": "polite" });
    this.list = element("div", { className: "list" });
    this.pager = element("div", { className: "pager" });
    this.bar = element("div", { className: "bar", hidden: true });
    this.body.append(this.summary, this.filters, this.chips, this.notices, this.list, this.pager, this.bar);
    root.append(this.body);
    this.onKey = (event) => this.key(event);
    this.onLook = () => document.hidden || this.load();
  }

  attach() {
    this.detach();
    // Before Streamlit's own keys: its "r" would rerun the page.
    window.addEventListener("keydown", this.onKey, true);
    document.addEventListener("visibilitychange", this.onLook);
    this.timer = setInterval(() => document.hidden || this.busy || this.load(), LOOK_AGAIN);
  }

  detach() {
    window.removeEventListener("keydown", this.onKey, true);
    document.removeEventListener("visibilitychange", this.onLook);
    clearInterval(this.timer);
    clearTimeout(this.watching);
  }

  // READING

  async load() {
    const asked = this.filter.toString();
    this.turn = (this.turn ?? 0) + 1;
    const turn = this.turn;
    this.body.classList.add("loading");
    const answer = await this.ask("GET", `/api/review/queue?${asked}`);
    if (turn !== this.turn) return; // a newer question is on its way
    this.body.classList.remove("loading");
    if (!answer.ok) return this.say(answer.data.message ?? "暂时连接不上，请稍后再试。", "failed", ["重试", () => this.load()]);
    this.show(answer.data);
  }

  async ask(method, url, body) {
    try {
      const answer = await fetch(url, {
        method, headers: body ? { "Content-Type": "application/json" } : {},
        body: body ? JSON.stringify(body) : undefined,
      });
      const data = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
      return { ok: answer.ok, data };
    } catch {
      return { ok: false, data: {} };
    }
  }

  show(data) {
    const focused = this.rows[this.current]?.id;
    this.changing = false;
    this.state = data;
    this.rows = data.rows;
    if (data.page > data.pages) return this.goTo(data.pages);
    this.current = this.rows.findIndex((row) => row.id === focused);
    this.drawSummary();
    this.drawFilters();
    this.drawChips();
    this.drawRecent();
    this.drawList();
    this.drawPager();
    this.drawBar();
    // What stands above the list counts what is in it.
    const done = data.recent.map((bulk) => `${bulk.id}:${bulk.done}`).join();
    if (this.data.desk && this.told !== undefined && this.told !== done) this.trigger?.("changed", done);
    this.told = done;
  }

  /** Put the filter into the address, so that it is a link and survives a reload. */
  change(changes, { keepSelection = false } = {}) {
    for (const [name, value] of Object.entries(changes)) {
      if (value === null || value === "") this.filter.delete(name);
      else this.filter.set(name, value);
    }
    if (!("page" in changes)) this.filter.delete("page");
    if (!keepSelection && this.selected.size) {
      this.selected.clear();
      this.say("筛选条件已变，原来的选择已清除。");
    }
    this.keepAddress();
    this.changing = true; // what stands there answers the former question: nothing of it is selected
    this.load();
  }

  keepAddress() {
    const query = this.filter.toString();
    history.replaceState(history.state, "", `${location.pathname}${query ? `?${query}` : ""}`);
  }

  goTo(page) {
    this.current = -1;
    this.change({ page: page > 1 ? String(page) : null }, { keepSelection: true });
  }

  // THE TOP

  drawSummary() {
    const { waiting, overdue, is_narrow: narrow } = this.state;
    // The page says above how many there are.
    this.summary.hidden = this.data.desk && !narrow;
    this.filters.hidden = this.data.desk && !narrow && !waiting;
    const late = overdue ? `，其中 ${count(overdue)} 份已超过办理期限。` : "，均在办理期限内。";
    this.summary.textContent = waiting
      ? `${narrow ? "符合条件的填报" : "待审核填报"}共 ${count(waiting)} 份${late}`
      : narrow ? "没有符合条件的填报，可清除筛选后再看。"
        : "没有待审核的填报。新的填报提交后会出现在这里，并在“消息”中提示。";
  }

  drawFilters() {
    // What somebody is typing into stays as it is.
    if (this.filters.contains(this.root.getRootNode().activeElement) && this.filters.childElementCount) return;
    const { forms, periods, steps } = this.state;
    const form = this.filter.get("form") ?? "";
    const periodsHere = periods.filter((period) => !form || period.form === form);
    const stepsHere = steps.filter((step) => !form || step.form === form);
    const words = Object.fromEntries(forms.map(({ code, name }) => [code, name]));
    const named = (period) => (form || forms.length < 2 ? period.name : `${words[period.form]} ${period.name}`);
    const set = this.filters_here.filter((name) => this.filter.has(name)).length;
    const fold = button(set ? `筛选（${set}）` : "筛选", () => this.filters.classList.toggle("open"), "fold");
    fill(this.filters,
      this.text("q", "搜索", this.data.desk ? "村名或代码" : "单位、代码或填报人"),
      fold,
      ...(this.data.desk ? this.deskChoices() : this.choices(forms, form, periodsHere, stepsHere, named)),
      this.order(),
      this.filters_here.some((name) => this.filter.has(name))
        ? button("清除筛选", () => this.change(Object.fromEntries(this.filters_here.map((name) => [name, null]))), "plain") : null,
      this.data.desk ? button("快捷键 ?", () => this.help(), "plain keys") : null,
    );
  }

  deskChoices() {
    return [
      this.choice("only", "只看", ONLY),
      this.choice("warned", "校验", [["1", "有提示"], ["0", "无提示"]]),
      this.choice("round", "轮次", ROUNDS.map((round) => [round, `第 ${round} 轮`])),
      this.choice("overdue", "期限", [["1", "已超期"], ["0", "未超期"]]),
    ];
  }

  choices(forms, form, periodsHere, stepsHere, named) {
    return [
      this.text("unit", "所属市县", "名称或代码"),
      forms.length > 1 ? this.choice("form", "表单", forms.map(({ code, name }) => [code, name]), { period: null, step: null }) : null,
      this.choice("period", "填报期", periodsHere.map((period) => [period.id, named(period)])),
      stepsHere.length > 1 && form ? this.choice("step", "步骤", stepsHere.map((step) => [step.no, step.name])) : null,
      this.choice("round", "轮次", ROUNDS.map((round) => [round, `第 ${round} 轮`])),
      this.choice("warned", "校验", [["1", "有提示"], ["0", "无提示"]]),
      this.choice("overdue", "期限", [["1", "已超期"], ["0", "未超期"]]),
      this.choice("unchanged", "内容", [["1", "本期无变化"], ["0", "有变化"]]),
    ];
  }

  text(name, label, placeholder) {
    const input = element("input", { type: "search", value: this.filter.get(name) ?? "", placeholder, maxLength: 60, name });
    input.addEventListener("input", (event) => {
      if (event.isComposing) return;
      clearTimeout(this.typing);
      this.typing = setTimeout(() => this.change({ [name]: input.value.trim() }), WAIT_FOR_TYPING);
    });
    input.addEventListener("compositionend", () => input.dispatchEvent(new Event("input")));
    return element("label", { className: this.filter.has(name) ? "set" : "" }, element("span", { textContent: label }), input);
  }

  choice(name, label, options, also = {}) {
    const value = this.filter.get(name) ?? "";
    const select = element("select", { name, onchange: () => { select.blur(); this.change({ ...also, [name]: select.value }); } },
      element("option", { value: "", textContent: "全部" }),
      ...options.map(([code, words]) => element("option", { value: String(code), textContent: words })));
    select.value = value;
    return element("label", { className: value ? "set" : "" }, element("span", { textContent: label }), select);
  }

  order() {
    const [by, desc] = [this.filter.get("sort") ?? "submitted", this.filter.get("desc") === "1"];
    const select = element("select", { name: "sort", onchange: () => { select.blur(); this.sort(select.value, false); } },
      ...Object.entries(this.data.orders).map(([code, words]) => element("option", { value: code, textContent: words })));
    select.value = by;
    const turn = element("button", { type: "button", className: "turn", textContent: desc ? "↓" : "↑", title: desc ? "降序" : "升序", "aria-label": desc ? "降序，改为升序" : "升序，改为降序", onclick: () => this.sort(by, !desc) });
    return element("label", {}, element("span", { textContent: "排序" }), element("span", { className: "pair" }, select, turn));
  }

  sort(by, desc) {
    this.current = -1;
    this.change({ sort: by === "submitted" ? null : by, desc: desc ? "1" : null }, { keepSelection: true });
  }

  drawChips() {
    if (this.data.desk) return undefined; // its keys stand in the row of filters
    const here = this.state.query;
    const saved = this.state.saved.map((one) => {
      const open = element("a", { href: `${location.pathname}?${one.query}`, textContent: one.name, className: one.query === here ? "chip on" : "chip",
        onclick: (event) => { if (!event.metaKey && !event.ctrlKey) { event.preventDefault(); this.use(one.query); } } });
      return element("span", { className: "kept" }, open,
        element("button", { type: "button", className: "drop", textContent: "×", title: `删除常用筛选“${one.name}”`, "aria-label": `删除常用筛选“${one.name}”`, onclick: () => this.drop(one) }));
    });
    const save = this.state.is_narrow && !this.state.saved.some((one) => one.query === here)
      ? button("保存当前筛选…", () => this.nameFilter(), "plain") : null;
    return this.chips.replaceChildren(...saved, ...(save ? [save] : []), button("快捷键 ?", () => this.help(), "plain keys"));
  }

  use(query) {
    this.filter = new URLSearchParams(query);
    this.current = -1;
    this.change({});
  }

  nameFilter() {
    const input = element("input", { type: "text", maxLength: 30, placeholder: "如：赣州超期", "aria-label": "名称" });
    this.dialog("保存常用筛选", [element("p", { className: "quiet", textContent: "只有您自己看得到；网址本身也可以直接发给他人。" }), input], "保存", async () => {
      if (!input.value.trim()) return "请起一个名称。";
      const answer = await this.ask("PUT", "/api/review/filters", { name: input.value.trim(), query: this.state.query });
      if (!answer.ok) return answer.data.message ?? "未保存，请稍后再试。";
      this.load();
      return null;
    });
    input.focus();
  }

  async drop(one) {
    const answer = await this.ask("DELETE", `/api/review/filters/${one.id}`);
    if (!answer.ok) this.say(answer.data.message ?? "未删除，请稍后再试。", "failed");
    this.load();
  }

  // THE LIST

  drawList() {
    this.lines = this.rows.map((row, index) => this.drawRow(row, index));
    const all = element("input", { type: "checkbox", title: "选中本页全部", "aria-label": "选中本页全部", onchange: () => this.selectPage(all.checked) });
    const here = this.rows.filter((row) => this.selected.has(row.id)).length;
    all.checked = here > 0 && here === this.selectable().length;
    all.indeterminate = here > 0 && !all.checked;
    const head = element("div", { className: "row head", role: "row" }, element("span", { className: "pick" }, all),
      ...this.columns.map(([name, words, by]) => this.drawHead(name, words, by)));
    this.list.setAttribute("role", "table");
    this.list.replaceChildren(...(this.rows.length ? [head, ...this.lines] : []));
  }

  drawHead(name, words, by) {
    const sorted = by && (this.filter.get("sort") ?? "submitted") === by;
    const desc = this.filter.get("desc") === "1";
    const content = by ? button(`${words}${sorted ? (desc ? " ↓" : " ↑") : ""}`, () => this.sort(by, sorted && !desc), "plain") : words;
    return element("span", { className: name, role: "columnheader", "aria-sort": sorted ? (desc ? "descending" : "ascending") : null }, content);
  }

  drawRow(row, index) {
    const pick = element("input", { type: "checkbox", checked: this.selected.has(row.id), disabled: Boolean(row.pending), "aria-label": `选中${row.unit}` });
    pick.addEventListener("click", (event) => { event.stopPropagation(); this.pick(index, pick.checked, event.shiftKey); });
    const stale = this.selected.has(row.id) && this.selected.get(row.id) !== row.seen;
    const line = element("div", { className: "row", role: "row" },
      element("label", { className: "pick", onclick: (event) => event.stopPropagation() }, pick),
      ...this.columns.map(([name]) => this.drawCell(name, row)),
      row.pending ? element("span", { className: "pending" }, `待生效：${row.pending} `,
        row.undo ? button("撤销这一份", (event) => { event.stopPropagation(); this.undo({ id: row.undo }, [row.id]); }, "plain") : null) : null,
      stale ? element("span", { className: "pending", textContent: "选中后已有变动，请打开核对" }) : null);
    line.classList.toggle("on", this.selected.has(row.id));
    line.classList.toggle("current", index === this.current);
    line.addEventListener("click", (event) => this.clicked(event, row, index));
    return line;
  }

  drawCell(name, row) {
    const { no_change: same } = row;
    const round = row.round > 1 ? ` · 第 ${row.round} 轮` : "";
    const content = {
      unit: () => [element("a", { href: this.address(row.id), textContent: row.unit, title: row.code }), element("small", { textContent: this.data.desk ? `${row.parent}${round}` : row.parent })],
      what: () => [`${row.form} · ${row.period}`, element("small", { textContent: row.step })],
      round: () => [`第 ${row.round} 轮`],
      submitted: () => [row.submitted, element("small", { textContent: row.filer })],
      due: () => this.due(row),
      changes: () => [same ? "无变化" : row.changes === null ? "—" : `${row.changes} 项`],
      warnings: () => [this.checks(row)],
      files: () => [row.attachments === null ? "—" : `${row.attachments} 份`, row.new_attachments ? element("small", { textContent: `新增 ${row.new_attachments}` }) : null],
      sample: () => [row.sample ? element("b", { className: row.seen_by_me ? "seen" : "unseen", textContent: row.sample }) : row.drawn === false ? element("span", { className: "quiet", textContent: "待抽样" }) : element("span", { className: "quiet nothing", textContent: "—" })],
      answers: () => [row.answers ?? "—", row.unanswered ? element("small", { textContent: `缺 ${row.unanswered} 项` }) : null],
      odd: () => (row.odd?.length ? row.odd.map((words) => element("span", { className: "one", textContent: words })) : [element("span", { className: "quiet nothing", textContent: "—" })]),
    }[name]();
    return this.cell(name === "changes" && same ? "changes none" : name, ...content);
  }

  cell(name, ...content) {
    return element("span", { className: name, role: "cell" }, ...content);
  }

  due(row) {
    if (!row.due) return ["不限时"];
    const days = row.days_left;
    const words = days < 0 ? `超期 ${-days} 天` : days === 0 ? "今日到期" : `还有 ${days} 天`;
    return [row.due, element("small", { className: days < 0 ? "late" : days <= 1 ? "soon" : "", textContent: words })];
  }

  checks(row) {
    if (row.errors === null) return "—";
    if (row.errors) return element("b", { className: "late", textContent: `✕ ${row.errors} 项错误` });
    return row.warnings ? element("span", { className: "soon", textContent: `△ ${row.warnings} 项提示` }) : "无提示";
  }

  address(id) {
    const query = new URLSearchParams(this.filter);
    query.delete("page");
    return `submission?id=${id}&from=${encodeURIComponent(query.toString())}`;
  }

  clicked(event, row, index) {
    if (event.shiftKey) {
      event.preventDefault();
      return this.pick(index, true, true);
    }
    if (event.metaKey || event.ctrlKey) return undefined; // a new tab, through the link
    event.preventDefault();
    return this.open(row);
  }

  open(row) {
    this.trigger?.("open", row.id);
  }

  selectable() {
    return this.rows.filter((row) => !row.pending);
  }

  pick(index, on, range) {
    const from = range && this.anchor >= 0 ? this.anchor : index;
    for (let at = Math.min(from, index); at <= Math.max(from, index); at += 1) this.mark(this.rows[at], on);
    this.anchor = index;
    this.current = index;
    this.refresh();
  }

  mark(row, on) {
    if (on && !row.pending && !this.changing) this.selected.set(row.id, row.seen);
    else this.selected.delete(row.id);
  }

  selectPage(on) {
    for (const row of this.selectable()) this.mark(row, on);
    this.refresh();
  }

  async selectAll() {
    const answer = await this.ask("GET", `/api/review/choice?${this.filter}`);
    if (!answer.ok) return this.say(answer.data.message ?? "未能选中，请稍后再试。", "failed");
    this.selected = new Map(answer.data.seen);
    if (answer.data.seen.length < this.state.waiting) this.say(`一次最多办理 ${count(answer.data.most)} 份，已选中前 ${count(answer.data.seen.length)} 份。`);
    return this.refresh();
  }

  refresh() {
    this.drawList();
    this.drawBar();
  }

  drawPager() {
    const { page, pages, waiting } = this.state;
    const first = (page - 1) * this.data.page_size;
    const before = element("button", { type: "button", textContent: "上一页", disabled: page <= 1, onclick: () => this.goTo(page - 1) });
    const after = element("button", { type: "button", textContent: "下一页", disabled: page >= pages, onclick: () => this.goTo(page + 1) });
    const where = `第 ${count(first + 1)}—${count(first + this.rows.length)} 份，共 ${count(waiting)} 份`;
    this.pager.replaceChildren(...(waiting ? [element("span", { className: "quiet", textContent: where }), before, after] : []));
  }

  drawBar() {
    const size = this.selected.size;
    this.bar.hidden = !size;
    const { waiting } = this.state;
    fill(this.bar,
      element("b", { textContent: `已选 ${count(size)} 份` }),
      size < waiting ? button(`选中全部符合条件的 ${count(waiting)} 份`, () => this.selectAll(), "plain") : null,
      button("取消选择", () => this.clear(), "plain"),
      element("span", { className: "space" }),
      button("批量退回", () => this.decide("return")),
      button("批量通过", () => this.decide("approve"), "primary"),
    );
  }

  clear() {
    this.selected.clear();
    this.refresh();
  }

  // DECIDING

  decide(action) {
    if (!this.selected.size && this.rows[this.current]) this.mark(this.rows[this.current], true);
    this.refresh();
    if (!this.selected.size) return;
    const returning = action === "return";
    const word = returning ? "退回" : "通过";
    const reason = element("textarea", { rows: 3, maxLength: 500, placeholder: returning ? "请写明需要修改什么、依据是什么" : "可不填", "aria-label": returning ? "统一的退回理由" : "统一的审核意见" });
    const templates = returning ? this.state.reasons.map((words) => button(words, () => { reason.value = words; reason.focus(); }, "chip")) : [];
    this.dialog(`批量${word} ${count(this.selected.size)} 份`, [
      element("p", { className: "quiet", textContent: "只办理您看到的这一版；其间有变动、不再由您审核或自动校验有错误的，会留下并说明原因。生效之前可以撤销。" }),
      element("span", { className: "label", textContent: returning ? "统一的退回理由（必填）" : "统一的审核意见" }),
      reason, element("div", { className: "templates" }, ...templates),
    ], `${word} ${count(this.selected.size)} 份`, async () => {
      if (returning && !reason.value.trim()) return "退回必须写明理由。";
      const answer = await this.ask("POST", "/api/review/bulk", { action, comment: reason.value.trim(), seen: [...this.selected] });
      if (!answer.ok) return answer.data.message ?? "未办理：暂时连接不上，请稍后再试。";
      this.selected.clear();
      this.load();
      return null;
    });
    reason.focus();
  }

  /** Open a dialog; `act` answers with what is wrong, or with nothing once it is done. */
  dialog(title, content, word, act) {
    this.open_dialog?.remove();
    const wrong = element("p", { className: "wrong", role: "alert" });
    const send = element("button", { type: "submit", className: "primary", textContent: word });
    const box = element("dialog", { "aria-label": title, onclose: () => box.remove() },
      element("form", { method: "dialog", onsubmit: async (event) => {
        event.preventDefault();
        send.disabled = this.busy = true;
        wrong.textContent = (await act()) ?? "";
        send.disabled = this.busy = false;
        if (!wrong.textContent) box.close();
      } },
      element("h3", { textContent: title }), ...content, wrong,
      element("div", { className: "actions" }, button("取消", () => box.close()), send)));
    this.open_dialog = box;
    this.body.append(box);
    box.showModal();
  }

  // WHAT WAS DECIDED

  drawRecent() {
    clearTimeout(this.watching);
    this.recent = this.state.recent;
    this.readAt = performance.now();
    this.drawNotices();
  }

  drawNotices() {
    const told = this.recent.filter((bulk) => !this.dismissed().has(bulk.id));
    const said = this.said ? [this.said] : [];
    this.notices.replaceChildren(...said, ...told.map((bulk) => this.notice(bulk)));
    if (told.some((bulk) => bulk.pending)) {
      clearTimeout(this.watching);
      this.watching = setTimeout(() => this.tick(), WATCH_BULK);
    }
  }

  /** Count down; once the moment has come, look at what became of it. */
  async tick() {
    const due = this.recent.filter((bulk) => bulk.pending && this.secondsLeft(bulk) <= 0);
    for (const bulk of due) {
      const answer = await this.ask("GET", `/api/review/bulk/${bulk.id}`);
      if (answer.ok && answer.data.pending < bulk.pending) return this.load();
    }
    return this.drawNotices();
  }

  secondsLeft(bulk) {
    return Math.ceil(bulk.seconds - (performance.now() - this.readAt) / 1000);
  }

  notice(bulk) {
    const left = this.secondsLeft(bulk);
    const parts = [];
    if (bulk.pending) parts.push(left > 0 ? `${count(bulk.pending)} 份将批量${bulk.word}，${left} 秒后生效` : `${count(bulk.pending)} 份批量${bulk.word}正在生效`);
    if (bulk.done) parts.push(`已${bulk.word} ${count(bulk.done)} 份`);
    if (bulk.undone) parts.push(`已撤销 ${count(bulk.undone)} 份`);
    if (bulk.left_out_count) parts.push(`${count(bulk.left_out_count)} 份未办理`);
    if (bulk.unseen) parts.push(`${count(bulk.unseen)} 份不在您的数据范围内`);
    const head = element("span", { textContent: `${bulk.decided} 批量${bulk.word} ${count(bulk.chosen)} 份：${parts.join("，")}。` });
    const undo = bulk.pending ? button("撤销", () => this.undo(bulk), "undo") : null;
    const close = bulk.pending ? null : element("button", { type: "button", className: "drop", textContent: "×", title: "知道了", "aria-label": "知道了", onclick: () => this.dismiss(bulk) });
    return element("div", { className: `notice ${bulk.pending ? "waiting" : "settled"}` },
      element("div", { className: "line" }, head, undo, close), this.leftOut(bulk));
  }

  leftOut(bulk) {
    if (!bulk.left_out.length) return null;
    const items = bulk.left_out.map((item) => element("li", {},
      element("a", { href: this.address(item.id), textContent: item.what }), `：${item.why}`));
    const more = bulk.left_out_count - bulk.left_out.length;
    const details = element("details", {}, element("summary", { textContent: `未办理的 ${count(bulk.left_out_count)} 份` }),
      element("ul", {}, ...items, more > 0 ? element("li", { textContent: `另有 ${count(more)} 份未列出。` }) : null));
    details.open = this.opened?.has(bulk.id) ?? false;
    details.addEventListener("toggle", () => { this.opened ??= new Set(); if (details.open) this.opened.add(bulk.id); else this.opened.delete(bulk.id); });
    return details;
  }

  async undo(bulk, ids = null) {
    const answer = await this.ask("POST", `/api/review/bulk/${bulk.id}/undo`, { ids });
    if (!answer.ok) this.say(answer.data.message ?? "未能撤销，请稍后再试。", "failed");
    this.load();
  }

  dismissed() {
    try {
      return new Set(JSON.parse(sessionStorage.getItem("portal.bulk") ?? "[]"));
    } catch {
      return new Set();
    }
  }

  dismiss(bulk) {
    try {
      sessionStorage.setItem("portal.bulk", JSON.stringify([...this.dismissed(), bulk.id]));
    } catch {
      this.recent = this.recent.filter((one) => one.id !== bulk.id);
    }
    this.drawNotices();
  }

  say(words, kind = "settled", action = null) {
    const close = () => { this.said = null; this.drawNotices(); };
    this.said = element("div", { className: `notice ${kind}` }, element("div", { className: "line" },
      element("span", { textContent: words }),
      action ? button(action[0], () => { close(); action[1](); }, "undo") : null,
      element("button", { type: "button", className: "drop", textContent: "×", "aria-label": "知道了", onclick: close })));
    this.recent ??= [];
    this.drawNotices();
  }

  // KEYBOARD

  help() {
    const known = this.body.querySelector("dialog.help");
    if (known) return known.close();
    const box = element("dialog", { className: "help", "aria-label": "快捷键", onclose: () => box.remove(), onclick: () => box.close() },
      element("h3", { textContent: "快捷键" }),
      element("dl", {}, ...KEYS.flatMap(([keys, words]) => [element("dt", { textContent: keys }), element("dd", { textContent: words })])));
    this.body.append(box);
    return box.showModal();
  }

  key(event) {
    const target = event.composedPath()[0];
    const typing = target.matches?.("input:not([type=checkbox]), textarea, select, [contenteditable]");
    if (!this.state || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.key === "?" && !typing) return this.taken(event, () => this.help());
    if (this.body.querySelector("dialog[open]")) return event.key === "r" && !typing ? this.taken(event, () => {}) : undefined;
    if (typing) return event.key === "Escape" ? target.blur() : undefined;
    if (target.closest?.("button, a, summary") && ["Enter", " "].includes(event.key)) return undefined;
    const act = {
      j: () => this.step(1), ArrowDown: () => this.step(1), k: () => this.step(-1), ArrowUp: () => this.step(-1),
      " ": () => this.toggle(event.shiftKey), Enter: () => this.rows[this.current] && this.open(this.rows[this.current]),
      a: () => this.decide("approve"), r: () => this.decide("return"), "*": () => this.selectPage(true),
      n: () => this.state.page < this.state.pages && this.goTo(this.state.page + 1),
      p: () => this.state.page > 1 && this.goTo(this.state.page - 1),
      "/": () => this.filters.querySelector("[name=q]").focus(), Escape: () => this.clear(),
    }[event.key];
    return act ? this.taken(event, act) : undefined;
  }

  taken(event, act) {
    event.preventDefault();
    event.stopImmediatePropagation();
    act();
  }

  step(by) {
    if (!this.rows.length) return;
    this.current = Math.max(0, Math.min(this.rows.length - 1, this.current + by));
    this.lines.forEach((line, index) => line.classList.toggle("current", index === this.current));
    this.lines[this.current].scrollIntoView({ block: "nearest" });
  }

  toggle(range) {
    const row = this.rows[this.current];
    if (row) this.pick(this.current, range || !this.selected.has(row.id), range);
  }
}

const queues = new WeakMap();

export default function reviewQueue(component) {
  const { data, parentElement, setTriggerValue } = component;
  let queue = queues.get(parentElement);
  if (!queue) {
    queue = new Queue(parentElement, data);
    queues.set(parentElement, queue);
    queue.keepAddress();
    queue.load();
  }
  queue.trigger = setTriggerValue;
  queue.attach();
  return () => queue.detach();
}
