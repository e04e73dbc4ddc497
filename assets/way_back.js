// The browser's way back ends at pages as they were left. On the way to another page Streamlit puts
// that page's parameters under the address of this one first, as an entry of its own: the entry
// becomes the other page's. What follows without a touch of the person belongs to the same step.
// The front door, which only leads on, is no place to go back to either.
const SOON = 30000; // ms within which entries may belong to one step, on a slow machine too

const install = () => {
  const { history } = window;
  const push = history.pushState.bind(history);
  let pushed = -SOON; // when the last entry of a page of its own was made
  let touched = true; // since then
  const touch = () => {
    touched = true;
  };
  for (const event of ["pointerdown", "keydown", "popstate"]) {
    window.addEventListener(event, touch, true);
  }
  window.addEventListener("popstate", () => {
    pushed = -SOON;
  });
  history.pushState = (state, unused, url) => {
    const [here, next] = [window.location, new URL(url, window.location.href)];
    const leaves = next.pathname !== here.pathname;
    const isSoon = performance.now() - pushed < SOON;
    const isStray = isSoon && (leaves ? next.search === here.search : !touched);
    if (isStray || (leaves && here.pathname === "/")) history.replaceState(state, unused, url);
    else push(state, unused, url);
    pushed = leaves ? -SOON : performance.now();
    touched = false;
  };
};

export default function () {
  if (window.portalWayBack) return;
  window.portalWayBack = true;
  install();
}
