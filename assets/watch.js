// The eyes of a dashboard: polls for new data, opens links without a reload, measures the screen.
const EVERY = 4000; // ms

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

export default function ({ parentElement, data, setTriggerValue, setStateValue }) {
  const memory = (parentElement.portalWatch ??= {});

  const measure = (tries) => {
    const box = document.querySelector(".st-key-overview-map")?.getBoundingClientRect();
    if (!(box?.height > 150) && tries > 0) {
      setTimeout(measure, 100, tries - 1);
      return;
    }
    const webgl = hasWebGL();
    const width = Math.round(box?.width || data.width);
    const height = Math.round(box?.height || data.height);
    const differs = (a, b) => Math.abs(a - b) > b * 0.08;
    if (!webgl || differs(width, data.width) || differs(height, data.height)) {
      setStateValue("screen", { webgl, width, height });
    }
  };
  if (!memory.measured) {
    memory.measured = true;
    measure(20);
  }

  const onClick = (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    const target = event.target.closest?.("[data-portal-open], [data-portal-action]");
    if (!target) return;
    event.preventDefault();
    const { portalOpen, portalAction } = target.dataset;
    if (portalOpen) setTriggerValue("open", portalOpen);
    else setTriggerValue("action", portalAction);
  };
  document.addEventListener("click", onClick);

  let asked = null;
  const ask = async () => {
    if (document.hidden || data.version === null || asked) return;
    asked = new AbortController();
    try {
      const answer = await fetch(data.url, { signal: asked.signal });
      if (answer.status === 401) return setTriggerValue("changed", "signed-out");
      if (!answer.ok) return;
      const { version, at } = await answer.json();
      document.querySelectorAll("[data-portal-fresh]").forEach((element) => {
        element.textContent = at;
      });
      if (version !== data.version) setTriggerValue("changed", version);
    } catch {
      // The portal is away for a moment: the next round asks again.
    } finally {
      asked = null;
    }
  };
  const timer = setInterval(ask, EVERY);
  document.addEventListener("visibilitychange", ask);

  return () => {
    clearInterval(timer);
    asked?.abort();
    document.removeEventListener("visibilitychange", ask);
    document.removeEventListener("click", onClick);
  };
}
