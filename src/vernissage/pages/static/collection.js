// Filters take hold when they are chosen, and the works that follow are put below those that are shown.

"use strict";

{
  const drawer = document.getElementById("filters");
  drawer?.addEventListener("change", () => drawer.closest("form").requestSubmit());

  // Empty fields would only make addresses long.
  document.querySelector(".find")?.addEventListener("formdata", ({ formData }) => {
    for (const [name, value] of [...formData]) if (!value || (name === "sort" && value === "mixed")) formData.delete(name);
  });

  const more = document.getElementById("more");
  more?.addEventListener("click", async (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || more.hasAttribute("aria-busy")) return;
    event.preventDefault();
    more.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(more.href);
      if (!answer.ok || answer.redirected) throw new Error(answer.statusText);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      // Addresses in a page are from where it lies, which is another folder where pages are files.
      for (const each of page.querySelectorAll("#works a")) each.href = new URL(each.getAttribute("href"), more.href);
      for (const each of page.querySelectorAll("#works img")) {
        each.src = new URL(each.getAttribute("src"), more.href);
        each.srcset = each.srcset.replace(/[^\s,]+(?= \d+w)/g, (address) => new URL(address, more.href));
      }
      const added = [...page.getElementById("works").children];
      document.getElementById("works").append(...added);
      added[0].querySelector("a").focus({ preventScroll: true });
      const next = page.getElementById("more");
      if (next) more.href = new URL(next.getAttribute("href"), more.href);
      else more.parentElement.remove();
    } catch {
      location.assign(more.href);
    } finally {
      more.removeAttribute("aria-busy");
    }
  });
}
