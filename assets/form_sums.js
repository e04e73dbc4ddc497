// What the rows of a group have together, beside the form's own field of the same name, while typed.

class SumsBar {
  constructor(form) {
    this.form = form;
    this.node = element("div", { className: "sums", role: "status", "aria-live": "polite" });
    this.node.hidden = !Object.keys(form.state.sums ?? {}).length;
  }

  refresh() {
    if (this.node.hidden) return;
    const parts = Object.entries(this.form.state.sums).flatMap(([code, fields]) =>
      fields.map((name) => this.part(code, name)).filter(Boolean));
    this.node.replaceChildren(element("span", { className: "quiet", textContent: "各行合计 / 本表：" }), ...parts);
  }

  part(code, name) {
    const rows = this.form.state.rows[code] ?? [];
    const own = this.form.cells[pathOf("form", "", name)];
    if (!own) return null;
    const numbers = rows.map((row) => this.number(pathOf(code, row.key, name))).filter((value) => value !== null);
    const total = numbers.reduce((sum, value) => sum + value, 0);
    const limit = this.number(own.path);
    const exceeds = limit !== null && total > limit + 1e-9;
    const told = (number) => (number === null ? "—" : number.toLocaleString("zh-CN", { maximumFractionDigits: 4 }));
    const text = `${own.field.label} ${told(numbers.length ? total : null)} / ${told(limit)}${own.field.unit ? ` ${own.field.unit}` : ""}`;
    return element("span", { className: `sum${exceeds ? " exceeds" : ""}`, textContent: exceeds ? `${text}（超出）` : text });
  }

  number(path) {
    const value = this.form.values[path];
    const number = value === null || value === undefined || value === "" ? NaN : Number(value);
    return Number.isFinite(number) ? number : null;
  }
}
