// Smooths what works without it: filters that apply themselves, the board's dragging.
// No handler stands in the pages: the content policy forbids it. Everything listens on the document, so that parts
// swapped in later need no set-up; only boards are set up, when they appear.
"use strict";

(() => {
  const notice = (sentence) => {
    const line = document.getElementById("notice");
    if (!line) return;
    line.textContent = sentence;
    line.hidden = false;
    line.scrollIntoView({ block: "nearest" });
  };

  document.addEventListener("submit", (event) => {
    // A second press on a slow line must not send the form twice. Disabled only after the form's values were taken.
    const button = event.submitter;
    if (history.state?.typed) history.replaceState(null, "");
    if (button && event.target.method === "post" && !event.defaultPrevented) {
      window.setTimeout(() => { button.disabled = true; }, 0);
      window.setTimeout(() => { button.disabled = false; }, 5000);
    }
  }, true);

  // A page taken from the browser's memory with "back" has its buttons as they were left.
  window.addEventListener("pageshow", () => {
    document.querySelectorAll("form[method=post] button:disabled").forEach((button) => { button.disabled = false; });
  });

  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (form?.matches("[data-auto-submit]")) form.requestSubmit();
    if (event.target.matches("[data-check-all]")) {
      const name = event.target.dataset.checkAll;
      document.querySelectorAll(`input[type=checkbox][name="${CSS.escape(name)}"]`).forEach((box) => {
        box.checked = event.target.checked;
      });
    }
  });

  // How long a text is, once it comes near to its most; what is over it is not sent, and not cut either.
  document.addEventListener("input", (event) => {
    const field = event.target, most = Number(field.dataset?.most);
    if (!most) return;
    const count = [...field.value.replace(/\r\n/g, "\n").trim()].length;
    const words = count > most * 0.9 ? `已写 ${count} 个字，最多 ${most} 个字${count > most ? `，请删去 ${count - most} 个字` : ""}。` : "";
    field.setCustomValidity(count > most ? words : "");
    let line = field.parentElement.querySelector(".letters-left");
    if (!line && words) {
      line = field.parentElement.appendChild(document.createElement("div"));
      line.className = "form-hint letters-left";
      line.setAttribute("role", "status");
    }
    if (line) line.textContent = words;
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.querySelector("details.confirm[open]");
    if (!open) return;
    open.open = false;
    open.querySelector("summary").focus();
  });

  // Dropping a card fills in and sends the card's own "移动到…" form: one way for mouse, keyboard and no scripts.
  const dropped = (event) => {
    if (event.from === event.to) return;
    const putBack = () => event.from.insertBefore(event.item, event.from.children[event.oldIndex] ?? null);
    const form = event.item.querySelector("form.board-move");
    const target = event.to.dataset.state;
    const choice = form?.elements.namedItem("to");
    if (!choice || ![...choice.options].some((option) => option.value === target)) {
      putBack();
      notice("这张卡片现在不能移到那一栏，已放回原处。");
      return;
    }
    choice.value = target;
    event.item.classList.add("is-moving");
    form.requestSubmit();
  };

  const setUpBoards = (root) => {
    if (!window.Sortable) return;
    root.querySelectorAll("[data-board] [data-state]:not([data-ready])").forEach((column) => {
      column.dataset.ready = "yes";
      window.Sortable.create(column, {
        group: "board",
        draggable: ".board-card",
        filter: "summary, select, button, option",
        preventOnFilter: false,
        // With the browser's own dragging the link in the card is dragged instead of the card.
        forceFallback: true,
        fallbackTolerance: 4,
        delay: 150,
        delayOnTouchOnly: true,
        animation: 120,
        onEnd: dropped,
      });
    });
  };

  // A page that answers a form stands under the form's address, which cannot be opened again. It takes the address of the
  // page it shows; what was typed goes along with it, and comes back for the same session only.
  const typedFields = () => [...document.querySelectorAll("main form[method=post]")].flatMap((form) =>
    [...form.elements].filter((field) => field.name && !["hidden", "file", "submit"].includes(field.type)).map((field) => (
      { field, key: `${form.getAttribute("action")} ${field.name} ${field.type === "radio" ? field.value : ""}` })));
  const isTicked = (field) => ["checkbox", "radio"].includes(field.type);
  const mark = () => document.querySelector("input[name=csrf]")?.value;

  const takeOwnAddress = () => {
    const { ownAddress, refused } = document.body.dataset;
    if (ownAddress === undefined) return;
    const typed = typedFields().map(({ field, key }) => [key, isTicked(field) ? field.checked : field.value]);
    history.replaceState(refused === undefined ? null : { mark: mark(), typed }, "", ownAddress);
  };

  const bringBack = () => {
    const kept = document.body.dataset.ownAddress === undefined && history.state?.typed;
    if (!kept || history.state.mark !== mark()) return;
    const typed = new Map(kept);
    let isChanged = false;
    typedFields().forEach(({ field, key }) => {
      const part = isTicked(field) ? "checked" : "value";
      if (!typed.has(key) || field[part] === typed.get(key)) return;
      field[part] = typed.get(key);
      isChanged = true;
      const folded = field.closest("details");
      if (folded) folded.open = true;
    });
    if (isChanged) notice("上次没有提交成功的内容已经填回表单，请核对后再提交。");
  };

  const start = () => {
    takeOwnAddress();
    bringBack();
    document.documentElement.classList.add("has-scripts");
    setUpBoards(document);
    // On a phone the navigation is a strip: bring the current line into sight.
    const strip = document.querySelector(".side-nav ul");
    const current = strip?.querySelector("[aria-current=page]");
    if (current) strip.scrollLeft = current.offsetLeft - strip.clientWidth / 2 + current.offsetWidth / 2;
  };

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
  document.addEventListener("htmx:after:swap", () => setUpBoards(document));
})();
