// Trades the one-time ticket for the session cookie, or gives the cookie back.
// The cookie is HttpOnly: no script, this one included, ever reads it.
const done = new Set();

function say(parentElement, sentence) {
  const line = document.createElement("p");
  line.textContent = sentence;
  line.setAttribute("role", "status");
  parentElement.replaceChildren(line);
}

async function signIn(parentElement, ticket) {
  say(parentElement, "正在登录…");
  const answer = await fetch("/api/session", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ticket }),
    credentials: "same-origin",
  });
  if (answer.ok) {
    window.location.reload(); // the same address: deep links stay
  } else {
    say(parentElement, "登录未完成，请刷新页面后重新登录。");
  }
}

async function signOut() {
  try {
    await fetch("/api/session", { method: "DELETE", credentials: "same-origin" });
  } finally {
    window.localStorage.clear();
    window.sessionStorage.clear();
    window.location.replace("/");
  }
}

export default function ({ data, parentElement }) {
  const once = data.ticket || data.act;
  if (done.has(once)) return;
  done.add(once);
  if (data.act === "sign_out") {
    signOut();
  } else {
    signIn(parentElement, data.ticket).catch(() =>
      say(parentElement, "网络不通，请刷新页面后重新登录。"),
    );
  }
}
