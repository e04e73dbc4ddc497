// A place to put one file: choose or drop it, watch it go, cancel it. Behind upload.js.
const WORDS = {
  sending: "正在上传",
  waiting: "网络中断，恢复后自动续传",
  checking: "正在上传并检查",
};

function sizeText(bytes) {
  if (bytes >= 1 << 30) return `${(bytes / (1 << 30)).toFixed(1)} GB`;
  if (bytes >= 1 << 20) return `${(bytes / (1 << 20)).toFixed(1)} MB`;
  return `${Math.max(1, Math.round(bytes / 1024))} kB`;
}

function draw(root, data, setTriggerValue) {
  root.innerHTML = `
    <label class="place">
      <span class="label"></span>
      <span class="hint"></span>
      <input type="file">
      <span class="choose">选择文件</span>
    </label>
    <div class="going" hidden>
      <div class="name"></div>
      <progress max="1" value="0"></progress>
      <div class="line"><span class="state" role="status"></span><button type="button">取消</button></div>
    </div>
    <p class="error" role="alert" hidden></p>`;
  const find = (selector) => root.querySelector(selector);
  const [place, going, error, input] = ["label", ".going", ".error", "input"].map(find);
  let stop = null;
  find(".label").textContent = data.label;
  find(".hint").textContent = data.hint;
  input.accept = data.accept;

  const show = (isGoing, sentence = "") => {
    place.hidden = isGoing;
    going.hidden = !isGoing;
    error.hidden = !sentence;
    error.textContent = sentence;
  };

  async function take(file) {
    if (!file || stop) return;
    stop = new AbortController();
    show(true);
    find(".name").textContent = `${file.name}（${sizeText(file.size)}）`;
    let part = 0;
    let state = "sending";
    const tell = () => {
      find("progress").value = part;
      find(".state").textContent = `${WORDS[state]} ${Math.floor(part * 100)} %`;
    };
    tell();
    try {
      const result = await uploadFile(file, data.target, {
        signal: stop.signal,
        onProgress: (value) => { part = value; tell(); },
        onState: (value) => { state = value; tell(); },
      });
      show(false);
      setTriggerValue("uploaded", result);
    } catch (problem) {
      show(false, stop.signal.aborted ? "" : `“${file.name}”未能上传：${problem.message}`);
    } finally {
      stop = null;
      input.value = "";
    }
  }

  find("button").onclick = () => stop?.abort();
  input.onchange = () => take(input.files[0]);
  place.ondragover = (event) => { event.preventDefault(); place.classList.add("over"); };
  place.ondragleave = () => place.classList.remove("over");
  place.ondrop = (event) => {
    event.preventDefault();
    place.classList.remove("over");
    take(event.dataTransfer.files[0]);
  };
}

export default function ({ data, parentElement, setTriggerValue }) {
  const drawn = JSON.stringify(data);
  const root = parentElement.querySelector(".upload-field") ?? document.createElement("div");
  if (root.dataset.drawn === drawn) return; // a rerun of the page leaves a running upload alone
  root.className = "upload-field";
  root.dataset.drawn = drawn;
  parentElement.append(root);
  draw(root, data, setTriggerValue);
}
