// What Telegram hands over behind the # of the address never reaches the server by itself: it goes into the form, and out of
// the address, so that it is neither kept in the history nor sent twice.
"use strict";

const form = document.querySelector("[data-telegram-proof]");
const given = new URLSearchParams(location.hash.slice(1));
const result = given.get("tgAuthResult");
const initData = given.get("tgWebAppData");

if (form && (result || initData)) {
  form.elements.result.value = result ?? "";
  form.elements.init_data.value = initData ?? "";
  form.hidden = false;
  document.querySelector("[data-telegram-missing]")?.remove();
  history.replaceState(null, "", location.pathname + location.search);
  // Who set out from our own sign-in page has asked for it; a Mini App waits for the button.
  if (result) form.requestSubmit();
}
