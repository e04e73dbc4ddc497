// The table of a grid: its columns, its rows in view, and only those cells that can be seen.

const ROW_HEIGHT = 30; // pixels, as all below
const BAND_HEIGHT = 22;
const HEAD_HEIGHT = 44;
const TITLE_WIDTH = 210;
const NARROWEST = 48;
const AROUND = 3; // rows and columns drawn beyond the edge
const WIDTHS = { date: 112, integer: 92, decimal: 116, phone: 128, boolean: 76, evidence: 96, long_text: 220, text: 150 };
const NUMBERS = ["integer", "decimal"];

const isEmpty = (value) => value === null || value === undefined || value === "";

class GridTable {
  constructor(form, group, tools) {
    this.form = form;
    this.group = group;
    this.tools = tools;
    this.rows = form.state.rows[group.code] ?? [];
    this.filter = "all";
    this.sorting = null;
    this.id = `grid-${group.code}`;
    this.columns = group.fields.map((field) => ({ field, width: this.keptWidth(field) ?? this.usualWidth(field) }));
    this.place();
    this.arrange();
  }

  // GEOMETRY

  usualWidth(field) {
    const heading = Math.ceil(this.heading(field).length / 2) * 14 + 34;
    const longest = Math.max(0, ...field.options.map(([, name]) => name.length));
    const usual = field.type === "code" ? Math.min(200, longest * 14 + 40) : WIDTHS[field.type] ?? WIDTHS.text;
    return Math.max(usual, Math.min(heading, 190));
  }

  heading(field) {
    return field.unit ? `${field.label}（${field.unit}）` : field.label;
  }

  widthKey() {
    return `portal.grid.${this.form.userId}.${this.form.state.form.title}.${this.group.code}`;
  }

  keptWidth(field) {
    try {
      this.kept ??= JSON.parse(localStorage.getItem(this.widthKey()) ?? "{}");
    } catch {
      this.kept = {};
    }
    return this.kept[field.code];
  }

  resize(index, width) {
    const column = this.columns[index];
    column.width = Math.max(NARROWEST, Math.round(width));
    this.kept[column.field.code] = column.width;
    try {
      localStorage.setItem(this.widthKey(), JSON.stringify(this.kept));
    } catch {
      // The width holds for this visit.
    }
    this.place();
  }

  place() {
    let left = TITLE_WIDTH;
    for (const column of this.columns) {
      column.left = left;
      left += column.width;
    }
    this.width = left;
  }

  get head() {
    return BAND_HEIGHT + HEAD_HEIGHT;
  }

  get height() {
    return this.head + this.lines.length * ROW_HEIGHT;
  }

  box(row, column) {
    const { left, width } = this.columns[column];
    return { left, width, top: this.head + this.lineOf[row] * ROW_HEIGHT, height: ROW_HEIGHT };
  }

  // ROWS IN VIEW: filtered and sorted when asked, and then at rest, so that no row moves while it is filled in

  arrange() {
    const all = this.form.state.rows[this.group.code] ?? [];
    this.number = new Map(all.map((row, index) => [row.key, index + 1]));
    this.rows = all.filter((row) => this.passes(row));
    if (this.sorting) this.rows.sort((a, b) => this.order(a, b));
    this.lines = [];
    this.lineOf = [];
    let parent = null;
    const grouped = this.hasParents(all) && !this.sorting;
    this.rows.forEach((row, index) => {
      if (grouped && row.parent[1] !== parent) {
        parent = row.parent[1];
        this.lines.push({ heading: this.parentOf(row)?.label ?? parent });
      }
      this.lineOf[index] = this.lines.length;
      this.lines.push({ row, index });
    });
  }

  hasParents(rows) {
    return new Set(rows.map((row) => row.parent?.[1])).size > 1;
  }

  parentOf(row) {
    return row.parent && this.form.state.rows[row.parent[0]]?.find((one) => one.key === row.parent[1]);
  }

  passes(row) {
    if (this.filter === "all") return true;
    const paths = this.group.fields.map((field) => this.path(row, field));
    if (this.filter === "problem") return paths.some((path) => this.form.problemsAt(path).some((one) => one.severity === "error"));
    if (this.filter === "missing") return paths.some((path) => this.isMissing(path));
    if (this.filter === "changed") return paths.some((path) => this.form.isChanged(path));
    if (this.filter === "corrected") return paths.some((path) => this.form.isCorrected(path));
    if (this.filter === "remark") return paths.some((path) => this.form.remarksAt(path).length);
    const [, code, option] = this.filter.split("\u0000");
    return String(this.form.values[pathIn(this, row, code)] ?? "") === option;
  }

  isMissing(path) {
    return (this.form.problemsOf.get(path) ?? []).some((problem) => problem.kind === "missing");
  }

  order(a, b) {
    const { field, descending } = this.sorting;
    const [left, right] = [a, b].map((row) => this.form.values[this.path(row, field)]);
    if (isEmpty(left) || isEmpty(right)) return Number(isEmpty(left)) - Number(isEmpty(right));
    const order = NUMBERS.includes(field.type) ? Number(left) - Number(right) || 0
      : String(this.form.text(this.path(a, field), left)).localeCompare(this.form.text(this.path(b, field), right), "zh");
    return descending ? -order : order;
  }

  path(row, field) {
    return this.tools.pathOf(this.group.code, row.key, field.code);
  }

  pathAt(row, column) {
    return this.path(this.rows[row], this.columns[column].field);
  }

  // WHAT A CELL IS

  isFixed(row, field) {
    return field.type === "evidence" || this.form.isLocked({ row, field });
  }

  text(row, field) {
    const path = this.path(row, field);
    const value = this.form.values[path];
    if (field.type === "evidence" && isEmpty(value) && !this.form.isVisible({ group: this.group, row, field })) return "";
    if (field.type === "evidence") return `${Object.keys(value ?? {}).length} / ${row.file_items.length} 件`;
    return isEmpty(value) ? "" : String(this.form.text(path, value));
  }

  /** Return everything a cell shows beside its text; `names` are those of its row. */
  cellState(row, field, names) {
    const path = this.path(row, field);
    const problems = this.form.problemsAt(path);
    const isVisible = field.explains || this.form.shows({ field, path }, names);
    return {
      path,
      text: this.text(row, field),
      isVisible,
      isFixed: this.isFixed(row, field),
      isRequired: isVisible && this.form.requires({ field, path }, names),
      isEmpty: isEmpty(this.form.values[path]),
      isChanged: isVisible && this.form.isMarked(path),
      problems,
      worst: this.form.worst(problems),
      remarks: this.form.remarksAt(path),
    };
  }

  /** Count what is wrong by row and by column, once for each answer of the server. */
  countProblems() {
    if (this.counted === this.form.problems && this.countedAttempt === this.form.attempted) return;
    this.counted = this.form.problems;
    this.countedAttempt = this.form.attempted;
    this.byRow = new Map();
    this.byColumn = new Map();
    this.wrong = [];
    for (const problem of this.form.problems) {
      const cell = this.form.cells[problem.path];
      if (cell?.group.code !== this.group.code || problem.severity !== "error" || !this.form.isShown(problem)) continue;
      this.wrong.push(problem);
      this.byRow.set(cell.row.key, (this.byRow.get(cell.row.key) ?? 0) + 1);
      this.byColumn.set(cell.field.code, (this.byColumn.get(cell.field.code) ?? 0) + 1);
    }
  }

  // DRAWING

  drawHead() {
    const { element } = this.tools;
    const bands = [];
    for (const column of this.columns) {
      const last = bands.at(-1);
      if (last?.section === column.field.section) last.width += column.width;
      else bands.push({ section: column.field.section, left: column.left, width: column.width });
    }
    return [
      element("div", { className: "corner", role: "columnheader", title: "全选", textContent: `${this.rows.length} 行` }),
      ...bands.map(({ section, left, width }) => element("div", { className: "band", style: `left:${left}px;width:${width}px` }, element("span", { textContent: section }))),
      ...this.columns.map((column, index) => this.drawHeading(column, index)),
    ];
  }

  drawHeading({ field, left, width }, index) {
    const { element } = this.tools;
    const wrong = this.byColumn.get(field.code);
    const sorted = this.sorting?.field === field ? (this.sorting.descending ? "▼" : "▲") : "";
    const always = field.required?.[0] === "const" && field.required[1];
    const node = element("div", { className: "heading", role: "columnheader", "aria-colindex": index + 2, title: field.help ?? "", style: `left:${left}px;width:${width}px` },
      element("span", { className: "words" }, always ? element("span", { className: "required", textContent: "*", title: "必填" }) : null, this.heading(field)),
      wrong ? element("span", { className: "wrong", textContent: wrong, title: `本列 ${wrong} 处问题` }) : null,
      element("button", { type: "button", className: "sort", tabIndex: -1, title: "排序（只改变显示）", textContent: sorted || "↕" }),
      element("span", { className: "grip", title: "拖动调整列宽" }));
    node.dataset.column = index;
    return node;
  }

  /** Return the nodes of the lines between two heights, with the columns between two widths. */
  drawLines(view, selection) {
    const first = Math.max(0, Math.floor((view.top - this.head) / ROW_HEIGHT) - AROUND);
    const last = Math.min(this.lines.length, Math.ceil((view.top + view.height - this.head) / ROW_HEIGHT) + AROUND);
    const columns = this.columns.map((column, index) => ({ ...column, index }))
      .filter(({ left, width }) => left + width > view.left && left < view.left + view.width);
    return this.lines.slice(first, last).map((line, index) => this.drawLine(line, first + index, columns, selection));
  }

  drawLine(line, number, columns, selection) {
    const { element } = this.tools;
    const style = `top:${this.head + number * ROW_HEIGHT}px`;
    if (!line.row) {
      return element("div", { className: "line parent", role: "row", style }, element("div", { className: "parent-name", textContent: line.heading }));
    }
    const names = this.form.names(this.group, line.row);
    return element("div", { className: "line", role: "row", "aria-rowindex": number + 2, style },
      this.drawTitle(line, selection),
      ...columns.map((column) => this.drawCell(line, column, names, selection)));
  }

  drawTitle({ row, index }, selection) {
    const { element } = this.tools;
    const wrong = this.byRow.get(row.key);
    const parent = this.sorting ? this.parentOf(row) : null;
    const node = element("div", { className: `row-title${within(selection, index) ? " chosen" : ""}`, role: "rowheader", title: [row.label, row.hint].filter(Boolean).join("\n") },
      element("span", { className: "number", textContent: this.number.get(row.key) }),
      element("span", { className: "name", textContent: parent && this.hasParents(this.form.state.rows[this.group.code]) ? `${parent.label} · ${row.label}` : row.label }),
      wrong ? element("span", { className: "wrong", textContent: wrong, title: `本行 ${wrong} 处问题` }) : null,
      element("button", { type: "button", className: "open-card", tabIndex: -1, title: "以卡片打开这一行", "aria-label": `以卡片打开${row.label}`, textContent: "⤢" }));
    node.dataset.row = index;
    return node;
  }

  drawCell({ row, index }, column, names, selection) {
    const { field, left, width } = column;
    const state = this.cellState(row, field, names);
    const inRange = within(selection, index, column.index);
    const classes = ["c", NUMBERS.includes(field.type) ? "figure" : "", field.type === "evidence" ? "files-of" : "",
      state.isVisible ? "" : "off", state.isFixed ? "fixed" : "", state.worst ?? "", state.remarks.length ? "remarked" : "",
      state.isChanged ? "differs" : "", inRange ? "chosen" : ""];
    const node = this.tools.element("div", {
      className: classes.filter(Boolean).join(" "),
      id: `${this.id}-${index}-${column.index}`,
      role: "gridcell",
      "aria-colindex": column.index + 2,
      "aria-selected": String(inRange),
      "aria-readonly": String(state.isFixed),
      "aria-invalid": String(state.worst === "error"),
      title: this.explain(state, field),
      style: `left:${left}px;width:${width}px`,
      textContent: state.isEmpty && state.isRequired && !state.isFixed ? "" : state.text,
    });
    if (state.isEmpty && state.isRequired && !state.isFixed) node.classList.add("needed");
    node.dataset.row = index;
    node.dataset.column = column.index;
    return node;
  }

  explain(state, field) {
    return [
      ...state.problems.map((problem) => problem.message),
      ...state.remarks.map((remark) => `退回理由：${remark.reason}`),
      ...(state.isVisible ? this.form.beforeWords(state.path) : []),
      !state.isVisible ? (state.isEmpty ? "按当前填写情况，此项不需填写。" : "按当前填写情况，此项不需填写：内容保留在草稿中，提交时不报送。") : "",
      field.kind && !state.isFixed ? "可按 Alt+↓ 以卡片打开，从已登记的内容中查找。" : "",
      field.type === "evidence" ? "佐证材料请在卡片中上传（双击或按回车打开）。" : state.isFixed && !this.form.readOnly ? "只读，不能修改。" : "",
    ].filter(Boolean).join("\n");
  }
}

const pathIn = (table, row, code) => table.tools.pathOf(table.group.code, row.key, code);

/** Whether a row, or one cell of it, lies in a selection. */
function within({ top, left, height, width }, row, column = left) {
  return row >= top && row < top + height && column >= left && column < left + width;
}
