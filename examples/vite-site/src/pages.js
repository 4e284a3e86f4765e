const PAGES = {
  "/": { title: "Home", text: "This page was built by Vite." },
  "/about": { title: "About", text: "The server knows one file. The page knows the rest." },
};

export function pageFor(path) {
  return PAGES[path] ?? { title: "Not here", text: `There is no page at ${path}.` };
}
