// Builds what the simulator page shows. Everything people wrote goes in as text, never as markup.

const KIND = { chatter: "闲聊", report: "报事", wish: "心愿", complaint: "投诉", dispute: "纠纷", question: "咨询", request: "求助", proposal: "建议" };
const WORDS = {
  ...KIND, act: "直接办理", ask: "先问一句", silent: "不打扰", normal: "一般", urgent: "加急", emergency: "紧急", none: "无",
  still_broken: "还没修好", resolved: "已修好", withdrawn: "撤回", correction: "更正", me_too: "我家也是", thanks: "感谢", true: "是", false: "否",
  opened: "登记成一件事", joined: "并入已有的事", asked: "先问一句", answered: "回了话", refused: "没有接受", failed: "处理出错，已留存",
};
const LABELS = {
  kind: "听成了", decision: "决定", decided: "结果", certainty: "把握", confidence: "把握", urgency: "缓急", topic: "事项", topics: "可能的事项",
  place: "地点", places: "地点", signal: "与旧事的关系", because: "凭这些词", case: "编号", case_number: "编号", state: "进度",
  assignee: "谁来办", outcome: "处理", text: "原话", words: "原话", building: "楼", unit: "单元", door: "门牌", landmark: "地标", area: "片区",
};

export function make(tag, settings = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(settings)) {
    if (name === "onclick") element.addEventListener("click", value);
    else if (name === "text") element.textContent = value;
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

export function face(name, kind = "") {
  const tone = [...name].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % 6;
  return make("span", { class: `face ${kind || `tone-${tone}`}`, "aria-hidden": "true", text: kind === "bot" ? "微" : [...name][0] ?? "?" });
}

export function clockTime(iso) {
  return iso.slice(11, 16);
}

export function dayWords(iso) {
  const [year, month, day] = iso.slice(0, 10).split("-").map(Number);
  const week = "日一二三四五六"[new Date(Date.UTC(year, month - 1, day)).getUTCDay()];
  return `${month}月${day}日 周${week}`;
}

export function chatItem({ name, about, isCurrent, unread, square, onclick }) {
  const picture = face(name);
  if (square) {
    picture.classList.add("square");
    picture.textContent = name.match(/\d+/)?.[0].slice(-2) ?? picture.textContent;
  }
  const count = unread ? make("span", { class: "unread", "aria-label": `${unread} 条新消息`, text: unread > 99 ? "99+" : String(unread) }) : null;
  const words = make("span", {}, make("b", { text: name }), make("small", { text: about }));
  return make("li", {}, make("button", { type: "button", class: "chat-item", "aria-current": isCurrent ? "true" : null, onclick }, picture, words, count));
}

export function messageItem(message, { person, isOwn, quoted, isChosen, acts }) {
  const isBot = message.sender === "bot";
  const name = isBot ? "五微" : person?.name ?? message.sender;
  const classes = ["message", isOwn && "own", isBot && "from-bot", message.deleted && "gone", isChosen && "chosen"].filter(Boolean).join(" ");
  const who = make("div", { class: "who" }, make("b", { text: name }), ...(person?.roles ?? []).slice(0, 2).map((role) => make("span", { class: "role", text: role })),
    make("time", { datetime: message.at, text: clockTime(message.at) }), message.edited && !message.deleted ? make("span", { text: "已编辑" }) : null);
  const said = make("div", { class: "said" }, who);
  if (message.deleted) said.append(make("div", { class: "bubble", text: "这条消息已撤回" }));
  else said.append(...contentOf(message, quoted, acts));
  return make("li", { class: classes, "data-id": message.id }, face(name, isBot ? "bot" : ""), said);
}

function contentOf(message, quoted, acts) {
  const parts = [];
  if (message.text || quoted) {
    parts.push(make("div", { class: "bubble" }, quoted ? make("span", { class: "quote", text: quoted }) : null, message.text));
  }
  if (message.photos.length) {
    parts.push(make("div", { class: "pictures" }, ...message.photos.map((address, place) =>
      make("button", { type: "button", "aria-label": `放大第 ${place + 1} 张照片`, onclick: () => acts.view(address) },
        make("img", { src: address, alt: `照片 ${place + 1}`, loading: "lazy" })))));
  }
  for (const file of message.files ?? []) {
    const words = `${file.kind === "voice" ? "语音" : "文件"}${file.name ? `：${file.name}` : ""}（${Math.ceil(file.size / 1024)} KB）`;
    parts.push(make("a", { class: "file-link", href: file.url, download: file.name || "file", text: words }));
  }
  if (message.buttons.length) {
    parts.push(make("div", { class: "press" }, ...message.buttons.map((button) => (button.url
      ? make("a", { href: button.url, target: "_blank", rel: "noopener", text: `${button.text} ↗` })
      : make("button", { type: "button", text: button.text, onclick: () => acts.press(message, button) })))));
  }
  parts.push(make("div", { class: "acts" },
    make("button", { type: "button", text: "回复", onclick: () => acts.reply(message) }),
    acts.why ? make("button", { type: "button", text: "为什么", onclick: () => acts.why(message) }) : null,
    acts.edit ? make("button", { type: "button", text: "改一改", onclick: () => acts.edit(message) }) : null,
    acts.withdraw ? make("button", { type: "button", text: "撤回", onclick: () => acts.withdraw(message) }) : null));
  return parts;
}

export function dayItem(iso) {
  return make("li", { class: "day", text: dayWords(iso) });
}

export function personItem(person, { isMember, isCurrent, onclick }) {
  const words = make("span", {}, make("b", { text: person.name }), make("small", { text: [...person.roles, person.area].filter(Boolean).join(" · ") || "居民" }));
  const tag = isMember === null ? null : make("span", { class: "tag", text: isMember ? "群成员" : "不在群里" });
  return make("li", {}, make("button", { type: "button", class: "chat-item", "aria-current": isCurrent ? "true" : null, onclick }, face(person.name), words, tag));
}

export function whyPanel(message, reasons) {
  const panel = document.createDocumentFragment();
  panel.append(make("blockquote", { text: message.text || "（照片）" }));
  const { because, said: _, ...facts } = reasons; // the same reasons, as sentences for other readers
  panel.append(factList(facts));
  if (Array.isArray(because) && because.length) panel.append(make("h2", { text: "凭这些词" }), wordList(because));
  else if (because) panel.append(make("p", { class: "hint", text: "没有特别的词，按整句判断。" }));
  return panel;
}

function factList(facts) {
  const list = make("dl", { class: "facts" });
  for (const [name, value] of Object.entries(facts)) {
    if (value === null || value === undefined || value === "" || value === "none" || (Array.isArray(value) && !value.length)) continue;
    list.append(make("dt", { text: LABELS[name] ?? name }), make("dd", {}, shown(name, value)));
  }
  return list;
}

function shown(name, value) {
  if (Array.isArray(value)) {
    if (value.every((item) => typeof item !== "object")) return value.map((item) => shownWord(name, item)).join("、");
    return make("div", {}, ...value.map((item) => (Array.isArray(item) ? make("div", { text: item.map((part) => shownWord("certainty", part)).join(" ") }) : factList(item))));
  }
  return typeof value === "object" ? factList(value) : shownWord(name, value);
}

function shownWord(name, value) {
  if ((name === "certainty" || name === "confidence") && typeof value === "number") return `${Math.round(value * 100)}%`;
  return WORDS[value] ?? String(value);
}

function wordList(because) {
  const reasons = because.map((reason) => (typeof reason === "object" ? reason : { word: String(reason), speaks_for: "", weight: 0 }));
  const most = Math.max(...reasons.map((reason) => Math.abs(Number(reason.weight) || 0)), 0.01);
  return make("ul", { class: "words" }, ...reasons.map((reason) => {
    const weight = Number(reason.weight) || 0;
    const target = reason.says || `${weight < 0 ? "不像" : "像"} ${WORDS[reason.speaks_for] ?? reason.speaks_for}`;
    return make("li", {}, make("mark", { text: reason.word }), make("small", { text: `${target} ${weight.toFixed(2)}` }),
      make("meter", { min: "0", max: most.toFixed(3), value: Math.abs(weight).toFixed(3), "aria-label": `${reason.word} 的分量` }));
  }));
}
