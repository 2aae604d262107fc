// What the simulator page stands on: asking the program, lines to try, the toast and the panes.

export const API = "/simulator/api";
export const MOST_PHOTOS = 10;
export const LARGEST_PHOTO = 20 * 1024 * 1024;
export const RESIDENT_LINES = [
  "3号楼门口井盖坏了，差点绊倒人", "7号楼二单元楼道灯不亮了", "5栋前面的垃圾桶满了两天没人收", "我家也是", "还没修好呢", "修好了，谢谢",
  "我有个心愿，想要一副新的老花镜", "高龄补贴怎么办，要带什么材料？", "我要投诉，楼上半夜总是拖桌子", "隔壁为了停车位跟我家吵起来了",
  "建议小广场装一盏路灯", "我腿脚不便，能帮忙买降压药吗", "厨房有好大一股煤气味！", "今天太阳真好，晒被子去", "谁家有多余的葱？", "@五微 你能做什么",
];
export const PRIVATE_LINES = ["帮助", "我的", "心愿", "我想报个事：8号楼电梯一直响", "我要投诉，但不想让邻居知道", "养老金认证怎么弄？"];

// What went wrong in words for the person; anything else is a fault of this page and is let through.
export class Refusal extends Error {}

export async function call(method, path, body) {
  const request = { method, headers: body ? { "content-type": "application/json" } : {}, body: body ? JSON.stringify(body) : undefined };
  const answer = await fetch(API + path, request).catch(() => { throw new Refusal("连不上本机的五微，请看看程序是否还在运行。"); });
  const content = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refusal(content.error ?? `没有成功（${answer.status}），请再试一次。`);
  return content;
}

export function asBase64(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result.slice(reader.result.indexOf(",") + 1)));
    reader.addEventListener("error", () => reject(new Refusal(`读不了 ${file.name}，请重新选择。`)));
    reader.readAsDataURL(file);
  });
}

export async function trying(work) {
  try {
    return await work();
  } catch (fault) {
    if (!(fault instanceof Refusal)) throw fault;
    toast(fault.message, true);
    return undefined;
  }
}

let toastTimer = 0;
export function toast(words, isBad = false) {
  const place = document.getElementById("toast");
  place.textContent = words;
  place.classList.toggle("bad", isBad);
  place.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => { place.hidden = true; }, 3500);
}

// On a phone one pane is seen at a time.
export function showPane(pane) {
  document.body.dataset.pane = pane;
  for (const tab of document.querySelectorAll(".tabs button")) tab.setAttribute("aria-pressed", String(tab.dataset.pane === pane));
}
