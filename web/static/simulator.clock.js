// The simulator's clock: shown as on a Chinese wall, and moved on by buttons.
import { call } from "./simulator.api.js";
import { dayWords } from "./simulator.view.js";

export const CLOCK_BUTTONS = "[data-advance], [data-clock]";
const $ = (id) => document.getElementById(id);
const clock = { offset: 0, nextDue: null, isMoving: false };

export function takeClock(told) {
  clock.offset = Date.parse(told.now) - Date.now();
  clock.nextDue = told.next_due;
  showClock();
}

export function showClock() {
  const now = localTime();
  $("clock-now").textContent = `${dayWords(now)} ${now.slice(11, 19)}`;
  $("clock-now").dateTime = `${now.slice(0, 19)}+08:00`;
  for (const button of document.querySelectorAll(CLOCK_BUTTONS)) {
    button.disabled = clock.isMoving || (button.dataset.clock === "due" && !clock.nextDue);
  }
  const due = document.querySelector('[data-clock="due"]');
  due.title = clock.nextDue ? `下一件到点的事：${dayWords(clock.nextDue)} ${clock.nextDue.slice(11, 16)}` : "现在没有等着到点的事";
}

// Moves the clock to where this button points; `refresh` shows what has happened meanwhile.
export async function moveClock(button, refresh) {
  const goal = goalOf(button);
  clock.isMoving = true;
  $("clock-status").textContent = "快进中…";
  showClock();
  try {
    takeClock(await call("POST", "/clock", goal));
    await refresh();
  } finally {
    clock.isMoving = false;
    $("clock-status").textContent = "";
    showClock();
  }
}

function goalOf(button) {
  if (button.dataset.advance) return { advance: button.dataset.advance };
  return { to: button.dataset.clock === "due" ? clock.nextDue : tomorrowAtEight() };
}

// Whatever the zone of this machine.
function localTime() {
  return new Date(Date.now() + clock.offset + 8 * 3600_000).toISOString();
}

function tomorrowAtEight() {
  const day = new Date(Date.parse(`${localTime().slice(0, 10)}T00:00:00Z`) + 24 * 3600_000).toISOString().slice(0, 10);
  return `${day}T08:00:00+08:00`;
}
