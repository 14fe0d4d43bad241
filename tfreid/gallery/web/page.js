// The gallery's page. Whatever comes from the database is inserted as text, never as markup.

import { $, ask, element, json, personPath, pictureOf } from "./asking.js";

const limits = { max_pictures: Infinity, max_upload_mib: Infinity }; // Until the server tells.
let pictures = []; // The files that are searched for.
let overlays = null; // Addresses of their overlays, while these are shown.
let known = []; // The persons.

// ---- pictures ----

function choose(files, isMore = false) {
  const chosen = [...(isMore ? pictures : []), ...files];
  const megabytes = chosen.reduce((sum, file) => sum + file.size, 0) / 2 ** 20;
  if (!chosen.length) return;
  if (chosen.some((file) => !file.type.startsWith("image/"))) {
    return fail("That is no picture.");
  }
  if (chosen.length > limits.max_pictures || megabytes > limits.max_upload_mib) {
    const { max_pictures, max_upload_mib } = limits;
    return fail(`At most ${max_pictures} pictures of ${max_upload_mib} MiB together, please.`);
  }
  pictures = chosen;
  showPictures();
  search().then(() => $("verdict").scrollIntoView({ block: "nearest" }));
}

function showPictures() {
  release($("pictures"));
  dropOverlays();
  $("drop").classList.toggle("filled", pictures.length > 0);
  $("pictures").replaceChildren(...pictures.map((file, place) => {
    const picture = element("img", { src: URL.createObjectURL(file), alt: `Picture ${place + 1}` });
    picture.addEventListener("load", () => fit(picture), { once: true });
    const remove = element("button", { type: "button", textContent: "×" });
    remove.setAttribute("aria-label", `Remove picture ${place + 1}`);
    remove.onclick = () => {
      pictures = pictures.filter((other) => other !== file);
      showPictures();
      $("choose").focus();
      search();
    };
    return element("li", {}, picture, remove);
  }));
  for (const one of [$("add"), $("look"), $("enrol").querySelector("button")]) {
    one.disabled = !pictures.length;
  }
}

function fit(picture) { // For good: an overlay has the proportions of the model's input.
  const { naturalWidth, naturalHeight } = picture;
  const scale = Math.min(240 / naturalWidth, 160 / naturalHeight);
  Object.assign(picture, { width: naturalWidth * scale, height: naturalHeight * scale });
}

function release(list) {
  for (const image of list.querySelectorAll("img")) URL.revokeObjectURL(image.src);
}

function dropOverlays() {
  overlays?.forEach(URL.revokeObjectURL);
  overlays = null;
  $("look").setAttribute("aria-pressed", "false");
  $("look-note").textContent = "";
}

async function look() {
  const images = [...$("pictures").querySelectorAll("img")];
  const files = pictures;
  if (overlays) {
    dropOverlays();
    return images.forEach((image, place) => { image.src = URL.createObjectURL(files[place]); });
  }
  $("look-note").textContent = "Looking …";
  try {
    const found = await Promise.all(files.map(async (file) => {
      const form = new FormData();
      form.append("picture", file);
      return pictureOf(await ask("POST", "/overlay", form));
    }));
    if (files !== pictures) return found.forEach(URL.revokeObjectURL);
    release($("pictures"));
    overlays = found;
    images.forEach((image, place) => { image.src = found[place]; });
    $("look").setAttribute("aria-pressed", "true");
    $("look-note").textContent = "It looked where the pictures glow.";
  } catch (error) {
    $("look-note").textContent = error.message;
  }
}

// ---- the answer ----

const TIME = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
let running = null;

async function search() {
  running?.abort();
  if (!pictures.length) return show("—", "soft", "It appears here as soon as there is a picture.");
  const current = running = new AbortController();
  const filters = new FormData($("filters"));
  const form = new FormData();
  for (const file of pictures) form.append("pictures", file);
  for (const camera of filters.getAll("camera")) form.append("camera", camera);
  for (const name of ["since", "until"]) addTime(form, name, filters.get(name));
  form.append("top", filters.get("top") || 10);
  $("verdict").setAttribute("aria-busy", "true");
  try {
    const answer = await (await ask("POST", "/search", form, current.signal)).json();
    showAnswer(answer);
  } catch (error) {
    if (error.name !== "AbortError") fail(error.message);
  }
}

function addTime(form, name, local) {
  if (local) form.append(name, new Date(local).toISOString());
}

function show(who, kind, why, matches = []) {
  $("who").textContent = who;
  $("who").className = `big ${kind}`;
  $("why").textContent = why;
  $("verdict").removeAttribute("aria-busy");
  release($("matches"));
  $("matches").replaceChildren(...matches);
}

function fail(text) {
  running?.abort(); // Or its answer would take the place of this.
  show("That did not work", "bad", text);
}

function showAnswer({ person, matches, line, reason }) {
  const rows = matches.map((match) => matchRow(match, line));
  if (line) {
    const within = matches.filter((match) => match.distance <= line.distance).length;
    const text = `beyond ${line.distance.toFixed(3)} it is nobody`;
    rows.splice(within, 0, element("li", { className: "border" }, text));
  }
  if (!line) return show("It cannot be told", "soft", sentence(reason), rows);
  if (person !== null) return show(person, "good", errorRate(line), rows);
  show("Nobody we know", "", `${errorRate(line)} ${missRate(line)}`, rows);
}

function errorRate({ fpir, low, high, persons }) {
  return `With ${inWords(persons, "person")} enrolled, about ${oneIn(fpir)} strangers gets a name by ` +
    `mistake (95% interval: ${oneIn(low)} to ${oneIn(high)}).`;
}

function missRate({ tpir }) {
  if (tpir === null) return "An enrolled person can be missed, too, if the pictures differ much.";
  return `Of those who are enrolled, ${Math.round(100 * (1 - tpir))}% are missed at this line.`;
}

function oneIn(rate) {
  return rate > 0 ? `1 in ${Math.round(1 / rate).toLocaleString("en")}` : "none";
}

const sentence = (text) => text && `${text[0].toUpperCase()}${text.slice(1)}.`;

function matchRow(match, line) {
  const image = element("img", { alt: `Thumbnail of ${match.name}` });
  ask("GET", `/images/${match.image}/thumbnail`).then(pictureOf).then(
    (address) => { image.src = address; },
    () => { image.alt = "no thumbnail"; },
  );
  const details = [match.camera, match.taken_at && TIME.format(new Date(match.taken_at))];
  const text = element("div", {}, element("strong", { textContent: match.person }));
  for (const detail of [details.filter(Boolean).join(" · "), match.name]) {
    text.append(element("div", { className: "soft small", textContent: detail }));
  }
  const distance = element("span", { className: "distance", textContent: match.distance.toFixed(3) });
  const forget = element("button", { type: "button", textContent: "Forget …", className: "quiet" });
  forget.setAttribute("aria-label", `Forget the image ${match.name} of ${match.person}`);
  forget.onclick = () => forgetAfterAsking(
    `Forget this image of ${match.person}?`,
    `The image ${match.name}, its descriptor and its thumbnail will be deleted. There is no way back.`,
    `/images/${encodeURIComponent(match.name)}`,
    $("answer-heading"),
  );
  const isWithin = line && match.distance <= line.distance;
  return element("li", { className: isWithin ? "within" : "" }, image, text, distance, forget);
}

// ---- enrolling and forgetting ----

async function enrol(event) {
  event.preventDefault();
  const form = event.target;
  const person = form.person.value.trim();
  const sent = new FormData();
  const moment = new Date().toISOString();
  pictures.forEach((file, place) => {
    const name = `${person} ${moment} ${place + 1}`; // Phones call every picture image.jpg.
    sent.append("pictures", file, name.replace(/["\\]/g, "_"));
  });
  if (form.camera.value.trim()) sent.append("camera", form.camera.value.trim());
  addTime(sent, "taken_at", form.taken_at.value);
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const { images } = await (await ask("POST", `${personPath(person)}/images`, sent)).json();
    $("enrol-note").textContent = `Enrolled ${inWords(images)} of ${person}.`;
    form.reset();
    await Promise.all([load(), search()]);
  } catch (error) {
    $("enrol-note").textContent = error.message;
  } finally {
    button.disabled = !pictures.length;
  }
}

function inWords(number, noun = "image") {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

function forgetAfterAsking(title, text, path, next) {
  $("confirm-title").textContent = title;
  $("confirm-text").textContent = text;
  $("keep").onclick = () => $("confirm").close();
  $("delete").onclick = async () => {
    $("confirm").close();
    try {
      const { images } = await (await ask("DELETE", path)).json();
      $("persons-note").textContent = `Forgot ${inWords(images)}.`;
      await Promise.all([load(), search()]);
    } catch (error) {
      $("persons-note").textContent = error.message;
    }
    next.focus();
  };
  $("confirm").showModal();
}

// ---- who is enrolled ----

const SHOWN = 100;

function showPersons() {
  const wanted = $("find").value.trim().toLowerCase();
  const found = known.filter(({ name }) => name.toLowerCase().includes(wanted));
  $("persons").replaceChildren(...found.slice(0, SHOWN).map(personRow));
  const more = found.length - SHOWN;
  if (more > 0) $("persons").append(element("li", {}, `and ${more.toLocaleString("en")} more`));
}

function personRow({ name, images }) {
  const stored = element("button", { type: "button", textContent: "Stored data", className: "quiet" });
  stored.setAttribute("aria-label", `Save all that is stored on ${name}`);
  stored.onclick = () => save(name);
  const forget = element("button", { type: "button", textContent: "Forget …", className: "quiet" });
  forget.setAttribute("aria-label", `Forget ${name}`);
  forget.onclick = () => forgetAfterAsking(
    `Forget ${name}?`,
    `${name} and ${inWords(images)}, with descriptors and thumbnails, will be deleted. ` +
      "There is no way back.",
    personPath(name),
    $("persons-heading"),
  );
  const count = element("span", { className: "soft", textContent: inWords(images) });
  return element("li", {}, element("strong", { textContent: name }), count, stored, forget);
}

async function save(name) {
  try {
    const href = await pictureOf(await ask("GET", personPath(name)));
    element("a", { href, download: `${name}.json` }).click();
    setTimeout(() => URL.revokeObjectURL(href), 60_000);
  } catch (error) {
    $("persons-note").textContent = error.message;
  }
}

async function load() {
  const [status, persons, cameras] = await Promise.all(["/status", "/persons", "/cameras"].map(json));
  Object.assign(limits, status);
  known = persons;
  showPersons();
  const kept = status.keep_images ? "image files are kept" : "image files are not kept";
  const days = status.expire_days && `forgotten after ${status.expire_days} days`;
  const counts = [inWords(status.persons, "person"), inWords(status.images)];
  $("status").textContent = [...counts, kept, days].filter(Boolean).join(" · ");
  const asOption = (value) => element("option", { value });
  $("known-persons").replaceChildren(...persons.slice(0, 1000).map(({ name }) => asOption(name)));
  $("known-cameras").replaceChildren(...cameras.map(asOption));
  const ticked = new FormData($("filters")).getAll("camera");
  if (!cameras.length) return;
  $("cameras").replaceChildren(...cameras.map((value) => {
    const box = { type: "checkbox", name: "camera", value, checked: ticked.includes(value) };
    return element("label", {}, element("input", box), value);
  }));
}

// ---- what the user does ----

for (const [id, isMore] of [["choose", false], ["photograph", false], ["add", true]]) {
  $(id).onchange = (event) => {
    choose(event.target.files, isMore);
    event.target.value = ""; // So that the same file can be chosen again.
  };
}
for (const kind of ["dragover", "drop", "dragleave"]) {
  addEventListener(kind, (event) => {
    event.preventDefault(); // A picture that misses the field must not replace the page.
    $("drop").classList.toggle("over", kind === "dragover");
    if (kind === "drop") choose(event.dataTransfer.files);
  });
}
addEventListener("paste", (event) => choose(event.clipboardData.files));
let waiting;
$("filters").oninput = () => {
  clearTimeout(waiting);
  waiting = setTimeout(search, 400);
};
$("filters").onsubmit = (event) => event.preventDefault();
$("enrol").onsubmit = enrol;
$("look").onclick = look;
$("find").oninput = showPersons;
load().catch((error) => fail(error.message));
