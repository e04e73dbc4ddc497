// Draws a form from its description: cards or grids, conflicts, the summary, and the moves.

class Editor extends FieldForm {
  // CONFLICT

  meetConflict(answer) {
    const theirs = this.flatten(answer.content);
    const differing = Object.keys(theirs).filter((path) => !this.alike(path, theirs[path], this.values[path]));
    // Any save whose answer was lost on the way is my own; what I typed since goes on top of it.
    const mine = (path) => same(theirs[path], this.base[path]) || this.isOwn(path, theirs[path]);
    if (differing.every(mine)) return this.takeTheirs(theirs, answer, {});
    this.askConflict(differing, answer.content, answer);
  }

  askConflict(paths, content, { draft_version, saved_by, saved_at_text }) {
    const theirs = this.flatten(content);
    this.conflict = { paths, theirs, draft_version, choice: {} };
    for (const path of paths) {
      if (path in theirs && same(this.values[path], this.base[path])) this.conflict.choice[path] = "theirs";
      else if (same(theirs[path], this.base[path]) && draft_version !== this.draftVersion) {
        this.conflict.choice[path] = "mine";
      }
    }
    this.say("未保存：他人也修改了这份表，请先选择保留哪一份。", "failed");
    this.drawConflict(saved_by, saved_at_text);
  }

  drawConflict(savedBy, savedAt) {
    const rows = this.conflict.paths.map((path) => this.conflictRow(path));
    const all = (side) => () => {
      for (const path of this.conflict.paths) this.conflict.choice[path] = side;
      for (const radio of this.conflictBox.querySelectorAll("input")) radio.checked = radio.value === side;
      this.allowApply();
    };
    this.applyButton = element("button", { type: "button", className: "primary", textContent: "按所选保存", onclick: () => this.resolve() });
    this.conflictBox.replaceChildren(
      element("h3", { textContent: "这份表被他人修改过" }),
      element("p", { textContent: `${savedBy} 于 ${savedAt} 保存了这份表，以下 ${rows.length} 处与您的不同。请逐项选择保留哪一份；选择之前，两份都不会丢失。` }),
      element("div", { className: "choices" }, ...rows),
      element("div", { className: "actions" },
        element("button", { type: "button", textContent: "全部采用对方的", onclick: all("theirs") }),
        element("button", { type: "button", textContent: "全部采用我的", onclick: all("mine") }),
        this.applyButton),
    );
    this.conflictBox.hidden = false;
    this.sheet.inert = true;
    this.footer.inert = true;
    this.allowApply();
    this.conflictBox.scrollIntoView({ block: "nearest" });
  }

  conflictRow(path) {
    const choose = (side) => () => {
      this.conflict.choice[path] = side;
      this.allowApply();
    };
    const option = (side, title, value) => element("label", { className: "choice" },
      element("input", { type: "radio", name: `choice ${path}`, value: side, checked: this.conflict.choice[path] === side, onchange: choose(side) }),
      element("span", { className: "quiet", textContent: title }),
      element("span", { textContent: this.text(path, value) }));
    return element("fieldset", {}, element("legend", { textContent: this.label(path) }),
      option("theirs", "对方", this.conflict.theirs[path]), option("mine", "我的", this.values[path]));
  }

  allowApply() {
    this.applyButton.disabled = this.conflict.paths.some((path) => !this.conflict.choice[path]);
  }

  resolve() {
    const { theirs, choice } = this.conflict;
    this.takeTheirs(theirs, this.conflict, choice);
  }

  takeTheirs(theirs, { draft_version }, choice) {
    this.draftVersion = draft_version;
    this.forgetEdits();
    for (const path of Object.keys(theirs)) {
      this.touched.add(path);
      this.base[path] = theirs[path];
      if (choice[path] === "theirs") this.values[path] = structuredClone(theirs[path]);
    }
    const asked = this.conflict !== null;
    this.conflict = null;
    this.unanswered = {};
    this.raw = {};
    this.failures = 0;
    this.remember();
    if (asked) this.draw();
    this.refresh();
    if (this.dirtyPaths().length) this.schedule(0);
    else this.say(asked ? "已采用对方的内容。" : "已保存", "saved");
  }

  // DRAWING

  draw() {
    this.fields = {};
    this.grids = [];
    this.counters = [];
    this.tables = [];
    this.dones = [];
    this.cards = {};
    this.saveState = element("div", { className: "save-state", role: "status", "aria-live": "polite" });
    this.summary = element("div", { className: "summary" });
    this.conflictBox = element("section", { className: "conflict", hidden: true, role: "alertdialog", "aria-label": "内容冲突" });
    this.sheet = element("div", { className: "sheet" });
    this.sums = new SumsBar(this);
    this.footer = element("div", { className: "footer" }, this.sums.node, this.saveState, this.drawActions());
    this.sheet.append(...this.drawLeft(), ...this.drawRemarks(), ...this.drawFormSections(), ...this.drawTrees());
    this.body.replaceChildren(this.conflictBox, this.summary, this.sheet, this.footer);
    this.footer.hidden = this.readOnly && !this.state.can.withdraw;
    if (this.restored) this.say(`已恢复本机未保存的 ${this.restored} 处修改，正在保存…`, "busy");
  }

  drawActions() {
    const { can } = this.state;
    const button = (text, kind, action, move) => element("button", { type: "button", className: kind, textContent: text, onclick: action, ...(move && { "data-move": move }) });
    return element("div", { className: "actions" },
      can.withdraw ? button("撤回", "", () => this.move("withdraw", {})) : null,
      can.no_change ? button("本期无变化", "", () => this.noChange(), "submit") : null,
      can.submit ? button("提交", "primary", () => this.submit(false), "submit") : null);
  }

  /** What only this browser has of a report that somebody else filed meanwhile. */
  drawLeft() {
    if (!this.leftHere.length) return [];
    const rows = this.leftHere.map(([path, value]) => [
      element("dt", { textContent: this.label(path) }), element("dd", { textContent: this.text(path, value) })]);
    const drop = () => {
      if (!confirm(`丢弃这 ${rows.length} 处没有上传的内容？丢弃后无法恢复。`)) return;
      this.dropLeft();
      section.remove();
    };
    const section = element("section", { className: "card left-here", "aria-label": "没有上传的内容" },
      element("h3", { textContent: `您填写的 ${rows.length} 处没有上传` }),
      element("p", { textContent: "上传之前，这份表已由他人报送。以下内容只保留在本机；这份表撤回或被退回后再打开本页，会放回表中，与他人填写不同的由您逐项选择。不再需要时可以丢弃。" }),
      element("dl", {}, ...rows.flat()),
      element("div", { className: "actions" }, element("button", { type: "button", textContent: "丢弃这些内容", onclick: drop })));
    return [section];
  }

  drawRemarks() {
    const { remarks, returned } = this.state;
    if (!returned) return [];
    const cards = remarks.map((remark) => {
      const path = `reply:${remark.id}`;
      const link = remark.path && this.state.labels[remark.path]
        ? element("button", { type: "button", className: "plain", textContent: remark.label, onclick: () => this.goTo(remark.path) })
        : element("strong", { textContent: remark.label });
      const input = element("textarea", { rows: 2, value: this.values[path] ?? "", maxLength: 500, placeholder: "答复（说明修改情况）", "aria-label": `对“${remark.label}”的答复` });
      this.listen(input, path);
      this.fields[path] = { input };
      const done = remark.path in this.sentBack ? element("p", { className: "quiet since" }) : null;
      if (done) this.dones.push({ path: remark.path, node: done });
      const answer = this.readOnly ? element("p", { textContent: `答复：${remark.reply ?? "—"}` }) : input;
      return element("li", {}, link, element("p", { className: "reason", textContent: remark.reason }), done, answer);
    });
    this.corrected = element("div", { className: "corrected" });
    const title = `${returned.reviewer} 于 ${returned.at} 退回（第 ${returned.round} 轮）`;
    return [element("section", { className: "remarks" }, element("h3", { textContent: title }),
      returned.comment ? element("p", { className: "reason", textContent: returned.comment }) : null,
      cards.length ? element("ol", {}, ...cards) : null, this.wasReturned ? this.corrected : null)];
  }

  /** What was done since the report came back: under each reason its field, below them all of it. */
  refreshCorrections() {
    if (!this.wasReturned) return;
    const now = (path) => `${this.text(path, this.sentBack[path])} → ${this.text(path, this.values[path])}`;
    for (const { path, node } of this.dones) {
      node.textContent = this.isCorrected(path) ? `已修改：${now(path)}` : `尚未修改，上次提交：${this.text(path, this.sentBack[path])}`;
    }
    const paths = this.corrections();
    if (!paths.length) return this.corrected.replaceChildren(element("p", { className: "quiet", textContent: "退回后还没有修改内容。" }));
    const lines = paths.slice(0, LONGEST_LIST).map((path) => element("li", {},
      element("button", { type: "button", className: "plain", textContent: this.label(path), onclick: () => this.goTo(path) }),
      element("span", { textContent: `：${now(path)}` })));
    const rest = paths.length - lines.length;
    const open = this.corrected.querySelector("details")?.open ?? false;
    this.corrected.replaceChildren(element("details", { open },
      element("summary", { textContent: `退回后已修改 ${paths.length} 处` }), element("ul", {}, ...lines),
      rest ? element("p", { className: "quiet", textContent: `……还有 ${rest} 处。` }) : null));
  }

  drawFormSections() {
    const group = this.state.form.groups.find((one) => one.code === "form");
    if (!group) return [];
    return this.sections(group).map(([title, fields]) => element("section", { className: "card" },
      element("h3", { textContent: title }),
      element("div", { className: "grid" }, ...fields.map((field) => this.drawField(group, null, field)))));
  }

  sections(group) {
    const sections = new Map();
    for (const field of group.fields) {
      sections.set(field.section, [...(sections.get(field.section) ?? []), field]);
    }
    return [...sections];
  }

  /** Each group of rows with the groups that stand under it: as cards, or as a grid of each group. */
  drawTrees() {
    const { form, rows } = this.state;
    const tops = form.groups.filter((group) => group.code !== "form" && rows[group.code]?.some((row) => !row.parent));
    return tops.flatMap((group) => this.drawTree(group));
  }

  drawTree(top) {
    const below = this.state.form.groups.filter((group) => this.state.rows[group.code]?.some((row) => row.parent?.[0] === top.code));
    const groups = [top, ...below];
    const count = groups.reduce((sum, group) => sum + this.state.rows[group.code].length, 0);
    const view = this.viewOf(top, count);
    const choice = this.hasRoom() ? [this.drawViewChoice(top, view)] : [];
    if (view === "grid") return [...choice, ...groups.map((group) => this.drawGrid(group))];
    const rows = this.state.rows[top.code].filter((row) => !row.parent);
    return [...choice, ...rows.map((row) => this.drawTopRow(top, row))];
  }

  drawTopRow(group, row) {
    const counts = element("span", { className: "quiet counts" });
    const children = this.childGroups(group, row);
    const details = element("details", { className: "card row", open: row.is_open || this.opened?.has(row.key) },
      element("summary", {}, element("h3", { textContent: row.label }),
        row.badge ? element("span", { className: "badge", textContent: row.badge }) : null, counts));
    const card = { details, isFilled: false, fill: () => {
      if (card.isFilled) return;
      card.isFilled = true;
      details.append(
        ...this.drawRowSections(group, row),
        ...children.map(([childGroup, childRows]) => this.drawTable(childGroup, childRows)));
    } };
    this.cards[`${group.code}[${row.key}]`] = card;
    if (details.open) card.fill();
    details.addEventListener("toggle", () => {
      this.opened ??= new Set();
      if (details.open) this.opened.add(row.key);
      else this.opened.delete(row.key);
      if (!details.open || card.isFilled) return;
      card.fill();
      this.refresh();
    });
    this.counters.push({ node: counts, children });
    return details;
  }

  /** The fields of a row: under the names of their sections, where there are several. */
  drawRowSections(group, row) {
    const sections = this.sections(group);
    return sections.map(([title, fields]) => element("div", { className: "row-section" },
      sections.length > 1 ? element("h4", { textContent: title }) : null,
      element("div", { className: "grid" }, ...fields.map((field) => this.drawField(group, row, field)))));
  }

  // CARDS OR GRID

  /** What this user chose in this browser, else by the number of rows; narrow pages have cards. */
  viewOf(group, count) {
    if (!this.hasRoom()) return "cards";
    try {
      const chosen = localStorage.getItem(this.viewKey(group));
      if (chosen) return chosen;
    } catch {
      // A browser that keeps nothing has the default each time.
    }
    return count >= GRID_BY_ITSELF ? "grid" : "cards";
  }

  viewKey(group) {
    return `portal.view.${this.userId}.${this.state.form.title}.${group.code}`;
  }

  hasRoom() {
    return this.body.clientWidth >= GRID_WIDTH;
  }

  drawViewChoice(group, view) {
    const button = (name, text) => element("button", { type: "button", textContent: text, "aria-pressed": String(view === name), onclick: () => this.setView(group, name) });
    return element("div", { className: "views", role: "group", "aria-label": "填写方式" },
      button("cards", "卡片"), button("grid", "表格"));
  }

  setView(group, name) {
    try {
      localStorage.setItem(this.viewKey(group), name);
    } catch {
      return;
    }
    this.redraw();
  }

  redraw() {
    const said = this.said;
    this.flush();
    this.draw();
    this.refresh();
    if (said && !this.saveState.textContent) this.say(...said);
  }

  /** The page became too narrow for grids, or wide enough. */
  resized() {
    if (!this.state || this.conflict || this.hadRoom === this.hasRoom()) return;
    this.hadRoom = this.hasRoom();
    this.redraw();
  }

  /** A grid comes with its own script, which a page of cards never asks for. */
  drawGrid(group) {
    const place = element("section", { className: "card grid-place" },
      element("p", { className: "quiet", textContent: "正在打开表格…" }));
    this.gridScript ??= import(new URL(this.gridUrl, document.baseURI).href);
    this.gridScript.then(({ createGrid }) => {
      if (!place.isConnected) return;
      this.grids.push(createGrid(this, group, place, { element, pathOf, same, holds }));
      this.goTo(this.wanted);
    }).catch(() => {
      this.gridScript = undefined;
      place.replaceChildren(element("p", { className: "message error", textContent: "表格暂时打不开，请检查网络后重试，或改用卡片填写。" }),
        element("button", { type: "button", className: "plain", textContent: "重试", onclick: () => this.redraw() }));
    });
    return place;
  }

  /** Show one row as a card above its grid: for files, long texts and what was said of it. */
  openCard(group, row, code, onClose) {
    const paths = group.fields.map((field) => pathOf(group.code, row.key, field.code));
    const close = () => dialog.close();
    const dialog = element("dialog", { className: "row-card", "aria-label": row.label },
      element("div", { className: "row-card-title" }, element("h3", { textContent: row.label }),
        element("button", { type: "button", className: "plain", textContent: "关闭", onclick: close })),
      row.hint ? element("p", { className: "help", textContent: row.hint }) : null,
      element("div", { className: "grid" }, ...group.fields.map((field) => this.drawField(group, row, field))));
    dialog.addEventListener("close", () => {
      for (const path of paths) delete this.fields[path];
      dialog.remove();
      this.flush();
      this.refresh();
      onClose();
    });
    this.sheet.append(dialog);
    this.refresh();
    dialog.showModal();
    const known = this.fields[pathOf(group.code, row.key, code)];
    (known?.input ?? known?.widget.querySelector("button, a"))?.focus();
  }

  childGroups(group, row) {
    const isChild = (other) => other.parent && other.parent[0] === group.code && other.parent[1] === row.key;
    return this.state.form.groups
      .map((other) => [other, (this.state.rows[other.code] ?? []).filter(isChild)])
      .filter(([, rows]) => rows.length);
  }

  drawTable(group, rows) {
    const columns = group.fields.filter((field) => field.type !== "long_text");
    const below = group.fields.filter((field) => field.type === "long_text");
    const head = element("div", { className: "tr head", "aria-hidden": "true" }, element("span", {}),
      ...columns.map((field) => element("span", { textContent: field.label })));
    const lines = rows.map((row, index) => this.drawLine(group, row, index, columns, below));
    const table = element("div", { className: "table" }, head, ...lines.map((line) => line.node));
    this.tables.push({ node: table, head, group, rows, columns, lines });
    return table;
  }

  drawLine(group, row, index, columns, below) {
    const more = element("div", { className: "more" });
    const title = element("div", { className: "line-title" },
      element("span", { className: "number", textContent: index + 1 }),
      element("span", { className: "name", textContent: row.label }),
      row.hint ? this.helpButton(row.hint, () => title) : null,
      row.badge ? element("span", { className: "badge", textContent: row.badge }) : null, more);
    const cells = columns.map((field) => this.drawField(group, row, field));
    const notes = below.map((field) => this.drawField(group, row, field, more));
    // A sentence has no room in a column: it stands under its row and names its field.
    const messages = columns.flatMap((field) => {
      const known = this.fields[pathOf(group.code, row.key, field.code)];
      if (!known.remark.hidden) known.remark.prepend(`${field.label} · `);
      return [known.remark, known.message];
    });
    const wide = element("div", { className: "below" }, ...notes, ...messages);
    return { node: element("div", { className: "tr", role: "group", "aria-label": row.label }, title, ...cells, wide), row, wide, cells };
  }

  refresh() {
    for (const button of this.body.querySelectorAll("[data-move]")) button.hidden = !this.state.can.submit;
    const named = new Map();
    for (const known of Object.values(this.fields)) {
      if (!known.field) continue;
      const key = `${known.group.code}[${known.row?.key ?? ""}]`;
      if (!named.has(key)) named.set(key, this.names(known.group, known.row));
      this.refreshField(known, named.get(key));
    }
    for (const grid of this.grids) grid.refresh();
    this.sums.refresh();
    this.refreshTables();
    this.refreshCounts();
    this.refreshCorrections();
    this.refreshSummary();
  }

  /** A column that no row shows takes no place. */
  refreshTables() {
    const widths = { code: "6.8rem", date: "8.4rem", evidence: "minmax(13rem, 26rem)" };
    for (const { node, head, group, rows, columns, lines } of this.tables) {
      const at = (row, field) => this.fields[pathOf(group.code, row.key, field.code)];
      const used = columns.map((field) => rows.some((row) => at(row, field)?.visible));
      const tracks = columns.filter((_, index) => used[index]).map((field) => widths[field.type] ?? "minmax(7rem, 1fr)");
      node.style.setProperty("--tracks", ["minmax(8.5rem, 13rem)", ...tracks].join(" "));
      node.hidden = !used.includes(true);
      [...head.children].slice(1).forEach((cell, index) => { cell.hidden = !used[index]; });
      for (const line of lines) {
        line.cells.forEach((cell, index) => {
          cell.classList.toggle("unused", !used[index]);
          cell.classList.toggle("blank", used[index] && cell.hidden);
        });
        line.wide.hidden = [...line.wide.children].every((child) => child.hidden);
      }
    }
  }

  refreshCounts() {
    for (const { node, children } of this.counters) {
      node.textContent = children.map(([group, rows]) => this.countText(group, rows)).filter(Boolean).join("；");
    }
  }

  countText(group, rows) {
    const field = group.fields.find((one) => one.type === "code");
    if (!field) return `${rows.length} 行`;
    return field.options.map(([code, name]) => {
      const count = rows.filter((row) => {
        const path = pathOf(group.code, row.key, field.code);
        return same(this.values[path], code) && this.isVisible(this.cells[path]);
      }).length;
      return count ? `${name} ${count}` : "";
    }).filter(Boolean).join(" · ");
  }

  refreshSummary() {
    if (this.readOnly) return this.summary.replaceChildren();
    const count = (severity) => this.problems.filter((one) => one.severity === severity && this.isShown(one));
    const missing = this.problems.filter((one) => one.kind === MISSING && one.severity === "error");
    const parts = [
      ["error", count("error"), "项需要修改"],
      ["warning", count("warning"), "项警告，须说明"],
      ["hint", count("hint"), "项提示"],
      ["unchecked", count("unchecked"), "项未校验"],
    ].filter(([, problems]) => problems.length);
    const lists = parts.map(([kind, problems, words]) => element("details", { className: `count ${kind}`, open: this.openCount === kind, ontoggle: (event) => {
      if (event.target.open) this.openCount = kind;
      else if (this.openCount === kind) this.openCount = null;
    } },
      element("summary", { textContent: `${problems.length} ${words}` }),
      element("ul", {}, ...problems.slice(0, LONGEST_LIST).map((problem) => element("li", {},
        element("button", { type: "button", className: "plain", textContent: problem.label, onclick: () => this.goTo(problem.path) }),
        element("span", { textContent: `：${problem.message}` }))),
        problems.length > LONGEST_LIST ? element("li", { className: "quiet", textContent: `……还有 ${problems.length - LONGEST_LIST} 项，改正以上各项后显示。` }) : null)));
    const rest = !this.attempted && missing.length
      ? [element("span", { className: "quiet", textContent: `还有 ${missing.length} 项必填未填` })] : [];
    this.summary.replaceChildren(...lists, ...rest);
  }

  goTo(path) {
    const cell = this.cells[path];
    if (this.grids.some((grid) => grid.goTo(path))) {
      this.wanted = null;
      return;
    }
    // A grid that is still on its way goes there when it has come.
    this.wanted = this.sheet.querySelector(".grid-place") && cell?.row ? path : null;
    const [code, key] = cell?.row?.parent ?? [cell?.group.code, cell?.row?.key];
    const card = this.cards[`${code}[${key}]`];
    card?.fill();
    const known = this.fields[path];
    if (!known) return;
    known.unfolded = true;
    card?.details.setAttribute("open", "");
    this.refresh();
    known.node.scrollIntoView({ block: "center" });
    (known.input ?? known.widget).focus?.({ preventScroll: true });
  }

  // MOVES

  async submit(noChange) {
    this.say("正在提交…", "busy");
    if (this.dirtyPaths().length && !(await this.flush())) return;
    await this.move("submit", { draft_version: this.draftVersion, no_change: noChange });
  }

  noChange() {
    const changed = Object.values(this.cells).filter((cell) => this.isChanged(cell.path) && this.isVisible(cell));
    if (!changed.length) return this.submit(true);
    const question = `您修改了 ${changed.length} 处。选择“本期无变化”将按上次认定的内容报送，所做修改仍留在草稿中。`;
    this.say(question, "busy", "仍按无变化报送", () => this.submit(true));
  }

  async move(action, body) {
    const buttons = [...this.footer.querySelectorAll("button")];
    for (const button of buttons) button.disabled = true;
    const answer = await this.ask("POST", `${this.url}/${action}`, { lock_version: this.revision, ...body });
    for (const button of buttons) button.disabled = false;
    if (answer.ok) return this.moved(action, answer.data);
    if (answer.data.error === "DraftConflict") return this.meetConflict(answer.data);
    if (answer.data.problems) return this.refused(answer.data);
    this.say(answer.data.message ?? "未提交：暂时连接不上，请稍后再试；已填内容不会丢失。", "failed",
      answer.data.error === "StaleVersion" || answer.data.error === "InvalidAction" ? "重新载入" : undefined, () => this.load());
  }

  moved(action, data) {
    // What is withdrawn is filled in further, with what this browser still has of it.
    if (action === "submit") this.outbox.clear();
    this.revision = data.lock_version;
    this.trigger?.("moved", { action, lock_version: data.lock_version });
    this.load();
  }

  refused(data) {
    this.attempted = true;
    const others = this.problems.filter((problem) => problem.severity !== "error");
    this.setProblems([...data.problems, ...others]);
    this.openCount = "error";
    this.refresh();
    this.say(data.message, "failed");
    const first = data.problems.find((problem) => this.cells[problem.path]);
    if (first) this.goTo(first.path);
  }
}

const editors = new WeakMap();

let gone = 0; // the number of the last field that a link from another page led to

export default function formEditor(component) {
  const { data, parentElement, setTriggerValue } = component;
  let editor = editors.get(parentElement);
  if (!editor || editor.submissionId !== data.submission_id) {
    editor?.body.remove();
    editor = new Editor(parentElement, data);
    editors.set(parentElement, editor);
    const { asked } = data;
    editor.load().then(() => {
      if (!(asked?.number > gone) || !editor.state) return;
      gone = asked.number;
      editor.attempted = true; // whoever is sent to a field has tried to submit
      editor.refresh();
      editor.goTo(asked.path);
    });
  } else if (editor.revision !== data.revision || (editor.page !== undefined && editor.page !== data.page)) {
    editor.flush().then(() => editor.load());
  }
  editor.page = data.page;
  editor.trigger = setTriggerValue;
  editor.attach();
  return () => editor.detach();
}
