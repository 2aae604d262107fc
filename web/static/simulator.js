// The simulator page: who speaks, where, and what was said. What things look like is in simulator.view.js, the clock in simulator.clock.js.
import { API, LARGEST_PHOTO, MOST_PHOTOS, PRIVATE_LINES, RESIDENT_LINES, Refusal, asBase64, call, showPane, toast, trying } from "./simulator.api.js";
import { CLOCK_BUTTONS, moveClock, showClock, takeClock } from "./simulator.clock.js";
import { chatItem, dayItem, dayWords, face, make, messageItem, personItem, whyPanel } from "./simulator.view.js";

const EMPTY = "还没有人说话。点下面的句子，或者自己写一句，看看五微怎么回应。";
const $ = (id) => document.getElementById(id);

const state = {
  people: new Map(), groups: [], latest: new Map(), unread: new Map(), chat: null, persona: null, messages: new Map(),
  replyTo: null, editing: null, photos: [], chosen: null, role: "", news: 0, isLive: false, usual: new Map(),
};

const isPrivate = (chat) => chat?.startsWith("private:") ?? false;
const privateOf = (person) => `private:${person}`;
const groupOf = (chat) => state.groups.find((group) => group.id === chat);
const isMember = () => isPrivate(state.chat) || (groupOf(state.chat)?.members.includes(state.persona) ?? false);
const nameOf = (sender) => (sender === "bot" ? "五微" : state.people.get(sender)?.name ?? sender);
const summary = (message) => (message.deleted ? "（已撤回）" : `${nameOf(message.sender)}：${message.text || (message.photos.length ? "[照片]" : "[文件]")}`);

// What is seen on the left
async function loadTown() {
  const [people, groups, latest] = await Promise.all([call("GET", "/people"), call("GET", "/chats"), call("GET", "/latest")]);
  state.people = new Map(people.map((person) => [person.id, person]));
  state.groups = groups;
  state.latest = new Map(latest.map((message) => [message.chat, message]));
}

function showChats() {
  const item = (id, name, fallback, square) => chatItem({
    name, square, about: state.latest.has(id) ? summary(state.latest.get(id)) : fallback,
    isCurrent: id === state.chat, unread: state.unread.get(id) ?? 0, onclick: () => trying(() => openChat(id)),
  });
  $("groups").replaceChildren(...state.groups.map((group) => item(group.id, group.name, `${group.members.length} 人`, true)));
  const talked = [...state.latest.keys()].filter(isPrivate).map((chat) => chat.slice(8));
  const persons = [...new Set([...(state.persona ? [state.persona] : []), ...talked])].filter((id) => state.people.has(id));
  $("privates").replaceChildren(...persons.map((id) => item(privateOf(id), state.people.get(id).name, "还没说过话", false)));
  const unread = [...state.unread.values()].reduce((sum, count) => sum + count, 0);
  $("tab-unread").hidden = unread === 0;
  $("tab-unread").textContent = String(unread);
}

async function openChat(chat) {
  if (state.persona && !isPrivate(state.chat)) state.usual.set(state.chat, state.persona);
  if (chat !== state.chat) forgetDraft();
  state.chat = chat;
  state.unread.delete(chat);
  if (isPrivate(chat)) state.persona = chat.slice(8);
  else if (!isMember()) state.persona = state.usual.get(chat) ?? groupOf(chat)?.members[0] ?? state.persona;
  takeMessages(chat, await steady(() => askMessages(chat)));
  location.hash = encodeURIComponent(chat);
  showPane("talk");
  showAll();
  scrollDown();
}

// What was asked while news came in may be older than the news: ask again.
async function steady(ask) {
  for (let attempt = 1; ; attempt += 1) {
    const before = state.news;
    const found = await ask();
    if (before === state.news || attempt === 5) return found;
  }
}

const askMessages = (chat) => (chat ? call("GET", `/messages?chat=${encodeURIComponent(chat)}`) : Promise.resolve([]));

function takeMessages(chat, found) {
  if (chat === state.chat) state.messages = new Map(found.map((message) => [message.id, message]));
}

// What is seen in the middle
function showAll() {
  showChats();
  showHead();
  showMessages();
  showComposer();
}

function showHead() {
  const group = groupOf(state.chat);
  $("chat-name").textContent = group?.name ?? (isPrivate(state.chat) ? `${nameOf(state.chat.slice(8))} 和五微` : "还没有群");
  $("chat-about").textContent = group ? [group.area, `${group.members.length} 人，五微在群里`].filter(Boolean).join(" · ") : isPrivate(state.chat) ? "私聊，别人看不到" : "";
  $("leave").hidden = !group || !isMember();
  $("leave").textContent = `${nameOf(state.persona)} 退群`;
}

function showMessages() {
  const list = $("messages");
  const wasAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  const sorted = [...state.messages.values()].sort((one, two) => (BigInt(one.id) < BigInt(two.id) ? -1 : 1));
  const wanted = [];
  for (const message of sorted) {
    const day = dayWords(message.at);
    if (!wanted.some((item) => item.mark === `day ${day}`)) wanted.push({ mark: `day ${day}`, draw: () => dayItem(message.at) });
    const mark = JSON.stringify([message, message.sender === state.persona, message.id === state.chosen, state.people.has(message.sender)]);
    wanted.push({ mark, draw: () => messageView(message) });
  }
  if (!wanted.length) wanted.push({ mark: "empty", draw: () => make("li", { class: "empty", text: EMPTY }) });
  redraw(list, wanted);
  if (wasAtEnd) scrollDown();
}

// Touches only what changed: what stays keeps its focus and is not read out again.
function redraw(list, wanted) {
  const drawn = new Map([...list.children].map((item) => [item.mark, item]));
  const kept = new Set(wanted.map((item) => item.mark));
  for (const [mark, item] of drawn) if (!kept.has(mark)) item.remove();
  wanted.forEach(({ mark, draw }, place) => {
    const item = drawn.get(mark) ?? Object.assign(draw(), { mark });
    if (list.children[place] !== item) list.insertBefore(item, list.children[place] ?? null);
  });
}

function messageView(message) {
  const isOwn = message.sender === state.persona;
  const quoted = message.reply_to && state.messages.get(message.reply_to);
  const acts = {
    view: viewPhoto, press: (where, button) => trying(() => press(where, button)), reply: startReply,
    why: message.sender === "bot" ? null : (chosen) => trying(() => explain(chosen)),
    edit: isOwn ? startEdit : null, withdraw: isOwn ? (chosen) => trying(() => withdraw(chosen)) : null,
  };
  return messageItem(message, { person: state.people.get(message.sender), isOwn, isChosen: message.id === state.chosen, acts, quoted: quoted ? summary(quoted) : message.reply_to ? "（更早的消息）" : "" });
}

function scrollDown() {
  $("messages").scrollTop = $("messages").scrollHeight;
}

function showComposer() {
  const person = state.people.get(state.persona);
  $("persona-name").textContent = person?.name ?? "选个身份";
  $("persona-role").textContent = person ? person.roles[0] ?? "居民" : "换人说话";
  $("persona").setAttribute("aria-label", `现在的身份：${person?.name ?? "未选"}，点开换人`);
  $("persona-face").replaceWith(Object.assign(face(person?.name ?? "人"), { id: "persona-face" }));
  const canSpeak = Boolean(person && state.chat && isMember());
  $("stranger").hidden = canSpeak || !person || !state.chat;
  $("stranger-words").textContent = person ? `${person.name} 不在这个群里，不能发言。` : "";
  for (const id of ["words", "send", "photos"]) $(id).disabled = !canSpeak;
  const lines = isPrivate(state.chat) ? PRIVATE_LINES : RESIDENT_LINES;
  $("suggestions").replaceChildren(...lines.map((line) => make("button", { type: "button", class: "chip", text: line, disabled: !canSpeak, onclick: () => suggest(line) })));
  const attached = state.editing ?? state.replyTo;
  $("attached").hidden = !attached;
  $("attached-words").textContent = attached ? `${state.editing ? "正在修改" : "回复"} ${summary(attached)}` : "";
  showPreviews();
}

function showPreviews() {
  $("previews").hidden = state.photos.length === 0;
  $("previews").replaceChildren(...state.photos.map((photo, place) => make("li", {}, make("img", { src: photo.address, alt: photo.file.name }),
    make("button", { type: "button", "aria-label": `去掉 ${photo.file.name}`, text: "✕", onclick: () => dropPhoto(place) }))));
}

function suggest(line) {
  $("words").value = line;
  fitWords();
  $("words").focus();
}

function fitWords() {
  const words = $("words");
  words.style.height = "auto";
  words.style.height = `${words.scrollHeight + 2}px`;
}

function startReply(message) {
  state.editing = null;
  state.replyTo = message;
  showComposer();
  $("words").focus();
}

function startEdit(message) {
  state.replyTo = null;
  state.editing = message;
  showComposer();
  suggest(message.text);
}

function forgetDraft() {
  state.replyTo = null;
  state.editing = null;
  for (const photo of state.photos) URL.revokeObjectURL(photo.address);
  state.photos = [];
  $("words").value = "";
  fitWords();
}

function dropPhoto(place) {
  URL.revokeObjectURL(state.photos[place].address);
  state.photos.splice(place, 1);
  showPreviews();
}

function addPhotos(files) {
  for (const file of files) {
    if (file.size > LARGEST_PHOTO) toast(`${file.name} 超过 20 MB，请压缩后再发。`, true);
    else if (state.photos.length >= MOST_PHOTOS) toast(`一条消息最多 ${MOST_PHOTOS} 张照片。`, true);
    else state.photos.push({ file, address: URL.createObjectURL(file) });
  }
  showPreviews();
}

async function send() {
  const text = $("words").value.trim();
  if (!text && !state.photos.length) return;
  $("send").disabled = true;
  try {
    if (state.editing) await call("PATCH", `/messages/${state.editing.id}`, { person: state.persona, text });
    else {
      const photos = await Promise.all(state.photos.map((photo) => asBase64(photo.file)));
      await call("POST", "/messages", { chat: state.chat, person: state.persona, text, photos, reply_to: state.replyTo?.id ?? null });
    }
    forgetDraft();
    await refresh();
    scrollDown();
  } finally {
    showComposer();
    $("words").focus();
  }
}

async function press(message, button) {
  await call("POST", "/press", { person: state.persona, message: message.id, button: button.id });
  if (!state.isLive) await refresh();
}

async function withdraw(message) {
  await call("DELETE", `/messages/${message.id}?person=${encodeURIComponent(state.persona)}`);
  await refresh();
}

function viewPhoto(address) {
  $("viewer-photo").src = address;
  $("viewer").showModal();
}

// What is seen on the right
async function explain(message) {
  state.chosen = message.id;
  showMessages();
  showPane("why");
  $("why").replaceChildren(make("p", { class: "hint", text: "正在查…" }));
  for (let attempt = 1; state.chosen === message.id; attempt += 1) {
    const [panel, isTold] = await judgement(message);
    if (state.chosen === message.id) $("why").replaceChildren(panel);
    if (isTold || attempt === 10) return;
    await new Promise((resolve) => { setTimeout(resolve, 1000); });  // a judgement may still be on its way
  }
}

async function judgement(message) {
  try {
    return [whyPanel(message, await call("GET", `/messages/${message.id}/why`)), true];
  } catch (fault) {
    if (!(fault instanceof Refusal)) throw fault;
    return [make("p", { class: "hint", text: fault.message }), false];
  }
}

// Who speaks
function showPeople() {
  const group = groupOf(state.chat);
  const roles = [...new Set([...state.people.values()].flatMap((person) => person.roles))];
  $("roles").replaceChildren(...["", ...roles].map((role) => make("button", {
    type: "button", class: "chip", text: role || "全部", "aria-pressed": String(role === state.role), onclick: () => { state.role = role; showPeople(); },
  })));
  const wanted = $("search").value.trim();
  const fits = (person) => (!state.role || person.roles.includes(state.role)) && [person.name, person.area, ...person.roles].some((words) => words.includes(wanted));
  const rank = (person) => (group?.members.includes(person.id) ? 0 : 1);
  const found = [...state.people.values()].filter(fits).sort((one, two) => rank(one) - rank(two));
  $("people-list").replaceChildren(...found.map((person) => personItem(person, {
    isMember: group ? group.members.includes(person.id) : null, isCurrent: person.id === state.persona, onclick: () => trying(() => become(person.id)),
  })), ...(found.length ? [] : [make("li", { class: "hint", text: "没有符合的人，可以在下面新增一个。" })]));
}

async function become(person) {
  $("people").close();
  state.persona = person;
  if (isPrivate(state.chat)) await openChat(privateOf(person));
  showAll();
  if (!$("words").disabled) $("words").focus();
}

async function addNewcomer() {
  const person = await call("POST", "/people", { name: $("newcomer-name").value, area: $("newcomer-area").value, roles: ["居民"] });
  $("newcomer").reset();
  state.people.set(person.id, person);
  if (groupOf(state.chat)) await call("POST", `/chats/${encodeURIComponent(state.chat)}/join`, { person: person.id });
  await loadTown();
  await become(person.id);
}

async function changeMembership(step) {
  await call("POST", `/chats/${encodeURIComponent(state.chat)}/${step}`, { person: state.persona });
  await loadTown();
  showAll();
}

// News from the program
async function refresh() {
  const chat = state.chat;
  const [latest, clock, found] = await steady(() => Promise.all([call("GET", "/latest"), call("GET", "/clock"), askMessages(chat)]));
  state.latest = new Map(latest.map((message) => [message.chat, message]));
  takeMessages(chat, found);
  takeClock(clock);
  showAll();
}

function takeMessage(message) {
  state.news += 1;
  const newest = state.latest.get(message.chat);
  const isNew = !newest || BigInt(message.id) > BigInt(newest.id);
  if (isNew || newest.id === message.id) state.latest.set(message.chat, message);
  if (message.chat === state.chat) {
    state.messages.set(message.id, message);
    showMessages();
  } else if (isNew) state.unread.set(message.chat, (state.unread.get(message.chat) ?? 0) + 1);
  showChats();
  dueSoon();
}

let dueTimer = 0;
function dueSoon() { // a message may have set a deadline: ask once the talk is quiet
  clearTimeout(dueTimer);
  dueTimer = setTimeout(() => call("GET", "/clock").then(takeClock, () => {}), 700);
}

function listen() {
  const events = new EventSource(`${API}/events`);
  events.addEventListener("open", () => { state.isLive = true; trying(refresh); });
  events.addEventListener("error", () => { state.isLive = false; });
  events.addEventListener("message", (event) => { if (event.data) takeMessage(JSON.parse(event.data)); });
  events.addEventListener("members", () => trying(async () => { await loadTown(); showAll(); }));
  events.addEventListener("clock", () => call("GET", "/clock").then(takeClock, () => {}));
  events.addEventListener("notice", (event) => { const notice = JSON.parse(event.data); if (notice.text && notice.person === state.persona) toast(notice.text); });
  setInterval(() => { if (!state.isLive) refresh().catch(() => {}); }, 4000);
}

function wire() {
  $("composer").addEventListener("submit", (event) => { event.preventDefault(); trying(send); });
  $("words").addEventListener("input", fitWords);
  $("words").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); trying(send); }
  });
  $("photos").addEventListener("change", (event) => { addPhotos(event.target.files); event.target.value = ""; });
  $("detach").addEventListener("click", () => { forgetDraft(); showComposer(); });
  $("persona").addEventListener("click", () => { $("search").value = ""; showPeople(); $("people").showModal(); $("search").focus(); });
  $("search").addEventListener("input", showPeople);
  $("newcomer").addEventListener("submit", (event) => { event.preventDefault(); trying(addNewcomer); });
  $("join").addEventListener("click", () => trying(() => changeMembership("join")));
  $("leave").addEventListener("click", () => trying(() => changeMembership("leave")));
  for (const button of document.querySelectorAll(CLOCK_BUTTONS)) button.addEventListener("click", () => trying(() => moveClock(button, refresh)));
  for (const tab of document.querySelectorAll(".tabs button")) tab.addEventListener("click", () => showPane(tab.dataset.pane));
  setInterval(showClock, 1000);
}

async function begin() {
  wire();
  await loadTown();
  takeClock(await call("GET", "/clock"));
  const wanted = decodeURIComponent(location.hash.slice(1));
  const first = groupOf(wanted) || (isPrivate(wanted) && state.people.has(wanted.slice(8))) ? wanted : state.groups[0]?.id;
  state.persona = groupOf(first)?.members[0] ?? state.people.keys().next().value ?? null;
  if (first) await openChat(first);
  else showAll();
  listen();
}

trying(begin);
