// The browser's way back ends at pages as they were left. On the way to another page Streamlit puts
// that page's parameters under the address of this one first, as an entry of its own: the entry
// becomes the other page's. What follows without a touch of the person belongs to the same step.
// The front door, which only leads on, is no place to go back to either.
const SOON = 30000; // ms within which entries may belong to one step, on a slow machine too

const install = () => {
  const { history } = window;
  const push = history.pushState.bind(history);
  let pushed = -SOON; // when an entry under the page's own address was made, the last of all
  let stepped = -SOON; // when the last entry was made
  let touched = true; // since then
  const touch = () => {
    touched = true;
  };
  for (const event of ["pointerdown", "keydown", "popstate"]) {
    window.addEventListener(event, touch, true);
  }
  window.addEventListener("popstate", () => {
    pushed = stepped = -SOON;
  });
  history.pushState = (state, unused, url) => {
    const [here, next] = [window.location, new URL(url, window.location.href)];
    const leaves = next.pathname !== here.pathname;
    const isSoon = (moment) => performance.now() - moment < SOON;
    // A page that was just opened may take a default out of its address: that is the same step.
    const isStray = leaves ? isSoon(pushed) && next.search === here.search : isSoon(stepped) && !touched;
    if (isStray || (leaves && here.pathname === "/")) history.replaceState(state, unused, url);
    else push(state, unused, url);
    stepped = performance.now();
    pushed = leaves ? -SOON : stepped;
    touched = false;
  };
};

export default function () {
  if (window.portalWayBack) return;
  window.portalWayBack = true;
  install();
}
