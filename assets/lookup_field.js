// A text field that offers what is known already, and fills the fields beside it with the choice.
//
// The list stands in the field's description (`lookup`): /api/<list>?q=… answers with {units: […]}.
// A choice fills every field whose code begins like this one's (unit1_) and ends with a key of the
// answer (name, grade, …); what stood there otherwise is said, not silently replaced.

const LOOK_AFTER = 250;
const SHORTEST_QUESTION = 2;

class LookupField {
  constructor(editor, known) {
    this.editor = editor;
    this.known = known;
    this.input = editor.drawInput(known);
    this.prefix = known.field.code.slice(0, known.field.code.indexOf("_") + 1);
    this.list = element("ul", { className: "lookup-list", role: "listbox", id: `${known.id}-known`, hidden: true });
    this.note = element("div", { className: "lookup-note quiet", hidden: true, role: "status" });
    this.box = element("div", { className: "lookup" }, this.input, this.list, this.note);
    this.input.setAttribute("role", "combobox");
    this.input.setAttribute("aria-autocomplete", "list");
    this.input.setAttribute("aria-controls", this.list.id);
    this.input.addEventListener("input", () => this.ask());
    this.input.addEventListener("keydown", (event) => this.onKey(event));
    this.input.addEventListener("blur", () => this.close());
    this.show([]);
  }

  ask() {
    clearTimeout(this.timer);
    const asked = this.input.value.trim();
    this.note.hidden = true;
    if (asked.length < SHORTEST_QUESTION) return this.show([]);
    this.timer = setTimeout(() => this.fetch(asked), LOOK_AFTER);
  }

  async fetch(asked) {
    const url = `/api/${this.known.field.lookup}?q=${encodeURIComponent(asked)}`;
    const answer = await this.editor.ask("GET", url);
    // Typing goes on while the answer is on its way; only the newest question counts.
    if (!answer.ok || asked !== this.input.value.trim() || document.hidden) return;
    this.show(answer.data.units);
  }

  show(units) {
    this.units = units;
    this.at = -1;
    this.list.replaceChildren(...units.map((unit, index) => element("li", {
      role: "option", id: `${this.list.id}-${index}`,
      // Before the blur of the input closes the list.
      onmousedown: (event) => { event.preventDefault(); this.choose(unit); },
    }, element("strong", { textContent: unit.name }), element("span", { className: "quiet", textContent: this.line(unit) }))));
    this.list.hidden = units.length === 0;
    this.input.setAttribute("aria-expanded", String(units.length > 0));
  }

  line(unit) {
    const grade = this.editor.text(this.pathOf("grade"), unit.grade);
    return [unit.uscc, grade === "—" ? null : grade, unit.province].filter(Boolean).join(" · ");
  }

  onKey(event) {
    if (this.list.hidden) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.mark((this.at + step + this.units.length) % this.units.length);
    else if (event.key === "Enter" && this.at >= 0) this.choose(this.units[this.at]);
    else if (event.key === "Escape") this.close();
    else return;
    event.preventDefault();
  }

  mark(index) {
    this.at = index;
    [...this.list.children].forEach((item, at) => item.setAttribute("aria-selected", String(at === index)));
    this.input.setAttribute("aria-activedescendant", `${this.list.id}-${index}`);
    this.list.children[index].scrollIntoView({ block: "nearest" });
  }

  close() {
    clearTimeout(this.timer);
    this.show([]);
  }

  pathOf(name) {
    return pathOf(this.known.group.code, this.known.row?.key ?? "", this.prefix + name);
  }

  choose(unit) {
    this.close();
    const changed = [];
    for (const [name, value] of Object.entries(unit)) {
      const path = this.pathOf(name);
      const field = this.editor.fields[path];
      const before = this.editor.values[path];
      if (!field || value === null || same(before, value)) continue;
      if (before && path !== this.known.path) changed.push(`${field.field.label}（原为“${this.editor.text(path, before)}”）`);
      this.editor.change(path, value);
      field.set?.(value);
    }
    this.note.textContent = changed.length ? `已按名录带出，并更改：${changed.join("、")}。` : "已按名录带出。";
    this.note.hidden = false;
    this.editor.flush();
  }
}

fieldKinds["compile-units"] = (editor, known) => new LookupField(editor, known).box;
