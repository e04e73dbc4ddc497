// Sends one file to /api/uploads in pieces, with its progress, and goes on after a cut.
//
//   const result = await uploadFile(file, { use: "evidence", form_code, division_code, group, key, item }, {
//     signal,                       // an AbortSignal: aborting forgets the upload on the server too
//     onProgress: (part) => {},     // 0 to 1, of the whole file
//     onState: (state) => {},       // "sending", "waiting" (no network), "checking"
//   });
//
// It rejects with an Error whose message is a sentence, or with the signal's reason. The same file
// chosen again after a reload goes on where it was. One name at the top level: other scripts are
// put behind this one.
export const uploadFile = (() => {
  const LONGEST_PAUSE = 15_000; // milliseconds
  const NO_NETWORK = 0;

  const memory = {
    key: (file, target) =>
      `portal-upload:${JSON.stringify([target, file.name, file.size, file.lastModified])}`,
    read: (key) => attempt(() => localStorage.getItem(key)),
    keep: (key, id) => attempt(() => localStorage.setItem(key, id)),
    forget: (key) => attempt(() => localStorage.removeItem(key)),
  };

  function attempt(action) {
    try {
      return action();
    } catch {
      return null; // a browser that keeps nothing starts again after a reload
    }
  }

  class Refused extends Error {}

  // XMLHttpRequest, because fetch does not tell how far a body has gone out.
  function send(method, url, { body = null, headers = {}, signal, onSent } = {}) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      const stop = () => request.abort();
      const settle = (status) => {
        signal?.removeEventListener("abort", stop);
        if (signal?.aborted) reject(signal.reason);
        else resolve({ status, json: attempt(() => JSON.parse(request.responseText)) ?? {} });
      };
      if (signal?.aborted) return reject(signal.reason);
      signal?.addEventListener("abort", stop);
      request.open(method, url);
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      request.upload.onprogress = (event) => onSent?.(event.loaded);
      request.upload.onload = () => onSent?.(body?.size ?? 0);
      request.onload = () => settle(request.status);
      request.onerror = request.onabort = request.ontimeout = () => settle(NO_NETWORK);
      request.send(body);
    });
  }

  const isPassing = (status) => status === NO_NETWORK || status === 409 || status >= 500;
  const isFull = (status) => status === 507;

  function refusal(answer) {
    const sentence = answer.json.message ?? "上传未完成，请稍后重试。";
    return new Refused(sentence.replace(/^文件未能上传：/, ""));
  }

  function pause(milliseconds, signal) {
    return new Promise((resolve, reject) => {
      const settle = () => {
        clearTimeout(timer);
        window.removeEventListener("online", settle);
        signal?.removeEventListener("abort", settle);
        signal?.aborted ? reject(signal.reason) : resolve();
      };
      const timer = setTimeout(settle, milliseconds);
      window.addEventListener("online", settle);
      signal?.addEventListener("abort", settle);
    });
  }

  // Repeats a request until it is answered for good; `again` may change what is asked.
  async function persist(ask, { signal, onState }) {
    for (let wait = 1000; ; wait = Math.min(wait * 2, LONGEST_PAUSE)) {
      const answer = await ask();
      if (!isPassing(answer.status) || isFull(answer.status)) return answer;
      onState?.("waiting");
      await pause(wait, signal);
    }
  }

  async function begin(file, target, options) {
    const answer = await persist(
      () =>
        send("POST", "/api/uploads", {
          body: new Blob([JSON.stringify({ ...target, file_name: file.name, size: file.size })]),
          headers: { "Content-Type": "application/json" },
          signal: options.signal,
        }),
      options,
    );
    if (answer.status !== 201) throw refusal(answer);
    return answer.json;
  }

  async function standing(id, options) {
    const answer = await persist(
      () => send("GET", `/api/uploads/${id}`, { signal: options.signal }),
      options,
    );
    return answer.status === 200 ? answer.json : null;
  }

  async function resumeOrBegin(key, file, target, options) {
    const known = memory.read(key);
    const upload = known && (await standing(known, options));
    if (upload && !upload.finished) return upload;
    const fresh = await begin(file, target, options);
    memory.keep(key, fresh.upload_id);
    return fresh;
  }

  async function sendPieces(upload, file, options) {
    let { offset, piece } = upload;
    let wait = 1000;
    for (;;) {
      const from = offset;
      const part = file.slice(from, from + piece);
      if (from + part.size === file.size) options.onState?.("checking");
      else options.onState?.("sending");
      const answer = await send("PATCH", `/api/uploads/${upload.upload_id}`, {
        body: part,
        headers: {
          "Content-Type": "application/offset+octet-stream",
          "Upload-Offset": String(from),
        },
        signal: options.signal,
        onSent: (bytes) => options.onProgress?.((from + bytes) / file.size),
      });
      if (answer.status === 200 && answer.json.finished) return answer.json.result;
      if (answer.status === 200) {
        offset = answer.json.offset;
        wait = 1000;
        continue;
      }
      if (!isPassing(answer.status) || isFull(answer.status)) throw refusal(answer);
      options.onState?.("waiting");
      await pause(wait, options.signal);
      wait = Math.min(wait * 2, LONGEST_PAUSE);
      const now = await standing(upload.upload_id, options);
      if (now === null) throw new Refused("上传已失效，请重新选择文件。");
      if (now.finished) return now.result;
      offset = now.offset;
      options.onProgress?.(offset / file.size);
    }
  }

  return async function uploadFile(file, target, options = {}) {
    const key = memory.key(file, target);
    let upload = null;
    try {
      upload = await resumeOrBegin(key, file, target, options);
      const result = await sendPieces(upload, file, options);
      memory.forget(key);
      return result;
    } catch (error) {
      if (options.signal?.aborted && upload) send("DELETE", `/api/uploads/${upload.upload_id}`);
      if (options.signal?.aborted || error instanceof Refused) memory.forget(key);
      throw error;
    }
  };
})();
