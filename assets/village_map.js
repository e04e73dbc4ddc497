// Keeps where the map looks in the page's address, so that a link shows the same place; zooms by buttons.
// Streamlit's map tells nobody where it looks; what React hands to deck.gl is read from its tree.
const EVERY = 500; // ms
const MOST = 200; // elements of the tree that are looked at

const handed = () => {
  const chart = document.querySelector(".st-key-village-map .stDeckGlJsonChart");
  const name = chart && Object.keys(chart).find((key) => key.startsWith("__reactFiber$"));
  const waiting = name ? [chart[name].child] : [];
  for (let looked = 0; waiting.length && looked < MOST; looked++) {
    const part = waiting.pop();
    if (!part) continue;
    const view = part.memoizedProps?.viewState;
    if (Number.isFinite(view?.zoom) && Number.isFinite(view?.latitude)) return part.memoizedProps;
    waiting.push(part.sibling, part.child);
  }
  return null;
};

const place = () => {
  const view = handed()?.viewState;
  if (!view) return null;
  return [view.zoom.toFixed(2), view.latitude.toFixed(4), view.longitude.toFixed(4)].join("_");
};

const zoom = (by) => {
  const { viewState, onViewStateChange } = handed() ?? {};
  if (!viewState) return;
  const { minZoom = 0, maxZoom = 20 } = viewState;
  const asked = Math.min(Math.max(viewState.zoom + by, minZoom), maxZoom);
  onViewStateChange?.({ viewState: { ...viewState, zoom: asked } });
};

const addButtons = (parent, onPress) => {
  if (parent.querySelector(".map-zoom")) return;
  const group = document.createElement("div");
  group.className = "map-zoom";
  for (const [sign, words, by] of [["+", "放大", 1], ["−", "缩小", -1]]) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", textContent: sign, title: words });
    button.setAttribute("aria-label", words);
    button.addEventListener("click", () => {
      onPress();
      zoom(by);
    });
    group.append(button);
  }
  parent.append(group);
};

export default ({ data, parentElement }) => {
  let moved = false;
  const onMove = (event) => {
    moved ||= Boolean(event.target.closest?.(".st-key-village-map"));
  };
  const tell = () => {
    const now = place();
    const address = new URL(location.href);
    if (now === null || !address.pathname.endsWith(`/${data.page}`)) return;
    const told = address.searchParams.get("at");
    // An address without a place shows everything: it stays short until somebody moves the map.
    if (now === told || (told === null && !moved)) return;
    address.searchParams.set("at", now);
    history.replaceState(history.state, "", address);
  };
  addButtons(parentElement, () => {
    moved = true;
  });
  const timer = setInterval(tell, EVERY);
  document.addEventListener("pointerdown", onMove, true);
  document.addEventListener("wheel", onMove, { capture: true, passive: true });
  return () => {
    clearInterval(timer);
    document.removeEventListener("pointerdown", onMove, true);
    document.removeEventListener("wheel", onMove, true);
  };
};
