// A group of rows as a grid: selection, keys, the clipboard, and what happened to what was pasted.
//
// The form holds the values, saves them and knows what is wrong; the grid is another view of them.

const PAGE_ROWS = 15;
const PASTE = "粘贴";

class Grid {
  constructor(form, group, place, tools) {
    this.form = form;
    this.group = group;
    this.tools = tools;
    this.table = new GridTable(form, group, tools);
    this.active = { row: 0, column: 0 };
    this.far = { row: 0, column: 0 };
    this.box = new CellBox(this);
    this.bars = new GridBars(this);
    this.draw(place);
    this.listen();
    this.refresh();
  }

  get typing() {
    return this.box.typing;
  }

  title() {
    return this.group.title;
  }

  cellOf(row, field) {
    return this.form.cells[this.table.path(row, field)];
  }

  // DRAWING

  draw(place) {
    const { element } = this.tools;
    this.head = element("div", { className: "grid-head", role: "row" });
    this.body = element("div", { className: "grid-body", role: "rowgroup" });
    this.space = element("div", { className: "space" }, this.head, this.body, this.box.node);
    this.scroller = element("div", { className: "scroller", id: this.table.id, role: "grid", "aria-label": this.title(), "aria-multiselectable": "true" }, this.space);
    this.box.input.setAttribute("aria-controls", this.table.id);
    place.replaceChildren(element("style", { textContent: GRID_STYLE }),
      this.bars.tools_bar, this.bars.message, this.scroller, this.bars.detail, this.bars.list);
    place.classList.add("ready");
  }

  refresh() {
    this.table.countProblems();
    this.keepInside();
    const { table, scroller } = this;
    scroller.setAttribute("aria-rowcount", table.lines.length + 1);
    scroller.setAttribute("aria-colcount", table.columns.length + 1);
    Object.assign(this.space.style, { width: `${table.width}px`, height: `${table.height}px` });
    this.head.replaceChildren(...table.drawHead());
    this.drawBody();
    this.bars.refresh();
  }

  drawBody() {
    const { scrollTop, scrollLeft, clientHeight, clientWidth } = this.scroller;
    const view = { top: scrollTop, left: scrollLeft, height: clientHeight || 600, width: clientWidth || 1200 };
    this.body.replaceChildren(...this.table.drawLines(view, this.range()));
    const active = this.cellNode(this.active);
    active?.classList.add("active");
    if (active) this.box.input.setAttribute("aria-activedescendant", active.id);
    this.box.follow();
  }

  /** Many changes, one picture: scrolling and selecting draw once a frame. */
  drawSoon() {
    this.soon ??= requestAnimationFrame(() => {
      this.soon = null;
      this.drawBody();
    });
  }

  cellNode({ row, column }) {
    return this.body.querySelector(`#${CSS.escape(`${this.table.id}-${row}-${column}`)}`);
  }

  // SELECTION

  range() {
    const { active, far } = this;
    const top = Math.min(active.row, far.row);
    const left = Math.min(active.column, far.column);
    return { top, left, height: Math.abs(active.row - far.row) + 1, width: Math.abs(active.column - far.column) + 1 };
  }

  keepInside() {
    this.active = this.inside(this.active);
    this.far = this.inside(this.far);
  }

  inside({ row, column }) {
    const last = { row: Math.max(0, this.table.rows.length - 1), column: this.table.columns.length - 1 };
    return { row: Math.min(Math.max(0, row), last.row), column: Math.min(Math.max(0, column), last.column) };
  }

  /** Select from the active cell to the far one; what is to be seen is the far one, unless told otherwise. */
  select(active, far = active, seen = far) {
    this.box.close();
    this.active = { ...active };
    this.far = { ...far };
    this.keepInside();
    if (seen) this.reveal(this.inside(seen));
    this.drawBody();
    this.bars.showDetail();
  }

  step(down, right) {
    this.select({ row: this.active.row + down, column: this.active.column + right });
  }

  extend(down, right) {
    this.select(this.active, { row: this.far.row + down, column: this.far.column + right });
  }

  reveal({ row, column }) {
    if (!this.table.rows.length) return;
    const box = this.table.box(row, column);
    const { scroller } = this;
    if (box.top - this.table.head < scroller.scrollTop) scroller.scrollTop = box.top - this.table.head;
    else if (box.top + box.height > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = box.top + box.height - scroller.clientHeight;
    if (box.left - TITLE_WIDTH < scroller.scrollLeft) scroller.scrollLeft = box.left - TITLE_WIDTH;
    else if (box.left + box.width > scroller.scrollLeft + scroller.clientWidth) scroller.scrollLeft = box.left + box.width - scroller.clientWidth;
  }

  /** The page, too, goes to where the keys are: the table is not to end behind the bar of saving. */
  comeIntoView() {
    this.scroller.scrollIntoView({ block: "nearest" });
  }

  /** Show a field by its path; tell whether it is in this grid. */
  goTo(path) {
    const cell = this.form.cells[path];
    if (cell?.group.code !== this.group.code) return false;
    if (!this.table.rows.includes(cell.row)) this.setFilter("all");
    const row = this.table.rows.indexOf(cell.row);
    const column = this.table.columns.findIndex(({ field }) => field === cell.field);
    this.select({ row, column });
    this.comeIntoView();
    this.box.focus();
    return true;
  }

  goToProblem(step) {
    const order = this.table.wrong.map(({ path }) => this.form.cells[path])
      .map(({ row, field }) => ({ row: this.table.rows.indexOf(row), column: this.table.columns.findIndex((one) => one.field === field) }))
      .filter(({ row }) => row >= 0)
      .sort((a, b) => a.row - b.row || a.column - b.column);
    if (!order.length) return;
    const after = (at) => at.row > this.active.row || (at.row === this.active.row && at.column > this.active.column);
    const before = (at) => at.row < this.active.row || (at.row === this.active.row && at.column < this.active.column);
    this.select(step > 0 ? order.find(after) ?? order[0] : order.findLast(before) ?? order.at(-1));
    this.box.focus();
  }

  setFilter(filter) {
    this.table.filter = filter;
    this.rearrange();
  }

  sort(field) {
    const { sorting } = this.table;
    if (sorting?.field !== field) this.table.sorting = { field, descending: false };
    else this.table.sorting = sorting.descending ? null : { field, descending: true };
    this.rearrange();
  }

  rearrange() {
    this.box.close();
    this.table.arrange();
    this.scroller.scrollTop = 0;
    this.active = { row: 0, column: this.active.column };
    this.far = this.active;
    this.refresh();
  }

  // MOUSE

  listen() {
    this.scroller.addEventListener("scroll", () => this.drawSoon());
    this.scroller.addEventListener("mousedown", (event) => this.pressed(event));
    const { input } = this.box;
    input.addEventListener("keydown", (event) => this.key(event));
    input.addEventListener("copy", (event) => this.copied(event));
    input.addEventListener("cut", (event) => this.copied(event) && this.clear("剪切"));
    input.addEventListener("paste", (event) => this.pasted(event));
    new ResizeObserver(() => this.drawSoon()).observe(this.scroller);
  }

  pressed(event) {
    if (event.target.closest(".cell-box") || event.button !== 0) return;
    const at = event.target.closest("[data-row], [data-column], .corner");
    if (!at) return;
    event.preventDefault();
    if (event.target.closest(".grip")) return this.resizeFrom(Number(at.dataset.column), event.clientX);
    if (event.target.closest(".sort")) return this.sort(this.table.columns[Number(at.dataset.column)].field);
    if (event.target.closest(".open-card")) return this.openCard(this.table.rows[Number(at.dataset.row)]);
    this.selectFrom(at, event.shiftKey);
    this.box.focus();
    // Selecting draws the cell anew, so that a double click has no target of its own.
    if (event.detail === 2 && at.classList.contains("c")) this.box.open("key");
  }

  selectFrom(at, isExtended) {
    const rows = this.table.rows.length - 1;
    const columns = this.table.columns.length - 1;
    const row = Number(at.dataset.row ?? 0);
    const column = Number(at.dataset.column ?? 0);
    if (at.classList.contains("corner")) return this.selectAll();
    if (at.classList.contains("heading")) return this.select({ row: 0, column }, { row: rows, column }, null);
    if (at.classList.contains("row-title")) return this.select({ row: isExtended ? this.active.row : row, column: 0 }, { row, column: columns }, null);
    this.select(isExtended ? this.active : { row, column }, { row, column });
    this.follow((event) => {
      const over = this.scroller.getRootNode().elementFromPoint(event.clientX, event.clientY)?.closest?.(".c");
      if (over) this.select(this.active, { row: Number(over.dataset.row), column: Number(over.dataset.column) });
    });
  }

  resizeFrom(column, start) {
    const before = this.table.columns[column].width;
    this.follow((event) => {
      this.table.resize(column, before + event.clientX - start);
      this.refresh();
    });
  }

  /** Listen to the mouse until its button is let go. */
  follow(moved) {
    const stop = () => {
      window.removeEventListener("mousemove", moved);
      window.removeEventListener("mouseup", stop);
    };
    window.addEventListener("mousemove", moved);
    window.addEventListener("mouseup", stop);
  }

  openCard(row, field = this.table.columns[0].field) {
    this.box.close();
    this.form.openCard(this.group, row, field.code, () => {
      this.refresh();
      this.box.focus();
    });
  }

  /** Somebody wants to change what the grid does not change. */
  openFixed(row, field) {
    if (field.type === "evidence" && !this.form.readOnly) return this.openCard(row, field);
    this.bars.tell(this.form.readOnly ? "这份表现在只能查看，不能修改。" : `“${row.label}”的“${field.label}”为只读，不能修改。`);
  }

  // KEYS

  key(event) {
    if (event.isComposing || event.keyCode === 229) return;
    // The page around has keys of its own.
    event.stopPropagation();
    const used = this.box.isOpen ? this.box.key(event) : this.command(event) || this.move(event);
    if (used) event.preventDefault();
    if (used && !this.box.isOpen) this.comeIntoView();
  }

  command(event) {
    const { key } = event;
    const chosen = (event.ctrlKey || event.metaKey) && !event.altKey;
    const letter = key.toLowerCase();
    if (chosen && letter === "z") return event.shiftKey ? this.redo() : this.undo();
    if (chosen && letter === "y") return this.redo();
    if (chosen && letter === "d") return this.fillDown();
    if (chosen && letter === "a") return this.selectAll();
    if (key === "Delete" || key === "Backspace") return this.clear("清除");
    if (key === "F2") return this.opened("key");
    if (event.altKey && key === "ArrowDown") return this.opened("list");
    return false;
  }

  opened(how) {
    const { field } = this.table.columns[this.active.column];
    const row = this.table.rows[this.active.row];
    if (how === "list" && field.kind && row) this.openCard(row, field);
    else if (how === "list") this.box.pick();
    else this.box.open(how);
    return true;
  }

  selectAll() {
    this.select({ row: 0, column: 0 }, { row: this.table.rows.length - 1, column: this.table.columns.length - 1 }, null);
    return true;
  }

  move(event) {
    const { key, shiftKey } = event;
    const far = event.ctrlKey || event.metaKey;
    const rows = this.table.rows.length;
    const columns = this.table.columns.length;
    if (key === "Tab") return this.moveOn(event);
    if (key === "Enter") return this.entered(shiftKey);
    if (key === "Escape") return this.select(this.active) ?? true;
    const steps = {
      ...Object.fromEntries(Object.entries(ARROWS).map(([name, [down, right]]) => [name, far ? [down * rows, right * columns] : [down, right]])),
      PageUp: [-PAGE_ROWS, 0], PageDown: [PAGE_ROWS, 0],
      Home: [far ? -rows : 0, -columns], End: [far ? rows : 0, columns],
    };
    if (!steps[key]) return false;
    if (shiftKey) this.extend(...steps[key]);
    else this.step(...steps[key]);
    return true;
  }

  entered(isUp) {
    const row = this.table.rows[this.active.row];
    const { field } = this.table.columns[this.active.column];
    if (field.type === "evidence" && row) this.openCard(row, field);
    else this.step(isUp ? -1 : 1, 0);
    return true;
  }

  /** Tab goes on to the next row at the end of one, and leaves the grid at its corners. */
  moveOn({ shiftKey }) {
    const last = this.table.columns.length - 1;
    const { row, column } = this.active;
    const next = shiftKey ? { row: column ? row : row - 1, column: column ? column - 1 : last }
      : { row: column < last ? row : row + 1, column: column < last ? column + 1 : 0 };
    if (next.row < 0 || next.row >= this.table.rows.length) return false;
    this.select(next);
    return true;
  }

  // CHANGING

  undo() {
    this.moved(this.form.undo(), "已撤销");
    return true;
  }

  redo() {
    this.moved(this.form.redo(), "已重做");
    return true;
  }

  moved(act, words) {
    if (!act) return this.bars.tell("没有可以撤销或重做的操作。");
    this.bars.tell(`${words}：${act.name}（${act.steps.length} 格）。`);
    this.goTo(act.steps[0][0]);
  }

  eachSelected() {
    const { top, left, height, width } = this.range();
    const cells = [];
    for (let row = top; row < Math.min(top + height, this.table.rows.length); row += 1) {
      for (let column = left; column < left + width; column += 1) cells.push({ row, column });
    }
    return cells;
  }

  /** Give each cell its value, as one act; say which were left as they are, and which will not be filed. */
  write(cells, name, tell) {
    const fixed = [];
    const pairs = [];
    for (const { row, column, value } of cells) {
      const [line, { field }] = [this.table.rows[row], this.table.columns[column]];
      if (!this.table.isFixed(line, field)) pairs.push([this.table.path(line, field), value]);
      else if (!(isEmpty(value) && name === PASTE) && (value ?? "") !== this.table.text(line, field)) fixed.push({ line, field });
    }
    const act = this.form.edit(pairs, name);
    const hidden = pairs.filter(([path, value]) => value !== null && !this.form.isVisible(this.form.cells[path]));
    const notes = [...this.fixedNotes(fixed)];
    if (hidden.length) notes.push(`有 ${hidden.length} 格（灰底）按当前填写情况不需填写：内容已保留在草稿中，提交时不会报送。`);
    this.refresh();
    tell(act, pairs.length, notes);
  }

  fixedNotes(fixed) {
    const labelsOf = new Map();
    for (const { line, field } of fixed) labelsOf.set(line, [...(labelsOf.get(line) ?? []), field.label]);
    const rowsOf = new Map();
    for (const [line, labels] of labelsOf) rowsOf.set(labels.join("、"), [...(rowsOf.get(labels.join("、")) ?? []), line]);
    return [...rowsOf].map(([labels, lines]) => {
      const cells = lines.length * labelsOf.get(lines[0]).length;
      return `${this.rowWords(lines)}：${labels}为只读，未改动 ${cells} 格。`;
    });
  }

  rowWords(lines) {
    const numbers = lines.map((line) => this.table.number.get(line.key));
    if (lines.length === 1) return `第 ${numbers[0]} 行“${lines[0].label}”`;
    return lines.length <= 5 ? `第 ${numbers.join("、")} 行` : `第 ${numbers.slice(0, 5).join("、")} 行等共 ${lines.length} 行`;
  }

  fill(valueAt, name) {
    if (this.form.readOnly) return true;
    const cells = this.eachSelected().map((at) => ({ ...at, value: valueAt(at) }));
    this.write(cells, name, (act, count, notes) => {
      if (notes.length) this.bars.tell(`${name}完成。`, notes, Boolean(act));
    });
    return true;
  }

  clear(name) {
    return this.fill(() => null, name);
  }

  fillDown() {
    const range = this.range();
    const from = range.height > 1 ? range.top : range.top - 1;
    if (from < 0) return true;
    return this.fill(({ column }) => {
      const { field } = this.table.columns[column];
      return field.type === "evidence" ? null : this.form.values[this.table.pathAt(from, column)] ?? null;
    }, "向下填充");
  }

  // CLIPBOARD

  copied(event) {
    if (this.box.isOpen || !this.table.rows.length) return false;
    const { top, left, height, width } = this.range();
    const rows = this.table.rows.slice(top, top + height).map((row) =>
      this.table.columns.slice(left, left + width).map(({ field }) => this.table.text(row, field)));
    event.preventDefault();
    event.clipboardData.setData("text/plain", writeBlock(rows));
    event.clipboardData.setData("text/html", writeTable(rows));
    return true;
  }

  pasted(event) {
    if (this.box.isOpen) return;
    event.preventDefault();
    if (this.form.readOnly) return this.bars.tell("这份表现在只能查看，不能粘贴。");
    const text = event.clipboardData.getData("text/plain");
    if (text) this.paste(text);
    else this.bars.tell("剪贴板里没有文字，没有粘贴任何内容。");
  }

  paste(text) {
    const block = parseBlock(text);
    const laid = layOut(block, this.range(), { rows: this.table.rows.length, columns: this.table.columns.length });
    const cells = laid.cells.map(({ row, column, text: cell }) =>
      ({ row, column, value: cell === "" ? null : this.box.understood(this.table.columns[column].field, cell) }));
    this.write(cells, PASTE, (act, count, notes) => {
      const left = this.leftNotes(laid);
      this.bars.tell(`已粘贴 ${laid.height - laid.rowsLeft} 行 × ${laid.width - laid.columnsLeft} 列，写入 ${count} 格。`, [...left, ...notes], Boolean(act));
    });
    const { top, left } = this.range();
    const first = { row: top, column: left };
    this.select(first, { row: top + laid.height - laid.rowsLeft - 1, column: left + laid.width - laid.columnsLeft - 1 }, first);
    this.comeIntoView();
  }

  leftNotes({ height, width, rowsLeft, columnsLeft }) {
    const parts = [rowsLeft ? `后 ${rowsLeft} 行` : "", columnsLeft ? `右侧 ${columnsLeft} 列` : ""].filter(Boolean);
    return parts.length ? [`复制的内容有 ${height} 行 × ${width} 列，从所选位置起放不下：${parts.join("、")}没有粘贴。如非所愿，请撤销后另选位置。`] : [];
  }
}

export function createGrid(form, group, place, tools) {
  return new Grid(form, group, place, tools);
}
