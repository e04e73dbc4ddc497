// A light map without a background: a village, its natural villages, and the outline around them.
//
// Degrees of EPSG:4490 are drawn as they are, narrowed by the cosine of the latitude. It needs no
// WebGL and no tiles. onPick([longitude, latitude]) is told where somebody clicked or dragged to,
// onChoose(code) which point was clicked.

const SVG = "http://www.w3.org/2000/svg";
const CLICK = 6; // pixels that a finger may slip
const ROOM = 0.18; // of the picture left free around the points
const CLOSEST = 4e6; // pixels a degree
const METRES_A_DEGREE = 111195;
const LETTER = 13; // pixels of a Chinese letter

function drawn(tag, attributes = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** Metres between two positions, as domain/positions.py counts them. */
function metresBetween([east, north], [toEast, toNorth]) {
  const radians = (degrees) => degrees * Math.PI / 180;
  const half = Math.sin(radians(toNorth - north) / 2) ** 2
    + Math.cos(radians(north)) * Math.cos(radians(toNorth)) * Math.sin(radians(toEast - east) / 2) ** 2;
  return 2 * 6371008.8 * Math.asin(Math.sqrt(half));
}

class PlaceMap {
  constructor({ onPick, onChoose }) {
    this.onPick = onPick;
    this.onChoose = onChoose;
    this.places = [];
    this.outline = drawn("path", { class: "outline" });
    this.link = drawn("line", { class: "link" });
    this.points = drawn("g");
    this.names = drawn("g");
    this.target = drawn("g", { class: "target" }, drawn("circle", { r: 9 }), drawn("path", { d: "M-14 0H14M0-14V14" }));
    this.svg = drawn("svg", { role: "img", "aria-label": "本村及各自然村位置图" }, this.outline, this.link, this.points, this.names, this.target);
    this.scaleBar = element("div", { className: "scale-bar" });
    const button = (text, title, act) => element("button", { type: "button", textContent: text, title, "aria-label": title, onclick: act });
    this.node = element("div", { className: "place-map" }, this.svg, this.scaleBar, element("div", { className: "zoom" },
      button("＋", "放大", () => this.zoom(1.6)), button("－", "缩小", () => this.zoom(1 / 1.6)), button("⤢", "看全部", () => this.fit())));
    this.fingers = new Map();
    this.svg.addEventListener("pointerdown", (event) => this.press(event));
    this.svg.addEventListener("pointermove", (event) => this.move(event));
    this.svg.addEventListener("pointerup", (event) => this.release(event));
    this.svg.addEventListener("pointercancel", (event) => this.fingers.delete(event.pointerId));
    this.svg.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoom(event.deltaY < 0 ? 1.25 : 0.8, [event.offsetX, event.offsetY]);
    }, { passive: false });
    new ResizeObserver(() => this.resize()).observe(this.node);
  }

  /** Show the places; `outline` is a GeoJSON geometry of polygons, or null. */
  show(places, outline) {
    this.places = places;
    if (outline !== undefined) this.shape = outline;
    this.marks = places.map((place) => this.mark(place));
    this.points.replaceChildren(...this.marks.map((mark) => mark.point));
    this.names.replaceChildren(...this.marks.map((mark) => mark.name));
    if (this.scale) this.refresh();
    else this.fit();
  }

  mark(place) {
    const title = drawn("title");
    title.textContent = `${place.name} ${place.code}`;
    const kind = place.is_village ? "village" : "natural";
    const point = drawn("circle", { class: `point ${kind}`, r: place.is_village ? 8 : 6, "data-code": place.code }, title);
    const name = drawn("text", { class: `name ${kind}` });
    name.textContent = place.name;
    return { place, point, name };
  }

  /** Mark one place as the one that is moved, and where it would go, if anywhere. */
  choose(code, position) {
    this.chosen = code;
    this.position = position;
    this.refresh();
  }

  // WHERE THINGS ARE: pixels of the picture from degrees, and back

  resize() {
    const { clientWidth: width, clientHeight: height } = this.svg;
    if (!width || (this.width === width && this.height === height)) return;
    const first = !this.width;
    Object.assign(this, { width, height });
    if (first) this.fit();
    else this.refresh();
  }

  fit() {
    const all = this.places.map((place) => place.position);
    if (this.position) all.push(this.position);
    if (!all.length || !this.width) return;
    const [east, north] = [0, 1].map((axis) => all.map((position) => position[axis]));
    const span = (values) => Math.max(...values) - Math.min(...values);
    this.centre = [east, north].map((values) => (Math.max(...values) + Math.min(...values)) / 2);
    this.narrow = Math.cos(this.centre[1] * Math.PI / 180);
    const fitting = Math.min(this.width / Math.max(span(east) * this.narrow, 0.01), this.height / Math.max(span(north), 0.01));
    this.scale = fitting * (1 - 2 * ROOM);
    this.refresh();
  }

  zoom(factor, [x, y] = [this.width / 2, this.height / 2]) {
    if (!this.scale) return;
    const held = this.degrees([x, y]);
    this.scale = Math.min(Math.max(this.scale * factor, 40), CLOSEST);
    this.hold(held, [x, y]);
  }

  /** Bring a position under a pixel. */
  hold([east, north], [x, y]) {
    this.centre = [east - (x - this.width / 2) / this.scale / this.narrow, north + (y - this.height / 2) / this.scale];
    this.refresh();
  }

  pixel([east, north]) {
    return [
      this.width / 2 + (east - this.centre[0]) * this.narrow * this.scale,
      this.height / 2 - (north - this.centre[1]) * this.scale,
    ];
  }

  degrees([x, y]) {
    return [
      this.centre[0] + (x - this.width / 2) / this.scale / this.narrow,
      this.centre[1] - (y - this.height / 2) / this.scale,
    ].map((value) => Number(value.toFixed(6)));
  }

  // FINGERS AND MICE

  press(event) {
    if (event.button) return;
    this.svg.setPointerCapture(event.pointerId);
    const at = [event.offsetX, event.offsetY];
    this.fingers.set(event.pointerId, { at, from: at, code: event.target.dataset?.code, onTarget: Boolean(event.target.closest?.(".target")), moved: false });
  }

  move(event) {
    const finger = this.fingers.get(event.pointerId);
    if (!finger || !this.scale) return;
    const at = [event.offsetX, event.offsetY];
    if (this.fingers.size === 2) this.pinch(event.pointerId, at);
    else if (finger.moved || Math.hypot(at[0] - finger.from[0], at[1] - finger.from[1]) > CLICK) {
      finger.moved = true;
      if (finger.onTarget || (finger.code && finger.code === this.chosen)) {
        this.position = this.degrees(at);
        this.refresh();
      } else this.hold(this.degrees(finger.at), at);
    }
    finger.at = at;
  }

  pinch(id, at) {
    const [other] = [...this.fingers].filter(([key]) => key !== id).map(([, finger]) => finger);
    const finger = this.fingers.get(id);
    for (const each of [finger, other]) each.moved = true;
    const distance = (one, two) => Math.max(1, Math.hypot(one[0] - two[0], one[1] - two[1]));
    const middle = [(at[0] + other.at[0]) / 2, (at[1] + other.at[1]) / 2];
    this.zoom(distance(at, other.at) / distance(finger.at, other.at), middle);
  }

  release(event) {
    const finger = this.fingers.get(event.pointerId);
    this.fingers.delete(event.pointerId);
    if (!finger || !this.scale) return;
    if (finger.moved) {
      if (finger.onTarget || (finger.code && finger.code === this.chosen)) this.onPick(this.position);
    } else if (finger.code && finger.code !== this.chosen) this.onChoose(finger.code);
    else if (this.chosen) this.onPick(this.degrees(finger.at));
  }

  // DRAWING

  refresh() {
    if (!this.scale || !this.width) return;
    this.outline.setAttribute("d", this.outlinePath());
    const taken = this.marks.map(({ place }) => this.pixel(place.position)).map(([x, y]) => [x - 7, y - 7, x + 7, y + 7]);
    const first = (mark) => (mark.place.code === this.chosen ? 0 : mark.place.is_village ? 1 : 2);
    for (const mark of [...this.marks].sort((one, two) => first(one) - first(two))) this.place(mark, taken);
    const from = this.places.find((place) => place.code === this.chosen)?.position;
    const shown = Boolean(this.position);
    this.target.setAttribute("visibility", shown ? "visible" : "hidden");
    this.link.setAttribute("visibility", shown && from ? "visible" : "hidden");
    if (shown) {
      const [x, y] = this.pixel(this.position);
      this.target.setAttribute("transform", `translate(${x} ${y})`);
      if (from) {
        const [fromX, fromY] = this.pixel(from);
        for (const [name, value] of Object.entries({ x1: fromX, y1: fromY, x2: x, y2: y })) this.link.setAttribute(name, value);
      }
    }
    this.drawScale();
  }

  /** A point is always there; its name only where it covers no other. */
  place({ place, point, name }, taken) {
    const [x, y] = this.pixel(place.position);
    point.setAttribute("cx", x);
    point.setAttribute("cy", y);
    point.classList.toggle("chosen", place.code === this.chosen);
    const half = Math.max(1, place.name.length) * LETTER / 2;
    const box = [x - half, y + 9, x + half, y + 26];
    const free = taken.every((other) => box[2] < other[0] || box[0] > other[2] || box[3] < other[1] || box[1] > other[3]);
    name.setAttribute("visibility", free ? "visible" : "hidden");
    name.setAttribute("x", x);
    name.setAttribute("y", y + 22);
    if (free) taken.push(box);
  }

  outlinePath() {
    const polygons = { Polygon: (one) => [one], MultiPolygon: (many) => many };
    const rings = (polygons[this.shape?.type]?.(this.shape.coordinates) ?? []).flat();
    return rings.map((ring) => `M${ring.map((position) => this.pixel(position).map((value) => value.toFixed(1)).join(" ")).join("L")}Z`).join("");
  }

  drawScale() {
    const metres = 90 / this.scale * METRES_A_DEGREE;
    const power = 10 ** Math.floor(Math.log10(metres));
    const length = [5, 2, 1].map((step) => step * power).find((each) => each <= metres);
    this.scaleBar.textContent = length >= 1000 ? `${length / 1000} 公里` : `${length} 米`;
    this.scaleBar.style.width = `${length / METRES_A_DEGREE * this.scale}px`;
  }
}
