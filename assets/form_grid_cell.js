// The cell that is being filled in: one text box that always has the focus, seen only while somebody types.
//
// Because the focus is in a text box from the start, the first key already reaches an input method,
// and what the browser pastes or cuts comes here.

// A code that people know by heart stands beside its name; a word of the programme does not.
const PLAIN_CODE = /^[0-9A-Z.]+$/;

class CellBox {
  constructor(grid) {
    this.grid = grid;
    this.form = grid.form;
    this.tools = grid.tools;
    const { element } = this.tools;
    this.input = element("textarea", { className: "cell-input", rows: 1, autocomplete: "off", spellcheck: false, autocapitalize: "off", "aria-label": "单元格" });
    this.choices = element("div", { className: "choices", role: "listbox", popover: "manual", id: `${grid.table.id}-choices` });
    this.picker = element("input", { type: "date", className: "date-picker", tabIndex: -1, "aria-hidden": "true" });
    this.button = element("button", { type: "button", className: "cell-button", tabIndex: -1, hidden: true, "aria-label": "选择" });
    this.node = element("div", { className: "cell-box" }, this.input, this.button, this.picker, this.choices);
    this.isOpen = false;
    this.listen();
  }

  listen() {
    const { input } = this;
    input.addEventListener("compositionstart", () => {
      this.form.composing = true;
      if (!this.isOpen) this.open("typing");
    });
    input.addEventListener("compositionend", () => {
      this.form.composing = false;
      this.typed();
    });
    input.addEventListener("input", () => {
      if (!this.isOpen) this.open("typing");
      if (!this.form.composing) this.typed();
    });
    input.addEventListener("blur", () => {
      this.form.composing = false;
      this.close();
      this.form.flush();
    });
    for (const node of [this.button, this.choices]) {
      node.addEventListener("mousedown", (event) => event.preventDefault());
    }
    this.button.addEventListener("click", () => this.pick());
    this.picker.addEventListener("change", () => {
      if (!this.picker.value) return;
      this.input.value = this.picker.value;
      this.typed();
      this.input.focus({ preventScroll: true });
    });
    this.choices.addEventListener("click", (event) => {
      const chosen = event.target.closest("[data-index]");
      if (chosen) this.choose(this.offered[Number(chosen.dataset.index)]);
    });
  }

  // WHERE IT IS

  /** Stand over the active cell: an input method shows its candidates there. */
  follow() {
    const { table, active } = this.grid;
    if (!table.rows.length) return;
    const box = table.box(active.row, active.column);
    const field = table.columns[active.column].field;
    const hasButton = field.type === "date" || this.options(field);
    Object.assign(this.node.style, { left: `${box.left}px`, top: `${box.top}px`, minWidth: `${box.width}px` });
    this.input.style.width = `${this.isOpen && field.type === "long_text" ? Math.max(box.width, 320) : box.width}px`;
    this.input.readOnly = table.isFixed(table.rows[active.row], field);
    this.button.hidden = !hasButton || this.input.readOnly;
    this.button.dataset.kind = field.type === "date" ? "date" : "list";
    this.button.style.left = `${box.width - 22}px`;
    if (this.isOpen && this.offered) this.placeChoices();
  }

  focus() {
    this.input.focus({ preventScroll: true });
  }

  get typing() {
    return this.isOpen ? this.path : null;
  }

  // OPENING AND CLOSING

  /** Begin: by typing over the cell, or with what stands in it. */
  open(how) {
    const { table, active } = this.grid;
    const row = table.rows[active.row];
    const { field } = table.columns[active.column];
    if (!row || this.isOpen) return;
    if (table.isFixed(row, field)) {
      this.input.value = "";
      return this.grid.openFixed(row, field);
    }
    this.row = row;
    this.field = field;
    this.path = table.path(row, field);
    this.before = this.form.values[this.path] ?? null;
    this.how = how;
    this.isOpen = true;
    this.isTouched = how === "typing";
    if (how !== "typing") {
      this.input.value = table.text(row, field);
      this.input.select();
    }
    this.node.classList.add("open");
    this.follow();
    this.grow();
    if (this.options(field)) this.offer("");
  }

  typed() {
    if (!this.isOpen) return;
    this.isTouched = true;
    this.grow();
    // A search in a list is no value yet; anything else is saved as it is typed.
    if (this.offered) this.offer(this.input.value);
    else this.form.change(this.path, this.value());
  }

  value() {
    return this.input.value === "" ? null : this.input.value;
  }

  /** End with what was typed; one act, however many keys it took. */
  close() {
    if (!this.isOpen) return;
    const value = this.offered && this.isTouched ? this.fromList(this.input.value) : this.isTouched ? this.value() : this.before;
    this.shut();
    const after = this.form.values[this.path] ?? null;
    if (!this.tools.same(after, value)) this.form.change(this.path, value);
    if (!this.tools.same(this.before, value)) this.form.record("填写", [[this.path, this.before, value]]);
    this.form.settle(this.path);
    this.grid.refresh();
  }

  cancel() {
    if (!this.isOpen) return;
    this.shut();
    if (!this.tools.same(this.form.values[this.path], this.before)) this.form.change(this.path, this.before);
    else this.grid.refresh();
  }

  shut() {
    this.isOpen = false;
    this.offered = null;
    this.input.value = "";
    this.input.style.height = "";
    this.node.classList.remove("open");
    if (this.choices.matches(":popover-open")) this.choices.hidePopover();
  }

  grow() {
    const { style } = this.input;
    style.height = "auto";
    style.height = `${Math.min(180, Math.max(ROW_HEIGHT, this.input.scrollHeight))}px`;
  }

  // LISTS AND DATES

  options(field) {
    if (field.type === "boolean") return [[true, "是"], [false, "否"]];
    return field.type === "code" ? field.options : null;
  }

  /** Turn the name of an option into the option; whatever else stands here stays as it is. */
  understood(field, text) {
    const named = this.options(field)?.find(([code, name]) => [code, name].includes(text.trim()));
    return named ? named[0] : text;
  }

  fromList(text) {
    if (text === "") return null;
    const exact = this.understood(this.field, text);
    const marked = this.offered[this.marked];
    return exact === text && marked && !marked.reason ? marked.code : exact;
  }

  offer(search) {
    const words = search.trim().toLowerCase();
    const fits = ([code, name]) => !words || name.toLowerCase().includes(words) || String(code).toLowerCase().startsWith(words);
    this.offered = this.options(this.field).filter(fits).map(([code, name]) => ({ code, name, reason: this.form.reasonAgainst(this.grid.cellOf(this.row, this.field), code) }));
    const current = this.offered.findIndex(({ code }) => this.tools.same(code, this.before));
    this.marked = words ? this.offered.findIndex(({ reason }) => !reason) : current;
    this.drawChoices();
  }

  drawChoices() {
    const { element } = this.tools;
    const items = this.offered.map(({ code, name, reason }, index) => element("div", {
      role: "option", className: `choice-item${index === this.marked ? " marked" : ""}${reason ? " excluded" : ""}`,
      "data-index": index, "aria-selected": String(index === this.marked), "aria-disabled": String(Boolean(reason)), title: reason,
    }, element("span", { textContent: name }), PLAIN_CODE.test(code) ? element("span", { className: "code", textContent: code }) : null,
      reason ? element("span", { className: "why", textContent: reason }) : null));
    if (!items.length) items.push(element("div", { className: "quiet none", textContent: "没有相符的选项；按回车保留所填文字，由系统提示。" }));
    this.choices.replaceChildren(...items);
    this.choices.showPopover?.();
    this.placeChoices();
    this.choices.querySelector(".marked")?.scrollIntoView({ block: "nearest" });
  }

  placeChoices() {
    const box = this.input.getBoundingClientRect();
    const height = this.choices.offsetHeight;
    const below = box.bottom + height < window.innerHeight || box.top < height;
    Object.assign(this.choices.style, { left: `${box.left}px`, top: `${below ? box.bottom + 2 : box.top - height - 2}px`, minWidth: `${box.width}px` });
  }

  mark(step) {
    const count = this.offered.length;
    if (!count) return;
    for (let tries = 0; tries < count; tries += 1) {
      this.marked = (this.marked + step + count) % count;
      if (!this.offered[this.marked].reason) break;
    }
    this.drawChoices();
  }

  choose(option) {
    if (!option || option.reason) return;
    this.input.value = option.name;
    this.isTouched = true;
    this.close();
    this.focus();
  }

  /** Open the list or the calendar of the active cell. */
  pick() {
    this.focus();
    const { table, active } = this.grid;
    const { field } = table.columns[active.column];
    if (!this.isOpen) this.open("key");
    if (!this.isOpen || field.type !== "date") return;
    this.picker.value = /^\d{4}-\d{2}-\d{2}$/.test(this.input.value) ? this.input.value : "";
    this.picker.showPicker?.();
  }

  // KEYS WHILE IT IS OPEN; true: the key was used

  key(event) {
    const { key } = event;
    if (event.altKey && key === "Enter") {
      this.input.setRangeText("\n", this.input.selectionStart, this.input.selectionEnd, "end");
      this.typed();
      return true;
    }
    if (key === "Escape") this.cancel();
    else if (this.offered && (key === "ArrowDown" || key === "ArrowUp")) this.mark(key === "ArrowDown" ? 1 : -1);
    else if (key === "Enter" && (event.ctrlKey || event.metaKey)) this.fillSelection();
    else if (key === "Enter") this.leave(event.shiftKey ? -1 : 1, 0);
    else if (key === "Tab") this.leave(0, event.shiftKey ? -1 : 1);
    else if (this.how === "typing" && ARROWS[key]) this.leave(...ARROWS[key]);
    else return false;
    return true;
  }

  leave(down, right) {
    if (this.offered && !this.isTouched && this.marked >= 0) this.choose(this.offered[this.marked]);
    else this.close();
    this.grid.step(down, right);
  }

  fillSelection() {
    const value = this.offered ? this.fromList(this.input.value) : this.value();
    this.close();
    this.grid.fill(() => value, "填充");
  }
}

const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
