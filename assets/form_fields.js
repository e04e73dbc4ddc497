// Draws one field of a form: the widget of its data type, its help, its reasons and its messages.

class FieldForm extends FormState {
  helpButton(text, parentOf) {
    const help = element("p", { className: "help", textContent: text, hidden: true });
    const button = element("button", { type: "button", className: "ask", textContent: "?", title: text, "aria-label": "填写说明", "aria-expanded": "false", onclick: () => {
      help.hidden = !help.hidden;
      button.setAttribute("aria-expanded", String(!help.hidden));
      parentOf().append(help);
    } });
    return button;
  }

  drawField(group, row, field, more = null) {
    const path = pathOf(group.code, row?.key ?? "", field.code);
    const locked = this.isLocked({ row, field });
    const id = `field-${Object.keys(this.fields).length}`;
    const known = { group, row, field, path, id };
    this.fields[path] = known;
    known.message = element("div", { className: "message", id: `${id}-message`, hidden: true });
    known.before = element("div", { className: "before quiet", hidden: true });
    known.remark = this.drawReason(known);
    known.widget = locked ? this.drawText(known) : this.drawWidget(known);
    known.mark = element("span", { className: "required", textContent: "*", title: "必填", hidden: true });
    const title = field.unit ? `${field.label}（${field.unit}）` : field.label;
    const wide = field.type === "long_text" || field.type === "evidence";
    known.label = element("label", { htmlFor: id, textContent: title });
    known.kept = element("span", { className: "kept", textContent: this.state.taken_over, title: "上次认定的内容，请核对", hidden: true });
    known.node = element("div", { className: `field ${field.type}${wide ? " wide" : ""}` },
      element("div", { className: "label" }, known.label, known.mark, known.kept,
        field.help ? this.helpButton(field.help, () => known.node) : null),
      known.widget, known.before, known.remark, known.message);
    if (more && !locked) this.foldWhenEmpty(known, more);
    return known.node;
  }

  /** What a return said of this field, beside the field. */
  drawReason({ path }) {
    const reasons = this.remarksAt(path);
    return element("div", { className: "message reason-here", hidden: !reasons.length, textContent: reasons.map((remark) => `退回理由：${remark.reason}`).join(" ") });
  }

  /** An optional remark nobody wrote takes a link instead of a box. */
  foldWhenEmpty(known, more) {
    if (known.field.required) return;
    known.opener = element("button", { type: "button", className: "plain", textContent: `＋${known.field.label}`, onclick: () => {
      known.unfolded = true;
      this.refresh();
      known.input.focus();
    } });
    more.append(known.opener);
  }

  drawText(known) {
    const value = element("div", { className: "value", id: known.id });
    known.set = () => {
      if (known.field.type === "evidence") value.replaceChildren(...this.fileLinks(known));
      else value.textContent = this.text(known.path, this.values[known.path]);
    };
    known.set();
    return value;
  }

  fileLinks(known) {
    const given = this.values[known.path] ?? {};
    const links = Object.entries(given).map(([item, number]) => element("div", { className: "file given" },
      element("span", { className: "item", textContent: item }),
      element("a", { href: `/api/evidence/${number}`, textContent: this.fileName(known, number) ?? "打开", target: "_blank" })));
    return links.length ? links : [element("span", { textContent: "—" })];
  }

  drawWidget(known) {
    const own = fieldKinds[known.field.kind];
    if (own) return own(this, known);
    const draw = { long_text: this.drawArea, date: this.drawDate, code: this.drawCode, boolean: this.drawCode, evidence: this.drawEvidence };
    return (draw[known.field.type] ?? this.drawInput).call(this, known);
  }

  drawInput(known) {
    const modes = { integer: "numeric", decimal: "decimal", phone: "tel" };
    known.input = element("input", { type: "text", id: known.id, inputMode: modes[known.field.type] ?? "text", autocomplete: "off" });
    known.set = (value) => { known.input.value = value ?? ""; };
    known.set(this.values[known.path]);
    this.listen(known.input, known.path);
    return known.input;
  }

  drawArea(known) {
    known.input = element("textarea", { id: known.id, rows: known.row ? 1 : 3 });
    const grow = () => {
      known.input.style.height = "auto";
      if (known.input.scrollHeight) known.input.style.height = `${known.input.scrollHeight + 2}px`;
    };
    known.set = (value) => { known.input.value = value ?? ""; requestAnimationFrame(grow); };
    known.set(this.values[known.path]);
    known.input.addEventListener("input", grow);
    this.listen(known.input, known.path);
    return known.input;
  }

  /** A text box, because a date picker swallows what it cannot read; the picker is beside it. */
  drawDate(known) {
    this.drawInput(known);
    known.input.placeholder = "年-月-日";
    const picker = element("input", { type: "date", className: "picker", tabIndex: -1, "aria-hidden": "true", onchange: () => {
      known.set(picker.value);
      this.change(known.path, picker.value || null);
      this.flush();
    } });
    const button = element("button", { type: "button", className: "pick", title: "选择日期", "aria-label": `选择${known.field.label}`, onclick: () => {
      picker.value = /^\d{4}-\d{2}-\d{2}$/.test(known.input.value) ? known.input.value : "";
      picker.showPicker?.();
    } });
    return element("div", { className: "date-box" }, known.input, picker, button);
  }

  drawCode(known) {
    const options = known.field.type === "boolean" ? [[true, "是"], [false, "否"]] : known.field.options;
    if (known.row?.parent) return this.drawSelect(known, options);
    const radios = options.map(([code, name]) => {
      const reason = this.reasonAgainst(known, code);
      const radio = element("input", { type: "radio", name: known.id, disabled: Boolean(reason), onchange: () => {
        this.change(known.path, code);
        this.flush();
      } });
      return [code, radio, element("label", { className: reason ? "radio excluded" : "radio", title: reason }, radio, element("span", { textContent: name }))];
    });
    known.input = radios[0]?.[1];
    known.set = (value) => { for (const [code, radio] of radios) radio.checked = same(code, value); };
    known.set(this.values[known.path]);
    return element("div", { className: "radios", id: known.id, role: "radiogroup", "aria-label": known.field.label }, ...radios.map(([, , label]) => label));
  }

  drawSelect(known, options) {
    const choices = [["", "请选择"], ...options];
    known.input = element("select", { id: known.id, onchange: () => {
      this.change(known.path, choices[known.input.selectedIndex][0] === "" ? null : choices[known.input.selectedIndex][0]);
      this.flush();
    } }, ...choices.map(([code, name]) => {
      const reason = this.reasonAgainst(known, code);
      return element("option", { textContent: name, disabled: Boolean(reason), title: reason });
    }));
    known.set = (value) => {
      known.input.selectedIndex = Math.max(0, choices.findIndex(([code]) => same(code, value)));
      known.input.dataset.value = value ?? "";
    };
    known.set(this.values[known.path]);
    return known.input;
  }

  listen(input, path) {
    input.addEventListener("compositionstart", () => { this.composing = true; });
    input.addEventListener("compositionend", () => {
      this.composing = false;
      this.change(path, input.value === "" ? null : input.value);
    });
    input.addEventListener("input", () => {
      if (!this.composing) this.change(path, input.value === "" ? null : input.value);
    });
    input.addEventListener("blur", () => {
      this.composing = false;
      this.settle(path);
      this.flush();
    });
  }

  // EVIDENCE: one file for each item the row names

  drawEvidence(known) {
    const box = element("div", { className: "files", id: known.id });
    known.set = () => box.replaceChildren(...this.fileRow(known).file_items.map((item) => this.drawFile(known, item)));
    known.set();
    return box;
  }

  drawFile(known, item) {
    const number = (this.values[known.path] ?? {})[item];
    const chooser = element("input", { type: "file", hidden: true, accept: this.state.accept, onchange: () => {
      if (chooser.files[0]) this.upload(known, item, chooser.files[0], node);
    } });
    const choose = element("button", { type: "button", className: "plain", textContent: number ? "替换" : "上传", "aria-label": `${number ? "替换" : "上传"}${item}`, onclick: () => chooser.click() });
    const remove = number ? element("button", { type: "button", className: "plain", textContent: "移除", "aria-label": `移除${item}`, onclick: () => this.setFile(known, item, null) }) : null;
    const name = number
      ? element("a", { href: `/api/evidence/${number}`, target: "_blank", title: this.fileName(known, number) ?? "", textContent: this.fileName(known, number) ?? "已上传的文件" })
      : null;
    const node = element("div", { className: `file${number ? " given" : ""}` },
      element("span", { className: "item", textContent: item }), name, this.takenOver(known, item, number),
      element("span", { className: "file-actions" }, choose, remove), chooser);
    return node;
  }

  /** The mark of a file that stands here because it was accepted before; null for a new one. */
  takenOver(known, item, number) {
    const isKept = number && this.accepted[known.path]?.[item] === number;
    return isKept ? element("span", { className: "kept", textContent: this.state.taken_over, title: "上次认定的文件，请核对；不再适用请替换或移除" }) : null;
  }

  setFile(known, item, number) {
    const given = { ...(this.values[known.path] ?? {}) };
    if (number === null) delete given[item];
    else given[item] = number;
    this.change(known.path, Object.keys(given).length ? given : null);
    known.set();
    this.flush();
  }

  async upload(known, item, file, node) {
    const bar = element("progress", { max: 1, value: 0, "aria-label": `上传${item}` });
    const named = `${file.name}（${megabytes(file.size)}）`;
    const text = element("span", { className: "quiet", textContent: named });
    const stop = new AbortController();
    const cancel = element("button", { type: "button", className: "plain", textContent: "取消", onclick: () => stop.abort() });
    node.replaceChildren(element("span", { className: "item", textContent: item }), text, bar, cancel);
    try {
      const { form_code, division_code } = this.state.submission;
      const target = { use: "evidence", form_code, division_code, group: known.group.code, key: known.row?.key ?? "", item };
      const done = await uploadFile(file, target, {
        signal: stop.signal,
        onProgress: (part) => { bar.value = part; },
        onState: (state) => { text.textContent = UPLOAD_WORDS[state] ?? named; },
      });
      this.fileRow(known).files.push({ id: done.evidence_id, item, name: file.name });
      this.setFile(known, item, done.evidence_id);
    } catch (error) {
      known.set();
      if (stop.signal.aborted) return;
      known.message.hidden = false;
      known.message.className = "message error";
      known.message.textContent = `“${item}”未上传：${error.message}`;
      known.message.parentElement.hidden = false;
    }
  }

  // REFRESHING

  refreshField(known, names) {
    const value = this.values[known.path];
    const empty = value === null || value === undefined || value === "";
    known.visible = this.shows(known, names);
    const required = this.requires(known, names);
    const isNote = known.row?.parent && known.field.type === "long_text";
    const foldable = empty && (known.opener ? !known.unfolded && !this.problemsAt(known.path).length : this.readOnly && isNote);
    known.node.hidden = !known.visible || Boolean(foldable);
    if (known.opener) known.opener.hidden = !known.visible || !foldable;
    known.mark.hidden = !required || this.readOnly;
    if (known.field.type === "code" && known.input?.tagName === "SELECT") known.input.dataset.value = value ?? "";
    this.refreshBefore(known, value);
    this.refreshMessage(known);
  }

  refreshBefore(known, value) {
    const before = this.accepted[known.path];
    const differs = before !== undefined && before !== null && !same(before, value);
    const words = this.beforeWords(known.path);
    known.before.hidden = !words.length;
    const isKept = before !== undefined && before !== null && !differs;
    known.kept.hidden = !isKept || Boolean(known.row?.parent) || this.isLocked(known);
    known.before.textContent = words.join("；");
    known.node.classList.toggle("changed", this.isMarked(known.path) && known.visible);
  }

  /** From a warning to the field that explains it, where that is still empty. */
  wayToExplanation({ group, row }) {
    const field = group.fields.find((one) => one.explains);
    const path = field && pathOf(group.code, row?.key ?? "", field.code);
    if (!field || this.readOnly || this.values[path]) return [];
    return [" ", element("button", { type: "button", className: "plain", textContent: `填写${field.label}`, onclick: () => this.goTo(path) })];
  }

  refreshMessage(known) {
    const problems = this.problemsAt(known.path);
    const worst = this.worst(problems);
    known.message.hidden = !worst;
    known.message.className = `message ${worst ?? ""}`;
    const name = known.row?.parent && known.field.type !== "long_text" ? `${known.field.label}：` : "";
    known.message.textContent = name + problems.map((problem) => problem.message).join(" ");
    if (worst === "warning") known.message.append(...this.wayToExplanation(known));
    known.input?.setAttribute("aria-invalid", String(worst === "error"));
    known.input?.setAttribute("aria-describedby", `${known.id}-message`);
    known.node.classList.toggle("invalid", worst === "error");
  }
}
