// What stands around a grid's table: its tools above; below it what the active cell has to say, and what is wrong.

const FILTERS = [["all", "全部行"], ["problem", "有问题的行"], ["missing", "有必填未填的行"], ["changed", "与上次认定不同的行"], ["corrected", "退回后修改的行"], ["remark", "有退回理由的行"]];
const KEYS_HELP = "方向键移动，Shift 加方向键选择；直接输入即覆盖，F2 或双击修改；Enter 下移，Tab 右移；Delete 清除；"
  + "Ctrl+C / X / V 复制、剪切、粘贴；Ctrl+Z / Y 撤销、重做；Ctrl+D 向下填充；Ctrl+Enter 填入所选各格；"
  + "Home / End 到行首、行末；Alt+↓ 打开选项或日历；Alt+Enter 换行。";
const MOST_LINES = 6;
const MOST_PROBLEMS = 100;

class GridBars {
  constructor(grid) {
    this.grid = grid;
    this.tools = grid.tools;
    const { element } = this.tools;
    const button = (text, title, onclick) => element("button", { type: "button", className: "tool", textContent: text, title, onclick });
    this.undoButton = button("撤销", "撤销（Ctrl+Z）", () => grid.undo());
    this.redoButton = button("重做", "重做（Ctrl+Y）", () => grid.redo());
    this.previous = button("上一处", "上一处问题", () => grid.goToProblem(-1));
    this.next = button("下一处", "下一处问题", () => grid.goToProblem(1));
    this.count = element("span", { className: "problem-count" });
    this.filter = this.drawFilter();
    this.shown = element("span", { className: "quiet" });
    const keys = element("details", { className: "keys" }, element("summary", { textContent: "快捷键" }), element("p", { textContent: KEYS_HELP }));
    const { readOnly } = grid.form;
    this.tools_bar = element("div", { className: "grid-tools", role: "toolbar", "aria-label": "表格工具" },
      element("h3", { textContent: grid.title() }),
      readOnly ? null : this.undoButton, readOnly ? null : this.redoButton, this.filter, this.shown,
      element("span", { className: "room" }), this.count, this.previous, this.next, keys);
    this.message = element("div", { className: "grid-message", role: "status", "aria-live": "polite", hidden: true });
    this.detail = element("div", { className: "grid-detail", "aria-live": "polite" });
    this.list = element("details", { className: "grid-list", hidden: true });
    this.list.addEventListener("toggle", () => this.list.open && this.fillList());
  }

  drawFilter() {
    const { element } = this.tools;
    const field = this.grid.group.fields.find((one) => one.type === "code" && !one.read_only);
    const states = (field?.options ?? []).map(([code, name]) => [`code\u0000${field.code}\u0000${code}`, `${field.label}：${name}`]);
    const offered = [...FILTERS.filter(([code]) => this.offers(code)), ...states];
    return element("select", { "aria-label": "筛选行", title: "筛选只改变显示", onchange: (event) => this.grid.setFilter(event.target.value) },
      ...offered.map(([code, name]) => element("option", { value: code, textContent: name })));
  }

  offers(filter) {
    const { state, wasReturned } = this.grid.form;
    if (filter === "remark") return state.remarks.length > 0;
    return filter !== "corrected" || wasReturned;
  }

  refresh() {
    const { table, form } = this.grid;
    this.undoButton.disabled = !form.done.length;
    this.redoButton.disabled = !form.undone.length;
    this.filter.value = table.filter;
    const all = form.state.rows[this.grid.group.code].length;
    this.shown.textContent = table.rows.length < all ? `显示 ${table.rows.length} / ${all} 行` : "";
    const wrong = table.wrong.length;
    this.count.textContent = wrong ? `${wrong} 处问题` : "";
    this.previous.hidden = this.next.hidden = !wrong;
    this.list.hidden = !wrong;
    if (wrong && this.list.open) this.fillList();
    else if (wrong && !this.list.firstChild) this.fillList();
    this.showDetail();
  }

  /** Say in full what the tooltip of the active cell says. */
  showDetail() {
    const { table, active } = this.grid;
    const { element } = this.tools;
    const row = table.rows[active.row];
    if (!row) return this.detail.replaceChildren(element("span", { className: "quiet", textContent: "没有符合筛选的行。" }));
    const { field } = table.columns[active.column];
    const state = table.cellState(row, field, this.grid.form.names(this.grid.group, row));
    const name = `${row.label} · ${table.heading(field)}${state.isRequired ? "（必填）" : ""}`;
    const lines = table.explain(state, field).split("\n").filter(Boolean);
    const parts = [
      element("strong", { textContent: name }),
      ...lines.map((line, index) => element("span", { className: index < state.problems.length ? `message ${state.problems[index].severity}` : "", textContent: line })),
      !lines.length && field.help ? element("span", { className: "quiet", textContent: field.help }) : null,
    ];
    this.detail.replaceChildren(...parts.filter(Boolean));
    this.grid.box.input.setAttribute("aria-label", [name, state.text || "空", ...lines].join("，"));
  }

  fillList() {
    const { element } = this.tools;
    const { wrong } = this.grid.table;
    const item = (problem) => element("li", {},
      element("button", { type: "button", className: "plain", textContent: problem.label, onclick: () => this.grid.goTo(problem.path) }),
      element("span", { textContent: `：${problem.message}` }));
    this.list.replaceChildren(element("summary", { textContent: `问题清单（${wrong.length}）` }),
      element("ul", {}, ...wrong.slice(0, MOST_PROBLEMS).map(item),
        wrong.length > MOST_PROBLEMS ? element("li", { className: "quiet", textContent: `……还有 ${wrong.length - MOST_PROBLEMS} 处，可筛选“有问题的行”逐行查看。` }) : null));
  }

  /** Tell what an act did and what it left alone; offer to take it back. */
  tell(text, notes = [], canUndo = false) {
    const { element } = this.tools;
    const shown = notes.slice(0, MOST_LINES);
    if (notes.length > MOST_LINES) shown.push(`……共 ${notes.length} 条。`);
    this.message.classList.toggle("has-notes", notes.length > 0);
    this.message.replaceChildren(
      element("div", {}, element("span", { textContent: text }), ...shown.map((note) => element("p", { textContent: note }))),
      element("span", { className: "message-actions" },
        canUndo ? element("button", { type: "button", className: "plain", textContent: "撤销", onclick: () => this.grid.undo() }) : null,
        element("button", { type: "button", className: "plain", textContent: "知道了", onclick: () => this.hush() })));
    this.message.hidden = false;
  }

  hush() {
    this.message.hidden = true;
    this.grid.box.focus();
  }
}
