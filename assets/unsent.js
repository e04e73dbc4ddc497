// Says on a list of reports which of them hold text that only this browser has.
// They are in the outbox of form_parts.js; opening one of them sends what it can.
const OUTBOX = "portal.outbox.";
const MOST = 20;

function numbersOf(user) {
  const prefix = `${OUTBOX}${user}.`;
  const own = Object.keys(localStorage).filter((key) => key.startsWith(prefix));
  return [...new Set(own.map((key) => key.slice(prefix.length).split(".")[0]))];
}

/** A report as a link, or nothing where it is another form's or cannot be asked for now. */
async function linkTo(number, form) {
  try {
    const answer = await fetch(`/api/drafts/${number}`, { cache: "no-store" });
    const { submission, content } = await answer.json();
    if (!answer.ok || submission.form_code !== form) return null;
    const link = document.createElement("a");
    link.href = `village?code=${submission.division_code}&period=${submission.period_id}`;
    link.target = "_self";
    link.textContent = content.form.village_name;
    return link;
  } catch {
    return null;
  }
}

async function draw(parentElement, { user_id, form }) {
  let numbers = [];
  try {
    numbers = numbersOf(user_id);
  } catch {
    // A browser that keeps nothing has nothing to tell.
  }
  const links = (await Promise.all(numbers.slice(0, MOST).map((number) => linkTo(number, form)))).filter(Boolean);
  if (!links.length) return parentElement.replaceChildren();
  const box = document.createElement("p");
  box.className = "village-unsent";
  box.setAttribute("role", "status");
  box.append(`${links.length} 个村有内容只保存在本机，还没有上传：`,
    ...links.flatMap((link, index) => (index ? ["、", link] : [link])), "。请先打开核对，再报送。");
  parentElement.replaceChildren(box);
}

export default function unsent({ data, parentElement }) {
  const again = ({ key }) => (!key || key.startsWith(OUTBOX)) && draw(parentElement, data);
  draw(parentElement, data);
  window.addEventListener("storage", again);
  return () => window.removeEventListener("storage", again);
}
