// Corrects where a village or one of its natural villages lies: on the map, by coordinates, by the
// phone's own position. What is saved waits in this browser until the server has it.

const PLACES = "portal.places.";
const DEGREES = 4490;
const SYSTEMS = [[DEGREES, "经纬度（CGCS2000 / WGS84，度）"], [4526, "CGCS2000 三度带第 38 带"], [4527, "CGCS2000 三度带第 39 带"],
  [4547, "CGCS2000 中央经线 114°"], [4548, "CGCS2000 中央经线 117°"]];
const LOCATE = { enableHighAccuracy: true, timeout: 20000, maximumAge: 0 };
const LOCATE_FAULTS = { 1: "没有定位权限，请在浏览器设置中允许本站使用位置，或改用坐标。", 3: "定位超时，请到开阔处重试，或改用坐标。" };

const shownPosition = (position) => (position ? position.map((value) => value.toFixed(6)).join(", ") : "尚未登记");
const shownMetres = (metres) => (metres === null || metres === undefined ? "—" : metres < 1000 ? `${Math.round(metres)} 米` : `${(metres / 1000).toFixed(2)} 公里`);

/** What was saved here and is not on the server yet: one entry a place, the latest one. */
class PlaceOutbox {
  constructor(userId, submissionId) {
    this.prefix = `${PLACES}${userId}.${submissionId}.`;
  }

  all() {
    return Object.keys(localStorage).filter((key) => key.startsWith(this.prefix))
      .map((key) => [key.slice(this.prefix.length), JSON.parse(localStorage.getItem(key))]);
  }

  put(code, entry) {
    localStorage.setItem(this.prefix + code, JSON.stringify(entry));
  }

  take(code) {
    localStorage.removeItem(this.prefix + code);
  }

  /** Send everything; tell what the server refused as code to sentence. Whatever is cut off stays. */
  async send() {
    const refused = {};
    let sent = 0;
    for (const [code, entry] of this.all()) {
      const answer = await askPlaces("PUT", `/api/villages/${code}/position`, entry);
      if (answer.ok) sent += 1;
      else if (answer.final) refused[code] = answer.data.message;
      else break;
      this.take(code);
    }
    return { sent, refused };
  }
}

async function askPlaces(method, url, body) {
  try {
    const response = await fetch(url, { method, cache: "no-store", ...(body ? { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) } : {}) });
    const data = await response.json();
    return { ok: response.ok, data, final: response.status !== 401 && response.status !== 429 && response.status < 500 };
  } catch {
    return { ok: false, data: {}, final: false };
  }
}

class PlaceEditor {
  constructor({ village, user, submission, outline, onMoved }) {
    this.village = village;
    this.outlineUrl = outline;
    this.onMoved = onMoved;
    this.outbox = new PlaceOutbox(user, submission);
    this.places = [];
    this.draw();
    addEventListener("online", () => this.flush());
  }

  // READING

  async load() {
    const [answer, outline] = await Promise.all([askPlaces("GET", `/api/villages/${this.village}.geojson`),
      this.outlineUrl ? askPlaces("GET", this.outlineUrl) : { data: {} }]);
    if (!answer.ok) return this.say("位置暂时读不到，请检查网络后重试。", "failed");
    this.places = answer.data.features.map(({ properties, geometry }) => ({ ...properties, position: geometry.coordinates }));
    if (!this.places.some((place) => place.is_village)) this.places.unshift({ code: this.village, name: "本村（尚未登记位置）", is_village: true, position: null });
    const known = this.places.filter((place) => place.position);
    this.map.show(known, outline.data.features?.[0]?.geometry);
    const names = [["", "请选择"], ...this.places.map((place) => [place.code, place.is_village ? `${place.name}（行政村）` : place.name])];
    this.chooser.replaceChildren(...names.map(([value, textContent]) => element("option", { value, textContent })));
    this.choose(this.places.some((place) => place.code === this.code) ? this.code : "", { quiet: true });
    await this.flush();
  }

  /** Send what waits from an earlier visit or a cut; draw what came through. */
  async flush() {
    if (!this.outbox.all().length) return;
    const { sent, refused } = await this.outbox.send();
    const [first] = Object.entries(refused);
    if (first) this.say(`${this.find(first[0])?.name ?? ""} ${first[1]}`, "failed");
    else if (sent && !this.outbox.all().length) this.say("位置已上传。", "saved");
    if (!sent) return;
    this.onMoved();
    await this.load();
  }

  find(code) {
    return this.places.find((place) => place.code === code);
  }

  // DRAWING

  draw() {
    this.map = new PlaceMap({ onPick: (position) => this.pick(...position, DEGREES), onChoose: (code) => this.choose(code) });
    const button = (textContent, className, onclick) => element("button", { type: "button", className, textContent, onclick });
    const field = (text, input) => element("label", { className: "place-field" }, element("span", { textContent: text }), input);
    this.chooser = element("select", { onchange: () => this.choose(this.chooser.value) });
    this.facts = element("dl", { className: "place-facts" });
    this.system = element("select", {}, ...SYSTEMS.map(([value, textContent]) => element("option", { value, textContent })));
    this.system.addEventListener("change", () => this.nameAxes());
    this.east = element("input", { type: "text", inputMode: "decimal", autocomplete: "off" });
    this.north = element("input", { type: "text", inputMode: "decimal", autocomplete: "off" });
    this.eastField = field("", this.east);
    this.northField = field("", this.north);
    this.typed = element("details", { className: "place-typed" }, element("summary", { textContent: "输入坐标" }), field("坐标系", this.system),
      element("div", { className: "place-pair" }, this.eastField, this.northField), button("标到图上", "", () => this.pick(this.east.value, this.north.value, Number(this.system.value))));
    this.reason = element("input", { type: "text", maxLength: 200, autocomplete: "off" });
    this.reasonField = field("更正理由", this.reason);
    this.here = navigator.geolocation && window.isSecureContext ? button("用当前位置", "place-here", () => this.locate()) : null;
    this.saveButton = button("保存新位置", "primary", () => this.save());
    this.dropButton = button("放弃", "", () => this.choose(this.code));
    this.backButton = button("恢复原位置", "", () => this.restore());
    this.words = element("p", { className: "place-words", role: "status", "aria-live": "polite", hidden: true });
    this.panel = element("div", { className: "place-panel" }, field("更正哪个村", this.chooser), this.facts, this.here, this.typed, this.reasonField,
      this.words, element("div", { className: "place-actions" }, this.saveButton, this.dropButton, this.backButton));
    this.node = element("section", { className: "place-editor" }, this.map.node, this.panel);
    this.nameAxes();
    this.refresh();
  }

  nameAxes() {
    const [east, north] = Number(this.system.value) === DEGREES ? ["经度", "纬度"] : ["东坐标（米）", "北坐标（米）"];
    this.eastField.firstChild.textContent = east;
    this.northField.firstChild.textContent = north;
  }

  say(text, kind = "") {
    this.words.textContent = text;
    this.words.dataset.kind = kind;
    this.words.hidden = !text;
  }

  refresh() {
    const place = this.find(this.code);
    const metres = this.wanted && place?.position ? metresBetween(place.position, this.wanted.position) : null;
    const rows = place ? [["现位置", shownPosition(place.position)], ...(place.moved ? [["", place.moved + (place.reason ? `：${place.reason}` : "")]] : []),
      ...(this.wanted ? [["新位置", shownPosition(this.wanted.position)], ["移动", shownMetres(metres)]] : [])] : [];
    this.facts.replaceChildren(...rows.flatMap(([name, value]) => [element("dt", { textContent: name }), element("dd", { textContent: value })]));
    for (const node of [this.typed, this.here]) if (node) node.hidden = !place;
    this.reasonField.hidden = !this.wanted;
    this.reasonField.firstChild.textContent = this.doubt ? "更正理由（必填）" : "更正理由（选填）";
    this.saveButton.hidden = !this.wanted;
    this.saveButton.disabled = Boolean(this.busy || this.outside);
    this.dropButton.hidden = !this.wanted;
    this.backButton.hidden = !place?.former || Boolean(this.wanted);
    this.chooser.value = this.code ?? "";
    this.map.choose(this.code, this.wanted?.position);
  }

  // MOVING

  choose(code, { quiet } = {}) {
    this.code = code;
    this.wanted = null;
    this.doubt = "";
    this.outside = false;
    this.reason.value = "";
    this.east.value = this.north.value = "";
    if (!quiet) this.say(code ? "请在图上点击新位置，或拖动该点。" : "");
    this.refresh();
  }

  /** Show where a place would go, as far as the server can be asked what it thinks of it. */
  async pick(east, north, epsg) {
    if (!this.code) return;
    const code = this.code;
    const given = { east: String(east), north: String(north), epsg };
    const asked = this.asked = {};
    const numbers = [Number(east), Number(north)];
    if (epsg === DEGREES && numbers.every(Number.isFinite) && east !== "" && north !== "") this.want(given, numbers);
    const answer = await askPlaces("GET", `/api/villages/${code}/position?${new URLSearchParams(given)}`);
    if (asked !== this.asked || this.code !== code) return;
    if (answer.ok) {
      this.doubt = answer.data.doubt;
      this.outside = answer.data.in_county === false;
      this.want(given, answer.data.position);
      if (this.outside) this.say("新位置不在所属县（市、区）范围内，不能保存；请核对坐标或重新点选。", "failed");
      else this.say(this.doubt ? `${this.doubt}。` : "", this.doubt ? "warning" : "");
    } else if (answer.final) this.say(answer.data.message, "failed");
    else if (this.wanted) this.say("没有网络：保存后留在本机，联网时自动上传并核对。", "warning");
    else this.say("没有网络，暂时不能换算坐标；请填经纬度。", "failed");
  }

  want(given, position) {
    this.wanted = { given, position };
    this.refresh();
  }

  locate() {
    this.say("正在定位…");
    navigator.geolocation.getCurrentPosition(({ coords }) => {
      this.pick(coords.longitude.toFixed(7), coords.latitude.toFixed(7), DEGREES)
        .then(() => { if (!this.outside && !this.doubt) this.say(`已取当前位置，误差约 ${Math.round(coords.accuracy)} 米。`); });
    }, ({ code }) => this.say(LOCATE_FAULTS[code] ?? "暂时不能定位，请改用坐标。", "failed"), LOCATE);
  }

  async save() {
    const place = this.find(this.code);
    if (this.doubt && !this.reason.value.trim()) {
      this.say(`${this.doubt}。`, "failed");
      return this.reason.focus();
    }
    this.outbox.put(this.code, { ...this.wanted.given, seen: place.position, reason: this.reason.value.trim() });
    await this.working(async () => {
      const { refused } = await this.outbox.send();
      const code = this.code;
      if (refused[code]) return this.say(refused[code], "failed");
      if (this.outbox.all().some(([waiting]) => waiting === code)) return this.say("没有网络：新位置已存在本机，联网后自动上传。", "warning");
      await this.moved(`${place.name}的位置已更正。`);
    });
  }

  async restore() {
    const place = this.find(this.code);
    await this.working(async () => {
      const answer = await askPlaces("DELETE", `/api/villages/${this.code}/position`);
      if (answer.ok) await this.moved(`${place.name}已恢复原位置。`);
      else this.say(answer.data.message ?? "没有网络，请联网后再恢复。", "failed");
    });
  }

  async moved(words) {
    this.onMoved();
    await this.load();
    this.say(words, "saved");
  }

  async working(act) {
    this.busy = true;
    this.refresh();
    await act();
    this.busy = false;
    this.refresh();
  }
}
