// The keyboard of a report's page: what the buttons and links on it do, without the mouse.

const SHORTCUTS = [
  ["n / j", "下一份"], ["p / k", "上一份"], ["a", "选“通过”"], ["r", "选“退回”，并写理由"],
  ["Ctrl + Enter", "提交审核结论"], ["u", "返回队列"], ["?", "显示或隐藏本说明"],
];

const link = (name) => document.querySelector(`.st-key-submission-${name} a`)?.click();

function choose(word) {
  const options = [...document.querySelectorAll(".st-key-submission-decision [data-testid='stRadio'] label")];
  options.find((option) => option.textContent.trim() === word)?.click();
}

/** The text of a return is drawn after its choice: the key goes on into it. */
function write(tries = 40) {
  const area = document.querySelector(".st-key-submission-decision textarea");
  if (area && (area.ariaLabel ?? "").includes("必填")) area.focus();
  else if (tries) setTimeout(write, 50, tries - 1);
}

function help() {
  const known = document.querySelector("dialog.portal-keys");
  if (known) return known.close();
  const box = document.createElement("dialog");
  box.className = "portal-keys";
  box.innerHTML = `<h3>快捷键</h3><dl>${SHORTCUTS.map(([keys, words]) => `<dt>${keys}</dt><dd>${words}</dd>`).join("")}</dl>`;
  box.addEventListener("close", () => box.remove());
  box.addEventListener("click", () => box.close());
  document.body.append(box);
  return box.showModal();
}

function send() {
  document.activeElement?.blur(); // what was typed last reaches the page first
  setTimeout(() => document.querySelector(".st-key-submission-decision button[kind='primary']")?.click(), 300);
}

const KEYS = {
  n: () => link("next"), j: () => link("next"), p: () => link("previous"), k: () => link("previous"),
  u: () => link("queue"), a: () => choose("通过"), r: () => { choose("退回"); write(); }, "?": help,
};

function onKey(event) {
  if (event.isComposing || event.altKey || event.metaKey) return;
  const target = event.composedPath()[0];
  const typing = target.matches?.("input:not([type=radio]), textarea, select, [contenteditable]");
  const act = event.ctrlKey ? event.key === "Enter" && send : !typing && KEYS[event.key];
  if (!act) return;
  // Before Streamlit's own keys: its "r" would rerun the page.
  event.preventDefault();
  event.stopImmediatePropagation();
  act();
}

export default function () {
  window.addEventListener("keydown", onKey, true);
  return () => window.removeEventListener("keydown", onKey, true);
}
