import "./style.css";
import { pageFor } from "./pages.js";

const page = document.querySelector("#page");

function draw() {
  const { title, text } = pageFor(location.pathname);
  document.title = title;
  page.replaceChildren(Object.assign(document.createElement("h1"), { textContent: title }), text);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || link.origin !== location.origin) return;
  event.preventDefault();
  history.pushState(null, "", link.href);
  draw();
});
addEventListener("popstate", draw);
draw();
