// The warning matrix: units down, indicators across, fetched whole and sorted here.

const NO_DATA = 0, SEVERE = 6;
const TABLES = new WeakMap();

function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in node) node[name] = value;
    else if (value !== null) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const number = (value, decimals) =>
  value.toLocaleString("zh-CN", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });

class Matrix {
  constructor(root) {
    this.box = element("div", { className: "matrix", role: "region", "aria-label": "预警矩阵", tabIndex: 0 });
    this.tip = element("div", { className: "tip", hidden: true, role: "tooltip" });
    root.append(this.box, this.tip);
    this.box.addEventListener("click", (event) => this.click(event));
    this.box.addEventListener("keydown", (event) => event.key === "Enter" && this.click(event));
    for (const kind of ["mouseover", "focusin"]) this.box.addEventListener(kind, (event) => this.point(event));
    for (const kind of ["mouseleave", "focusout"]) this.box.addEventListener(kind, () => { this.tip.hidden = true; });
  }

  async update(data, trigger) {
    this.trigger = trigger;
    this.order = data.order;
    const asked = `${data.url}#${data.version}`;
    if (asked !== this.asked) {
      this.asked = asked;
      // The old picture stays until the new one is there.
      this.box.classList.add("loading");
      await this.load(data.url, asked);
    } else if (this.matrix) this.draw();
  }

  async load(url, asked) {
    let answer = null;
    try {
      answer = await fetch(url);
    } catch { /* said below */ }
    if (asked !== this.asked) return;
    this.box.classList.remove("loading");
    if (!answer?.ok) {
      this.asked = null;
      this.box.replaceChildren(element("p", { className: "failed" }, "矩阵暂时取不到，",
        element("button", { type: "button", textContent: "重试", onclick: () => { this.asked = asked; this.load(url, asked); } })));
      return;
    }
    this.matrix = await answer.json();
    this.city = new URL(url, location.href).searchParams.get("city");
    this.kind = new URL(url, location.href).searchParams.get("kind");
    this.draw();
  }

  rows() {
    const [by, direction] = this.order.split("-");
    const chosen = this.matrix.rows.filter((row) =>
      (!this.city || row.city === this.city) && (!this.kind || row.kind === this.kind));
    const column = this.matrix.columns.findIndex((each) => each.code === by);
    const gravity = (row) => [row.worst, row.breaches, ...row.counts];
    const compare = {
      code: (a, b) => (a.code < b.code ? -1 : 1),
      level: (a, b) => {
        const [left, right] = [gravity(a), gravity(b)];
        const at = left.findIndex((each, index) => each !== right[index]);
        return at < 0 ? 0 : right[at] - left[at];
      },
      filled: (a, b) => a.filled - b.filled,
    }[by] ?? ((a, b) => {
      const [left, right] = [a.values[column], b.values[column]];
      if (left === null || right === null) return (left === null) - (right === null); // the missing ones last
      return (direction === "up" ? 1 : -1) * (left - right);
    });
    return column < 0 && !["code", "level", "filled"].includes(by) ? chosen : [...chosen].sort(compare);
  }

  draw() {
    const { columns } = this.matrix;
    const rows = this.rows();
    this.shown = rows;
    if (!columns.length || !rows.length) {
      this.box.replaceChildren(element("p", { className: "failed", textContent: "所选范围内没有可看的单位或指标，请调整筛选条件。" }));
      return;
    }
    const groups = [];
    for (const column of columns) {
      if (groups.at(-1)?.name === column.dimension) groups.at(-1).span += 1;
      else groups.push({ name: column.dimension, span: 1 });
    }
    const starts = new Set();
    groups.reduce((at, group) => { starts.add(at); return at + group.span; }, 0);
    const head = element("thead", {},
      element("tr", { className: "groups" },
        element("th", { className: "corner", rowSpan: 2 },
          this.sorter("code", "单位", "按区划排列"), this.sorter("level", "等级", "最严重的在前"), this.sorter("filled", "填报", "填报最少的在前")),
        ...groups.map((group) => element("th", { colSpan: group.span, scope: "colgroup", className: "start", textContent: group.name }))),
      element("tr", {}, ...columns.map((column, at) => this.head(column, at, starts.has(at)))));
    const body = element("tbody", {}, ...rows.map((row, at) => this.row(row, at, starts)));
    const wide = columns.length > 40 ? " narrow" : "";
    const scrolled = [this.box.scrollLeft, this.box.scrollTop];
    this.box.replaceChildren(element("table", { className: `levels${wide}` }, head, body));
    [this.box.scrollLeft, this.box.scrollTop] = scrolled;
  }

  sorter(order, text, title) {
    const current = this.order.split("-")[0] === order;
    return element("button", { type: "button", title, textContent: text, className: current ? "sorted" : "", "aria-pressed": String(current), "data-order": order });
  }

  head(column, at, isStart) {
    const [by, direction] = this.order.split("-");
    const sign = by === column.code ? (direction === "up" ? "▴" : "▾") : "↕";
    return element("th", { scope: "col", className: isStart ? "start" : "" },
      element("button", { type: "button", className: "name", "data-column": at, title: "" },
        element("span", {}, column.is_binding ? element("b", { textContent: "●" }) : null, column.name)),
      element("button", { type: "button", className: by === column.code ? "sort sorted" : "sort", textContent: sign,
        "data-order": `${column.code}-${by === column.code && direction === "down" ? "up" : "down"}`, title: `按“${column.name}”排列` }));
  }

  row(row, at, starts) {
    const total = row.levels.length;
    const cells = [];
    for (let index = 0; index < total; index += 1) {
      const level = Number(row.levels[index]);
      const value = row.values[index];
      const broken = row.broken.includes(index);
      cells.push(element("td", {
        className: `l${level}${starts.has(index) ? " start" : ""}${broken ? " broken" : ""}`,
        tabIndex: -1, "data-at": index,
        textContent: value === null ? "" : `${this.matrix.symbols[level]}${this.short(value, this.matrix.columns[index].decimals)}`,
      }));
    }
    return element("tr", { "data-row": at, className: row.level },
      element("th", { scope: "row" },
        element("button", { type: "button", className: "unit", textContent: row.name }),
        element("i", { className: `l${row.worst + 2}`, textContent: this.matrix.symbols[row.worst + 2] || " ", title: this.matrix.levels[row.worst + 2] }),
        element("small", { textContent: `${row.filled}/${total}` })),
      ...cells);
  }

  /** A figure of at most five characters: the record has all of it. */
  short(value, decimals) {
    const whole = Math.trunc(Math.abs(value)).toString().length;
    if (whole > 5) return `${number(value / 10000, 1)}万`;
    return number(value, Math.max(0, Math.min(decimals, 4 - whole))).replaceAll(",", "");
  }

  point(event) {
    const cell = event.target.closest("td, th button.name");
    if (!cell) { this.tip.hidden = true; return; }
    const at = Number(cell.dataset.at ?? cell.dataset.column);
    const column = this.matrix.columns[at];
    const row = this.shown[cell.closest("tr").dataset.row];
    const lines = row ? this.told(row, at, column) : [
      column.name, `${column.is_binding ? "约束性指标 · " : ""}单位 ${column.unit || "—"}`,
      column.lower_is_better ? "数值越低越好" : "", "点击查看指标"];
    this.tip.replaceChildren(...lines.filter(Boolean).map((line, index) => element(index ? "div" : "b", { textContent: line })));
    this.tip.hidden = false;
    const box = cell.getBoundingClientRect();
    const width = this.tip.offsetWidth, height = this.tip.offsetHeight;
    this.tip.style.left = `${Math.max(8, Math.min(box.left + box.width / 2 - width / 2, innerWidth - width - 8))}px`;
    this.tip.style.top = `${box.bottom + height + 8 > innerHeight ? box.top - height - 4 : box.bottom + 4}px`;
  }

  told(row, at, column) {
    const value = row.values[at];
    const level = Number(row.levels[at]);
    return [
      `${row.name} · ${column.name}`,
      value === null ? "未填报" : `${number(value, column.decimals)} ${column.unit}`,
      `${this.matrix.symbols[level]} ${this.matrix.levels[level]}${row.broken.includes(at) ? "（突破约束性指标）" : ""}`,
    ];
  }

  click(event) {
    const target = event.target.closest("[data-order], td, button.unit, button.name");
    if (!target) return;
    if (target.dataset.order) {
      this.order = target.dataset.order;
      this.draw();
      this.trigger("order", this.order);
      return;
    }
    const row = this.shown[target.closest("tr").dataset.row];
    const year = this.matrix.year;
    if (target.matches("button.name")) this.trigger("open", `assessment_indicator?code=${this.matrix.columns[target.dataset.column].code}&year=${year}`);
    else if (target.matches("button.unit")) this.trigger("open", `assessment_unit?code=${row.code}&year=${year}`);
    else this.trigger("open", `assessment_figure?unit=${row.code}&code=${this.matrix.columns[target.dataset.at].code}&year=${year}`);
  }
}

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  let matrix = TABLES.get(parentElement);
  if (!matrix) {
    matrix = new Matrix(parentElement);
    TABLES.set(parentElement, matrix);
  }
  matrix.update(data, setTriggerValue);
}
