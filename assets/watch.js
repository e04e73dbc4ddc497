// The eyes of a dashboard: polls for new data, opens links without a reload, measures the screen.
// Streamlit calls the function at every rerun and the cleanup at the end, so what listens is
// installed once and reads what was told last.
const EVERY = 4000; // ms
const LATER = 5000; // ms

const hasWebGL = () => {
  try {
    const context = document.createElement("canvas").getContext("webgl2");
    if (!context) return false;
    context.getExtension("WEBGL_lose_context")?.loseContext();
    return true;
  } catch {
    return false;
  }
};

const tryLater = ({ current: { data, setStateValue } }) => {
  const { width, height } = data;
  if (!hasWebGL()) setStateValue("screen", { webgl: false, width, height });
};

const measure = (latest, tries) => {
  const box = document.querySelector(`.st-key-${latest.current.data.box}`)?.getBoundingClientRect();
  if (!(box?.height > 150) && tries > 0) {
    setTimeout(measure, 100, latest, tries - 1);
    return;
  }
  const { data, setStateValue } = latest.current;
  // Trying costs as much as a picture: a browser that is known is asked after its map is drawn.
  const webgl = data.known || hasWebGL();
  if (data.known) latest.later = setTimeout(tryLater, LATER, latest);
  const width = Math.round(box?.width || data.width);
  const height = Math.round(box?.height || data.height);
  if (box) document.cookie = `portal_${data.box}=${width}x${height}; path=/; max-age=31536000; samesite=strict`;
  const differs = (a, b) => Math.abs(a - b) > b * 0.08;
  if (!webgl || differs(width, data.width) || differs(height, data.height)) {
    setStateValue("screen", { webgl, width, height });
  }
};

/** Bring the list that an address opens to the screen, once it is there: it may stand far below the figure. */
const reach = (address, tries = 80) => {
  const list = [...document.querySelectorAll("[data-portal-list]")].find((each) => each.dataset.portalList === address);
  if (list) list.scrollIntoView({ block: "start" });
  else if (tries > 0) setTimeout(reach, 100, address, tries - 1);
};

const install = (latest) => {
  const onClick = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    const target = event.target.closest?.("[data-portal-open], [data-portal-action]");
    if (!target) return;
    event.preventDefault();
    const { portalOpen, portalAction } = target.dataset;
    if (portalOpen) {
      latest.current.setTriggerValue("open", portalOpen);
      if (portalOpen.includes("show=")) reach(portalOpen);
    }
    if (!portalOpen) latest.current.setTriggerValue("action", portalAction);
  };
  const onKey = (event) => {
    if (event.key === "Enter" && event.target.matches?.("[data-portal-action]")) onClick(event);
  };

  let asking = false;
  const ask = async () => {
    const { data, setTriggerValue } = latest.current;
    if (document.hidden || data.version === null || asking) return;
    asking = true;
    try {
      const answer = await fetch(data.url);
      if (answer.status === 401) setTriggerValue("changed", "signed-out");
      if (!answer.ok) return;
      const { version, at } = await answer.json();
      document.querySelectorAll("[data-portal-fresh]").forEach((element) => {
        element.textContent = at;
      });
      // A rerun that is on its way has the newer version already.
      if (version !== latest.current.data.version && version !== latest.told) {
        latest.told = version;
        setTriggerValue("changed", version);
      }
    } catch {
      // The portal is away for a moment: the next round asks again.
    } finally {
      asking = false;
    }
  };

  const timer = setInterval(ask, EVERY);
  document.addEventListener("click", onClick);
  document.addEventListener("keydown", onKey);
  document.addEventListener("visibilitychange", ask);
  return () => {
    clearInterval(timer);
    document.removeEventListener("click", onClick);
    document.removeEventListener("keydown", onKey);
    document.removeEventListener("visibilitychange", ask);
  };
};

export default function ({ parentElement, ...told }) {
  let latest = parentElement.portalWatch;
  if (latest) {
    latest.current = told;
  } else {
    latest = parentElement.portalWatch = { current: told };
    latest.remove = install(latest);
    if (told.data.box) measure(latest, 20);
  }
  return () => {
    latest.remove();
    clearTimeout(latest.later);
    delete parentElement.portalWatch;
  };
}
