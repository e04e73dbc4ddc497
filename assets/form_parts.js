// What the scripts of a form share: conditions, elements, and the outbox of this browser.

const SAVE_AFTER = 700;
const RETRY_AFTER = [1000, 2000, 4000, 8000, 15000];
const OUTBOX = "portal.outbox.";
const MISSING = "missing";
const SEVERITIES = ["error", "warning", "hint", "unchecked"];
const SAVING_WORDS = "有修改，正在保存…";
const LONGEST_HISTORY = 100;
const LONGEST_LIST = 200;
const GRID_BY_ITSELF = 40;
const GRID_WIDTH = 700; // pixels
const KEEPALIVE_BYTES = 60000;
const UPLOAD_WORDS = { waiting: "网络中断，等待续传…", checking: "正在校验…" };

/** Widgets beside those of the data types, by the `kind` of a field: (form, known) => node. */
const fieldKinds = {};

// EXPRESSIONS: the trees that domain/expressions.py hands over

const COMPARE = {
  "==": (a, b) => a === b,
  "!=": (a, b) => a !== b,
  "<": (a, b) => a !== null && b !== null && a < b,
  "<=": (a, b) => a !== null && b !== null && a <= b,
  ">": (a, b) => a !== null && b !== null && a > b,
  ">=": (a, b) => a !== null && b !== null && a >= b,
  in: (a, b) => (b ?? []).includes(a),
  "not in": (a, b) => !(b ?? []).includes(a),
};
const COMPUTE = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
};
const CALL = {
  abs: Math.abs,
  days: (start, end) => Math.round((Date.parse(end) - Date.parse(start)) / 86400000),
  len: (value) => value.length,
  max: Math.max,
  min: Math.min,
  round: (value, digits = 0) => Number(value.toFixed(digits)),
};

function evaluate([kind, ...parts], names) {
  const value = (tree) => evaluate(tree, names);
  switch (kind) {
    case "const": return parts[0];
    case "name": return names[parts[0]] ?? null;
    case "list": return parts.map(value);
    case "and": return parts.every(value);
    case "or": return parts.some(value);
    case "not": return !value(parts[0]);
    case "neg": return -value(parts[0]);
    case "if": return value(parts[0]) ? value(parts[1]) : value(parts[2]);
    case "call": return CALL[parts[0]](...parts.slice(1).map(value));
    case "compute": return COMPUTE[parts[0]](value(parts[1]), value(parts[2]));
    case "compare": {
      let left = value(parts[0]);
      return parts.slice(1).every(([operator, tree]) => {
        const right = value(tree);
        const holds = COMPARE[operator](left, right);
        left = right;
        return holds;
      });
    }
  }
  return null;
}

function holds(tree, names, whenEmpty) {
  if (!tree) return whenEmpty;
  try {
    return Boolean(evaluate(tree, names));
  } catch {
    return whenEmpty;
  }
}

// SMALL HELP

function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in node && name !== "list") node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const same = (a, b) => canonical(a) === canonical(b);
const rowOf = (path) => path.slice(0, path.lastIndexOf("."));
const pathOf = (group, key, code) => (group === "form" ? `form.${code}` : `${group}[${key}].${code}`);

/** Files are a set of items: the order in which they came means nothing, and none is nothing. */
function canonical(value) {
  if (!value || typeof value !== "object") return JSON.stringify(value ?? null);
  const sorted = Object.entries(value).sort();
  return JSON.stringify(sorted.length ? sorted : null);
}

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

function megabytes(size) {
  return size < 1024 * 1024 ? `${Math.ceil(size / 1024)} KB` : `${(size / 1024 / 1024).toFixed(1)} MB`;
}

// THE OUTBOX: what is typed and not yet on the server, for one user and one report

class Outbox {
  constructor(userId, submissionId) {
    this.prefix = `${OUTBOX}${userId}.${submissionId}.`;
    this.key = this.prefix + Outbox.tab();
    this.taken = {};
  }

  static tab() {
    try {
      const known = sessionStorage.getItem("portal.tab") ?? String(Math.random()).slice(2);
      sessionStorage.setItem("portal.tab", known);
      return known;
    } catch {
      return "0";
    }
  }

  /** Take over what this tab, and tabs that were closed, could not save. */
  take() {
    const entries = {};
    try {
      const keys = Object.keys(localStorage).filter((key) => key.startsWith(this.prefix));
      this.taken = Object.fromEntries(keys.map((key) => [key, localStorage.getItem(key)]));
      for (const kept of Object.values(this.taken)) Object.assign(entries, JSON.parse(kept));
    } catch {
      // A browser that keeps nothing still saves to the server.
    }
    return entries;
  }

  put(entries) {
    try {
      if (Object.keys(entries).length) localStorage.setItem(this.key, JSON.stringify(entries));
      else this.settle();
    } catch {
      // Full or forbidden: the text is still on the page and on its way to the server.
    }
  }

  /** Forget what is saved: this tab's, and what it took over. Another open tab keeps its own. */
  settle() {
    for (const [key, kept] of Object.entries(this.taken)) {
      if (localStorage.getItem(key) === kept) localStorage.removeItem(key);
    }
    localStorage.removeItem(this.key);
    this.taken = {};
  }

  clear() {
    for (const key of Object.keys(localStorage)) {
      if (key.startsWith(this.prefix)) localStorage.removeItem(key);
    }
  }
}
